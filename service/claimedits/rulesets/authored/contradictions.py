"""Finds conditions that no line can meet, as far as that is plain: demands on one attribute that exclude each other.

Only what must hold together is weighed (the parts of an "and"); each alternative of an "or" must be possible on its own. What
everything meets, and what follows from another condition, is found through its opposite.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from claimedits.model.dates import Day
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.rule import All, Condition, Test, join_all, negate
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES
from claimedits.rulesets.windows import Window

_End = tuple[Any, bool]
"""An end of an interval of numbers, None = unbounded, and whether the end itself is out."""
_LEAST: Mapping[str, int] = {
    "units": 0, "days": 1, "charge": 0, "non_covered_charge": 0, "line_count": 1, "age": 0, "age_in_days": 0,
}  # fmt: skip
"""The least value of a number, by the last word of its attribute."""
_MOST_ALTERNATIVES = 2_000
Lists = Mapping[str, CodeList]
_NO_LISTS: Lists = {}


def find_contradiction(condition: Condition, first_day: Day, last_day: Day, lists: Lists = _NO_LISTS) -> str:
    """Why a condition can never be met on service dates from ``first_day`` to ``last_day``; empty when none was found.

    Args:
        lists: code lists by name, where a value is to be looked up in them.
    """
    alternatives = _alternatives(condition)
    if not alternatives:
        return ""
    first_why = ""
    for tests in alternatives:
        why = _weigh(tests, first_day, last_day, lists)
        if not why:
            return ""
        first_why = first_why or why
    return first_why


def always_holds(condition: Condition, first_day: Day, last_day: Day) -> bool:
    """Whether every line meets a condition on these days, as far as what it asks is known."""
    return bool(find_contradiction(negate(condition), first_day, last_day))


def follows(condition: Condition, from_condition: Condition, first_day: Day, last_day: Day, lists: Lists) -> bool:
    """Whether every line that meets ``from_condition`` on these days meets ``condition``, as far as what it asks is known."""
    both = join_all([from_condition, negate(condition)])
    return bool(find_contradiction(both, first_day, last_day, lists))


def _alternatives(condition: Condition) -> list[list[Test]] | None:
    """The condition as alternatives of tests that hold together; None where there would be too many to weigh."""
    if isinstance(condition, Test):
        return [[condition]]
    parts = [_alternatives(part) for part in condition.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if not isinstance(condition, All):
        return [tests for part in known for tests in part]
    together: list[list[Test]] = [[]]
    for part in known:
        if len(together) * len(part) > _MOST_ALTERNATIVES:
            return None
        together = [[*tests, *more] for tests in together for more in part]
    return together


def _weigh(tests: Sequence[Test], first_day: Day, last_day: Day, lists: Lists) -> str:
    by_attribute: dict[str, list[Test]] = defaultdict(list)
    for test in tests:
        by_attribute[test.attribute].append(test)
    for attribute, group in by_attribute.items():
        for weigh in (_weigh_opposites, _weigh_knowledge, _weigh_sets, _weigh_numbers):
            why = weigh(group)
            if why:
                return f"{attribute} {why}"
        why = _weigh_texts(group, lists, first_day, last_day)
        if why:
            return f"{attribute} {why}"
        why = _weigh_dates(group, *((first_day, last_day) if attribute == "line.service_date" else (None, None)))
        if why:
            return f"{attribute} {why}"
    return ""


def _weigh_opposites(tests: list[Test]) -> str:
    """One question asked to be answered by yes and by no."""
    asked = {(test.operator, test.values, test.negated) for test in tests if test.operator not in _WEIGHED}
    both = any((operator, values, not negated) in asked for operator, values, negated in asked)
    return "would have to be so and not so" if both else ""


_WEIGHED = frozenset(("known", "text_in", "texts_any", "texts_empty"))
"""Operators whose opposites are weighed more finely, and named in other words."""


def _weigh_knowledge(tests: list[Test]) -> str:
    unknown = any(t.operator == "known" and t.negated for t in tests)
    return (
        "is asked to be unknown and something else too"
        if unknown and any(t.operator != "known" or not t.negated for t in tests)
        else ""
    )


def _weigh_texts(tests: list[Test], lists: Lists, first_day: Day, last_day: Day) -> str:
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
        elif test.operator == "text_in_list" and test.values[0] in lists:
            held = lists[test.values[0]]
            remaining = {v for v in remaining if not _excludes(held, v, test.negated, first_day, last_day)}
        elif test.operator == "text_starts":
            remaining = {v for v in remaining if v.startswith(test.values[0]) != test.negated}
    return "would have to be two things at once" if not remaining else ""


def _excludes(held: CodeList, value: str, negated: bool, first_day: Day, last_day: Day) -> bool:
    """Whether a value cannot meet the demand to be on a list, or off it, on any of the days."""
    windows = held.windows(value)
    if negated:
        return _cover(windows, first_day, last_day)
    return not any(w.effective_from <= last_day and w.effective_to >= first_day for w in windows)


def _cover(windows: Sequence[Window[str]], first_day: Day, last_day: Day) -> bool:
    """Whether windows together leave out no day."""
    day = first_day
    for window in sorted(windows):
        if window.effective_from > day:
            return False
        if window.effective_to >= last_day:
            return True
        day = max(day, window.effective_to + 1)
    return False


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
    low: _End = (_LEAST.get(tests[0].attribute.rpartition(".")[2]), False)
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
        least = _LEAST.get(tests[0].attribute.rpartition(".")[2])
        if least is not None and (high[0] < least or (high[0] == least and high[1])):
            return f"is never less than {least}"
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
