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
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from python_calamine import CalamineWorkbook

from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.imports.recognition import recognise
from claimedits.rulesets.sources.files import Content, SourceFile, refuse

HEADER_WITHIN = 80
"""A header that does not stand in the first records is none (file-formats.md §0, rule 2)."""
NUMERIC = "\x01"
"""Marks a cell that a workbook holds as a number where text is due: its leading zeros are lost."""
MOST_LISTED = 100_000
"""Rejected rows that are listed one by one; more of them stop any import."""
_CODE_OR_NUMBER = re.compile(r"(?=.*\d)[0-9A-Za-z]{5}|\d+")
"""Tells data from a header, whose titles are words: HCPCS is one."""
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


def read_raw(
    file: SourceFile, content: Content, names: Names, numbers: frozenset[str] = frozenset(), family: str = ""
) -> RawTable:
    """Read a tab-delimited text, a CSV (by its suffix, or a text without tabs) or a workbook (its first sheet).

    Args:
        names: the fields wanted; every one of them must have a column.
        numbers: fields whose cells may be numbers in a workbook; in all others a number is marked ``NUMERIC``.
        family: what was asked for, so that a message never sends anybody back to it.

    Raises:
        ImportRefusedError: no header, or a field without a column: not a table of this family.
    """
    if file.is_workbook:
        return _from_records(file, content, _workbook_records(file, content), names, numbers, family)
    if not file.name.lower().endswith(".csv") and b"\t" in content.data[:65536]:
        return _from_tabs(file, content, names, family)
    return _from_records(file, content, _csv_records(file, content), names, frozenset(), family)


def head_of(file: SourceFile) -> str:
    """The first records as text, to see what a file is that no importer knew; empty for a workbook."""
    if file.is_workbook:
        return ""
    with file.open() as stream:
        return stream.read(4096).decode("utf-8", "replace")


def _csv_records(file: SourceFile, content: Content) -> list[list[str]]:
    """Records, not lines: a quoted cell may hold line ends. A quote that never ends would swallow rows: refused."""
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(content.data.decode("utf-8"), newline=""), strict=True):
            records.append(record)
    except csv.Error as error:
        what = "a quoted cell begins here and does not end as it should"
        raise refuse(f"{file.where}:{len(records) + 1}", what, "restore the quotes as published", "E_QUOTES") from error
    return records


def _workbook_records(file: SourceFile, content: Content) -> list[list[Any]]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content.data))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except Exception as error:  # the library raises many kinds for a broken workbook
        raise refuse(
            file.where, "the workbook cannot be read", "download it again, or save it as XLSX", "E_WORKBOOK"
        ) from error


def _from_records(
    file: SourceFile,
    content: Content,
    records: Sequence[Sequence[Any]],
    names: Names,
    numbers: frozenset[str],
    family: str,
) -> RawTable:
    start, places, width = _find_header(file, records[:HEADER_WITHIN], names, family)
    last = len(records)
    while last > start and _is_foot(records[last - 1], width):
        last -= 1
    rows: list[Sequence[Any]] = []
    numbered: list[int] = []
    raw = RawTable(file, content, {}, np.zeros(0, np.int64), len(records))
    for number, record in enumerate(records[start:last], start + 1):
        if not any(map(_text, record)):
            _leave_out(raw, number, 0, width)
        elif len(record) != width and not file.is_workbook:
            _leave_out(raw, number, len(record), width)
        else:
            rows.append(record)
            numbered.append(number)
    for name, place in places.items():
        plain = name in numbers or not file.is_workbook
        raw.columns[name] = pa.array([_text(row[place]) if plain else _typed(row[place]) for row in rows], pa.string())
    raw.records = np.array(numbered, dtype=np.int64)
    return raw


