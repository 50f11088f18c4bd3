"""Releases are activated over gRPC while several workers answer at full load: no call is dropped, no answer mixes two."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import grpc
import pytest
from served import (
    ANSWERS,
    TwoReleases,
    answers,
    bearer,
    conflicting_claim,
    open_stub,
    request,
    serve_process,
    write_access,
)

from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc
from claimedits.v1 import rule_set_service_pb2 as rule_pb
from claimedits.v1 import rule_set_service_pb2_grpc as rule_pb_grpc

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")

EVE = bearer("eve")
WORKERS = 2
Ask = Callable[[pb_grpc.ClaimEditServiceStub], Sequence[pb.EvaluateClaimResponse]]


def one(stub: pb_grpc.ClaimEditServiceStub) -> Sequence[pb.EvaluateClaimResponse]:
    return [stub.EvaluateClaim(request(), metadata=EVE)]


def batch(stub: pb_grpc.ClaimEditServiceStub) -> Sequence[pb.EvaluateClaimResponse]:
    asked = pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim()] * 5)
    return [item.result for item in stub.BatchEvaluateClaims(asked, metadata=EVE).items]


def stream(stub: pb_grpc.ClaimEditServiceStub) -> Sequence[pb.EvaluateClaimResponse]:
    def messages() -> Iterator[pb.StreamEvaluateClaimsRequest]:
        for _ in range(5):
            yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()] * 3)

    answered = stub.StreamEvaluateClaims(messages(), metadata=EVE)
    return [item.result for response in answered for item in response.items]


def test_activation_under_full_load(two_releases: TwoReleases) -> None:
    by_id = {two_releases.ids[name]: expected for name, expected in ANSWERS.items()}
    table = write_access(two_releases.path.parent / "access.toml")
    answered: Counter[tuple[str, str]] = Counter()
    wrong: list[object] = []
    done = threading.Event()
    counting = threading.Lock()

    def load(address: str, ask: Ask) -> None:
        while not done.is_set():
            with open_stub(address) as stub:  # connections anew, so that every worker is asked all the time
                for _ in range(20):
                    try:
                        responses = ask(stub)
                        (release,) = {response.release for response in responses}
                        assert all(answers(response) == by_id[release] for response in responses)
                    except (grpc.RpcError, AssertionError, ValueError, KeyError) as error:
                        wrong.append(error)
                        return
                    with counting:
                        answered[ask.__name__, release] += 1

    with serve_process(two_releases.path, "--access", str(table), "--workers", str(WORKERS)) as served:
        served.log.wait_for("listening")
        threads = [threading.Thread(target=load, args=(served.address, ask)) for ask in (one, batch, stream)]
        for thread in threads:
            thread.start()
        delays = []
        for name in ("second", "first", "second", "first"):
            release = two_releases.ids[name]
            asked = rule_pb.ActivateReleaseRequest(release=release, reason="a test")
            with grpc.insecure_channel(served.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
                stub = rule_pb_grpc.RuleSetServiceStub(channel)
                assert stub.ActivateRelease(asked, metadata=bearer("ada")).activation.release == release
            moments = [served.log.wait_for("release_active", release=release)["time"] for _ in range(WORKERS)]
            first, last = sorted(map(datetime.fromisoformat, moments))
            delays.append((last - first).total_seconds())
        done.set()
        for thread in threads:
            thread.join()
        assert served.terminate() == 0
        codes = Counter(said["code"] for said in served.log.read_to_end() if said["event"] == "call")
    assert wrong == []
    assert set(codes) == {"OK"}
    assert set(answered) == {(ask.__name__, release) for ask in (one, batch, stream) for release in by_id}
    # The worker that moves the pointer serves at once; the others look five times a second. The machine may be busy.
    assert max(delays) < 5
