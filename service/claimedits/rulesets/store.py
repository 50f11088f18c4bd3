"""The store: revisions, releases and the active release in one directory, without a server.

Readers create nothing and take no lock. Every change is one rename of something complete (``store_directory`` has the
layout, ``durable_files`` the renames, docs/decisions/0001-store.md the reasons).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from claimedits.model.dates import format_day
from claimedits.model.problems import NotFoundError, Problem, StoreError
from claimedits.rulesets import index_files
from claimedits.rulesets.activation import Activation, activations_document, check_current, read_activations
from claimedits.rulesets.check_records import CheckRecord, read_record, record_document
from claimedits.rulesets.durable_files import ReadOnlyStoreError, publish_directory, publish_file, write_file
from claimedits.rulesets.release import (
    CheckOverride,
    ReleaseInfo,
    is_same_decision,
    read_release,
    release_document,
    release_id,
)
from claimedits.rulesets.revision_files import (
    REJECTS,
    WARNINGS,
    PreparedRevision,
    RevisionFiles,
    prepare,
    write_revision,
)
from claimedits.rulesets.store_directory import StoreDirectory

if TYPE_CHECKING:
    import pyarrow as pa

    from claimedits.rulesets.indexes import IndexKind
    from claimedits.rulesets.revision import RevisionDraft, RevisionInfo


class Store:
    """A store, open for reading; each writing method takes the writers' lock for itself.

    Safe to use from several threads and processes at once. Every method raises ``StoreError`` where a file that it
    reads is damaged (the message names the file and how to mend it), or where it writes and the disk is full,
    read-only or locked too long; nothing is changed then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._directory = StoreDirectory(path)

    @classmethod
    def open(cls, path: Path | str, create: bool = False) -> Self:
        """Open the store in directory ``path``; with ``create``, make it where there is none.

        Raises:
            StoreError: there is no store, it has another layout, or ``create`` finds a directory of other things.
        """
        store = cls(Path(path))
        if create:
            store._directory.create()
        store._directory.check()
        return store

    # Revisions

    def add_revision(self, draft: RevisionDraft) -> tuple[RevisionInfo, bool]:
        """Keep a revision. True: newly kept (or mended); False: the same content was there, nothing was done.

        Raises:
            StoreError: counts contradict the tables; or other content is kept under the same rule set and label,
                and was not published earlier; or the rule set is kept as one of another kind.
        """
        prepared = prepare(draft)
        with self._directory.writing() as work:
            target = self._directory.revisions / prepared.id.removeprefix("sha256:")
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
        directory = self._directory
        infos = [RevisionFiles(directory.revisions / digest).info for digest in directory.revision_digests()]
        return sorted((info for info in infos if rule_set in (None, info.header.rule_set)), key=_order)

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

    def record_checks(self, revision_id: str, record: CheckRecord) -> None:
        """Keep what the checks of a revision said, in place of what they said before.

        Raises:
            NotFoundError: the store holds no such revision.
        """
        target = self._checks_of(revision_id)
        with self._directory.writing() as work:
            write_file(work / "checks.json", record_document(record))
            publish_file(work / "checks.json", target)

    def check_record(self, revision_id: str) -> CheckRecord | None:
        """What the checks of a revision last said; None = none was ever recorded.

        Raises:
            NotFoundError: the store holds no such revision.
        """
        return read_record(self._checks_of(revision_id))

    # Releases

    def create_release(
        self, revision_ids: Sequence[str], note: str = "", override: CheckOverride | None = None
    ) -> ReleaseInfo:
        """Keep a release of these revisions (ids or prefixes). The same list is the same release, returned as it is.

        A decision to override the checks is added to it, if it says something new.

        Raises:
            NotFoundError: the store holds no such revisions; the message names them all.
            StoreError: the list is empty.
        """
        revisions = self._resolve_all(revision_ids)
        if not revisions:
            raise StoreError("a release needs at least one revision; name one, or import one first")
        release = ReleaseInfo(release_id(revisions), revisions, now(), note, (override,) if override else ())
        target = self._directory.releases / f"{release.id.removeprefix('sha256:')}.json"
        with self._directory.writing() as work:
            if target.exists():
                try:
                    kept = read_release(target)
                    if override is None or any(is_same_decision(override, known) for known in kept.overrides):
                        return kept
                    release = replace(kept, overrides=(*kept.overrides, override))
                except StoreError:  # damaged: all of it but note, date and overrides is known again
                    pass
            write_file(work / "release.json", release_document(release))
            publish_file(work / "release.json", target)
        return release

    def releases(self) -> list[ReleaseInfo]:
        """All kept releases, oldest first."""
        directory = self._directory
        found = [read_release(directory.releases / f"{digest}.json") for digest in directory.release_digests()]
        return sorted(found, key=lambda release: (release.created_at, release.id))

    def release(self, release_id: str) -> ReleaseInfo:
        """The release of an id, or of a prefix of at least 6 digits that only one id has.

        Raises:
            NotFoundError: the store holds no such release.
            StoreError: a revision of the release is missing.
        """
        release = read_release(self._directory.release(release_id))
        for revision in release.revisions:
            directory = self._directory.revisions / revision.removeprefix("sha256:")
            if not directory.is_dir():
                raise StoreError(
                    f"{directory}: missing, though release {release.id} needs it; "
                    "import the revision again, or restore it from a backup"
                )
        return release

    def release_id(self, id_or_prefix: str) -> str:
        """The whole id of a release, without a look at its content.

        Raises:
            MalformedIdError: no release can be called so.
            NotFoundError: the store holds no such release.
            AmbiguousIdError: several ids begin so.
        """
        return f"sha256:{self._directory.release(id_or_prefix).stem}"

    # The active release

    def activate(self, release_id: str, who: str, why: str = "", expected_current: str | None = None) -> Activation:
        """Make a release the active one, in one step. To activate what is active already changes nothing.

        ``expected_current`` is the whole id of the release that the caller believes to be active; empty = none is.

        Raises:
            NotFoundError: the store holds no such release.
            StoreError: a file of the release is damaged.
            ActiveReleaseChangedError: ``expected_current`` is not the active release.
        """
        release = self._verified(release_id)
        path = self._directory.activations
        with self._directory.writing() as work:
            # Removed by hand, the history begins anew; damaged, it is refused.
            history = read_activations(path) if path.exists() else []
            check_current(history, expected_current)
            if history and history[-1].release == release.id:
                return history[-1]
            return self._append(work, history, release.id, who, why, "activate")

    def rollback(self, who: str, why: str = "", expected_current: str | None = None) -> Activation:
        """Activate the release that was active before the current one. A second time, it comes back.

        Raises:
            StoreError: no release was active before, or one of its files is damaged.
            ActiveReleaseChangedError: ``expected_current`` is not the active release.
        """
        with self._directory.writing() as work:
            history = read_activations(self._directory.activations)
            check_current(history, expected_current)
            if not history or not history[-1].previous:
                raise StoreError("no release was active before; activate one with 'claim-edits release activate'")
            release = self._verified(history[-1].previous)
            return self._append(work, history, release.id, who, why, "rollback")

    def active(self) -> ReleaseInfo | None:
        """The release that answers when a request pins none; None = none was ever activated."""
        history = self.activations()
        return self.release(history[-1].release) if history else None

    def activations(self) -> list[Activation]:
        """Who activated what, when and why, oldest first."""
        return read_activations(self._directory.activations)

    def watch_token(self) -> object:
        """Something that differs once the active release may have changed. Costs one ``stat``."""
        try:
            found = self._directory.activations.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    # Indexes

    def index_directory(self, kind: IndexKind, revision_ids: Sequence[str]) -> Path:
        """Directory of the index of these revisions, in this order; built when it is missing or damaged.

        Raises:
            NotFoundError: the store holds no such revision.
            StoreError: the index is to be built, and the store is read-only.
        """
        revisions = [f"sha256:{self._directory.revision(revision).name}" for revision in revision_ids]
        directory = self._directory.indexes / index_files.index_name(kind, revisions)
        try:
            index_files.verify_index(kind, revisions, directory)
        except StoreError as damage:
            try:
                self._build_index(kind, revisions, directory)
            except ReadOnlyStoreError as refused:
                raise StoreError(str(damage)) from refused
        return directory

    def _build_index(self, kind: IndexKind, revisions: Sequence[str], directory: Path) -> None:
        with self._directory.writing() as work:
            try:
                index_files.verify_index(kind, revisions, directory)
            except StoreError:
                written = work / "index"
                written.mkdir()
                opened = [self._files(revision) for revision in revisions]
                index_files.build_index(kind, [(files.info, files.tables()) for files in opened], written)
                publish_directory(written, directory, aside=work / "damaged")

    # Inside

    def _files(self, revision_id: str) -> RevisionFiles:
        return RevisionFiles(self._directory.revision(revision_id))

    def _checks_of(self, revision_id: str) -> Path:
        return self._directory.checks / f"{self._directory.revision(revision_id).name}.json"

    def _intact(self, directory: Path) -> RevisionInfo | None:
        """The revision kept in ``directory``; None where there is none, or a damaged one, to be kept anew."""
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
        for digest in self._directory.revision_digests():
            if f"sha256:{digest}" == prepared.id:
                continue
            try:
                other = RevisionFiles(self._directory.revisions / digest).info
            except StoreError:  # damaged: it can be imported again, and must not keep others from being kept
                continue
            if other.header.rule_set == header.rule_set and other.header.kind != header.kind:
                raise StoreError(
                    f"{header.rule_set} is kept as a rule set of kind {other.header.kind} ({other.id}), and cannot be of kind "
                    f"{header.kind} as well; give this one an id of its own (id in rule-set.toml)"
                )
            same = (other.header.rule_set, other.header.label) == (header.rule_set, header.label)
            if same and other.header.published_on >= header.published_on:
                raise StoreError(
                    f"{header.rule_set} {header.label}: kept already as {other.id}, published on "
                    f"{format_day(other.header.published_on)}, with other content; if this edition replaces it, "
                    "give the later day on which it was published (--published-on, or published_on in rule-set.toml)"
                )

    def _resolve_all(self, revision_ids: Sequence[str]) -> tuple[str, ...]:
        found, unknown = set(), []
        for revision_id in revision_ids:
            try:
                found.add(f"sha256:{self._directory.revision(revision_id).name}")
            except NotFoundError:
                unknown.append(revision_id)
        if unknown:
            raise NotFoundError(f"the store holds no revision {', '.join(unknown)}; 'claim-edits import' keeps one")
        return tuple(sorted(found))

    def _verified(self, release_id: str) -> ReleaseInfo:
        release = self.release(release_id)
        for revision in release.revisions:
            self._files(revision).verify()
        return release

    def _append(
        self, work: Path, history: list[Activation], release: str, who: str, why: str, action: str
    ) -> Activation:
        if not who.strip():
            raise StoreError("an activation needs the name of who makes it; nothing was changed")
        previous = history[-1].release if history else ""
        activation = Activation(release, previous, who, why, now(), action)
        write_file(work / "activations.json", activations_document([*history, activation]))
        publish_file(work / "activations.json", self._directory.activations)
        return activation


def now() -> str:
    """The moment, UTC, as the store's documents write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(info: RevisionInfo) -> tuple[str, int, int, str]:
    return info.header.rule_set, info.header.effective_from, info.header.published_on, info.id
