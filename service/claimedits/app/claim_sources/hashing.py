"""A 64-bit hash of texts, whole Arrow columns at once: for partitions and for finding what comes twice, never for secrets."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_LONGEST = 256
"""Bytes of a text that take part; identifiers have at most 400 (100 characters)."""

Hashes = npt.NDArray[np.uint64]


def _multipliers() -> Hashes:
    """One odd number for each place, the same on every machine."""
    seed = hashlib.shake_128(b"claim-edits identifiers").digest(8 * _LONGEST)
    return np.frombuffer(seed, dtype="<u8").astype(np.uint64) | np.uint64(1)


_MULTIPLIERS = _multipliers()


def hash_texts(column: pa.Array | pa.ChunkedArray) -> Hashes:
    """A number for each text; equal texts have equal numbers, in every process. Null counts as empty.

    Multilinear hashing over the bytes and their places, then mixed (the finalizer of SplitMix64).
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = array.cast(pa.large_binary()) if not pa.types.is_large_binary(array.type) else array
    rows = len(array)
    if rows == 0:
        return np.zeros(0, dtype=np.uint64)
    array = array.fill_null(b"") if array.null_count else array
    _, offsets_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[array.offset : array.offset + rows + 1]
    lengths = np.diff(offsets)
    sums = np.full(rows, 0x9E3779B97F4A7C15, dtype=np.uint64)
    sums += lengths.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer else np.zeros(0, dtype=np.uint8)
    for place in range(int(min(lengths.max(), _LONGEST))):
        rows_left = np.flatnonzero(lengths > place)
        sums[rows_left] += (data[offsets[rows_left] + place].astype(np.uint64) + np.uint64(1)) * _MULTIPLIERS[place]
    sums ^= sums >> np.uint64(30)
    sums *= np.uint64(0xBF58476D1CE4E5B9)
    sums ^= sums >> np.uint64(27)
    sums *= np.uint64(0x94D049BB133111EB)
    return sums ^ (sums >> np.uint64(31))
