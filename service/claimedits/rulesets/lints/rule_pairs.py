"""Lints of two rules together: one says what the other says, decides before it, or contradicts it.

Every rule that matches gives its finding, and the worst status of a line counts: no finding takes another one back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from claimedits.model.dates import FOREVER, format_day
from claimedits.model.terms import Status
from claimedits.rulesets.authored.checking import PlacedRule, attributes_of
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.contradictions import follows
from claimedits.rulesets.authored.rule import All, Condition, Rule, Test
from claimedits.rulesets.lints.dated_rows import DatedRow, find_gaps
from claimedits.rulesets.lints.report import Report

Lists = Mapping[str, CodeList]


def check_pairs(placed: Sequence[PlacedRule], lists: Lists, directory: str, report: Report) -> None:
    """Doubled, unreachable and contradictory rules, titles that stand twice, and versions that leave days out."""
    asked = {id(p): frozenset(attributes_of(p.rule)) for p in placed}
    named = {id(p): _named_codes(p.rule.when) for p in placed}
    order = sorted(placed, key=lambda p: (p.file.name, p.row))
    for i, one in enumerate(order):
        for other in order[:i]:
            if one.rule.id == other.rule.id or not _meet(one.rule, other.rule):
                continue
            if one.rule.status is other.rule.status and one.rule.code != other.rule.code:
                continue  # two findings of one weight, each with a reason of its own
            may_down = asked[id(other)] <= asked[id(one)] and _may_hold(named[id(other)], named[id(one)])
            may_up = asked[id(one)] <= asked[id(other)] and _may_hold(named[id(one)], named[id(other)])
            down = may_down and _covers(other.rule, one.rule, lists)
            up = may_up and _covers(one.rule, other.rule, lists)
            if down and up:
                _weigh_equal(other, one, directory, report)
            elif down:
                _weigh_covered(other, one, directory, report)
            elif up:
                _weigh_covered(one, other, directory, report)
    _check_reading(order, directory, report)
    _check_titles(order, directory, report)
    _check_versions(order, directory, report)


def _named_codes(condition: Condition) -> frozenset[str] | None:
    """The procedure codes that a rule names one by one; None = it has others, or none. Spares most comparisons."""
    for part in condition.parts if isinstance(condition, All) else (condition,):
        if isinstance(part, Test) and part.attribute == "line.procedure_code":
            if part.operator == "text_in" and not part.negated:
                return frozenset(part.values)
    return None


def _may_hold(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    return wide is None or narrow is None or narrow <= wide


def _meet(one: Rule, other: Rule) -> bool:
    return one.effective_from <= other.effective_to and other.effective_from <= one.effective_to


def _covers(wide: Rule, narrow: Rule, lists: Lists) -> bool:
    """Whether ``wide`` matches every line that ``narrow`` matches, on the days on which both hold."""
    if not all(block in narrow.blocks for block in wide.blocks):
        return False
    first, last = max(wide.effective_from, narrow.effective_from), min(wide.effective_to, narrow.effective_to)
    return follows(wide.when, narrow.when, first, last, lists)


def _place(p: PlacedRule, field: str, directory: str) -> tuple[str, int, int]:
    row, column = p.file.place((*p.path, field))
    return f"{directory}/{p.file.name}", row, column


def _where(p: PlacedRule) -> str:
    return f"{p.rule.id} ({p.file.name}:{p.row})"


def _days(one: Rule, other: Rule) -> str:
    if (one.effective_from, one.effective_to) == (other.effective_from, other.effective_to):
        return ""
    first, last = max(one.effective_from, other.effective_from), min(one.effective_to, other.effective_to)
    return f" from {format_day(first)}" + (f" to {format_day(last)}" if last != FOREVER else " on")


def _reads(one: Rule, other: Rule) -> bool:
    """Whether one reads the findings of the other: then it is meant to speak of the same lines."""
    return any(other.id in block.rules or (block.family is other.family and not block.rules) for block in one.blocks)


def _same_answer(one: Rule, other: Rule) -> bool:
    return (one.status, one.code, one.modifiers, one.missing) == (
        other.status,
        other.code,
        other.modifiers,
        other.missing,
    )


def _weigh_equal(first: PlacedRule, second: PlacedRule, directory: str, report: Report) -> None:
    if _reads(first.rule, second.rule) or _reads(second.rule, first.rule):
        return
    one, two = first.rule, second.rule
    subject = f"{one.id} {two.id}"
    if one.status is not two.status:
        what = f"rule {two.id} says {two.status.name} and rule {_where(first)} says {one.status.name} of the same lines{_days(one, two)}"
        mend = "leave one of them, or let their conditions or dates exclude each other"
        report.add("CE112", _place(second, "status", directory), what, mend, rule=two.id, subject=subject)
    elif _same_answer(one, two):
        what = f"rule {two.id} says what rule {_where(first)} says, of the same lines{_days(one, two)}"
        report.add("CE113", _place(second, "id", directory), what, "remove one of them", rule=two.id, subject=subject)


def _weigh_covered(wide: PlacedRule, narrow: PlacedRule, directory: str, report: Report) -> None:
    """``wide`` matches every line that ``narrow`` matches, and more."""
    outer, inner = wide.rule, narrow.rule
    if _reads(inner, outer) or _reads(outer, inner):
        return
    subject = f"{outer.id} {inner.id}"
    if inner.status is Status.NOT_APPLICABLE and outer.status is not Status.NOT_APPLICABLE:
        what = f"rule {inner.id} says NOT_APPLICABLE of lines of which rule {_where(wide)} says {outer.status.name}"
        mend = f"an exception takes no finding back: write it as unless of rule {outer.id}"
        report.add("CE112", _place(narrow, "status", directory), what, mend, rule=inner.id, subject=subject)
        return
    spans = outer.effective_from <= inner.effective_from and inner.effective_to <= outer.effective_to
    if not spans or outer.code != inner.code or outer.status < inner.status:
        return
    if outer.status is inner.status and not _same_answer(outer, inner):
        return
    what = f"rule {inner.id} never decides: rule {_where(wide)} already says {outer.status.name} {outer.code} of every line that it matches"
    mend = f"remove rule {inner.id}, or except its lines from rule {outer.id} by unless"
    report.add("CE111", _place(narrow, "when", directory), what, mend, rule=inner.id, subject=subject)


def _check_reading(order: Sequence[PlacedRule], directory: str, report: Report) -> None:
    """A rule that reads findings which the other rule cannot have given."""
    for p in order:
        numbers = {True: 0, False: 0}
        for block in p.rule.blocks:
            number, name = numbers[block.absent], "without" if block.absent else "with"
            numbers[block.absent] += 1
            read = [other.rule for other in order if other.rule.id in block.rules]
            if block.absent or not read:
                continue
            names = ", ".join(block.rules)
            alive = [rule for rule in read if _meet(rule, p.rule)]
            place = p.file.place((*p.path, name, number))
            where = (f"{directory}/{p.file.name}", place.row, place.column)
            if not alive:
                what = f"rule {p.rule.id} reads findings of {names}, in force on none of its days"
                mend = "correct the dates of one of them"
                report.add("CE109", where, what, mend, rule=p.rule.id)
                continue
            statuses = {rule.status.name for rule in alive} | {rule.if_unknown for rule in alive}
            wanted = _wanted_statuses(block.when)
            if wanted is not None and not wanted & statuses:
                given = " or ".join(sorted(statuses - {"NOTHING"}))
                what = f"rule {p.rule.id} reads {', '.join(sorted(wanted))} of {names}, which says {given}"
                report.add("CE109", where, what, "ask for a status that it gives", rule=p.rule.id)


def _wanted_statuses(condition: Condition) -> set[str] | None:
    """The statuses that a condition asks a finding to have; None = it does not ask plainly."""
    for part in condition.parts if isinstance(condition, All) else (condition,):
        if (
            isinstance(part, Test)
            and part.attribute == "finding.status"
            and part.operator == "text_in"
            and not part.negated
        ):
            return set(part.values)
    return None


def _check_titles(order: Sequence[PlacedRule], directory: str, report: Report) -> None:
    """Parts of one rule (``E06.left``, ``E06.right``) may share a title, and so may versions."""
    by_title: dict[str, PlacedRule] = {}
    for p in order:
        first = by_title.setdefault(p.rule.title.casefold(), p)
        if p.rule.title and not _are_kin(first.rule.id, p.rule.id):
            what = f'rule {p.rule.id} has the title of rule {_where(first)}: "{p.rule.title}"'
            place = _place(p, "title", directory)
            report.add("CE114", place, what, "say in each title what sets the rule apart", rule=p.rule.id)


def _are_kin(one: str, other: str) -> bool:
    stems = one.rpartition(".")[0] or one, other.rpartition(".")[0] or other
    return stems[0] == stems[1]


def _check_versions(order: Sequence[PlacedRule], directory: str, report: Report) -> None:
    by_id: dict[str, list[DatedRow]] = defaultdict(list)
    for p in order:
        row, column = p.file.place((*p.path, "effective_from"))
        name = f"rule {p.rule.id}"
        file = f"{directory}/{p.file.name}"
        dated = DatedRow(
            file, row, (p.rule.id,), name, "", "", p.rule.effective_from, p.rule.effective_to, (), column, "version"
        )
        by_id[p.rule.id].append(dated)
    for versions in by_id.values():
        find_gaps(versions, report, set())
