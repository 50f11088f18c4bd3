"""One document version as the engine sees it, opened from an index."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from claimedits.model.dates import FOREVER, Day
from claimedits.rulesets.coverage.readings import CodeReading, ListKind, Paragraph, Role, Treatment
from claimedits.rulesets.windows import BEGINNING

PARTS_OF_STATES: Mapping[str, tuple[str, ...]] = {"NY": ("DN", "QN", "UN"), "CA": ("NF", "SF"), "MO": ("EM", "WM")}
"""Part-states of the coverage database (semantics.md §D.2, step 4)."""
WHOLE_OF_PART: Mapping[str, str] = {part: whole for whole, parts in PARTS_OF_STATES.items() for part in parts}
ALIASES: Mapping[str, str] = {"MP": "CNMI"}
"""Postal abbreviations that the database writes otherwise."""
JURISDICTIONS = frozenset((
    "AK", "AL", "AR", "AS", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "FM", "GA", "GU", "HI",
    "IA", "ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MH", "MI", "MN", "MO", "MP",
    "MS", "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR",
    "PW", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VI", "VT", "WA", "WI", "WV", "WY",
)).union(WHOLE_OF_PART)  # fmt: skip
"""States, territories and part-states that a claim may be in (the database's state list, and the three states in free association).
Of any other two letters it is unknown which documents govern them."""


def encode_diagnosis(code: str) -> int:
    """A diagnosis without its dot as a number; the order of numbers is the order of codes."""
    return int.from_bytes(code.encode("ascii", "replace")[:8].ljust(8, b"\0"), "big")


class Group(NamedTuple):
    """A list of diagnoses, or a part of one, with its role."""

    label: str
    """``covered 1``: the list and group as published."""
    is_covered: bool
    role: Role
    scope: frozenset[str] | None
    pair: int
    any_order: bool
    waived_by_modifiers: tuple[str, ...]
    exempt: frozenset[str]
    paragraph: int
    """Position among the document's paragraphs; -1 = none."""
    start: int
    end: int
    """Members are ``members[start:end]``, sorted."""
    source: tuple[int, int]
    members: Any

    def is_for(self, procedure_code: str) -> bool:
        return self.scope is None or procedure_code in self.scope

    def find(self, diagnoses: Iterable[int]) -> int:
        """The first of ``diagnoses`` (encoded) that the list holds, as the position of its member; -1 = none."""
        members, start, end = self.members, self.start, self.end
        for diagnosis in diagnoses:
            at = bisect_left(members, diagnosis, start, end)
            if at < end and members[at] == diagnosis:
                return at
        return -1


HALVES = frozenset((Role.PRIMARY_ELIGIBLE, Role.REQUIRED_SECONDARY))


class Scoped(NamedTuple):
    """What of a document is for one procedure code."""

    reading: CodeReading
    is_plain: bool
    """The text says nothing of the code itself: only the lists decide."""
    covered: tuple[Group, ...]
    excluded: tuple[Group, ...]
    single: tuple[Group, ...]
    """Covered lists in which one hit decides: standalone ones, those exempt from their pairing, doubtful ones."""
    pairs: tuple[tuple[tuple[Group, ...], tuple[Group, ...]], ...]
    """Primary and secondary lists of every pairing; one side may be empty."""

    @property
    def is_denied_on_condition(self) -> bool:
        """Denied under a condition that no claim shows: whether or not it holds, what the lists deny is denied."""
        has_lists = bool(self.covered or self.excluded)
        return has_lists and self.reading.treatment is Treatment.DENIED_IF and not self.reading.settings

    @property
    def is_half_a_pair(self) -> bool:
        """Lists that are all halves, and no pairing of them is whole."""
        return (
            bool(self.pairs) and not self.single and not any(primary and secondary for primary, secondary in self.pairs)
        )


@dataclass(frozen=True)
class Document:
    """One version, opened. Immutable."""

    document_id: str
    version: str
    document_type: str
    effective_from: Day | None
    """None: the export does not say."""
    effective_to: Day
    first_effective_from: Day | None
    is_replaced: bool
    is_national: bool
    claim_kind: str
    url: str
    source: tuple[int, int]
    revision: int
    """The revision that its rows are cited from: the first published one that holds this content."""
    revisions: tuple[int, ...]
    overlay: int
    """The revision of curated roles that this reading rests on; -1 = none."""
    codes: Mapping[str, CodeReading]
    rows: Mapping[str, tuple[int, int]]
    """Procedure code → its row."""
    groups: tuple[Group, ...]
    pairing_unclear: bool
    states: Mapping[str, tuple[tuple[Day, Day], ...]]
    contractors: Mapping[str, tuple[tuple[Day, Day], ...]]
    """By contractor number, and by the database's contractor id."""
    _scoped: dict[str, Scoped] = field(default_factory=dict, compare=False, repr=False)

    def scoped_to(self, code: str) -> Scoped:
        """The lists scoped to a governed code by paragraph; no code named → all governed codes (semantics.md §D.3)."""
        scoped = self._scoped.get(code)
        if scoped is None:
            scoped = self._scoped[code] = self._scope(code)
        return scoped

    def _scope(self, code: str) -> Scoped:
        reading = self.codes[code]
        covered = tuple(group for group in self.groups if group.is_covered and group.is_for(code))
        halves = [group for group in covered if group.role in HALVES]
        return Scoped(
            reading=reading,
            is_plain=reading.treatment is Treatment.LISTED and not reading.settings,
            covered=covered,
            excluded=tuple(group for group in self.groups if not group.is_covered and group.is_for(code)),
            single=tuple(
                g for g in covered if g.role not in HALVES or (g.role is Role.PRIMARY_ELIGIBLE and code in g.exempt)
            ),
            pairs=tuple(
                (
                    tuple(g for g in halves if g.pair == pair and g.role is Role.PRIMARY_ELIGIBLE),
                    tuple(g for g in halves if g.pair == pair and g.role is Role.REQUIRED_SECONDARY),
                )
                for pair in sorted({group.pair for group in halves})
            ),
        )

    def holds_for_contractor(self, contractor: str, day: Day) -> bool:
        return any(first <= day <= last for first, last in self.contractors.get(contractor, ()))

    def holds_in(self, state: str, day: Day) -> str:
        """``whole``, ``part`` (some part-states of the claim's state) or empty."""
        state = ALIASES.get(state, state)
        if self._has(state, day) or self._has(WHOLE_OF_PART.get(state, ""), day):
            return "whole"
        parts = [self._has(part, day) for part in PARTS_OF_STATES.get(state, ())]
        if parts and all(parts):
            return "whole"
        return "part" if any(parts) else ""

    def _has(self, state: str, day: Day) -> bool:
        return any(first <= day <= last for first, last in self.states.get(state, ()))


def write_document(document: Document, texts: list[Paragraph]) -> tuple[dict[str, Any], list[list[str]]]:
    """The document and its paragraphs as JSON values."""
    codes = {
        code: [r.treatment.value, sorted(r.beside), list(r.settings), r.is_open, r.paragraph, list(r.source)]
        for code, r in document.codes.items()
        if r != CodeReading()
    }
    groups = [
        [
            g.label, g.is_covered, g.role.value, sorted(g.scope) if g.scope is not None else None, g.pair, g.any_order,
            list(g.waived_by_modifiers), sorted(g.exempt), g.paragraph, g.start, g.end, list(g.source),
        ]
        for g in document.groups
    ]  # fmt: skip
    head = [
        document.document_id, document.version, document.document_type, document.effective_from, document.effective_to,
        document.first_effective_from, document.is_replaced, document.is_national, document.claim_kind, document.url,
        list(document.source), document.revision, list(document.revisions), document.overlay, document.pairing_unclear,
    ]  # fmt: skip
    value = {
        "head": head,
        "codes": codes,
        "rows": {code: list(place) for code, place in document.rows.items()},
        "groups": groups,
        "states": document.states,
        "contractors": document.contractors,
    }
    return value, [[p.label, p.text, p.sha256] for p in texts]


def read_document_json(value: Mapping[str, Any], members: Any) -> Document:
    """What ``write_document`` wrote."""
    head = value["head"]
    rows = {code: (place[0], place[1]) for code, place in value["rows"].items()}
    special = {
        code: CodeReading(Treatment(c[0]), frozenset(c[1]), tuple(c[2]), c[3], c[4], (c[5][0], c[5][1]))
        for code, c in value["codes"].items()
    }
    listed = CodeReading()
    groups = tuple(
        Group(
            g[0], g[1], Role(g[2]), frozenset(g[3]) if g[3] is not None else None, g[4], g[5], tuple(g[6]), frozenset(g[7]),
            g[8], g[9], g[10], (g[11][0], g[11][1]), members,
        )
        for g in value["groups"]
    )  # fmt: skip
    return Document(
        document_id=head[0],
        version=head[1],
        document_type=head[2],
        effective_from=head[3],
        effective_to=head[4],
        first_effective_from=head[5],
        is_replaced=head[6],
        is_national=head[7],
        claim_kind=head[8],
        url=head[9],
        source=(head[10][0], head[10][1]),
        revision=head[11],
        revisions=tuple(head[12]),
        overlay=head[13],
        codes={code: special.get(code, listed) for code in rows},
        rows=rows,
        groups=groups,
        pairing_unclear=head[14],
        states=_windows(value["states"]),
        contractors=_windows(value["contractors"]),
    )


def _windows(value: Mapping[str, Any]) -> dict[str, tuple[tuple[Day, Day], ...]]:
    return {name: tuple((w[0], w[1]) for w in windows) for name, windows in value.items()}


def collect_windows(
    jurisdictions: Iterable[tuple[str, str, str, int | None, int | None]],
) -> tuple[dict[str, tuple[tuple[Day, Day], ...]], dict[str, tuple[tuple[Day, Day], ...]]]:
    """Days by state, and days by contractor number and id."""
    states: dict[str, set[tuple[Day, Day]]] = {}
    contractors: dict[str, set[tuple[Day, Day]]] = {}
    for number, identity, state, first, last in jurisdictions:
        window = (BEGINNING if first is None else first, FOREVER if last is None else last)
        if state:
            states.setdefault(state, set()).add(window)
        for name in (number, identity):
            if name:
                contractors.setdefault(name, set()).add(window)
    return (
        {name: tuple(sorted(windows)) for name, windows in states.items()},
        {name: tuple(sorted(windows)) for name, windows in contractors.items()},
    )


__all__ = [
    "Document",
    "Group",
    "ListKind",
    "collect_windows",
    "encode_diagnosis",
    "read_document_json",
    "write_document",
]
