"""The store: revisions, releases and the active release in one directory, without a server (issue: keep them).

::

    format.json                              which layout this is
    revisions/<digest>/manifest.json …       immutable
    releases/<digest>.json                   immutable
    activations.json                         the history; its last entry is active
    indexes/<digest>/…                       derived; may be removed at any time
    lock                                     held by the one writer
    work/                                    what a writer has not finished; emptied by the next one

Readers create nothing and take no lock. Every change is one rename of something complete.
"""

from __future__ import annotations

import datetime
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from claimedits.model.dates import format_day
from claimedits.model.problems import NotFoundError, Problem, StoreError
from claimedits.rulesets import index_files
from claimedits.rulesets.activation import (
    Activation,
    activations_document,
    check_current,
    read_activations,
)
from claimedits.rulesets.durable_files import (
    ReadOnlyStoreError,
    publish_directory,
    publish_file,
    write_errors_of,
    write_file,
)
from claimedits.rulesets.locks import writer_lock
from claimedits.rulesets.release import ReleaseInfo, read_release, release_document, release_id
from claimedits.rulesets.revision_files import (
    REJECTS,
    WARNINGS,
    PreparedRevision,
    RevisionFiles,
    prepare,
    write_revision,
)
from claimedits.rulesets.sealed_documents import read_sealed, seal

if TYPE_CHECKING:
    import pyarrow as pa

    from claimedits.rulesets.indexes import IndexKind
    from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, RevisionInfo

_FORMAT = {"format": "claim-edits store", "version": 1}
_DIRECTORIES = ("revisions", "releases", "indexes", "work")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})")
_RESTORE = "import the revision again, or restore it from a backup"


