"""The report on a replay: what the edits would have done with a year of claims, for who runs the revenue of a practice.

Drawn from ``report.json``, so that page and document never say different things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claimedits.app.reports.page import Bar, Bars, Card, Column, Line, Lines, Note, Part, Report, Section, Table, Tone
from claimedits.app.reports.reality_section import reality_section
from claimedits.app.reports.replay_words import (
    FAMILY_MEANINGS,
    FAMILY_WORDS,
    OUTCOME_WORDS,
    REASON_WORDS,
    counted,
    money,
    percent,
    share,
    short_money,
)
from claimedits.app.reports.update_report import impact_section

Document = Mapping[str, Any]

_TONES: Mapping[str, Tone] = {"FAIL": "bad", "REVIEW": "warn", "BYPASSED": "warn", "PASS": "good"}
MOST_BARS = 12


def replay_report(document: Document) -> Report:
    """The report.

    Args:
        document: of ``app.replay.documents.report_fields``, read back from JSON.
    """
    sections = [
        _reading_guide(document),
        _overview(document),
        _months(document),
        _rules(document),
        _bypass(document),
        _drift(document),
        *([_update(document)] if document.get("changes") else []),
        *([reality_section(document)] if document.get("expected") else []),
        _records(document),
    ]
    return Report(
        title="What the edits would have done",
        subtitle=_subtitle(document),
        facts=list(_facts(document)),
        cards=list(_cards(document)),
        sections=sections,
    )


def _subtitle(document: Document) -> str:
    months = [row["month"] for row in document["months"]]
    span = f"services of {months[0]} to {months[-1]}" if months else "no services"
    return f"{counted(document['claims']['evaluated'], 'claim')} with {counted(document['lines']['evaluated'], 'line')}, {span}"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    yield "Release of the rules", document["against"]
    if document["baseline"]:
        yield "Compared with release", document["baseline"]
    yield "As known on", document["as_of"]
    yield "Families of edits", ", ".join(FAMILY_WORDS[name] for name in document["families"])
    history = document["history"]
    if history:
        yield "History", f"claims of one patient and provider at most {history['window_days']} days apart"
    yield "Engine", document["engine_version"]


def _cards(document: Document) -> Iterator[Card]:
    denied = _outcome(document, "FAIL")
    lines = document["lines"]["evaluated"]
    yield Card("Lines denied", f"{denied['lines']:,}", f"{percent(denied['lines'], lines)} of lines", "bad")
    if _has_money(document):
        charged = document["lines"]["charge_cents"]
        of_charged = percent(denied["charge_cents"], charged)
        yield Card("Charges denied", short_money(denied["charge_cents"]), f"{of_charged} of {money(charged)}", "bad")
    claims = document["claims"]
    yield Card(
        "Claims with a denial",
        f"{claims['denied']:,}",
        f"{percent(claims['denied'], claims['evaluated'])} of claims",
        "bad" if claims["denied"] else "good",
    )
    review = _outcome(document, "REVIEW")
    yield Card("Lines to be reviewed", f"{review['lines']:,}", f"{percent(review['lines'], lines)} of lines", "warn")
    bypassed = document["bypasses"]["bypassed_lines"]
    yield Card("Code pairs passed by a modifier", f"{bypassed:,}", "see the compliance view", "plain")
    real = document.get("expected")
    if real:
        yield Card(
            "Denials that could have been prevented",
            short_money(real["preventable_amount_cents"])
            if real["preventable_amount_cents"]
            else f"{real['preventable_lines']:,}",
            f"{counted(real['preventable_lines'], 'line')}, {percent(real['preventable_lines'], real['edit_denial_lines'])} of real edit denials",
            "warn",
        )


def _outcome(document: Document, word: str) -> Document:
    nothing = {"lines": 0, "charge_cents": 0}
    return next((row for row in document["outcomes"] if row["outcome"] == word), nothing)


def _has_money(document: Document) -> bool:
    return bool(document["lines"]["charge_cents"])


# ---- How to read this ----


def _reading_guide(document: Document) -> Section:
    families = [[FAMILY_WORDS[name], FAMILY_MEANINGS[name]] for name in document["families"]]
    parts: list[Part] = [
        Note(
            "Payers check claims by rules called edits. This report shows what the edits of one release of rules would have "
            "said of claims that were really billed. Every line of a claim is checked; the worst that any edit says of it is "
            "its outcome. Nothing here says what a payer paid, unless a section compares with it."
        ),
        Note(
            "Denied: an edit forbids payment as billed. To be reviewed: a person has to look, because the claim does not tell "
            "enough. Could not be decided: no rules for that day, or no facts to decide by; this is no denial. Passed by a "
            "modifier: two codes that are not paid together were billed with a modifier that says they were separate; the "
            "record has to prove it."
        ),
        Note(
            "Amounts are charges as billed, not what a payer allows. A line is counted once in each row of a table; a line that "
            "two rules deny is in both of their rows, so rows do not add up to the total."
        ),
        Table("meanings", "What is checked", [Column("Family of edits"), Column("What it looks for")], families),
    ]
    return Section("guide", "How to read this", parts)


# ---- Overview and months ----


def _overview(document: Document) -> Section:
    whole = document["lines"]["evaluated"]
    bars = [
        Bar(
            OUTCOME_WORDS[row["outcome"]],
            row["lines"],
            f"{row['lines']:,} lines, {percent(row['lines'], whole)}",
            _TONES.get(row["outcome"], "plain"),
        )
        for row in document["outcomes"]
    ]
    rows = []
    for family in document["families"]:
        by_status = {row["status"]: row for row in document["families_by_status"] if row["family"] == family}
        denied = by_status.get("FAIL", {"lines": 0, "charge_cents": 0})
        rows.append(
            [
                FAMILY_WORDS[family],
                denied["lines"],
                share(denied["lines"], whole),
                denied["charge_cents"] if _has_money(document) else None,
                *(by_status.get(word, {"lines": 0})["lines"] for word in ("REVIEW", "BYPASSED", "NOT_EVALUATED")),
            ]
        )
    columns = [
        Column("Family of edits"),
        Column("Lines denied", "number"),
        Column("Denial rate", "share"),
        Column("Charges denied", "money"),
        Column("To be reviewed", "number"),
        Column("Passed by a modifier", "number"),
        Column("Could not be decided", "number"),
    ]
    parts: list[Part] = [Bars("Lines by outcome", bars), Table("families", "Outcomes by family", columns, rows)]
    for status, caption in (
        ("NOT_EVALUATED", "Why lines could not be decided"),
        ("REVIEW", "Why lines are to be reviewed"),
    ):
        reasons = sorted((r for r in document["reasons"] if r["status"] == status), key=lambda r: -r["lines"])
        if reasons:
            cells = [
                [FAMILY_WORDS[r["family"]], r["code"], REASON_WORDS.get(r["code"], ""), r["lines"]] for r in reasons
            ]
            names = [Column("Family"), Column("Reason"), Column("In words"), Column("Lines", "number")]
            parts.append(Table(f"why-{status.lower().replace('_', '-')}", caption, names, cells))
    return Section("overview", "Outcomes", parts)


def _months(document: Document) -> Section:
    months = sorted({row["month"] for row in document["months"]})
    whole = {month: sum(row["lines"] for row in document["months"] if row["month"] == month) for month in months}
    denied = {
        (row["family"], row["month"]): row["lines"] for row in document["families_by_month"] if row["status"] == "FAIL"
    }
    families = [name for name in document["families"] if any(family == name for family, _ in denied)]
    if not families:
        return Section("months", "Denial rate by month", [Note("No line was denied.", "good")])
    lines = [
        Line(FAMILY_WORDS[name], [share(denied.get((name, month), 0), whole[month]) for month in months])
        for name in families
    ]
    money = {row["month"]: row for row in document["months"] if row["outcome"] == "FAIL"}
    rows = [
        [
            month,
            whole[month],
            money.get(month, {"lines": 0})["lines"],
            share(money.get(month, {"lines": 0})["lines"], whole[month]),
            money.get(month, {"charge_cents": 0})["charge_cents"] if _has_money(document) else None,
        ]
        for month in months
    ]
    columns = [
        Column("Month of service"),
        Column("Lines", "number"),
        Column("Denied", "number"),
        Column("Denial rate", "share"),
        Column("Charges denied", "money"),
    ]
    chart = Lines("Share of lines denied, by family of edits and month of service", months, lines, "share")
    return Section("months", "Denial rate by month", [chart, Table("by-month", "All families by month", columns, rows)])


# ---- Rules ----


def _rules(document: Document) -> Section:
    rules = document["rules"]
    if not rules:
        return Section("rules", "Top rules", [Note("No rule denied a line.", "good")])
    has_money = _has_money(document)
    bars = [
        Bar(
            row["rule_id"],
            row["charge_cents"] if has_money else row["lines"],
            money(row["charge_cents"]) if has_money else f"{row['lines']:,} lines",
            "bad",
        )
        for row in rules[:MOST_BARS]
    ]
    rows = [
        [
            row["rule_id"],
            FAMILY_WORDS[row["family"]],
            row["code"],
            row["lines"],
            row["claims"],
            row["charge_cents"] if has_money else None,
        ]
        for row in rules
    ]
    columns = [
        Column("Rule"),
        Column("Family"),
        Column("Reason"),
        Column("Lines denied", "number"),
        Column("Claims", "number"),
        Column("Charges denied", "money"),
    ]
    words = "charges" if has_money else "lines"
    return Section(
        "rules",
        "Top rules",
        [
            Note("`claim-edits explain RULE` says what a rule means and where it is published."),
            Bars(f"Rules that deny the most {words}", bars),
            Table("rules-table", "Rules by what they deny", columns, rows, document["rules_found"]),
        ],
    )


# ---- Bypass modifiers ----


def _bypass(document: Document) -> Section:
    bypasses = document["bypasses"]
    if not bypasses["by_modifier"]:
        note = "No code pair was passed by a modifier."
        return Section("bypass", "Bypass modifiers: the compliance view", [Note(note, "good")])
    bars = [
        Bar(row["modifier"] or "(none named)", row["lines"], f"{row['lines']:,} lines", "warn")
        for row in bypasses["by_modifier"][:MOST_BARS]
    ]
    whole = sum(row["lines"] for row in bypasses["by_modifier"])
    rows = [
        [
            row["billing_provider_id"] or "(none given)",
            row["modifier"],
            row["lines"],
            row["conflict_lines"],
            share(row["lines"], row["conflict_lines"]),
            row["charge_cents"] if _has_money(document) else None,
        ]
        for row in bypasses["by_provider"]
    ]
    columns = [
        Column("Billing provider"),
        Column("Modifier"),
        Column("Lines passed", "number"),
        Column("Lines with such a pair", "number"),
        Column("Share passed", "share"),
        Column("Charges passed", "money"),
    ]
    return Section(
        "bypass",
        "Bypass modifiers: the compliance view",
        [
            Note(
                "A modifier such as 59 or XS lets two codes be paid that an edit keeps apart. Auditors look at providers who use "
                "them far more often than others: there the record should prove that the services were separate."
            ),
            Note(
                f"{counted(bypasses['conflict_lines'], 'line')} had such a pair; a modifier let "
                f"{percent(whole, bypasses['conflict_lines'])} of them pass."
            ),
            Bars("Lines passed, by modifier", bars),
            Table("bypass-providers", "By provider and modifier", columns, rows, bypasses["providers_found"]),
        ],
    )


# ---- Drift ----


def _drift(document: Document) -> Section:
    quarters = sorted({row["quarter"] for row in document["quarters"]})
    whole = {row["quarter"]: row["lines"] for row in document["quarters"]}
    denied: dict[tuple[str, str], int] = {}
    for row in document["editions"]:
        key = (row["family"], row["quarter"])
        denied[key] = denied.get(key, 0) + row["lines"].get("FAIL", 0)
    families = [name for name in document["families"] if any(n for (family, _), n in denied.items() if family == name)]
    parts: list[Part] = [
        Note(
            "Edits are published anew each quarter. A step between two quarters comes from other claims or from another "
            "edition of the rules; the table names the edition that answered."
        )
    ]
    if len(quarters) > 1 and families:
        lines = [
            Line(FAMILY_WORDS[name], [share(denied.get((name, quarter), 0), whole[quarter]) for quarter in quarters])
            for name in families
        ]
        parts.append(Lines("Denials per line, by quarter of service", quarters, lines, "share"))
    rows = [
        [
            row["quarter"],
            row["rule_set"],
            row["label"],
            *(row["lines"].get(word, 0) for word in ("FAIL", "REVIEW", "BYPASSED")),
            share(row["lines"].get("FAIL", 0), whole[row["quarter"]]),
            row["denied_charge_cents"] if _has_money(document) else None,
        ]
        for row in document["editions"]
    ]
    columns = [
        Column("Quarter of service"),
        Column("Rule set"),
        Column("Edition that answered"),
        Column("Denied", "number"),
        Column("To be reviewed", "number"),
        Column("Passed by a modifier", "number"),
        Column("Denial rate", "share"),
        Column("Charges denied", "money"),
    ]
    parts.append(Table("editions", "Lines with a finding, by quarter and edition", columns, rows))
    return Section("drift", "Drift across quarters", parts)


# ---- Baseline and reality ----


def _update(document: Document) -> Section:
    changes = document["changes"]
    section = impact_section({**changes, "evaluated_once": 0})
    note = Note(
        f"Every claim that the difference between the two releases can touch was answered by both: "
        f"{counted(changes['evaluated'], 'claim')}. The other {changes['skipped']:,} have the same answer. "
        "Newly failing: denied under the release of this report, and not under the one compared with."
    )
    return Section("changes", "What changed between the releases", [note, *section.parts])


# ---- Records ----


def _records(document: Document) -> Section:
    read = document["input"]
    rows = [
        ["Records read", read["records"]],
        ["Claims", read["claims"]],
        ["Rejected: could not be read", read["rejected"]],
        ["of them with a claim id that came before", read["duplicate_claim_ids"]],
        ["Claims refused at evaluation", document["claims"]["refused"]],
        ["Claims evaluated", document["claims"]["evaluated"]],
    ]
    if read["rows_left_out"]:
        rows.append(["Rows that the mapping leaves out", read["rows_left_out"]])
    parts: list[Part] = [
        Note("Records are claims or rejected; claims are evaluated or refused. The counts add up."),
        Table("records", "What became of the records", [Column("What"), Column("Number", "number")], rows),
    ]
    if read["first_rejections"]:
        cells = [
            [
                one["file"],
                " ".join(f"{name} {value}" for name, value in one["position"].items()),
                one["reason"],
                one["mend"],
            ]
            for one in read["first_rejections"]
        ]
        columns = [Column("File"), Column("Where"), Column("Reason"), Column("How to mend it")]
        parts.append(Table("rejections", "Records that could not be read", columns, cells, read["rejected"]))
    return Section("records", "Records", parts)
