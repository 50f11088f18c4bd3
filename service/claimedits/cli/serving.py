"""``claim-edits serve`` and ``claim-edits healthcheck``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, store_option
from claimedits.server.settings import ServerSettings

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DEFAULTS = {field.name: field.default for field in fields(ServerSettings)}


def _number(flag: str, name: str, least: int, text: str) -> Callable[[F], F]:
    return click.option(flag, name, type=click.IntRange(least), default=_DEFAULTS[name], show_default=True, help=text)


@click.command()
@store_option
@click.option(
    "--address",
    default=_DEFAULTS["address"],
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; port 0 takes a free one.",
)
@_number("--workers", "workers", 1, "Processes that share the port (Linux).")
@_number("--threads", "threads", 1, "Threads for calls, a worker.")
@_number("--streams", "streams", 1, "Streams a worker serves at once.")
@_number("--concurrent-calls", "concurrent_calls", 2, "Calls a worker holds at once.")
@_number("--lines-per-claim", "lines_per_claim", 1, "Lines of a claim.")
@_number("--history-lines-per-claim", "history_lines_per_claim", 0, "History lines of a claim.")
@_number("--claims-per-batch", "claims_per_batch", 1, "Claims in a batch or a stream's message.")
@_number("--rows-per-table", "rows_per_table", 1, "Rows of a table in a stream's message.")
@_number("--message-bytes", "message_bytes", 1024, "Size of a message.")
@_number("--answer-bytes", "answer_bytes", 1024, "Size of an answer about several claims.")
@_number("--connection-age-seconds", "connection_age_seconds", 1, "Age at which a connection is asked to close.")
@click.option(
    "--balancer-wait-seconds",
    type=click.FloatRange(0),
    default=_DEFAULTS["balancer_wait_seconds"],
    show_default=True,
    help="After SIGTERM, time for balancers to see NOT_SERVING before calls are refused.",
)
@click.option(
    "--grace-seconds",
    type=click.FloatRange(0),
    default=_DEFAULTS["grace_seconds"],
    show_default=True,
    help="Time for calls under way after SIGTERM.",
)
@click.option("--tls-cert", "tls_certificate", type=_FILE, help="Certificate of the server, PEM.")
@click.option("--tls-key", type=_FILE, help="Key of the certificate, PEM.")
@click.option("--tls-client-ca", type=_FILE, help="Mutual TLS: authority of the clients' certificates, PEM.")
@click.option(
    "--access",
    type=_FILE,
    envvar="CLAIMEDITS_ACCESS",
    show_envvar=True,
    help="Table of who may call, TOML; without it everybody may read and evaluate, and nobody may activate.",
)
@click.option(
    "--allow-plaintext-tokens",
    is_flag=True,
    help="Take tokens over an unencrypted port that other machines reach: something in front encrypts.",
)
@command_errors
def serve(store_path: Path, **options: Any) -> None:
    """Serves claims over gRPC from the active release of a store.

    \b
    Example:
      claim-edits serve --store store --address 0.0.0.0:50051 --workers 2
    """
    from claimedits.server.workers import serve as run

    host, _, port = str(options["address"]).rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter("write it as HOST:PORT, as in 127.0.0.1:50051", param_hint="--address")
    sys.exit(run(ServerSettings(store=store_path, **options)))


@click.command()
@click.argument("address", metavar="HOST:PORT", default="localhost:50051")
@click.option("--service", default="", help="A service by its full name; the whole server by default.")
@click.option("--timeout", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Seconds.")
@click.option("--tls-ca", type=_FILE, help="Authority of the server's certificate, PEM.")
@click.option("--tls-cert", "tls_certificate", type=_FILE, help="Certificate to show, PEM.")
@click.option("--tls-key", type=_FILE, help="Key of that certificate, PEM.")
@command_errors
def healthcheck(address: str, **options: Any) -> None:
    """Exits 0 when the server serves, 1 when it does not; for container probes.

    \b
    Example:
      claim-edits healthcheck localhost:50051
    """
    from claimedits.server.probe import check_health

    serving, word = check_health(address, **options)
    click.echo(word, err=not serving)
    if not serving:
        sys.exit(PROBLEMS_FOUND)
