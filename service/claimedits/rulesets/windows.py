"""Dated rows: a value that holds from a day to a day, both inclusive."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from claimedits.model.dates import FOREVER, Day, parse_day

T = TypeVar("T")
BEGINNING: Day = -(2**31)


class Window(NamedTuple, Generic[T]):
    """``value`` from ``effective_from`` to ``effective_to``."""

    effective_from: Day
    effective_to: Day
    value: T

    def covers(self, day: Day) -> bool:
        return self.effective_from <= day <= self.effective_to


def read_window(effective_from: str, effective_to: str, value: T) -> Window[T]:
    """A window from ISO dates; empty texts mean no beginning and no end.

    Raises:
        ValueError: a date is malformed.
    """
    first = parse_day(effective_from) if effective_from else BEGINNING
    return Window(first, parse_day(effective_to) if effective_to else FOREVER, value)
