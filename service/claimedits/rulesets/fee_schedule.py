"""The index of fee-schedule indicators: one column a release of the file (file-formats.md §4)."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from claimedits.rulesets.code_keys import code_key, code_keys, code_of, find_key
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.mapped_arrays import map_array, save_array
from claimedits.rulesets.versions import Selection

_MOST_REMEMBERED = 65_536


class Indicators(NamedTuple):
    """Payment policy indicators of a code and modifier, as published; empty = not stated."""

    status: str
    pctc: str
    global_days: str
    multiple_procedure: str
    bilateral: str
    assistant: str
    co_surgeon: str
    team_surgeon: str


class FeeSchedule:
    """Read-only view of all releases of one fee schedule."""

    def __init__(self, directory: Path) -> None:
        meta = orjson.loads((directory / "index.meta.json").read_bytes())
        self._combinations = [Indicators(*words) for words in meta["combinations"]]
        self._keys = map_array(directory, "keys")
        self._columns = [
            tuple(map_array(directory, f"{name}_{i}") for name in ("combination", "source", "source_row"))
            for i in range(meta["revisions"])
        ]
        self._remembered: dict[tuple[str, str, int], Indicators | None] = {}

    def indicators(self, code: str, modifier: str, selection: Selection) -> Indicators | None:
        """The indicators in force; ``modifier`` empty = the global row, else ``26``, ``TC`` or ``53``."""
        key = (code, modifier, selection.in_force)
        try:
            return self._remembered[key]
        except KeyError:
            if len(self._remembered) >= _MOST_REMEMBERED:  # codes are the caller's: bounded
                self._remembered.clear()
            combination = self._find(code, modifier, selection.in_force)[0]
            found = self._remembered[key] = self._combinations[combination] if combination >= 0 else None
            return found

    def source(self, code: str, modifier: str, selection: Selection) -> tuple[int, int]:
        """(file, record) of a row for its citation; (0, 0) where there is none."""
        return self._find(code, modifier, selection.in_force)[1:]

    def knows(self, code: str, selection: Selection) -> bool:
        """Whether the release in force holds any row of the code."""
        combinations = self._columns[selection.in_force][0]
        low, high = (bisect_left(self._keys, code_key(code + end)) for end in ("", "~"))
        return any(combinations[position] >= 0 for position in range(low, high))

    def rows(self, code: str) -> list[tuple[str, int, Indicators, tuple[int, int]]]:
        """Every row of a code: modifier (empty = the global row), revision, indicators, (file, record). For look-up."""
        low, high = (bisect_left(self._keys, code_key(code + end)) for end in ("", "~"))
        return [
            (code_of(self._keys[at])[len(code) :], revision, self._combinations[combination[at]], (source[at], row[at]))
            for at in range(low, high)
            for revision, (combination, source, row) in enumerate(self._columns)
            if combination[at] >= 0
        ]

    def _find(self, code: str, modifier: str, revision: int) -> tuple[int, int, int]:
        position = find_key(self._keys, code_key(code + modifier)) if len(code) == 5 else -1
        if position < 0:
            return -1, 0, 0
        combination, source, source_row = (column[position] for column in self._columns[revision])
        return (combination, source, source_row) if combination >= 0 else (-1, 0, 0)


class _FeeScheduleIndexKind:
    name = "pfs"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        numbers: dict[tuple[str, ...], int] = {}
        columns = []
        for _, tables in revisions:
            table = tables["indicators"].to_pydict()
            codes = [code + modifier for code, modifier in zip(table["procedure_code"], table["modifier"], strict=True)]
            words = zip(*(table[name] for name in Indicators._fields), strict=True)
            combinations = [numbers.setdefault(combination, len(numbers)) for combination in words]
            columns.append((code_keys(codes), combinations, table["source"], table["source_row"]))
        keys = np.unique(np.concatenate([column[0] for column in columns]))
        save_array(directory, "keys", keys)
        for i, (own_keys, combinations, source, source_row) in enumerate(columns):
            at = np.searchsorted(keys, own_keys)
            for name, dtype, values in (
                ("combination", np.int32, combinations),
                ("source", np.uint16, source),
                ("source_row", np.uint32, source_row),
            ):
                array = np.full(len(keys), -1 if name == "combination" else 0, dtype=dtype)
                array[at] = values
                save_array(directory, f"{name}_{i}", array)
        meta = {"combinations": list(numbers), "revisions": len(columns)}
        (directory / "index.meta.json").write_bytes(orjson.dumps(meta))

    def open(self, directory: Path) -> FeeSchedule:
        return FeeSchedule(directory)


FEE_SCHEDULE_INDEX = _FeeScheduleIndexKind()
