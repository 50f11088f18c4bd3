"""Look-ups in coverage documents and value sets: what governs a code, which lists name a diagnosis (semantics.md §D)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from claimedits.app.lookup.edits import NOTHING, Edit, Found, Search
from claimedits.engine.code_validity_findings import dotted
from claimedits.model.dates import FOREVER, format_day
from claimedits.model.terms import Family, Setting
from claimedits.rulesets.coverage.documents import Document, Group
from claimedits.rulesets.coverage.governing import GoverningDocuments
from claimedits.rulesets.coverage.index import CoverageIndex
from claimedits.rulesets.coverage.readings import Role, Treatment
from claimedits.rulesets.coverage.value_sets import ValueSet
from claimedits.rulesets.loaded import LoadedRuleSet

_CONTRACTOR_NUMBER = 5
"""Letters of a contractor number on claims; the database's own contractor ids are shorter."""
_TREATMENTS = {
    Treatment.LISTED: "",
    Treatment.FREE: "free of the lists of diagnoses",
    Treatment.DENIED: "not covered, whatever the diagnosis",
    Treatment.DENIED_IF: "not covered under a condition that no claim shows",
}


class _Place(NamedTuple):
    """A version, and the member of its lists that was looked for; -1 = none, the version as a whole."""

    number: int
    member: int = -1


def find_documents(search: Search, loaded: LoadedRuleSet) -> Found:
    """Document versions that list a code; or the lists that hold a diagnosis, those for the code where one is asked for."""
    asked = search.asked
    if asked.modifiers or len(asked.procedure_codes) > 1:
        return NOTHING
    documents = _Documents(search, loaded)
    code = asked.procedure_codes[0] if asked.procedure_codes else ""
    if asked.diagnosis:
        places = documents.holding(asked.diagnosis, code)
        return Found(places, partial(documents.make_list, asked.diagnosis))
    return Found(documents.governing(code), partial(documents.make_document, code))


def find_versions(search: Search, loaded: LoadedRuleSet, document_id: str) -> Found:
    """Every known version of a document."""
    documents = _Documents(search, loaded)
    return Found(documents.versions(document_id), partial(documents.make_document, ""))


