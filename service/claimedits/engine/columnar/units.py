"""Units of a line as whole numbers of thousandths, whatever the type of the column."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.types as types

from claimedits.rulesets.mapped_arrays import Array

UNIT = 1000
"""Units are counted in thousandths: a claim states at most three decimals."""
MOST_UNITS = 10**8 * UNIT


@lru_cache(maxsize=65_536)
def units_of(thousandths: int) -> Decimal:
    """Units as the shortest decimal: 1, 2.5."""
    whole, rest = divmod(thousandths, UNIT)
    return Decimal(f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole))


def thousandths_of(column: pa.Array) -> tuple[Array, Array]:
    """Units in thousandths, and for which rows that is what the column says: from 0, below 10**8, at most three decimals."""
    if types.is_decimal128(column.type):
        units, good = _decimal_thousandths(column)
    elif types.is_float64(column.type):
        floats = column.fill_null(-1.0).to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore", over="ignore"):
            possible = (floats >= 0) & (floats < 10**8)
            units = np.rint(np.where(possible, floats, 0) * UNIT).astype(np.int64)
        good = possible & (units / UNIT == floats)
    else:
        whole = column.fill_null(-1).to_numpy(zero_copy_only=False)
        good = (whole >= 0) & (whole < 10**8)
        units = np.where(good, whole, 0) * UNIT
    good &= units < MOST_UNITS
    return np.where(good, units, 0), good


def _decimal_thousandths(column: pa.Array) -> tuple[Array, Array]:
    words = np.frombuffer(column.buffers()[1], dtype=np.int64)[2 * column.offset : 2 * (column.offset + len(column))]
    low, high = words[::2], words[1::2]
    good = high == 0
    good &= low >= 0
    if column.null_count:
        good &= column.is_valid().to_numpy(zero_copy_only=False)
    scale = column.type.scale
    if -8 <= scale <= 3:
        factor = 10 ** (3 - scale)
        good &= low <= MOST_UNITS // factor
        return np.where(good, low, 0) * factor, good
    if scale - 3 > 18 or scale < -8:
        good &= low == 0
        return np.zeros(len(column), dtype=np.int64), good
    units, rest = np.divmod(low, 10 ** (scale - 3))
    good &= rest == 0
    return units, good
