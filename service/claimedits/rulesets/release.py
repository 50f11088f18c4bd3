"""A release: an immutable list of revisions that serve together, named by a digest of their ids (api.md §1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from claimedits.model.problems import StoreError
from claimedits.rulesets.sealed_documents import read_sealed, seal

MEND = "create it again with 'claim-edits release create', or restore it from a backup"


@dataclass(slots=True, frozen=True)
class CheckOverride:
    """A decision to create a release though its checks refused it."""

    reason: str
    who: str
    at: str
    """UTC, ``2026-11-24T14:00:00Z``."""
    problems: tuple[str, ...]
    """What the checks said."""


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
    overrides: tuple[CheckOverride, ...] = ()
    """Oldest first; empty = the checks refused nothing. Not part of the id."""


def is_same_decision(one: CheckOverride, other: CheckOverride) -> bool:
    """Whether two overrides let the same through for the same reason, whenever and by whom."""
    return (one.reason, one.problems) == (other.reason, other.problems)


def release_id(revisions: Iterable[str]) -> str:
    """The id of the release of these revisions, in whatever order they are given."""
    text = "".join(f"{revision}\n" for revision in sorted(set(revisions)))
    digest = hashlib.sha256(b"release\n" + text.encode()).hexdigest()
    return f"sha256:{digest}"


def release_document(release: ReleaseInfo) -> bytes:
    """The file that keeps a release."""
    fields = {"revisions": release.revisions, "created_at": release.created_at, "note": release.note}
    overrides = {"overrides": [asdict(override) for override in release.overrides]} if release.overrides else {}
    return seal(fields | overrides)


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
    overrides = (
        CheckOverride(o["reason"], o["who"], o["at"], tuple(o["problems"])) for o in fields.get("overrides", ())
    )
    return ReleaseInfo(expected, revisions, fields["created_at"], fields["note"], tuple(overrides))
