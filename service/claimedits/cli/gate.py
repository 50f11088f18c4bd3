"""``claim-edits gate``: whether an update may go live, in one command for a CI job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from claimedits.app.checking import read_settings
from claimedits.app.comparison_documents import comparison_fields
from claimedits.app.gating import GateOptions, Verdict, read_policy, run_gate
from claimedits.app.gating.policy import PolicyError, default_policy_text
from claimedits.app.gating.running import Gated
from claimedits.app.gating.summary import gate_lines, markdown
from claimedits.app.impact.summary import impact_fields
from claimedits.app.reports.page import MOST_ROWS, draw_page, write_whole
from claimedits.app.reports.update_report import update_report
from claimedits.cli.diff import default_jobs
from claimedits.cli.evaluation import read_day
from claimedits.cli.terminal import (
    PROBLEMS_FOUND,
    USAGE_OR_IO,
    command_errors,
    format_option,
    print_json,
    show_problems,
    show_progress,
    store_option,
)
from claimedits.model.terms import Family

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_PATH = click.Path(exists=True, path_type=Path)


def _show_policy(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(default_policy_text(), nl=False)
        context.exit()


@click.command()
@click.argument("old")
@click.argument("new")
@store_option
@format_option
@click.option("--claims", "claims", type=_FILE, help="Real claims (NDJSON, also packed with gzip or zip).")
@click.option("--policy", "policy_path", type=_FILE, help="Thresholds and approvals; without it the default ones.")
@click.option("--rules", multiple=True, type=_PATH, help="Rules to check and test. Can be given again.")
@click.option("--tests", multiple=True, type=_PATH, help="Further tests: cases that NEW decides. Can be given again.")
@click.option(
    "--lints", "lints_path", type=_FILE, help="Settings of check for revisions, and for rules without lints.toml."
)
@click.option("--summary", type=_OUTPUT, help="Write the result to this file in Markdown, fit for a pull request.")
@click.option("--html", type=_OUTPUT, help="Write the report on rows and claims to this file: one HTML page.")
@click.option(
    "--changed-lines", type=_OUTPUT, help="Write every claim line that is answered otherwise to this Parquet file."
)
@click.option(
    "--as-of", default="", callback=read_day, metavar="DATE", help="What was known on this day; today by default."
)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice(list(Family.__members__)),
    help="Claims: only these families.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=default_jobs, help="Processes.  [default: cores]")
@click.option(
    "--show-policy",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_policy,
    help="Show the default policy.",
)
@command_errors
def gate(
    old: str,
    new: str,
    store_path: Path,
    output_format: str,
    claims: Path | None,
    policy_path: Path | None,
    rules: tuple[Path, ...],
    tests: tuple[Path, ...],
    lints_path: Path | None,
    summary: Path | None,
    html: Path | None,
    changed_lines: Path | None,
    as_of: str,
    families: tuple[str, ...],
    jobs: int,
) -> None:
    """Runs check, test, diff, the impact on claims and a comparison of speed, and holds what they find to a policy.

    OLD and NEW are releases: an id, a unique beginning of it, or 'active' for the active release. The exit code is 0 where
    the update may go live, 1 where it is stopped, 2 where the gate could not be run.

    \b
    Example:
      claim-edits gate active 4c1f20 --store store --claims claims.ndjson --policy gate.toml --summary gate.md
    """
    try:
        policy = read_policy(policy_path)
    except PolicyError as error:  # a mistake on the way to the gate, not a verdict of it
        show_problems(error.problems, error.headline)
        sys.exit(USAGE_OR_IO)
    options = GateOptions(
        store=store_path,
        old=old,
        new=new,
        claims=claims,
        rules=rules,
        tests=tests,
        as_of=as_of,
        families=tuple(Family[name] for name in families),
        jobs=jobs,
        changed_lines=changed_lines,
        settings=read_settings(lints_path, lints_path.as_posix()) if lints_path else None,
    )
    with show_progress("gate") as advance:
        gated = run_gate(options, policy, _teller(advance))
    if summary is not None:
        write_whole(summary, markdown(gated).encode())
    if html is not None:
        write_page(html, gated)
    if output_format == "json":
        print_json(gated.report.as_fields())
    else:
        for line in gate_lines(gated):
            click.echo(line)
    if gated.report.verdict is Verdict.STOPPED:
        sys.exit(PROBLEMS_FOUND)


def _teller(advance: Callable[[str, int, int], None] | None) -> Callable[[str, int], None]:
    def tell(step: str, claims: int) -> None:
        if advance is not None:
            advance(f"{step}, {claims:,} claims" if claims else step, 0, 0)

    return tell


def write_page(path: Path, gated: Gated) -> None:
    """The report on rows and claims as one HTML page."""
    impact = impact_fields(gated.impact.tally, gated.impact.changed) if gated.impact else None
    write_whole(path, draw_page(update_report(comparison_fields(gated.compared, MOST_ROWS), impact)).encode())
