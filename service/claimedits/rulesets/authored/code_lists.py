"""Code lists beside rules: ``lists/NAME.csv`` with the columns ``first,last,effective_from,effective_to,source``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from claimedits.model.dates import parse_day
from claimedits.model.problems import Problem
from claimedits.rulesets.windows import Window, read_window

COLUMNS = ("first", "last", "effective_from", "effective_to", "source")
MOST_BYTES = 5_000_000
"""A larger CSV is a table of a publisher and belongs to an importer."""


class ListRow(NamedTuple):
    """Codes from ``first`` to ``last``, both inclusive, on the days from ``effective_from`` to ``effective_to``."""

    list_name: str
    first: str
    last: str
    effective_from: str
    effective_to: str
    authority: str
    row: int


class CodeList:
    """One list, opened: which codes it holds on which days."""

    def __init__(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        self._exact: dict[str, list[Window[str]]] = {}
        self._ranges: list[tuple[str, str, Window[str]]] = []
        for first, last, effective_from, effective_to in rows:
            window = read_window(effective_from, effective_to, first)
            if first == last:
                self._exact.setdefault(first, []).append(window)
            else:
                self._ranges.append((first, last, window))
        self._windows: dict[str, tuple[Window[str], ...]] = {}

    def windows(self, code: str) -> tuple[Window[str], ...]:
        """The windows of a code; empty = the list never holds it."""
        found = self._windows.get(code)
        if found is None:
            ranges = (
                w for first, last, w in self._ranges if len(code) == len(first) and stands_between(code, first, last)
            )
            found = (*self._exact.get(code, ()), *ranges)
            if len(self._windows) >= 65_536:  # codes are the caller's: bounded
                self._windows.clear()
            self._windows[code] = found
        return found

    def holds(self, code: str, day: int) -> bool:
        """Whether the list holds ``code`` on ``day``."""
        return any(window.covers(day) for window in self.windows(code))

    def turns(self) -> set[int]:
        """Days on which some row begins to hold, or holds no more."""
        windows = (*(w for listed in self._exact.values() for w in listed), *(w for _, _, w in self._ranges))
        return {day for w in windows for day in (w.effective_from, w.effective_to + 1)}

    @property
    def exact_codes(self) -> frozenset[str] | None:
        """Every code the list ever holds; None where it has ranges."""
        return None if self._ranges else frozenset(self._exact)


def stands_between(code: str, first: str, last: str) -> bool:
    """Whether a code lies in a range of codes of its own form: digits where the ends have digits, their shared letters."""
    if len(code) != len(first) or not first <= code <= last:
        return False
    return all(
        c.isdigit() if a.isdigit() else not c.isdigit() and (a != b or c == a)
        for a, b, c in zip(first, last, code, strict=True)
    )


def read_list(name: str, file: str, content: bytes, problems: list[Problem]) -> list[ListRow]:
    """The rows of one CSV list; what is wrong goes to ``problems`` as ``file:row:column``. A byte-order mark is accepted."""
    if len(content) > MOST_BYTES:
        problems.append(
            Problem(f"{file}:1:1", f"has {len(content)} bytes; a code list has at most {MOST_BYTES}", "split the list")
        )
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        problems.append(
            Problem(f"{file}:{row}:1", "is not UTF-8", "save the file as UTF-8 (CSV UTF-8 in a spreadsheet)")
        )
        return []
    if "\0" in text:
        problems.append(
            Problem(
                f"{file}:{text[: text.index(chr(0))].count(chr(10)) + 1}:1",
                "holds a NUL byte",
                "save it again as CSV UTF-8",
            )
        )
        return []
    return list(_rows(name, file, text, problems))


def _rows(name: str, file: str, text: str, problems: list[Problem]) -> Iterator[ListRow]:
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    seen: dict[tuple[str, str, str], int] = {}
    try:
        header = [cell.strip() for cell in next(records, [])]
        if tuple(header) != COLUMNS:
            problems.append(_header_problem(file, header))
            return
        for cells in records:
            if not any(cell.strip() for cell in cells):
                continue
            row = records.line_num
            if len(cells) != len(COLUMNS):
                problems.append(
                    Problem(
                        f"{file}:{row}:1",
                        f"has {len(cells)} cells, not {len(COLUMNS)}",
                        "put a cell that holds a comma in quotes",
                    )
                )
                continue
            first, last, starts, ends, source = (cell.strip() for cell in cells)
            last = last or first
            if _check(file, row, (first, last, starts, ends, source), problems):
                key = (first, last, starts)
                if key in seen:
                    problems.append(
                        Problem(
                            f"{file}:{row}:1",
                            f"says again what row {seen[key]} says",
                            "leave one of the two rows",
                            "duplicate-row",
                        )
                    )
                seen.setdefault(key, row)
                yield ListRow(name, first, last, starts, ends, source, row)
        if not seen and not problems:
            problems.append(Problem(f"{file}:1:1", "holds no codes", "add a row, or remove the list", "empty-list"))
    except csv.Error as error:
        problems.append(Problem(f"{file}:{records.line_num}:1", f"is not CSV: {error}", "mend the quotes of that row"))


def _header_problem(file: str, header: list[str]) -> Problem:
    for delimiter, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and delimiter in header[0]:
            return Problem(f"{file}:1:1", f"separates its columns by {word}", "save it with commas")
    return Problem(
        f"{file}:1:1", f"has the columns {', '.join(header) or '(none)'}", f"the first row is {','.join(COLUMNS)}"
    )


def _check(file: str, row: int, cells: tuple[str, ...], problems: list[Problem]) -> bool:
    first, last, starts, ends, source = cells
    before = len(problems)
    for column, (title, code) in enumerate((("first", first), *((("last", last),) if last != first else ())), 1):
        if not code or not (code.isascii() and code.isalnum() and code == code.upper()):
            problems.append(
                Problem(
                    f"{file}:{row}:{column}",
                    f"{title} is not a code",
                    "write digits and capital letters, such as G0463",
                )
            )
    if first and len(first) < 5 and first.isdigit() and len(first) > 2:
        problems.append(
            Problem(
                f"{file}:{row}:1",
                f"{first} has lost a leading zero",
                f"write {first.zfill(5)}; format the column as text before saving",
            )
        )
    elif len(problems) == before and (len(first) != len(last) or first > last):
        problems.append(
            Problem(
                f"{file}:{row}:2",
                f"{first} to {last} is not a range",
                "first and last have the same form, the smaller first",
                "reversed-range",
            )
        )
    for column, (title, date) in enumerate((("effective_from", starts), ("effective_to", ends)), 3):
        try:
            parse_day(date or "1900-01-01")
        except ValueError:
            problems.append(
                Problem(
                    f"{file}:{row}:{column}", f"{title} is not a date", "write it like 2024-07-01, or leave it empty"
                )
            )
    if len(problems) == before and starts and ends and ends < starts:
        what = "effective_to lies before effective_from"
        problems.append(Problem(f"{file}:{row}:4", what, "the last day is inclusive", "reversed-dates"))
    if not source:
        mend = "say where the codes come from"
        problems.append(Problem(f"{file}:{row}:5", "names no source", mend, "missing-citation"))
    return len(problems) == before


def open_lists(rows: Iterable[Mapping[str, str]]) -> dict[str, CodeList]:
    """Lists by name from rows of the revision's table."""
    grouped: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in rows:
        grouped.setdefault(row["list"], []).append(
            (row["first"], row["last"], row["effective_from"], row["effective_to"])
        )
    return {name: CodeList(windows) for name, windows in grouped.items()}
