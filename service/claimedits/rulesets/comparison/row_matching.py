"""Matches the rows of two editions of a table: which stand in both, which changed, which came and went.

A row becomes one whole number: the rank of each of its cells among the cells of both tables, in mixed radix. Equal numbers
are equal rows, and their order is the order of the rows, so that two sorted arrays tell what differs: two million rows a side
in seconds, and in memory that grows with the rows by a few dozen bytes each. Only rows that differ are ever looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
_MOST = 2**62
"""A row's number stays below this; where another column would carry it beyond, the numbers so far are ranked anew."""


@dataclass(slots=True, frozen=True)
class Matching:
    """Rows that differ, by position in the two tables, in the order of their key."""

    old_rows: Array
    """int64; -1 = the row stands in the new table only."""
    new_rows: Array
    """int64; -1 = the row stands in the old table only."""
    unchanged: int
    differing: dict[str, Array]
    """For each compared column that is no fixed part of the key: whether a changed row differs in it."""


def match_rows(
    old: pa.Table, new: pa.Table, fixed: Sequence[str], moving: Sequence[str], values: Sequence[str]
) -> Matching:
    """Match two tables by key; columns of both tables that are named in none of the three lists are not compared.

    Identical rows are matched first, copies one to one. What is left is matched by the whole key, rows that share a key in the
    order of their values. Of what is then left, a thing (``fixed``) that lost exactly one row and gained exactly one is held to
    have changed in its ``moving`` columns.
    """
    columns = (*fixed, *moving, *values)
    if not old.num_rows or not new.num_rows:
        return _all_of_one(old, new, columns, moving, values)
    left_old, left_new = _unmatched(*_pack(_ranks(old, new, columns)))
    unchanged = old.num_rows - len(left_old)
    rest_old, rest_new = old.select(columns).take(pa.array(left_old)), new.select(columns).take(pa.array(left_new))
    ranks = dict(zip(columns, _ranks(rest_old, rest_new, columns), strict=True))
    rows = _pack(iter(ranks.values()))
    whole = _pack(ranks[name] for name in (*fixed, *moving))
    pairs = _pair_up(whole, rows)
    pairs = np.concatenate([pairs, _pair_moved(_pack(ranks[name] for name in fixed), pairs)]) if moving else pairs
    single_old = np.setdiff1d(np.arange(len(left_old)), pairs[:, 0])
    single_new = np.setdiff1d(np.arange(len(left_new)), pairs[:, 1])
    at_old = np.concatenate([pairs[:, 0], single_old, np.full(len(single_new), -1)])
    at_new = np.concatenate([pairs[:, 1], np.full(len(single_old), -1), single_new])
    order = _key_order(whole, rows, at_old, at_new)
    at_old, at_new = at_old[order], at_new[order]
    both = (at_old >= 0) & (at_new >= 0)
    differing = {}
    for name in (*moving, *values):
        old_ranks, new_ranks, _ = ranks[name]
        differs = np.zeros(len(at_old), dtype=bool)
        differs[both] = old_ranks[at_old[both]] != new_ranks[at_new[both]]
        differing[name] = differs
    return Matching(_places(left_old, at_old), _places(left_new, at_new), unchanged, differing)


def _all_of_one(
    old: pa.Table, new: pa.Table, columns: Sequence[str], moving: Sequence[str], values: Sequence[str]
) -> Matching:
    """One table is empty: every row of the other was added or removed."""
    packed = _pack(_ranks(old, new, columns))
    orders = [np.argsort(side, kind="stable") for side in packed]
    none = [np.full(len(order), -1, dtype=np.int64) for order in orders]
    equal = np.zeros(len(orders[0]) + len(orders[1]), dtype=bool)
    return Matching(
        np.concatenate([orders[0], none[1]]),
        np.concatenate([none[0], orders[1]]),
        0,
        dict.fromkeys((*moving, *values), equal),
    )


def _places(left: Array, at: Array) -> Array:
    return np.where(at >= 0, left[at] if len(left) else -1, -1).astype(np.int64)


# ---- Rows as numbers ----

Ranks = tuple[Array, Array, int]
"""Rank of each row's cell in the old and in the new table, and how many ranks there are."""


def _ranks(old: pa.Table, new: pa.Table, columns: Sequence[str]) -> Iterator[Ranks]:
    """One column after the other, so that only one is held."""
    for name in columns:
        kind = old.schema.field(name).type
        is_text = pa.types.is_dictionary(kind) or pa.types.is_string(kind)
        yield (_text_ranks if is_text else _number_ranks)(old[name], new[name])


def _text_ranks(old: pa.ChunkedArray, new: pa.ChunkedArray) -> Ranks:
    sides = [_words(old), _words(new)]
    words = sorted({word for side in sides for word in side[0]}, key=lambda word: (word is not None, word))
    number = {word: i for i, word in enumerate(words)}
    ranked = [np.array([number[word] for word in own] or [0], dtype=np.int32)[at] for own, at in sides]
    return ranked[0], ranked[1], max(1, len(words))


