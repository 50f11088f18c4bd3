"""Asks a server for its health, as a container's probe does."""

from __future__ import annotations

from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def check_health(
    address: str,
    service: str = "",
    timeout: float = 2.0,
    tls_ca: Path | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
) -> tuple[bool, str]:
    """Whether the server serves, and its word or why none came."""
    if tls_ca is not None:
        credentials = grpc.ssl_channel_credentials(
            tls_ca.read_bytes(),
            tls_key.read_bytes() if tls_key else None,
            tls_certificate.read_bytes() if tls_certificate else None,
        )
        channel = grpc.secure_channel(address, credentials)
    else:
        channel = grpc.insecure_channel(address)
    with channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout
            )
        except grpc.RpcError as error:
            return False, f"{error.code().name}: {error.details()}"
    word = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return answer.status == health_pb2.HealthCheckResponse.SERVING, word
