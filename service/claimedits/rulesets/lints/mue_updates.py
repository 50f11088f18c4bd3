"""Lints of an MUE table against the quarter before.

CMS changes an MAI together with its value or its rationale: of 30 changes of an MAI from 2024Q2 to 2024Q3, in three tables,
none stood alone.
"""

from __future__ import annotations

from claimedits.rulesets.comparison.table_comparison import CONFIDENTIAL, ChangeKind, RowChange, TableComparison
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.table_updates import MOST_READ, place_of_change, say_key
from claimedits.rulesets.lints.thresholds import Thresholds


def check_mue_update(table: TableComparison, thresholds: Thresholds, report: Report) -> None:
    """Changed values and adjudication indicators, the unusual ones apart."""
    for change in table.rows(table.select((ChangeKind.CHANGED,))[:MOST_READ]):
        before, after = dict(change.before), dict(change.after)
        about = f"row {change.new_source_row} (procedure code {say_key(change)})"
        place, subject = place_of_change(change), say_key(change)
        if "mai" in after and len(after) == 1:
            what = f"{about}: MAI {before['mai']} has become {after['mai']}, value and rationale stand"
            mend = "compare with the published table; CMS changes an MAI together with the value or the rationale"
            report.add("CE501", place, what, mend, subject=subject)
        jump = _jump(change, thresholds)
        if jump:
            report.add(
                "CE502",
                place,
                f"{about}: {jump}",
                "compare with the published table, and have it approved",
                subject=subject,
            )
        elif "value" in after or ("mai" in after and len(after) > 1):
            cells = ", ".join(
                f"{name} {before[name]} has become {after[name]}" for name in ("value", "mai") if name in after
            )
            report.add("CE503", place, f"{about}: {cells}", "have it approved", subject=subject)


def _jump(change: RowChange, thresholds: Thresholds) -> str:
    """What is unusual about a changed value; empty = nothing, or it may not be shown."""
    before, after = dict(change.before).get("value"), dict(change.after).get("value")
    if before is None or after is None or CONFIDENTIAL in (before, after):
        return ""
    old, new = int(before), int(after)
    if old and not new:
        return f"the value {old} has become 0, which no unit passes"
    rise, fall = thresholds.value_factor, thresholds.fall_factor
    if rise is not None and old and new > old * rise:
        return f"the value {old} has become {new}, more than {rise:g} times as much"
    if fall is not None and new and old > new * fall:
        return f"the value {old} has become {new}, less than one in {fall:g}"
    return ""
