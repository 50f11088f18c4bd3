"""How the rows of one table differ between two revisions, counted, and shown a few at a time."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from claimedits.model.dates import day_of, format_day
from claimedits.rulesets.comparison.change_words import ChangeWords
from claimedits.rulesets.comparison.row_matching import Array, Matching
from claimedits.rulesets.comparison.row_names import PLACE
from claimedits.rulesets.revision import Source

CONFIDENTIAL = "confidential"
"""Shown in place of a value that may not be published (semantics.md §B.3)."""
_SHOWN_AT_ONCE = 10_000


class ChangeKind(IntEnum):
    """What became of a row. Numbers are those of the contract's ``RowChangeKind``."""

    ADDED = 1
    REMOVED = 2
    CHANGED = 3


Fields = tuple[tuple[str, str], ...]
"""Names of columns and their cells as text: days as YYYY-MM-DD, an open day empty, truth as ``true`` and ``false``."""


class RowChange(NamedTuple):
    """One row that differs."""

    table: str
    kind: ChangeKind
    key: Fields
    """What names the row, as it stands in the old revision; in the new one where it is added."""
    before: Fields
    """The columns that differ, the moving part of the key among them; of a removed row all beside the key; empty = added."""
    after: Fields
    """As ``before``; empty = removed."""
    retroactive: bool
    """Whether service days before the new revision's own are touched (``retroactivity``)."""
    old_source_file: str
    """Empty, and row 0, where the row is added."""
    old_source_row: int
    new_source_file: str
    """Empty, and row 0, where the row is removed."""
    new_source_row: int
    change: str
    """What happened to the row (``change_words``)."""


@dataclass(slots=True, frozen=True)
class Side:
    """One revision's rows of a table."""

    table: pa.Table
    sources: tuple[Source, ...]


@dataclass(slots=True, frozen=True)
class TableComparison:
    """The rows of one table in two revisions. Rows are mapped from disk, not held; what differs is held by position."""

    table: str
    key: tuple[str, ...]
    """Columns that name a row."""
    old_rows: int
    new_rows: int
    added: int
    removed: int
    changed: int
    unchanged: int
    retroactive: int
    """How many of the added, removed and changed rows are retroactive."""
    changed_columns: Mapping[str, int]
    """How many changed rows differ in a column; columns without a difference are left out."""
    columns_lost: tuple[str, ...]
    """Columns that only the old table has. They are not compared."""
    columns_gained: tuple[str, ...]
    old: Side
    new: Side
    matching: Matching
    kinds: Array
    """``ChangeKind`` of each difference, in the order of ``matching``."""
    is_retroactive: Array
    change: ChangeWords
    """What happened to each row."""

    @property
    def differences(self) -> int:
        """Rows added, removed and changed."""
        return len(self.kinds)

    def select(self, kinds: Collection[ChangeKind] = (), retroactive_only: bool = False) -> Array:
        """Positions of the differences of these kinds (empty = all), in the order of their keys."""
        wanted = np.isin(self.kinds, [int(kind) for kind in kinds]) if kinds else np.ones(len(self.kinds), dtype=bool)
        return np.flatnonzero(wanted & self.is_retroactive if retroactive_only else wanted)

    def rows(self, positions: Sequence[int] | Array | None = None) -> Iterator[RowChange]:
        """The differences at these positions (None = all), each read when it is asked for, some thousands at once."""
        at = np.arange(self.differences) if positions is None else np.asarray(positions, dtype=np.int64)
        for start in range(0, len(at), _SHOWN_AT_ONCE):
            yield from self._read(at[start : start + _SHOWN_AT_ONCE])

    def side_values(self, column: str, *, old: bool) -> pa.ChunkedArray:
        """A column of the rows that differ, on one side; null where that side lacks the row."""
        side, at = (self.old, self.matching.old_rows) if old else (self.new, self.matching.new_rows)
        return side.table[column].take(pa.array(at, mask=at < 0))

    def _read(self, at: Array) -> Iterator[RowChange]:
        olds, news = self.matching.old_rows[at], self.matching.new_rows[at]
        before, after = _cells(self.old, olds), _cells(self.new, news)
        compared = [
            name for name in (self.old.table if self.old_rows else self.new.table).column_names if name not in PLACE
        ]
        common = [name for name in compared if name not in (*self.columns_lost, *self.columns_gained)]
        for i, position in enumerate(at):
            kind = ChangeKind(int(self.kinds[position]))
            old, new = before[i], after[i]
            named = old or new
            if kind is ChangeKind.CHANGED:
                shown = [
                    name
                    for name in common
                    if name in self.matching.differing and self.matching.differing[name][position]
                ]
            else:
                shown = [name for name in named if name not in self.key and name not in PLACE]
            yield RowChange(
                self.table,
                kind,
                tuple((name, named[name]) for name in self.key),
                tuple((name, old[name]) for name in shown) if old else (),
                tuple((name, new[name]) for name in shown) if new else (),
                bool(self.is_retroactive[position]),
                *_place(self.old, old),
                *_place(self.new, new),
                self.change.words[self.change.numbers[position]],
            )


def _cells(side: Side, rows: Array) -> list[dict[str, str]]:
    """The cells of rows as text; an empty dictionary for row -1."""
    wanted = rows[rows >= 0]
    found = iter(side.table.take(pa.array(wanted)).to_pylist())
    return [_as_texts(next(found)) if row >= 0 else {} for row in rows]


def _as_texts(row: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: as_text(cell) for name, cell in row.items()}
    if row.get("confidential") is True:
        texts["value"] = CONFIDENTIAL
    return texts


def as_text(cell: object) -> str:
    """A cell as the comparison shows it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime.date):
        return format_day(day_of(cell))
    return str(cell)


def _place(side: Side, row: Mapping[str, str]) -> tuple[str, int]:
    if not row or PLACE[1] not in row:
        return "", 0
    source = int(row[PLACE[0]])
    return (side.sources[source].file if source < len(side.sources) else ""), int(row[PLACE[1]])
