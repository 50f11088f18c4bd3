"""What is usual for the codes of a PTP table: the column they stand in, and the indicator they carry with a rationale.

A new row has no predecessor to be held against. It is held against the open edits of its codes, old and new, instead.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import Day
from claimedits.rulesets.comparison.table_comparison import TableComparison
from claimedits.rulesets.lints.thresholds import Thresholds

Array = npt.NDArray[np.int64]
_MOST = 20_000
"""More new rows than this are another table, and no row of it is odd."""


@dataclass(slots=True, frozen=True)
class _Edit:
    position: int
    column_1: str
    column_2: str
    indicator: int
    rationale: str


def find_odd_edits(
    table: TableComparison, positions: Sequence[int] | Array, since: Day, thresholds: Thresholds
) -> Iterator[tuple[int, str, str]]:
    """(position, lint, what) of the new open edits among ``positions`` that run against the habits of their codes."""
    like, share, odds = thresholds.like_edits, thresholds.odd_share, thresholds.odd_direction
    if like is None or share is None or odds is None or not 0 < len(positions) <= _MOST or not table.old_rows:
        return
    edits = _new_edits(table, positions)
    if not edits:
        return
    habits = _Habits(table.old.table, edits)
    for edit in edits:
        against = habits.odds_of_direction(edit)
        if against <= -odds:
            seen = habits.usual_columns(edit)
            yield edit.position, "CE407", f"it runs against the other edits of its codes ({seen})"
        usual = habits.usual_indicator(edit, like, share)
        if usual:
            yield edit.position, "CE408", usual


def _new_edits(table: TableComparison, positions: Sequence[int] | Array) -> list[_Edit]:
    at = np.asarray(positions, dtype=np.int64)
    rows = table.new.table.take(pa.array(table.matching.new_rows[at]))
    names = ("column_1", "column_2", "rationale")
    words = [rows[name].cast(pa.string()).to_pylist() for name in names]
    cells = zip(
        at.tolist(), *words, rows["modifier_indicator"].to_pylist(), rows["effective_to"].to_pylist(), strict=True
    )
    return [
        _Edit(position, one, two, int(indicator), rationale)
        for position, one, two, rationale, indicator, last in cells
        if last is None and indicator in (0, 1)
    ]


class _Habits:
    """Counts over the open edits of the table before, and over the new ones."""

    def __init__(self, old: pa.Table, edits: Sequence[_Edit]) -> None:
        is_open = pc.and_(pc.is_null(old["effective_to"]), pc.not_equal(old["modifier_indicator"], 9))
        rows = old.filter(is_open)
        self._columns: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._indicators: tuple[Counter[tuple[str, str, int]], ...] = (Counter(), Counter())
        self._new_indicators: tuple[Counter[tuple[str, str, int]], ...] = (Counter(), Counter())
        indicators = np.asarray(rows["modifier_indicator"].to_numpy()).astype(np.int64)
        reasons, reason = _words(rows["rationale"])
        for side, name in enumerate(("column_1", "column_2")):
            codes, code = _words(rows[name])
            self._columns[side].update(dict(zip(codes, np.bincount(code, minlength=len(codes)).tolist(), strict=True)))
            packed, counts = np.unique((code * max(1, len(reasons)) + reason) * 2 + indicators, return_counts=True)
            for key, count in zip(packed.tolist(), counts.tolist(), strict=True):
                at = key // 2
                self._indicators[side][codes[at // len(reasons)], reasons[at % len(reasons)], key % 2] = count
        for edit in edits:
            for side, own in enumerate((edit.column_1, edit.column_2)):
                self._columns[side][own] += 1
                self._indicators[side][own, edit.rationale, edit.indicator] += 1
                self._new_indicators[side][own, edit.rationale, edit.indicator] += 1

    def odds_of_direction(self, edit: _Edit) -> float:
        """Logarithm of the odds for the columns as they stand; the edit itself does not count."""

        def lean(code: str, own: int) -> float:
            first, second = (self._columns[side][code] - (side == own) for side in (0, 1))
            return math.log((first + 0.5) / (second + 0.5))

        return lean(edit.column_1, 0) - lean(edit.column_2, 1)

    def usual_columns(self, edit: _Edit) -> str:
        """How often each of its codes stands in each column."""
        said = []
        for code, own in ((edit.column_1, 0), (edit.column_2, 1)):
            first, second = (self._columns[side][code] - (side == own) for side in (0, 1))
            said.append(f"{code} is column 1 in {first:,} and column 2 in {second:,}")
        return ", ".join(said)

    def usual_indicator(self, edit: _Edit, like: float, share: float) -> str:
        """What is odd about the indicator; empty = edits like it have it, or there are too few of them."""
        said = []
        for side, code in enumerate((edit.column_1, edit.column_2)):
            same, other = (
                self._indicators[side][code, edit.rationale, indicator]
                for indicator in (edit.indicator, 1 - edit.indicator)
            )
            same -= 1
            if same + other < like:
                continue
            new = self._new_indicators[side][code, edit.rationale, edit.indicator]
            if (same + 0.5) / (same + other + 1) >= share or new > 1:
                return ""
            said.append(
                f"{other:,} of {same + other:,} edits with column {side + 1} {code} and this rationale have {1 - edit.indicator}"
            )
        return f"its modifier indicator is {edit.indicator}, and {', '.join(said)}" if said else ""


def _words(column: pa.ChunkedArray) -> tuple[list[str], Array]:
    """The distinct words of a column, and which of them each row holds."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    combined = column.unify_dictionaries().combine_chunks()
    array = combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined
    return array.dictionary.to_pylist(), np.asarray(array.indices).astype(np.int64)
