"""Which document versions govern a procedure code on a day, in a jurisdiction, as known on ``as_of`` (semantics.md §D.2, §G.3).

Exports hold the latest version of each document only, so the versions of all known exports make one timeline. Where the version
in force on a day is in none of them, the answer is that it is not at hand, never that nothing governs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple
from weakref import WeakKeyDictionary

from claimedits.model.dates import FOREVER, Day
from claimedits.model.terms import Setting
from claimedits.rulesets.coverage.documents import JURISDICTIONS, Document
from claimedits.rulesets.coverage.index import CoverageIndex
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.versions import Editions
from claimedits.rulesets.windows import BEGINNING

MOST_KEPT = 65_536
"""Answers remembered; a caller chooses codes and states, so the number is bounded."""


class Governing(NamedTuple):
    """One document that governs a code on some days."""

    name: str
    document: Document | None
    """None: the version in force on these days is not at hand."""
    number: int
    """Of the version in the index; -1 = not at hand."""
    revision: int
    """The revision to cite."""
    effective_from: Day
    effective_to: Day
    """Last day on which this version governs: its own end, or the day before the next version."""
    is_partial: bool = False
    """It governs some part-states of the claim's state."""


class Found(NamedTuple):
    """The answer for one line."""

    documents: tuple[Governing, ...]
    is_jurisdiction_unknown: bool


NOTHING = Found((), False)


