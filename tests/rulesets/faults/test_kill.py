"""kill -9 before every call that changes the disk: the old state or the new one, and the next writer goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import interrupted_writer
import pytest
from store_drafts import store_with_releases

import claimedits
from claimedits.model.problems import StoreError
from claimedits.rulesets.mue_index import MUE_INDEX
from claimedits.rulesets.store import Store

SERVICE = Path(claimedits.__file__).parents[1]


def state(path: Path) -> dict[str, object]:
    """Everything a reader sees, each file verified."""
    store = Store.open(path)
    infos = store.revisions()
    for info in infos:
        assert store.tables(info.id)["values"].num_rows == 3
        assert len(store.rejects(info.id)) == len(store.warnings(info.id)) == 1
    active = store.active()
    return {
        "revisions": [info.id for info in infos],
        "releases": sorted((release.id, release.overrides) for release in store.releases()),
        "checks": [store.check_record(info.id) for info in infos],
        "active": active.id if active else None,
        "history": [(a.release, a.previous, a.who, a.why, a.action) for a in store.activations()],
    }


def kill_everywhere(operation: str, pristine: Path, out: Path) -> list[Path]:
    out.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning:__main__",
            interrupted_writer.__file__,
            "kill",
            operation,
            str(pristine),
            str(out),
        ],
        env={**os.environ, "PYTHONPATH": str(SERVICE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    killed = int(done.stdout)
    assert sorted(int(path.name) for path in out.iterdir()) == list(range(1, killed + 2))
    return [out / str(n) for n in range(1, killed + 1)]


@pytest.mark.parametrize("operation", sorted(interrupted_writer.OPERATIONS))
def test_a_killed_writer_leaves_the_old_state_or_the_new(operation: str, tmp_path: Path) -> None:
    _, revisions, _ = store_with_releases(tmp_path / "pristine")
    old = state(tmp_path / "pristine")
    left = kill_everywhere(operation, tmp_path / "pristine", tmp_path / "killed")
    came_through = tmp_path / "killed" / str(len(left) + 1)
    new = state(came_through)
    assert (new != old) == (operation != "build_index")
    assert len(left) >= 10
    unfinished = 0
    for path in left:
        found = state(path)
        assert found in (old, new), path
        if operation == "build_index":
            directory = interrupted_writer.build_index(Store.open(path))
            row = MUE_INDEX.open(directory).row("E0100", 0)
            assert row is not None
            assert row.value == 2
        elif found == old:
            unfinished += 1
            interrupted_writer.perform(operation, path)
            assert state(path) == new
        Store.open(path).create_release(revisions, "any writer removes what is left of the killed one")
        assert not (path / "work").exists()
        assert {p.name for p in path.iterdir()} == {p.name for p in came_through.iterdir()}
    assert operation == "build_index" or 0 < unfinished < len(left)


def test_a_store_killed_while_it_is_made_is_none_or_whole(tmp_path: Path) -> None:
    (tmp_path / "pristine").mkdir()
    left = kill_everywhere("create", tmp_path / "pristine", tmp_path / "killed")
    assert len(left) >= 10
    whole = 0
    for path in left:
        try:
            Store.open(path)
            whole += 1
        except StoreError as error:
            assert str(error) == f"{path}: no store is there; 'claim-edits import' with --store makes one"
        Store.open(path, create=True)
        assert state(path) == {"revisions": [], "releases": [], "checks": [], "active": None, "history": []}
    assert 0 < whole < len(left)


@pytest.mark.parametrize("operation", sorted(interrupted_writer.OPERATIONS))
def test_everything_is_forced_to_the_disk_before_it_is_renamed(
    operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill cannot show: that a power failure after the rename finds the content on the disk."""
    store, _, _ = store_with_releases(tmp_path / "store")
    forced: set[str] = set()
    renames: list[Path] = []

    def watch(name: str, args: tuple[object, ...]) -> None:
        if name in ("write", "fsync") and isinstance(args[0], int):
            path = str(Path(f"/proc/self/fd/{args[0]}").readlink())
            (forced.discard if name == "write" else forced.add)(path)
        elif name in ("rename", "replace"):
            source, target = Path(str(args[0])), Path(str(args[1]))
            needed = {source, *source.rglob("*")} if source.is_dir() else {source}
            assert {str(path) for path in needed} <= forced
            forced.discard(str(target.parent))
            renames.append(target)

    interrupted_writer.intercept(watch, monkeypatch.setattr)
    interrupted_writer.OPERATIONS[operation](store)
    assert len(renames) == 1
    assert str(renames[0].parent) in forced
