"""``claim-edits lookup`` and ``claim-edits explain``: which edits touch a code or a diagnosis, and what one rule id means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from claimedits.app.lookup import Edit, Explanation, LookUp, explain_rule, look_up, read_codes
from claimedits.cli.evaluation import read_day
from claimedits.cli.terminal import command_errors, format_option, print_json, store_option
from claimedits.model.dates import format_day, parse_day, today
from claimedits.model.finding import Citation
from claimedits.model.finding_fields import citation_fields
from claimedits.model.problems import Problem
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.store import Store

LONGEST_ON_A_LINE = 170
"""Characters of the values that stand on the edit's own line; more go below it."""
WIDEST = 120


def read_known_day(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A date that is not later than today.

    Raises:
        click.BadParameter: it is no date, or lies in the future.
    """
    text = read_day(context, parameter, value)
    if text and parse_day(text) > today():
        raise click.BadParameter("nothing later than today is known; leave it out for today")
    return text


release_option = click.option(
    "--release", default="", help="A release by id or unique beginning; the active one by default."
)
as_of_option = click.option(
    "--as-of",
    default="",
    callback=read_known_day,
    metavar="DATE",
    help="What was known on this day; today by default.",
)


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE [CODE]]")
@click.option(
    "--diagnosis",
    default="",
    metavar="ICD10",
    help="Edits that name this diagnosis; with a CODE, those that name both.",
)
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
    diagnosis: str,
    store_path: Path,
    release: str,
    day: str,
    as_of: str,
    program: str | None,
    setting: str | None,
    families: tuple[str, ...],
    output_format: str,
) -> None:
    """Lists the edits that touch a code, stand between two, or name a diagnosis, and which are active on a date.

    A CODE is a procedure code or a modifier. Every family is looked up: the codes themselves, fee-schedule indicators,
    NCCI tables, coverage documents, authored rules.

    \b
    Example:
      claim-edits lookup 11055 11720 --date 2024-08-15 --store store
      claim-edits lookup --diagnosis E11.42 11720 --store store
    """
    if len(codes) > 2:
        raise click.UsageError("name one code or two")
    problems: list[Problem] = []
    first, second = (*codes, "", "")[:2]
    read, dotless = read_codes(("CODE", first), ("second CODE", second), ("--diagnosis", diagnosis), problems)
    if problems:
        raise click.UsageError("\n  ".join(map(str, problems)))
    opened = LoadedRelease.open(Store.open(store_path), release)
    asked = LookUp(
        codes=read,
        day=parse_day(day) if day else today(),
        as_of=parse_day(as_of) if as_of else today(),
        program=Program[program] if program else None,
        setting=Setting[setting] if setting else None,
        families=frozenset(Family[name] for name in families),
        diagnosis=dotless,
    )
    edits = look_up(opened, asked)
    if output_format == "json":
        print_json(list(map(_fields, edits)))
    else:
        _show_edits(list(edits))


@click.command()
@click.argument("rule_id")
@store_option
@release_option
@click.option(
    "--date",
    "day",
    default="",
    callback=read_day,
    metavar="DATE",
    help="Service date for which rows are called active; the day of --as-of by default.",
)
@as_of_option
@format_option
@command_errors
def explain(rule_id: str, store_path: Path, release: str, day: str, as_of: str, output_format: str) -> None:
    """Says what a rule id of a finding means, and shows every row behind it, whatever its dates.

    \b
    Example:
      claim-edits explain medicare-ptp-practitioner/11055+11720 --store store
    """
    opened = LoadedRelease.open(Store.open(store_path), release)
    known_on = parse_day(as_of) if as_of else today()
    on = parse_day(day) if day else known_on
    explanation = explain_rule(opened, rule_id, known_on, on)
    if output_format == "json":
        print_json(
            {
                "rule_id": explanation.rule_id,
                "family": explanation.family.name if explanation.family else "",
                "meaning": explanation.meaning,
                "rows": list(map(_fields, explanation.rows)),
            }
        )
    else:
        _show_explanation(explanation, format_day(on))


def _fields(edit: Edit) -> dict[str, Any]:
    return {
        "family": edit.family.name,
        "rule_set": edit.rule_set,
        "rule_id": edit.rule_id,
        "active": edit.active,
        "fields": dict(edit.fields),
        "citation": citation_fields(edit.citation),
    }


def _show_explanation(explanation: Explanation, on: str) -> None:
    family = f"  {explanation.family.name}" if explanation.family else ""
    click.secho(f"{explanation.rule_id}{family}", bold=True)
    click.echo(click.wrap_text(explanation.meaning, width=100, initial_indent="  ", subsequent_indent="  "))
    for edit in explanation.rows:
        standing = f"active on {on}" if edit.active else f"not active on {on}"
        click.echo(f"\n  {standing}: {_cite(edit.citation)}".rstrip(": "))
        for name, value in edit.fields:
            if value:
                click.echo(f"    {name.replace('_', ' ')}: {value}")
        if edit.citation.authority or edit.citation.url:
            click.echo(
                f"    authority: {' '.join(part for part in (edit.citation.authority, edit.citation.url) if part)}"
            )
    if not explanation.rows:
        click.echo("\n  no row stands behind it")


def _cite(citation: Citation) -> str:
    """Label and place; no place where the whole revision is cited."""
    place = f"{citation.source_file} row {citation.source_row}" if citation.source_row else ""
    return ", ".join(part for part in (citation.label, place) if part)


def _show_edits(edits: Sequence[Edit]) -> None:
    """One line an edit, its values below it where they are long; edits that concern every code are named at the end."""
    named = [edit for edit in edits if not edit.concerns_every_code]
    width = max((len(edit.rule_id) for edit in named), default=0)
    family = None
    for edit in named:
        if edit.family is not family:
            family = edit.family
            click.secho(family.name, bold=True)
        values = " ".join(f"{name}={value}" for name, value in edit.fields if value)
        is_short = len(values) <= LONGEST_ON_A_LINE
        mark = "active" if edit.active else ""
        parts = (*((values,) if is_short else ()), _cite(edit.citation))
        click.echo(f"  {mark:6}  {edit.rule_id.ljust(width)}  {'  '.join(parts)}".rstrip())
        if not is_short:
            for line in _wrap(edit):
                click.echo(f"{'':12}{line}")
    general = dict.fromkeys(edit.rule_id for edit in edits if edit.concerns_every_code and edit.active)
    if general:
        click.echo(f"beside these, {len(general)} active edits that concern every code: {', '.join(general)}")
    elif not named:
        click.echo("no edit found")


def _wrap(edit: Edit) -> Iterator[str]:
    """The values of an edit in lines: short ones together, a long one alone."""
    line = ""
    for name, value in edit.fields:
        if value:
            text = f"{name}={value}"
            if line and len(line) + len(text) >= WIDEST:
                yield line
                line = ""
            line = f"{line} {text}".lstrip()
    if line:
        yield line
