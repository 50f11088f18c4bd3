"""Compares two revisions or two releases of a store, named as a person names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from claimedits.model.problems import AmbiguousIdError, ClaimEditsError, NotFoundError
from claimedits.model.terms import Family
from claimedits.rulesets.comparison.governance import GovernanceChange
from claimedits.rulesets.comparison.releases import ReleaseComparison, compare_releases
from claimedits.rulesets.comparison.revisions import RevisionComparison, compare_revisions
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store

ACTIVE = "active"
"""Names the active release."""
_FAMILIES = {
    "ptp": Family.PTP,
    "mue": Family.MUE,
    "aoc": Family.ADD_ON_CODE,
    "coverage": Family.COVERAGE,
    "value-sets": Family.COVERAGE,
    "duplicates": Family.DUPLICATE,
    "procedure-codes": Family.CODE_VALIDITY,
    "icd10": Family.CODE_VALIDITY,
    "code-edits": Family.CODE_VALIDITY,
    "modifiers": Family.MODIFIER,
    "pfs": Family.MODIFIER,
}
"""The family that a kind of rule set is first of all for. Conventions serve all of them, and rules that people write say."""


class CannotCompareError(ClaimEditsError):
    """Two things that are not of one sort, or a filter that leaves nothing."""


class Filters(NamedTuple):
    """Which rule sets are compared: those that are named, and those of the families; empty = all."""

    rule_sets: Collection[str] = ()
    families: Collection[Family] = ()

    def keep(self, info: RevisionInfo) -> bool:
        """Whether a revision's rule set is wanted."""
        return (not self.rule_sets or info.header.rule_set in self.rule_sets) and (
            not self.families or family_of(info) in self.families
        )


EVERYTHING = Filters()


@dataclass(slots=True, frozen=True)
class Compared:
    """The differences between an old and a new revision, or between an old and a new release."""

    old: RevisionInfo | ReleaseInfo
    new: RevisionInfo | ReleaseInfo
    rule_sets: tuple[RevisionComparison, ...]
    """Of two revisions the one comparison; of two releases one for each revision that only one of them holds."""
    release: ReleaseComparison | None
    """What two releases differ in beside rows; None = revisions were compared."""

    @property
    def governance(self) -> tuple[GovernanceChange, ...]:
        """Service days for which another revision answers; empty where revisions were compared."""
        return self.release.governance if self.release else ()

    @property
    def differences(self) -> int:
        """Rows added, removed and changed."""
        return sum(comparison.differences for comparison in self.rule_sets)

    @property
    def retroactive(self) -> int:
        """How many of the differences are retroactive."""
        return sum(comparison.retroactive for comparison in self.rule_sets)

    @property
    def by_family(self) -> list[tuple[str, int, int]]:
        """(family, differences, of them retroactive), retroactive ones first; an empty name = rule sets that serve all families."""
        rows: Counter[str] = Counter()
        retroactive: Counter[str] = Counter()
        for comparison in self.rule_sets:
            present = comparison.new or comparison.old
            family = family_of(present) if present else None
            rows[family.name if family else ""] += comparison.differences
            retroactive[family.name if family else ""] += comparison.retroactive
        return sorted(((f, n, retroactive[f]) for f, n in rows.items() if n), key=lambda g: (-g[2], -g[1], g[0]))

    @property
    def is_empty(self) -> bool:
        """Whether rows, columns and, of releases, revisions are the same."""
        return all(comparison.is_empty for comparison in self.rule_sets) and (
            self.release is None or self.release.is_empty
        )


