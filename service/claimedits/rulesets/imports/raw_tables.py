"""A publisher's table as text columns, each row with its record number; columns found by name (file-formats.md §0)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
from python_calamine import CalamineWorkbook

from claimedits.model.problems import Problem
from claimedits.rulesets.sources.files import Content, SourceFile, refuse

HEADER_WITHIN = 80
"""A header that does not stand in the first records is none (file-formats.md §0, rule 2)."""
NUMERIC = "\x01"
"""Marks a cell that a workbook holds as a number where text is due: its leading zeros are lost."""
_CODE = re.compile(r"[0-9A-Za-z]{5}")
Names = Mapping[str, re.Pattern[str]]
"""Field → pattern that its column's name matches, after collapsing blanks and lowering the case."""


@dataclass(slots=True)
class RawTable:
    """Text columns of equal length."""

    file: SourceFile
    content: Content
    columns: dict[str, pa.Array]
    """By field; cells are trimmed."""
    records: npt.NDArray[np.int64]
    """1-based record number of each row in the file."""
    total_records: int
    odd: list[Problem] = field(default_factory=list)
    """Rows that do not have the header's columns: left out, to be counted as rejected."""

    def __len__(self) -> int:
        return len(self.records)


def read_raw(file: SourceFile, content: Content, names: Names, numbers: frozenset[str] = frozenset()) -> RawTable:
    """Read a tab-delimited text, a CSV or a workbook.

    Args:
        names: the fields wanted; every one of them must have a column.
        numbers: fields whose cells may be numbers in a workbook; in all others a number is marked ``NUMERIC``.

    Raises:
        ImportRefusedError: no header, or a field without a column: not a table of this family.
    """
    if file.is_workbook:
        return _from_records(file, content, _workbook_records(file, content), names, numbers)
    if b"\t" in content.data[:65536]:
        return _from_tabs(file, content, names)
    text = content.data.decode("utf-8")
    records = list(csv.reader(io.StringIO(text, newline="")))
    return _from_records(file, content, records, names, frozenset())


def _workbook_records(file: SourceFile, content: Content) -> list[list[Any]]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content.data))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except Exception as error:  # the library raises many kinds for a broken workbook
        raise refuse(
            file.where, "the workbook cannot be read", "download it again, or save it as XLSX", "E_WORKBOOK"
        ) from error


def _from_records(
    file: SourceFile, content: Content, records: Sequence[Sequence[Any]], names: Names, numbers: frozenset[str]
) -> RawTable:
    start, places, width = _find_header(file, records[:HEADER_WITHIN], names)
    last = _last_data_record(records)
    rows: list[Sequence[Any]] = []
    numbered: list[int] = []
    odd: list[Problem] = []
    for number, record in enumerate(records[start:last], start + 1):
        if len([cell for cell in record if _text(cell)]) == 0:
            odd.append(Problem(f"{file.name}:{number}", "is a blank row within the data", "remove it", "E_BLANK_ROW"))
        elif len(record) < width:
            odd.append(_columns_problem(file, number, len(record), width))
        else:
            rows.append(record)
            numbered.append(number)
    columns = {}
    for name, place in places.items():
        plain = name in numbers or not file.is_workbook
        columns[name] = pa.array([_text(row[place]) if plain else _typed(row[place]) for row in rows], pa.string())
    return RawTable(file, content, columns, np.array(numbered, dtype=np.int64), len(records), odd)


