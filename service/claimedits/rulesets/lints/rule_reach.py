"""Lints of one rule with its lists and its rule set at hand: what it can never match, and exceptions that never hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.rulesets.authored.checking import PlacedRule
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.contradictions import find_contradiction, follows
from claimedits.rulesets.authored.rule import All, Block, Condition, Test, join_all, negate
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.wording import say
from claimedits.rulesets.windows import BEGINNING

Lists = Mapping[str, CodeList]
_Add = Callable[[str, tuple[str | int, ...], str, str], None]
_SHARED = {"code": "procedure_code", "place_of_service": "place_of_service"}
"""What both lines share, as an attribute of each."""


def check_reach(placed: PlacedRule, lists: Lists, head: Mapping[str, object], directory: str, report: Report) -> None:
    """What a rule asks that its lists, its rule set or its other lines never let it meet."""
    rule = placed.rule
    first = max(rule.effective_from, _day(head.get("effective_from"), BEGINNING))
    last = min(rule.effective_to, _day(head.get("effective_to"), FOREVER))
    if first > last:  # CE108
        return

    def add(lint_id: str, path: tuple[str | int, ...], what: str, mend: str) -> None:
        row, column = placed.file.place((*placed.path, *path))
        report.add(lint_id, (f"{directory}/{placed.file.name}", row, column), what, mend, rule=rule.id)

    if why := find_contradiction(rule.when, first, last, lists):
        what = f"rule {rule.id} can never match: {why}"
        mend = "correct the condition, the list, or the dates, or remove the rule"
        add("CE109", ("when",), what, mend)
        return
    _check_exceptions(placed, lists, (first, last), add)
    numbers = {True: 0, False: 0}
    for block in rule.blocks:
        number = numbers[block.absent]
        numbers[block.absent] += 1
        if why := _never_joined(rule.when, block, lists):
            name = "without" if block.absent else "with"
            what = f"rule {rule.id}: no line can be the other one: {why}"
            add("CE109", (name, number), what, f"correct what [[rule.{name}]] asks for, or remove it")


def _day(value: object, default: Day) -> Day:
    try:
        return parse_day(value) if isinstance(value, str) and value else default
    except ValueError:  # said when the head was read
        return default


def _check_exceptions(placed: PlacedRule, lists: Lists, days: tuple[Day, Day], add: _Add) -> None:
    """Parts of ``unless`` that hold of no line that the rule is about."""
    parts = placed.rule.when.parts if isinstance(placed.rule.when, All) else (placed.rule.when,)
    count = len(parts) - placed.exceptions
    asked, excepted = parts[:count], parts[count:]
    for part in excepted if asked else ():
        if follows(part, join_all(list(asked)), *days, lists):
            what = f"rule {placed.rule.id}: the exception never holds where the conditions do: {say(negate(part))}"
            add("CE110", ("unless",), what, "correct it, or leave it out")


def _never_joined(when: Condition, block: Block, lists: Lists) -> str:
    """Why no other line can share what it must share and be what it must be; empty = it can, or nothing is known."""
    shared = [_SHARED[name] for name in block.same if name in _SHARED]
    parts = when.parts if isinstance(when, All) else (when,)
    asked = [p for p in parts if isinstance(p, Test) and p.attribute in {f"line.{name}" for name in shared}]
    if not asked or block.family is not None:
        return ""
    other = [replace(test, attribute=f"other.{test.attribute.partition('.')[2]}") for test in asked]
    return find_contradiction(join_all([*other, block.when]), BEGINNING, FOREVER, lists)
