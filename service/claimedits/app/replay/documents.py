"""The sums of a replay as the document that ``report.json`` holds and that the page and the terminal are drawn from.

Rates are never in it: whoever shows one divides the counts beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.summary import impact_fields
from claimedits.app.impact.tally import Figures, Tally
from claimedits.app.replay.plan import Plan
from claimedits.app.replay.reading import ReadInput
from claimedits.app.replay.release_changes import LOST, UNDECIDED
from claimedits.app.replay.sums import Sums
from claimedits.model.terms import FAMILIES_BY_NAME, Status

Fields = dict[str, Any]
OPEN = ("NOT_EVALUATED", "REVIEW")
"""Statuses that leave a line open: the report tells why."""
LISTED = 200
"""Rows of a list; the tables of sums have all."""
CONFLICT = ("FAIL", "BYPASSED", "REVIEW")
"""Statuses of a line that bills two codes which a PTP edit keeps apart."""


def report_fields(
    plan: Plan, read: ReadInput, sums: Sums, real: Mapping[str, Any] | None, listed: Mapping[str, list[Fields]]
) -> Fields:
    """Everything that a report says.

    Args:
        real: counts of the expectations; None = there are none.
        listed: the first rows of ``changes``, ``disagreements`` and ``refused``.
    """
    tables = {name: table.to_pylist() for name, table in sums.tables.items()}
    counts = sums.counts
    fields: Fields = {
        "against": plan.against,
        "baseline": plan.baseline or None,
        "as_of": plan.as_of,
        "engine_version": plan.engine_version,
        "families": list(plan.families) or [family.name for family in FAMILIES_BY_NAME],
        "history": dict(plan.history) or None,
        "input": {
            **read.counts,
            "first_rejections": list(read.first_rejections),
            "first_notices": list(read.first_notices),
        },
        "claims": {
            "evaluated": counts.get("claims", 0),
            "denied": counts.get("claims_denied", 0),
            "refused": counts.get("refused_claims", 0),
            "first_refused": listed["refused"],
        },
        "lines": {
            "evaluated": counts.get("lines", 0),
            "charge_cents": counts.get("charge_cents", 0),
            "without_charge": counts.get("lines_without_charge", 0),
            "findings": counts.get("findings", 0),
        },
        "outcomes": _by(tables["outcomes"], ("outcome",), order=_worst_first),
        "months": _by(tables["outcomes"], ("month", "outcome")),
        "families_by_status": _by(tables["families"], ("family", "status")),
        "families_by_month": tables["families"],
        "rules": _top([row for row in tables["rules"] if row["status"] == "FAIL"]),
        "rules_found": sum(1 for row in tables["rules"] if row["status"] == "FAIL"),
        "reasons": _by([row for row in tables["rules"] if row["status"] in OPEN], ("status", "family", "code")),
        "bypasses": _bypasses(tables["bypasses"], tables["conflicts"]),
        "editions": _editions(tables["editions"]),
        "quarters": _quarters(tables["outcomes"]),
    }
    if plan.baseline:
        fields["changes"] = _changes(sums, tables, listed["changes"])
    if real is not None:
        fields["expected"] = _expected(sums, tables, real, listed["disagreements"])
    return fields


def _by(rows: Iterable[Fields], names: Sequence[str], order: Any = None) -> list[Fields]:
    """Rows summed up by some of their names. Claims do not add up over other names, and are left out."""
    summed: dict[tuple[str, ...], Fields] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        entry = summed.setdefault(
            key, {name: row[name] for name in names} | {"lines": 0, "charge_cents": 0, "lines_without_charge": 0}
        )
        for figure in ("lines", "charge_cents", "lines_without_charge"):
            entry[figure] += row[figure]
    entries = [summed[key] for key in sorted(summed)]
    return sorted(entries, key=order) if order else entries


def _worst_first(entry: Fields) -> int:
    return -Status[entry["outcome"]]


def _top(rows: Sequence[Fields], most: int = LISTED) -> list[Fields]:
    """The dearest rows first; those without charges by their lines."""
    order = sorted(
        rows, key=lambda row: (-row["charge_cents"], -row["lines"], *(v for v in row.values() if isinstance(v, str)))
    )
    return order[:most]


def _bypasses(bypasses: Sequence[Fields], conflicts: Sequence[Fields]) -> Fields:
    """Use of bypass modifiers: by modifier, and by provider beside the conflicts of that provider."""
    of_provider: defaultdict[str, int] = defaultdict(int)
    for row in conflicts:
        if row["status"] in CONFLICT:
            of_provider[row["billing_provider_id"]] += row["lines"]
    providers = [row | {"conflict_lines": of_provider[row["billing_provider_id"]]} for row in bypasses]
    providers.sort(key=lambda row: (-row["lines"], row["billing_provider_id"], row["modifier"]))
    return {
        "conflict_lines": sum(of_provider.values()),
        "bypassed_lines": sum(row["lines"] for row in conflicts if row["status"] == "BYPASSED"),
        "by_modifier": sorted(_by(bypasses, ("modifier",)), key=lambda row: (-row["lines"], row["modifier"])),
        "by_provider": providers[:LISTED],
        "providers_found": len(providers),
    }


def _editions(rows: Sequence[Fields]) -> list[Fields]:
    """By quarter of service and edition: lines with a finding, by status."""
    summed: dict[tuple[str, ...], Fields] = {}
    names = ("quarter", "family", "rule_set", "label")
    for row in rows:
        if not row["label"]:
            continue
        key = tuple(row[name] for name in names)
        entry = summed.setdefault(key, {name: row[name] for name in names} | {"lines": {}, "denied_charge_cents": 0})
        entry["lines"][row["status"]] = entry["lines"].get(row["status"], 0) + row["lines"]
        if row["status"] == "FAIL":
            entry["denied_charge_cents"] += row["charge_cents"]
    return [summed[key] for key in sorted(summed)]


def _quarters(outcomes: Sequence[Fields]) -> list[Fields]:
    rows = [
        row | {"quarter": f"{row['month'][:-3]}Q{(int(row['month'][-2:]) + 2) // 3}"}
        for row in outcomes
        if row["month"]
    ]
    return _by(rows, ("quarter",))


def _changes(sums: Sums, tables: Mapping[str, list[Fields]], listed: list[Fields]) -> Fields:
    """The impact of going from the baseline to the release, in the form of ``claim-edits diff --claims``."""
    counts = sums.counts
    tally = Tally(
        claims=counts.get("claims", 0),
        lines=counts.get("lines", 0),
        charge_cents=counts.get("charge_cents", 0),
        evaluated=counts.get("compared_claims", 0),
        skipped=counts.get("skipped_claims", 0),
        refused=counts.get("refused_claims", 0),
    )
    for row in tables["claim_changes"]:
        tally.outcomes[Status[row["old"]], Status[row["new"]]] += row["claims"]
        tally.worst[ChangeKind[row["kind"]]] += row["claims"]
    tally.undecided_only = counts.get("undecided_only_claims", 0)
    for row in tables["changes"]:
        if row["kind"] == UNDECIDED:
            tally.undecided = _figures(row)
        elif row["kind"] == LOST:
            tally.no_longer_evaluated = _figures(row)
        else:
            tally.kinds[ChangeKind[row["kind"]]] = _figures(row)
    for row in tables["change_parts"]:
        tally.parts[row["part"]][row["name"], ChangeKind[row["kind"]]] = _figures(row)
    fields = impact_fields(tally, ())
    for name in [name for name in fields if name.startswith("by_")]:
        fields[f"{name}_found"] = len(fields[name])
        fields[name] = fields[name][:LISTED]
    return fields | {"changed_lines": listed}


def _figures(row: Fields) -> Figures:
    return Figures(row["lines"], row["claims"], row["charge_cents"], row["lines_without_charge"])


_REAL_COUNTS = (
    "answered_claims",
    "unanswered_claims",
    "compared_lines",
    "agreed_denied_lines",
    "agreed_clean_lines",
    "payer_only_lines",
    "engine_only_lines",
    "other_reason_lines",
    "services_without_line",
    "edit_denial_lines",
    "edit_denial_amount_cents",
    "preventable_lines",
    "preventable_amount_cents",
)


def _expected(sums: Sums, tables: Mapping[str, list[Fields]], real: Mapping[str, Any], listed: list[Fields]) -> Fields:
    return {
        "read": dict(real),
        **{name: sums.counts.get(name, 0) for name in _REAL_COUNTS},
        "confusion": tables["confusion"],
        "preventable": _top_amounts(tables["preventable"]),
        "preventable_rules": len(tables["preventable"]),
        "other_denials": _top_amounts(tables["other_denials"]),
        "disagreements": listed,
    }


def _top_amounts(rows: Sequence[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: (-row["amount_cents"], -row["lines"], *map(str, row.values())))[:LISTED]
