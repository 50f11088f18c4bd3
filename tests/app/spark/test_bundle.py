"""A packed release: the same bytes every time, a store of its own, and nothing left behind by a failure."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from claimedits.app.spark.bundle import pack_release
from claimedits.engine.engine import Engine
from claimedits.model.problems import NotFoundError
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.store import Store

CLAIM = {
    "claim_id": "A-1",
    "program": "MEDICARE",
    "setting": "PRACTITIONER",
    "lines": [
        {"line_number": 1, "procedure_code": "G0247", "units": "1", "service_date": "2024-07-15"},
        {"line_number": 2, "procedure_code": "G0127", "units": "9", "service_date": "2024-07-15"},
    ],
}


def active(store: Store) -> str:
    found = store.active()
    assert found is not None
    return found.id


def test_a_bundle_is_a_store_that_answers_as_the_one_it_was_packed_from(store: Store, tmp_path: Path) -> None:
    pack_release(store, [active(store)], tmp_path / "release.zip")
    with zipfile.ZipFile(tmp_path / "release.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    before = set((tmp_path / "unpacked").rglob("*"))
    opened = Engine.open(Store.open(tmp_path / "unpacked"))
    assert opened.release_id == active(store)
    assert opened.evaluate(CLAIM, "2024-08-10") == Engine.open(store).evaluate(CLAIM, "2024-08-10")
    assert set((tmp_path / "unpacked").rglob("*")) == before, "indexes were built anew"


def test_only_what_the_release_needs_is_packed(store: Store, tmp_path: Path) -> None:
    copy = Store(Path(shutil.copytree(store.path, tmp_path / "copy")))
    conventions = [one.id for one in copy.revisions(CONVENTIONS)]
    small = copy.create_release(conventions)
    pack_release(copy, [small.id], tmp_path / "small.zip")
    with zipfile.ZipFile(tmp_path / "small.zip") as packed:
        names = packed.namelist()
    assert {name.split("/")[1] for name in names if name.startswith("revisions/")} == {
        one.removeprefix("sha256:") for one in conventions
    }
    assert [name for name in names if name.startswith("releases/")] == [f"releases/{small.id[7:]}.json"]


def test_the_same_releases_give_the_same_bytes(store: Store, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        pack_release(store, [active(store)], tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_missing_indexes_are_built_before_they_are_packed(store: Store, tmp_path: Path) -> None:
    pack_release(store, [active(store)], tmp_path / "one.zip")
    copy = Store(Path(shutil.copytree(store.path, tmp_path / "copy")))
    shutil.rmtree(copy.path / "indexes")
    pack_release(copy, [active(copy)], tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_unknown_release_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no release"):
        pack_release(store, ["sha256:" + "0" * 64], tmp_path / "release.zip")
    assert list(tmp_path.iterdir()) == []
