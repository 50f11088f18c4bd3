"""Lints of a PTP table against the quarter before.

How CMS changes an edit, read off 2024Q2 to 2024Q3 (1,223 of 2.5 million rows differ): a window is closed by a last day, the day
before the new quarter; another one is opened, on the first day of the quarter, with another indicator or in the other direction.
No row is taken out, and nothing of an existing window but an open last day ever changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from claimedits.model.dates import Day, format_day, parse_day
from claimedits.rulesets.comparison.retroactivity import boundary
from claimedits.rulesets.comparison.row_matching import Array
from claimedits.rulesets.comparison.table_comparison import ChangeKind, RowChange, TableComparison
from claimedits.rulesets.lints.ptp_habits import find_odd_edits
from claimedits.rulesets.lints.quarters import begins_quarter, ends_quarter
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.table_updates import MOST_READ, place_of_change
from claimedits.rulesets.lints.thresholds import Thresholds
from claimedits.rulesets.revision import RevisionHeader

_COMPARE = "compare with the published table"
_APPROVE = "have it approved, and evaluate claims of those days again"
Pair = tuple[str, str]


def check_ptp_update(
    table: TableComparison, old: RevisionHeader, new: RevisionHeader, thresholds: Thresholds, report: Report
) -> Array:
    """Rows that changed in a way in which CMS does not change them, and new rows unlike all others.

    Returns the rows of the old table whose absence is explained: they were reversed.
    """
    # Days that no revision governs have had no answers that could change.
    since = min(boundary(old, new), max(old.effective_to, old.effective_from) + 1)
    reversed_rows, gone = _find_reversed(table, report)
    closed = set()
    for change in table.rows(table.select((ChangeKind.CHANGED,))[:MOST_READ]):
        _check_changed(change, since, report)
        if _closes(change):
            closed.add(_pair(change))
    positions = np.setdiff1d(table.select((ChangeKind.ADDED,))[:MOST_READ], reversed_rows)
    indicators = _closed_indicators(table, closed)
    for change in table.rows(positions):
        _check_added(change, since, indicators, report)
    for position, lint_id, what in find_odd_edits(table, positions, since, thresholds):
        change = next(iter(table.rows([position])))
        mend = f"{_COMPARE}, and have it approved"
        report.add(lint_id, place_of_change(change), f"{_about(change)}: {what}", mend, rule=_rule(change, report))
    return table.matching.old_rows[np.array(gone, dtype=np.int64)]


def _pair(change: RowChange) -> Pair:
    key = dict(change.key)
    return key["column_1"], key["column_2"]


def _rule(change: RowChange, report: Report) -> str:
    """The rule id by which findings cite the pair, whichever way it stands."""
    return f"{report.rule_set}/{'+'.join(sorted(_pair(change)))}"


def _about(change: RowChange) -> str:
    one, two = _pair(change)
    row = change.new_source_row or change.old_source_row
    return f"row {row} (column 1 {one}, column 2 {two})"


def _find_reversed(table: TableComparison, report: Report) -> tuple[list[int], list[int]]:
    """Rows whose two codes have changed places, everything else standing: positions of the added and of the removed ones."""
    added = {}
    positions = table.select((ChangeKind.ADDED,))[:MOST_READ]
    for position, change in zip(positions, table.rows(positions), strict=True):
        one, two = _pair(change)
        added[two, one, *_rest(change, change.after)] = (int(position), change)
    if not added:
        return [], []
    found, gone = [], []
    removed = _removed_of(table, {(key[0], key[1]) for key in added})
    for at, change in zip(removed, table.rows(removed), strict=True):
        match = added.get((*_pair(change), *_rest(change, change.before)))
        if match is None:
            continue
        position, new = match
        found.append(position)
        gone.append(at)
        one, two = _pair(change)
        what = (
            f"{_about(new)}: the edit was column 1 {one}, column 2 {two} in the edition before "
            f"({change.old_source_file}:{change.old_source_row}), with the same dates"
        )
        mend = f"{_COMPARE}; an edit is reversed by closing it and opening the other direction on the first day of a quarter"
        report.add("CE401", place_of_change(new), what, mend, rule=_rule(new, report))
    return found, gone


def _rest(change: RowChange, cells: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """First day, last day and indicator of an added or removed row."""
    named = dict(change.key) | dict(cells)
    return named["effective_from"], named["effective_to"], named["modifier_indicator"]


def _removed_of(table: TableComparison, pairs: set[Pair]) -> Sequence[int]:
    """Positions of the removed rows of some pairs."""
    positions = table.select((ChangeKind.REMOVED,))
    rows = table.old.table.select(["column_1", "column_2"]).take(pa.array(table.matching.old_rows[positions]))
    columns = (rows[name].cast(pa.string()).to_pylist() for name in ("column_1", "column_2"))
    return [int(p) for p, pair in zip(positions, zip(*columns, strict=True), strict=True) if pair in pairs]


def _closes(change: RowChange) -> bool:
    before, after = dict(change.before), dict(change.after)
    return "effective_to" in after and not before["effective_to"] and bool(after["effective_to"])


def _check_changed(change: RowChange, since: Day, report: Report) -> None:
    before, after, about = dict(change.before), dict(change.after), _about(change)
    place, rule = place_of_change(change), _rule(change, report)

    def add(lint_id: str, what: str, mend: str) -> None:
        report.add(lint_id, place, f"{about}: {what}", mend, rule=rule)

    first = after.get("effective_from", dict(change.key)["effective_from"])
    if "effective_from" in after:
        what = f"the first day was {before['effective_from']} in the edition before, is {first}"
        add("CE404", what, f"{_COMPARE}; the first day of a window never moves")
    withdrawn = after.get("modifier_indicator") == "9" or ("effective_to" in after and after["effective_to"] == first)
    if withdrawn:
        add("CE312", f"the edit is withdrawn, as if it had never been; answers from {first} on change", _APPROVE)
    elif "modifier_indicator" in after:
        what = f"the modifier indicator was {before['modifier_indicator']} in the edition before, is {after['modifier_indicator']}"
        add("CE403", what, f"{_COMPARE}; an indicator is changed by closing the window and opening another one")
    backwards = "" < after.get("effective_to", "") < first  # said of the row in itself
    if "effective_to" in after and not withdrawn and not backwards:
        _check_last_day(before["effective_to"], after["effective_to"], since, add)


def _check_last_day(before: str, after: str, since: Day, add: Callable[[str, str, str], None]) -> None:
    if before and not after:
        add(
            "CE405",
            f"it ended on {before} in the edition before, and is open again",
            f"{_COMPARE}; a closed edit is opened by a new row",
        )
    elif before:
        add(
            "CE405",
            f"it ended on {before} in the edition before, ends on {after}",
            f"{_COMPARE}; the last day of a closed edit never moves",
        )
    elif not ends_quarter(parse_day(after)):
        what = f"it ends on {after}, which is not the last day of a quarter"
        add("CE406", what, f"{_COMPARE}; edits that end with this update end on {format_day(since - 1)}")
    elif parse_day(after) < since - 1:
        add("CE312", f"it ends on {after}, before this update; answers after that day change", _APPROVE)


def _check_added(change: RowChange, since: Day, closed: Mapping[Pair, str], report: Report) -> None:
    key, cells, about = dict(change.key), dict(change.after), _about(change)
    first, last, indicator = key["effective_from"], cells["effective_to"], cells["modifier_indicator"]
    place, rule = place_of_change(change), _rule(change, report)
    if indicator == "9" or last == first:
        if parse_day(first) >= since:  # tombstones of edits that were live once are changed rows, or older
            what = f"{about}: the edit is new and withdrawn already, its modifier indicator is {indicator}"
            report.add("CE408", place, what, f"{_COMPARE}, and have it approved", rule=rule)
        return
    if not begins_quarter(parse_day(first)):
        what = f"{about}: it begins on {first}, which is not the first day of a quarter"
        mend = f"{_COMPARE}; edits that begin with this update begin on {format_day(since)}"
        report.add("CE406", place, what, mend, rule=rule)
    elif parse_day(first) < since:
        report.add("CE312", place, f"{about}: the edit is new, and reaches back to {first}", _APPROVE, rule=rule)
    if last and not ends_quarter(parse_day(last)):
        what = f"{about}: it ends on {last}, which is not the last day of a quarter"
        report.add("CE406", place, what, _COMPARE, rule=rule)
    one, two = _pair(change)
    if (two, one) in closed:
        what = f"{about}: until {format_day(since - 1)} the edit was column 1 {two}, column 2 {one}"
        report.add("CE409", place, what, "have it approved", rule=rule)
    elif closed.get((one, two), indicator) != indicator:
        what = f"{about}: the modifier indicator was {closed[one, two]} until {format_day(since - 1)}, is {indicator}"
        report.add("CE410", place, what, "have it approved", rule=rule)


def _closed_indicators(table: TableComparison, closed: set[Pair]) -> dict[Pair, str]:
    """The indicator of each window that this update closes."""
    positions = table.select((ChangeKind.CHANGED,))
    rows = table.new.table.take(pa.array(table.matching.new_rows[positions]))
    cells = zip(
        rows["column_1"].cast(pa.string()).to_pylist(),
        rows["column_2"].cast(pa.string()).to_pylist(),
        rows["modifier_indicator"].to_pylist(),
        strict=True,
    )
    return {(one, two): str(indicator) for one, two, indicator in cells if (one, two) in closed}
