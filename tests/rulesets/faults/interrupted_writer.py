"""A writer that is stopped at one chosen call to the operating system; run as a program, that kills itself there.

``interrupted_writer.py kill OPERATION PRISTINE OUT``: for n = 1, 2, …, copies the store PRISTINE to OUT/n and has a child
process do OPERATION there, which SIGKILL ends just before its n-th call (a write: after half of its bytes).
Ends with the first child that comes through, and prints how many were killed.

``interrupted_writer.py wait OPERATION STORE``: prints ``ready``, and does OPERATION when a line comes in.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from store_drafts import mue_draft

from claimedits.model.problems import Problem, StoreError
from claimedits.rulesets.check_records import CheckRecord
from claimedits.rulesets.mue_index import MUE_INDEX
from claimedits.rulesets.release import CheckOverride
from claimedits.rulesets.store import Store

CALLS = ("write", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir", "close")


def add_revision(store: Store) -> object:
    return store.add_revision(mue_draft(3, "2025Q1", "2024-12-01"))


def create_release(store: Store) -> object:
    return store.create_release([info.id for info in store.revisions()], "all")


def activate(store: Store) -> object:
    (other,) = {release.id for release in store.releases()} - {store.activations()[-1].release}
    return store.activate(other, "bob", "second")


def override_checks(store: Store) -> object:
    """The first release gets a decision to let it through."""
    override = CheckOverride("agreed", "ada", "2026-11-24T14:00:00Z", ("a problem",))
    return store.create_release([store.revisions()[0].id], "", override)


def record_checks(store: Store) -> object:
    problem = Problem("tests.toml:1:1", "did not fire", "mend it")
    return store.record_checks(store.revisions()[0].id, CheckRecord("2026-11-24T14:00:00Z", "1", 3, (problem,)))


def build_index(store: Store) -> Path:
    return store.index_directory(MUE_INDEX, [store.revisions()[0].id])


OPERATIONS: dict[str, Callable[[Store], object]] = {
    "add_revision": add_revision,
    "create_release": create_release,
    "activate": activate,
    "override_checks": override_checks,
    "record_checks": record_checks,
    "build_index": build_index,
}


def perform(operation: str, path: Path) -> object:
    if operation == "create":
        return Store.open(path, create=True)
    name, _, argument = operation.partition(":")
    store = Store.open(path)
    if name == "add":
        return store.add_revision(mue_draft(int(argument), f"label {argument}"))
    if name == "activate_expecting":
        release, expected = argument.split(",")
        return store.activate(release, f"process {os.getpid()}", expected_current=expected)
    if name == "activate_all":
        return [store.activate(release, f"process {os.getpid()}") for release in argument.split(",")]
    return OPERATIONS[name](store)


def intercept(
    stop: Callable[[str, tuple[Any, ...]], None], patch: Callable[[object, str, object], None] = setattr
) -> None:
    """Have ``stop`` called with name and arguments before each of CALLS."""
    for name in CALLS:
        patch(os, name, _guarded(name, getattr(os, name), stop))


def _guarded(name: str, call: Callable[..., Any], stop: Callable[[str, tuple[Any, ...]], None]) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        stop(name, args)
        return call(*args, **kwargs)

    return guarded


def _kill_at(n: int) -> Callable[[str, tuple[Any, ...]], None]:
    seen = 0
    write = os.write

    def stop(name: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        seen += 1
        if seen == n:
            if name == "write":
                write(args[0], bytes(args[1])[: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    return stop


def _kill(operation: str, pristine: Path, out: Path) -> int:
    n = 0
    while True:
        n += 1
        shutil.copytree(pristine, out / str(n))
        child = os.fork()
        if child == 0:
            try:
                intercept(_kill_at(n))
                perform(operation, out / str(n))
            except BaseException as error:
                sys.stderr.write(f"{error!r}\n")
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            return n - 1 if os.WEXITSTATUS(status) == 0 else -1


def main() -> int:
    mode, operation, *paths = sys.argv[1:]
    if mode == "kill":
        sys.stdout.write(f"{_kill(operation, Path(paths[0]), Path(paths[1]))}\n")
        return 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        perform(operation, Path(paths[0]))
    except StoreError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
