"""The PTP index: every pair of every revision once, found in a microsecond (file-formats.md §1; semantics.md §A.3).

Rows of all revisions are merged: a row that stands in several revisions is kept once and carries the number of a *pattern*,
which tells in which revisions it stands. A symmetric bit matrix over the codes answers "could these two conflict?"; only then
are the rows of column 1 searched for column 2. A pair may have several rows (windows), and rows in both directions: the
index returns them all, and the family decides.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import orjson

from claimedits.model.dates import FOREVER, Day
from claimedits.model.problems import StoreError
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.mapped_arrays import Array, map_array, save_array

if TYPE_CHECKING:
    import pyarrow as pa


class PtpRow(NamedTuple):
    """One row of the published table, with the revisions it stands in."""

    row: int
    """Position in the index, for ``PtpIndex.source``."""
    column_1: str
    column_2: str
    effective_from: Day
    effective_to: Day
    """Last active day, inclusive; FOREVER = not deleted."""
    modifier_indicator: int
    revisions: int
    """Bit ``i`` is set where the row stands in revision ``i`` of the rule set's editions."""


class PtpIndex:
    """Read-only view of one rule set's pairs over memory-mapped arrays."""

    def __init__(self, directory: Path) -> None:
        meta = orjson.loads((directory / "index.meta.json").read_bytes())
        self.codes: list[str] = meta["codes"]
        self.rationales: list[str] = meta["rationales"]
        self.number_of: dict[str, int] = {code: number for number, code in enumerate(self.codes)}
        self._patterns: list[int] = [int(pattern) for pattern in meta["patterns"]]
        self._first = map_array(directory, "first")
        self._column_2 = map_array(directory, "column_2")
        self._effective_from = map_array(directory, "effective_from")
        self._effective_to = map_array(directory, "effective_to")
        self._indicator = map_array(directory, "indicator")
        self._rationale = map_array(directory, "rationale")
        self._pattern = map_array(directory, "pattern")
        self.bits = map_array(directory, "pairs")
        """The symmetric matrix: bit ``b & 7`` of byte ``a * stride + (b >> 3)`` says that codes a and b share a row."""
        self.stride: int = meta["stride"]
        self._sources = [
            (map_array(directory, f"source_{i}"), map_array(directory, f"source_row_{i}"))
            for i in range(meta["revisions"])
        ]
        self._rows: dict[tuple[int, int], tuple[PtpRow, ...]] = {}

    def conflicts(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        """Positions (i, j), i < j, of the codes in ``numbers`` that stand together in some row; -1 is an unknown code."""
        bits, stride = self.bits, self.stride
        earlier: list[tuple[int, int]] = []
        found: list[tuple[int, int]] = []
        for j, code in enumerate(numbers):
            if code >= 0:
                byte, bit = code >> 3, 1 << (code & 7)
                found += [(i, j) for i, row in earlier if bits[row + byte] & bit]
                earlier.append((j, code * stride))
        return found

    def rows(self, a: int, b: int) -> tuple[PtpRow, ...]:
        """Every row of codes ``a`` and ``b`` (numbers), in either direction, oldest window first within a direction."""
        key = (a, b) if a < b else (b, a)
        rows = self._rows.get(key)
        if rows is None:
            rows = (*self._directed(key[0], key[1]), *self._directed(key[1], key[0]))
            if len(self._rows) >= 65_536:
                self._rows.clear()
            self._rows[key] = rows
        return rows

    def places_of(self, code: int, revisions: int) -> list[int]:
        """Places of the rows that hold ``code`` in either column and stand in one of ``revisions`` (bits), for ``row_at``.

        They are ordered by column 1, column 2, first day. A scan of column 2: for a look-up, not for an edit.
        """
        first, end = self._first[code], self._first[code + 1]
        others = np.flatnonzero(np.asarray(self._column_2) == code)
        below, above = others[others < first], others[others >= end]
        places = np.concatenate([below, np.arange(first, end), above])
        standing = [number for number, bits in enumerate(self._patterns) if bits & revisions]
        kept: list[int] = places[np.isin(np.asarray(self._pattern)[places], standing)].tolist()
        return kept

    def row_at(self, place: int) -> PtpRow:
        """The row at a place that ``places_of`` gave."""
        return self._row(bisect_right(self._first, place) - 1, place)

    def count_rows(self, revisions: int | None) -> int:
        """How many distinct rows the first ``revisions`` revisions hold; None = all of them."""
        if revisions is None:
            return len(self._effective_from)
        wanted = (1 << revisions) - 1
        hits = [number for number, bits in enumerate(self._patterns) if bits & wanted]
        return int(np.isin(np.asarray(self._pattern), hits).sum())

    def source(self, row: int, revision: int) -> tuple[int, int]:
        """Source file (position in the header's sources) and 1-based record of ``row`` in revision ``revision``."""
        file, record = self._sources[revision]
        return file[row], record[row]

    def rationale(self, row: int) -> str:
        """The publisher's phrase for why the row exists."""
        return self.rationales[self._rationale[row]]

    def _directed(self, column_1: int, column_2: int) -> list[PtpRow]:
        low, high = self._first[column_1], self._first[column_1 + 1]
        start = bisect_left(self._column_2, column_2, low, high)
        end = bisect_right(self._column_2, column_2, start, high)
        return [self._row(column_1, row) for row in range(start, end)]

    def _row(self, column_1: int, row: int) -> PtpRow:
        return PtpRow(
            row,
            self.codes[column_1],
            self.codes[self._column_2[row]],
            self._effective_from[row],
            self._effective_to[row],
            self._indicator[row],
            self._patterns[self._pattern[row]],
        )


class _PtpIndexKind:
    name = "ptp"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        columns = [_columns(tables["edits"]) for _, tables in revisions]
        codes = sorted({code for c in columns for code in (*c.column_1.words, *c.column_2.words)})
        rationales = sorted({word for c in columns for word in c.rationale.words})
        starts = np.unique(np.concatenate([c.effective_from for c in columns]))
        ends = np.unique(np.concatenate([c.effective_to for c in columns]))
        radix = _Radix(len(codes), len(starts), len(ends), len(rationales))
        packed = [c.pack(codes, starts, ends, rationales, radix) for c in columns]
        unique = np.unique(np.concatenate(packed))
        pattern = np.zeros(len(unique), dtype=np.int64)
        patterns = [0]
        for i, (keys, c) in enumerate(zip(packed, columns, strict=True)):
            at = np.searchsorted(unique, keys)
            member = np.zeros(len(unique), dtype=bool)
            member[at] = True
            pattern, patterns = _extend(pattern, patterns, member, i)
            file, record = np.zeros(len(unique), np.uint16), np.zeros(len(unique), np.uint32)
            file[at], record[at] = c.source, c.source_row
            save_array(directory, f"source_{i}", file)
            save_array(directory, f"source_row_{i}", record)
        column_1, column_2 = _write_rows(unique, radix, starts, ends, pattern, directory)
        stride = _write_pairs(column_1, column_2, len(codes), directory)
        meta = {
            "codes": codes,
            "rationales": rationales,
            "patterns": [str(p) for p in patterns],
            "stride": stride,
            "revisions": len(columns),
        }
        (directory / "index.meta.json").write_bytes(orjson.dumps(meta))

    def open(self, directory: Path) -> PtpIndex:
        return PtpIndex(directory)


PTP_INDEX = _PtpIndexKind()


class _Words(NamedTuple):
    """A dictionary-encoded text column: the words, and the position of each row's word."""

    words: list[str]
    position: Array

    def rank(self, among: list[str]) -> Array:
        numbers = {word: i for i, word in enumerate(among)}
        table = np.array([numbers[word] for word in self.words] or [0], dtype=np.int64)
        return np.asarray(table[self.position])


class _Columns(NamedTuple):
    column_1: _Words
    column_2: _Words
    effective_from: Array
    effective_to: Array
    indicator: Array
    rationale: _Words
    source: Array
    source_row: Array

    def pack(self, codes: list[str], starts: Array, ends: Array, rationales: list[str], radix: _Radix) -> Array:
        """One whole number a row whose order is that of (column 1, column 2, effective, deletion, indicator, rationale)."""
        key = self.column_1.rank(codes) * radix.codes + self.column_2.rank(codes)
        key = key * radix.starts + np.searchsorted(starts, self.effective_from)
        key = key * radix.ends + np.searchsorted(ends, self.effective_to)
        key = key * 10 + self.indicator
        packed: Array = key * radix.rationales + self.rationale.rank(rationales)
        return packed


class _Radix:
    """How many values each place of a packed row may take."""

    def __init__(self, codes: int, starts: int, ends: int, rationales: int) -> None:
        self.codes, self.starts, self.ends, self.rationales = (max(1, n) for n in (codes, starts, ends, rationales))
        if self.codes**2 * self.starts * self.ends * 10 * self.rationales >= 2**63:
            raise StoreError(
                f"a PTP table of {codes} codes and {starts} × {ends} dates is larger than the index can hold; "
                "split the release so that it holds fewer revisions"
            )


def _columns(table: pa.Table) -> _Columns:
    def words(name: str) -> _Words:
        column = table[name].combine_chunks()
        encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
        if hasattr(encoded, "unify_dictionaries"):
            encoded = encoded.unify_dictionaries().combine_chunks()
        chunk = encoded.chunk(0) if hasattr(encoded, "chunk") else encoded
        return _Words(chunk.dictionary.to_pylist(), chunk.indices.to_numpy(zero_copy_only=False))

    def days(name: str) -> Array:
        column = table[name].cast("int32").fill_null(FOREVER)
        return np.asarray(column.to_numpy())

    return _Columns(
        words("column_1"),
        words("column_2"),
        days("effective_from"),
        days("effective_to"),
        table["modifier_indicator"].to_numpy().astype(np.int64),
        words("rationale"),
        table["source"].to_numpy(),
        table["source_row"].to_numpy(),
    )


def _extend(pattern: Array, patterns: list[int], member: Array, revision: int) -> tuple[Array, list[int]]:
    """Patterns after one more revision: ``member`` says which rows stand in it."""
    doubled = pattern * 2 + member
    used, numbers = np.unique(doubled, return_inverse=True)
    return numbers, [patterns[int(n) >> 1] | (int(n) & 1) << revision for n in used]


def _write_rows(
    packed: Array, radix: _Radix, starts: Array, ends: Array, pattern: Array, directory: Path
) -> tuple[Array, Array]:
    rest, rationale = np.divmod(packed, radix.rationales)
    rest, indicator = np.divmod(rest, 10)
    rest, end = np.divmod(rest, radix.ends)
    rest, start = np.divmod(rest, radix.starts)
    column_1, column_2 = np.divmod(rest, radix.codes)
    arrays: Mapping[str, Array] = {
        "first": np.searchsorted(column_1, np.arange(radix.codes + 1)).astype(np.uint32),
        "column_2": column_2.astype(np.uint16 if radix.codes <= 2**16 else np.uint32),
        "effective_from": starts[start].astype(np.int32) if len(starts) else np.zeros(0, np.int32),
        "effective_to": ends[end].astype(np.int32) if len(ends) else np.zeros(0, np.int32),
        "indicator": indicator.astype(np.uint8),
        "rationale": rationale.astype(np.uint16),
        "pattern": pattern.astype(np.uint16 if len(np.unique(pattern)) <= 2**16 else np.uint32),
    }
    for name, array in arrays.items():
        save_array(directory, name, array)
    return column_1, column_2


def _write_pairs(column_1: Array, column_2: Array, codes: int, directory: Path) -> int:
    """The symmetric bit matrix; returns its bytes a row."""
    stride = (codes + 7) // 8 or 1
    bits = np.zeros(max(1, codes) * stride, dtype=np.uint8)
    for a, b in ((column_1, column_2), (column_2, column_1)):
        np.bitwise_or.at(bits, a * stride + (b >> 3), (1 << (b & 7)).astype(np.uint8))
    save_array(directory, "pairs", bits)
    return stride
