"""Brings the rows of a claim together when they stand anywhere in a file: through files on disk, in bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.column_rows import ROW_SCHEMA, RowBatch
from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.app.claim_sources.spill_files import SpillFiles
from claimedits.model.problems import Problem

_GROUPS = 64
_SCHEMA = ROW_SCHEMA.append(pa.field("problems", pa.string()))


def group_rows(batches: Iterable[RowBatch]) -> Iterator[RowBatch]:
    """The same rows, those of each claim together, in the order of the file within a claim.

    Claims come in an order of their own that depends on their ids alone. Memory: one of ``_GROUPS`` parts of the rows.
    """
    with tempfile.TemporaryDirectory(prefix="claim-edits-") as folder:
        spill = SpillFiles(Path(folder), _GROUPS, _SCHEMA)
        for batch in batches:
            groups = (hash_texts(batch.table.column("claim_id")) % np.uint64(_GROUPS)).astype(np.int64)
            spill.write(_with_problems(batch), groups)
        for table in spill.read():
            order = pc.sort_indices(table, [("claim_id", "ascending"), ("position", "ascending")])
            yield _batch(table.take(order).combine_chunks())


def _with_problems(batch: RowBatch) -> pa.Table:
    said: list[str | None] = [None] * batch.table.num_rows
    for row, problems in batch.problems.items():
        said[row] = orjson.dumps([[p.where, p.what, p.mend] for p in problems]).decode()
    return batch.table.append_column("problems", pa.array(said, pa.string()))


def _batch(table: pa.Table) -> RowBatch:
    said = table.column("problems")
    problems = {}
    for row in np.flatnonzero(np.asarray(pc.is_valid(said))).tolist():
        problems[row] = [Problem(*fields) for fields in orjson.loads(said[row].as_py())]
    return RowBatch(table.drop_columns(["problems"]), problems)
