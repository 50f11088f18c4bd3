"""ActivateRelease and RollBackRelease against a real process: what moves the pointer, what does not, and what is told."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from served import (
    ANSWERS,
    Served,
    TwoReleases,
    answers,
    bearer,
    error_info,
    make_two_releases,
    open_stub,
    refused,
    request,
    rich_status,
    serve_process,
    violations,
    wait_until,
    write_access,
)

from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc
from claimedits.v1 import rule_set_service_pb2 as pb
from claimedits.v1 import rule_set_service_pb2_grpc as rule_pb_grpc

ADA = bearer("ada")
SHORT = slice(0, 19)


class Admin:
    """Calls of the administrator, each on a connection of its own: workers share a port by connection."""

    def __init__(self, address: str) -> None:
        self.address = address

    @contextmanager
    def stub(self) -> Iterator[rule_pb_grpc.RuleSetServiceStub]:
        with grpc.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            yield rule_pb_grpc.RuleSetServiceStub(channel)

    def activate(self, release: str, expected: str = "", reason: str = "a test", timeout: float = 30) -> pb.Activation:
        asked = pb.ActivateReleaseRequest(release=release, expected_current=expected, reason=reason)
        with self.stub() as stub:
            return stub.ActivateRelease(asked, metadata=ADA, timeout=timeout).activation

    def roll_back(self, expected: str = "", reason: str = "a test") -> pb.Activation:
        asked = pb.RollBackReleaseRequest(expected_current=expected, reason=reason)
        with self.stub() as stub:
            return stub.RollBackRelease(asked, metadata=ADA, timeout=30).activation


@contextmanager
def guarded(releases: TwoReleases, *arguments: str) -> Iterator[tuple[Served, Admin, pb_grpc.ClaimEditServiceStub]]:
    table = write_access(releases.path.parent / "access.toml")
    with serve_process(releases.path, "--access", str(table), *arguments) as served, open_stub(served.address) as stub:
        yield served, Admin(served.address), stub


def told(call: Callable[[], object]) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, str]:
    error = refused(call)
    return error.code(), error_info(rich_status(error)), error.details()


def test_a_release_is_activated_served_and_recorded(two_releases: TwoReleases) -> None:
    first, second = two_releases.ids["first"], two_releases.ids["second"]
    with guarded(two_releases) as (_, admin, stub):
        done = admin.activate(second[:20], reason="  the new quarter ")
        # The worker that has moved the pointer serves the release before it answers.
        assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["second"]
        assert (done.release, done.previous_release, done.who, done.reason) == (second, first, "ada", "the new quarter")
        entry = two_releases.store.activations()[-1]
        assert (entry.release, entry.previous, entry.who, entry.why, entry.at, entry.action) == (
            *(second, first, "ada", "the new quarter", done.at),
            "activate",
        )
        with admin.stub() as reading:
            shown = reading.GetActiveRelease(pb.GetActiveReleaseRequest(), metadata=bearer("bob"))
        assert (shown.release.id, shown.serving_release, shown.problem) == (second, second, "")

        back = admin.roll_back(reason="wrong quarter")
        assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["first"]
        assert (back.release, back.previous_release, back.who, back.reason) == (first, second, "ada", "wrong quarter")
        assert two_releases.store.activations()[-1].action == "rollback"


def test_activating_what_is_active_changes_nothing(two_releases: TwoReleases) -> None:
    with guarded(two_releases) as (_, admin, _):
        done = admin.activate(two_releases.ids["first"])
        assert (done.who, done.reason) == ("a tester", "")
        assert len(two_releases.store.activations()) == 1


def test_every_field_at_fault_is_named(two_releases: TwoReleases) -> None:
    malformed = (
        "is no id of a release; write sha256: and hexadecimal digits, at least the first 6, or none, or leave it empty"
    )
    with guarded(two_releases) as (_, admin, _):
        error = refused(lambda: admin.activate(" ", "nonsense", " "))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert violations(rich_status(error)) == [
            ("release", "is missing; name it by its id or a unique beginning of it"),
            ("expected_current", malformed),
            ("reason", "is missing; say why, for the history"),
        ]
        error = refused(lambda: admin.roll_back("12345", 2001 * "x"))
        assert violations(rich_status(error)) == [
            ("expected_current", malformed),
            ("reason", "has 2001 characters; say it in at most 2000 characters"),
        ]
        for reason in ("two\nlines", "\x1b[2J"):
            error = refused(lambda reason=reason: admin.roll_back(reason=reason))
            assert violations(rich_status(error)) == [
                ("reason", "holds control characters; say it in one line of plain text")
            ]
        assert len(two_releases.store.activations()) == 1


def test_an_unknown_release_is_not_found(two_releases: TwoReleases) -> None:
    with guarded(two_releases) as (_, admin, _):
        code, info, said = told(lambda: admin.activate("sha256:000000"))
        assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "RELEASE_NOT_FOUND")
        assert said == "the store holds no release 'sha256:000000'; 'claim-edits release list' shows those there are"


@pytest.mark.parametrize("roll_back", [False, True])
def test_it_is_done_only_if_the_expected_release_is_active(two_releases: TwoReleases, roll_back: bool) -> None:
    first, second = two_releases.ids["first"], two_releases.ids["second"]
    two_releases.activate("second")
    two_releases.activate("first")
    with guarded(two_releases) as (_, admin, _):

        def move(expected: str) -> pb.Activation:
            return admin.roll_back(expected) if roll_back else admin.activate(second, expected)

        for wrong in (second, second[:15], "sha256:abcdef", "none"):
            code, info, said = told(lambda wrong=wrong: move(wrong))
            assert (code, info.reason) == (grpc.StatusCode.ABORTED, "ACTIVE_RELEASE_CHANGED")
            assert dict(info.metadata) == {"current": first}
            assert said.startswith(f"someone else changed the active release: it is {first} by a tester at ")
        assert len(two_releases.store.activations()) == 3
        assert move(first[:15]).release == second


def test_none_is_what_is_expected_of_a_new_store(tmp_path: Path) -> None:
    releases = make_two_releases(tmp_path / "store", active=False)
    first = releases.ids["first"]
    with guarded(releases) as (_, admin, stub):
        code, info, _ = told(lambda: admin.activate(first, expected=releases.ids["second"]))
        assert (code, dict(info.metadata)) == (grpc.StatusCode.ABORTED, {"current": "none"})
        code, info, said = told(admin.roll_back)
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_REFUSED")
        assert said == "no release was active before; activate one with 'claim-edits release activate'"
        assert admin.activate(first, expected="none").previous_release == ""
        assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["first"]
        assert told(admin.roll_back)[1].reason == "RELEASE_REFUSED"


def assert_nothing_moved(releases: TwoReleases, stub: pb_grpc.ClaimEditServiceStub, history: int = 1) -> None:
    assert len(releases.store.activations()) == history
    assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["first"]


def test_a_candidate_that_cannot_open_changes_nothing_and_names_the_file(two_releases: TwoReleases) -> None:
    second = two_releases.ids["second"]
    (table,) = (two_releases.path / "revisions" / two_releases.revisions["second"][0][7:]).glob("*.arrow")
    whole = table.read_bytes()
    with guarded(two_releases) as (_, admin, stub):
        for damage, what in (
            (whole[:-1], f"damaged, {len(whole) - 1} bytes where {len(whole)} were written"),
            (whole.replace(b"G0247", b"G0248"), "damaged, its SHA-256 is not that of what was written"),
            (None, "missing"),
        ):
            table.unlink()
            if damage is not None:
                table.write_bytes(damage)
            code, info, said = told(lambda: admin.activate(second))
            assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_REFUSED")
            assert said == (
                f"release {second[SHORT]} was not activated, what is served did not change: "
                f"{table}: {what}; import it again, or restore it from a backup"
            )
            assert_nothing_moved(two_releases, stub)
        table.write_bytes(whole)
        assert admin.activate(second).release == second


def test_a_release_that_has_served_before_is_looked_at_again(two_releases: TwoReleases) -> None:
    """What was damaged since is found, though the worker may still hold it open."""
    two_releases.activate("second")
    two_releases.activate("first")
    (table,) = (two_releases.path / "revisions" / two_releases.revisions["second"][0][7:]).glob("*.arrow")
    with guarded(two_releases) as (_, admin, stub):
        pinned = stub.EvaluateClaim(request(release=two_releases.ids["second"]), metadata=bearer("eve"))
        assert answers(pinned) == ANSWERS["second"]
        content = table.read_bytes()
        table.unlink()
        table.write_bytes(content[:-8] + b"\0" * 8)
        for move in (lambda: admin.activate(two_releases.ids["second"]), admin.roll_back):
            code, _, said = told(move)
            assert code is grpc.StatusCode.FAILED_PRECONDITION and f"{table}: damaged" in said
        assert_nothing_moved(two_releases, stub, history=3)


def test_a_release_without_conventions_is_refused(two_releases: TwoReleases) -> None:
    bare = two_releases.store.create_release(two_releases.revisions["second"]).id
    with guarded(two_releases) as (_, admin, stub):
        code, info, said = told(lambda: admin.activate(bare))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_REFUSED")
        assert said.endswith(
            f"release {bare} holds no ncci-conventions, without which no edit can be decided; run 'claim-edits build' "
            "and create the release again"
        )
        assert_nothing_moved(two_releases, stub)


def test_a_damaged_history_is_never_written_over(two_releases: TwoReleases) -> None:
    path = two_releases.path / "activations.json"
    with guarded(two_releases) as (_, admin, stub):
        damaged = path.read_bytes().replace(b"a tester", b"a cheater")
        path.write_bytes(damaged)
        for move in (lambda: admin.activate(two_releases.ids["second"]), admin.roll_back):
            code, info, said = told(move)
            assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_REFUSED")
            assert f"{path}: damaged" in said and "restore it from a backup" in said
        assert path.read_bytes() == damaged
        assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["first"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of a few mebibytes."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here; run as root to test on one")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """A disk without a byte left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"\0" * 4096)
    yield
    filler.unlink()


