"""Days on which edits begin and end: the first and the last days of quarters."""

from __future__ import annotations

from claimedits.model.dates import Day, date_of


def begins_quarter(day: Day) -> bool:
    """Whether a day is the first of January, April, July or October."""
    date = date_of(day)
    return date.day == 1 and date.month % 3 == 1


def ends_quarter(day: Day) -> bool:
    """Whether a day is the last one of a quarter."""
    return begins_quarter(day + 1)
