"""Asks a server for its health, as a container's probe does."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from claimedits.server.health import PROBLEM_KEY


def check_health(
    address: str,
    service: str = "",
    timeout: float = 2.0,
    tls_ca: Path | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
) -> tuple[bool, str]:
    """Whether the server serves, and its word (with what is amiss) or why none came. ``timeout`` is in seconds."""
    with _open_channel(address, tls_ca, tls_certificate, tls_key) as channel:
        try:
            answer, ended = health_pb2_grpc.HealthStub(channel).Check.with_call(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout
            )
        except grpc.RpcError as error:
            return False, f"{error.code().name}: {error.details()}"
    word = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    problem = "".join(unquote(value) for key, value in ended.trailing_metadata() if key == PROBLEM_KEY)
    return answer.status == health_pb2.HealthCheckResponse.SERVING, f"{word}: {problem}" if problem else word


def _open_channel(
    address: str, tls_ca: Path | None, tls_certificate: Path | None, tls_key: Path | None
) -> grpc.Channel:
    if tls_ca is None:
        return grpc.insecure_channel(address)
    credentials = grpc.ssl_channel_credentials(
        tls_ca.read_bytes(),
        tls_key.read_bytes() if tls_key else None,
        tls_certificate.read_bytes() if tls_certificate else None,
    )
    return grpc.secure_channel(address, credentials)
