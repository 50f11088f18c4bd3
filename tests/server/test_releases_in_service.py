"""Releases change while the server answers: at once, whole, and never for the worse."""

from __future__ import annotations

import threading
from pathlib import Path

import grpc
from served import (
    ANSWERS,
    TwoReleases,
    answers,
    conflicting_claim,
    error_info,
    make_two_releases,
    open_stub,
    refused,
    request,
    rich_status,
    serve_process,
)

from claimedits.server.health import ACTIVE_RELEASE
from claimedits.server.probe import check_health
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import rule_set_service_pb2 as rule_pb
from claimedits.v1 import rule_set_service_pb2_grpc as rule_pb_grpc

CLAIM_EDITS, RULE_SETS = "claimedits.v1.ClaimEditService", "claimedits.v1.RuleSetService"


def test_nothing_is_served_until_a_release_is_active(tmp_path: Path) -> None:
    releases = make_two_releases(tmp_path / "store", active=False)
    said = "no release is active; run 'claim-edits release activate'"
    with serve_process(releases.path) as served, open_stub(served.address) as stub:
        for service in ("", CLAIM_EDITS, ACTIVE_RELEASE):
            assert check_health(served.address, service) == (False, f"NOT_SERVING: {said}")
        assert check_health(served.address, RULE_SETS)[0]
        error = refused(lambda: stub.EvaluateClaim(request()))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, said)
        assert error_info(rich_status(error)).reason == "NO_ACTIVE_RELEASE"
        # A pinned release needs no active one.
        pinned = stub.EvaluateClaim(request(release=releases.ids["second"]))
        assert answers(pinned) == ANSWERS["second"]
        releases.activate("first")
        served.log.wait_for("release_active", release=releases.ids["first"])
        for service in ("", CLAIM_EDITS, RULE_SETS, ACTIVE_RELEASE):
            assert check_health(served.address, service) == (True, "SERVING")
        assert answers(stub.EvaluateClaim(request())) == ANSWERS["first"]


def test_a_change_under_load_drops_no_call_and_mixes_no_answer(two_releases: TwoReleases) -> None:
    by_id = {two_releases.ids[name]: expected for name, expected in ANSWERS.items()}
    seen: list[str] = []
    wrong: list[object] = []
    done = threading.Event()

    def load(address: str, batched: bool) -> None:
        batch = pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim()] * 5)
        with open_stub(address) as stub:
            while not done.is_set():
                try:
                    if batched:
                        items = stub.BatchEvaluateClaims(batch).items
                        responses = [item.result for item in items]
                    else:
                        responses = [stub.EvaluateClaim(request())]
                    assert len({response.release for response in responses}) == 1
                    assert all(answers(response) == by_id[response.release] for response in responses)
                    seen.append(responses[0].release)
                except (grpc.RpcError, AssertionError, KeyError) as error:
                    wrong.append(error)
                    return

    with serve_process(two_releases.path) as served:
        threads = [threading.Thread(target=load, args=(served.address, batched)) for batched in (False, True, False)]
        for thread in threads:
            thread.start()
        for name in ("second", "first", "second"):
            two_releases.activate(name)
            served.log.wait_for("release_active", release=two_releases.ids[name])
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert set(seen) == set(by_id)


def test_a_stream_keeps_the_release_it_began_with(two_releases: TwoReleases) -> None:
    changed = threading.Event()

    def requests() -> object:
        yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()])
        assert changed.wait(30)
        yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()])

    with serve_process(two_releases.path) as served, open_stub(served.address) as stub:
        call = stub.StreamEvaluateClaims(requests())
        before = next(call).items[0].result
        two_releases.activate("second")
        served.log.wait_for("release_active", release=two_releases.ids["second"])
        changed.set()
        after = next(call).items[0].result
        assert after == before
        assert answers(stub.EvaluateClaim(request())) == ANSWERS["second"]


def test_a_release_that_does_not_open_leaves_the_last_good_one(two_releases: TwoReleases) -> None:
    first, second = two_releases.ids["first"], two_releases.ids["second"]
    with serve_process(two_releases.path) as served, open_stub(served.address) as stub:
        two_releases.activate("second")
        served.log.wait_for("release_active", release=second)
        two_releases.activate("first")
        served.log.wait_for("release_active", release=first)
        # Activation verifies; damage that comes after it is what the server has to withstand.
        whole = {path: path.read_bytes() for path in _tables_of(two_releases, "second")}
        for path in whole:
            path.chmod(0o644)
            path.write_bytes(b"\0" * 10)
        for index in two_releases.path.glob("indexes/*"):
            _remove(index)
        _point_at(two_releases, second)
        failed = served.log.wait_for("release_failed", release=first)
        assert "damaged" in failed["problem"] or ".arrow" in failed["problem"]
        assert answers(stub.EvaluateClaim(request())) == ANSWERS["first"]
        assert check_health(served.address)[0]
        serving, word = check_health(served.address, ACTIVE_RELEASE)
        assert not serving and word == f"NOT_SERVING: {failed['problem'][:1000]}"
        with grpc.insecure_channel(served.address) as channel:
            active = rule_pb_grpc.RuleSetServiceStub(channel).GetActiveRelease(rule_pb.GetActiveReleaseRequest())
        assert (active.release.id, active.serving_release) == (second, first)
        assert active.problem == failed["problem"]
        error = refused(lambda: stub.EvaluateClaim(request(release=second)))
        info = error_info(rich_status(error))
        assert (error.code(), info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RELEASE_UNREADABLE")
        incident = served.log.wait_for("incident", incident=info.metadata["incident"])
        assert str(two_releases.path) in incident["problem"] and str(two_releases.path) not in str(error.details())
        # Mended and activated again, it serves.
        for path, content in whole.items():
            path.write_bytes(content)
        two_releases.activate("first")
        two_releases.activate("second")
        served.log.wait_for("release_active", release=second)
        assert answers(stub.EvaluateClaim(request())) == ANSWERS["second"]
        assert check_health(served.address, ACTIVE_RELEASE) == (True, "SERVING")


def _tables_of(releases: TwoReleases, name: str) -> list[Path]:
    found = [
        path
        for revision in releases.revisions[name]
        for path in (releases.path / "revisions" / revision.removeprefix("sha256:")).glob("*.arrow")
    ]
    assert found
    return found


def _remove(directory: Path) -> None:
    for path in directory.iterdir():
        path.chmod(0o644)
        path.unlink()
    directory.rmdir()


def _point_at(releases: TwoReleases, release: str) -> None:
    """Moves the pointer as ``activate`` does, but without its look at the tables."""
    from claimedits.rulesets import store as store_module

    class Unverified(store_module.Store):
        def _verified(self, release_id: str) -> store_module.ReleaseInfo:
            return self.release(release_id)

    Unverified.open(releases.path).activate(release, "a tester")
