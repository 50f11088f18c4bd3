"""Remedies that do not fit the rule they are to clear."""

from __future__ import annotations

from collections.abc import Iterator

from claimedits.model.terms import Overridable
from claimedits.rulesets.authored.rule import All, Rule, Test

_CLEARS_NOTHING = ("NONE", "APPEAL")
Fault = tuple[str, int | None, str, str]


def find_remedy_faults(rule: Rule) -> Iterator[Fault]:
    """(field, number of the remedy, what, mend) of each fault."""
    seen: list[tuple[str, tuple[str, ...], str]] = []
    for i, remedy in enumerate(rule.remedies):
        said = (remedy.action, remedy.any_of, remedy.condition)
        if said in seen:
            yield "remedy", i, f"the remedy {remedy.action} stands twice", "write it once"
        seen.append(said)
        yield from _modifier_faults(rule, i)
    actions = [remedy.action for remedy in rule.remedies]
    if "NONE" in actions and len(actions) > 1:
        mend = "leave NONE out, or the other remedies"
        yield "remedy", actions.index("NONE"), "NONE stands beside another remedy", mend
    offered = [action for action in actions if action not in _CLEARS_NOTHING]
    if rule.overridable is Overridable.NEVER and "ADD_MODIFIER" in offered:
        what = "overridable is NEVER, and ADD_MODIFIER is offered as a remedy"
        yield "overridable", None, what, 'write overridable = "MODIFIER", or leave the remedy out'
    if rule.overridable is Overridable.MODIFIER and actions and "ADD_MODIFIER" not in actions and not rule.missing:
        what = "overridable is MODIFIER, and no remedy adds one"
        yield "overridable", None, what, "add a remedy ADD_MODIFIER that names it, or correct overridable"


def _modifier_faults(rule: Rule, number: int) -> Iterator[Fault]:
    remedy = rule.remedies[number]
    if remedy.action not in ("ADD_MODIFIER", "REMOVE_MODIFIER"):
        return
    named = rule.missing if remedy.action == "ADD_MODIFIER" else rule.modifiers
    if not remedy.any_of and not named:
        yield "remedy", number, f"{remedy.action} names no modifier", 'write any_of = ["…"]'
    if remedy.action == "ADD_MODIFIER":
        wrong = [m for m in remedy.any_of if m in rule.modifiers]
        present = _demanded(rule) & set(remedy.any_of)
        if wrong:
            what = f"ADD_MODIFIER offers {', '.join(wrong)}, which the rule holds to be at fault"
            yield "remedy", number, what, "offer another modifier, or REMOVE_MODIFIER"
        elif present and present >= set(remedy.any_of):
            what = f"ADD_MODIFIER offers {', '.join(sorted(present))}, which the line carries when the rule fires"
            yield "remedy", number, what, "offer a modifier that the line lacks"
    else:
        wrong = [m for m in remedy.any_of if m in rule.missing]
        if wrong:
            what = f"REMOVE_MODIFIER offers {', '.join(wrong)}, which the rule misses"
            yield "remedy", number, what, "offer ADD_MODIFIER"


def _demanded(rule: Rule) -> set[str]:
    """Modifiers that every line has that the rule fires for."""
    parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
    return {
        value
        for part in parts
        if isinstance(part, Test) and part.attribute == "line.modifiers" and not part.negated
        if part.operator == "texts_all" or (part.operator == "texts_any" and len(part.values) == 1)
        for value in part.values
    }
