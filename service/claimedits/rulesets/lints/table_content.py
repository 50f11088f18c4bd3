"""Lints of the rows of a revision in themselves: keys that stand twice, windows, directions, codes.

What the edition before held already is not said again: with a comparison at hand, only rows that differ are spoken of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import FOREVER, format_day
from claimedits.rulesets.comparison.revisions import RevisionComparison
from claimedits.rulesets.comparison.row_matching import Array
from claimedits.rulesets.comparison.row_names import row_names
from claimedits.rulesets.lints.code_books import DIAGNOSIS, PROCEDURE, Books, CodeBook, Known
from claimedits.rulesets.lints.pair_windows import PairWindows
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.revision import RevisionHeader, RevisionInfo

_CODES: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("ptp", "edits"): (("column_1", PROCEDURE), ("column_2", PROCEDURE)),
    ("mue", "values"): (("procedure_code", PROCEDURE),),
    ("aoc", "edits"): (("add_on_code", PROCEDURE), ("primary_code", PROCEDURE)),
    ("pfs", "indicators"): (("procedure_code", PROCEDURE),),
    ("coverage", "procedure_codes"): (("procedure_code", PROCEDURE),),
    ("coverage", "diagnoses"): (("icd10_code", DIAGNOSIS),),
}
"""Columns of codes that are held against the code lists of the store."""
_PLACEHOLDERS = frozenset(("CCCCC",))
"""Words in a column of codes that are none: primaries that the contractor defines."""
_SHOWN = 10
_SOURCE, _ROW = "source", "source_row"


def check_content(
    new: tuple[RevisionInfo, Mapping[str, pa.Table]],
    comparison: RevisionComparison | None,
    books: Books,
    report: Report,
) -> None:
    """Everything odd in the rows of a revision, whatever the edition before says."""
    header, tables = new[0].header, new[1]
    for name, table in tables.items():
        changed = None
        if comparison is not None and header.kind != "authored":
            rows = comparison.table(name).matching.new_rows
            changed = rows[rows >= 0]
        if header.kind == "ptp":
            _check_pairs(header, table, changed, report)
        else:
            _check_keys(header, name, table, report)
        _check_windows(header, table, report)
        _check_codes(header, name, table, books, report)


def _place(header: RevisionHeader, table: pa.Table, row: int) -> tuple[str, int, int]:
    source = table[_SOURCE][row].as_py() if _SOURCE in table.column_names else 0
    file = header.sources[source].file if source < len(header.sources) else header.rule_set
    return file, (int(table[_ROW][row].as_py()) if _ROW in table.column_names else 0), 1


_PARTS = ("procedure_codes", "diagnoses", "asterisks")
"""Columns that say of which part of a group a curated role is: a group may have several."""


def _check_keys(header: RevisionHeader, name: str, table: pa.Table, report: Report) -> None:
    key = [
        column for column in row_names(header.kind, name, tuple(table.column_names)).key if column in table.column_names
    ]
    key += [column for column in _PARTS if name == "roles" and column in table.column_names]
    if not key or not table.num_rows or _ROW not in table.column_names:
        return
    plain = table.select(key)
    for i, column in enumerate(key):
        if pa.types.is_dictionary(plain.schema.field(column).type):
            plain = plain.set_column(i, column, plain[column].cast(pa.string()))
    numbered = plain.append_column("row", pa.array(np.arange(table.num_rows)))
    groups = numbered.group_by(key).aggregate([("row", "count"), ("row", "min"), ("row", "max")])
    twice = groups.filter(pc.greater(groups["row_count"], 1))
    for group in twice.sort_by("row_min").to_pylist():
        first, last = _place(header, table, group["row_min"]), _place(header, table, group["row_max"])
        about = ", ".join(f"{column} {group[column]}" for column in key if group[column] not in (None, ""))
        what = f"rows {first[1]} and {last[1]} are both about {about}"
        report.add("CE306", last, what, "leave one of the two rows", subject=about)


def _check_windows(header: RevisionHeader, table: pa.Table, report: Report) -> None:
    if not {"effective_from", "effective_to"} <= set(table.column_names):
        return
    if not pa.types.is_date(table.schema.field("effective_from").type):
        return
    wrong = pc.fill_null(pc.less(table["effective_to"], table["effective_from"]), False)
    for row in np.flatnonzero(wrong.to_numpy()).tolist():
        place = _place(header, table, row)
        first, last = (table[name][row].as_py().isoformat() for name in ("effective_from", "effective_to"))
        what = f"row {place[1]} ends on {last}, before it begins ({first})"
        report.add("CE307", place, what, "restore the dates as published", subject=f"{place[0]} {first} {last}")


def _check_pairs(header: RevisionHeader, table: pa.Table, changed: Array | None, report: Report) -> None:
    windows = PairWindows(table)
    for row, other in windows.opposites(changed):
        place, where = _place(header, table, row), _place(header, table, other)
        one, two = windows.pair(row)
        what = f"row {place[1]} (column 1 {one}, column 2 {two}) and {where[0]}:{where[1]}, its opposite, are active on the same days"
        mend = "close one direction on the day before the other begins"
        report.add("CE402", place, what, mend, rule=_rule(report, one, two))
    for other, row in windows.overlaps(changed):
        place, where = _place(header, table, row), _place(header, table, other)
        one, two = windows.pair(row)
        what = (
            f"row {place[1]} (column 1 {one}, column 2 {two}) overlaps {where[0]}:{where[1]}, a window of the same pair"
        )
        mend = "close the earlier window on the day before the later begins"
        report.add("CE308", place, what, mend, rule=_rule(report, one, two))
    if changed is None:
        for row, what in windows.off_quarter():
            place = _place(header, table, row)
            one, two = windows.pair(row)
            report.add(
                "CE406", place, f"row {place[1]} (column 1 {one}, column 2 {two}): {what}", "compare with the published table",
                rule=_rule(report, one, two),
            )  # fmt: skip


def _rule(report: Report, one: str, two: str) -> str:
    return f"{report.rule_set}/{'+'.join(sorted((one, two)))}"


def _check_codes(header: RevisionHeader, name: str, table: pa.Table, books: Books, report: Report) -> None:
    span = (header.effective_from, header.effective_to)
    unknown: dict[str, int] = {}
    ended: dict[str, tuple[int, int]] = {}
    for column, kind in _CODES.get((header.kind, name), ()):
        book = books.get(kind, CodeBook(kind))
        if not book.spans:
            continue
        for code, row in _open_codes(table, column, span[0]):
            known, end = book.judge(code, code, span)
            if code in _PLACEHOLDERS:
                continue
            if known is Known.UNKNOWN:
                unknown.setdefault(code, row)
            elif known is Known.ENDED:
                ended.setdefault(code, (row, end))
    for lint_id, rows, what, mend in (
        (
            "CE313",
            list(unknown.items()),
            "are on no list",
            "load the newest list of codes, or compare with the published table",
        ),
        (
            "CE314",
            [(code, row) for code, (row, _) in ended.items()],
            "ended before this edition",
            "compare with the published table",
        ),
    ):
        _add_codes(header, table, (lint_id, what, mend), rows, ended, report)


def _add_codes(
    header: RevisionHeader,
    table: pa.Table,
    lint: tuple[str, str, str],
    rows: Sequence[tuple[str, int]],
    ended: Mapping[str, tuple[int, int]],
    report: Report,
) -> None:
    if not rows:
        return
    ordered = sorted(rows)
    shown = [f"{code} ({format_day(ended[code][1])})" if code in ended else code for code, _ in ordered[:_SHOWN]]
    more = f" and {len(ordered) - _SHOWN:,} more" if len(ordered) > _SHOWN else ""
    lint_id, what, mend = lint
    place = _place(header, table, ordered[0][1])
    others = " and others" if len(ordered) > 1 else ""
    said = f"row {place[1]}{others}: codes of open rows that {what}: {', '.join(shown)}{more} ({len(ordered):,})"
    report.add(lint_id, place, said, mend, subject=what)


def _open_codes(table: pa.Table, column: str, day: int) -> list[tuple[str, int]]:
    """Each code of a column that some row names which is in force on a day or later, with the first such row."""
    keep = np.ones(table.num_rows, dtype=bool)
    if "effective_to" in table.column_names and pa.types.is_date(table.schema.field("effective_to").type):
        last = pc.fill_null(table["effective_to"].cast(pa.int32()), FOREVER).to_numpy()
        keep &= last >= day
    if "modifier_indicator" in table.column_names:
        keep &= table["modifier_indicator"].to_numpy() != 9
    rows = np.flatnonzero(keep)
    codes = table[column].take(pa.array(rows))
    if not pa.types.is_dictionary(codes.type):
        codes = codes.dictionary_encode()
    array = codes.unify_dictionaries().combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) and array.num_chunks else array
    if isinstance(array, pa.ChunkedArray):
        return []
    at, first = np.unique(np.asarray(array.indices), return_index=True)
    words = array.dictionary.to_pylist()
    return [(words[i], int(rows[j])) for i, j in zip(at.tolist(), first.tolist(), strict=True)]
