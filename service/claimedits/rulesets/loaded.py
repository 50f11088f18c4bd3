"""A release opened for evaluation: its rule sets, each with its editions and its index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from claimedits.model.dates import Day
from claimedits.model.finding import Citation
from claimedits.model.problems import NotFoundError, StoreError
from claimedits.model.terms import Family
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.indexes import index_kind
from claimedits.rulesets.revision import RevisionInfo, Source
from claimedits.rulesets.store import Store
from claimedits.rulesets.versions import Editions

CONVENTIONS = "ncci-conventions"
NO_SOURCE = Source(file="", sha256="", size=0, records=0, encoding="")


@dataclass(frozen=True)
class LoadedRuleSet:
    """One rule set of a release."""

    name: str
    kind: str
    editions: Editions
    index: Any
    """What the index kind's ``open`` returns; positions of revisions count in ``editions.revisions``."""
    _citations: dict[tuple[int, tuple[int, int], str, str], Citation] = field(default_factory=dict, repr=False)

    def cite(
        self,
        revision: int,
        source: tuple[int, int] = (0, 0),
        effective_from: str = "",
        effective_to: str = "",
    ) -> Citation:
        """The citation of a row: ``source`` is (file, record) in revision ``revision``; record 0 cites no row."""
        key = (revision, source, effective_from, effective_to)
        citation = self._citations.get(key)
        if citation is None:
            if len(self._citations) >= 65_536:
                self._citations.clear()
            citation = self._citations[key] = self._cite(*key)
        return citation

    def _cite(self, revision: int, source: tuple[int, int], effective_from: str, effective_to: str) -> Citation:
        info = self.editions.revisions[revision]
        header, record = info.header, source[1]
        file = header.sources[source[0]] if record and header.sources else NO_SOURCE
        return Citation(
            rule_set=self.name,
            revision=info.id,
            label=header.label,
            source_file=file.file,
            source_sha256=file.sha256,
            source_row=record,
            effective_from=effective_from,
            effective_to=effective_to,
            authority=header.attributes.get("authority", ""),
            url=header.attributes.get("url", ""),
        )


@dataclass(frozen=True)
class LoadedRelease:
    """A release whose tables are verified and mapped. Immutable; shared by all threads of a process."""

    id: str
    rule_sets: Mapping[str, LoadedRuleSet]

    @classmethod
    def open(cls, store: Store, release_id: str = "") -> LoadedRelease:
        """Open a release by id or unique prefix; empty = the active one.

        Raises:
            NotFoundError: the store holds no such release, or none is active.
            StoreError: a file of the release is damaged (named), or the release lacks the conventions.
        """
        release = store.release(release_id) if release_id else store.active()
        if release is None:
            raise NotFoundError("no release is active; run 'claim-edits release activate'")
        return cls.open_revisions(store, release.id, release.revisions)

    @classmethod
    def open_revisions(cls, store: Store, release_id: str, revisions: Sequence[str]) -> LoadedRelease:
        """Open what is, or would be, the release of these revisions.

        Raises:
            NotFoundError: the store holds no such revision.
            StoreError: a file is damaged (named), an index cannot be built, or the conventions are missing.
        """
        by_rule_set: dict[str, list[RevisionInfo]] = {}
        for revision_id in revisions:
            info = store.revision(revision_id)
            store.tables(revision_id)  # damage is found here, and named, not when a row is cited
            by_rule_set.setdefault(info.header.rule_set, []).append(info)
        rule_sets = {}
        for name, infos in sorted(by_rule_set.items()):
            editions = Editions(infos)
            kind = index_kind(infos[0].header.kind)
            directory = store.index_directory(kind, [r.id for r in editions.revisions])
            rule_sets[name] = LoadedRuleSet(name, kind.name, editions, kind.open(directory))
        if CONVENTIONS not in rule_sets:
            raise StoreError(
                f"release {release_id} holds no {CONVENTIONS}, without which no edit can be decided; "
                "run 'claim-edits build' and create the release again"
            )
        return cls(release_id, rule_sets)

    @cached_property
    def limits(self) -> dict[tuple[str, Day], dict[tuple[str, Day], int]]:
        """Remembered units that plainly pass, by rule set and ``as_of``, then code and day (``engine.candidates``)."""
        return {}

    @cached_property
    def add_ons(self) -> dict[tuple[str, Day], dict[tuple[str, Day], bool]]:
        """Remembered answers whether a code may be an add-on, by rule set and ``as_of``, then code and day."""
        return {}

    @cached_property
    def plain_codes(self) -> dict[Day, tuple[set[tuple[str, Day]], set[tuple[str, Day]]]]:
        """Procedure codes and diagnoses that are plainly valid, by ``as_of``; each with its day (``engine.code_validity``)."""
        return {}

    @cached_property
    def rules_remembered(self) -> dict[Any, Any]:
        """Which authored rules could match which lines, by program (``engine.authored.matching``)."""
        return {}

    @cached_property
    def reference_turns(self) -> list[Day]:
        """Days on which the fee schedule or the list of modifiers may begin to say something else, in order."""
        days: set[Day] = set()
        for name in ("medicare-pfs-indicators", "modifiers"):
            loaded = self.rule_sets.get(name)
            if loaded is None:
                continue
            for revision in loaded.editions.revisions:
                days |= {revision.header.effective_from, revision.header.effective_to + 1}
            if name == "modifiers":
                days |= loaded.index.turns()
        return sorted(days)

    @cached_property
    def conventions(self) -> Conventions:
        """The newest conventions of the release. They read every quarter's tables, so ``as_of`` does not select them."""
        conventions: Conventions = self._newest(self.rule_sets[CONVENTIONS])
        return conventions

    @cached_property
    def duplicates(self) -> Conventions | None:
        """The newest ``duplicates`` rule set; None where the release has none."""
        loaded = self.rule_sets.get("duplicates")
        return self._newest(loaded) if loaded else None

    @cached_property
    def authored(self) -> Mapping[Family, tuple[LoadedRuleSet, ...]]:
        """Rule sets of rules that people write, by family."""
        by_family: dict[Family, tuple[LoadedRuleSet, ...]] = {}
        for loaded in self.rule_sets.values():
            if loaded.kind == "authored":
                family = Family[loaded.editions.revisions[-1].header.attributes["family"]]
                by_family[family] = (*by_family.get(family, ()), loaded)
        return by_family

    @staticmethod
    def _newest(loaded: LoadedRuleSet) -> Any:
        return loaded.index[loaded.editions.newest]
