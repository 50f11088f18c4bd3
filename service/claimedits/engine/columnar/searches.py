"""The searches that touch every row of a part: pairs of the PTP table, repeated services. Both go by the distance of rows
within a claim: first every row and its neighbour, then every row and the one after, as long as claims are that long.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from claimedits.engine.columnar.lines import LineColumns
from claimedits.rulesets.mapped_arrays import Array
from claimedits.rulesets.ptp_index import PtpIndex


def find_pairs(index: PtpIndex, lines: LineColumns, numbers: Array) -> tuple[Array, Array]:
    """Rows (a, b), a before b, of one claim whose codes stand together in a row of the table that is alive on a common day.

    ``numbers`` are the codes' numbers in the index, -1 for rows that take no part. Two history lines make no pair.
    """
    usable = np.flatnonzero(numbers >= 0)
    code, claim = numbers[usable].astype(np.int64), lines.claim_of[usable]
    bits = np.frombuffer(index.bits, dtype=np.uint8)
    found_a, found_b = [], []
    for distance in range(1, len(usable)):
        a = np.flatnonzero(claim[distance:] == claim[:-distance])
        if not len(a):
            break
        b = a + distance
        hit = bits[code[a] * index.stride + (code[b] >> 3)] >> (code[b] & 7) & 1
        a, b = a[hit == 1], b[hit == 1]
        found_a.append(usable[a])
        found_b.append(usable[b])
    rows_a = np.concatenate(found_a) if found_a else np.zeros(0, dtype=np.int64)
    rows_b = np.concatenate(found_b) if found_b else np.zeros(0, dtype=np.int64)
    first = np.maximum(lines.first_day[rows_a], lines.first_day[rows_b])
    last = np.minimum(lines.last_day[rows_a], lines.last_day[rows_b])
    kept = (first <= last) & ~(lines.is_history[rows_a] & lines.is_history[rows_b])
    alive = np.zeros(len(rows_a), dtype=bool)
    for i in np.flatnonzero(kept).tolist():
        rows = index.rows(int(numbers[rows_a[i]]), int(numbers[rows_b[i]]))
        alive[i] = any(
            row.modifier_indicator != 9
            and row.effective_from != row.effective_to
            and row.effective_from <= last[i]
            and row.effective_to >= first[i]
            for row in rows
        )
    order = np.lexsort((rows_b[alive], rows_a[alive]))
    return rows_a[alive][order], rows_b[alive][order]


def find_repeats(claim_of: Array, rows: Array, values: Sequence[Array]) -> Array:
    """Those of ``rows`` (ascending) that share all ``values`` with another of ``rows`` in their claim."""
    claim = claim_of[rows]
    columns = [value[rows] for value in values]
    repeated = np.zeros(len(rows), dtype=bool)
    for distance in range(1, len(rows)):
        near = np.flatnonzero(claim[distance:] == claim[:-distance])
        if not len(near):
            break
        for column in columns:
            near = near[column[near] == column[near + distance]]
        repeated[near] = repeated[near + distance] = True
    return np.asarray(rows[repeated])


def gather(rows: Array, values: Sequence[Array]) -> tuple[Array, Array]:
    """``rows`` brought together by equal ``values`` (the first counts most), ascending within; and where each group ends."""
    order = rows[np.lexsort((rows, *[value[rows] for value in reversed(values)]))]
    if not len(order):
        return order, np.zeros(0, dtype=np.int64)
    changes = np.zeros(len(order), dtype=bool)
    for value in values:
        changes[1:] |= value[order[1:]] != value[order[:-1]]
    return order, np.append(np.flatnonzero(changes), len(order))
