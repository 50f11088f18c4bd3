"""``claim-edits lookup`` and ``claim-edits explain``: which edits touch a code, and what one rule says."""

from __future__ import annotations

from pathlib import Path

import click

from claimedits.app.lookup import Edit, LookUp, explain_rule, look_up
from claimedits.cli.evaluation import read_day
from claimedits.cli.terminal import (
    PROBLEMS_FOUND,
    command_errors,
    format_option,
    print_json,
    print_rows,
    store_option,
)
from claimedits.model.dates import parse_day, today
from claimedits.model.finding_fields import citation_fields
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.store import Store

release_option = click.option(
    "--release", default="", help="A release by id or unique beginning; the active one by default."
)
as_of_option = click.option(
    "--as-of",
    default="",
    callback=read_day,
    metavar="DATE",
    help="What was known on this day; today by default.",
)


@click.command()
@click.argument("codes", nargs=-1, required=True, metavar="CODE [CODE]")
@store_option
@release_option
@click.option("--date", "day", default="", callback=read_day, metavar="DATE", help="Service date; today by default.")
@as_of_option
@click.option("--program", type=click.Choice(list(Program.__members__)))
@click.option("--setting", type=click.Choice(list(Setting.__members__)))
@click.option("--family", "families", multiple=True, type=click.Choice(list(Family.__members__)))
@format_option
@command_errors
def lookup(
    codes: tuple[str, ...],
    store_path: Path,
    release: str,
    day: str,
    as_of: str,
    program: str | None,
    setting: str | None,
    families: tuple[str, ...],
    output_format: str,
) -> None:
    """Lists the edits that touch a code, or stand between two codes, and which of them are active on a date.

    \b
    Example:
      claim-edits lookup 11055 11720 --date 2024-08-15 --store store
    """
    if len(codes) > 2:
        raise click.UsageError("name one code or two")
    opened = LoadedRelease.open(Store.open(store_path), release)
    asked = LookUp(
        codes=tuple(code.strip().upper() for code in codes),
        day=parse_day(day) if day else today(),
        as_of=parse_day(as_of) if as_of else today(),
        program=Program[program] if program else None,
        setting=Setting[setting] if setting else None,
        families=frozenset(Family[name] for name in families),
    )
    _show(list(look_up(opened, asked)), output_format)


@click.command()
@click.argument("rule_id")
@store_option
@release_option
@as_of_option
@format_option
@command_errors
def explain(rule_id: str, store_path: Path, release: str, as_of: str, output_format: str) -> None:
    """Shows every row behind a rule id as findings cite it.

    \b
    Example:
      claim-edits explain medicare-ptp-practitioner/11055+11720 --store store
    """
    opened = LoadedRelease.open(Store.open(store_path), release)
    edits = list(explain_rule(opened, rule_id, parse_day(as_of) if as_of else today()))
    _show(edits, output_format)
    if not edits:
        raise SystemExit(PROBLEMS_FOUND)


def _show(edits: list[Edit], output_format: str) -> None:
    if output_format == "json":
        print_json(
            [
                {
                    "family": edit.family.name,
                    "rule_set": edit.rule_set,
                    "rule_id": edit.rule_id,
                    "active": edit.active,
                    "fields": dict(edit.fields),
                    "citation": citation_fields(edit.citation),
                }
                for edit in edits
            ]
        )
        return
    if not edits:
        click.echo("no edit found")
        return
    rows = [
        [
            "active" if edit.active else "",
            edit.rule_id,
            " ".join(f"{name}={value}" for name, value in edit.fields if value),
            edit.citation.label,
            f"{edit.citation.source_file}:{edit.citation.source_row}",
        ]
        for edit in edits
    ]
    print_rows(["", "rule", "row", "revision", "source"], rows)
