"""The curated edits on codes, kind ``code-edits``: age and sex, and diagnoses that may not come first (semantics.md §F.3, §F.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import orjson

from claimedits.model.dates import Day
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.windows import Window, read_window

Row = Mapping[str, str]
E = TypeVar("E")
OLDEST = 999
"""Completed years that no patient reaches: an age without an upper end."""
_MOST_REMEMBERED = 65_536


class AgeSexEdit(NamedTuple):
    """Codes that are for patients of one sex or of one age."""

    first: str
    last: str
    sex: str
    """``F`` or ``M``; empty = either."""
    age_min: int
    """Completed years, inclusive."""
    age_max: int
    """Completed years, inclusive; OLDEST = no upper end."""
    lifted_by_modifiers: frozenset[str]
    """A line that carries one of them is not held to the sex."""
    lifted_by_condition_codes: frozenset[str]
    authority: str
    source: tuple[int, int]

    @property
    def limits_age(self) -> bool:
        return self.age_min > 0 or self.age_max < OLDEST


class SequenceEdit(NamedTuple):
    """Diagnoses that may not be listed first."""

    first: str
    last: str
    reason: str
    """``external_cause`` or ``manifestation``."""
    authority: str
    source: tuple[int, int]


class CodeRanges(Generic[E]):
    """Dated edits by range of codes. A range goes from a code or prefix to a code or prefix, both inclusive."""

    def __init__(self, rows: list[Row], read: Callable[[Row], E]) -> None:
        self._rows = [(row["from_code"], row["to_code"] + "~", _window(row, read(row))) for row in rows]
        self._remembered: dict[str, tuple[Window[E], ...]] = {}

    def on(self, code: str, day: Day) -> list[Window[E]]:
        """The edits that name ``code`` on ``day``, in the order of the table."""
        return [window for window in self.windows(code) if window.covers(day)]

    def windows(self, code: str) -> tuple[Window[E], ...]:
        """The edits that name ``code`` on any day, in the order of the table."""
        windows = self._remembered.get(code)
        if windows is None:
            if len(self._remembered) >= _MOST_REMEMBERED:  # codes are the caller's: bounded
                self._remembered.clear()
            windows = tuple(window for first, last, window in self._rows if first <= code < last)
            self._remembered[code] = windows
        return windows


class CodeEdits:
    """One revision of the curated edits, opened."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        age_sex = tables.get("age-sex", [])
        self.procedures = CodeRanges([row for row in age_sex if row["kind"] == "procedure"], _age_sex)
        self.diagnoses = CodeRanges([row for row in age_sex if row["kind"] == "diagnosis"], _age_sex)
        self.sequence = CodeRanges(tables.get("diagnosis-sequence", []), _sequence)


def _window(row: Row, value: E) -> Window[E]:
    return read_window(row["effective_from"], row["effective_to"], value)


def _age_sex(row: Row) -> AgeSexEdit:
    return AgeSexEdit(
        row["from_code"],
        row["to_code"],
        row["sex"],
        int(row["age_min"] or 0),
        int(row["age_max"] or OLDEST),
        frozenset(row["lifted_by_modifiers"].split()),
        frozenset(row["lifted_by_condition_codes"].split()),
        row["authority"],
        (int(row["source"]), int(row["source_row"])),
    )


def _sequence(row: Row) -> SequenceEdit:
    source = (int(row["source"]), int(row["source_row"]))
    return SequenceEdit(row["from_code"], row["to_code"], row["reason"], row["authority"], source)


class _CodeEditsIndexKind:
    name = "code-edits"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        content = [{name: table.to_pylist() for name, table in tables.items()} for _, tables in revisions]
        (directory / "tables.json").write_bytes(orjson.dumps(content))

    def open(self, directory: Path) -> tuple[CodeEdits, ...]:
        return tuple(CodeEdits(tables) for tables in orjson.loads((directory / "tables.json").read_bytes()))


CODE_EDITS_INDEX = _CodeEditsIndexKind()
