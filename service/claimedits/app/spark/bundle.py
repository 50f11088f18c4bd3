"""Packs releases of a store into one file: a store with nothing else in it, indexes included, that is only read."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from claimedits.rulesets.activation import Activation, activations_document
from claimedits.rulesets.indexes import index_kind
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store
from claimedits.rulesets.store_directory import StoreDirectory
from claimedits.rulesets.versions import Editions

_NEVER = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same releases give the same bytes."""
_BLOCK = 1 << 20


def pack_release(store: Store, releases: Sequence[str], file: Path) -> None:
    """Write a zip file that holds a whole store with these releases; the first of them is its active one.

    The same releases give the same bytes. Indexes that are missing are built in ``store`` first, so that no reader of the
    bundle has to build any. The file appears whole or not at all.

    Args:
        releases: ids or prefixes, at least one.

    Raises:
        NotFoundError, StoreError: a release is not there, or is damaged.
        OSError: the disk refuses.
    """
    infos = [store.release(release) for release in releases]
    beside = file.with_name(file.name + ".unfinished")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            _add_bytes(packed, "activations.json", activations_document([_activation(infos[0])]))
            for name, path in sorted(_files_of(store, infos)):
                member = zipfile.ZipInfo(name, _NEVER)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.file_size = path.stat().st_size
                with path.open("rb") as source, packed.open(member, "w") as target:
                    shutil.copyfileobj(source, target, _BLOCK)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _add_bytes(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    packed.writestr(zipfile.ZipInfo(name, _NEVER), content, zipfile.ZIP_DEFLATED)


def _activation(release: ReleaseInfo) -> Activation:
    return Activation(release.id, "", "pack_release", "", release.created_at, "activate")


def _files_of(store: Store, releases: Sequence[ReleaseInfo]) -> set[tuple[str, Path]]:
    """Every file that the releases need but for the history of activations: its path in a store, and where it is."""
    directory = StoreDirectory(store.path)
    files = {(directory.format.name, directory.format)}
    for release in releases:
        path = directory.release(release.id)
        files.add((f"releases/{path.name}", path))
        for folder in _folders_of(store, release):
            files |= {(p.relative_to(store.path).as_posix(), p) for p in folder.rglob("*") if p.is_file()}
    return files


def _folders_of(store: Store, release: ReleaseInfo) -> Iterator[Path]:
    """The directories of revisions and indexes, as ``LoadedRelease.open`` looks for them."""
    directory = StoreDirectory(store.path)
    by_rule_set: dict[str, list[RevisionInfo]] = {}
    for revision in release.revisions:
        info = store.revision(revision)
        by_rule_set.setdefault(info.header.rule_set, []).append(info)
        yield directory.revision(revision)
    for infos in by_rule_set.values():
        editions = Editions(infos)
        yield store.index_directory(index_kind(infos[0].header.kind), [one.id for one in editions.revisions])
