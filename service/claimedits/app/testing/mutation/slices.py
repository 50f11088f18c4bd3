"""Decides tests under a part of an authored rule set: the rules that a mutant can affect, and those whose findings they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from claimedits.app.testing.mutation.rules import RuleChange
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.rule import Rule, Test, tests_of


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a rule set as a mutant has it, and the ids of the rules whose findings may differ from before."""

    content: AuthoredRules
    affected: frozenset[str]


class Slicer:
    """Cuts slices out of one rule set."""

    def __init__(self, content: AuthoredRules) -> None:
        self._content = content
        ids = {authored.rule.id for authored in content.rules}
        self._reads: dict[str, set[str]] = {identifier: set() for identifier in ids}
        for authored in content.rules:
            for block in authored.rule.blocks:
                if block.family is authored.rule.family:
                    self._reads[authored.rule.id] |= set(block.rules) or ids - {authored.rule.id}

    def of_rule(self, change: RuleChange, identifier: str) -> Slice:
        """The slice in which one rule is changed or gone."""
        changed = [change.rule] if change.rule else []
        others = [r for r in self._content.rules if (r.source, r.source_row) != (change.source, change.row)]
        rules = sorted((*others, *changed), key=lambda r: (r.rule.id, r.rule.effective_from))
        return self._slice(rules, [identifier], self._content.lists)

    def of_list(self, name: str, changed: CodeList) -> Slice:
        """The slice of the rules that ask for a list, with the list as it is after a change."""
        users = [r.rule.id for r in self._content.rules if name in _lists_of(r.rule)]
        return self._slice(self._content.rules, users, {**self._content.lists, name: changed})

    def of_switches(self, changed: AuthoredRules, name: str) -> Slice:
        """The slice of the rules that ask for a switch, with the switches as they are after a change."""
        users = [r.rule.id for r in changed.rules if f"switch.{name}" in {t.attribute for t in _tests_of(r.rule)}]
        part = self._slice(changed.rules, users, changed.lists)
        return Slice(AuthoredRules(part.content.rules, part.content.lists, changed.switches), part.affected)

    def _slice(self, rules: Iterable[AuthoredRule], ids: Iterable[str], lists: Mapping[str, CodeList]) -> Slice:
        affected = self._closure(set(ids), forward=True)
        needed = self._closure(set(affected), forward=False)
        kept = tuple(r for r in rules if r.rule.id in needed)
        return Slice(AuthoredRules(kept, lists, self._content.switches), frozenset(affected))

    def _closure(self, ids: set[str], *, forward: bool) -> set[str]:
        """The rules that read the findings of ``ids``, at any remove (``forward``), or those that ``ids`` read."""
        while True:
            if forward:
                more = {reader for reader, read in self._reads.items() if read & ids}
            else:
                more = {name for identifier in ids for name in self._reads.get(identifier, ())}
            if more <= ids:
                return ids
            ids |= more


def _tests_of(rule: Rule) -> Iterable[Test]:
    for condition in (rule.when, *(block.when for block in rule.blocks)):
        yield from tests_of(condition)


def _lists_of(rule: Rule) -> set[str]:
    return {
        str(test.values[0])
        for test in _tests_of(rule)
        if "list" in test.operator or test.operator == "texts_not_in_force"
    }
