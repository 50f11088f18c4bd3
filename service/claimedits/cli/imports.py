"""``claim-edits import`` and ``claim-edits build``: publishers' files and authored rules become revisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from claimedits.app.importing import Imported, families, import_into_store
from claimedits.app.release_creation import BuiltRuleSet, build_and_check
from claimedits.app.shipped import find_rules
from claimedits.cli.terminal import (
    command_errors,
    format_option,
    print_json,
    show_problems,
    show_progress,
    store_option,
)
from claimedits.model.terms import Program, Setting


@click.command("import")
@click.argument("family", type=click.Choice(families()), metavar="FAMILY")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE…")
@store_option
@click.option("--program", type=click.Choice(list(Program.__members__)), help="Where the file name does not say.")
@click.option("--setting", type=click.Choice(list(Setting.__members__)), help="Where the file name does not say.")
@click.option("--label", help="The publisher's name of the edition, as in v30.2.")
@click.option("--effective-from", metavar="DATE", help="First governed service date.")
@click.option("--published-on", metavar="DATE", help="When the edition became known.")
@click.option("--expected-rows", type=int, help="Rows printed on the download label; another count stops the import.")
@click.option("--max-reject-fraction", type=click.FloatRange(0, 1), default=0.001, show_default=True)
@click.option("--confidential", is_flag=True, help="The file holds confidential MUE values, never to be shown.")
@format_option
@command_errors
def import_files(family: str, files: tuple[Path, ...], store_path: Path, output_format: str, **options: object) -> None:
    """Reads a publisher's files as published (zip, TXT, CSV, XLSX) into revisions.

    Every row is accounted for: read = kept + rejected + identical copies dropped. Importing the same files again changes
    nothing and says so.

    \b
    Example:
      claim-edits import ptp *2024q3-practitioner*.zip --store store
    """
    with show_progress(f"import {family}") as progress:
        imported = import_into_store(store_path, family, files, progress=progress, **options)
    if output_format == "json":
        print_json([result.as_fields() for result in imported])
        return
    for result in imported:
        _show(result)


def _show(result: Imported) -> None:
    info, header = result.info, result.info.header
    state = "new revision" if result.is_new else "already in the store, nothing changed:"
    click.echo(f"{header.rule_set} {header.label}: {state} {info.id}")
    click.echo(
        f"  governs {result.effective_from} to {result.effective_to or 'open'}, published {result.published_on}; "
        f"read {info.read:,} rows, kept {result.kept:,}, rejected {info.rejected:,}, dropped "
        + ", ".join(f"{rows:,} {reason}" for reason, rows in result.dropped_by_reason.items())
    )
    if result.left_unread:
        click.echo(f"  left unread, for no edit needs them: {', '.join(result.left_unread)}")
    show_problems(result.rejects, "rejected rows" if result.rejects else "")
    for warning in result.warnings[:20]:
        click.echo(f"  warning: {warning}", err=True)
    if len(result.warnings) > 20:
        click.echo(f"  … and {len(result.warnings) - 20} more warnings", err=True)


@click.command()
@click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@store_option
@format_option
@command_errors
def build(rules: Path | None, store_path: Path, output_format: str) -> None:
    """Compiles rule sets that people write into revisions; without RULES, those the package ships.

    What check and test say of them is shown and recorded; 'release create' refuses what they refuse.

    \b
    Example:
      claim-edits build rules/ --store store
    """
    from claimedits.rulesets.store import Store

    built = build_and_check(rules or find_rules(), Store.open(store_path, create=True))
    if output_format == "json":
        print_json([_built_fields(b) for b in built])
        return
    for info, is_new, record in built:
        state = "new revision" if is_new else "already in the store, nothing changed:"
        click.echo(f"{info.header.rule_set} {info.header.label}: {state} {info.id}")
        refused = f"{len(record.problems)} problems, for which 'release create' will refuse it:"
        show_problems(record.problems, refused if record.problems else "", word="warning")


def _built_fields(built: BuiltRuleSet) -> dict[str, Any]:
    info, record = built.revision, built.record
    return {
        "rule_set": info.header.rule_set,
        "label": info.header.label,
        "id": info.id,
        "new": built.is_new,
        "tests": record.tests,
        "problems": [{"where": p.where, "what": p.what, "mend": p.mend} for p in record.problems],
    }
