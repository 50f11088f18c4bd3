"""A store of two releases that answer differently, a real server process, and calls to it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import orjson
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from releases import RULES, aoc_row, drafts_of_rows, line, mue_row, ptp_row
from releases import claim as claim_fields

from claimedits.app.access import Role
from claimedits.app.access_tables import table_lines
from claimedits.app.claim_messages import message_from_fields
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc
from claimedits.v1 import claim_pb2

WITHIN = 30.0
"""Seconds after which something that was waited for has not happened. No test takes as long."""

ANSWERS = {"first": ("1", "2"), "second": ("0", "3")}
"""Modifier indicator and MUE value that the two releases answer with: no answer may mix them."""

SERVE = (sys.executable, "-m", "claimedits.cli.main", "serve")

CONVENTIONS = (RULES / "ncci-conventions", RULES / "duplicates")


@dataclass
class TwoReleases:
    """A store on disk. The release ``first`` is active at the outset."""

    path: Path
    ids: dict[str, str]
    revisions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return Store.open(self.path)

    def activate(self, name: str) -> None:
        self.store.activate(self.ids[name], "a tester", "a test")


def make_two_releases(path: Path, *, active: bool = True) -> TwoReleases:
    store = Store.open(path, create=True)
    shared = [store.add_revision(compile_table_rules(rules))[0].id for rules in CONVENTIONS]
    ids, revisions = {}, {}
    for name, (indicator, value) in ANSWERS.items():
        rows = [ptp_row("G0247", "G0127", indicator), mue_row("J1100", int(value), "2"), aoc_row("G2211", "G0402")]
        own = [store.add_revision(draft)[0].id for draft in drafts_of_rows(rows)]
        revisions[name] = own
        ids[name] = store.create_release([*shared, *own], name).id
    if active:
        store.activate(ids["first"], "a tester")
    return TwoReleases(path, ids, revisions)


def conflicting_claim(**parts: Any) -> claim_pb2.Claim:
    """Three lines: a pair in conflict, and 9 units over a value of 2 or 3."""
    lines = (line(1, "G0247"), line(2, "G0127"), line(3, "J1100", units="9"))
    return message_from_fields(claim_fields(*lines, **parts))


def request(**options: Any) -> pb.EvaluateClaimRequest:
    return pb.EvaluateClaimRequest(claim=conflicting_claim(), **options)


def answers(response: pb.EvaluateClaimResponse) -> tuple[str, str]:
    """What ``ANSWERS`` holds, as this answer has it."""
    indicators = [f.detail.ptp.modifier_indicator for f in response.findings if f.code == "PTP_CONFLICT"]
    values = [str(f.detail.mue.value) for f in response.findings if f.code == "MUE_EXCEEDED"]
    assert len(indicators) == len(values) == 1, response
    return indicators[0], values[0]


class Log:
    """The JSON lines that a server writes, as they come."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.lines: list[dict[str, Any]] = []
        self._coming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for said in process.stderr:
            self._coming.put(orjson.loads(said) if said.startswith(b"{") else {"event": "text", "text": said.decode()})
        self._coming.put(None)

    def wait_for(self, event: str, **parts: Any) -> dict[str, Any]:
        """The next line of an event, with these parts. Lines before it are kept in ``lines``."""
        deadline = time.monotonic() + WITHIN
        while True:
            try:
                said = self._coming.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event} {parts} in {self.lines}") from None
            if said is None:
                self._coming.put(None)
                raise AssertionError(f"the server ended without {event} {parts}: {self.lines}")
            self.lines.append(said)
            if said.get("event") == event and all(said.get(key) == value for key, value in parts.items()):
                return said

    def read_to_end(self) -> list[dict[str, Any]]:
        """Every line, once the process has ended."""
        self._reader.join(WITHIN)
        while (said := self._coming.get(timeout=WITHIN)) is not None:
            self.lines.append(said)
        self._coming.put(None)
        return self.lines


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    address: str
    log: Log

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WITHIN)


@contextmanager
def serve_process(store: Path, *arguments: str) -> Iterator[Served]:
    """``claim-edits serve`` in a process of its own, on a free port."""
    command = [*SERVE, "--store", str(store), "--address", "127.0.0.1:0", "--balancer-wait-seconds", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=_environment())
    log = Log(process)
    try:
        yield Served(process, log.wait_for("listening")["address"], log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        log.read_to_end()
        assert process.stderr is not None
        process.stderr.close()


def run_serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``claim-edits serve`` where it is to end by itself."""
    return subprocess.run([*SERVE, *arguments], env=_environment(), capture_output=True, text=True, timeout=60)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "service")}


TOKENS = {name: f"claimedits_{name}-{30 * 'x'}" for name in ("ada", "eve", "bob", "both")}
"""Tokens of the callers of ``write_access``: an administrator, one who evaluates, one who reads, one who does both."""
ROLES = {
    "ada": ["administrator"],
    "eve": ["evaluate"],
    "bob": ["read"],
    "both": ["read", "evaluate"],
}


def write_access(path: Path, *, without: Sequence[str] = (), more: str = "") -> Path:
    """An access table of the callers of ``TOKENS``."""
    lines = [
        table_lines(name, [Role(role) for role in roles], [TOKENS[name]])
        for name, roles in ROLES.items()
        if name not in without
    ]
    beside = path.with_suffix(".new")
    beside.write_text("\n".join(lines) + more, encoding="utf-8")
    beside.chmod(0o600)
    beside.replace(path)
    return path


def bearer(name: str) -> tuple[tuple[str, str], ...]:
    """The metadata that a caller sends."""
    return (("authorization", f"Bearer {TOKENS[name]}"),)


@contextmanager
def open_stub(address: str) -> Iterator[pb_grpc.ClaimEditServiceStub]:
    # A subchannel of its own for each: workers share a port by connection.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(address, options=options) as channel:
        yield pb_grpc.ClaimEditServiceStub(channel)


def refused(call: Callable[[], Any]) -> grpc.RpcError:
    """The error that a call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call was answered")


def rich_status(error: grpc.RpcError) -> status_pb2.Status:
    status = rpc_status.from_call(error)
    assert status is not None, error
    return status


def detail_of(status: status_pb2.Status, kind: type[Message]) -> Any:
    """The detail of a kind that a status carries."""
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    raise AssertionError(f"no {kind.DESCRIPTOR.name} in {status}")


def error_info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    info = detail_of(status, error_details_pb2.ErrorInfo)
    assert info.domain == "claimedits"
    return info


def violations(status: status_pb2.Status) -> list[tuple[str, str]]:
    return [(v.field, v.description) for v in detail_of(status, error_details_pb2.BadRequest).field_violations]


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask until it is so; a state of another process has no event to wait on."""
    deadline = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < deadline, "it has not come about"
        threading.Event().wait(0.02)
