"""A flipped byte, a file cut short, a file that is gone: found when it is opened, and named with the way to mend it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from store_drafts import mue_draft, store_with_releases

from claimedits.model.problems import StoreError
from claimedits.rulesets.sealed_documents import seal
from claimedits.rulesets.store import Store

REVISION_MEND = "import it again, or restore it from a backup"
MENDS = {
    "format.json": "restore it from a backup",
    "activations.json": "restore it from a backup; or remove it and activate a release again with "
    "'claim-edits release activate', which begins a new history",
    "release": "create it again with 'claim-edits release create', or restore it from a backup",
    "manifest.json": REVISION_MEND,
    "values.arrow": REVISION_MEND,
    "rejects.jsonl": REVISION_MEND,
    "warnings.jsonl": REVISION_MEND,
}


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << offset % 8
    path.write_bytes(content)


def read_everything(path: Path) -> None:
    store = Store.open(path)
    store.active()
    store.releases()
    for info in store.revisions():
        store.tables(info.id)
        store.rejects(info.id)
        store.warnings(info.id)


@pytest.fixture
def damageable(tmp_path: Path) -> tuple[Path, Callable[[str], Path]]:
    """A store, and where one file of each sort lies in it."""
    store, revisions, releases = store_with_releases(tmp_path / "store")

    def locate(name: str) -> Path:
        if name in ("format.json", "activations.json"):
            return store.path / name
        if name == "release":
            return store.path / "releases" / f"{releases[0][7:]}.json"
        return store.path / "revisions" / revisions[0][7:] / name

    return store.path, locate


def assert_named(store: Path, path: Path, name: str) -> None:
    with pytest.raises(StoreError) as caught:
        read_everything(store)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(f"; {MENDS[name]}")


@pytest.mark.parametrize("name", MENDS)
def test_a_flipped_byte_is_found_wherever_it_is(name: str, damageable: tuple[Path, Callable[[str], Path]]) -> None:
    store, locate = damageable
    path = locate(name)
    content = path.read_bytes()
    read_everything(store)
    chosen = random.Random(name).sample(range(len(content)), min(40, len(content)))
    for offset in {0, len(content) - 1, *chosen}:
        flip(path, offset)
        assert_named(store, path, name)
        path.write_bytes(content)
    read_everything(store)


@pytest.mark.parametrize("name", MENDS)
def test_a_file_cut_short_or_grown_is_found(name: str, damageable: tuple[Path, Callable[[str], Path]]) -> None:
    store, locate = damageable
    path = locate(name)
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], content[:-1], content + b"\n"):
        path.write_bytes(damaged)
        assert_named(store, path, name)


@pytest.mark.parametrize("name", sorted(set(MENDS) - {"format.json", "release"}))
def test_a_missing_file_is_found(name: str, damageable: tuple[Path, Callable[[str], Path]]) -> None:
    store, locate = damageable
    path = locate(name)
    path.unlink()
    with pytest.raises(StoreError) as caught:
        read_everything(store)
    assert str(caught.value) == f"{path}: missing; {MENDS[name]}"


@pytest.mark.parametrize("name", ["manifest.json", "values.arrow", "rejects.jsonl", "warnings.jsonl"])
def test_importing_again_mends_a_damaged_revision(name: str, damageable: tuple[Path, Callable[[str], Path]]) -> None:
    store, locate = damageable
    flip(locate(name), 20)
    info, newly = Store.open(store).add_revision(mue_draft(1))
    assert newly
    assert info.id == f"sha256:{locate(name).parent.name}"
    read_everything(store)
    assert not (store / "work").exists()


def test_two_damaged_revisions_are_mended_one_after_the_other(tmp_path: Path) -> None:
    store, revisions, _ = store_with_releases(tmp_path / "store")
    for revision in revisions:
        flip(store.path / "revisions" / revision[7:] / "manifest.json", 30)
    store.add_revision(mue_draft(1))
    store.add_revision(mue_draft(2, label="2024Q4", published_on="2024-09-01"))
    assert [info.id for info in store.revisions()] == revisions


def test_creating_again_mends_a_damaged_release(tmp_path: Path) -> None:
    store, revisions, releases = store_with_releases(tmp_path / "store")
    flip(store.path / "releases" / f"{releases[0][7:]}.json", 30)
    with pytest.raises(StoreError):
        store.active()
    assert store.create_release(revisions[:1]).id == releases[0]
    active = store.active()
    assert active is not None
    assert active.id == releases[0]


def test_a_damaged_history_is_not_written_over(tmp_path: Path) -> None:
    store, _, releases = store_with_releases(tmp_path / "store")
    path = store.path / "activations.json"
    flip(path, 100)
    damaged = path.read_bytes()
    for change in (lambda: store.activate(releases[1], "bob"), lambda: store.rollback("bob")):
        with pytest.raises(StoreError) as caught:
            change()
        assert str(caught.value) == f"{path}: damaged, it is not as it was written; {MENDS['activations.json']}"
    assert path.read_bytes() == damaged


def test_a_removed_history_begins_anew(tmp_path: Path) -> None:
    store, _, releases = store_with_releases(tmp_path / "store")
    (store.path / "activations.json").unlink()
    assert store.watch_token() is None
    store.activate(releases[1], "bob", "after the accident")
    assert [(a.release, a.previous) for a in store.activations()] == [(releases[1], "")]


def test_a_manifest_edited_by_hand_is_found_even_when_it_is_sealed_again(tmp_path: Path) -> None:
    store, revisions, _ = store_with_releases(tmp_path / "store")
    path = store.path / "revisions" / revisions[0][7:] / "manifest.json"
    content = orjson.loads(path.read_bytes())["content"]
    content["header"]["published_on"] = "2023-01-01"
    path.write_bytes(seal(content))
    with pytest.raises(StoreError) as caught:
        store.revision(revisions[0])
    message = str(caught.value)
    assert message.startswith(f"{path}: damaged, it describes sha256:")
    assert message.endswith(f"; {REVISION_MEND}")


def test_a_file_of_another_revision_is_found(tmp_path: Path) -> None:
    store, revisions, releases = store_with_releases(tmp_path / "store")
    first, second = (store.path / "revisions" / revision[7:] for revision in revisions)
    shutil.copy(second / "values.arrow", first / "values.arrow")
    with pytest.raises(StoreError) as caught:
        store.tables(revisions[0])
    assert str(caught.value) == (
        f"{first / 'values.arrow'}: damaged, its SHA-256 is not that of what was written; {REVISION_MEND}"
    )
    shutil.copy(second / "manifest.json", first / "manifest.json")
    with pytest.raises(StoreError) as caught:
        store.revision(revisions[0])
    assert str(caught.value) == (f"{first / 'manifest.json'}: damaged, it describes {revisions[1]}; {REVISION_MEND}")
    first_release, second_release = (store.path / "releases" / f"{release[7:]}.json" for release in releases)
    shutil.copy(second_release, first_release)
    with pytest.raises(StoreError) as caught:
        store.release(releases[0])
    assert str(caught.value) == f"{first_release}: damaged, it describes {releases[1]}; {MENDS['release']}"
