"""What every command shares: where output goes, exit codes, problems said for people, progress where there is a terminal."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import orjson

from claimedits.model.problems import ClaimEditsError, Problem, ProblemsError

PROBLEMS_FOUND = 1
"""Exit code: what was asked was done, and problems were found."""
USAGE_OR_IO = 2
"""Exit code: a wrong word on the command line, or a file or store that cannot be used."""
MOST_SHOWN = 50

P = ParamSpec("P")
R = TypeVar("R")


def command_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Errors that a person can act on become a message on stderr and an exit code, never a traceback."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ProblemsError as error:
            show_problems(error.problems, error.headline)
            sys.exit(PROBLEMS_FOUND)
        except BrokenPipeError:
            # Whoever read the output has enough of it (… | head): end quietly, and keep Python from flushing again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except (ClaimEditsError, OSError) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(USAGE_OR_IO)

    return run


def show_problems(problems: Sequence[Problem], headline: str = "", word: str = "error") -> None:
    """Problems on stderr, the first ones in full and the rest counted. ``word`` says how bad they are."""
    if headline:
        click.echo(f"{word}: {headline}", err=True)
    for problem in problems[:MOST_SHOWN]:
        click.echo(f"  {problem}" if headline else f"{word}: {problem}", err=True)
    if len(problems) > MOST_SHOWN:
        click.echo(f"  … and {len(problems) - MOST_SHOWN} more", err=True)


def print_json(value: Any) -> None:
    """One JSON document, indented, on stdout."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people: columns aligned, plain text when the output is no terminal."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def show_progress(title: str) -> Iterator[Callable[[str, int, int], None] | None]:
    """A progress bar on stderr; None, and nothing shown, when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=1.0)

        def advance(stage: str, done: int, total: int) -> None:
            progress.update(task, description=f"{title}: {stage}", completed=done / total if total else 0.0)

        yield advance


store_option = click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    required=True,
    envvar="CLAIMEDITS_STORE",
    help="Directory of the store.",
)
format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
