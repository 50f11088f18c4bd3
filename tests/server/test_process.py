"""The server as a process: signals, workers, TLS, addresses."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from served import (
    ANSWERS,
    Served,
    TwoReleases,
    answers,
    conflicting_claim,
    open_stub,
    refused,
    request,
    run_serve,
    serve_process,
    wait_until,
)

from claimedits.server.probe import check_health
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc


def test_sigterm_lets_calls_under_way_end_and_exits_with_0(shared_releases: TwoReleases) -> None:
    last = threading.Event()

    def requests() -> Iterator[pb.StreamEvaluateClaimsRequest]:
        yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()])
        assert last.wait(30)
        yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()])

    with serve_process(shared_releases.path) as served, open_stub(served.address) as stub:
        call = stub.StreamEvaluateClaims(requests())
        assert answers(next(call).items[0].result) == ANSWERS["first"]
        served.process.send_signal(signal.SIGTERM)
        served.log.wait_for("draining")
        last.set()
        assert answers(next(call).items[0].result) == ANSWERS["first"]
        assert list(call) == []
        assert served.process.wait(30) == 0
        events = [said["event"] for said in served.log.read_to_end()]
        assert events[-1] == "stopped" and "text" not in events


def test_calls_that_do_not_end_within_the_grace_are_cut(shared_releases: TwoReleases) -> None:
    never = threading.Event()

    def requests() -> Iterator[pb.StreamEvaluateClaimsRequest]:
        yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()])
        never.wait(30)

    with serve_process(shared_releases.path, "--grace-seconds", "0.2") as served, open_stub(served.address) as stub:
        call = stub.StreamEvaluateClaims(requests())
        next(call)
        assert served.terminate() == 0
        assert refused(lambda: next(call)).code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        never.set()


def test_health_says_not_serving_while_balancers_are_waited_for(shared_releases: TwoReleases) -> None:
    with (
        serve_process(shared_releases.path, "--balancer-wait-seconds", "20") as served,
        grpc.insecure_channel(served.address) as channel,
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        served.process.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert answers(pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request())) == ANSWERS["first"]
        watch.cancel()
        assert served.terminate() == 0  # a second signal hurries


def test_reflection_lists_the_services(shared_server: Served) -> None:
    with grpc.insecure_channel(shared_server.address) as channel:
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]))
    assert sorted(service.name for service in answer.list_services_response.service) == [
        "claimedits.v1.ClaimEditService",
        "claimedits.v1.RuleSetService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    ]


def test_a_taken_address_is_told(shared_server: Served, shared_releases: TwoReleases) -> None:
    for workers in ("1", "2"):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            ended = run_serve("--store", str(shared_releases.path), "--address", address, "--workers", workers)
        assert ended.returncode == 2
        assert f"{address}: cannot listen there" in ended.stderr


def test_a_path_that_is_no_store_is_told(tmp_path: Path) -> None:
    for workers in ("1", "2"):
        ended = run_serve("--store", str(tmp_path), "--address", "127.0.0.1:0", "--workers", workers)
        assert ended.returncode == 2
        assert str(tmp_path) in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")
def test_a_worker_that_dies_is_replaced_and_all_drain_together(shared_releases: TwoReleases) -> None:
    with serve_process(shared_releases.path, "--workers", "2") as served:
        served.log.wait_for("listening")
        children = _children(served.process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        served.log.wait_for("worker_died", worker=children[0], exit_code=-signal.SIGKILL)
        served.log.wait_for("listening")
        assert len(_children(served.process.pid)) == 2
        for _ in range(8):
            with open_stub(served.address) as stub:
                assert answers(stub.EvaluateClaim(request())) == ANSWERS["first"]
        assert served.terminate() == 0
        events = [said["event"] for said in served.log.read_to_end()]
        assert events.count("stopped") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")
def test_workers_do_not_outlive_their_supervisor(shared_releases: TwoReleases) -> None:
    with serve_process(shared_releases.path, "--workers", "2") as served:
        served.log.wait_for("listening")
        children = _children(served.process.pid)
        served.process.kill()
        served.process.wait(30)
        wait_until(lambda: not any(Path(f"/proc/{child}").exists() and _runs(child) for child in children))


def test_tls_and_mutual_tls(shared_releases: TwoReleases, certificates: Path) -> None:
    files = {name: certificates / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")}
    tls = ("--tls-cert", str(files["server.pem"]), "--tls-key", str(files["server.key"]))
    trust = files["ca.pem"].read_bytes()
    shown = (files["client.key"].read_bytes(), files["client.pem"].read_bytes())
    with serve_process(shared_releases.path, *tls) as served:
        with grpc.secure_channel(served.address, grpc.ssl_channel_credentials(trust)) as channel:
            assert answers(pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request())) == ANSWERS["first"]
        assert check_health(served.address, tls_ca=files["ca.pem"]) == (True, "SERVING")
        assert not check_health(served.address)[0]
    with serve_process(shared_releases.path, *tls, "--tls-client-ca", str(files["ca.pem"])) as served:
        with grpc.secure_channel(served.address, grpc.ssl_channel_credentials(trust, *shown)) as channel:
            assert answers(pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request())) == ANSWERS["first"]
        with grpc.secure_channel(served.address, grpc.ssl_channel_credentials(trust)) as channel:
            error = refused(lambda: pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request()))
            assert error.code() is grpc.StatusCode.UNAVAILABLE
        probe = check_health(
            served.address, tls_ca=files["ca.pem"], tls_certificate=files["client.pem"], tls_key=files["client.key"]
        )
        assert probe == (True, "SERVING")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--tls-cert", "server.pem"), "TLS needs both --tls-cert and --tls-key"),
        (("--tls-client-ca", "ca.pem"), "a client authority asks for TLS: name --tls-cert and --tls-key too"),
    ],
)
def test_half_of_tls_is_refused(
    shared_releases: TwoReleases, certificates: Path, given: tuple[str, str], told: str
) -> None:
    store = ("--store", str(shared_releases.path), "--address", "127.0.0.1:0")
    ended = run_serve(*store, given[0], str(certificates / given[1]))
    assert ended.returncode == 2
    assert told in ended.stderr


def _children(pid: int) -> list[int]:
    """Workers of a process: its children, but for the tracker of shared memory that the standard library starts."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
