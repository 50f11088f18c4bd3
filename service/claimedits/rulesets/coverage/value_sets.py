"""The index of value sets: which sets hold a code. For look-up; no edit reads it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import orjson

from claimedits.rulesets.indexes import Revisions


class ValueSet(NamedTuple):
    """One set in one revision that holds a code."""

    category: str
    determination: str
    value_set: str
    system: str
    revision: int


class ValueSetIndex:
    """Read-only view of all value sets, by code without its dot."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sets: dict[str, list[ValueSet]] | None = None

    def holding(self, code: str) -> list[ValueSet]:
        """The sets that hold ``code``."""
        return self._read().get(code.replace(".", ""), [])

    def holds(self, value_set: str) -> bool:
        """Whether there is a set of this name."""
        return any(held.value_set == value_set for sets in self._read().values() for held in sets)

    def _read(self) -> dict[str, list[ValueSet]]:
        if self._sets is None:  # read on first use: an evaluation never asks
            content = orjson.loads((self._directory / "value-sets.json").read_bytes())
            self._sets = {code: [ValueSet(*row) for row in rows] for code, rows in content.items()}
        return self._sets


class _ValueSetIndexKind:
    name = "value-sets"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        sets: dict[str, list[ValueSet]] = {}
        for position, (_, tables) in enumerate(revisions):
            for row in tables["value_sets"].to_pylist():
                entry = ValueSet(row["category"], row["determination"], row["value_set"], row["system"], position)
                sets.setdefault(row["code"].replace(".", ""), []).append(entry)
        content = {code: list(map(list, entries)) for code, entries in sets.items()}
        (directory / "value-sets.json").write_bytes(orjson.dumps(content))

    def open(self, directory: Path) -> ValueSetIndex:
        return ValueSetIndex(directory)


VALUE_SET_INDEX = _ValueSetIndexKind()
