"""Who waits, who is refused, and what happens to work whose caller has gone. In process, with an engine that can be held."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from served import TwoReleases, conflicting_claim, error_info, refused, request, rich_status, wait_until

from claimedits.engine.engine import Engine
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.finding import Decision
from claimedits.server.probe import check_health
from claimedits.server.serving import Worker
from claimedits.server.settings import ServerSettings
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc


class HeldEngine:
    """An engine whose evaluations wait for ``go_on``, and ask whether the caller is still there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.release_id = engine.release_id
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.abandoned = threading.Semaphore(0)
        self.evaluations = 0

    def evaluate(self, claim: Any, as_of: Any, families: Any, detail: Any, abandoned: Callable[[], bool]) -> Decision:
        self.evaluations += 1
        self.begun.release()
        while not self.go_on.wait(0.01):
            if abandoned():
                self.abandoned.release()
                raise EvaluationAbandonedError
        return self._engine.evaluate(claim, as_of, families, detail, abandoned)


Serve = Callable[..., tuple[HeldEngine, grpc.Channel]]


@pytest.fixture
def serve(shared_releases: TwoReleases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    workers: list[tuple[Worker, HeldEngine, grpc.Channel]] = []

    def start(**settings: Any) -> tuple[HeldEngine, grpc.Channel]:
        base = ServerSettings(shared_releases.path, "127.0.0.1:0", balancer_wait_seconds=0, grace_seconds=0)
        worker = Worker(replace(base, **settings))
        port = worker.start()
        held = HeldEngine(worker.host.engine())
        monkeypatch.setattr(worker.host, "engine", lambda release="": held)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        workers.append((worker, held, channel))
        return held, channel

    yield start
    for worker, held, channel in workers:
        held.go_on.set()
        channel.close()
        worker.drain()


def test_calls_beyond_their_places_are_refused_while_health_answers(serve: Serve) -> None:
    held, channel = serve(threads=1, concurrent_calls=2)
    stub = pb_grpc.ClaimEditServiceStub(channel)
    first = stub.EvaluateClaim.future(request())
    assert held.begun.acquire(timeout=30)
    second = stub.EvaluateClaim.future(request())
    refusals: list[grpc.RpcError] = []

    def is_refused() -> bool:  # the second call takes its place when it arrives, which nothing here tells
        third = stub.EvaluateClaim.future(request(), timeout=0.5)
        error = third.exception()
        assert isinstance(error, grpc.RpcError)
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            refusals.append(error)
        return bool(refusals)

    wait_until(is_refused)
    status = rich_status(refusals[0])
    assert error_info(status).reason == "LIMIT_EXCEEDED"
    assert dict(error_info(status).metadata) == {"limit": "concurrent_calls", "maximum": "2", "value": "3"}
    assert status.message == "concurrent_calls is 3, the limit is 2; try again later"
    assert check_health(channel._channel.target().decode()) == (True, "SERVING")
    held.go_on.set()
    assert first.result(30).outcome == second.result(30).outcome == pb.EvaluateClaimResponse(outcome=6).outcome  # type: ignore[arg-type]
    assert stub.EvaluateClaim(request()).claim_id == "T-1"  # places are given back


def test_work_stops_when_the_deadline_has_passed(serve: Serve) -> None:
    held, channel = serve()
    error = refused(lambda: pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request(), timeout=0.2))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert held.abandoned.acquire(timeout=30)


def test_work_stops_when_the_caller_has_gone(serve: Serve) -> None:
    held, channel = serve()
    call = pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim.future(request())
    assert held.begun.acquire(timeout=30)
    call.cancel()
    assert held.abandoned.acquire(timeout=30)


def test_the_rest_of_a_batch_is_not_begun_for_a_caller_that_has_gone(serve: Serve) -> None:
    held, channel = serve()
    batch = pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim()] * 50)
    call = pb_grpc.ClaimEditServiceStub(channel).BatchEvaluateClaims.future(batch)
    assert held.begun.acquire(timeout=30)
    call.cancel()
    assert held.abandoned.acquire(timeout=30)
    held.go_on.set()
    assert pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request()).claim_id == "T-1"
    assert held.evaluations == 2  # one of the batch, one of the call after it


def test_a_stream_takes_no_message_before_the_one_at_hand_is_answered(serve: Serve) -> None:
    held, channel = serve()
    large = pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()] * 500)
    assert large.ByteSize() * 400 > 20_000_000
    sent: list[int] = []

    def requests() -> Iterator[pb.StreamEvaluateClaimsRequest]:
        for i in range(400):
            sent.append(i)
            yield large  # 400 of them fit no window: what is not taken cannot be sent

    call = pb_grpc.ClaimEditServiceStub(channel).StreamEvaluateClaims(requests())
    assert held.begun.acquire(timeout=30)
    before = -1
    while before != len(sent):  # until the sender stands still
        before = len(sent)
        threading.Event().wait(0.3)
    assert len(sent) < 200
    assert held.evaluations == 1
    call.cancel()


def test_a_defect_is_told_by_its_incident_alone(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    held, channel = serve()

    def fail(*_: Any) -> Decision:
        raise ZeroDivisionError("T-1 G0247")

    held.evaluate = fail  # type: ignore[method-assign]
    stub = pb_grpc.ClaimEditServiceStub(channel)
    error = refused(lambda: stub.EvaluateClaim(request()))
    info = error_info(rich_status(error))
    incident = info.metadata["incident"]
    assert (error.code(), info.reason) == (grpc.StatusCode.INTERNAL, "DEFECT")
    assert error.details() == f"a defect of the service; incident {incident} in its log has the particulars"
    response = stub.BatchEvaluateClaims(pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim()]))
    assert response.items[0].status.code == grpc.StatusCode.INTERNAL.value[0]
    written = capfd.readouterr().err
    assert f'"incident":"{incident}","error":"ZeroDivisionError"' in written
    assert "G0247" not in written and "T-1" not in written
