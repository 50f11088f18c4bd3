"""Indexes of code sets: procedure codes, modifiers, ICD-10-CM, place of service, adjustment codes (file-formats.md §5, §6, §9).

Every row of every revision stands in the index with its window; a code finds its rows by one binary search.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.rulesets.code_keys import code_key, code_keys, code_of, find_key
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.mapped_arrays import map_array, save_array
from claimedits.rulesets.windows import BEGINNING

_MOST_REMEMBERED = 65_536
_CLASSES = (
    ("CPT_I", re.compile(r"\d{5}")),
    ("CPT_II", re.compile(r"\d{4}F")),
    ("CPT_III", re.compile(r"\d{4}T")),
    ("CPT_PLA", re.compile(r"\d{4}U")),
    ("CPT_MAAA", re.compile(r"\d{4}M")),
    ("CPT_IMMUNIZATION", re.compile(r"\d{4}A")),
    ("CDT", re.compile(r"D\d{4}")),
    ("HCPCS_LEVEL_II", re.compile(r"[A-CE-V]\d{4}")),
)
_CPT_MODIFIER = re.compile(r"\d\d|P[1-6]|[1-8]P")


def class_of_procedure(code: str) -> str:
    """Whose list a procedure code belongs to, told from its form; empty = no code has that form."""
    return next((name for name, pattern in _CLASSES if pattern.fullmatch(code)), "")


def class_of_modifier(modifier: str) -> str:
    """``CPT`` or ``HCPCS_LEVEL_II``, told from the form of the modifier."""
    return "CPT" if _CPT_MODIFIER.fullmatch(modifier) else "HCPCS_LEVEL_II"


class CodeRow(NamedTuple):
    """One row of a code list."""

    revisions: int
    """Bit ``i`` is set where the row stands in revision ``i``."""
    effective_from: Day
    """``windows.BEGINNING`` where the list states none."""
    effective_to: Day
    """Last valid day, inclusive."""
    billable: bool
    """ICD-10-CM: whether a claim may carry the code; True in every other list."""
    title: str
    category: str
    source: int
    source_row: int

    def covers(self, day: Day) -> bool:
        return self.effective_from <= day <= self.effective_to

    def dates(self) -> tuple[str, str]:
        """First and last valid day as text; empty = not stated, open."""
        return format_day(self.effective_from) if self.effective_from != BEGINNING else "", format_day(
            self.effective_to
        )

    @property
    def is_dated(self) -> bool:
        """Whether the list states a first or last day."""
        return self.effective_from != BEGINNING or self.effective_to != FOREVER


class CodeSet:
    """Read-only view of all revisions of one code list."""

    def __init__(self, directory: Path) -> None:
        meta = orjson.loads((directory / "index.meta.json").read_bytes())
        self._categories: list[str] = meta["categories"]
        self._keys = map_array(directory, "keys")
        self._starts = map_array(directory, "starts")
        self._columns = tuple(map_array(directory, name) for name, _ in _ARRAYS)
        self._titles = map_array(directory, "titles")
        self._remembered: dict[str, tuple[CodeRow, ...]] = {}

    def windows(self, code: str) -> tuple[CodeRow, ...]:
        """Every row of a code, ordered by revision, then first day; empty where no revision knows it."""
        try:
            return self._remembered[code]
        except KeyError:
            if len(self._remembered) >= _MOST_REMEMBERED:  # codes are the caller's: bounded
                self._remembered.clear()
            rows = self._remembered[code] = self._read(find_key(self._keys, code_key(code)))
            return rows

    def codes(self, step: int = 1) -> list[str]:
        """Every ``step``-th code that some revision holds, in order."""
        return [code_of(int(key)) for key in self._keys[::step]]

    def turns(self) -> set[Day]:
        """Days on which some row begins to hold, or holds no more."""
        _, first, last, *_ = self._columns
        return {*np.unique(first).tolist(), *(np.unique(last).astype(np.int64) + 1).tolist()}

    def _read(self, position: int) -> tuple[CodeRow, ...]:
        if position < 0:
            return ()
        return tuple(self._row(i) for i in range(self._starts[position], self._starts[position + 1]))

    def _row(self, i: int) -> CodeRow:
        revision, first, last, billable, category, title_start, title_end, source, source_row = (
            column[i] for column in self._columns
        )
        title = bytes(self._titles[title_start:title_end]).decode()
        return CodeRow(
            1 << revision, first, last, bool(billable), title, self._categories[category], source, source_row
        )


class DiagnosisCodes(CodeSet):
    """ICD-10-CM. Codes have no dot."""

    def children(self, code: str, revision: int, most: int = 20) -> tuple[tuple[str, ...], int]:
        """The billable codes below ``code`` in revision ``revision``: the first ``most``, and how many there are."""
        low = bisect_right(self._keys, code_key(code))
        high = bisect_left(self._keys, code_key(code + "~"))
        first, end = (self._starts[low], self._starts[high]) if low < high else (0, 0)
        standing, billable = (np.asarray(self._columns[i][first:end]) for i in (_REVISION, _BILLABLE))
        rows = np.flatnonzero((standing == revision) & (billable == 1)) + first
        keys = np.searchsorted(np.asarray(self._starts), rows[:most], side="right") - 1
        return tuple(code_of(self._keys[position]) for position in keys), len(rows)

    def billable_ancestor(self, code: str, revision: int) -> str:
        """The longest billable code of ``revision`` that ``code`` begins with; empty where there is none."""
        for length in range(len(code) - 1, 2, -1):
            rows = self.windows(code[:length])
            if any(row.billable and row.revisions & 1 << revision for row in rows):
                return code[:length]
        return ""


_ARRAYS: tuple[tuple[str, Any], ...] = (
    ("revision", np.uint16),
    ("effective_from", np.int32),
    ("effective_to", np.int32),
    ("billable", np.uint8),
    ("category", np.uint16),
    ("title_start", np.uint32),
    ("title_end", np.uint32),
    ("source", np.uint16),
    ("source_row", np.uint32),
)


_REVISION, _BILLABLE = 0, 3
"""Places of two columns in ``_ARRAYS``."""


class _CodeSetIndexKind:
    format = 1

    def __init__(self, name: str, table: str, column: str, opened: type[CodeSet] = CodeSet) -> None:
        self.name = name
        self._table = table
        self._column = column
        self._opened = opened

    def build(self, revisions: Revisions, directory: Path) -> None:
        parts = [
            self._plain(tables[self._table]).append_column(
                "revision", pa.array([i] * tables[self._table].num_rows, pa.uint16())
            )
            for i, (_, tables) in enumerate(revisions)
        ]
        rows = pa.concat_tables(parts).sort_by(
            [("code", "ascending"), ("revision", "ascending"), ("effective_from", "ascending")]
        )
        keys, starts = np.unique(code_keys(rows["code"].to_pylist()), return_index=True)
        save_array(directory, "keys", keys)
        save_array(directory, "starts", np.append(starts, rows.num_rows).astype(np.uint32))
        categories = rows["category"].combine_chunks().dictionary_encode()
        columns: dict[str, Any] = {"category": categories.indices, **_save_titles(rows["title"], directory)}
        for name, dtype in _ARRAYS:
            column = columns[name] if name in columns else rows[name].combine_chunks()
            save_array(directory, name, np.asarray(column).astype(dtype))
        meta = {"categories": categories.dictionary.to_pylist()}
        (directory / "index.meta.json").write_bytes(orjson.dumps(meta))

    def _plain(self, table: pa.Table) -> pa.Table:
        """The columns that every code list has; what a list does not state is filled in."""
        days = {name: table[name].cast(pa.int32()) for name in ("effective_from", "effective_to")}
        names, count = set(table.column_names), table.num_rows
        text = pa.array([""] * count, pa.string())
        return pa.table(
            {
                "code": table[self._column],
                "effective_from": pc.fill_null(days["effective_from"], BEGINNING),
                "effective_to": pc.fill_null(days["effective_to"], FOREVER),
                "billable": table["billable"].cast(pa.uint8())
                if "billable" in names
                else pa.array([1] * count, pa.uint8()),
                "title": table["title"] if "title" in names else text,
                "category": table["category"] if "category" in names else text,
                "source": table["source"],
                "source_row": table["source_row"],
            }
        )

    def open(self, directory: Path) -> CodeSet:
        return self._opened(directory)


def _save_titles(titles: pa.ChunkedArray, directory: Path) -> dict[str, Any]:
    """Write every distinct title once; gives where each row's title begins and ends in the bytes."""
    encoded = titles.combine_chunks().dictionary_encode()
    texts = [text.encode() for text in encoded.dictionary.to_pylist()]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = ends - np.array([len(text) for text in texts], dtype=np.int64)
    save_array(directory, "titles", np.frombuffer(b"".join(texts), dtype=np.uint8))
    at = np.asarray(encoded.indices)
    return {"title_start": starts[at], "title_end": ends[at]}


PROCEDURE_CODES_INDEX = _CodeSetIndexKind("procedure-codes", "codes", "procedure_code")
MODIFIERS_INDEX = _CodeSetIndexKind("modifiers", "modifiers", "modifier")
ICD10_INDEX = _CodeSetIndexKind("icd10", "codes", "icd10_code", DiagnosisCodes)
PLACE_OF_SERVICE_INDEX = _CodeSetIndexKind("place-of-service", "codes", "place_of_service")
ADJUSTMENT_CODES_INDEX = _CodeSetIndexKind("adjustment-codes", "codes", "adjustment_code")

ALL = (PROCEDURE_CODES_INDEX, MODIFIERS_INDEX, ICD10_INDEX, PLACE_OF_SERVICE_INDEX, ADJUSTMENT_CODES_INDEX)
