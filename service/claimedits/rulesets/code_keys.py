"""Codes as whole numbers that sort as the codes do, so that mapped arrays can be searched without being read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from claimedits.rulesets.mapped_arrays import Array

_WIDTH = 8


def code_key(code: str) -> int:
    """The first eight letters of a code, big-endian; shorter codes are filled with zero bytes."""
    return int.from_bytes(code.encode("ascii", "replace")[:_WIDTH].ljust(_WIDTH, b"\0"), "big")


def code_of(key: int) -> str:
    """The code that ``code_key`` made ``key`` of."""
    return key.to_bytes(_WIDTH, "big").rstrip(b"\0").decode("ascii")


def code_keys(codes: Sequence[str]) -> Array:
    """``code_key`` of every code, as uint64. Codes have at most eight ASCII letters."""
    return np.array(codes, dtype=f"S{_WIDTH}").view(">u8").astype(np.uint64)


def find_key(keys: memoryview, key: int) -> int:
    """The position of ``key`` in ascending ``keys``; -1 where it is not there."""
    position = bisect_left(keys, key)
    return position if position < len(keys) and keys[position] == key else -1
