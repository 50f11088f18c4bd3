"""What happened to a row, in one word: the most telling of all that differs about it.

=========================  ==============================================================================================
``ADDED``                  a row that was not there
``REVERSED``               PTP: as ADDED, and the edit of the same codes in the other direction ended, was withdrawn or removed
``ADDED_WITHDRAWN``        as ADDED, but it never lived: a tombstone
``REMOVED``                a row that is gone without having been ended: cumulative tables lose no rows
``WITHDRAWN``              ended with the day it began, as if it had never been (semantics.md §A.4, §C.3)
``REVIVED``                a tombstone that lives again
``NEW_VERSION``            coverage: a document of another version
``VALUE_RAISED``           MUE: a greater value; ``VALUE_LOWERED``: a lesser one; ``VALUE_CONFIDENTIAL``: one not to be shown
``<COLUMN>_CHANGED``       a column that decides something: ``MODIFIER_INDICATOR_CHANGED``, ``MAI_CHANGED``, ``WHEN_CHANGED`` …
``FIRST_DAY_CHANGED``      it begins on another day
``ENDED``                  it ends, or ends earlier: a deletion date was added
``REOPENED``               it ends later, or no more
``CARRIED_OVER``           coverage: the same row in another version of its document
``<COLUMN>_CHANGED``       a column that only explains: ``RATIONALE_CHANGED``, ``TITLE_CHANGED`` …
=========================  ==============================================================================================

They are tried in this order; a row is counted under one word only, so that the counts add up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.rulesets.comparison.lifetimes import Lifetimes
from claimedits.rulesets.comparison.row_matching import Array, Matching
from claimedits.rulesets.comparison.row_names import RowNames

_UNSAID = -1


class ChangeWords(NamedTuple):
    """The word of each difference, as a position in ``words``."""

    words: tuple[str, ...]
    numbers: Array


class _Teller:
    """Gives words to differences that have none yet."""

    def __init__(self, size: int) -> None:
        self.words: list[str] = []
        self.numbers = np.full(size, _UNSAID, dtype=np.int16)

    def tell(self, word: str, where: Array) -> None:
        """Say ``word`` of the differences ``where``, unless something was said."""
        where = where & (self.numbers == _UNSAID)
        if where.any():
            if word not in self.words:
                self.words.append(word)
            self.numbers[where] = self.words.index(word)


def find_words(
    names: RowNames, tables: tuple[pa.Table, pa.Table], matching: Matching, lifetimes: tuple[Lifetimes, Lifetimes]
) -> ChangeWords:
    """The word of each difference. ``tables`` and ``lifetimes``: old, new."""
    teller = _Teller(len(matching.old_rows))
    old, new = lifetimes
    added, removed = matching.old_rows < 0, matching.new_rows < 0
    both = ~added & ~removed
    if "column_1" in names.fixed:
        ceased = removed | (both & (new.last < old.last))
        teller.tell("REVERSED", added & new.alive & _in_other_direction(tables, matching, ceased))
    teller.tell("ADDED_WITHDRAWN", added & ~new.alive)
    teller.tell("ADDED", added)
    teller.tell("REMOVED", removed)
    teller.tell("WITHDRAWN", old.alive & ~new.alive)
    teller.tell("REVIVED", ~old.alive & new.alive)
    if "value" in matching.differing and "confidential" in matching.differing:
        _tell_values(teller, tables, matching)
    if names.first_day and names.first_day not in names.key:
        teller.tell("NEW_VERSION", matching.differing[names.moving[0]])
    aside = (*names.key, names.first_day, *names.last_days, *names.describing)
    for name in matching.differing:
        if name not in aside:
            teller.tell(f"{name.upper()}_CHANGED", matching.differing[name])
    if names.first_day in matching.differing:
        teller.tell("FIRST_DAY_CHANGED", matching.differing[names.first_day])
    teller.tell("ENDED", both & (new.last < old.last))
    teller.tell("REOPENED", both & (new.last > old.last))
    for name in names.moving:
        teller.tell("CARRIED_OVER", matching.differing[name])
    for name in (*names.last_days, *names.describing):
        if name in matching.differing:
            teller.tell(f"{name.upper()}_CHANGED", matching.differing[name])
    return ChangeWords(tuple(teller.words), teller.numbers)


def _tell_values(teller: _Teller, tables: tuple[pa.Table, pa.Table], matching: Matching) -> None:
    """MUE values; of a confidential one not even whether it rose (§B.3)."""
    at = np.flatnonzero(matching.differing["value"] | matching.differing["confidential"])
    if not len(at):
        return
    values, secret = [], np.zeros(len(at), dtype=bool)
    for table, rows in zip(tables, (matching.old_rows, matching.new_rows), strict=True):
        found = table.select(["value", "confidential"]).take(pa.array(rows[at]))
        values.append(found["value"].to_numpy())
        secret |= found["confidential"].to_numpy(zero_copy_only=False)
    for word, which in (
        ("VALUE_CONFIDENTIAL", secret),
        ("VALUE_RAISED", values[1] > values[0]),
        ("VALUE_LOWERED", values[1] < values[0]),
    ):
        where = np.zeros(len(matching.old_rows), dtype=bool)
        where[at[which]] = True
        teller.tell(word, where)


def _in_other_direction(tables: tuple[pa.Table, pa.Table], matching: Matching, ceased: Array) -> Array:
    """Whether the pair of a difference is, turned round, among the pairs of the old rows that ``ceased``."""
    gone = tables[0].select(["column_1", "column_2"]).take(pa.array(matching.old_rows[ceased]))
    turned = set(zip(gone["column_2"].to_pylist(), gone["column_1"].to_pylist(), strict=True))
    if not turned:
        return np.zeros(len(matching.old_rows), dtype=bool)
    rows = tables[1].select(["column_1", "column_2"]).take(pa.array(matching.new_rows, mask=matching.new_rows < 0))
    pairs = pc.binary_join_element_wise(rows["column_1"].cast(pa.string()), rows["column_2"].cast(pa.string()), "+")
    wanted = pa.array([f"{a}+{b}" for a, b in turned], pa.string())
    return np.asarray(pc.fill_null(pc.is_in(pairs, wanted), False).to_numpy())
