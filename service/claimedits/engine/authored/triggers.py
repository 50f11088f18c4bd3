"""The index in front of the rules: could any rule match this line? A line that none can match costs a look-up and no more.

Each rule is filed under one necessary condition of its own, the most selective one it has: its codes, its ranges or lists of codes,
its modifiers, its code families, its places of service. A rule without any is asked for every line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from claimedits.model.claim import ClaimLine
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.rule import All, Rule, Test

_MOST_REMEMBERED = 65_536
_EXACT = ("text_in",)
_FORMS = ("text_in_list", "text_between", "text_starts")
_SETS = ("texts_any", "texts_all", "texts_one", "texts_two")
_ANY_MODIFIER = ("texts_not_in_force", "texts_any_in_list", "texts_two_in_list", "texts_starts")


class TriggerIndex:
    """Which rules could match a line, by number."""

    def __init__(self, rules: Sequence[Rule], lists: Mapping[str, CodeList]) -> None:
        self._by_code: dict[str, list[int]] = defaultdict(list)
        self._by_modifier: dict[str, list[int]] = defaultdict(list)
        self._by_place: dict[str, list[int]] = defaultdict(list)
        self._by_form: list[tuple[Test, int]] = []
        self._by_family: dict[str, list[int]] = defaultdict(list)
        self._with_modifiers: list[int] = []
        self._always: list[int] = []
        self._lists = lists
        for number, rule in enumerate(rules):
            self._file(number, rule)
        self._by_code_remembered: dict[str, tuple[int, ...]] = {}

    def _file(self, number: int, rule: Rule) -> None:
        parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
        tests = [part for part in parts if isinstance(part, Test) and not part.negated]
        for attribute, operators, file in (
            ("line.procedure_code", _EXACT, self._file_values(self._by_code)),
            ("line.procedure_code", _FORMS, self._file_form),
            ("line.modifiers", _SETS, self._file_values(self._by_modifier)),
            ("line.procedure_code", ("text_in_family",), self._file_values(self._by_family)),
            ("line.modifiers", _ANY_MODIFIER, lambda test, number: self._with_modifiers.append(number)),
            ("line.place_of_service", _EXACT, self._file_place),
        ):
            for test in tests:
                if test.attribute == attribute and test.operator in operators:
                    file(test, number)
                    return
        self._always.append(number)

    @staticmethod
    def _file_values(index: dict[str, list[int]]) -> Callable[[Test, int], None]:
        def file(test: Test, number: int) -> None:
            # Of several that must all be there, one is enough to look under.
            for value in test.values[:1] if test.operator == "texts_all" else test.values:
                index[value].append(number)

        return file

    def _file_place(self, test: Test, number: int) -> None:
        for value in (*test.values, ""):  # unknown: the rule may still have to say so
            self._by_place[value].append(number)

    def _file_form(self, test: Test, number: int) -> None:
        codes = self._lists[test.values[0]].exact_codes if test.operator == "text_in_list" else None
        if codes is not None:
            for code in codes:
                self._by_code[code].append(number)
        else:
            self._by_form.append((test, number))

    def rules_for(self, line: ClaimLine, families: Sequence[str] = ()) -> set[int] | tuple[int, ...]:
        """Numbers of the rules that could match ``line``, whose code belongs to ``families``; each once, in no order."""
        by_code = self._by_code_remembered.get(line.procedure_code)
        if by_code is None:
            by_code = self._rules_of_code(line.procedure_code)
        by_place = self._by_place.get(line.place_of_service) if self._by_place else None
        by_family = [rules for family in families if (rules := self._by_family.get(family))]
        if not line.modifiers and not by_place and not by_family:
            return by_code
        numbers = {*by_code, *(by_place or ())}
        for rules in by_family:
            numbers.update(rules)
        if line.modifiers:
            numbers.update(self._with_modifiers)
            for modifier in line.modifiers:
                numbers.update(self._by_modifier.get(modifier, ()))
        return numbers

    def _rules_of_code(self, code: str) -> tuple[int, ...]:
        if len(self._by_code_remembered) >= _MOST_REMEMBERED:  # codes are the caller's: bounded
            self._by_code_remembered.clear()
        numbers = {*self._by_code.get(code, ()), *self._always}
        numbers.update(number for test, number in self._by_form if self._fits(test, code))
        remembered = self._by_code_remembered[code] = tuple(sorted(numbers))
        return remembered

    def _fits(self, test: Test, code: str) -> bool:
        if test.operator == "text_in_list":
            return bool(self._lists[test.values[0]].windows(code))
        if test.operator == "text_between":
            first, last = test.values
            return len(code) == len(first) and first <= code <= last
        return code.startswith(test.values[0])
