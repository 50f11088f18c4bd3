"""Finds conditions that no line can meet, as far as that is plain: two demands on one attribute that exclude each other.

Only what must hold together is weighed (the parts of an "and"); each alternative of an "or" must be possible on its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from claimedits.model.dates import Day
from claimedits.rulesets.authored.rule import All, Any_, Condition, Test
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES

_End = tuple[Any, bool]
"""An end of an interval of numbers, None = unbounded, and whether the end itself is out."""


def find_contradiction(condition: Condition, first_day: Day, last_day: Day) -> str:
    """Why a condition can never be met on service dates from ``first_day`` to ``last_day``; empty when none was found."""
    if isinstance(condition, Test):
        return _weigh([condition], first_day, last_day)
    if isinstance(condition, Any_):
        reasons = [find_contradiction(part, first_day, last_day) for part in condition.parts]
        return reasons[0] if reasons and all(reasons) else ""
    tests = [part for part in condition.parts if isinstance(part, Test)]
    why = _weigh(tests, first_day, last_day)
    if why:
        return why
    for part in condition.parts:
        if isinstance(part, Any_):
            # Each alternative together with what must hold anyway.
            reasons = [find_contradiction(_and(tests, choice), first_day, last_day) for choice in part.parts]
            if reasons and all(reasons):
                return reasons[0]
    return ""


def _and(tests: Sequence[Test], choice: Condition) -> All:
    return All((*tests, *(choice.parts if isinstance(choice, All) else (choice,))))


def _weigh(tests: Sequence[Test], first_day: Day, last_day: Day) -> str:
    by_attribute: dict[str, list[Test]] = defaultdict(list)
    for test in tests:
        by_attribute[test.attribute].append(test)
    for attribute, group in by_attribute.items():
        for weigh in (_weigh_knowledge, _weigh_texts, _weigh_sets, _weigh_numbers):
            why = weigh(group)
            if why:
                return f"{attribute} {why}"
        why = _weigh_dates(group, *((first_day, last_day) if attribute == "line.service_date" else (None, None)))
        if why:
            return f"{attribute} {why}"
    return ""


def _weigh_knowledge(tests: list[Test]) -> str:
    unknown = any(t.operator == "known" and t.negated for t in tests)
    return (
        "is asked to be unknown and something else too"
        if unknown and any(t.operator != "known" or not t.negated for t in tests)
        else ""
    )


def _weigh_texts(tests: list[Test]) -> str:
    """Values that remain when every demand with a finite list is met."""
    words = ATTRIBUTES[tests[0].attribute].words if tests[0].attribute in ATTRIBUTES else ()
    remaining: set[str] | None = set(words) if words and tests[0].operator == "text_in" else None
    for test in tests:
        if test.operator == "text_in" and not test.negated:
            remaining = set(test.values) if remaining is None else remaining & set(test.values)
    if remaining is None:
        return ""
    for test in tests:
        if test.operator == "text_in" and test.negated:
            remaining -= set(test.values)
        elif test.operator == "text_between":
            low, high = test.values
            remaining = {v for v in remaining if (low <= v <= high and len(v) == len(low)) != test.negated}
        elif test.operator == "text_starts":
            remaining = {v for v in remaining if v.startswith(test.values[0]) != test.negated}
    return "would have to be two things at once" if not remaining else ""


def _weigh_sets(tests: list[Test]) -> str:
    forbidden = {v for t in tests if t.operator == "texts_any" and t.negated for v in t.values}
    allowed = [set(t.values) for t in tests if t.operator == "texts_only" and not t.negated]
    empty = any(t.operator == "texts_empty" and not t.negated for t in tests)
    for test in tests:
        if test.negated or test.operator not in ("texts_any", "texts_all", "texts_two", "texts_one"):
            continue
        values = set(test.values)
        for only in allowed:
            values &= only
        left = values - forbidden
        need = {"texts_all": len(set(test.values)), "texts_two": 2}.get(test.operator, 1)
        if len(left) < need or empty:
            return "would have to include what another condition excludes"
    if empty and any(t.operator == "texts_empty" and t.negated for t in tests):
        return "would have to be empty and not empty"
    return ""


def _weigh_numbers(tests: list[Test]) -> str:
    """The interval that remains; ends are (value, is open)."""
    low: _End = (None, False)
    high: _End = (None, False)
    for test in tests:
        if not test.operator.startswith("number") or (
            test.negated and test.operator in ("number_is", "number_between")
        ):
            continue
        first, last = test.values[0], test.values[-1]
        if test.operator in ("number_is", "number_between"):
            low, high = _higher(low, (first, False)), _lower(high, (last, False))
        elif (test.operator == "number_more") != test.negated:  # more than, or at least
            low = _higher(low, (first, not test.negated))
        else:  # less than, or at most
            high = _lower(high, (first, not test.negated))
    if low[0] is None or high[0] is None:
        return ""
    if low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1])):
        return "would have to be two numbers at once"
    return ""


def _higher(a: _End, b: _End) -> _End:
    return b if a[0] is None or (b[0], b[1]) > (a[0], a[1]) else a


def _lower(a: _End, b: _End) -> _End:
    return b if a[0] is None or (b[0], not b[1]) < (a[0], not a[1]) else a


def _weigh_dates(tests: list[Test], first: Day | None, last: Day | None) -> str:
    low, high = first, last
    for test in tests:
        if not test.operator.startswith("date") or (test.negated and test.operator in ("date_is", "date_between")):
            continue
        start, end = test.values[0], test.values[-1]
        if test.operator in ("date_is", "date_between"):
            low, high = _max(low, start), _min(high, end)
        elif test.operator == "date_after":
            low, high = (low, _min(high, start)) if test.negated else (_max(low, start + 1), high)
        else:  # date_before
            low, high = (_max(low, start), high) if test.negated else (low, _min(high, start - 1))
    return (
        "lies on no day that all conditions and the dates of the rule allow"
        if low is not None and high is not None and low > high
        else ""
    )


def _max(a: Day | None, b: Day) -> Day:
    return b if a is None else max(a, b)


def _min(a: Day | None, b: Day) -> Day:
    return b if a is None else min(a, b)
