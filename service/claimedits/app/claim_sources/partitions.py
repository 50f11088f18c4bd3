"""Claims by patient: files of line tables, all claims of a patient in one, so that their history can be joined.

Written in bounded memory, from input of any size; the same input gives the same files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.app.claim_sources.reading import READ_SCHEMA, claim_starts
from claimedits.app.claim_sources.spill_files import SpillFiles

PARTITION_SCHEMA: pa.Schema = READ_SCHEMA.append(pa.field("input_order", pa.int64()))
"""``input_order`` counts the claims of the whole input from 0."""

ROWS_A_PARTITION = 1_000_000
"""Rows that one partition should have, so that it fits into memory several times (a row takes some 300 bytes)."""


def suggest_partitions(rows: int) -> int:
    """How many partitions so many rows should have."""
    return max(1, min(4_096, -(-rows // ROWS_A_PARTITION)))


def partition_by_patient(tables: Iterable[pa.Table], folder: Path, partitions: int) -> list[Path]:
    """Write tables of ``READ_SCHEMA`` into Arrow IPC files ``part-00000.arrow`` … of ``PARTITION_SCHEMA``.

    Claims without a patient are spread by their own id: nothing is history to them. Either all files stand in ``folder``
    afterwards or none does.

    Raises:
        OSError: the disk is full, or ``folder`` exists.
    """
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        spill = SpillFiles(unfinished, partitions, PARTITION_SCHEMA)
        claims = 0
        for table in tables:
            if table.num_rows == 0:
                continue
            starts = claim_starts(table)
            owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, table.num_rows)))
            numbered = table.append_column("input_order", pa.array(owner + claims))
            claims += len(starts)
            spill.write(numbered.cast(PARTITION_SCHEMA), _partition_of(table, partitions))
        spill.close()
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return sorted(folder.glob("part-*.arrow"))


def _partition_of(table: pa.Table, partitions: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    who = pc.coalesce(table.column("patient_id"), table.column("claim_id"))
    return (hash_texts(who) % np.uint64(partitions)).astype(np.int64)


def read_partition(path: Path) -> pa.Table:
    """One partition, whole, in the order of the input."""
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()
