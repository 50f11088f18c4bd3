"""What a difference between coverage revisions can touch (semantics.md §D.2, §D.3).

``coverage.governing`` puts the document versions of all known revisions that stand on a day into one timeline, document by
document, and looks them up by the line's code. A document answers equally under both releases where each of its versions has the
same readings, standing on the same days, with the same reading published last, under the same curated roles. A document of which
that is not so touches the codes that any of its versions lists. One of which only the revision differs that published a reading
first, the one that findings cite, touches them where an answer cites it.
Apart from documents, an answer depends on whether some revision stands on the day at all, and on whether the claim's contractor
is one that some document names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from claimedits.model.dates import FOREVER, Day
from claimedits.rulesets.comparison.reach import Reach
from claimedits.rulesets.coverage.assembly import Key, assemble
from claimedits.rulesets.coverage.documents import collect_windows
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store
from claimedits.rulesets.versions import Editions
from claimedits.rulesets.windows import BEGINNING


class _Reading(NamedTuple):
    key: Key
    digest: bytes


class _Content(NamedTuple):
    """What one revision holds."""

    info: RevisionInfo
    readings: Mapping[_Reading, frozenset[str]]
    """Procedure codes of each reading of a version."""
    contractors: frozenset[str]
    curated: frozenset[Key]
    """Versions that it states roles for; others are published documents."""
    is_overlay: bool


def coverage_reaches(
    store: Store, everything: Callable[..., Reach], old: Editions, new: Editions, days_known: Sequence[Day]
) -> Iterator[Reach]:
    """The reaches of the coverage rule set. ``days_known``: for answers as known on each of these days."""
    held = {info.id: _read(info, store.tables(info.id)) for side in (old, new) for info in side.revisions}
    sides = [[held[info.id] for info in side.revisions] for side in (old, new)]
    contractors = [frozenset(name for content in side for name in content.contractors) for side in sides]
    codes: dict[str, set[str]] = {}
    for content in held.values():
        for reading, listed in content.readings.items():
            codes.setdefault(reading.key[0], set()).update(listed)
    changed: set[str] = set()
    cited: set[str] = set()
    for as_of in days_known:
        states = [_states(side, as_of) for side in sides]
        for name in {*states[0], *states[1]}:
            before, after = (state.get(name, _NOWHERE) for state in states)
            if before.answers != after.answers:
                changed.add(name)
            elif before.published_by != after.published_by:
                cited.add(name)
        for first, last in _uncommon_days(*(_standing_days(side, as_of) for side in sides)):
            yield everything(reason="documents are at hand in one release only on these days", first=first, last=last)

    def of(names: set[str], reason: str) -> Reach:
        touched = frozenset(code for name in names for code in codes.get(name, ()))
        return replace(everything(reason=reason), everything=False, procedure_codes=touched)

    yield replace(of(changed, f"{len(changed)} documents differ"), contractors=contractors[0] ^ contractors[1])
    yield replace(of(cited - changed, "another revision states the same documents"), only_where_cited=True)


def _read(info: RevisionInfo, tables: Mapping[str, pa.Table]) -> _Content:
    readings, contractors = {}, set()
    for raw in assemble(tables):
        readings[_Reading(raw.key, raw.digest)] = frozenset(raw.governed)
        contractors |= set(collect_windows(raw.jurisdictions)[1])
    roles = tables.get("roles")
    curated = (
        frozenset(zip(roles["document_id"].to_pylist(), roles["document_version"].to_pylist(), strict=True))
        if roles is not None
        else frozenset()
    )
    return _Content(info, readings, frozenset(contractors), curated, roles is not None)


class _State(NamedTuple):
    """Everything that decides how one document answers, and which revisions its findings cite."""

    answers: frozenset[object]
    published_by: frozenset[object]


_NOWHERE = _State(frozenset(), frozenset())


def _states(side: Sequence[_Content], as_of: Day) -> dict[str, _State]:
    """The state of every document that is known on a day, or has curated roles."""
    published = sorted(side, key=lambda content: (content.info.header.published_on, content.info.id))
    first_holder: dict[_Reading, str] = {}
    holders: dict[_Reading, list[RevisionInfo]] = {}
    answers: dict[str, set[object]] = {}
    published_by: dict[str, set[object]] = {}
    for content in published:
        is_known = content.info.header.published_on <= as_of
        for reading in content.readings:
            first_holder.setdefault(reading, content.info.id)
            if is_known:
                holders.setdefault(reading, []).append(content.info)
        for key in content.curated:
            answers.setdefault(key[0], set()).add(("roles", key, content.info.id, is_known))
    several = {key for key, n in _count_readings(holders).items() if n > 1}
    for reading, infos in holders.items():
        # Of several readings of one version the one published last is taken: then it matters when each was.
        last = infos[-1].header.published_on if reading.key in several else None
        answers.setdefault(reading.key[0], set()).add((reading, _merged(infos), last))
        published_by.setdefault(reading.key[0], set()).add((reading, first_holder[reading]))
    return {
        name: _State(frozenset(answers.get(name, ())), frozenset(published_by.get(name, ())))
        for name in {*answers, *published_by}
    }


def _count_readings(holders: Mapping[_Reading, object]) -> dict[Key, int]:
    counts: dict[Key, int] = {}
    for reading in holders:
        counts[reading.key] = counts.get(reading.key, 0) + 1
    return counts


Days = tuple[tuple[Day, Day], ...]


def _standing_days(side: Sequence[_Content], as_of: Day) -> Days:
    known = [c.info for c in side if c.info.header.published_on <= as_of and not c.is_overlay]
    return _merged(known)


def _merged(infos: Sequence[RevisionInfo]) -> Days:
    """The days that some of the revisions govern, as separate stretches, both ends inclusive."""
    merged: list[tuple[Day, Day]] = []
    for first, last in sorted((info.header.effective_from, info.header.effective_to) for info in infos):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _uncommon_days(old: Days, new: Days) -> Iterator[tuple[Day, Day]]:
    """Stretches that lie in one of the two only."""
    turns = sorted({BEGINNING, *(day for days in (old, new) for first, last in days for day in (first, last + 1))})
    for place, first in enumerate(turns):
        if first > FOREVER:
            return
        last = turns[place + 1] - 1 if place + 1 < len(turns) else FOREVER
        if _lies_in(first, old) != _lies_in(first, new):
            yield first, last


def _lies_in(day: Day, days: Days) -> bool:
    return any(first <= day <= last for first, last in days)
