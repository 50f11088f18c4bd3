"""The report on an update of rules: what changed in the tables, retroactive changes first, and which claims it hits.

Drawn from the documents that ``claim-edits diff --format json`` prints, so that page and document never say different things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.summary import KINDS, WORDS
from claimedits.app.reports.page import Bar, Bars, Card, Column, Note, Part, Report, Section, Table, Tone

Document = Mapping[str, Any]
_TONES: Mapping[ChangeKind, Tone] = {
    ChangeKind.NEWLY_FAILING: "bad",
    ChangeKind.NEWLY_PASSING: "good",
    ChangeKind.OUTCOME: "warn",
}
_PARTS = (("rule", "Rule"), ("code", "Procedure code"), ("provider", "Billing provider"), ("family", "Family"))
MOST_BARS = 12


def update_report(comparison: Document, impact: Document | None = None) -> Report:
    """The report.

    Args:
        comparison: of ``app.comparison_documents.comparison_fields``.
        impact: of ``app.impact.summary.impact_fields``; None = no claims were evaluated.
    """
    old, new = _name(comparison["old"]), _name(comparison["new"])
    sections = [*([impact_section(impact)] if impact else []), *_row_sections(comparison)]
    return Report(
        title="What the update changes",
        subtitle=f"{old} → {new}",
        facts=[*_identity("Old", comparison["old"]), *_identity("New", comparison["new"]), *_claims(impact)],
        cards=[*_impact_cards(impact), *_row_cards(comparison)],
        sections=sections,
    )


def _name(named: Document) -> str:
    if "rule_set" in named:
        return f"{named['rule_set']} {named['label']}"
    return str(named["note"] or f"release {named['id'][:19]}")


def _identity(word: str, named: Document) -> Iterator[tuple[str, str]]:
    yield f"{word} {'revision' if 'rule_set' in named else 'release'}", named["id"]


def _claims(impact: Document | None) -> Iterator[tuple[str, str]]:
    if impact is None:
        return
    yield "Claims", f"{impact['claims']:,} with {impact['lines']:,} lines"
    once = f", {impact['evaluated_once']:,} of them under the old one only" if impact["evaluated_once"] else ""
    yield "Evaluated", f"{impact['evaluated']:,}{once}"
    if impact["skipped"]:
        yield "Skipped", f"{impact['skipped']:,}: {impact['skipped_because']}"
    if impact["refused"]:
        yield "Could not be read", f"{impact['refused']:,}"


def _impact_cards(impact: Document | None) -> Iterator[Card]:
    if impact is None:
        return
    for kind in (ChangeKind.NEWLY_FAILING, ChangeKind.NEWLY_PASSING):
        figures = impact["kinds"][kind.name]
        share = figures["claims"] / impact["claims"] if impact["claims"] else 0.0
        undecided = impact["newly_failing_not_evaluated_before"]["claims"] if kind is ChangeKind.NEWLY_FAILING else 0
        yield Card(
            f"Claims {WORDS[kind]}",
            f"{figures['claims']:,}",
            f"{100 * share:.2f} % of claims{_money(figures)}"
            + (f"; in {undecided:,} of them a line was not evaluated before" if undecided else ""),
            _TONES[kind] if figures["claims"] else "plain",
        )


def _money(figures: Document) -> str:
    if figures["lines"] == figures["lines_without_charge"]:
        return ""
    return f", ${figures['charge_cents'] / 100:,.2f} charged"


def _row_cards(comparison: Document) -> Iterator[Card]:
    yield Card("Rows that differ", f"{comparison['differences']:,}", f"in {_rule_sets(comparison)}")
    retroactive = comparison["retroactive"]
    yield Card(
        "Retroactive changes",
        f"{retroactive:,}",
        "reach service days before the new edition" if retroactive else "none reaches back",
        "warn" if retroactive else "good",
    )


def _rule_sets(comparison: Document) -> str:
    count = sum(1 for one in comparison["rule_sets"] if one["differences"])
    return f"{count} rule set" + ("" if count == 1 else "s")


# ---- Claims ----


def impact_section(impact: Document) -> Section:
    parts: list[Part] = [
        Bars(
            "Changed lines by kind of change",
            [
                Bar(WORDS[kind], figures["lines"], f"{figures['lines']:,}", _TONES.get(kind, "plain"))
                for kind in KINDS
                if (figures := impact["kinds"][kind.name])["lines"]
            ],
        )
    ]
    if not parts[0].bars:  # type: ignore[union-attr]
        return Section("claims", "Claims", [Note("No claim is answered otherwise.")])
    parts += [_part_table(impact, part, title) for part, title in _PARTS]
    parts += [_outcome_table(impact), _line_table(impact)]
    return Section("claims", "Claims", parts)


def _part_table(impact: Document, part: str, title: str) -> Table:
    rows = [
        [
            entry["name"] or "(none given)",
            WORDS[ChangeKind[entry["kind"]]],
            entry["lines"],
            entry["claims"],
            None if entry["lines"] == entry["lines_without_charge"] else entry["charge_cents"],
        ]
        for entry in impact[f"by_{part}"]
    ]
    columns = [
        Column(title),
        Column("Change"),
        Column("Lines", "number"),
        Column("Claims", "number"),
        Column("Charges", "money"),
    ]
    return Table(f"by-{part}", f"Changed lines by {title.lower()}", columns, rows)


def _outcome_table(impact: Document) -> Table:
    rows = [[entry["old"], entry["new"], entry["claims"]] for entry in impact["outcomes"]]
    columns = [Column("Outcome before"), Column("Outcome now"), Column("Claims", "number")]
    return Table("outcomes", "Evaluated claims by outcome", columns, rows)


def _line_table(impact: Document) -> Table:
    changed = [line for line in impact["changed_lines"] if line["kind"] != "CITATION"]
    rows = [
        [
            line["claim_id"],
            line["line_number"],
            line["procedure_code"],
            WORDS[ChangeKind[line["kind"]]],
            f"{line['old']} → {line['new']}",
            ", ".join(line["come"]),
            ", ".join(line["gone"]),
            line["charge_cents"],
        ]
        for line in changed
    ]
    columns = [
        Column("Claim"),
        Column("Line", "number"),
        Column("Code"),
        Column("Change"),
        Column("Outcome"),
        Column("Rules that came"),
        Column("Rules that went"),
        Column("Charge", "money"),
    ]
    return Table("changed-lines", "Changed lines, but for those that only cite otherwise", columns, rows)


# ---- Rows ----


def _row_sections(comparison: Document) -> Iterator[Section]:
    retroactive = [
        (one, table, row)
        for one in comparison["rule_sets"]
        for table in one["tables"]
        for row in table["rows"]
        if row["retroactive"]
    ]
    if comparison["retroactive"]:
        rows = [[one["rule_set"], *_row_cells(table, row)] for one, table, row in retroactive]
        yield Section(
            "retroactive",
            "Retroactive changes",
            [
                Note(
                    "These change answers for service days before the new edition governs: claims may be due again.",
                    "warn",
                ),
                Table(
                    "retroactive-rows",
                    "Rows changed retroactively",
                    [Column("Rule set"), *_ROW_COLUMNS],
                    rows,
                    comparison["retroactive"],
                ),
            ],
        )
    if comparison["governance"]:
        yield Section("governance", "Which edition answers", [_governance_table(comparison["governance"])])
    for one in comparison["rule_sets"]:
        yield Section(f"rows-{one['rule_set']}", _heading(one), list(_rule_set_parts(one)))


def _heading(one: Document) -> str:
    labels = [named["label"] for named in (one["old"], one["new"]) if named]
    return f"{one['rule_set']}: {' → '.join(dict.fromkeys(labels))}"


def _governance_table(changes: Sequence[Document]) -> Table:
    rows = [
        [
            change["rule_set"],
            change["first_day"],
            change["last_day"],
            change["old"]["label"] if change["old"] else "none",
            change["new"]["label"] if change["new"] else "none",
        ]
        for change in changes
    ]
    names = ("Rule set", "From", "To", "Edition before", "Edition now")
    return Table("governance-days", "Service days that another edition answers for", list(map(Column, names)), rows)


_ROW_COLUMNS = [Column("Change"), Column("Row"), Column("Before"), Column("Now"), Column("Source")]


def _rule_set_parts(one: Document) -> Iterator[Part]:
    if not one["differences"]:
        yield Note("No row differs.")
    counts = [
        [
            table["table"],
            *(table[name] for name in ("old_rows", "new_rows", "added", "removed", "changed", "retroactive")),
        ]
        for table in one["tables"]
    ]
    names = ("Rows before", "Rows now", "Added", "Removed", "Changed", "Retroactive")
    identity = f"{one['rule_set']}-tables"
    yield Table(identity, "Rows", [Column("Table"), *(Column(name, "number") for name in names)], counts)
    for table in one["tables"]:
        if not table["added"] + table["removed"] + table["changed"]:
            continue
        for field, words in (("change", "what happened"), ("section", "range of codes"), ("rationale", "rationale")):
            entries = table[f"by_{field}"]
            if entries:
                yield _bars(f"{table['table']}: rows that differ, by {words}", field, entries)
        cells = [_row_cells(table, row) for row in table["rows"]]
        whole = len(cells) + table["rows_left_out"]
        name = f"{one['rule_set']}-{table['table']}"
        yield Table(name, f"{table['table']}: rows that differ", _ROW_COLUMNS, cells, whole)


def _bars(caption: str, field: str, entries: Sequence[Document]) -> Bars:
    shown, rest = entries[:MOST_BARS], entries[MOST_BARS:]
    bars = [
        Bar(str(entry[field]), entry["rows"], f"{entry['rows']:,}", "warn" if entry["retroactive"] else "plain")
        for entry in shown
    ]
    if rest:
        others = sum(entry["rows"] for entry in rest)
        bars.append(Bar(f"{len(rest)} others", others, f"{others:,}"))
    return Bars(caption, bars)


def _row_cells(table: Document, row: Document) -> list[str]:
    source = f"{row['new_source_file'] or row['old_source_file']}:{row['new_source_row'] or row['old_source_row']}"
    return [
        row["change"],
        " ".join(value for value in row["key"].values() if value),
        _fields(row["before"]),
        _fields(row["after"]),
        source,
    ]


def _fields(fields: Document) -> str:
    return ", ".join(f"{name} {value or 'none'}" for name, value in fields.items())
