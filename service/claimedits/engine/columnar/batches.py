"""Cuts a stream of record batches into parts of whole claims, of bounded size whatever the sizes of batches and claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from claimedits.engine.columnar.column_types import columns_of
from claimedits.engine.columnar.lines import find_history
from claimedits.engine.columnar.texts import differ_from_previous
from claimedits.model.claim_reading import ClaimLimits

ROWS = 131_072
"""Rows of a part, but for a claim that does not end there."""


@dataclass(slots=True)
class Slice:
    """Rows of whole claims, in one table."""

    table: pa.Table
    first_row: int
    """Row of the whole input at which the slice begins."""


@dataclass(slots=True)
class Passed:
    """Rows of a claim over the limits of its shape: counted and let go."""

    rows: int
    first_row: int


@dataclass(slots=True)
class Oversized:
    """The end of a claim over the limits of its shape."""

    kept: pa.Table
    """Its rows, but for those of the lines that are too many."""
    first_row: int
    lines: int
    history_lines: int


def cut_at_claims(
    batches: Iterable[pa.RecordBatch | pa.Table], rows: int, limits: ClaimLimits
) -> Iterator[Slice | Passed | Oversized]:
    """Slices of about ``rows`` rows that end where a claim ends: where the next row has another ``claim_id``.

    What is held of the input is at most a part, a claim within ``limits``, and the batch that is being read.
    """
    most = max(rows, limits.lines + limits.history_lines + 1)
    held: list[pa.Table] = []
    giant: _Giant | None = None
    count = first_row = 0
    for piece in _pieces(batches, rows):
        if giant is not None:
            own = giant.rows_of(piece)
            if own:
                giant.add(piece.slice(0, own))
                yield Passed(own, first_row)
                first_row += own
            if own == piece.num_rows:
                continue
            yield giant.end()
            giant, piece = None, piece.slice(own)
        held.append(piece)
        count += piece.num_rows
        if count < rows:
            continue
        joined = pa.concat_tables(held)
        end = _last_begin(joined)
        if end:
            yield Slice(joined.slice(0, end), first_row)
            held, count, first_row = [joined.slice(end)], count - end, first_row + end
        elif count >= most:
            giant = _Giant(joined, first_row, limits)
            yield Passed(count, first_row)
            held, count, first_row = [], 0, first_row + count
        else:
            held = [joined]
    if giant is not None:
        yield giant.end()
    if count:
        yield Slice(pa.concat_tables(held), first_row)


def _pieces(batches: Iterable[pa.RecordBatch | pa.Table], rows: int) -> Iterator[pa.Table]:
    for batch in batches:
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        for offset in range(0, table.num_rows, rows):
            yield table.slice(offset, rows)


def _last_begin(table: pa.Table) -> int:
    """The row at which the last claim of the table begins."""
    named = columns_of(table.select(["claim_id"])).get("claim_id")
    if named is None:
        return 0
    begins = np.flatnonzero(differ_from_previous(named))
    return int(begins[-1]) if len(begins) else 0


class _Giant:
    """A claim that is over the limits, of which more rows come than anybody will look at."""

    def __init__(self, rows: pa.Table, first_row: int, limits: ClaimLimits) -> None:
        self._first_row, self._limits = first_row, limits
        self._named = rows.select(["claim_id"]).slice(0, 1)
        self._kept: list[pa.Table] = []
        self._counts = [0, 0]
        self.add(rows)

    def rows_of(self, piece: pa.Table) -> int:
        """How many rows at the beginning of ``piece`` are of this claim."""
        joined = pa.concat_tables([self._named, piece.select(["claim_id"])])
        named = columns_of(joined).get("claim_id")
        begins = np.zeros(0, dtype=np.int64) if named is None else np.flatnonzero(differ_from_previous(named))
        return int(begins[0]) - 1 if len(begins) else piece.num_rows

    def add(self, rows: pa.Table) -> None:
        """Count rows; keep as many lines and history lines as show that there are too many."""
        columns = columns_of(rows.select([name for name in rows.column_names if name == "history_claim_id"]))
        of_history = find_history(columns, rows.num_rows)
        mosts = (self._limits.lines, self._limits.history_lines)
        chosen = np.zeros(rows.num_rows, dtype=bool)
        for kind, marked in enumerate((~of_history, of_history)):
            places = np.flatnonzero(marked)
            chosen[places[: max(0, mosts[kind] + 1 - self._counts[kind])]] = True
            self._counts[kind] += len(places)
        if chosen.any():
            self._kept.append(rows.filter(pa.array(chosen)))

    def end(self) -> Oversized:
        """Nothing more comes of the claim."""
        return Oversized(pa.concat_tables(self._kept), self._first_row, *self._counts)
