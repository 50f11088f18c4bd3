"""Cuts a stream of record batches into parts of whole claims, of bounded size whatever the sizes of batches and claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from claimedits.engine.columnar.column_types import columns_of
from claimedits.engine.columnar.texts import differ_from_previous

ROWS = 131_072
"""Rows of a part, but for a claim that does not end there."""


@dataclass(slots=True)
class Slice:
    """Rows of whole claims, in one table."""

    table: pa.Table
    first_row: int
    """Row of the whole input at which the slice begins."""


def cut_at_claims(batches: Iterable[pa.RecordBatch | pa.Table], rows: int = ROWS) -> Iterator[Slice]:
    """Slices of about ``rows`` rows that end where a claim ends: where the next row has another ``claim_id``.

    What is held back of the input is at most a part and the batch that is being read.
    """
    held: list[pa.Table] = []
    count = first_row = 0
    for batch in batches:
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        offset = 0
        while offset < table.num_rows:
            piece = table.slice(offset, max(1, rows - count))
            held.append(piece)
            offset += piece.num_rows
            count += piece.num_rows
            if count < rows:
                continue
            joined = pa.concat_tables(held)
            end = _last_begin(joined)
            if end:
                yield Slice(joined.slice(0, end), first_row)
                first_row += end
                count -= end
                held = [joined.slice(end)] if count else []
    if count:
        yield Slice(pa.concat_tables(held), first_row)


def _last_begin(table: pa.Table) -> int:
    """The row at which the last claim of the table begins."""
    named = columns_of(table.select(["claim_id"])).get("claim_id")
    if named is None:
        return 0
    begins = np.flatnonzero(differ_from_previous(named))
    return int(begins[-1]) if len(begins) else 0
