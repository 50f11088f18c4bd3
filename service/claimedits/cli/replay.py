"""``claim-edits replay``: what a release would have done with claims of the past, compared and reported."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from claimedits.app.claim_sources.column_mapping import shipped_mappings
from claimedits.app.claim_sources.detection import FORMATS
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.reading import ReadOptions
from claimedits.app.replay.expectations import ExpectationOptions
from claimedits.app.replay.plan import find_run
from claimedits.app.replay.running import Progress, ReplayOptions, replay
from claimedits.app.replay.summary import summary_lines
from claimedits.app.replay.workers import Evaluate
from claimedits.cli.diff import default_jobs
from claimedits.cli.evaluation import read_day
from claimedits.cli.terminal import (
    PROBLEMS_FOUND,
    USAGE_OR_IO,
    command_errors,
    format_option,
    print_json,
    show_problems,
    store_option,
)
from claimedits.model.problems import ProblemsError
from claimedits.model.terms import Family, Program, Setting

INTERRUPTED = 130
"""Exit code: SIGINT, as shells report it."""


def _read_settings(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    settings = dict(value.partition("=")[::2] for value in values)
    wrong = [value for value in values if not value.partition("=")[2]]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is no NAME=VALUE; write it like spark.executor.memory=4g", param=option)
    return settings


def _evaluate_on_spark(engine: str, master: str, settings: dict[str, str], shared_store: bool) -> Evaluate | None:
    if engine == "spark":
        from claimedits.app.spark.replaying import SparkPartitions

        return SparkPartitions(master, settings, distribute=not shared_store).evaluate
    if master or settings or shared_store:
        raise click.UsageError("--master, --spark-conf and --shared-store go with --engine spark; add it")
    return None


@click.command("replay")
@click.argument("claims", metavar="CLAIMS…", nargs=-1, required=True)
@store_option
@click.option(
    "--against", default="active", show_default=True, help="The release: an id, a beginning of it, or active."
)
@click.option("--baseline", default="", metavar="RELEASE", help="Also say what changed from this release to the other.")
@click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar="FILE",
    help="What really happened: X12 835 remittances, or a table of claim_id, line_number, carc. Can be given again.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Directory of the results: a new one, or that of an interrupted run, which is taken up.",
)
@click.option("--resume", is_flag=True, help="Only take up an interrupted run; never begin one.")
@click.option("--from", "source", type=click.Choice(FORMATS), help="Format of the claims; found by content without it.")
@click.option(
    "--mapping",
    default="",
    metavar="MAPPING",
    help=f"Columns of CSV or Parquet claims: a TOML file, or one of {', '.join(shipped_mappings())}.",
)
@click.option("--program", type=click.Choice(list(Program.__members__)), help="Who pays, where a claim does not say.")
@click.option("--setting", type=click.Choice(list(Setting.__members__)), help="Setting of professional claims.")
@click.option(
    "--hash-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Replace ids of claims, patients and providers by digests with the key in this file.",
)
@click.option(
    "--history-window",
    type=click.IntRange(0, 3_660),
    metavar="DAYS",
    help="Join claims of one patient and provider as history, if their lines are at most so many days apart; 0 = one day.",
)
@click.option(
    "--history-order",
    type=click.Choice(["each-other", "earlier"]),
    default="each-other",
    show_default=True,
    help="Whether claims are history for each other, or only earlier ones for later ones.",
)
@click.option("--family", "families", multiple=True, type=click.Choice(list(Family.__members__)), help="Only these.")
@click.option(
    "--as-of", default="", callback=read_day, metavar="DATE", help="What was known on this day.  [default: today]"
)
@click.option("--traces", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
              help="With --expect: give the first N disagreements of each partition with a trace.")  # fmt: skip
@click.option("--every-claim", is_flag=True, help="With --baseline: evaluate under both also what no change can touch.")
@click.option("--jobs", type=click.IntRange(min=1), default=default_jobs, help="Processes.  [default: cores]")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
              help="Where claims are evaluated: in --jobs processes here, or by the executors of a Spark.")  # fmt: skip
@click.option("--master", default="", metavar="URL", help="With --engine spark: the cluster, as spark-submit takes it.")
@click.option("--spark-conf", multiple=True, metavar="NAME=VALUE", callback=_read_settings,
              help="With --engine spark: a Spark property. Can be given again.")  # fmt: skip
@click.option("--shared-store", is_flag=True, help="With --engine spark: all machines see the store; do not send it.")
@click.option("--keep-work", is_flag=True, help="Keep the partitions of the claims, which hold claim data.")
@format_option
@command_errors
def replay_claims(
    claims: tuple[str, ...],
    store_path: Path,
    against: str,
    baseline: str,
    expected: tuple[str, ...],
    out: Path,
    resume: bool,
    source: str | None,
    mapping: str,
    program: str | None,
    setting: str | None,
    hash_key: Path | None,
    history_window: int | None,
    history_order: str,
    families: tuple[str, ...],
    as_of: str,
    traces: int,
    every_claim: bool,
    jobs: int,
    engine: str,
    master: str,
    spark_conf: dict[str, str],
    shared_store: bool,
    keep_work: bool,
    output_format: str,
) -> None:
    """Evaluates claims of the past, files or directories of them, and writes findings, sums and a report to a directory.

    A run that was interrupted, however, is taken up by the same command; a finished one is not repeated. The same claims,
    release and options give the same bytes, whatever --jobs is.

    Exit codes: 0 all claims were evaluated; 1 done, and some records could not be read or evaluated (rejected.ndjson,
    refused/); 2 nothing was finished: a wrong option, a file, a store or a disk that cannot be used; 130 interrupted.

    \b
    Example:
      claim-edits replay claims/ --store store --against active --out replay-2024
      claim-edits replay claims.837 --store store --baseline 4c1f20 --expect remits.835 --out replay-2024
      claim-edits replay claims/ --store store --engine spark --master spark://host:7077 --out /shared/replay-2024
    """
    if resume and find_run(out) is None:
        raise click.UsageError(f"{out} holds no run to take up; leave --resume out to begin one")
    identifiers = IdentifierHash.from_file(hash_key) if hash_key is not None else None
    options = ReplayOptions(
        store=store_path,
        claims=claims,
        out=out,
        against=against,
        baseline=baseline,
        reading=ReadOptions(source or "", mapping, program or "", setting or "", identifiers),
        history_window=history_window,
        earlier_only=history_order == "earlier",
        families=tuple(Family[name] for name in families),
        as_of=as_of,
        expected=ExpectationOptions(expected, traces) if expected else None,
        every_claim=every_claim,
        jobs=jobs,
        evaluate=_evaluate_on_spark(engine, master, spark_conf, shared_store),
        keep_work=keep_work,
    )
    try:
        with _progress() as progress:
            outcome = replay(options, progress)
    except ProblemsError as error:  # nothing was finished, so not the exit code of a run with problems
        show_problems(error.problems, error.headline)
        sys.exit(USAGE_OR_IO)
    except KeyboardInterrupt:
        click.echo(f"interrupted; the same command takes it up: what is finished is kept in {out}", err=True)
        sys.exit(INTERRUPTED)
    if output_format == "json":
        print_json(outcome.report)
    else:
        if outcome.repeated:
            click.echo(f"{out} holds this replay already, finished; nothing was repeated", err=True)
        for line in summary_lines(outcome.report):
            click.echo(line)
        click.echo(f"\nreport: {out / 'report.html'}")
    if outcome.rejected:
        sys.exit(PROBLEMS_FOUND)


_STAGES = {"read": "reading claims", "evaluate": "evaluating lines", "report": "writing the report"}


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr with rate and time left; nothing when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=1.0, rate="")
        began = (0.0, 0)
        current = ""

        def advance(stage: str, done: int, total: int) -> None:
            nonlocal began, current
            now = time.monotonic()
            is_new = stage != current
            if is_new:
                current, began = stage, (now, done)
                bars.reset(task, total=float(max(total, 1)), description=_STAGES[stage], rate="")
            seconds = now - began[0]
            rate = (done - began[1]) / seconds if seconds > 0 else 0.0
            shown = f"{rate / 1e6:,.1f} MB/s" if stage == "read" else f"{rate:,.0f} lines/s"
            bars.update(
                task,
                completed=float(done),
                total=float(max(total, 1)),
                rate=shown if stage != "report" else "",
                refresh=is_new,
            )

        yield advance
