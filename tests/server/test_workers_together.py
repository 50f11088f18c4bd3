"""Several workers on one port: each answers, and each takes up a changed release."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import pytest
from served import ANSWERS, Served, TwoReleases, answers, open_stub, request, serve_process

from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")

CONNECTIONS = 24
"""The kernel spreads connections by chance: that one of two workers gets none of so many does not happen."""


def test_each_worker_answers_and_takes_up_a_changed_release(two_releases: TwoReleases) -> None:
    with serve_process(two_releases.path, "--workers", "2") as served, ExitStack() as stack:
        served.log.wait_for("listening")
        stubs = [stack.enter_context(open_stub(served.address)) for _ in range(CONNECTIONS)]
        assert {answers(stub.EvaluateClaim(request())) for stub in stubs} == {ANSWERS["first"]}

        mute = []
        for worker in _workers(served):
            with _stopped(worker):
                mute.append(_unanswered(stubs))
        assert mute[0] and mute[1]
        assert sorted(mute[0] + mute[1]) == list(range(CONNECTIONS))

        began = time.monotonic()
        two_releases.activate("second")
        for _ in range(2):
            served.log.wait_for("release_active", release=two_releases.ids["second"])
        assert time.monotonic() - began < 5  # half a second, and the time to open it; the machine may be busy
        assert {answers(stub.EvaluateClaim(request())) for stub in stubs} == {ANSWERS["second"]}
        assert served.terminate() == 0


def _unanswered(stubs: Sequence[pb_grpc.ClaimEditServiceStub]) -> list[int]:
    calls = [stub.EvaluateClaim.future(request(), timeout=1.5) for stub in stubs]
    ended = [call.exception() for call in calls]
    assert {error.code() for error in ended if isinstance(error, grpc.RpcError)} <= {grpc.StatusCode.DEADLINE_EXCEEDED}
    return [i for i, error in enumerate(ended) if error is not None]


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _workers(served: Served) -> list[int]:
    pid = served.process.pid
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in children if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]
