"""Indexes on disk: derived from verified revisions, named by what they derive from, checked when they are opened."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from claimedits.model.problems import StoreError
from claimedits.rulesets.durable_files import digest_file, sync_path, write_file
from claimedits.rulesets.indexes import IndexKind, Revisions
from claimedits.rulesets.revision_files import verify_file
from claimedits.rulesets.sealed_documents import read_sealed, seal

INDEX = "index.json"
MEND = "run 'claim-edits release create' with its revisions on a writable copy of the store, which builds it anew"


def index_name(kind: IndexKind, revision_ids: Sequence[str]) -> str:
    """Directory name: digest of the kind, the format of its files, and the revisions in the order given."""
    text = "\n".join(["index", kind.name, str(kind.format), *revision_ids])
    return hashlib.sha256(text.encode()).hexdigest()


def build_index(kind: IndexKind, revisions: Revisions, directory: Path) -> None:
    """Let ``kind`` write its files into an existing, empty directory, force them to the disk, and seal their digests.

    Raises:
        OSError: the disk refuses.
    """
    kind.build(revisions, directory)
    files = {}
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        sync_path(path)
        name = path.relative_to(directory).as_posix()
        files[name] = {"size": path.stat().st_size, "sha256": digest_file(path)}
    content = {
        "kind": kind.name,
        "format": kind.format,
        "revisions": [info.id for info, _ in revisions],
        "files": files,
    }
    write_file(directory / INDEX, seal(content))


def verify_index(kind: IndexKind, revision_ids: Sequence[str], directory: Path) -> None:
    """Compare every file of an index with its digest.

    Raises:
        StoreError: a file is missing, cut short or changed, or the index is another's; the message names it.
    """
    content = read_sealed(directory / INDEX, MEND)
    of = (content["kind"], content["format"], content["revisions"])
    if of != (kind.name, kind.format, list(revision_ids)):
        raise StoreError(f"{directory / INDEX}: damaged, it describes another index; {MEND}")
    for name, expected in content["files"].items():
        verify_file(directory / name, expected, MEND)
