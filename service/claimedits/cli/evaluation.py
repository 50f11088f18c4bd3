"""``claim-edits evaluate``: NDJSON claims in, NDJSON responses out, in process or over gRPC."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from claimedits.app.claim_files import Answer, evaluate_claims, read_claims
from claimedits.cli.remote import remote_options
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors
from claimedits.engine.engine import Engine
from claimedits.model.dates import parse_day
from claimedits.model.terms import DetailLevel, Family

if TYPE_CHECKING:
    from claimedits.app.remote_server import RemoteServer


def read_day(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """Callback of options that take a date: checks the form, gives the text."""
    try:
        if value:
            parse_day(value)
    except ValueError:
        raise click.BadParameter("write a date like 2024-07-15") from None
    return value


@click.command()
@click.argument("claims", metavar="CLAIMS")
@click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    envvar="CLAIMEDITS_STORE",
    help="Directory of the store.",
)
@click.option(
    "--release", "release", default="", help="A release by id or unique beginning; the active one by default."
)
@click.option(
    "--as-of",
    default="",
    callback=read_day,
    metavar="DATE",
    help="What was known on this day; today by default.",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice(list(Family.__members__)),
    help="Only these families.",
)
@click.option("--detail", type=click.Choice(list(DetailLevel.__members__)), default="FINDINGS", show_default=True)
@command_errors
@remote_options
def evaluate(
    claims: str,
    store_path: Path | None,
    server: RemoteServer | None,
    release: str,
    as_of: str,
    families: tuple[str, ...],
    detail: str,
) -> None:
    """Evaluates claims (NDJSON file, or - for standard input) and prints one response a line, in order.

    A line that cannot be read is reported on stderr with its number, and the rest goes on; the exit code is then 1.

    \b
    Example:
      claim-edits evaluate claims.ndjson --store store --as-of 2024-07-15 --detail ALL
    """
    if (store_path is None) == (server is None):
        raise click.UsageError("name a store with --store or a server with --server, one of the two")
    wanted, level = frozenset(Family[name] for name in families), DetailLevel[detail]
    failed = False
    with _open(claims) as file:
        numbered = read_claims(file)
        if server is not None:
            from claimedits.app.remote_evaluation import evaluate_remotely

            answers: Iterator[Answer] = evaluate_remotely(server, numbered, release, as_of, wanted, level)
        else:
            assert store_path is not None
            answers = evaluate_claims(Engine.open(store_path, release), numbered, as_of, wanted, level)
        for answer in answers:
            if answer.response is None:
                failed = True
                for problem in answer.problems:
                    click.echo(f"line {answer.line}: {problem}", err=True)
            else:
                _write(answer.response)
    sys.stdout.buffer.flush()
    if failed:
        sys.exit(PROBLEMS_FOUND)


@contextmanager
def _open(claims: str) -> Iterator[BinaryIO]:
    if claims == "-":
        # A reader of its own, left open: gRPC reads claims in a thread, which may wait for the next one when the call has
        # failed, and the interpreter cannot end while a thread reads from the standard input that it knows.
        yield open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
    else:
        with Path(claims).open("rb") as file:
            yield file


def _write(response: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(response, option=orjson.OPT_APPEND_NEWLINE))
