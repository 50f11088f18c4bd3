"""Settings of the server, with safe defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What ``claim-edits serve`` may be told. Counts are for one worker."""

    store: Path
    address: str = "127.0.0.1:50051"
    """``host:port``; port 0 takes a free one, which the log names."""
    workers: int = 1
    """Processes that share the port (Linux, ``SO_REUSEPORT``). Each opens the store itself; the tables are shared pages."""
    threads: int = 4
    """Threads for calls. Streams and health checks have threads of their own."""
    streams: int = 16
    """Streams at once, each with a thread for as long as it lasts; a further one is refused with RESOURCE_EXHAUSTED."""
    concurrent_calls: int = 64
    """Calls at once, waiting ones included; a further one is refused with RESOURCE_EXHAUSTED. Health is not counted."""
    lines_per_claim: int = 1000
    """An 837I carries at most 999."""
    history_lines_per_claim: int = 5000
    claims_per_batch: int = 500
    """Claims in one batch, and in one message of a stream."""
    rows_per_table: int = 65_536
    """Rows, history lines included, in one message of ``StreamEvaluateTable``."""
    message_bytes: int = 16 * 1024 * 1024
    """Size of a message received."""
    answer_bytes: int = 64 * 1024 * 1024
    """Size of an answer about several claims. Once it is reached, the claims that are left are answered with
    RESOURCE_EXHAUSTED each. The answer about one claim is bounded by its lines: their findings name one another, and 1000
    lines in conflict with one another can fill 12 MB."""
    connection_age_seconds: int = 300
    """A connection is asked to close after so long, so that clients spread over workers and hosts."""
    balancer_wait_seconds: float = 1.0
    """How long after SIGTERM calls are still taken, while health says NOT_SERVING: balancers need a moment to see it."""
    grace_seconds: float = 10.0
    """How long calls under way may take to end after that."""
    tls_certificate: Path | None = None
    """PEM; with ``tls_key`` turns TLS on."""
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """Mutual TLS: clients must show a certificate of this authority."""
    watch_seconds: float = 0.2
    """How often the store is asked whether another release is active, and the access table whether it has changed."""
    access: Path | None = None
    """The access table. With it, whoever is not in it may do nothing but ask for health; without it, everybody may read and
    evaluate, and nobody may activate."""
    allow_plaintext_tokens: bool = False
    """Take tokens over an unencrypted port that other machines can reach: something in front of the server encrypts."""
