"""Conditions said in the words of the rule language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from claimedits.model.dates import format_day
from claimedits.rulesets.authored.rule import Condition, Test
from claimedits.rulesets.authored.sentences import OPERATORS

_WORDS: Mapping[tuple[str, bool, bool], str] = {
    (name, negated, shape == "one"): words
    for operators in OPERATORS.values()
    for words, (name, shape, negated) in reversed(operators.items())
}


def say(condition: Condition) -> str:
    """A condition as a sentence."""
    if isinstance(condition, Test):
        return _say_test(condition)
    word = " and " if type(condition).__name__ == "All" else " or "
    return word.join(say(part) if isinstance(part, Test) else f"({say(part)})" for part in condition.parts)


def _say_test(test: Test) -> str:
    if test.operator == "known":
        return f"{test.attribute} is {'unknown' if test.negated else 'known'}"
    one = len(test.values) == 1
    words = _WORDS.get((test.operator, test.negated, one)) or _WORDS.get((test.operator, test.negated, not one))
    if words is None:  # an operator that the language has in one polarity only
        return f"not ({_say_test(Test(test.attribute, test.operator, test.values))})"
    if test.operator in (
        "text_in_list",
        "text_in_family",
        "texts_any_in_list",
        "texts_two_in_list",
        "texts_not_in_force",
    ):
        values = test.values[0]
    elif test.operator.endswith("between"):
        values = " and ".join(map(_value, _of(test)))
    else:
        values = ", ".join(map(_value, _of(test)))
        values = f"[{values}]" if words.endswith((" of", " only")) else values
    return f"{test.attribute} {words} {values}".rstrip()


def _of(test: Test) -> list[object]:
    dates = test.operator.startswith("date")
    return [format_day(value) if dates else value for value in test.values]


def _value(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    text = str(value)
    return text if len(text) == 10 and text[4] == text[7] == "-" else f'"{text}"'
