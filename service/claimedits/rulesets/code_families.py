"""Families of procedure codes as dated ranges: E/M, laboratory, anesthesia … (semantics.md §A.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from claimedits.model.dates import Day
from claimedits.rulesets.windows import Window, read_window

_CODE = re.compile(r"([A-Z]?)(\d{4,5})([A-Z]?)")


def _place(code: str) -> tuple[str, int] | None:
    """Where a code stands: its letter (before or after the digits) and its number. ``0001U`` and ``0001M`` differ."""
    match = _CODE.fullmatch(code)
    return (f"{match[1]}#{match[3]}", int(match[2])) if match else None


class CodeFamily:
    """Codes from ``first`` to ``last`` of each range, both inclusive, on the days of the range."""

    def __init__(self, ranges: Iterable[Window[tuple[str, str]]]) -> None:
        self._ranges = []
        for window in ranges:
            first, last = _place(window.value[0]), _place(window.value[1])
            if first is None or last is None or first[0] != last[0] or first[1] > last[1]:
                raise ValueError(f"{window.value[0]} to {window.value[1]} is not a range of procedure codes")
            self._ranges.append((first[0], first[1], last[1], window))
        self._windows: dict[str, tuple[Window[tuple[str, str]], ...]] = {}

    def contains(self, code: str, day: Day) -> bool:
        """Whether ``code`` belongs to the family on ``day``."""
        windows = self._windows.get(code)
        if windows is None:
            place = _place(code)
            windows = tuple(
                w for letter, low, high, w in self._ranges if place and place[0] == letter and low <= place[1] <= high
            )
            if len(self._windows) >= 65_536:  # codes are the caller's: bounded
                self._windows.clear()
            self._windows[code] = windows
        return any(window.effective_from <= day <= window.effective_to for window in windows)


def read_code_families(rows: Iterable[Mapping[str, str]]) -> dict[str, CodeFamily]:
    """Families by name from rows ``family, first, last, effective_from, effective_to``.

    Raises:
        ValueError: a range is not one, or a date is malformed.
    """
    ranges: dict[str, list[Window[tuple[str, str]]]] = {}
    for row in rows:
        window = read_window(row["effective_from"], row["effective_to"], (row["first"], row["last"]))
        ranges.setdefault(row["family"], []).append(window)
    return {name: CodeFamily(windows) for name, windows in ranges.items()}
