"""A release: an immutable list of revisions that serve together, named by a digest of their ids (api.md §1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimedits.model.problems import StoreError
from claimedits.rulesets.sealed_documents import read_sealed, seal

MEND = "create it again with 'claim-edits release create', or restore it from a backup"


@dataclass(slots=True, frozen=True)
class ReleaseInfo:
    """A kept release."""

    id: str
    """``sha256:`` and 64 hexadecimal digits."""
    revisions: tuple[str, ...]
    """Ids of its revisions, sorted, each once."""
    created_at: str
    """UTC, ``2026-11-24T14:00:00Z``. Not part of the id."""
    note: str
    """What its creator said of it. Not part of the id."""


def release_id(revisions: Iterable[str]) -> str:
    """The id of the release of these revisions, in whatever order they are given."""
    text = "".join(f"{revision}\n" for revision in sorted(set(revisions)))
    digest = hashlib.sha256(b"release\n" + text.encode()).hexdigest()
    return f"sha256:{digest}"


def release_document(release: ReleaseInfo) -> bytes:
    """The file that keeps a release."""
    return seal({"revisions": release.revisions, "created_at": release.created_at, "note": release.note})


def read_release(path: Path) -> ReleaseInfo:
    """The release kept in ``path``.

    Raises:
        StoreError: the file is missing, damaged, or another release's; the message names it.
    """
    fields: dict[str, Any] = read_sealed(path, MEND)
    revisions = tuple(fields["revisions"])
    expected = release_id(revisions)
    if expected != f"sha256:{path.stem}":
        raise StoreError(f"{path}: damaged, it describes {expected}; {MEND}")
    return ReleaseInfo(expected, revisions, fields["created_at"], fields["note"])
