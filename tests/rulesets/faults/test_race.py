"""Two processes at once: both succeed, or one is told that someone else was first. Nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import interrupted_writer
from store_drafts import mue_draft, store_with_releases

import claimedits
from claimedits.rulesets.mue_index import MUE_INDEX
from claimedits.rulesets.store import Store

SERVICE = Path(claimedits.__file__).parents[1]


def at_once(path: Path, operations: Sequence[str]) -> list[tuple[int, str]]:
    """Start a process for each operation, let all of them go when all are ready; exit codes and messages."""
    processes = [
        subprocess.Popen(
            [sys.executable, interrupted_writer.__file__, "wait", operation, str(path)],
            env={**os.environ, "PYTHONPATH": str(SERVICE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for operation in operations
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = []
    for process in processes:
        said, _ = process.communicate(timeout=120)
        results.append((process.returncode, said))
    return results


def test_two_processes_make_one_store(tmp_path: Path) -> None:
    assert at_once(tmp_path / "store", ["create"] * 3) == [(0, "")] * 3
    assert Store.open(tmp_path / "store").active() is None


def test_revisions_added_at_once_are_all_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    assert at_once(store.path, ["add:1", "add:2", "add:3", "add:1"]) == [(0, "")] * 4
    assert sorted(info.header.label for info in store.revisions()) == ["label 1", "label 2", "label 3"]
    assert {info.id for info in store.revisions()} == {
        store.add_revision(mue_draft(n, f"label {n}"))[0].id for n in (1, 2, 3)
    }
    for info in store.revisions():
        assert store.tables(info.id)["values"].num_rows == 3


def test_no_activation_is_lost(tmp_path: Path) -> None:
    store, _, (first, second) = store_with_releases(tmp_path / "store")
    both = store.create_release([info.id for info in store.revisions()]).id
    turns = ",".join([second, both, first] * 5)
    assert at_once(store.path, [f"activate_all:{turns}"] * 2) == [(0, "")] * 2
    history = store.activations()
    for before, after in pairwise(history):
        assert after.previous == before.release != after.release
    active = store.active()
    assert active is not None
    assert active.id == history[-1].release
    # A process alone makes 15 moves; of a process whose release the other one had just activated, some are no moves.
    assert 15 <= len(history) - 1 <= 30


def test_of_two_that_expect_the_same_release_one_is_told(tmp_path: Path) -> None:
    store, _, (first, second) = store_with_releases(tmp_path / "store")
    both = store.create_release([info.id for info in store.revisions()]).id
    results = at_once(store.path, [f"activate_expecting:{second},{first}", f"activate_expecting:{both},{first}"])
    assert sorted(code for code, _ in results) == [0, 1]
    winner = store.activations()[-1]
    assert len(store.activations()) == 2
    assert [said for code, said in results if code == 1] == [
        f"someone else changed the active release: it is {winner.release} by {winner.who} at {winner.at}, "
        f"not {first}; look at 'claim-edits release list', then decide again\n"
    ]


def test_an_index_wanted_at_once_is_whole(tmp_path: Path) -> None:
    store, revisions, _ = store_with_releases(tmp_path / "store")
    assert at_once(store.path, ["build_index"] * 3) == [(0, "")] * 3
    directory = store.index_directory(MUE_INDEX, revisions[:1])
    row = MUE_INDEX.open(directory).row("L3000", 0)
    assert row is not None
    assert row.value == 3
    assert not (store.path / "work").exists()
