"""Compares two releases: which rule sets came, went or changed, and which revision answers for which days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claimedits.rulesets.comparison.governance import GovernanceChange, governance_changes
from claimedits.rulesets.comparison.revisions import RevisionComparison, compare_tables
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store
from claimedits.rulesets.versions import Editions


@dataclass(slots=True, frozen=True)
class ReleaseComparison:
    """Two releases of one store."""

    old: ReleaseInfo
    new: ReleaseInfo
    rule_sets: tuple[RevisionComparison, ...]
    """Every revision that only one of them holds, beside its counterpart (``pair_revisions``); by rule set, then period."""
    unchanged: tuple[str, ...]
    """Rule sets of which both hold the same revisions."""
    added: tuple[str, ...]
    """Rule sets that only the new release holds."""
    removed: tuple[str, ...]
    revisions_added: tuple[RevisionInfo, ...]
    revisions_removed: tuple[RevisionInfo, ...]
    governance: tuple[GovernanceChange, ...]
    """Service days for which another revision answers, by rule set, then day."""

    @property
    def is_empty(self) -> bool:
        """Whether both hold the same revisions."""
        return not self.revisions_added and not self.revisions_removed


def compare_releases(
    store: Store, old_id: str, new_id: str, *, rule_sets: Sequence[str] | None = None
) -> ReleaseComparison:
    """Compare two kept releases (ids or unique prefixes); ``rule_sets`` = only these, None = all.

    Raises:
        NotFoundError: the store holds no such release.
        StoreError: a table, or a revision's manifest, is damaged.
    """
    old, new = store.release(old_id), store.release(new_id)
    sides = [
        {
            info.id: info
            for info in map(store.revision, release.revisions)
            if rule_sets is None or info.header.rule_set in rule_sets
        }
        for release in (old, new)
    ]
    by_rule_set = [_by_rule_set(side) for side in sides]
    names = sorted({*by_rule_set[0], *by_rule_set[1]})
    comparisons: list[RevisionComparison] = []
    governance: list[GovernanceChange] = []
    unchanged = []
    for name in names:
        before, after = by_rule_set[0].get(name, []), by_rule_set[1].get(name, [])
        if [info.id for info in before] == [info.id for info in after]:
            unchanged.append(name)
            continue
        for old_line, new_line in _lines(before, after):
            governance += governance_changes(name, Editions(old_line), Editions(new_line))
            comparisons += (_compare(store, *pair) for pair in pair_revisions(old_line, new_line))
    return ReleaseComparison(
        old=old,
        new=new,
        rule_sets=tuple(comparisons),
        unchanged=tuple(unchanged),
        added=tuple(name for name in names if name not in by_rule_set[0]),
        removed=tuple(name for name in names if name not in by_rule_set[1]),
        revisions_added=_only(sides[1], sides[0]),
        revisions_removed=_only(sides[0], sides[1]),
        governance=tuple(governance),
    )


def _lines(
    old: Sequence[RevisionInfo], new: Sequence[RevisionInfo]
) -> Iterator[tuple[list[RevisionInfo], list[RevisionInfo]]]:
    """The revisions of a rule set apart by what they hold: coverage documents come in several exports that serve together, each
    with editions of its own, and so do the roles that people read out of them."""
    for line in sorted({line_of(info) for info in (*old, *new)}):
        yield [info for info in old if line_of(info) == line], [info for info in new if line_of(info) == line]


def line_of(info: RevisionInfo) -> tuple[bool, str]:
    """What tells the lines of a rule set apart whose editions follow each other: (whether it holds roles, which documents)."""
    return "roles" in info.rows, info.header.attributes.get("content", "")


def pair_revisions(
    old: Sequence[RevisionInfo], new: Sequence[RevisionInfo]
) -> Iterator[tuple[RevisionInfo | None, RevisionInfo | None]]:
    """The editions of one line that only one release holds, each beside the one it is to be compared with.

    A new revision stands beside the old one that governs from the same day (a re-issue); else beside its predecessor among
    the old ones and the new ones already placed, so that of several new quarters each shows its own changes; else beside the
    nearest later old one; beside None where the old release lacks the rule set. A removed revision that no new one stands
    beside does so itself, in the same way.
    """
    kept = {info.id for info in old} & {info.id for info in new}
    placed = list(old)
    counterparts = set()
    for info in sorted((i for i in new if i.id not in kept), key=_period):
        other = _counterpart(info, old, placed)
        if other is not None:
            counterparts.add(other.id)
        yield other, info
        placed.append(info)
    for info in sorted((i for i in old if i.id not in kept and i.id not in counterparts), key=_period):
        yield info, _counterpart(info, new, new)


def _counterpart(
    info: RevisionInfo, others: Sequence[RevisionInfo], earlier: Sequence[RevisionInfo]
) -> RevisionInfo | None:
    first = info.header.effective_from
    same = [other for other in others if other.header.effective_from == first]
    before = [other for other in earlier if other.header.effective_from < first]
    if same or before:
        return max(same or before, key=_period)
    return min(others, key=_period, default=None)


def _period(info: RevisionInfo) -> tuple[int, int, str]:
    return info.header.effective_from, info.header.published_on, info.id


def _compare(store: Store, old: RevisionInfo | None, new: RevisionInfo | None) -> RevisionComparison:
    opened = [(info, store.tables(info.id)) if info is not None else None for info in (old, new)]
    return compare_tables(opened[0], opened[1])


def _by_rule_set(revisions: dict[str, RevisionInfo]) -> dict[str, list[RevisionInfo]]:
    grouped: dict[str, list[RevisionInfo]] = {}
    for info in revisions.values():
        grouped.setdefault(info.header.rule_set, []).append(info)
    return {name: sorted(infos, key=_period) for name, infos in grouped.items()}


def _only(side: dict[str, RevisionInfo], other: dict[str, RevisionInfo]) -> tuple[RevisionInfo, ...]:
    infos = [info for info in side.values() if info.id not in other]
    return tuple(sorted(infos, key=lambda info: (info.header.rule_set, *_period(info))))
