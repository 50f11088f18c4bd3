"""What an index is: arrays derived from the revisions of one rule set, memory-mapped and shared by processes.

An index is never the truth: it is built from kept revisions, cached by the store, and rebuilt when it is missing or damaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from claimedits.rulesets.revision import RevisionInfo

if TYPE_CHECKING:
    import pyarrow as pa

Revisions = Sequence[tuple[RevisionInfo, Mapping[str, "pa.Table"]]]
"""Revisions of one rule set with their tables, in the order of ``versions.Editions.revisions``."""


class IndexKind(Protocol):
    """How the revisions of one kind become an index, and how that index is opened."""

    name: str
    """The ``kind`` of the revisions it serves."""
    format: int
    """Rises with every change of the files that ``build`` writes, so that older ones are built anew."""

    def build(self, revisions: Revisions, directory: Path) -> None:
        """Write the index files into an existing, empty directory."""
        ...

    def open(self, directory: Path) -> object:
        """Open what ``build`` wrote; arrays stay on disk until they are touched."""
        ...


_KINDS: dict[str, IndexKind] = {}


def register_index(kind: IndexKind) -> None:
    """Make a kind known to ``index_kind``. A second registration under one name replaces the first."""
    _KINDS[kind.name] = kind


def index_kind(name: str) -> IndexKind:
    """The index kind that serves revisions of ``name``.

    Raises:
        KeyError: no such kind is registered.
    """
    from claimedits.rulesets import (
        kinds,
    )  # registers every kind on first use; imported late, it imports this module

    assert kinds.ALL
    return _KINDS[name]
