"""Days as whole numbers: days since 1970-01-01, as Arrow's ``date32`` stores them, so that tables need no conversion."""

from __future__ import annotations

import datetime
from functools import lru_cache

Day = int
"""A calendar day: days since 1970-01-01, negative before it."""

FOREVER: Day = 2**31 - 1
"""The last day of a window that has no end. It is written as an empty string."""

_EPOCH = datetime.date(1970, 1, 1).toordinal()


@lru_cache(maxsize=65_536)
def parse_day(text: str) -> Day:
    """``2024-03-01`` as a day.

    Raises:
        ValueError: the text is not a date of the calendar in the form YYYY-MM-DD.
    """
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        raise ValueError(f"{text!r} is not a date in the form YYYY-MM-DD")
    return datetime.date.fromisoformat(text).toordinal() - _EPOCH


@lru_cache(maxsize=65_536)
def format_day(day: Day) -> str:
    """A day as ``YYYY-MM-DD``; FOREVER as the empty string."""
    return "" if day == FOREVER else datetime.date.fromordinal(day + _EPOCH).isoformat()


def day_of(date: datetime.date) -> Day:
    """The day of a ``datetime.date``."""
    return date.toordinal() - _EPOCH


def date_of(day: Day) -> datetime.date:
    """The ``datetime.date`` of a day other than FOREVER."""
    return datetime.date.fromordinal(day + _EPOCH)


def today() -> Day:
    """The current day in UTC: what ``as_of`` means when a request leaves it empty (api.md §1)."""
    return day_of(datetime.datetime.now(datetime.UTC).date())


def quarter_start(year: int, quarter: int) -> Day:
    """First day of a calendar quarter, 1 to 4."""
    return day_of(datetime.date(year, 3 * quarter - 2, 1))


def quarter_end(year: int, quarter: int) -> Day:
    """Last day, inclusive, of a calendar quarter, 1 to 4."""
    return quarter_start(year + quarter // 4, quarter % 4 + 1) - 1
