"""``claim-edits check``: what is wrong or odd in rules that people write, and in revisions that were imported."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from claimedits.app.checking import LintSettings, Severity, check_revisions, check_rules, read_settings
from claimedits.app.checking.formats import FORMATS
from claimedits.app.checking.pages import read_page
from claimedits.cli.terminal import PROBLEMS_FOUND, USAGE_OR_IO, command_errors, print_rows
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.lints.catalogue import LINTS, find_lint
from claimedits.rulesets.lints.lint import LintFinding
from claimedits.rulesets.lints.settings import FILE as SETTINGS_FILE
from claimedits.rulesets.store import Store

_SEVERITIES = [severity.name.lower() for severity in reversed(Severity)]


def _list_lints(context: click.Context, _: click.Parameter, value: bool) -> None:
    """Every lint with its severity and what it looks for."""
    if value and not context.resilient_parsing:
        rows = [[lint.id, lint.name, lint.severity.name.lower(), lint.about, lint.summary] for lint in LINTS.values()]
        print_rows(["id", "name", "severity", "about", "looks for"], rows)
        context.exit()


def _explain(context: click.Context, _: click.Parameter, value: str | None) -> None:
    """The page of one lint."""
    if value and not context.resilient_parsing:
        lint = find_lint(value)
        if lint is None:
            raise click.UsageError(f"there is no lint {value}; claim-edits check --list shows them")
        click.echo(read_page(lint), nl=False)
        context.exit()


@click.command()
@click.argument("targets", nargs=-1, metavar="[RULES | REVISION | RELEASE]...")
@click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    envvar="CLAIMEDITS_STORE",
    help="Store whose revisions are checked, and whose code lists tell which codes exist.",
)
@click.option("--against", help="Hold revisions against this revision or release, not against those they follow.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Settings; without it, {SETTINGS_FILE} of the rules, or of the working directory for revisions.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="Form of the findings.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="warning",
    show_default=True,
    help="Findings of this severity, or a worse one, are problems (exit code 1).",
)
@click.option(
    "--show",
    type=click.Choice(_SEVERITIES),
    default="warning",
    show_default=True,
    help="Show findings of this severity and worse ones.",
)
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_lints, help="List the lints.")
@click.option(
    "--explain", metavar="LINT", is_eager=True, expose_value=False, callback=_explain, help="Show the page of a lint."
)
@command_errors
def check(
    targets: tuple[str, ...],
    store_path: Path | None,
    against: str | None,
    config_path: Path | None,
    output_format: str,
    fail_on: str,
    show: str,
) -> None:
    """Looks for what is wrong or odd in rules that people write, and in imported revisions against those they follow.

    A directory is looked at as rules; any other word names a revision or a release of the store. With a store and no
    target, the newest revision of each rule set is checked. Silent when all is well.

    \b
    Example:
      claim-edits check rules/
      claim-edits check rules/ --store store --format sarif
      claim-edits check --store store
      claim-edits check 6a1821ff --against 2b984cf3 --store store --show info
    """
    settings = read_settings(config_path, config_path.as_posix()) if config_path else None
    findings = _look(targets, store_path, against, settings)
    shown = [finding for finding in findings if finding.severity >= Severity[show.upper()]]
    sys.stdout.buffer.write(FORMATS[output_format](shown, Path.cwd()))
    sys.stdout.buffer.flush()
    if any(finding.severity >= Severity[fail_on.upper()] for finding in findings):
        sys.exit(PROBLEMS_FOUND)


def _look(
    targets: tuple[str, ...], store_path: Path | None, against: str | None, settings: LintSettings | None
) -> list[LintFinding]:
    rules = [Path(target) for target in targets if Path(target).is_dir()]
    named = [target for target in targets if not Path(target).is_dir()]
    if store_path is None and (named or against):
        missing = f"{named[0]} is no directory" if named else "--against needs a store"
        raise click.UsageError(f"{missing}; name a directory of rules, or give --store DIR to check revisions")
    if not targets and store_path is None:
        raise click.UsageError("name a directory of rules, or give --store DIR to check revisions")
    if against and rules:
        raise click.UsageError("--against is for revisions; name revisions, or leave it out")
    store = Store.open(store_path) if store_path else None
    findings: list[LintFinding] = []
    for directory in rules:
        try:
            findings += check_rules(directory, settings, store)
        except ImportRefusedError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(USAGE_OR_IO)
    if (store is not None and not rules) or named:
        assert store is not None
        findings += check_revisions(store, named, against, settings or _settings_here())
    return findings


def _settings_here() -> LintSettings | None:
    """``lints.toml`` of the working directory."""
    path = Path(SETTINGS_FILE)
    return read_settings(path, SETTINGS_FILE) if path.exists() else None