class Store:
    """A store, open for reading; each writing method takes the writers' lock for itself.

    Safe to use from several threads and processes at once. Every method raises ``StoreError`` where a file it reads is damaged
    (the message names the file and how to mend it) or where it writes and the disk is full, read-only or locked too
    long; nothing is changed then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._revisions = path / "revisions"
        self._releases = path / "releases"
        self._indexes = path / "indexes"
        self._activations = path / "activations.json"

    @classmethod
    def open(cls, path: Path | str, create: bool = False) -> Self:
        """Open the store in directory ``path``; with ``create``, make it where there is none.

        Raises:
            StoreError: there is no store, a newer program's, or ``create`` finds a directory with other things in it.
        """
        store = cls(Path(path))
        marker = store.path / "format.json"
        if not marker.exists():
            if not create:
                raise StoreError(f"{store.path}: no store is there; 'claim-edits import' with --store makes one")
            store._create()
        found = read_sealed(marker, "restore it from a backup")
        if found != _FORMAT:
            raise StoreError(
                f"{marker}: the store has layout version {found.get('version')}, this program reads version "
                f"{_FORMAT['version']}; use the program that made the store"
            )
        return store

    # Revisions

    def add_revision(self, draft: RevisionDraft) -> tuple[RevisionInfo, bool]:
        """Keep a revision. True: newly kept (or mended); False: the same content was there, and nothing was done.

        Raises:
            StoreError: counts contradict the tables, or other content is kept under the same rule set and label and was
                not published earlier.
        """
        prepared = prepare(draft)
        with self._writing() as work:
            target = self._revisions / _digest_of(prepared.id)
            kept = self._intact(target)
            if kept:
                return kept, False
            self._check_later(prepared)
            written = work / "revision"
            written.mkdir()
            info = write_revision(prepared, written)
            publish_directory(written, target, aside=work / "damaged")
        return info, True

    def revisions(self, rule_set: str | None = None) -> list[RevisionInfo]:
        """All kept revisions, or those of one rule set: by rule set, governed period, publication, id."""
        infos = [RevisionFiles(self._revisions / digest).info for digest in _digests_in(self._revisions)]
        return sorted(
            (info for info in infos if rule_set in (None, info.header.rule_set)),
            key=lambda i: _order(i.header, i.id),
        )

    def revision(self, revision_id: str) -> RevisionInfo:
        """The revision of an id, or of a prefix of at least 6 digits that only one id has.

        Raises:
            NotFoundError: the store holds no such revision.
        """
        return self._files(revision_id).info

    def tables(self, revision_id: str) -> dict[str, pa.Table]:
        """The tables of a revision by name, verified and mapped into memory.

        Raises:
            NotFoundError: the store holds no such revision.
        """
        return self._files(revision_id).tables()

    def rejects(self, revision_id: str) -> list[Problem]:
        """The rows that the import of a revision left out, with file, record and reason.

        Raises:
            NotFoundError: the store holds no such revision.
        """
        return self._files(revision_id).problems(REJECTS)

    def warnings(self, revision_id: str) -> list[Problem]:
        """What the import of a revision found odd but kept.

        Raises:
            NotFoundError: the store holds no such revision.
        """
        return self._files(revision_id).problems(WARNINGS)

    # Releases

    def create_release(self, revision_ids: Sequence[str], note: str = "") -> ReleaseInfo:
        """Keep a release of these revisions (ids or prefixes). The same list is the same release, which is returned as it is.

        Raises:
            NotFoundError: the store holds no such revisions; the message names them all.
            StoreError: the list is empty.
        """
        revisions = self._resolve_all(revision_ids)
        if not revisions:
            raise StoreError("a release needs at least one revision; name one, or import one first")
        release = ReleaseInfo(release_id(revisions), revisions, _now(), note)
        target = self._releases / f"{_digest_of(release.id)}.json"
        with self._writing() as work:
            if target.exists():
                try:
                    return read_release(target)
                except StoreError:  # damaged: all of it but note and date is known again
                    pass
            write_file(work / "release.json", release_document(release))
            publish_file(work / "release.json", target)
        return release

    def releases(self) -> list[ReleaseInfo]:
        """All kept releases, oldest first."""
        found = [read_release(self._releases / f"{digest}.json") for digest in self._release_digests()]
        return sorted(found, key=lambda release: (release.created_at, release.id))

    def release(self, release_id: str) -> ReleaseInfo:
        """The release of an id, or of a prefix of at least 6 digits that only one id has.

        Raises:
            NotFoundError: the store holds no such release.
            StoreError: a revision of the release is missing.
        """
        digest = _resolve(release_id, self._release_digests(), "release", "claim-edits release list")
        release = read_release(self._releases / f"{digest}.json")
        for revision in release.revisions:
            directory = self._revisions / _digest_of(revision)
            if not directory.is_dir():
                raise StoreError(f"{directory}: missing, though release {release.id} needs it; {_RESTORE}")
        return release

    # The active release

    def activate(self, release_id: str, who: str, why: str = "", expected_current: str | None = None) -> Activation:
        """Make a release the active one, in one step. To activate what is active already changes nothing.

        ``expected_current`` is the id of the release that the caller believes to be active; empty = none is.

        Raises:
            NotFoundError: the store holds no such release.
            StoreError: a file of the release is damaged, or ``expected_current`` is not the active release.
        """
        release = self.release(release_id)
        for revision in release.revisions:
            self._files(revision).verify()
        with self._writing() as work:
            # Removed by hand, the history begins anew; damaged, it is refused.
            history = read_activations(self._activations) if self._activations.exists() else []
            check_current(history, expected_current)
            if history and history[-1].release == release.id:
                return history[-1]
            return self._append(work, history, release.id, who, why, "activate")

    def rollback(self, who: str, why: str = "", expected_current: str | None = None) -> Activation:
        """Activate the release that was active before the current one. Rolling back twice comes back to the current one.

        Raises:
            StoreError: no release was active before, one of its files is damaged, or ``expected_current`` is not the
                active release.
        """
        with self._writing() as work:
            history = read_activations(self._activations)
            check_current(history, expected_current)
            if not history or not history[-1].previous:
                raise StoreError("no release was active before; activate one with 'claim-edits release activate'")
            release = self.release(history[-1].previous)
            for revision in release.revisions:
                self._files(revision).verify()
            return self._append(work, history, release.id, who, why, "rollback")

    def active(self) -> ReleaseInfo | None:
        """The release that answers when a request pins none; None = none was ever activated."""
        history = read_activations(self._activations)
        return self.release(history[-1].release) if history else None

    def activations(self) -> list[Activation]:
        """Who activated what, when and why, oldest first."""
        return read_activations(self._activations)

    def watch_token(self) -> object:
        """Something that differs once the active release may have changed. Costs one ``stat``."""
        try:
            found = self._activations.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    # Indexes

    def index_directory(self, kind: IndexKind, revision_ids: Sequence[str]) -> Path:
        """Directory of the index of these revisions, in this order; built when it is missing or damaged.

        Raises:
            NotFoundError: the store holds no such revision.
            StoreError: the index is to be built, and the store is read-only.
        """
        revisions = [f"sha256:{self._digest(revision)}" for revision in revision_ids]
        directory = self._indexes / index_files.index_name(kind, revisions)
        try:
            index_files.verify_index(kind, revisions, directory)
        except StoreError as damage:
            try:
                self._build_index(kind, revisions, directory)
            except ReadOnlyStoreError as refused:
                raise StoreError(str(damage)) from refused
        return directory

    def _build_index(self, kind: IndexKind, revisions: Sequence[str], directory: Path) -> None:
        with self._writing() as work:
            try:
                index_files.verify_index(kind, revisions, directory)
            except StoreError:
                written = work / "index"
                written.mkdir()
                opened = [self._files(revision) for revision in revisions]
                index_files.build_index(kind, [(files.info, files.tables()) for files in opened], written)
                publish_directory(written, directory, aside=work / "damaged")

    # Inside

    def _create(self) -> None:
        with write_errors_of(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            others = {path.name for path in self.path.iterdir()} - {
                *_DIRECTORIES,
                "lock",
                "activations.json",
                "format.json",
            }
            if others:
                raise StoreError(
                    f"{self.path}: holds other things ({', '.join(sorted(others)[:3])}) and no store; "
                    "give an empty or a new directory"
                )
        with self._writing() as work:
            if not (self.path / "format.json").exists():
                if not self._activations.exists():
                    write_file(work / "activations.json", activations_document([]))
                    publish_file(work / "activations.json", self._activations)
                write_file(work / "format.json", seal(_FORMAT))
                publish_file(work / "format.json", self.path / "format.json")

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """The writers' lock, and an empty directory to work in that is gone afterwards."""
        work = self.path / "work"
        with write_errors_of(self.path), writer_lock(self.path / "lock"):
            shutil.rmtree(work, ignore_errors=True)  # what a writer that was killed has left
            for name in _DIRECTORIES:
                (self.path / name).mkdir(exist_ok=True)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def _intact(self, directory: Path) -> RevisionInfo | None:
        """The revision kept in ``directory``; None where there is none, or a damaged one, which is then kept anew."""
        if not directory.exists():
            return None
        try:
            files = RevisionFiles(directory)
            files.verify()
        except StoreError:
            return None
        return files.info

    def _check_later(self, prepared: PreparedRevision) -> None:
        """A republished file must say that it is the later one: else nothing tells which of the two answers."""
        header = prepared.draft.header
        for digest in _digests_in(self._revisions):
            if f"sha256:{digest}" == prepared.id:
                continue
            try:
                other = RevisionFiles(self._revisions / digest).info
            except StoreError:  # damaged: it can be imported again, and must not keep others from being kept
                continue
            same = (other.header.rule_set, other.header.label) == (header.rule_set, header.label)
            if same and other.header.published_on >= header.published_on:
                raise StoreError(
                    f"{header.rule_set} {header.label}: kept already as {other.id}, published on "
                    f"{format_day(other.header.published_on)}, with other content; if this is a republished edition, "
                    "say the later day on which it was published: --published-on, or published_on of an authored rule set"
                )

    def _append(
        self, work: Path, history: list[Activation], release: str, who: str, why: str, action: str
    ) -> Activation:
        if not who.strip():
            raise StoreError("an activation needs the name of who makes it; nothing was changed")
        previous = history[-1].release if history else ""
        activation = Activation(release, previous, who, why, _now(), action)
        write_file(work / "activations.json", activations_document([*history, activation]))
        publish_file(work / "activations.json", self._activations)
        return activation

    def _files(self, revision_id: str) -> RevisionFiles:
        return RevisionFiles(self._revisions / self._digest(revision_id))

    def _digest(self, revision_id: str) -> str:
        return _resolve(revision_id, _digests_in(self._revisions), "revision", "claim-edits import")

    def _resolve_all(self, revision_ids: Sequence[str]) -> tuple[str, ...]:
        found, unknown = set(), []
        for revision_id in revision_ids:
            try:
                found.add(f"sha256:{self._digest(revision_id)}")
            except NotFoundError:
                unknown.append(revision_id)
        if unknown:
            raise NotFoundError(
                f"the store holds no revision {', '.join(unknown)}; 'claim-edits import' keeps revisions"
            )
        return tuple(sorted(found))

    def _release_digests(self) -> list[str]:
        return [name.removesuffix(".json") for name in _names_in(self._releases) if _DIGEST.fullmatch(name[:-5])]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(header: RevisionHeader, id_: str) -> tuple[str, int, int, str]:
    return header.rule_set, header.effective_from, header.published_on, id_


def _digest_of(id_: str) -> str:
    return id_.removeprefix("sha256:")


def _names_in(directory: Path) -> list[str]:
    """Sorted names; none where the directory is not there, as a copy leaves out empty ones."""
    try:
        return sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []


def _digests_in(directory: Path) -> list[str]:
    return [name for name in _names_in(directory) if _DIGEST.fullmatch(name)]


def _resolve(id_: str, digests: Sequence[str], what: str, command: str) -> str:
    """The one digest that ``id_``, whole or a prefix, means."""
    match = _PREFIX.fullmatch(id_.strip().lower())
    if match is None:
        raise NotFoundError(
            f"the store holds no {what} {id_!r}: an id is 'sha256:' and hexadecimal digits, at least the first 6"
        )
    prefix = match[1]
    if len(prefix) == 64 and prefix in digests:
        return prefix
    matches = [digest for digest in digests if digest.startswith(prefix)]
    if len(matches) > 1:
        listed = ", ".join(f"sha256:{digest}" for digest in matches)
        raise StoreError(f"{id_!r} is the beginning of several {what} ids: {listed}; give more digits")
    if not matches:
        raise NotFoundError(f"the store holds no {what} {id_!r}; see '{command}'")
    return matches[0]
