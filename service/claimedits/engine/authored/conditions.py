"""Tests made into functions: each answers FALSE, UNKNOWN or TRUE about one line or finding (rules/README.md, "Unknown").

Three values because what a claim leaves out is unknown, not false: "and" takes the least, "or" the greatest, "not" turns over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from claimedits.engine.authored.facts import READERS, Facts
from claimedits.model.claim import ClaimLine
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.authored.rule import All, Condition, Test, tests_of

FALSE, UNKNOWN, TRUE = 0, 1, 2
Ask = Callable[[Facts, Any], int]
"""A test as a function of the facts and the line or finding it is about."""
Weigh = Callable[[Any, Facts, Any], bool]


def compile_test(test: Test, content: AuthoredRules) -> Ask:
    """The function that answers a test."""
    read = _switch_reader(test, content) if test.attribute.startswith("switch.") else READERS[test.attribute]
    yes, no = (FALSE, TRUE) if test.negated else (TRUE, FALSE)
    if test.operator == "known":
        return lambda facts, subject: no if read(facts, subject) is None else yes
    if test.operator == "text_in":
        return _among(read, frozenset(test.values), yes, no)
    weigh = _WEIGHTS[test.operator](test.values, content)

    def ask(facts: Facts, subject: Any) -> int:
        value = read(facts, subject)
        if value is None:
            return UNKNOWN
        return yes if weigh(value, facts, subject) else no

    return ask


def _among(read: Callable[[Facts, Any], Any], values: frozenset[str], yes: int, no: int) -> Ask:
    def ask(facts: Facts, subject: Any) -> int:
        value = read(facts, subject)
        return (UNKNOWN if value is None else no) if value not in values else yes

    return ask


def _switch_reader(test: Test, content: AuthoredRules) -> Callable[[Facts, ClaimLine], str]:
    name = test.attribute.partition(".")[2]
    windows = content.switches.get(name, ())

    def read(facts: Facts, line: ClaimLine) -> str:
        for window in windows:
            if window.covers(line.service_date):
                return window.value
        return facts.conventions.switch(name, line.service_date)

    return read


def _list(values: tuple[str, ...], content: AuthoredRules) -> Any:
    return content.lists[values[0]]


def _in_list(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
    holds = _list(values, content).holds
    return lambda value, facts, line: holds(value, line.service_date)


def _any_in_list(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
    holds = _list(values, content).holds
    return lambda value, facts, line: any(holds(item, line.service_date) for item in value)


def _two_in_list(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
    holds = _list(values, content).holds
    return lambda value, facts, line: len({item for item in value if holds(item, line.service_date)}) > 1


def _in_family(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
    name = values[0]
    return lambda value, facts, line: facts.conventions.in_family(name, value, line.service_date)


def modifiers_not_in_force(facts: Facts, line: ClaimLine, modifiers: Iterable[str], dates: Any) -> tuple[str, ...]:
    """Modifiers that the loaded list does not hold on the line's date, or, where it does not speak of one, the named list."""
    day, wrong = line.service_date, []
    for modifier in modifiers:
        listed = facts.modifier_is_listed(modifier, day)
        if not (dates.holds(modifier, day) if listed is None else listed):
            wrong.append(modifier)
    return tuple(wrong)


def _not_in_force(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
    dates = _list(values, content)
    return lambda value, facts, line: bool(modifiers_not_in_force(facts, line, value, dates))


def _counting(least: int, most: int | None) -> Callable[[tuple[str, ...], AuthoredRules], Weigh]:
    def make(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
        wanted = frozenset(values)

        def weigh(value: tuple[str, ...], facts: Facts, line: Any) -> bool:
            found = len(wanted.intersection(value))
            return found >= least and (most is None or found <= most)

        return weigh

    return make


def _between_codes(values: tuple[str, ...], content: AuthoredRules) -> Weigh:
    first, last = values
    return lambda value, facts, line: len(value) == len(first) and first <= value <= last


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[tuple[Decimal, ...], AuthoredRules], Weigh]:
    """``compare(value, limit)``; ages and day counts are ``int``, units and charges ``Decimal``: they compare exactly."""
    return lambda values, content: lambda value, facts, line: compare(value, values[0])


_WEIGHTS: dict[str, Callable[[tuple[Any, ...], AuthoredRules], Weigh]] = {
    "text_between": _between_codes,
    "text_in_list": _in_list,
    "text_in_family": _in_family,
    "text_starts": lambda values, content: lambda value, facts, line: value.startswith(values[0]),
    "texts_any": _counting(1, None),
    "texts_two": _counting(2, None),
    "texts_one": _counting(1, 1),
    "texts_all": lambda values, content: lambda value, facts, line: set(values) <= set(value),
    "texts_only": lambda values, content: lambda value, facts, line: set(value) <= set(values),
    "texts_any_in_list": _any_in_list,
    "texts_two_in_list": _two_in_list,
    "texts_starts": lambda values, content: lambda value, facts, line: any(v.startswith(values[0]) for v in value),
    "texts_not_in_force": _not_in_force,
    "texts_empty": lambda values, content: lambda value, facts, line: not value,
    "number_is": _numbers(lambda value, limit: value == limit),
    "number_more": _numbers(lambda value, limit: value > limit),
    "number_less": _numbers(lambda value, limit: value < limit),
    "number_between": lambda values, content: lambda value, facts, line: values[0] <= value <= values[1],
    "date_is": _numbers(lambda value, limit: value == limit),
    "date_after": _numbers(lambda value, limit: value > limit),
    "date_before": _numbers(lambda value, limit: value < limit),
    "date_between": lambda values, content: lambda value, facts, line: values[0] <= value <= values[1],
    "truth": lambda values, content: lambda value, facts, line: bool(value),
}
"""How each operator of ``sentences.OPERATORS`` weighs a known value."""


def compile_condition(condition: Condition, content: AuthoredRules) -> Ask:
    """The function that answers a whole condition."""
    if isinstance(condition, Test):
        return compile_test(condition, content)
    asks = [compile_condition(part, content) for part in condition.parts]
    if isinstance(condition, All):

        def ask_all(facts: Facts, subject: Any) -> int:
            least = TRUE
            for ask in asks:
                value = ask(facts, subject)
                if value < least:
                    if value == FALSE:
                        return FALSE
                    least = value
            return least

        return ask_all
    return lambda facts, subject: max((ask(facts, subject) for ask in asks), default=FALSE)


def unknown_attributes(condition: Condition, content: AuthoredRules, facts: Facts, subject: Any) -> set[str]:
    """The attributes of the tests that answer UNKNOWN."""
    return {t.attribute for t in tests_of(condition) if compile_test(t, content)(facts, subject) == UNKNOWN}
