"""Which documents want a curated role, ranked by how many codes they govern (file-formats.md §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from claimedits.model.problems import Problem
from claimedits.rulesets.coverage.assembly import CuratedRole, Key, RawDocument, apply_roles, assemble
from claimedits.rulesets.coverage.reading import read_document
from claimedits.rulesets.coverage.readings import DocumentReading, ListKind, Role, Treatment

Roles = Mapping[Key, Sequence[CuratedRole]]


class Doubt(NamedTuple):
    """A document version whose text was not wholly understood, or is no longer the one that people read."""

    document_id: str
    version: str
    codes: int
    """Procedure codes that it governs."""
    groups: tuple[str, ...]
    """What nobody has read: neither the grammar nor people."""
    lapsed: tuple[str, ...] = ()
    """Groups whose curated role is for another paragraph."""


def find_doubts(tables: Mapping[str, pa.Table], roles: Roles | None = None) -> Iterator[Doubt]:
    """Documents that want a curated role, those that govern most codes first.

    Args:
        roles: what people have read already, by document version; what they left as ``narrative`` is no doubt either.
    """
    doubts = []
    for raw in assemble(tables):
        document, lapsed = apply_roles(raw, (roles or {}).get(raw.key, ()))
        governed = frozenset(document.governed)
        reading = read_document(str(document.row["title"]), document.groups, governed)
        groups = _unread_groups(document, reading, lapsed)
        has_lists = any(g.kind is not ListKind.PROCEDURE for g in document.groups)
        if (groups or lapsed) and governed and has_lists:
            doubts.append(Doubt(*document.key, len(governed), tuple(groups), tuple(lapsed)))
    yield from sorted(doubts, key=lambda d: (-d.codes, d.document_id, d.version))


def _unread_groups(document: RawDocument, reading: DocumentReading, lapsed: Sequence[str]) -> list[str]:
    """Labels of what was not understood; asterisks say whether there is a note at all."""
    stated = {f"{g.kind.value} {g.number}" for g in document.groups if g.stated} | set(lapsed)
    groups = [label for label in reading.unread if label not in stated]
    if any(code.treatment is Treatment.DENIED_IF for code in reading.codes.values()):
        groups.append("procedure codes")
    if reading.pairing_unclear:
        groups.append("a second diagnosis lifted for codes or modifiers that are not named")
    unnamed = {f"{g.kind.value} {g.number}" for g in reading.groups if g.role is Role.NEEDS_SECONDARY}
    groups += [f"{label} (a second diagnosis that is not named)" for label in sorted(unnamed)]
    raw = {(g.kind, g.number): g for g in document.groups}
    starred = {(g.kind, g.number) for g in reading.groups if g.role is Role.ASTERISK}
    for kind, number in sorted(starred):
        is_noted = bool(raw[kind, number].asterisk_text) or "*" in raw[kind, number].paragraph
        note = "asterisks" if is_noted else "asterisks without a note in the export"
        groups.append(f"{kind.value} {number} ({note})")
    return groups


def report_doubts(tables: Mapping[str, pa.Table], roles: Roles | None = None) -> list[Problem]:
    """The doubts as warnings of an import."""
    problems = []
    for doubt in find_doubts(tables, roles):
        where = f"{doubt.document_id} version {doubt.version}"
        if doubt.groups:
            what = (
                f"governs {doubt.codes} procedure codes and has text that was not understood ({', '.join(doubt.groups)}): "
                "hits there are REVIEW"
            )
            problems.append(
                Problem(where, what, "state the roles of its groups in rules/coverage-roles", "W_ROLES_WANTED")
            )
        if doubt.lapsed:
            what = f"the curated role of {', '.join(doubt.lapsed)} is for another paragraph: hits there are REVIEW"
            problems.append(Problem(where, what, "read the paragraph again and state its digest", "W_ROLES_LAPSED"))
    return problems
