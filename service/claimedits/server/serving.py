"""One worker: a gRPC server over an engine host, with health, reflection, TLS and draining."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from concurrent import futures
from queue import Empty, SimpleQueue

import grpc
from grpc_health.v1 import health, health_pb2_grpc

from claimedits.app.engine_host import EngineHost
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store
from claimedits.server.access_watch import AccessWatch
from claimedits.server.activation_handlers import ActivationHandlers
from claimedits.server.admission import CallPool, Service
from claimedits.server.authorization import Gate
from claimedits.server.call_log import write_log
from claimedits.server.claim_edit_handlers import ClaimEditHandlers
from claimedits.server.comparison_handlers import ComparisonHandlers
from claimedits.server.health import CLAIM_EDITS, RULE_SETS, Health
from claimedits.server.reflection import enable_reflection
from claimedits.server.rule_set_handlers import RuleSetHandlers
from claimedits.server.settings import ServerSettings
from claimedits.server.table_handlers import TableHandlers

_PROBE_THREADS = 8
"""For health checks, reflection and refusals."""


class Worker:
    """A server under way. ``start`` opens the port, ``drain`` ends calls and closes it."""

    def __init__(self, settings: ServerSettings) -> None:
        """
        Raises:
            ClaimEditsError: the store, a certificate or the access table cannot be read.
        """
        self._settings = settings
        self._credentials = read_credentials(settings)
        self._access = AccessWatch(settings)
        self._health = Health(tells_problem=settings.access is None)
        self._host = EngineHost(Store.open(settings.store), self._on_change)
        self._server = self._make_server()
        self.port = 0

    @property
    def host(self) -> EngineHost:
        """The engines that answer."""
        return self._host

    def start(self) -> int:
        """Open the release and the port; the port, which the system chose where the settings say 0.

        Raises:
            ClaimEditsError: the address cannot be bound.
        """
        self._host.refresh()
        # What was opened lives as long as the process: keep the collector from walking it at every turn.
        gc.collect()
        gc.freeze()
        self.port = self._bind()
        self._server.start()
        self._host.watch(self._settings.watch_seconds)
        self._access.watch(self._settings.watch_seconds)
        write_log(
            event="listening",
            address=f"{self._settings.address.rpartition(':')[0]}:{self.port}",
            release=self._host.serving_release,
            problem=self._host.problem,
        )
        return self.port

    def drain(self, balancer_wait: Callable[[float], object] = lambda seconds: None) -> None:
        """NOT_SERVING, a moment for balancers to see it, then let calls under way end within the grace."""
        self._health.enter_graceful_shutdown()
        write_log(event="draining", grace_seconds=self._settings.grace_seconds)
        balancer_wait(self._settings.balancer_wait_seconds)
        self._host.stop()
        self._access.stop()
        # A call that was cut may leave its thread waiting inside gRPC: the grace and a moment more is all it gets.
        self._server.stop(self._settings.grace_seconds).wait(self._settings.grace_seconds + 2.0)
        write_log(event="stopped")

    def run_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain. A second signal, or SIGINT, does not wait for balancers."""
        # A handler runs in the thread that waits: a lock that it holds would wait for itself, this queue has none.
        came: SimpleQueue[int] = SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: came.put(number))
        self.start()
        hurry = came.get() == signal.SIGINT

        def wait_for_balancers(seconds: float) -> None:
            try:
                came.get(timeout=0 if hurry else seconds)
            except Empty:
                pass

        self.drain(wait_for_balancers)
        _end_process()

    def _bind(self) -> int:
        address = self._settings.address
        try:
            if self._credentials:
                return self._server.add_secure_port(address, self._credentials)
            return self._server.add_insecure_port(address)
        except RuntimeError as error:
            keys = ", or make the certificate and the key fit together" if self._credentials else ""
            raise ClaimEditsError(f"{address}: cannot listen there; choose another address or port{keys}") from error

    def _make_server(self) -> grpc.Server:
        settings = self._settings
        pools = (
            CallPool("concurrent_calls", settings.threads, settings.concurrent_calls),
            CallPool("streams", settings.streams, settings.streams),
        )
        gate, size = Gate(self._access.table), settings.message_bytes
        claim_edits = (ClaimEditHandlers(self._host, settings), TableHandlers(self._host, settings))
        rule_sets = (RuleSetHandlers(self._host), ActivationHandlers(self._host), ComparisonHandlers(self._host))
        server = grpc.server(
            futures.ThreadPoolExecutor(_PROBE_THREADS, thread_name_prefix="probe"),
            handlers=[
                Service(CLAIM_EDITS, claim_edits, pools, size, gate),
                Service(RULE_SETS, rule_sets, pools, size, gate),
            ],
            # Refused before it is read, and without particulars: only what is far beyond the limits comes to this.
            maximum_concurrent_rpcs=2 * (settings.concurrent_calls + settings.streams) + _PROBE_THREADS,
            options=[
                ("grpc.max_receive_message_length", 2 * settings.message_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 1 if settings.workers > 1 else 0),
                ("grpc.max_connection_age_ms", settings.connection_age_seconds * 1000),
                ("grpc.max_connection_age_grace_ms", max(1000, int(settings.grace_seconds * 1000))),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        enable_reflection((CLAIM_EDITS.full_name, RULE_SETS.full_name, health.SERVICE_NAME), server, gate)
        return server

    def _on_change(self, release: str, problem: str) -> None:
        self._health.tell(release, problem)  # first: who reads the log may ask for health at once
        write_log(event="release_failed" if problem else "release_active", release=release, problem=problem)


def read_credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """TLS as the settings ask for it; None = plain text.

    Raises:
        ClaimEditsError: a part is missing, or a file cannot be read.
    """
    certificate, key, authority = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
    if certificate is None and key is None:
        if authority is not None:
            raise ClaimEditsError("a client authority asks for TLS: name --tls-cert and --tls-key too")
        return None
    if certificate is None or key is None:
        raise ClaimEditsError("TLS needs both --tls-cert and --tls-key")
    try:
        pair = (key.read_bytes(), certificate.read_bytes())
        roots = authority.read_bytes() if authority else None
    except OSError as error:
        raise ClaimEditsError(f"{error.filename}: cannot be read ({error.strerror})") from error
    return grpc.ssl_server_credentials([pair], root_certificates=roots, require_client_auth=roots is not None)


def _end_process() -> None:
    """Exit 0 now: the interpreter's own way out would wait for threads of calls that were cut."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads any more
    os._exit(0)