def _words(column: pa.ChunkedArray) -> tuple[list[Any], Array]:
    """The distinct words of a column, and which of them each row holds; a null is the word None, the last one."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    words: list[Any] = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    parts = [
        pc.fill_null(chunk.indices.cast(pa.int32()), len(words)).to_numpy(zero_copy_only=False)
        for chunk in column.chunks
    ]
    at = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
    return [*words, None], at


def _number_ranks(old: pa.ChunkedArray, new: pa.ChunkedArray) -> Ranks:
    """Whole numbers, days and truth; a null comes before them all."""
    numbers = [_numbers(old), _numbers(new)]
    known = np.concatenate([values[~null] for values, null in numbers])
    least, most = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    if most - least < 2**22:
        present = np.zeros(most - least + 1, dtype=bool)
        for values, null in numbers:
            present[values[~null] - least] = True
        rank = np.cumsum(present, dtype=np.int32)
        ranked = [np.where(null, 0, rank[np.where(null, 0, values - least)]) for values, null in numbers]
        return ranked[0], ranked[1], int(rank[-1]) + 1
    distinct = np.unique(known)
    ranked = [np.where(null, 0, np.searchsorted(distinct, values) + 1) for values, null in numbers]
    return ranked[0], ranked[1], len(distinct) + 1


def _numbers(column: pa.ChunkedArray) -> tuple[Array, Array]:
    null = np.asarray(column.is_null().to_numpy())
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    values = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
    return np.asarray(values), null


def _pack(ranks: Iterator[Ranks]) -> tuple[Array, Array]:
    """One number a row, for both tables; ordered as the rows are by their columns from left to right."""
    packed: list[Array] = []
    size = 1
    for old, new, count in ranks:
        if not packed:
            packed, size = [old.astype(np.int64), new.astype(np.int64)], count
            continue
        if size * count >= _MOST:
            packed, size = _rank_anew(packed)
        packed = [side * count + own for side, own in zip(packed, (old, new), strict=True)]
        size *= count
    return packed[0], packed[1]


def _rank_anew(packed: list[Array]) -> tuple[list[Array], int]:
    distinct = np.unique(np.concatenate(packed))
    return [np.searchsorted(distinct, side) for side in packed], max(1, len(distinct))


# ---- Who is whose counterpart ----


def _unmatched(old: Array, new: Array) -> tuple[Array, Array]:
    """Positions of the rows on each side that the other lacks; copies are matched one to one."""
    old, new = _distinguish_copies(old, new)
    return _lacking(old, new), _lacking(new, old)


def _lacking(rows: Array, others: Array) -> Array:
    if not len(others):
        return np.arange(len(rows))
    ordered = np.sort(others)
    at = np.searchsorted(ordered, rows)
    at[at == len(ordered)] = 0
    return np.flatnonzero(ordered[at] != rows)


def _distinguish_copies(old: Array, new: Array) -> tuple[Array, Array]:
    """The same numbers, made distinct on each side: the first copy, the second …"""
    counts = [_copy_numbers(side) for side in (old, new)]
    most = max((int(count.max(initial=0)) for count in counts), default=0) + 1
    if most == 1:
        return old, new
    packed, _ = _rank_anew([old, new])
    return packed[0] * most + counts[0], packed[1] * most + counts[1]


def _copy_numbers(rows: Array) -> Array:
    """For each row, how many equal ones come before it."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    begins = (
        np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(rows) else np.empty(0, np.int64)
    )
    lengths = np.diff(np.append(begins, len(rows)))
    numbers = np.empty(len(rows), dtype=np.int64)
    numbers[order] = np.arange(len(rows)) - np.repeat(begins, lengths)
    return numbers


def _pair_up(keys: tuple[Array, Array], rows: tuple[Array, Array]) -> Array:
    """Positions (old, new) of rows of one key; several rows of a key are paired in the order of their values."""
    named = []
    for key, row in zip(keys, rows, strict=True):
        order = np.lexsort((row, key))
        numbers = np.empty(len(key), dtype=np.int64)
        numbers[order] = _copy_numbers(key[order])
        named.append(numbers)
    packed, _ = _rank_anew(list(keys))
    most = max(int(numbers.max(initial=0)) for numbers in named) + 1
    _, at_old, at_new = np.intersect1d(
        packed[0] * most + named[0], packed[1] * most + named[1], assume_unique=True, return_indices=True
    )
    return np.column_stack([at_old, at_new])


def _pair_moved(things: tuple[Array, Array], paired: Array) -> Array:
    """Positions (old, new) of the only rows that a thing lost and gained."""
    only = []
    for side, thing in enumerate(things):
        left = np.setdiff1d(np.arange(len(thing)), paired[:, side])
        values, at, count = np.unique(thing[left], return_index=True, return_counts=True)
        only.append((values[count == 1], left[at[count == 1]]))
    _, at_old, at_new = np.intersect1d(only[0][0], only[1][0], assume_unique=True, return_indices=True)
    return np.column_stack([only[0][1][at_old], only[1][1][at_new]]).astype(np.int64)


def _key_order(whole: tuple[Array, Array], rows: tuple[Array, Array], at_old: Array, at_new: Array) -> Array:
    """By key (the old one where there are two), then by values: the same for the same tables, whatever their order."""

    def of(sides: tuple[Array, Array]) -> Array:
        old, new = (side if len(side) else np.zeros(1, np.int64) for side in sides)
        return np.where(at_old >= 0, old[at_old], new[at_new])

    return np.lexsort((at_old < 0, of(rows), of(whole)))