def compare(store: Store, old: str, new: str, filters: Filters = EVERYTHING, *, across: bool = False) -> Compared:
    """Compare what two names stand for.

    Args:
        old, new: both a revision or both a release, each as ``find`` takes it.
        filters: of releases, which rule sets.
        across: revisions of two rule sets of one kind may be compared.

    Raises:
        NotFoundError, AmbiguousIdError: a name stands for nothing, or for several things.
        CannotCompareError: one is a revision and the other a release, or the filters leave nothing.
        IncomparableError: the revisions are of different rule sets.
        StoreError: the store is damaged.
    """
    before, after = find(store, old), find(store, new)
    if isinstance(before, RevisionInfo) and isinstance(after, RevisionInfo):
        if not filters.keep(before) and not filters.keep(after):
            raise CannotCompareError(
                f"{before.header.rule_set} and {after.header.rule_set} are not among the rule sets asked for; "
                "leave the filters out"
            )
        comparison = compare_revisions(store, before.id, after.id, across_rule_sets=across)
        return Compared(before, after, (comparison,), None)
    if isinstance(before, ReleaseInfo) and isinstance(after, ReleaseInfo):
        names = _wanted(store, (before, after), filters)
        release = compare_releases(store, before.id, after.id, rule_sets=names)
        return Compared(before, after, release.rule_sets, release)
    words = ["a revision" if isinstance(one, RevisionInfo) else "a release" for one in (before, after)]
    raise CannotCompareError(f"{old} is {words[0]} and {new} {words[1]}; name two revisions or two releases")


def _wanted(store: Store, releases: tuple[ReleaseInfo, ReleaseInfo], filters: Filters) -> list[str] | None:
    if not filters.rule_sets and not filters.families:
        return None
    held = [store.revision(revision) for revision in {r for release in releases for r in release.revisions}]
    wanted = sorted({info.header.rule_set for info in held if filters.keep(info)})
    unknown = sorted(set(filters.rule_sets) - {info.header.rule_set for info in held})
    if unknown or not wanted:
        names = ", ".join(sorted({info.header.rule_set for info in held}))
        what = f"neither release holds {', '.join(unknown)}" if unknown else "no rule set of the releases is asked for"
        raise CannotCompareError(f"{what}; they hold {names}")
    return wanted


def find(store: Store, name: str) -> RevisionInfo | ReleaseInfo:
    """What a name stands for: ``active``; an id or a unique beginning of it; ``RULE_SET@LABEL``, its last published edition.

    Raises:
        NotFoundError: it stands for nothing.
        AmbiguousIdError: it begins the ids of several revisions or releases.
    """
    if name == ACTIVE:
        release = store.active()
        if release is None:
            raise NotFoundError("no release is active; run 'claim-edits release activate'")
        return release
    rule_set, at, label = name.rpartition("@")
    if at:
        return _find_edition(store, rule_set, label)
    found: list[RevisionInfo | ReleaseInfo] = []
    for look in (store.revision, store.release):
        try:
            found.append(look(name))
        except NotFoundError:
            pass
    if not found:
        raise NotFoundError(
            f"the store holds no revision and no release {name}; 'claim-edits release list' shows releases, "
            "and a revision can be named as RULE_SET@LABEL"
        )
    if len(found) > 1:
        raise AmbiguousIdError(f"{name} begins the ids of a revision and of a release; give more digits")
    return found[0]


def _find_edition(store: Store, rule_set: str, label: str) -> RevisionInfo:
    editions = store.revisions(rule_set)
    named = [info for info in editions if info.header.label == label]
    if named:
        return max(named, key=lambda info: (info.header.published_on, info.header.effective_from, info.id))
    if editions:
        labels = ", ".join(dict.fromkeys(info.header.label for info in editions))
        raise NotFoundError(f"the store holds no {rule_set} {label}; it holds {labels}")
    names = ", ".join(sorted({info.header.rule_set for info in store.revisions()})) or "none"
    raise NotFoundError(f"the store holds no rule set {rule_set}; it holds {names}")


def family_of(info: RevisionInfo) -> Family | None:
    """The family that a rule set is first of all for; None for one that serves them all."""
    if info.header.kind == "authored":
        return Family.__members__.get(info.header.attributes.get("family", ""))
    return _FAMILIES.get(info.header.kind)
