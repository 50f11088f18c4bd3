"""A server elsewhere: where it is, how its certificate is trusted, and what this client shows of itself."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from claimedits.app.private_files import check_private
from claimedits.model.problems import ClaimEditsError, ProblemsError

MOST_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """Where to call, and as whom."""

    address: str
    """``host:port``."""
    tls_ca: Path | None = None
    """Authority of the server's certificate, PEM; without it the call is not encrypted."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    """The certificate that this client shows, and its key, PEM."""
    token: str = ""
    allow_plaintext_tokens: bool = False
    """Send the token unencrypted to another machine."""

    def open_channel(self) -> grpc.Channel:
        """A channel to the server.

        Raises:
            ClaimEditsError: half a certificate, a file that cannot be read, or a token that would go out unencrypted.
        """
        # An answer is far longer than its claims: a group of them goes beyond the 4 MB that gRPC takes by default.
        options = [("grpc.max_receive_message_length", -1)]
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ClaimEditsError("a client certificate needs both --tls-cert and --tls-key")
        if self.tls_ca is None:
            if self.tls_certificate is not None:
                raise ClaimEditsError("a client certificate asks for TLS: name the server's authority with --tls-ca")
            if self.token and not (self.allow_plaintext_tokens or is_this_machine(self.address)):
                raise ClaimEditsError(
                    f"{self.address}: the token would be sent unencrypted, for anybody on the way to read; "
                    "name the server's authority with --tls-ca, or say --allow-plaintext-tokens"
                )
            channel = grpc.insecure_channel(self.address, options)
        else:
            files = [path.read_bytes() if path else None for path in (self.tls_ca, self.tls_key, self.tls_certificate)]
            channel = grpc.secure_channel(self.address, grpc.ssl_channel_credentials(*files), options)
        return grpc.intercept_channel(channel, _Bearer(self.token)) if self.token else channel

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns a call that failed into a ``ClaimEditsError``: the server, the code, and what the server said."""
        try:
            yield
        except grpc.RpcError as error:
            raise ClaimEditsError(f"{self.address}: {error.code().name}: {error.details()}") from error


def read_token(path: Path) -> str:
    """The token in a file, without the blanks around it.

    Raises:
        ProblemsError: others may read the file.
        ClaimEditsError: it holds no token. The message does not repeat what it holds.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        problems = list(check_private(path, os.fstat(file.fileno())))
        content = file.read(MOST_TOKEN + 1)
    if problems:
        raise ProblemsError(problems)
    token = content.decode("ascii", "replace").strip()
    if not token or len(content) > MOST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ClaimEditsError(f"{path}: holds no single token; write one line, as 'claim-edits access token' gives it")
    return token


def is_this_machine(address: str) -> bool:
    """Whether ``host:port`` is reached without leaving this machine."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Sends the token with each call: gRPC's own call credentials refuse an unencrypted channel, this machine's too."""

    def __init__(self, token: str) -> None:
        self._sent = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        return continuation(self._with_token(details), request)

    def intercept_stream_stream(self, continuation: Callable[..., Any], details: Any, requests: Iterable[Any]) -> Any:
        return continuation(self._with_token(details), requests)

    def _with_token(self, details: Any) -> _Details:
        metadata = [*(details.metadata or ()), self._sent]
        return _Details(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )
