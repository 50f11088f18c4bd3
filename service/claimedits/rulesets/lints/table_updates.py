"""Lints of any table against the edition before: how much of it changed, and whether a piece of it is missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from claimedits.model.dates import format_day
from claimedits.rulesets.comparison.retroactivity import boundary
from claimedits.rulesets.comparison.revisions import RevisionComparison
from claimedits.rulesets.comparison.row_matching import Array
from claimedits.rulesets.comparison.row_names import row_names
from claimedits.rulesets.comparison.table_comparison import ChangeKind, RowChange, TableComparison
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.thresholds import Thresholds

MOST_READ = 50_000
"""Changed rows that are read one by one: where there are more, the table is another one (CE302)."""
_FEWEST = 10
"""Fewer changed rows than this are no share of anything."""
_TITLE = "title"
_WORDS = "rationale"
"""The last column of the publisher's tables that have it."""
_CUT = "the file was cut short: download it again, and compare with the count on its label"
_OWN_LINTS = frozenset(("ptp",))
"""Kinds whose changed rows have lints of their own."""


def check_update(comparison: RevisionComparison, thresholds: Thresholds, explained: Array, report: Report) -> None:
    """Row counts, shares, vanished pieces, and answers that change for past days.

    Args:
        explained: rows of the old table whose absence was said already.
    """
    if comparison.is_empty:
        assert comparison.new is not None and comparison.old is not None
        header, before = comparison.new.header, comparison.old.header
        what = f"{header.rule_set} {header.label} has every row of {before.label} and no other"
        report.add(
            "CE315",
            (header.sources[0].file if header.sources else header.rule_set, 0, 0),
            what,
            "make sure that it is the new file",
        )
        return
    for table in comparison.tables:
        _check_counts(table, thresholds, report)
        _check_vanished(comparison, table, thresholds, explained, report)
        _check_last_rows(table, report)
        if comparison.kind not in _OWN_LINTS:
            _check_retroactive(comparison, table, report)


def _file(table: TableComparison) -> str:
    return table.new.sources[0].file if table.new.sources else table.table


def _check_counts(table: TableComparison, thresholds: Thresholds, report: Report) -> None:
    old, new = table.old_rows, table.new_rows
    if not old:
        return
    place = (_file(table), 0, 0)
    mend = "compare with the count on the download label; import the whole table"
    share = thresholds.rows_share
    if share is not None and abs(new - old) > max(share * old, _FEWEST):
        what = f"table {table.table} has {new:,} rows, the edition before {old:,}: more than {share:.0%} apart"
        report.add("CE301", place, what, mend, subject=table.table)
    share, retitled = thresholds.changed_share, _only_retitled(table)
    if share is not None and table.differences - retitled > max(share * old, _FEWEST):
        what = (
            f"{table.differences - retitled:,} rows of table {table.table} differ from the edition before "
            f"({table.added:,} added, {table.removed:,} gone, {table.changed - retitled:,} changed), more than {share:.0%} of {old:,}"
        )
        report.add(
            "CE302", place, what, "make sure that it is the right table of the right quarter", subject=table.table
        )


def _only_retitled(table: TableComparison) -> int:
    """How many rows differ in their title alone: some editions come without any."""
    differing = table.matching.differing
    if _TITLE not in differing:
        return 0
    others = [differs for name, differs in differing.items() if name != _TITLE]
    only = differing[_TITLE] & (table.kinds == ChangeKind.CHANGED)
    return int((only & ~np.logical_or.reduce(others)).sum() if others else only.sum())


def _check_vanished(
    comparison: RevisionComparison, table: TableComparison, thresholds: Thresholds, explained: Array, report: Report
) -> None:
    removed = table.matching.old_rows[table.kinds == ChangeKind.REMOVED]
    rows = np.setdiff1d(removed, explained)
    if not len(rows):
        return
    runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    ends = _ends(table.old.table)
    names = row_names(comparison.kind, table.table, tuple(table.old.table.column_names))
    least, single = thresholds.vanished_run or 0, []
    for run in runs:
        if not ends.isdisjoint(run.tolist()) and not _is_whole_file(table, run):
            _add_truncated(table, names.fixed, run, report)
        elif len(run) >= least > 0:
            _add_range(table, names.fixed, run, report)
        elif names.last_days:
            single += run.tolist()
    _add_single(table, names.key, single, report)


def _add_single(table: TableComparison, key: tuple[str, ...], rows: list[int], report: Report) -> None:
    room = report.room("CE305")
    for row in rows[:room]:
        place, about = _describe(table, key, row)
        what = f"row {place[1]} of the edition before is gone: {about}"
        mend = "a row is closed by a last day, never taken out: restore it as published"
        report.add("CE305", place, what, mend, subject=about)
    if rows[room:]:
        report.count("CE305", len(rows) - room, _describe(table, key, rows[room])[0])


