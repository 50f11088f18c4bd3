"""Options of the commands that ask a server. gRPC is imported only where one is asked."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TOKEN_VARIABLE = "CLAIMEDITS_TOKEN"

_OPTIONS = (
    click.option("--server", metavar="HOST:PORT", help="Ask this server instead of doing it in process."),
    click.option(
        "--token-file",
        type=click.Path(exists=True, path_type=Path),
        help=f"The bearer token to show to the server; without it, that in {TOKEN_VARIABLE}, if any.",
    ),
    click.option(
        "--tls-ca", type=_FILE, help="Authority of the server's certificate, PEM; without it nothing is encrypted."
    ),
    click.option("--tls-cert", "tls_certificate", type=_FILE, help="Certificate to show to the server, PEM."),
    click.option("--tls-key", type=_FILE, help="Key of that certificate, PEM."),
    click.option("--allow-plaintext-tokens", is_flag=True, help="Send the token unencrypted to another machine."),
)


def remote_options(function: F) -> F:
    """Adds the options; the command gets ``server``: a ``RemoteServer``, or None without --server."""

    @functools.wraps(function)
    def run(
        *args: Any,
        server: str | None,
        token_file: Path | None,
        tls_ca: Path | None,
        tls_certificate: Path | None,
        tls_key: Path | None,
        allow_plaintext_tokens: bool,
        **kwargs: Any,
    ) -> Any:
        given = any((token_file, tls_ca, tls_certificate, tls_key, allow_plaintext_tokens))
        if server is None and given:
            raise click.UsageError("tokens and certificates are for a server: name it with --server")
        remote = None
        if server is not None:
            from claimedits.app.remote_server import RemoteServer, read_token

            token = read_token(token_file) if token_file else os.environ.get(TOKEN_VARIABLE, "").strip()
            remote = RemoteServer(server, tls_ca, tls_certificate, tls_key, token, allow_plaintext_tokens)
        return function(*args, server=remote, **kwargs)

    decorated: Any = run
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
