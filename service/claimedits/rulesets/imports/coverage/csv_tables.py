"""CSV members of an export as rows by column name, with the record number of each (file-formats.md §0)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from claimedits.model.dates import Day, parse_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.revision import Source
from claimedits.rulesets.sources.files import Limits, SourceFile, source_of

LARGEST_CELL = 16 << 20
"""Bytes of one cell: the HTML of a determination may be long, not endless."""


@dataclass
class Ledger:
    """What became of every row read, over all tables of an import."""

    sources: list[Source] = field(default_factory=list)
    read: int = 0
    kept: int = 0
    rejects: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows left out on purpose, counted by reason."""

    def reject(self, where: str, what: str, mend: str, code: str) -> None:
        self.rejects.append(Problem(where, what, mend, code))

    def warn(self, where: str, what: str, mend: str = "", code: str = "") -> None:
        self.warnings.append(Problem(where, what, mend, code))

    def drop(self, reason: str, rows: int = 1) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + rows


@dataclass(frozen=True)
class Row:
    """One record: its cells by the names asked for."""

    file: str
    source: int
    number: int
    """1-based record number in the file, the header counted."""
    cells: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.file}:{self.number}"

    @property
    def place(self) -> tuple[int, int]:
        return self.source, self.number


class CsvTable:
    """One table: its columns found by name, read as a stream of records."""

    def __init__(self, file: SourceFile, limits: Limits, ledger: Ledger) -> None:
        content = file.read(limits)
        csv.field_size_limit(LARGEST_CELL)
        self.name = file.name
        try:
            self._records = list(csv.reader(io.StringIO(content.data.decode("utf-8"), newline=""), strict=True))
        except csv.Error as error:
            raise ImportRefusedError(
                [Problem(file.name, f"is not CSV: {error}", "download it again", "E_CSV")]
            ) from None
        self._ledger = ledger
        self._source = len(ledger.sources)
        ledger.sources.append(source_of(file, content, len(self._records)))
        header = self._records[0] if self._records else []
        self.columns = [" ".join(cell.lower().split()) for cell in header]

    def peek(self, needed: Sequence[str]) -> Iterator[Row]:
        """Rows of full length without counting them: a first look before they are read."""
        at = [self.columns.index(name) for name in needed if name in self.columns]
        for number, record in enumerate(self._records[1:], 2):
            if len(record) == len(self.columns) and len(at) == len(needed):
                yield Row(self.name, self._source, number, tuple(record[i].strip() for i in at))

    def find_faults(self, needed: Sequence[str], optional: Sequence[str] = ()) -> list[Problem]:
        """What keeps the table from being read: its header, and records of another length than it has."""
        where = f"{self.name}:1"
        missing = [name for name in needed if name not in self.columns]
        if missing:
            mend = "give the export as published, with its header"
            return [Problem(where, f"has no column {', '.join(missing)}", mend, "E_COLUMN_MISSING")]
        problems = [
            Problem(where, f"has the column {name} more than once", "keep one of them", "E_COLUMN_TWICE")
            for name in (*needed, *optional)
            if self.columns.count(name) > 1
        ]
        width, last = len(self.columns), len(self._records)
        for number, record in enumerate(self._records[1 : last - 1], 2):
            if any(record) and len(record) != width:
                what = f"has {len(record)} cells where the header has {width}"
                problems.append(Problem(f"{self.name}:{number}", what, "download it again", "E_CELLS"))
        return problems

    def rows(self, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Row]:
        """Rows with the cells of ``needed``, then of ``optional`` (empty where the export lacks the column).

        Raises:
            ImportRefusedError: a needed column is missing or stands twice, or records have more or fewer cells than the
                header, but for a last one that is cut short.
        """
        problems = self.find_faults(needed, optional)
        if problems:
            raise ImportRefusedError(problems, "nothing was kept")
        at = [self.columns.index(name) if name in self.columns else -1 for name in (*needed, *optional)]
        for number, record in enumerate(self._records[1:], 2):
            if not any(record):
                continue
            self._ledger.read += 1
            if len(record) != len(self.columns):
                what = f"has {len(record)} cells where the header has {len(self.columns)}"
                self._ledger.reject(f"{self.name}:{number}", what, "the last record is cut short", "E_CELLS")
                continue
            yield Row(self.name, self._source, number, tuple(record[i].strip() if i >= 0 else "" for i in at))


def read_date(text: str) -> Day | None:
    """``2026-04-01 00:00:00.000`` or ``08/14/2025`` as a day; empty and ``N/A`` are None.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    if not text or text.upper() == "N/A":
        return None
    if len(text) == 10 and text[2] == text[5] == "/":
        text = f"{text[6:]}-{text[:2]}-{text[3:5]}"
    return parse_day(text[:10])


def read_dates(row: Row, dates: Mapping[str, str], ledger: Ledger) -> list[Day | None] | None:
    """Several dates of a row, by the names of their columns; None, and a reject, where one is malformed."""
    days: list[Day | None] = []
    bad = []
    for column, text in dates.items():
        try:
            days.append(read_date(text))
        except ValueError:
            bad.append(column)
    if bad:
        also = f" (also wrong: {', '.join(bad[1:])})" if len(bad) > 1 else ""
        what = f"is no date of the calendar{also}"
        ledger.reject(f"{row.where}:{bad[0]}", what, "restore the date as published", "E_DATE")
        return None
    return days
