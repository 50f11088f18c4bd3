"""A full disk, at any write: a clear error, the old state, nothing left lying about."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import interrupted_writer
import numpy as np
import pytest
from store_drafts import mue_draft, mue_header, ptp_table, store_with_releases

from claimedits.model.problems import StoreError
from claimedits.rulesets.mapped_arrays import save_array
from claimedits.rulesets.mue_index import MUE_INDEX
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store


def files(path: Path) -> dict[str, bytes]:
    """Every file of a store but its lock, with its content."""
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file() and p.name != "lock"}


def message(path: Path) -> str:
    return f"{path}: disk full, nothing was changed; free some space and run the command again"


def large_draft(rows: int = 60_000) -> RevisionDraft:
    table = ptp_table([(f"A{i % 9000:04d}", f"E{i % 7919:04d}") for i in range(rows)])
    return RevisionDraft(mue_header("large"), {"edits": table}, rows, rows)


@pytest.mark.parametrize("operation", sorted(interrupted_writer.OPERATIONS))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_every_call_that_needs_space_may_fail(operation: str, code: int, tmp_path: Path) -> None:
    """Each write, each new directory and each force of a file in turn; afterwards the same operation succeeds."""
    store, _, _ = store_with_releases(tmp_path / "store")
    old = files(store.path)
    failed = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            refuse = Refusal(failed + 1, code)
            interrupted_writer.intercept(refuse, patch.setattr)
            try:
                interrupted_writer.OPERATIONS[operation](store)
                break
            except StoreError as error:
                assert str(error) == message(store.path)
        failed += 1
        assert files(store.path) == old
        assert not (store.path / "work").exists()
    assert failed >= 4
    assert files(store.path).keys() > old.keys() or files(store.path) != old


class Refusal:
    """Refuses the n-th call that takes space of the disk before the rename; directories are not forced by it."""

    def __init__(self, n: int, code: int) -> None:
        self._left = n
        self._code = code

    def __call__(self, name: str, args: tuple[object, ...]) -> None:
        match name:
            case "mkdir":
                takes_space = not Path(str(args[0])).exists()
            case "fsync":
                takes_space = Path(f"/proc/self/fd/{args[0]}").readlink().is_file()
            case _:
                takes_space = name in ("write", "rename", "replace")
        if takes_space:
            self._left -= 1
            if self._left == 0:
                raise OSError(self._code, os.strerror(self._code))


def test_a_disk_that_does_not_confirm_the_rename_says_what_is_uncertain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _, releases = store_with_releases(tmp_path / "store")

    def refuse(name: str, args: tuple[object, ...]) -> None:
        if name == "fsync" and Path(f"/proc/self/fd/{args[0]}").readlink() == store.path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    interrupted_writer.intercept(refuse, monkeypatch.setattr)
    with pytest.raises(StoreError) as caught:
        store.activate(releases[1], "bob")
    assert str(caught.value) == (
        f"{store.path / 'activations.json'}: written, but the disk did not confirm that it will survive a power failure "
        "(Input/output error); check the disk, then run the command again"
    )
    assert not (store.path / "work").exists()


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """The kernel itself refuses: a write of the store, and a write of an index kind by a library of its own."""
    store, revisions, _ = store_with_releases(tmp_path / "store")
    old = files(store.path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (130, hard))
        for change in (
            lambda: store.add_revision(large_draft()),
            lambda: store.create_release(revisions),
            lambda: store.index_directory(MUE_INDEX, revisions[::-1]),
        ):
            with pytest.raises(StoreError) as caught:
                change()
            assert str(caught.value) == message(store.path)
            assert not (store.path / "work").exists()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert files(store.path) == old


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of one mebibyte."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here; run as root to test on one")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    store, revisions, releases = store_with_releases(small_disk / "store")
    old = files(store.path)
    with pytest.raises(StoreError) as caught:
        store.add_revision(large_draft())
    assert str(caught.value) == message(store.path)
    assert files(store.path) == old
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"\0" * 4096)
    for change in (
        lambda: store.add_revision(mue_draft(5, "later")),
        lambda: store.create_release(revisions),
        lambda: store.activate(releases[1], "bob"),
        lambda: store.index_directory(MUE_INDEX, revisions[::-1]),
    ):
        with pytest.raises(StoreError) as caught:
            change()
        assert str(caught.value) == message(store.path)
        assert files(store.path) == old
    assert Store.open(store.path).active() == store.release(releases[0])
    filler.unlink()
    store.add_revision(mue_draft(5, "later"))
    store.activate(releases[1], "bob")
    assert MUE_INDEX.open(store.index_directory(MUE_INDEX, revisions[::-1])).row("A0001", 0) is not None


class LargeArrayKind:
    """An index of one array, larger than the small disk."""

    name = "large"
    format = 1

    def build(self, revisions: object, directory: Path) -> None:
        save_array(directory, "large", np.zeros(4 << 20, np.uint8))

    def open(self, directory: Path) -> object:
        return directory


def test_an_array_that_the_disk_cannot_hold(small_disk: Path) -> None:
    """numpy tells of a write that fell short without the error number of a full disk."""
    store, revisions, _ = store_with_releases(small_disk / "store")
    old = files(store.path)
    with pytest.raises(StoreError) as caught:
        store.index_directory(LargeArrayKind(), revisions)
    assert str(caught.value) == message(store.path)
    assert files(store.path) == old
    assert not (store.path / "work").exists()


def test_a_disk_that_is_full_at_the_start_has_no_store(small_disk: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"\0" * 4096)
    with pytest.raises(StoreError) as caught:
        Store.open(small_disk / "store", create=True)
    assert str(caught.value) == message(small_disk / "store")
    with pytest.raises(StoreError, match="no store is there"):
        Store.open(small_disk / "store")
