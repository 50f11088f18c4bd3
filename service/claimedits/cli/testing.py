"""``claim-edits test``: runs the tests beside rules, and corpora of cases, before the rules are built."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from claimedits.app.testing import MutationOptions, TestReport, run_tests
from claimedits.app.testing.output import FORMATS, text_of
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, show_progress


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--store", "store_path", type=click.Path(path_type=Path), help="Store that decides the cases which name no tables."
)
@click.option("--release", default="", help="Release of the store, by id or its beginning; without it the active one.")
@click.option("--run", "run", default="", metavar="REGEX", help="Only the tests whose id this is found in.")
@click.option(
    "--fail-on-empty/--no-fail-on-empty", default=True, show_default=True, help="Fail where no test ran at all."
)
@click.option("--coverage", is_flag=True, help="Say which rules and rows no test exercises.")
@click.option(
    "--coverage-minimum",
    type=click.FloatRange(0, 100),
    metavar="PCT",
    help="Fail where the tests exercise less; implies --coverage.",
)
@click.option("--mutate", is_flag=True, help="Put mistakes into rules and rows one by one; say which no test notices.")
@click.option("--mutate-run", default="", metavar="REGEX", help="Only the mutants whose id this is found in.")
@click.option("--mutate-limit", type=click.IntRange(1), metavar="N", help="Only N mutants, chosen at random.")
@click.option("--mutate-seed", default=0, metavar="S", help="Which N: the same seed chooses the same.")
@click.option("--mutate-seconds", type=click.FloatRange(0), metavar="T", help="Begin no mutant after T seconds.")
@click.option(
    "--mutate-minimum",
    type=click.FloatRange(0, 100),
    default=100.0,
    metavar="PCT",
    help="Fail where the tests kill less; without it, where a mutant survives.",
)
@click.option("--jobs", default=0, metavar="N", help="Processes; without it as many as the work is worth.")
@click.option(
    "--evaluator", type=click.Choice(["durable", "plain"]), help="Which evaluator decides; without it, the default."
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="For people, for programs, for CI hosts.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to a file.")
@click.option("-v", "--verbose", is_flag=True, help="Say also what was skipped, and a summary when all is well.")
@command_errors
def test_rules(
    paths: tuple[Path, ...],
    store_path: Path | None,
    release: str,
    run: str,
    fail_on_empty: bool,
    coverage: bool,
    coverage_minimum: float | None,
    mutate: bool,
    mutate_run: str,
    mutate_limit: int | None,
    mutate_seed: int,
    mutate_seconds: float | None,
    mutate_minimum: float,
    jobs: int,
    evaluator: str | None,
    output_format: str,
    output: Path | None,
    verbose: bool,
) -> None:
    """Runs the tests beside rules and the cases of *.jsonl files. Silent when all is well.

    PATHS are rule sets, directories of them, files of cases, or any directory that holds such.

    \b
    Example:
      claim-edits test rules/
      claim-edits test rules/ cases/quarter.jsonl --run '^PTP-' --format junit --output report.xml
      claim-edits test cases/ --store store/ --release 3f2a
    """
    if release and store_path is None:
        raise click.UsageError("--release names a release of a store; say which with --store")
    options = MutationOptions(mutate_run, mutate_limit, mutate_seed, mutate_seconds, mutate_minimum)
    with show_progress("tests") as progress:
        report = run_tests(
            paths,
            store=store_path,
            release=release,
            run=run,
            jobs=jobs,
            evaluator=evaluator or "",
            coverage=coverage,
            coverage_minimum=coverage_minimum,
            mutation=options if mutate else None,
            progress=progress,
        )
    _print(report, output_format, output, verbose or sys.stdout.isatty())
    if report.nothing_ran and fail_on_empty:
        click.echo(f"error: {_why_empty(report, run)}", err=True)
    if not report.holds or (report.nothing_ran and fail_on_empty):
        sys.exit(PROBLEMS_FOUND)


def _print(report: TestReport, output_format: str, output: Path | None, verbose: bool) -> None:
    if output_format == "text":
        content = "".join(f"{line}\n" for line in text_of(report, verbose=verbose)).encode()
    else:
        content = FORMATS[output_format](report)
    if output is not None:
        output.write_bytes(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _why_empty(report: TestReport, run: str) -> str:
    if report.results:
        count = len(report.results)
        what = f"all {count} tests were skipped" if count > 1 else "the only test was skipped"
    else:
        what = f"no test has an id in which {run} is found" if run else "there are no tests"
    return f"nothing was tested: {what}; --no-fail-on-empty lets that pass"
