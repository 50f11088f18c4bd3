"""A store that cannot be written serves readers, who create nothing in it."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_drafts import mue_draft, store_with_releases

from claimedits.model.problems import StoreError
from claimedits.rulesets.mue_index import MUE_INDEX
from claimedits.rulesets.store import Store

WRITING_CALLS = ("mkdir", "rename", "replace", "unlink", "rmdir", "write")


def read_everything(store: Store, revisions: list[str], releases: list[str]) -> None:
    assert [info.id for info in store.revisions()] == revisions
    for revision in revisions:
        assert store.tables(revision)["values"].num_rows == 3
        store.rejects(revision)
    assert {release.id for release in store.releases()} == set(releases)
    active = store.active()
    assert active is not None
    assert active.id == releases[0]
    assert len(store.activations()) == 1
    assert store.watch_token() is not None
    row = MUE_INDEX.open(store.index_directory(MUE_INDEX, revisions)).row("A0001", 1)
    assert row is not None
    assert row.value == 2


def test_readers_write_nothing_and_take_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, revisions, releases = store_with_releases(tmp_path / "store")
    (store.path / "lock").unlink()

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a reader wrote")

    real_open = os.open

    def open_to_read(path: str, flags: int, *args: int, **kwargs: int) -> int:
        assert not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return real_open(path, flags, *args, **kwargs)

    for name in WRITING_CALLS:
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(os, "open", open_to_read)
    read_everything(Store.open(store.path), revisions, releases)
    monkeypatch.undo()
    assert not (store.path / "lock").exists()


def refusals(store: Store, releases: list[str], revisions: list[str]) -> list[Callable[[], object]]:
    return [
        lambda: store.add_revision(mue_draft(5, "later")),
        lambda: store.create_release(revisions),
        lambda: store.activate(releases[1], "bob"),
        lambda: store.rollback("bob"),
    ]


def assert_refused(store: Store, releases: list[str], revisions: list[str], reason: str) -> None:
    for change in refusals(store, releases, revisions):
        with pytest.raises(StoreError) as caught:
            change()
        assert str(caught.value) == (
            f"{store.path}: the store cannot be written ({reason}), nothing was changed; "
            "run the command on a writable copy, as a user who may write there"
        )
    missing = revisions[::-1]
    with pytest.raises(StoreError) as caught:
        store.index_directory(MUE_INDEX, missing)
    message = str(caught.value)
    assert message.startswith(f"{store.path / 'indexes'}/")
    assert message.endswith(
        "/index.json: missing; run 'claim-edits release create' with its revisions on a writable copy of the store, "
        "which builds it anew"
    )


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_writers_are_told_that_they_may_not(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, revisions, releases = store_with_releases(tmp_path / "store")
    real_open = os.open

    def refuse(path: str, flags: int, *args: int, **kwargs: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(code, os.strerror(code), path)
        return real_open(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    assert_refused(store, releases, revisions, os.strerror(code))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[tuple[Store, list[str], list[str]]]:
    store, revisions, releases = store_with_releases(tmp_path / "writable")
    path = tmp_path / "read-only"
    path.mkdir()
    bound = subprocess.run(["mount", "--bind", str(store.path), str(path)], capture_output=True, check=False)
    if bound.returncode != 0:
        pytest.skip("a read-only file system cannot be mounted here; run as root to test on one")
    subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], check=True)
    yield Store.open(path), revisions, releases
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_read_only_file_system(read_only: tuple[Store, list[str], list[str]]) -> None:
    store, revisions, releases = read_only
    read_everything(store, revisions, releases)
    assert_refused(store, releases, revisions, "Read-only file system")