def _leave_out(raw: RawTable, record: int, cells: int, width: int) -> None:
    """A row that is blank (no cell) or has another number of cells than the header."""
    where = f"{raw.file.name}:{record}"
    if not cells:
        raw.odd.append(Problem(where, "is a blank row within the data", "remove it", "E_BLANK_ROW"))
    else:
        what = f"has {cells} cells, the header has {width}"
        raw.odd.append(Problem(where, what, "restore the row as published", "E_COLUMNS"))


def _is_foot(record: Sequence[Any], width: int) -> bool:
    """At the end of a file: a blank record, a note, a single sentence. A cut row is none of them."""
    cells = [text for cell in record if (text := _text(cell))]
    if not cells or cells[0].upper().startswith("NOTE"):
        return True
    return len(cells) == 1 < width and " " in cells[0] and cells[0] == _text(record[0])


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _typed(cell: Any) -> str:
    return NUMERIC + _text(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else _text(cell)


def _find_header(
    file: SourceFile, head: Sequence[Sequence[Any]], names: Names, family: str
) -> tuple[int, dict[str, int], int]:
    """(records before the data, field → column, width). A header may be stacked over several records.

    A record after the header is part of it only when its first cell is blank and no cell is a code or a number: a bad
    first row of data is never taken for one.
    """
    nearest: tuple[int, dict[str, list[int]]] | None = None
    for first, record in enumerate(head):
        if len([cell for cell in record if _text(cell)]) < 2:
            continue
        stack = [record]
        for following in head[first + 1 :]:
            cells = list(map(_text, following))
            if not any(cells) or any(map(_CODE_OR_NUMBER.fullmatch, cells)) or (cells[0] and _places(stack, names)):
                break
            stack.append(following)
        places = _places(stack, names)
        if places:
            return first + len(stack), places, len(record)
        for matches in (_matches([record], names), _matches(stack, names)):
            if nearest is None or _hits(matches) > _hits(nearest[1]):
                nearest = (first + 1, matches)
    guess = recognise(" ".join(_text(cell) for record in head for cell in record), asked=family)
    if nearest is not None and _hits(nearest[1]) * 2 >= len(names) + bool(guess):
        raise _bad_header(file, *nearest)
    raise _other_delimiter(file, names, head) or _not_this_table(file, names, guess)


def _matches(stack: Sequence[Sequence[Any]], names: Names) -> dict[str, list[int]]:
    """Field → the columns whose title its pattern matches."""
    width = max(map(len, stack))
    titles = [
        re.sub(r"\s+", " ", " ".join(_text(row[i]) for row in stack if i < len(row) and _text(row[i]))).strip().lower()
        for i in range(width)
    ]
    return {name: [i for i, title in enumerate(titles) if pattern.search(title)] for name, pattern in names.items()}


def _hits(matches: Mapping[str, list[int]]) -> int:
    return sum(bool(found) for found in matches.values())


def _places(stack: Sequence[Sequence[Any]], names: Names) -> dict[str, int] | None:
    matches = _matches(stack, names)
    return {name: found[0] for name, found in matches.items()} if all(len(m) == 1 for m in matches.values()) else None


def _bad_header(file: SourceFile, record: int, matches: Mapping[str, list[int]]) -> Exception:
    """A header of this family that lacks a column, or has one twice."""
    problems = []
    for name, found in matches.items():
        if not found:
            what, code = f"has no column {name}", "E_COLUMN_MISSING"
            problems.append(Problem(f"{file.name}:{record}", what, "restore the header as published", code))
        elif len(found) > 1:
            columns = " and ".join(str(i + 1) for i in found)
            what = f"has the column {name} more than once (columns {columns})"
            problems.append(Problem(f"{file.name}:{record}", what, "keep one of them", "E_COLUMN_TWICE"))
    return ImportRefusedError(problems, "nothing was kept")


def _other_delimiter(file: SourceFile, names: Names, head: Sequence[Sequence[Any]]) -> Exception | None:
    """A header of this family whose columns another character separates; None where there is none."""
    for number, record in enumerate(head, 1):
        line = ",".join(map(_text, record))
        for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if mark in line and _places([line.split(mark)], names):
                what = f"its columns are separated by {word}"
                return refuse(f"{file.name}:{number}", what, "save it as CSV with commas", "E_DELIMITER")
    return None


def _not_this_table(file: SourceFile, names: Names, guess: str) -> Exception:
    wanted = ", ".join(names)
    what = f"no header with the columns {wanted} stands in the first {HEADER_WITHIN} records"
    return refuse(file.where, what, guess or "give the publisher's table of this family", "E_NO_HEADER")


def _from_tabs(file: SourceFile, content: Content, names: Names, family: str) -> RawTable:
    """Millions of tab-delimited rows, by the native reader."""
    lines = content.data.split(b"\n", HEADER_WITHIN)
    head = [_cells(line) for line in lines[:HEADER_WITHIN]]
    start, places, width = _find_header(file, head, names, family)
    offset = sum(len(line) + 1 for line in lines[:start])
    del lines
    end, foot = _data_end(content.data, offset, width)
    raw = RawTable(file, content, {name: pa.array([], pa.string()) for name in places}, np.zeros(0, np.int64), start)
    raw.total_records += foot
    if offset >= end:
        return raw
    odd: list[int] = []

    def leave_out(row: Any) -> str:
        odd.append(row.number)
        if len(odd) <= MOST_LISTED:
            _leave_out(raw, start + row.number, row.actual_columns if row.text.strip() else 0, width)
        return "skip"

    columns = [f"c{i}" for i in range(width)]
    table = pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(memoryview(content.data)[offset:end])),
        pa_csv.ReadOptions(column_names=columns, use_threads=False, block_size=8 << 20),
        pa_csv.ParseOptions(
            delimiter="\t",
            quote_char=False,
            double_quote=False,
            ignore_empty_lines=False,
            invalid_row_handler=leave_out,
        ),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=[columns[place] for place in places.values()],
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )
    if len(odd) > MOST_LISTED:
        what = f"{len(odd):,} rows have other cells than the header, which has {width}"
        raise refuse(file.where, what, "give the table as published", "E_COLUMNS")
    rows = len(table) + len(odd)
    kept = np.ones(rows, dtype=bool)
    kept[[number - 1 for number in odd]] = False
    raw.records = start + 1 + np.nonzero(kept)[0]
    raw.total_records += rows
    raw.columns = {name: table[columns[place]].combine_chunks() for name, place in places.items()}
    _leave_out_blank_rows(raw)
    return raw


