"""``claim-edits diff``: what differs between two revisions or two releases, row by row."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from claimedits.app.comparing import Compared, Filters, compare
from claimedits.app.comparison_documents import comparison_fields, write_parquet
from claimedits.app.comparison_text import comparison_lines
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, format_option, print_json, store_option
from claimedits.model.terms import Family
from claimedits.rulesets.store import Store


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
    exit_code: bool,
) -> None:
    """Compares OLD with NEW: rows added, removed and changed, whatever their order; retroactive changes first.

    Both are revisions or both releases: an id, a unique beginning of it, RULE_SET@LABEL, or 'active' for the active release.

    \b
    Example:
      claim-edits diff medicare-mue-dme@2024Q2 medicare-mue-dme@2024Q3 --store store
      claim-edits diff active 4c1f20 --store store --parquet changes.parquet
    """
    filters = Filters(rule_sets, [Family[name] for name in families])
    compared = compare(Store.open(store_path), old, new, filters, across=across)
    if parquet is not None:
        write_parquet(compared, parquet)
    show(compared, output_format, limit)
    if exit_code and not compared.is_empty:
        sys.exit(PROBLEMS_FOUND)


def show(compared: Compared, output_format: str, limit: int) -> None:
    """The comparison on stdout."""
    if output_format == "json":
        print_json(comparison_fields(compared, limit))
        return
    for line in comparison_lines(compared, limit):
        click.echo(line)
