"""The add-on code index: a few thousand rows, held as they are (file-formats.md §3; semantics.md §C)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import orjson

from claimedits.model.dates import FOREVER, Day
from claimedits.rulesets.indexes import Revisions


class AddOnRow(NamedTuple):
    """One edit of the published table, with the revisions it stands in."""

    add_on_code: str
    primary_code: str
    """A code, or ``CCCCC`` = contractor defined."""
    effective_from: Day
    effective_to: Day
    """Deletion of the edit, inclusive; equal to ``effective_from`` = withdrawn as if it had never been."""
    edit_type: int
    """1, 2 or 3."""
    add_on_deleted_on: Day
    primary_deleted_on: Day
    """Deletions of the codes themselves, inclusive; FOREVER = none."""
    note: str
    settings: str
    """Setting words, comma-separated, where the row itself states them; empty = all."""
    revisions: int
    """Bit ``i`` is set where the row stands in revision ``i`` of the rule set's editions."""
    sources: tuple[tuple[int, int], ...]
    """Source file and record for each revision; (0, 0) where the row does not stand in it."""

    @property
    def is_withdrawn(self) -> bool:
        """Deleted with the day it began: a tombstone (semantics.md §C.3)."""
        return self.effective_to == self.effective_from


class AddOnIndex:
    """Read-only view of one rule set's add-on codes."""

    def __init__(self, directory: Path) -> None:
        rows = [_row(fields) for fields in orjson.loads((directory / "rows.json").read_bytes())]
        self._by_code: dict[str, list[AddOnRow]] = {}
        for row in rows:
            self._by_code.setdefault(row.add_on_code, []).append(row)
        self.add_on_codes: frozenset[str] = frozenset(self._by_code)
        """Every code that is an add-on in some row."""
        self._by_primary: dict[str, list[AddOnRow]] = {}
        for row in rows:
            self._by_primary.setdefault(row.primary_code, []).append(row)

    def rows(self, add_on_code: str) -> list[AddOnRow]:
        """Every row of an add-on code, by primary and effective date."""
        return self._by_code.get(add_on_code, [])

    def rows_with_primary(self, code: str) -> list[AddOnRow]:
        """Every row that lists ``code`` as a primary."""
        return self._by_primary.get(code, [])


def _row(fields: list[Any]) -> AddOnRow:
    sources = tuple((file, record) for file, record in fields[-1])
    return AddOnRow._make((*fields[:-2], int(fields[-2]), sources))


_KEYS = (
    "add_on_code",
    "primary_code",
    "effective_from",
    "effective_to",
    "edit_type",
    "add_on_deleted_on",
    "primary_deleted_on",
    "note",
    "settings",
)


class _AddOnIndexKind:
    name = "aoc"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        merged: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        bits: dict[tuple[Any, ...], int] = {}
        for i, (_, tables) in enumerate(revisions):
            table = tables["edits"]
            columns = [
                table[name].cast("int32").fill_null(FOREVER).to_pylist()
                if name.endswith(("_from", "_to", "_on"))
                else table[name].to_pylist()
                for name in _KEYS
            ]
            sources = zip(table["source"].to_pylist(), table["source_row"].to_pylist(), strict=True)
            for key, source in zip(zip(*columns, strict=True), sources, strict=True):
                merged.setdefault(key, [(0, 0)] * len(revisions))[i] = source
                bits[key] = bits.get(key, 0) | 1 << i
        rows = [[*key, str(bits[key]), merged[key]] for key in sorted(merged)]
        (directory / "rows.json").write_bytes(orjson.dumps(rows))

    def open(self, directory: Path) -> AddOnIndex:
        return AddOnIndex(directory)


ADD_ON_INDEX = _AddOnIndexKind()
