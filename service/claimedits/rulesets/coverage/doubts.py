"""Which documents want a curated role, ranked by how many codes they govern (file-formats.md §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa

from claimedits.model.problems import Problem
from claimedits.rulesets.coverage.assembly import assemble
from claimedits.rulesets.coverage.reading import read_document
from claimedits.rulesets.coverage.readings import ListKind, Treatment


class Doubt(NamedTuple):
    """A document version whose text was not wholly understood."""

    document_id: str
    version: str
    codes: int
    """Procedure codes that it governs."""
    groups: tuple[str, ...]


def find_doubts(tables: Mapping[str, pa.Table]) -> Iterator[Doubt]:
    """Documents that want a curated role, those that govern most codes first."""
    doubts = []
    for document in assemble(tables):
        governed = frozenset(document.governed)
        reading = read_document(str(document.row["title"]), document.groups, governed)
        groups = list(reading.unread)
        if any(code.treatment is Treatment.DENIED_IF for code in reading.codes.values()):
            groups.append("procedure codes")
        starred = {f"{g.kind.value} {g.number} (asterisks)" for g in document.groups if g.starred}
        groups += sorted(starred)
        if groups and governed and any(g.kind is not ListKind.PROCEDURE for g in document.groups):
            doubts.append(Doubt(*document.key, len(governed), tuple(groups)))
    yield from sorted(doubts, key=lambda d: (-d.codes, d.document_id, d.version))


def report_doubts(tables: Mapping[str, pa.Table]) -> list[Problem]:
    """The doubts as warnings of an import."""
    return [
        Problem(
            f"{doubt.document_id} version {doubt.version}",
            f"governs {doubt.codes} procedure codes and has text that was not understood ({', '.join(doubt.groups)}): "
            "hits there are REVIEW",
            "state the roles of its groups in rules/coverage-roles",
            "W_ROLES_WANTED",
        )
        for doubt in find_doubts(tables)
    ]