def _columns_problem(file: SourceFile, number: int, found: int, width: int) -> Problem:
    return Problem(
        f"{file.name}:{number}", f"has {found} cells, the header has {width}", "restore the missing cell", "E_COLUMNS"
    )


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _typed(cell: Any) -> str:
    return NUMERIC + _text(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else _text(cell)


def _last_data_record(records: Sequence[Sequence[Any]]) -> int:
    """Records up to the last that is neither blank nor a note."""
    last = len(records)
    while last and (
        not any(_text(c) for c in records[last - 1]) or _text(records[last - 1][0]).upper().startswith("NOTE")
    ):
        last -= 1
    return last


def _find_header(file: SourceFile, head: Sequence[Sequence[Any]], names: Names) -> tuple[int, dict[str, int], int]:
    """(records before the data, field → column, width). A header may be stacked over several records."""
    for first, record in enumerate(head):
        if len([cell for cell in record if _text(cell)]) < 2:
            continue
        stack = [record]
        for following in head[first + 1 :]:
            if not following or _CODE.fullmatch(_text(following[0])) or _text(following[0]).isdigit():
                break
            if _text(following[0]) and len(stack) == 1 and _places(file, stack, names, final=False):
                break
            stack.append(following)
        places = _places(file, stack, names, final=False)
        if places:
            return first + len(stack), places, len(record)
    raise _not_this_table(file, names, head)


def _places(file: SourceFile, stack: Sequence[Sequence[Any]], names: Names, final: bool) -> dict[str, int] | None:
    width = max(map(len, stack))
    titles = [
        re.sub(r"\s+", " ", " ".join(_text(row[i]) for row in stack if i < len(row) and _text(row[i]))).strip().lower()
        for i in range(width)
    ]
    places = {}
    for name, pattern in names.items():
        found = [i for i, title in enumerate(titles) if pattern.search(title)]
        if len(found) != 1:
            return None
        places[name] = found[0]
    return places


def _not_this_table(file: SourceFile, names: Names, head: Sequence[Sequence[Any]]) -> Exception:
    words = " ".join(_text(cell) for record in head for cell in record).lower()
    guess = ""
    if "column1/column2" in words or "column 1" in words and "column 2" in words:
        guess = "this looks like a PTP table: run import ptp"
    elif "mue value" in words:
        guess = "this looks like an MUE table: run import mue"
    elif "add-on_code" in words or "aoc_edit" in words:
        guess = "this looks like an add-on code table: run import aoc"
    wanted = ", ".join(names)
    what = f"no header with the columns {wanted} stands in the first {HEADER_WITHIN} records"
    return refuse(file.where, what, guess or "give the publisher's table of this family", "E_NO_HEADER")


def _from_tabs(file: SourceFile, content: Content, names: Names) -> RawTable:
    """Millions of tab-delimited rows, by the native reader."""
    lines = content.data[: 1 << 20].split(b"\n", HEADER_WITHIN)
    head = [line.decode("utf-8").rstrip("\r").split("\t") for line in lines[:HEADER_WITHIN]]
    start, places, width = _find_header(file, head, names)
    offset = sum(len(line) + 1 for line in lines[:start])
    body = memoryview(content.data)[offset:]
    odd_rows: list[tuple[int, int]] = []

    def keep_odd(row: Any) -> str:
        odd_rows.append((row.number, row.actual_columns))
        return "skip"

    columns = [f"c{i}" for i in range(width)]
    if not len(body):
        empty: dict[str, pa.Array] = {name: pa.array([], pa.string()) for name in places}
        return RawTable(file, content, empty, np.zeros(0, np.int64), start)
    wanted = [columns[place] for place in places.values()]
    table = pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(body)),
        pa_csv.ReadOptions(column_names=columns, use_threads=False, block_size=8 << 20),
        pa_csv.ParseOptions(
            delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False, invalid_row_handler=keep_odd
        ),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )
    rows = len(table) + len(odd_rows)
    kept = np.ones(rows, dtype=bool)
    kept[[number - 1 for number, _ in odd_rows]] = False
    records = start + 1 + np.nonzero(kept)[0]
    last = int(records[-1]) if len(records) else start
    odd = [
        Problem(f"{file.name}:{start + number}", "is a blank row within the data", "remove it", "E_BLANK_ROW")
        if found <= 1
        else _columns_problem(file, start + number, found, width)
        for number, found in odd_rows
        if found > 1 or start + number < last
    ]
    read = {name: table[columns[place]].combine_chunks() for name, place in places.items()}
    return RawTable(file, content, read, records, start + rows, odd)
