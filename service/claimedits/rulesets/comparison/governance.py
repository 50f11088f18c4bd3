"""Which revision answers for which service days in two releases, and where that differs (semantics.md §G.3)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple

from claimedits.model.dates import FOREVER, Day
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.versions import Editions, Selection, View
from claimedits.rulesets.windows import BEGINNING


class GovernanceChange(NamedTuple):
    """Service days for which another revision answers, or one where none did, or none where one did."""

    rule_set: str
    first: Day
    """``windows.BEGINNING`` = no beginning."""
    last: Day
    """Inclusive; FOREVER = no end."""
    old: RevisionInfo | None
    new: RevisionInfo | None


class Stretch(NamedTuple):
    """Service days, both inclusive, on which nothing changes about who answers in either release."""

    first: Day
    last: Day
    old: Selection | None
    new: Selection | None


def stretches(old: View, old_editions: Editions, new: View, new_editions: Editions) -> Iterator[Stretch]:
    """All days, cut where the selection of either view changes."""
    turns = {BEGINNING}
    for editions in (old_editions, new_editions):
        for info in editions.revisions:
            turns |= {info.header.effective_from, min(info.header.effective_to, FOREVER - 1) + 1}
    ordered = sorted(day for day in turns if day < FOREVER)
    for place, first in enumerate(ordered):
        last = ordered[place + 1] - 1 if place + 1 < len(ordered) else FOREVER
        yield Stretch(first, last, old.select(first), new.select(first))


def merge(parts: Iterator[tuple[Day, Day, Hashable]]) -> Iterator[tuple[Day, Day, Hashable]]:
    """Neighbouring stretches of equal value as one."""
    held: tuple[Day, Day, Hashable] | None = None
    for first, last, value in parts:
        if held is not None and held[2] == value:
            held = (held[0], last, value)
            continue
        if held is not None:
            yield held
        held = (first, last, value)
    if held is not None:
        yield held


def governance_changes(rule_set: str, old: Editions, new: Editions) -> list[GovernanceChange]:
    """Days for which another revision is in force, by what both releases know in the end (``as_of`` later than all of it)."""
    views = old.known(FOREVER), new.known(FOREVER)
    by_id = {info.id: info for editions in (old, new) for info in editions.revisions}
    in_force: Callable[[Editions, Selection | None], str] = lambda editions, selection: (  # noqa: E731
        editions.revisions[selection.in_force].id if selection else ""
    )
    parts = (
        (stretch.first, stretch.last, (in_force(old, stretch.old), in_force(new, stretch.new)))
        for stretch in stretches(views[0], old, views[1], new)
    )
    changes = []
    for first, last, value in merge(parts):
        assert isinstance(value, tuple)
        if value[0] != value[1]:
            changes.append(GovernanceChange(rule_set, first, last, by_id.get(value[0]), by_id.get(value[1])))
    return changes
