"""What a difference between revisions of rules that people write can touch.

A rule is decided for a line only where a necessary condition of it holds (``engine.authored.triggers``): the line's code is one of
its codes, ranges, lists or families, or the line carries one of its modifiers. A rule that differs touches claims that carry
such a code or modifier, by either revision's condition; a rule without such a condition touches everything. Lists and switches
are read by any rule, and which claims a rule set governs is stated in its header: where they differ, everything is touched.
Rules that are equal answer equally, but cite another revision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from claimedits.model.dates import Day
from claimedits.rulesets.authored.rule import All, Rule, Test, rule_from_json
from claimedits.rulesets.comparison.reach import Reach
from claimedits.rulesets.comparison.revisions import compare_tables
from claimedits.rulesets.store import Store
from claimedits.rulesets.versions import Editions

_SAID_ONLY = frozenset(("authority", "url"))
"""Attributes of a header that govern nothing."""


class _Trigger(NamedTuple):
    """A necessary condition of a rule: some line of the claim carries one of these."""

    codes: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    modifiers: frozenset[str] = frozenset()


def authored_reaches(
    store: Store,
    everything: Callable[..., Reach],
    stretches: Sequence[tuple[Day, Day, Any, Any]],
    old: Editions,
    new: Editions,
) -> Iterator[Reach]:
    """The reaches of one authored rule set; ``stretches`` are the days on which the releases answer differently."""
    if len({_governing(revision.header.attributes) for side in (old, new) for revision in side.revisions}) > 1:
        yield everything(reason="the rule set governs other claims")
        return
    for first, end, before, after in stretches:
        if before.in_force == after.in_force and before.is_like(after):
            continue  # rules have no retroactive changes: the newest revision is not read
        if not before.is_like(after):
            yield everything(reason="rules answer in one release only on these days", first=first, last=end)
            continue
        yield everything(
            reason="another revision with the same rules answers", first=first, last=end, only_where_cited=True
        )
        yield _of_rules(
            store, everything(reason="rules differ", first=first, last=end), before.in_force, after.in_force
        )


def _governing(attributes: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Which claims a revision speaks of: its family, programs, payers …"""
    return frozenset((name, value) for name, value in attributes.items() if name not in _SAID_ONLY)


def _of_rules(store: Store, reach: Reach, old: str, new: str) -> Reach:
    tables = [store.tables(revision) for revision in (old, new)]
    comparison = compare_tables(*((store.revision(i), t) for i, t in zip((old, new), tables, strict=True)))
    for table in comparison.tables:
        if table.table != "rules" and table.differences:
            return replace(reach, reason=f"{table.table} of the rules differ")
    rows = [_rules_by_text(side["rules"].to_pylist()) for side in tables]
    lists = [_lists(side["lists"].to_pylist()) if "lists" in side else {} for side in tables]
    triggers = []
    for side in (0, 1):
        for text in rows[side].keys() - rows[1 - side].keys():
            trigger = _trigger(rule_from_json(orjson.loads(text)), lists[side])
            if trigger is None:
                return replace(reach, reason=f"rule {rows[side][text]} differs, which looks at every line")
            triggers.append(trigger)
    return replace(
        reach,
        everything=False,
        procedure_codes=frozenset(code for trigger in triggers for code in trigger.codes),
        procedure_ranges=tuple(sorted({r for trigger in triggers for r in trigger.ranges})),
        modifiers=frozenset(modifier for trigger in triggers for modifier in trigger.modifiers),
    )


def _rules_by_text(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {row["rule"]: row["rule_id"] for row in rows}


def _lists(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    lists: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        lists.setdefault(row["list"], []).append((row["first"], row["last"]))
    return lists


def _trigger(rule: Rule, lists: Mapping[str, Sequence[tuple[str, str]]]) -> _Trigger | None:
    """A necessary condition of a rule; None = it may match any line."""
    parts = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
    for test in parts:
        if isinstance(test, Test) and not test.negated:
            trigger = _trigger_of(test, lists)
            if trigger is not None:
                return trigger
    return None


def _trigger_of(test: Test, lists: Mapping[str, Sequence[tuple[str, str]]]) -> _Trigger | None:
    asked = (test.attribute, test.operator)
    if asked == ("line.procedure_code", "text_in"):
        return _Trigger(codes=frozenset(test.values))
    if asked == ("line.procedure_code", "text_in_list"):
        return _Trigger(ranges=tuple(lists.get(test.values[0], ())))
    if asked == ("line.procedure_code", "text_between"):
        return _Trigger(ranges=((test.values[0], test.values[1]),))
    if asked == ("line.procedure_code", "text_starts"):
        return _Trigger(ranges=((test.values[0], f"{test.values[0]}~"),))
    if test.attribute == "line.modifiers" and test.operator in ("texts_any", "texts_one", "texts_two", "texts_all"):
        return _Trigger(modifiers=frozenset(test.values))
    return None
