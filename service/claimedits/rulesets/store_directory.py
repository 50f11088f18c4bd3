"""Where a store keeps what: its paths, its ids and their prefixes, and the one place where it is written.

::

    format.json                              which layout this is
    revisions/<digest>/manifest.json …       immutable
    releases/<digest>.json                   immutable, but that a decision to override checks is added
    checks/<digest>.json                     what the checks of a revision last said
    activations.json                         the history; its last entry is active
    indexes/<digest>/…                       derived; may be removed at any time
    lock                                     held by the one writer
    work/                                    what a writer has not finished; emptied by the next one
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from claimedits.model.problems import AmbiguousIdError, NotFoundError, StoreError
from claimedits.rulesets.activation import activations_document
from claimedits.rulesets.durable_files import publish_file, write_errors_of, write_file
from claimedits.rulesets.locks import writer_lock
from claimedits.rulesets.sealed_documents import read_sealed, seal

_FORMAT = {"format": "claim-edits store", "version": 1}
_DIRECTORIES = ("revisions", "releases", "checks", "indexes", "work")
_FILES = ("format.json", "activations.json", "lock")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")


class MalformedIdError(NotFoundError):
    """What no revision or release can be called."""


class StoreDirectory:
    """The paths of a store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.format = path / "format.json"
        self.revisions = path / "revisions"
        self.releases = path / "releases"
        self.checks = path / "checks"
        self.indexes = path / "indexes"
        self.activations = path / "activations.json"

    def check(self) -> None:
        """Make sure that a store is there, in the layout this program knows.

        Raises:
            StoreError: there is none, or it has another layout.
        """
        if not self.format.exists():
            raise StoreError(f"{self.path}: no store is there; 'claim-edits import' with --store makes one")
        found = read_sealed(self.format, "restore it from a backup")
        if found != _FORMAT:
            raise StoreError(
                f"{self.format}: the store has layout version {found.get('version')}, this program reads "
                f"version {_FORMAT['version']}; use the program that made the store"
            )

    def create(self) -> None:
        """Make an empty store where there is none. ``format.json`` comes last: without it there is no store yet.

        Raises:
            StoreError: the directory holds other things, or cannot be written.
        """
        if self.format.exists():
            return
        with write_errors_of(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            others = {path.name for path in self.path.iterdir()} - {*_DIRECTORIES, *_FILES}
        if others:
            raise StoreError(
                f"{self.path}: holds other things ({', '.join(sorted(others)[:3])}) and no store; "
                "give an empty or a new directory"
            )
        with self.writing() as work:
            if self.format.exists():
                return
            if not self.activations.exists():
                write_file(work / "activations.json", activations_document([]))
                publish_file(work / "activations.json", self.activations)
            write_file(work / "format.json", seal(_FORMAT))
            publish_file(work / "format.json", self.format)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """The writers' lock, and an empty directory to work in that is gone afterwards.

        Raises:
            StoreError: what the operating system refuses inside, told so that it can be mended.
        """
        work = self.path / "work"
        with write_errors_of(self.path), writer_lock(self.path / "lock"):
            shutil.rmtree(work, ignore_errors=True)  # what a writer that was killed has left
            for name in _DIRECTORIES:
                (self.path / name).mkdir(exist_ok=True)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def revision_digests(self) -> list[str]:
        """Digests of all revisions, sorted."""
        return [name for name in _names_in(self.revisions) if _DIGEST.fullmatch(name)]

    def release_digests(self) -> list[str]:
        """Digests of all releases, sorted."""
        names = [name.removesuffix(".json") for name in _names_in(self.releases) if name.endswith(".json")]
        return [name for name in names if _DIGEST.fullmatch(name)]

    def revision(self, id_or_prefix: str) -> Path:
        """The directory of a revision.

        Raises:
            NotFoundError: no revision has this id, or begins so.
            StoreError: several do.
        """
        digests = self.revision_digests()
        return self.revisions / _resolve(id_or_prefix, digests, "revision", "'claim-edits import' keeps one")

    def release(self, id_or_prefix: str) -> Path:
        """The file of a release.

        Raises:
            NotFoundError: no release has this id, or begins so.
            StoreError: several do.
        """
        digests = self.release_digests()
        return self.releases / f"{_resolve(id_or_prefix, digests, 'release', _RELEASES)}.json"


_RELEASES = "'claim-edits release list' shows those there are"


def _names_in(directory: Path) -> list[str]:
    """Sorted names; none where the directory is not there, as a copy may leave out empty ones."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []


def _resolve(id_or_prefix: str, digests: Sequence[str], what: str, hint: str) -> str:
    match = _PREFIX.fullmatch(id_or_prefix.strip().lower())
    if match is None:
        raise MalformedIdError(
            f"the store holds no {what} {id_or_prefix!r}: "
            "an id is 'sha256:' and hexadecimal digits, at least the first 6"
        )
    matches = [digest for digest in digests if digest.startswith(match[1])]
    if len(matches) > 1:
        listed = ", ".join(f"sha256:{digest}" for digest in matches)
        raise AmbiguousIdError(f"{id_or_prefix!r} begins the ids of several {what}s: {listed}; give more digits")
    if not matches:
        raise NotFoundError(f"the store holds no {what} {id_or_prefix!r}; {hint}")
    return matches[0]