def _check_last_rows(table: TableComparison, report: Report) -> None:
    """A file may be cut within the last word of its last row, which then looks like any other word."""
    if not len(table.new.table) or not {_WORDS, "source", "source_row"} <= set(table.new.table.column_names):
        return
    positions = table.select((ChangeKind.ADDED, ChangeKind.CHANGED))
    positions = positions[np.isin(table.matching.new_rows[positions], list(_ends(table.new.table)))]
    if not len(positions):
        return
    known = [word for word in table.old.table[_WORDS].unique().to_pylist() if word]
    for change in table.rows(positions):
        word = dict(change.after).get(_WORDS)
        whole = [one for one in known if word is not None and one.startswith(word)]
        if whole and word not in known:
            what = (
                f"row {change.new_source_row} ({say_key(change)}), the last of its file, breaks off within its {_WORDS}: "
                f"{word!r}, where other rows have {whole[0]!r}"
            )
            report.add("CE304", place_of_change(change), what, _CUT, subject=say_key(change))


def _ends(rows: pa.Table) -> set[int]:
    """The row that stands last in each file of a table."""
    sources = np.asarray(rows["source"].to_numpy()).astype(np.int64)
    records = np.asarray(rows["source_row"].to_numpy()).astype(np.int64)
    files = (np.flatnonzero(sources == source) for source in np.unique(sources))
    return {int(file[records[file].argmax()]) for file in files}


def _is_whole_file(table: TableComparison, run: Array) -> bool:
    """Whether every row of the old table's file is gone."""
    sources = table.old.table["source"].to_numpy()
    return int((sources == sources[run[0]]).sum()) <= len(run) and len(table.old.sources) > 1


def _describe(table: TableComparison, key: tuple[str, ...], row: int) -> tuple[tuple[str, int, int], str]:
    """Where a row of the old table stands, and its key in words."""
    cells = table.old.table.slice(row, 1).to_pylist()[0]
    source = int(cells["source"])
    file = table.old.sources[source].file if source < len(table.old.sources) else table.table
    about = ", ".join(f"{name} {cells[name]}" for name in key if cells[name] not in (None, ""))
    return (file, int(cells["source_row"]), 1), about


def _span(table: TableComparison, fixed: tuple[str, ...], run: Array) -> tuple[tuple[str, int, int], str]:
    place, _ = _describe(table, fixed, int(run[0]))
    names = [name for name in fixed if name != "column_2"] or list(fixed)
    first, last = (table.old.table.slice(int(run[i]), 1).to_pylist()[0] for i in (0, -1))
    ends = [" ".join(str(cells[name]) for name in names) for cells in (first, last)]
    label = names[0].replace("_", " ")
    return place, f"{label} {ends[0]}" if ends[0] == ends[1] else f"{label} {ends[0]} to {ends[1]}"


def _add_truncated(table: TableComparison, fixed: tuple[str, ...], run: Array, report: Report) -> None:
    place, span = _span(table, fixed, run)
    rows = f"the last {len(run):,} rows" if len(run) > 1 else "the last row"
    gone = "are gone" if len(run) > 1 else "is gone"
    what = f"{rows} of {place[0]} of the edition before {gone}, from row {place[1]} on ({span})"
    report.add("CE304", place, what, _CUT, subject=span)


def _add_range(table: TableComparison, fixed: tuple[str, ...], run: Array, report: Report) -> None:
    place, span = _span(table, fixed, run)
    what = (
        f"{len(run):,} neighbouring rows of the edition before are gone, from row {place[1]} of {place[0]} on ({span})"
    )
    mend = "a part of the table was lost: import all of its files together"
    report.add("CE303", place, what, mend, subject=span)


def _check_retroactive(comparison: RevisionComparison, table: TableComparison, report: Report) -> None:
    assert comparison.old is not None and comparison.new is not None
    since = format_day(boundary(comparison.old.header, comparison.new.header))
    for change in table.rows(table.select(retroactive_only=True)[:MOST_READ]):
        what = f"{say_change(change)}: answers before {since} change"
        mend = "have it approved, and evaluate claims of those days again"
        report.add("CE312", place_of_change(change), what, mend, subject=say_key(change))


def say_key(change: RowChange) -> str:
    """The key of a row in words."""
    return " ".join(value for _, value in change.key if value)


def say_change(change: RowChange) -> str:
    """What became of a row, in words."""
    key = ", ".join(f"{name} {value}" for name, value in change.key if value)
    if change.kind is ChangeKind.ADDED:
        return f"row {change.new_source_row} is new ({key})"
    if change.kind is ChangeKind.REMOVED:
        return f"row {change.old_source_row} of the edition before is gone ({key})"
    before = dict(change.before)
    cells = ", ".join(f"{name} {before[name] or 'none'} is now {value or 'none'}" for name, value in change.after)
    return f"row {change.new_source_row} ({key}): {cells}"


def place_of_change(change: RowChange) -> tuple[str, int, int]:
    """Where a row stands: in the new edition, or, where it is gone, in the old one."""
    if change.kind is ChangeKind.REMOVED:
        return change.old_source_file, change.old_source_row, 1
    return change.new_source_file, change.new_source_row, 1
