"""Settings of the server, with safe defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What ``claim-edits serve`` may be told."""

    store: Path
    address: str = "127.0.0.1:50051"
    """``host:port``; port 0 takes a free one, which the log names."""
    workers: int = 1
    """Processes that share the port (Linux, ``SO_REUSEPORT``). Each opens the store itself; the tables are shared pages."""
    threads: int = 16
    """Threads a worker. A stream holds one for as long as it lasts."""
    streams: int = 8
    """Streams a worker serves at once; fewer than ``threads``, so that calls and health checks are never starved."""
    concurrent_calls: int = 256
    """Calls a worker holds at once, waiting ones included; a further one is refused with RESOURCE_EXHAUSTED."""
    lines_per_claim: int = 1000
    """An 837I carries at most 999."""
    history_lines_per_claim: int = 5000
    claims_per_batch: int = 500
    """Claims in one batch, and in one message of a stream."""
    message_bytes: int = 16 * 1024 * 1024
    """Size of a message, in and out."""
    connection_age_seconds: int = 300
    """A connection is asked to close after so long, so that clients spread over workers and hosts."""
    grace_seconds: float = 10.0
    """How long calls under way may take to end after SIGTERM."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """Mutual TLS: clients must show a certificate of this authority."""
    watch_seconds: float = 0.5
    """How often the store is asked whether another release is active."""
