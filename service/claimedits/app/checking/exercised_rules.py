"""Which rules a claim could make fire, were one thing about it otherwise.

A rule is exercised by a line that meets what it looks for (a code, a modifier, a diagnosis, a place), whatever else keeps it
from firing. A rule that looks for none of these is exercised by a line that fails one of its conditions, and that narrowly.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from claimedits.app.shipped import find_rules
from claimedits.engine.authored.conditions import FALSE, TRUE, compile_test
from claimedits.engine.authored.facts import READERS, Facts
from claimedits.engine.authored.rule_tests import evaluate_with, select_rules
from claimedits.model.claim import ClaimLine
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.rule import All, Condition, Rule, Test, tests_of
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.table_rules import compile_table_rules

_SOUGHT = (
    "procedure_code",
    "modifiers",
    "first_modifier",
    "diagnoses",
    "place_of_service",
    "revenue_code",
    "type_of_bill",
)
_NEAR = Decimal("0.1")
"""A number misses its limit narrowly within this share of it, or by one."""


class Exerciser:
    """The rules of one rule set, ready to be asked.

    Raises:
        ImportRefusedError: they do not compile.
    """

    def __init__(self, path: Path) -> None:
        draft = compile_rules(path)[0]
        self._header = draft.header
        self._content = AUTHORED_INDEX.open_tables({name: table.to_pylist() for name, table in draft.tables.items()})
        beside = path.parent / CONVENTIONS
        shipped = compile_table_rules(beside if beside.exists() else find_rules() / CONVENTIONS)
        self._conventions = Conventions({name: table.to_pylist() for name, table in shipped.tables.items()})

    def touched(self, test: Mapping[str, Any], claim: Mapping[str, Any]) -> list[Rule]:
        """The rules that some line of a claim exercises.

        Raises:
            ClaimInvalidError: the claim, or a field of the test, is malformed.
        """
        chosen = select_rules(self._content, test.get("rules"))
        facts = Facts(evaluate_with(test, claim, self._header, chosen, self._conventions))
        return [
            row.rule for row in chosen.rules if any(self._touches(row.rule, facts, line) for line in facts.claim.lines)
        ]

    def _touches(self, rule: Rule, facts: Facts, line: ClaimLine) -> bool:
        parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
        sought = [part for part in parts if self._seeks(part)]
        if sought:
            return any(self._meets(part, facts, line) for part in sought)
        failing = [part for part in parts if self._ask(part, facts, line) == FALSE]
        return not failing or (len(failing) == 1 and self._misses_narrowly(failing[0], facts, line))

    @staticmethod
    def _seeks(part: Condition) -> bool:
        """Whether a condition is met by what a line is about, rather than by what it lacks."""
        tests = list(tests_of(part))
        return bool(tests) and all(
            t.attribute.rpartition(".")[2] in _SOUGHT and not t.negated and t.values for t in tests
        )

    def _meets(self, part: Condition, facts: Facts, line: ClaimLine) -> bool:
        """As ``_ask``, but whatever the day: a code may stand on a list on other days."""
        if not isinstance(part, Test):
            return any(self._meets(inner, facts, line) for inner in part.parts)
        if part.operator in ("text_in_list", "texts_any_in_list", "texts_two_in_list"):
            value = READERS[part.attribute](facts, line)
            words = () if value is None else (value,) if isinstance(value, str) else value
            return any(self._content.lists[part.values[0]].windows(word) for word in words)
        if part.operator == "texts_not_in_force":
            return bool(line.modifiers)
        return self._ask(part, facts, line) == TRUE

    def _ask(self, part: Condition, facts: Facts, line: ClaimLine) -> int:
        if isinstance(part, Test):
            return compile_test(part, self._content)(facts, line)
        values = [self._ask(inner, facts, line) for inner in part.parts]
        return min(values, default=TRUE) if isinstance(part, All) else max(values, default=FALSE)

    def _misses_narrowly(self, part: Condition, facts: Facts, line: ClaimLine) -> bool:
        if not isinstance(part, Test):
            return True
        if not part.operator.startswith(("number", "date")):
            return True
        value = READERS[part.attribute](facts, line)
        return any(abs(value - limit) <= max(1, abs(limit) * _NEAR) for limit in part.values)
