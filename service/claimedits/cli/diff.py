"""``claim-edits diff``: what differs between two revisions or two releases, row by row."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from claimedits.app.comparing import Compared, Filters, compare
from claimedits.app.comparison_documents import comparison_fields, write_parquet
from claimedits.app.comparison_text import comparison_lines
from claimedits.app.impact.input import read_input
from claimedits.app.impact.summary import impact_fields, impact_lines
from claimedits.app.impact.updates import Impact, ImpactOptions, find_impact
from claimedits.app.reports.page import MOST_ROWS, draw_page, write_whole
from claimedits.app.reports.update_report import update_report
from claimedits.cli.evaluation import read_day
from claimedits.cli.terminal import (
    PROBLEMS_FOUND,
    command_errors,
    format_option,
    print_json,
    show_progress,
    store_option,
)
from claimedits.model.terms import Family
from claimedits.rulesets.store import Store


def default_jobs() -> int:
    """As many processes as this one may use cores."""
    return len(os.sched_getaffinity(0))


@click.command()
@click.argument("old")
@click.argument("new")
@store_option
@format_option
@click.option(
    "--parquet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write every row that differs to this file.",
)
@click.option(
    "--family", "families", multiple=True, type=click.Choice(list(Family.__members__)), help="Only rule sets of it."
)
@click.option("--rule-set", "rule_sets", multiple=True, metavar="NAME", help="Only this rule set. Can be given again.")
@click.option("--across", is_flag=True, help="Let OLD and NEW be revisions of two rule sets of one kind.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Show so many rows of each table, retroactive ones first.",
)
@click.option(
    "--claims",
    metavar="FILE",
    help="Evaluate these claims (NDJSON, also packed with gzip or zip; - for standard input) under both releases.",
)
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write a report for people: one HTML page."
)
@click.option(
    "--changed-lines",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --claims: write every claim line that is answered otherwise to this Parquet file.",
)
@click.option(
    "--as-of", default="", callback=read_day, metavar="DATE", help="With --claims: what was known on this day."
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=default_jobs, help="With --claims: processes.  [default: cores]"
)
@click.option("--every-claim", is_flag=True, help="With --claims: evaluate also claims that no change can touch.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where there is a difference.")
@command_errors
def diff(
    old: str,
    new: str,
    store_path: Path,
    output_format: str,
    parquet: Path | None,
    families: tuple[str, ...],
    rule_sets: tuple[str, ...],
    across: bool,
    limit: int,
    claims: str | None,
    html: Path | None,
    changed_lines: Path | None,
    as_of: str,
    jobs: int,
    every_claim: bool,
    exit_code: bool,
) -> None:
    """Compares OLD with NEW: rows added, removed and changed, whatever their order; retroactive changes first.

    Both are revisions or both releases: an id, a unique beginning of it, RULE_SET@LABEL, or 'active' for the active release.
    With --claims, which of them fail or pass newly, why, and how much is charged; claims that cannot be read are named, and
    the exit code is 1.

    \b
    Example:
      claim-edits diff medicare-mue-dme@2024Q2 medicare-mue-dme@2024Q3 --store store
      claim-edits diff active 4c1f20 --store store --parquet changes.parquet
      claim-edits diff active 4c1f20 --store store --claims claims.ndjson --html update.html
    """
    filters = Filters(rule_sets, tuple(Family[name] for name in families))
    compared = compare(Store.open(store_path), old, new, filters, across=across)
    if parquet is not None:
        write_parquet(compared, parquet)
    impact = None
    if claims is not None:
        options = ImpactOptions(as_of, tuple(Family[name] for name in families), jobs, every_claim, changed_lines)
        with show_progress("claims") as advance:
            impact = find_impact(store_path, compared, read_input(claims), options, count_claims(advance))
    elif changed_lines is not None:
        raise click.UsageError("--changed-lines needs --claims")
    if html is not None:
        write_page(html, compared, impact)
    show(compared, impact, output_format, limit)
    if (exit_code and not compared.is_empty) or (impact is not None and impact.tally.refused):
        sys.exit(PROBLEMS_FOUND)


def count_claims(advance: Callable[[str, int, int], None] | None) -> Callable[[int], None]:
    """Tells a progress display how many claims are done."""
    done = 0

    def count(claims: int) -> None:
        nonlocal done
        done += claims
        if advance is not None:
            advance(f"{done:,} evaluated", 0, 0)

    return count


def write_page(path: Path, compared: Compared, impact: Impact | None) -> None:
    """The report as one HTML page."""
    document = impact_fields(impact.tally, impact.changed) if impact else None
    write_whole(path, draw_page(update_report(comparison_fields(compared, MOST_ROWS), document)).encode())


def show(compared: Compared, impact: Impact | None, output_format: str, limit: int) -> None:
    """The comparison on stdout; claims that could not be read on stderr."""
    if impact is not None:
        for refusal in impact.refused:
            for problem in refusal.problems:
                click.echo(f"claim {refusal.position}: {problem}", err=True)
        if impact.tally.refused > len(impact.refused):
            click.echo(f"… and {impact.tally.refused - len(impact.refused):,} more claims could not be read", err=True)
    if output_format == "json":
        document = comparison_fields(compared, limit)
        if impact is not None:
            document["impact"] = {"as_of": impact.as_of, **impact_fields(impact.tally, impact.changed)}
        print_json(document)
        return
    for line in comparison_lines(compared, limit):
        click.echo(line)
    if impact is not None:
        click.echo("")
        for line in impact_lines(impact.tally):
            click.echo(line)