class _Documents:
    """The coverage documents of one rule set, as one look-up sees them."""

    def __init__(self, search: Search, loaded: LoadedRuleSet) -> None:
        self._search, self._loaded = search, loaded
        self._index: CoverageIndex = loaded.index
        self._documents = GoverningDocuments.of(loaded, search.asked.as_of)

    def governing(self, code: str) -> list[_Place]:
        """Versions that list a code, by document, then date."""
        families = self._index.families(code)
        return [
            _Place(n) for family in families for n in self._readings(family) if code in self._index.document(n).codes
        ]

    def versions(self, document_id: str) -> list[_Place]:
        """Versions of a document by date."""
        family = self._index.find_family(document_id)
        return [] if family is None else [_Place(n) for n in self._readings(self._index.versions(family))]

    def holding(self, diagnosis: str, code: str) -> list[_Place]:
        """Lists that hold a diagnosis, by document, then date; with ``code``, those that are for it."""
        members: dict[int, list[int]] = {}
        governing = {n for family in self._index.families(code) for n in family} if code else None
        for number, member in self._index.places_of(diagnosis):
            if governing is None or number in governing:
                members.setdefault(number, []).append(member)
        families = sorted({self._index.family(number) for number in members})
        return [
            _Place(number, member)
            for family in families
            for number in self._readings(self._index.versions(family))
            for member in members.get(number, ())
            if not code or self._is_for(number, member, code)
        ]

    def _readings(self, family: list[int]) -> Iterator[int]:
        """The reading of each version that was known, by date. A single version need not be opened where all are known."""
        setting = self._search.asked.setting
        if len(family) == 1 and self._documents.knows_all and setting is None:
            yield family[0]
            return
        for number, document in self._documents.readings(family):
            if not setting or not document.claim_kind or _is_dme(document) == (setting is Setting.DME_SUPPLIER):
                yield number

    def _is_for(self, number: int, member: int, code: str) -> bool:
        document = self._index.document(number)
        return code in document.codes and _group_at(document, member).is_for(code)

    def make_document(self, code: str, place: _Place) -> Edit:
        """A version: where it holds, what it says of the code, which lists it has, with their roles."""
        document = self._index.document(place.number)
        groups = [group for group in document.groups if not code or group.is_for(code)]
        said = (("code_is", _TREATMENTS[document.codes[code].treatment]),) if code else ()
        listed = () if code else (("procedure_codes", " ".join(sorted(document.codes))),)
        source = document.rows[code] if code else document.source
        return self._make(
            place.number,
            document,
            source,
            (*said, *listed, ("lists", "; ".join(map(_describe, groups)) or "none")),
        )

    def make_list(self, diagnosis: str, place: _Place) -> Edit:
        """A list that holds a diagnosis: its role, and the codes it is for."""
        document = self._index.document(place.number)
        group = _group_at(document, place.member)
        codes = sorted(code for code in document.codes if group.is_for(code))
        fields = (
            ("icd10_code", dotted(diagnosis)),
            ("list", group.label),
            ("role", _role(group)),
            ("procedure_codes", " ".join(codes)),
        )
        return self._make(place.number, document, self._index.member_source(place.member), fields)

    def _make(
        self, number: int, document: Document, source: tuple[int, int], fields: tuple[tuple[str, str], ...]
    ) -> Edit:
        loaded, day = self._loaded, self._search.asked.day
        first = "" if document.effective_from is None else format_day(document.effective_from)
        last = "" if document.effective_to == FOREVER else format_day(document.effective_to)
        cited = loaded.cite(document.revision, source, first, last)
        states = [state for state in document.states if document.holds_in(state, day) == "whole"]
        contractors = [
            name
            for name in document.contractors
            if len(name) == _CONTRACTOR_NUMBER and document.holds_for_contractor(name, day)
        ]
        reaches = document.is_national or bool(states or contractors)
        governs, note = self._standing(number, document)
        return Edit(
            Family.COVERAGE,
            loaded.name,
            f"{loaded.name}/{document.document_id}",
            cited._replace(url=document.url or cited.url),
            governs and reaches,
            (
                ("document_type", document.document_type),
                ("document_version", document.version),
                ("effective_from", first),
                ("effective_to", last),
                *fields,
                ("claim_kind", document.claim_kind),
                ("states", "all" if document.is_national else " ".join(sorted(states))),
                ("contractors", " ".join(sorted(contractors))),
                ("roles", "curated" if document.overlay >= 0 else ""),
                ("note", note),
            ),
        )

    def _standing(self, number: int, document: Document) -> tuple[bool, str]:
        """Whether the version governs its codes on the date, and what keeps it from that."""
        if document.effective_from is None:
            return False, "the export does not say its dates: its lines are not evaluated"
        code = next(iter(document.codes), "")
        name, day = document.document_id, self._search.asked.day
        on_day = [g for g in self._documents.governing(code, day) if g.name == name] if code else []
        if any(g.number == number and g.document is not None for g in on_day):
            return True, ""
        if any(g.number == number for g in on_day):
            return False, f"the version in force on {format_day(day)} is not loaded"
        return False, ""


def _group_at(document: Document, member: int) -> Group:
    return next(group for group in document.groups if group.start <= member < group.end)


def _is_dme(document: Document) -> bool:
    return document.claim_kind == "dme"


def _role(group: Group) -> str:
    """The role of a list in words."""
    words = [group.role.value]
    if group.pair and group.role in (Role.PRIMARY_ELIGIBLE, Role.REQUIRED_SECONDARY):
        words.append(f"of pairing {group.pair}")
    if group.waived_by_modifiers and group.is_covered:
        words.append(f"lifted by {' '.join(group.waived_by_modifiers)}")
    return " ".join(words)


def _describe(group: Group) -> str:
    scope = "" if group.scope is None else f" for {' '.join(sorted(group.scope))}"
    count = group.end - group.start
    return f"{group.label}: {_role(group)}, {count:,} {'diagnosis' if count == 1 else 'diagnoses'}{scope}"


def find_value_sets(search: Search, loaded: LoadedRuleSet) -> Found:
    """Value sets that hold a code or a diagnosis. They are somebody's reading of determinations: no edit asks them."""
    code = search.asked.only_code or search.asked.only_diagnosis
    known = search.known(loaded)
    places = [held for held in loaded.index.holding(code) if known >> held.revision & 1] if code else []
    places.sort(key=lambda held: (held.value_set, held.revision, held.category, held.determination))
    return Found(places, partial(_make_value_set, loaded, code))


def _make_value_set(loaded: LoadedRuleSet, code: str, held: ValueSet) -> Edit:
    return Edit(
        Family.COVERAGE,
        loaded.name,
        f"{loaded.name}/{held.value_set}",
        loaded.cite(held.revision),
        False,
        (
            ("code", code),
            ("system", held.system),
            ("category", held.category),
            ("determination", held.determination),
            ("note", "for look-up only: no edit reads value sets"),
        ),
    )
