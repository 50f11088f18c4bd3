"""Checks columns of text value by value: each distinct value once, whatever the number of rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from claimedits.model.dates import FOREVER, day_of
from claimedits.model.problems import Problem
from claimedits.rulesets.imports.raw_tables import MOST_LISTED, NUMERIC, RawTable

Array = npt.NDArray[Any]
_CODE = re.compile(r"[0-9A-Z]{5}")


class BadCellError(ValueError):
    """A cell that cannot be read: what is wrong, how to mend it, and a code."""

    def __init__(self, what: str, mend: str, code: str) -> None:
        super().__init__(what)
        self.what, self.mend, self.code = what, mend, code


class Checker:
    """Reads the columns of one table, and remembers which rows have to be rejected."""

    def __init__(self, table: RawTable) -> None:
        self.table = table
        self.bad = np.zeros(len(table), dtype=bool)
        self._faults: dict[int, list[tuple[str, BadCellError]]] = {}

    @property
    def problems(self) -> list[Problem]:
        """One a rejected row, in the order of the rows; at most ``MOST_LISTED``."""
        listed = []
        for row, faults in sorted(self._faults.items()):
            (name, first), others = faults[0], [name for name, _ in faults[1:]]
            what = first.what + (f" (also wrong: {', '.join(others)})" if others else "")
            listed.append(Problem(self.where(row, name), what, first.mend, first.code))
        return listed

    def read(self, name: str, parse: Callable[[str], int], missing: int) -> Array:
        """A column of whole numbers; rows whose cell ``parse`` refuses get ``missing`` and are rejected."""
        encoded = self.table.columns[name].dictionary_encode()
        values = np.full(len(encoded.dictionary) + 1, missing, dtype=np.int64)
        refused: dict[int, BadCellError] = {}
        for i, text in enumerate(encoded.dictionary.to_pylist()):
            try:
                values[i] = parse(text.strip())
            except BadCellError as error:
                refused[i] = error
        indices = encoded.indices.to_numpy(zero_copy_only=False)
        if refused:
            self._refuse(name, indices, refused)
        read: Array = values[indices]
        return read

    def read_words(self, name: str, parse: Callable[[str], str]) -> tuple[list[str], Array]:
        """(distinct words in order, position of each row's word); refused cells get an empty word and are rejected."""
        words: list[str] = []

        def place(text: str) -> int:
            words.append(parse(text))
            return len(words) - 1

        found = self.read(name, place, -1)
        ordered = sorted({*words, ""})
        rank = {word: i for i, word in enumerate(ordered)}
        table = np.array([*(rank[word] for word in words), rank[""]], dtype=np.int64)
        return ordered, table[found]

    def reject(self, where: Array, name: str, what: str, mend: str, code: str) -> None:
        """Reject every row that ``where`` marks."""
        error = BadCellError(what, mend, code)
        self._list(((int(row), error) for row in np.nonzero(where & ~self.bad)[0]), name)
        self.bad |= where

    def where(self, row: int, name: str = "") -> str:
        """``file:record:column``."""
        place = f"{self.table.file.name}:{self.table.records[row]}"
        return f"{place}:{name}" if name else place

    def _refuse(self, name: str, indices: Array, refused: dict[int, BadCellError]) -> None:
        rows = np.nonzero(np.isin(indices, list(refused)))[0]
        self._list(((int(row), refused[int(indices[row])]) for row in rows), name)
        self.bad[rows] = True

    def _list(self, found: Iterable[tuple[int, BadCellError]], name: str) -> None:
        for row, error in found:
            if row in self._faults:
                self._faults[row].append((name, error))
            elif len(self._faults) < MOST_LISTED:
                self._faults[row] = [(name, error)]


def read_code(text: str) -> str:
    """A procedure code; never repaired (file-formats.md §0, rule 5)."""
    if text.startswith(NUMERIC):
        raise BadCellError(
            "the code is a number, so its leading zero may be lost", "save the column as text", "E_CODE_NUMERIC"
        )
    code = text.upper()
    if not _CODE.fullmatch(code):
        raise BadCellError("is not a code of five letters or digits", "restore the code as published", "E_CODE")
    return code


def read_yyyymmdd(text: str) -> int:
    """``20240701`` as a day."""
    try:
        if len(text) != 8 or not text.isascii() or not text.isdigit():
            raise ValueError
        return day_of(dt.date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        raise BadCellError("is not a date of the form YYYYMMDD", "restore the date as published", "E_DATE") from None


def read_deletion(text: str) -> int:
    """``*`` or blank = not deleted."""
    return FOREVER if text in ("*", "") else read_yyyymmdd(text)


def read_ordinal(text: str) -> int:
    """``2026091`` as a day: year and day of the year, never a calendar date."""
    try:
        if len(text) != 7 or not text.isascii() or not text.isdigit():
            raise ValueError
        year, day = int(text[:4]), int(text[4:])
        start = dt.date(year, 1, 1)
        date = start + dt.timedelta(days=day - 1)
        if not day or date.year != year:
            raise ValueError
        return day_of(date)
    except (ValueError, OverflowError):
        raise BadCellError(
            "is not a date of the form YYYYDDD, year and day of the year", "restore the date as published", "E_DATE"
        ) from None


def as_dates(days: Array) -> pa.Array:
    """Days as Arrow dates; FOREVER is null."""
    return pa.array(days.astype(np.int32), mask=days == FOREVER).cast(pa.date32())
