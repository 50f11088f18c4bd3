"""The server's part of ``claim-edits bench``: calls and claims a second beside a server that answers with a constant, and memory."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from claimedits.app.claim_messages import message_from_fields
from claimedits.cli.server_process import run_server
from claimedits.model.terms import Family
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc

ROUNDS = 5
NCCI = sorted((Family.DUPLICATE, Family.PTP, Family.MUE, Family.ADD_ON_CODE))


def measure_server(path: Path, fields: Sequence[dict[str, Any]], row: Callable[..., Any]) -> Iterator[Any]:
    """Rows for unary calls, batches, and the memory of one more worker."""
    claims = [message_from_fields(claim) for claim in fields[:500]]
    requests = [
        pb.EvaluateClaimRequest(claim=claim, as_of="2024-08-20", families=[int(f) for f in NCCI])  # type: ignore[misc]
        for claim in claims
    ]
    batches = [
        pb.BatchEvaluateClaimsRequest(claims=claims[i : i + 100], as_of="2024-08-20", families=[int(f) for f in NCCI])  # type: ignore[misc]
        for i in range(0, len(claims) - 99, 100)
    ] or [pb.BatchEvaluateClaimsRequest(claims=claims, as_of="2024-08-20", families=[int(f) for f in NCCI])]  # type: ignore[misc]
    with run_server(path) as address, _constant_server(requests[0], address) as constant:
        # Turn by turn, so that a machine that slows down slows both.
        ours, theirs = _rates(address, constant, lambda stub: [stub.EvaluateClaim(r) for r in requests], len(requests))
        yield row(
            "unary calls a second",
            f"{ours:,.0f}",
            f"constant answer: {theirs:,.0f}",
            f"{ours / theirs:.2f}",
            "≥ 0.6",
            ours / theirs >= 0.6,
        )
        many = sum(len(batch.claims) for batch in batches)
        ours, theirs = _rates(address, constant, lambda stub: [stub.BatchEvaluateClaims(b) for b in batches], many)
        yield row(
            "claims a second in batches of 100", f"{ours:,.0f}", f"constant answers: {theirs:,.0f}", f"{ours / theirs:.2f}",
            "≥ 8,000", ours >= 8000,
        )  # fmt: skip
    one, two = _private_memory(path, 1, claims), _private_memory(path, 2, claims)
    more = two - one
    yield row(
        "private memory of one more worker", f"{more / 1e6:.0f} MB", f"one worker: {one / 1e6:.0f} MB", f"{more / one:.2f}",
        "≤ 150 MB", more <= 150e6,
    )  # fmt: skip


def _rates(
    address: str, constant: str, call: Callable[[pb_grpc.ClaimEditServiceStub], object], count: int
) -> tuple[float, float]:
    """Medians of calls (or claims) a second, for the server and for the constant one."""
    rates: tuple[list[float], list[float]] = ([], [])
    with grpc.insecure_channel(address) as one, grpc.insecure_channel(constant) as other:
        stubs = (pb_grpc.ClaimEditServiceStub(one), pb_grpc.ClaimEditServiceStub(other))
        for stub in stubs:
            call(stub)
        for _ in range(ROUNDS):
            for stub, found in zip(stubs, rates, strict=True):
                start = time.perf_counter()
                call(stub)
                found.append(count / (time.perf_counter() - start))
    return statistics.median(rates[0]), statistics.median(rates[1])


class _Constant(pb_grpc.ClaimEditServiceServicer):
    """Answers every claim with the same message, made once: what gRPC itself costs."""

    def __init__(self, answer: pb.EvaluateClaimResponse) -> None:
        self._answer = answer
        self._item = pb.EvaluationItem(result=answer)

    def EvaluateClaim(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer

    def StreamEvaluateClaims(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        raise AssertionError("the benchmark opens no stream here")

    def StreamEvaluateTable(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        raise AssertionError("the benchmark opens no stream here")

    def BatchEvaluateClaims(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.BatchEvaluateClaimsResponse(items=[self._item] * len(request.claims))


@contextmanager
def _constant_server(request: pb.EvaluateClaimRequest, address: str) -> Iterator[str]:
    """A server of the same threads in a process of its own, which answers with a real answer of the server measured."""
    with grpc.insecure_channel(address) as channel:
        answer = pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request)
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_serve_constant, args=(answer.SerializeToString(), send), daemon=True)
    process.start()
    try:
        yield f"127.0.0.1:{receive.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _serve_constant(answer: bytes, send: Any) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(16))
    servicer = _Constant(pb.EvaluateClaimResponse.FromString(answer))
    pb_grpc.add_ClaimEditServiceServicer_to_server(servicer, server)
    send.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


def _private_memory(path: Path, workers: int, claims: Sequence[Any]) -> int:
    """Private bytes of all server processes after claims were answered; 0 where the system does not tell."""
    before = _python_children()
    with run_server(path, ["--workers", str(workers)] if workers > 1 else []) as address:
        for _ in range(4 * workers):  # a connection each, so that the port's balance reaches every worker
            with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                stub = pb_grpc.ClaimEditServiceStub(channel)
                stub.BatchEvaluateClaims(pb.BatchEvaluateClaimsRequest(claims=claims[:100], as_of="2024-08-20"))
        return sum(_private_bytes(pid) for pid in _python_children() - before)


def _python_children() -> set[int]:
    """Processes below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below: set[int] = {os.getpid()}
    found: set[int] = set()
    while below:
        below = {pid for pid, parent in parents.items() if parent in below} - found
        found |= below
    return found


def _private_bytes(pid: int) -> int:
    try:
        lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
