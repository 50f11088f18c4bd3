"""One worker: a gRPC server over an engine host, with health, reflection, TLS and draining."""

from __future__ import annotations

import gc
import signal
import threading
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from claimedits.app.engine_host import EngineHost
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store
from claimedits.server.call_log import write_log
from claimedits.server.calls import add_service
from claimedits.server.claim_edit_handlers import ClaimEditHandlers
from claimedits.server.rule_set_handlers import RuleSetHandlers
from claimedits.server.settings import ServerSettings
from claimedits.v1 import claim_edit_service_pb2, rule_set_service_pb2

CLAIM_EDITS = claim_edit_service_pb2.DESCRIPTOR.services_by_name["ClaimEditService"]
RULE_SETS = rule_set_service_pb2.DESCRIPTOR.services_by_name["RuleSetService"]


class Worker:
    """A server under way. ``start`` opens the port, ``drain`` ends calls and closes it."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._health = health.HealthServicer(experimental_non_blocking=True)
        self._host = EngineHost(Store.open(settings.store), self._on_change)
        self._server = self._make_server()
        self.port = 0

    @property
    def host(self) -> EngineHost:
        return self._host

    def start(self) -> int:
        """Open the release and the port; the port, which the system chose where the settings say 0.

        Raises:
            ClaimEditsError: the address cannot be bound, or a certificate cannot be read.
        """
        self._tell_health()
        self._host.refresh()
        # What was opened lives as long as the process: keep the collector from walking it at every turn.
        gc.collect()
        gc.freeze()
        credentials = _credentials(self._settings)
        try:
            address = self._settings.address
            self.port = (
                self._server.add_secure_port(address, credentials)
                if credentials
                else self._server.add_insecure_port(address)
            )
        except RuntimeError as error:
            raise ClaimEditsError(
                f"{self._settings.address}: cannot listen there; choose another address or port"
            ) from error
        self._server.start()
        self._host.watch(self._settings.watch_seconds)
        write_log(
            event="listening", address=f"{self._settings.address.rpartition(':')[0]}:{self.port}", release=self._host.serving_release,
            problem=self._host.problem,
        )  # fmt: skip
        return self.port

    def drain(self) -> None:
        """NOT_SERVING, then let calls under way end within the grace."""
        self._health.enter_graceful_shutdown()
        self._host.stop()
        write_log(event="draining", grace_seconds=self._settings.grace_seconds)
        self._server.stop(self._settings.grace_seconds).wait()
        write_log(event="stopped")

    def run_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        self.start()
        stopped.wait()
        self.drain()

    def _make_server(self) -> grpc.Server:
        settings = self._settings
        server = grpc.server(
            futures.ThreadPoolExecutor(settings.threads, thread_name_prefix="call"),
            maximum_concurrent_rpcs=settings.concurrent_calls,
            options=[
                ("grpc.max_receive_message_length", settings.message_bytes),
                ("grpc.max_send_message_length", settings.message_bytes),
                ("grpc.so_reuseport", 1 if settings.workers > 1 else 0),
                ("grpc.max_connection_age_ms", settings.connection_age_seconds * 1000),
                ("grpc.max_connection_age_grace_ms", int(settings.grace_seconds * 1000)),
                ("grpc.keepalive_time_ms", 60_000),
            ],
        )
        add_service(server, CLAIM_EDITS, ClaimEditHandlers(self._host, settings))
        add_service(server, RULE_SETS, RuleSetHandlers(self._host))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (CLAIM_EDITS.full_name, RULE_SETS.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        return server

    def _on_change(self, release: str, problem: str) -> None:
        write_log(event="release_failed" if problem else "release_active", release=release, problem=problem)
        self._tell_health()

    def _tell_health(self) -> None:
        """Per service: SERVING once a release answers; the rule sets can be read before that."""
        ready = (
            health_pb2.HealthCheckResponse.SERVING
            if self._host_is_ready()
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in ("", CLAIM_EDITS.full_name):
            self._health.set(name, ready)
        self._health.set(RULE_SETS.full_name, health_pb2.HealthCheckResponse.SERVING)

    def _host_is_ready(self) -> bool:
        host: EngineHost | None = getattr(self, "_host", None)
        return host is not None and host.is_ready


def _credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    if settings.tls_certificate is None and settings.tls_key is None:
        if settings.tls_client_ca is not None:
            raise ClaimEditsError("a client authority asks for TLS: name --tls-cert and --tls-key too")
        return None
    if settings.tls_certificate is None or settings.tls_key is None:
        raise ClaimEditsError("TLS needs both --tls-cert and --tls-key")
    authority = settings.tls_client_ca.read_bytes() if settings.tls_client_ca else None
    pair = (settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())
    return grpc.ssl_server_credentials([pair], root_certificates=authority, require_client_auth=authority is not None)