def _leave_out_blank_rows(raw: RawTable) -> None:
    """The native reader fills a blank line up with empty cells."""
    blank = np.ones(len(raw), dtype=bool)
    for column in raw.columns.values():
        blank &= pc.equal(column, "").to_numpy(zero_copy_only=False)
        if not blank.any():
            return
    if (rows := int(blank.sum())) > MOST_LISTED:
        raise refuse(
            raw.file.where, f"{rows:,} rows within the data are blank", "give the table as published", "E_BLANK_ROW"
        )
    for record in raw.records[blank]:
        _leave_out(raw, int(record), 0, 0)
    kept = pa.array(~blank)
    raw.columns = {name: column.filter(kept) for name, column in raw.columns.items()}
    raw.records = raw.records[~blank]


def _cells(line: bytes) -> list[str]:
    return line.decode("utf-8").rstrip("\r").split("\t")


def _data_end(data: bytes, offset: int, width: int) -> tuple[int, int]:
    """(bytes before the foot, records of the foot): blank lines and notes after the last row."""
    end, foot = len(data), 0
    while end > offset:
        start = data.rfind(b"\n", offset, end - 1 if data[end - 1 : end] == b"\n" else end) + 1 or offset
        if not _is_foot(_cells(data[start:end].rstrip(b"\r\n")), width):
            break
        end, foot = start, foot + 1
    return end, foot
