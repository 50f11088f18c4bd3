"""The windows of every pair of a PTP table, and which of them meet: as numbers, two and a half million rows in a second."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import FOREVER, format_day
from claimedits.rulesets.lints.quarters import begins_quarter, ends_quarter

Array = npt.NDArray[np.int64]


class PairWindows:
    """The live rows of a table ``edits``; tombstones have no window (semantics.md §A.4)."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        names = [_codes(table[name]) for name in ("column_1", "column_2")]
        words = sorted({word for own, _ in names for word in own})
        number = {word: i for i, word in enumerate(words)}
        one, two = (np.array([number[w] for w in own] or [0], dtype=np.int64)[at] for own, at in names)
        first = table["effective_from"].cast(pa.int32()).to_numpy().astype(np.int64)
        last = pc.fill_null(table["effective_to"].cast(pa.int32()), FOREVER).to_numpy().astype(np.int64)
        live = (table["modifier_indicator"].to_numpy() != 9) & (last != first)
        rows = np.flatnonzero(live)
        self._size = max(1, len(words))
        pairs = one[rows] * self._size + two[rows]
        order = np.lexsort((first[rows], pairs)) if (np.diff(pairs) < 0).any() else np.arange(len(rows))
        self._rows: Array = rows[order]
        self._first, self._last = first, last
        self._pairs: Array = pairs[order]
        """Sorted, as a table in canonical order is anyway."""

    def pair(self, row: int) -> tuple[str, str]:
        """Column 1 and column 2 of a row."""
        return str(self._table["column_1"][row]), str(self._table["column_2"][row])

    def opposites(self, among: Array | None = None) -> Iterator[tuple[int, int]]:
        """Rows of one pair in both directions that are active on the same day; each two rows once.

        Args:
            among: rows of the table; only what concerns one of them. None = all.
        """
        at = self._places(among)
        one, two = np.divmod(self._pairs[at], self._size)
        yield from self._meetings(at, two * self._size + one)

    def overlaps(self, among: Array | None = None) -> Iterator[tuple[int, int]]:
        """Rows of one pair in one direction whose windows share a day; each two rows once. ``among`` as in ``opposites``."""
        at = self._places(among)
        if among is None and len(at):  # a pair that stands once overlaps nothing
            same = self._pairs[1:] == self._pairs[:-1]
            at = at[np.append(same, False) | np.insert(same, 0, False)]
        yield from self._meetings(at, self._pairs[at])

    def _places(self, among: Array | None) -> Array:
        """Positions of the rows asked for among the live rows."""
        return np.arange(len(self._rows)) if among is None else np.flatnonzero(np.isin(self._rows, among))

    def _meetings(self, at: Array, wanted: Array) -> Iterator[tuple[int, int]]:
        """Rows at these positions, each with the rows of the pair wanted that are active on one of its days."""
        starts, ends = np.searchsorted(self._pairs, wanted), np.searchsorted(self._pairs, wanted, side="right")
        said = set()
        for i in np.flatnonzero(ends > starts).tolist():
            row = int(self._rows[at[i]])
            for other in self._rows[starts[i] : ends[i]].tolist():
                key = (min(row, other), max(row, other))
                if row != other and key not in said and self._meet(row, other):
                    said.add(key)
                    yield key

    def off_quarter(self) -> Iterator[tuple[int, str]]:
        """Rows that begin or end within a quarter, and what is said of them."""
        for days, holds, said in (
            (self._first, begins_quarter, "it begins on {}, which is not the first day of a quarter"),
            (self._last, ends_quarter, "it ends on {}, which is not the last day of a quarter"),
        ):
            own = days[self._rows]
            odd = [day for day in np.unique(own).tolist() if day != FOREVER and not holds(day)]
            for i in np.flatnonzero(np.isin(own, odd)).tolist() if odd else ():
                yield int(self._rows[i]), said.format(format_day(int(own[i])))

    def _meet(self, row: int, other: int) -> bool:
        return bool(self._first[row] <= self._last[other] and self._first[other] <= self._last[row])


def _codes(column: pa.ChunkedArray) -> tuple[list[str], Array]:
    """The distinct words of a column, and which of them each row holds."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    combined = column.unify_dictionaries().combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        if not combined.num_chunks:
            return [], np.empty(0, dtype=np.int64)
        combined = combined.chunk(0)
    return combined.dictionary.to_pylist(), np.asarray(combined.indices).astype(np.int64)
