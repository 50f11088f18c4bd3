"""The windows of every pair of a PTP table, and which of them meet: as numbers, two and a half million rows in a second."""

from __future__ import annotations

from collections import defaultdict
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
        self._rows: Array = np.flatnonzero(live)
        self._first, self._last = first, last
        size = max(1, len(words))
        self._pairs: Array = one[self._rows] * size + two[self._rows]
        self._opposite: Array = two[self._rows] * size + one[self._rows]

    def pair(self, row: int) -> tuple[str, str]:
        """Column 1 and column 2 of a row."""
        return str(self._table["column_1"][row]), str(self._table["column_2"][row])

    def opposites(self) -> Iterator[tuple[int, int]]:
        """Rows of one pair in both directions that are active on the same day; each two rows once."""
        distinct = np.unique(self._pairs)
        at = np.searchsorted(distinct, self._opposite)
        at[at == len(distinct)] = 0
        candidates = np.flatnonzero(distinct[at] == self._opposite) if len(distinct) else np.empty(0, np.int64)
        by_pair: dict[int, list[int]] = defaultdict(list)
        for i in candidates.tolist():
            by_pair[int(self._pairs[i])].append(int(self._rows[i]))
        for i in candidates.tolist():
            row = int(self._rows[i])
            for other in by_pair[int(self._opposite[i])]:
                if row < other and self._meet(row, other):
                    yield row, other

    def overlaps(self) -> Iterator[tuple[int, int]]:
        """Rows of one pair in one direction whose windows share a day; the later row first."""
        order = np.lexsort((self._first[self._rows], self._pairs))
        pairs, rows = self._pairs[order], self._rows[order]
        last = self._last[rows]
        for i in np.flatnonzero((pairs[1:] == pairs[:-1]) & (self._first[rows][1:] <= last[:-1])).tolist():
            yield int(rows[i + 1]), int(rows[i])

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
