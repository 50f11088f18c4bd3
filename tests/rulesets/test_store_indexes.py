"""Indexes: derived, kept under what they derive from, built once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from store_drafts import store_with_releases

from claimedits.model.problems import NotFoundError
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


class CountingKind:
    """Writes the first value of each revision, and counts how often it was asked to."""

    name = "counting"

    def __init__(self, format: int = 1) -> None:
        self.format = format
        self.built = 0

    def build(self, revisions: Sequence[tuple[RevisionInfo, Mapping[str, pa.Table]]], directory: Path) -> None:
        self.built += 1
        values = [tables["values"]["value"][0].as_py() for _, tables in revisions]
        (directory / "deep").mkdir()
        (directory / "deep" / "values").write_text(" ".join(map(str, values)))

    def open(self, directory: Path) -> str:
        return (directory / "deep" / "values").read_text()


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Store, list[str]]:
    store, revisions, _ = store_with_releases(tmp_path / "store")
    return store, revisions


def test_an_index_is_built_once(kept: tuple[Store, list[str]]) -> None:
    store, revisions = kept
    kind = CountingKind()
    first = store.index_directory(kind, revisions)
    assert kind.open(first) == "1 2"
    assert Store.open(store.path).index_directory(kind, [revision[:13] for revision in revisions]) == first
    assert kind.built == 1


def test_order_kind_and_format_make_other_indexes(kept: tuple[Store, list[str]]) -> None:
    store, revisions = kept
    kinds = [CountingKind(1), CountingKind(2)]
    found = {store.index_directory(kind, ids) for kind in kinds for ids in (revisions, revisions[::-1], revisions[:1])}
    assert len(found) == 6
    assert kinds[0].open(store.index_directory(kinds[0], revisions[::-1])) == "2 1"
    assert [kind.built for kind in kinds] == [3, 3]


@pytest.mark.parametrize("name", ["index.json", "deep/values"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_index_is_built_anew(kept: tuple[Store, list[str]], name: str, damage: str) -> None:
    store, revisions = kept
    kind = CountingKind()
    directory = store.index_directory(kind, revisions)
    path = directory / name
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "cut" else bytes([content[0] ^ 1]) + content[1:])
    assert store.index_directory(kind, revisions) == directory
    assert (kind.built, kind.open(directory), path.read_bytes()) == (2, "1 2", content)


def test_who_has_opened_a_damaged_index_keeps_its_files(kept: tuple[Store, list[str]]) -> None:
    store, revisions = kept
    kind = CountingKind()
    directory = store.index_directory(kind, revisions)
    with (directory / "deep" / "values").open() as opened:
        (directory / "index.json").unlink()
        store.index_directory(kind, revisions)
        assert opened.read() == "1 2"


def test_indexes_may_be_removed_at_any_time(kept: tuple[Store, list[str]]) -> None:
    store, revisions = kept
    kind = CountingKind()
    store.index_directory(kind, revisions)
    (store.path / "indexes").rename(store.path.parent / "away")
    assert kind.open(store.index_directory(kind, revisions)) == "1 2"


def test_an_index_that_fails_to_build_leaves_nothing(kept: tuple[Store, list[str]]) -> None:
    class FailingKind(CountingKind):
        name = "failing"

        def build(self, revisions: Sequence[tuple[RevisionInfo, Mapping[str, pa.Table]]], directory: Path) -> None:
            super().build(revisions, directory)
            raise ZeroDivisionError

    store, revisions = kept
    before = sorted(store.path.rglob("*"))
    with pytest.raises(ZeroDivisionError):
        store.index_directory(FailingKind(), revisions)
    assert sorted(store.path.rglob("*")) == before


def test_an_index_of_an_unknown_revision_is_not_found(kept: tuple[Store, list[str]]) -> None:
    with pytest.raises(NotFoundError):
        kept[0].index_directory(CountingKind(), ["sha256:000000"])
