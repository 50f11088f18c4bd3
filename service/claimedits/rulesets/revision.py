"""A revision: one immutable edition of a rule set, named by the SHA-256 of its canonical content (api.md §1).

Canonical content is the header (without counts of rejects and warnings) and every table as sorted, tab-separated text,
so that the same input gives the same id on any machine and with any version of the columnar library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claimedits.model.dates import Day
from claimedits.model.problems import Problem

if TYPE_CHECKING:
    import pyarrow as pa

DROPPED = "dropped: "
"""Attributes that start so count rows left out on purpose; the reason follows."""
LEFT_UNREAD = "left unread"
"""Attribute: names of files that were given and hold nothing that an edit needs, separated by slashes."""


@dataclass(slots=True, frozen=True)
class Source:
    """One publisher's file that rows came from. ``source`` columns hold its position in ``RevisionHeader.sources``."""

    file: str
    """Name of the file, or of the member within its archive."""
    sha256: str
    """Hexadecimal digest of the file's bytes (of the member, not of the archive)."""
    size: int
    records: int
    """Records of the file, head and foot included."""
    encoding: str
    """``utf-8``, ``cp1252`` or ``binary``."""
    archive: str = ""
    url: str = ""


@dataclass(slots=True, frozen=True)
class RevisionHeader:
    """What a revision is, and which service dates it governs."""

    rule_set: str
    """``medicare-ptp-practitioner`` …"""
    kind: str
    """Which schema and index its tables follow: ``ptp``, ``mue``, ``aoc``, ``conventions``, ``coverage`` …"""
    label: str
    """``v30.2``, ``2024Q3`` … as the publisher counts."""
    effective_from: Day
    effective_to: Day
    """Last governed service date, inclusive; FOREVER = open."""
    published_on: Day
    """When it became known (UTC)."""
    sources: tuple[Source, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Facts of the kind's own, such as ``authority`` and ``url``."""


@dataclass(slots=True)
class RevisionDraft:
    """A revision before it is kept. Tables are sorted in their canonical order and hold no nulls but in date columns.

    Every table has, beside the columns of its kind, ``source`` (uint16) and ``source_row`` (uint32, 1-based record).
    """

    header: RevisionHeader
    tables: Mapping[str, pa.Table]
    read: int
    """Data rows read from the sources; kept + rejected + dropped copies = read."""
    kept: int
    rejects: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class RevisionInfo:
    """A kept revision without its tables: what its manifest says."""

    id: str
    """``sha256:`` and 64 hexadecimal digits."""
    header: RevisionHeader
    rows: Mapping[str, int]
    """Rows of each table."""
    read: int
    rejected: int
    warnings: int
    kept: int = 0
    """Source rows kept; a row may stand in several tables, or in several rows of one."""