class GoverningDocuments:
    """The documents of one rule set as known on one day."""

    _views: ClassVar[WeakKeyDictionary[Editions, dict[Day, GoverningDocuments]]] = WeakKeyDictionary()

    def __init__(self, loaded: LoadedRuleSet, as_of: Day) -> None:
        self._index: CoverageIndex = loaded.index
        self._revisions = loaded.editions.revisions
        self._known = [i for i, r in enumerate(self._revisions) if r.header.published_on <= as_of]
        self._standing: dict[Day, frozenset[int]] = {}
        self._timelines: dict[tuple[str, frozenset[int]], tuple[tuple[Governing, ...], ...]] = {}
        self._found: dict[tuple[str, str, str, Setting, Day], Found] = {}

    @classmethod
    def of(cls, loaded: LoadedRuleSet, as_of: Day) -> GoverningDocuments:
        """The view of a day, made once."""
        views = cls._views.get(loaded.editions)
        if views is None:
            views = cls._views[loaded.editions] = {}
        view = views.get(as_of)
        if view is None:
            if len(views) >= 256:
                views.clear()
            view = views[as_of] = cls(loaded, as_of)
        return view

    def has_edition(self, day: Day) -> bool:
        """Whether a known revision governs the day at all."""
        return bool(self._editions(day) - self._index.overlays)

    def _editions(self, day: Day) -> frozenset[int]:
        standing = self._standing.get(day)
        if standing is None:
            if len(self._standing) >= MOST_KEPT:
                self._standing.clear()
            headers = ((i, self._revisions[i].header) for i in self._known)
            standing = frozenset(i for i, h in headers if h.effective_from <= day <= h.effective_to)
            self._standing[day] = standing
        return standing

    def find(self, code: str, contractor: str, state: str, setting: Setting, day: Day) -> Found:
        """Every document that governs ``code`` on ``day``: by contractor where it is a known one, else by state where it is one."""
        key = (code, contractor, state, setting, day)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MOST_KEPT:
                self._found.clear()
            found = self._found[key] = self._find(*key)
        return found

    def governing(self, code: str, day: Day) -> list[Governing]:
        """Every version that governs ``code`` on ``day`` in some jurisdiction: for look-up."""
        timelines = self._timeline(code, self._editions(day))
        return [g for timeline in timelines for g in timeline if g.effective_from <= day <= g.effective_to]

    def readings(self, family: Sequence[int]) -> list[tuple[int, Document]]:
        """One reading of each known version of a document, in the order of their dates; curated before plain."""
        return self._choose(family, frozenset(self._known))

    @property
    def knows_all(self) -> bool:
        """Whether every revision was known on the day."""
        return len(self._known) == len(self._revisions)

    def _find(self, code: str, contractor: str, state: str, setting: Setting, day: Day) -> Found:
        if not self._index.governs(code):
            return NOTHING
        if contractor not in self._index.contractors:
            contractor = ""
        if state not in JURISDICTIONS:
            state = ""
        documents: list[Governing] = []
        unknown = False
        for timeline in self._timeline(code, self._editions(day)):
            for governing in timeline:
                if not governing.effective_from <= day <= governing.effective_to:
                    continue
                where = self._where(governing, contractor, state, setting, day)
                if where == "unknown":
                    unknown = True
                elif where:
                    documents.append(governing._replace(is_partial=where == "part"))
        return Found(tuple(documents), unknown)

    def _where(self, governing: Governing, contractor: str, state: str, setting: Setting, day: Day) -> str:
        """``whole``, ``part``, ``unknown``, or empty where the document does not reach the claim."""
        document = governing.document or self._index.document(governing.number)
        if document.claim_kind and (document.claim_kind == "dme") != (setting is Setting.DME_SUPPLIER):
            return ""
        if document.is_national:
            return "whole"
        if contractor:
            return "whole" if document.holds_for_contractor(contractor, day) else ""
        return document.holds_in(state, day) if state else "unknown"

    def _timeline(self, code: str, standing: frozenset[int]) -> tuple[tuple[Governing, ...], ...]:
        key = (code, standing)
        timelines = self._timelines.get(key)
        if timelines is None:
            if len(self._timelines) >= MOST_KEPT:
                self._timelines.clear()
            families = self._index.families(code)
            timelines = tuple(tuple(self._order(code, family, standing)) for family in families)
            self._timelines[key] = timelines
        return timelines

    def _order(self, code: str, family: Sequence[int], standing: frozenset[int]) -> list[Governing]:
        """The versions of one document in time, and the days for which none is at hand."""
        versions = self._choose(family, standing)
        timeline: list[Governing] = []
        for i, (number, document) in enumerate(versions):
            name, start = document.document_id, document.effective_from
            if start is None:  # dates are not in the export
                if code in document.codes:
                    timeline.append(Governing(name, None, number, document.revision, BEGINNING, FOREVER))
                continue
            if i == 0 and code in document.codes and _has_earlier_version(document):
                first = BEGINNING if document.first_effective_from is None else document.first_effective_from
                timeline.append(Governing(name, None, number, document.revision, first, start - 1))
            following = versions[i + 1][1].effective_from if i + 1 < len(versions) else None
            until = document.effective_to if following is None else min(document.effective_to, following - 1)
            if code in document.codes:
                timeline.append(Governing(name, document, number, document.revision, start, until))
                if document.is_replaced and until == document.effective_to:
                    last = FOREVER if following is None else following - 1
                    timeline.append(Governing(name, None, number, document.revision, until + 1, last))
        return timeline

    def _choose(self, family: Sequence[int], standing: frozenset[int]) -> list[tuple[int, Document]]:
        """One reading of each version: curated before plain, then the latest published."""
        chosen: dict[str, tuple[tuple[bool, Day], int, Document]] = {}
        for number in family:
            document = self._index.document(number)
            held = [i for i in document.revisions if i in standing]
            if not held or (document.overlay >= 0 and document.overlay not in self._known):
                continue
            published = max(self._revisions[i].header.published_on for i in held)
            rank = (document.overlay >= 0, published)
            best = chosen.get(document.version)
            if best is None or rank > best[0]:
                chosen[document.version] = (rank, number, document)
        ordered = sorted(
            chosen.values(), key=lambda c: (c[2].effective_from is None, c[2].effective_from or 0, _version(c[2]))
        )
        return [(number, document) for _, number, document in ordered]


def _version(document: Document) -> tuple[int, str]:
    return (int(document.version) if document.version.isdigit() else 0), document.version


def _has_earlier_version(document: Document) -> bool:
    """Version 1, or a document that counts no versions, begins with itself."""
    return document.version.isdigit() and int(document.version) > 1