def test_a_full_disk_changes_nothing(small_disk: Path) -> None:
    releases = make_two_releases(small_disk / "store")
    second = releases.ids["second"]
    with guarded(releases) as (_, admin, stub):
        for indexed in (False, True):
            if (
                indexed
            ):  # the first time the indexes of the candidate find no room, the second time the pointer finds none
                stub.EvaluateClaim(request(release=second), metadata=bearer("eve"))
            with full(small_disk):
                code, info, said = told(lambda: admin.activate(second))
                assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_REFUSED")
                assert said == (
                    f"release {second[SHORT]} was not activated, what is served did not change: "
                    f"{releases.path}: disk full, nothing was changed; free some space and run the command again"
                )
                assert_nothing_moved(releases, stub)
        assert admin.activate(second).release == second


def test_a_store_that_cannot_be_written_says_where_to_do_it(small_disk: Path) -> None:
    releases = make_two_releases(small_disk / "store")
    table = write_access(small_disk / "access.toml")
    with serve_process(releases.path, "--access", str(table)) as served, open_stub(served.address) as stub:
        stub.EvaluateClaim(request(release=releases.ids["second"]), metadata=bearer("eve"))
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        code, info, said = told(lambda: Admin(served.address).activate(releases.ids["second"]))
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_REFUSED")
        assert said.endswith(
            "the store cannot be written from here; run 'claim-edits release' where it can, or let this process write to it"
        )
        assert_nothing_moved(releases, stub)
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")
def test_of_two_activations_at_once_exactly_one_wins(two_releases: TwoReleases) -> None:
    store, first = two_releases.store, two_releases.ids["first"]
    both = store.create_release([info.id for info in store.revisions()]).id
    candidates = (two_releases.ids["second"], both)
    with guarded(two_releases, "--workers", "2") as (_, admin, _), ThreadPoolExecutor(2) as pool:
        for turn in range(1, 6):
            ready = threading.Barrier(2)

            def activate(release: str, ready: threading.Barrier = ready) -> str:
                ready.wait(30)
                try:
                    return admin.activate(release, expected=first).release
                except grpc.RpcError as error:
                    assert error.code() is grpc.StatusCode.ABORTED
                    return error_info(rich_status(error)).metadata["current"]

            said = list(pool.map(activate, candidates))
            assert len(set(said)) == 1 and said[0] in candidates  # the loser is told of the winner
            assert len(two_releases.store.activations()) == 2 * turn
            admin.activate(first, expected=said[0])


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Another writer at work."""
    with (store / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")
def test_a_worker_that_is_killed_while_it_activates_changes_nothing(two_releases: TwoReleases) -> None:
    second = two_releases.ids["second"]
    with guarded(two_releases, "--workers", "2") as (served, admin, _), ThreadPoolExecutor(1) as pool:
        served.log.wait_for("listening")
        # Both candidates' indexes are there, so that the activation waits for the lock only to move the pointer.
        admin.activate(second)
        admin.activate(two_releases.ids["first"])
        with locked(two_releases.path):
            under_way = pool.submit(refused, lambda: admin.activate(second))
            waiting = two_releases.path / "lock"
            wait_until(lambda: bool(_holders(served, waiting)))
            (worker,) = _holders(served, waiting)
            os.kill(worker, signal.SIGKILL)
            assert under_way.result(30).code() is grpc.StatusCode.UNAVAILABLE
        served.log.wait_for("worker_died", worker=worker, exit_code=-signal.SIGKILL)
        served.log.wait_for("listening")
        assert len(two_releases.store.activations()) == 3
        for _ in range(8):
            with open_stub(served.address) as stub:
                assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["first"]
        assert admin.activate(second).release == second


def _holders(served: Served, path: Path) -> list[int]:
    """Workers that have a file open."""
    pid = served.process.pid
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in children if str(path) in _open_files(child)]


def _open_files(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(entry.readlink()))
        except FileNotFoundError:
            pass
    return found


def test_a_caller_who_has_left_activates_nothing(two_releases: TwoReleases) -> None:
    """Its deadline passes while the candidate waits to be opened: what it would not learn of is not done."""
    second = two_releases.ids["second"]
    with guarded(two_releases) as (served, admin, stub):
        with locked(two_releases.path):
            error = refused(lambda: admin.activate(second, timeout=0.5))
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        served.log.wait_for("call", method="ActivateRelease", code="CANCELLED")
        assert_nothing_moved(two_releases, stub)
