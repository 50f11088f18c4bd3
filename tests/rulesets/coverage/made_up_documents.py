"""Made-up documents as the reader of group paragraphs sees them."""

from __future__ import annotations

from claimedits.rulesets.coverage.reading import read_document
from claimedits.rulesets.coverage.readings import DocumentReading, ListKind, RawGroup

FOOT_CARE = "11719 11720 11721"


def read(
    procedures: list[tuple[str, str]],
    covered: list[tuple[str, str]] = (),  # type: ignore[assignment]
    non_covered: list[tuple[str, str]] = (),  # type: ignore[assignment]
    starred: str = "",
    title: str = "Billing and Coding: Made-up Services",
) -> DocumentReading:
    """Groups as (codes, paragraph), numbered from 1; ``starred``: diagnoses of covered group 1 with an asterisk."""
    groups, governed = [], set()
    for kind, lists in (
        (ListKind.PROCEDURE, procedures),
        (ListKind.COVERED, covered),
        (ListKind.NON_COVERED, non_covered),
    ):
        for number, (codes, paragraph) in enumerate(lists, 1):
            members = frozenset(codes.replace(".", "").split())
            stars = frozenset(starred.split()) if kind is ListKind.COVERED and number == 1 else frozenset()
            groups.append(RawGroup(kind, number, paragraph, "0" * 64, (0, number), members, stars))
            governed |= members if kind is ListKind.PROCEDURE else set()
    return read_document(title, groups, frozenset(governed))


def scopes(reading: DocumentReading) -> list[tuple[int, str, list[str] | None]]:
    return [(g.number, g.role.value, None if g.scope is None else sorted(g.scope)) for g in reading.groups]
