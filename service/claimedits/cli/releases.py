"""``claim-edits release``: which revisions serve together, and which release is active."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from claimedits.app.building import choose_revisions
from claimedits.app.checking import LintSettings, read_settings
from claimedits.app.release_activation import activate_release, roll_back_release
from claimedits.app.release_creation import Override, create_release
from claimedits.cli.remote import remote_options
from claimedits.cli.terminal import command_errors, format_option, print_json, print_rows, store_option
from claimedits.model.dates import format_day
from claimedits.rulesets.lints.settings import FILE as SETTINGS_FILE
from claimedits.rulesets.periods import find_period_faults
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store

if TYPE_CHECKING:
    from claimedits.app.remote_server import RemoteServer

F = TypeVar("F", bound=Callable[..., Any])

who_option = click.option(
    "--who", default=lambda: os.environ.get("USER") or getpass.getuser(), help="Who does it, for the history."
)
why_option = click.option("--why", default="", help="Why, for the history.")
expected_option = click.option(
    "--expected-current",
    default="",
    metavar="RELEASE",
    help="Do it only if this release is the active one: its id or a unique beginning; none = no release is.",
)
local_store_option = click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    envvar="CLAIMEDITS_STORE",
    help="Directory of the store.",
)


def moving_options(function: F) -> F:
    """Options of the commands that move the pointer to the active release."""
    for option in (local_store_option, expected_option, why_option, who_option):
        function = option(function)
    return function


@click.group()
def release() -> None:
    """Creates, lists, shows, activates and rolls back releases."""


@release.command()
@click.option(
    "--revision",
    "revisions",
    multiple=True,
    metavar="ID",
    help="A revision to include; all of the store by default.",
)
@click.option("--without", multiple=True, metavar="ID", help="A revision to leave out.")
@click.option("--note", default="", help="What the release is for.")
@click.option(
    "--override-checks",
    metavar="REASON",
    help="Create it though check or test refuse a revision; what they said, who decided and why stay with the release.",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings of check: which findings stand, and why; lints.toml of the working directory by default.",
)
@click.option("--activate", is_flag=True, help="Activate it too.")
@who_option
@store_option
@format_option
@command_errors
def create(
    revisions: tuple[str, ...],
    without: tuple[str, ...],
    note: str,
    override_checks: str | None,
    config_path: Path | None,
    activate: bool,
    who: str,
    store_path: Path,
    output_format: str,
) -> None:
    """Makes a release of revisions and builds its indexes; the same revisions give the same release.

    Refuses what check and test refuse: of rules, what they said when the rules were built; of imported revisions that the
    active release does not hold, what check says of them now. Nothing is created then.

    \b
    Example:
      claim-edits release create --store store --activate
    """
    store = Store.open(store_path)
    if override_checks is not None and not override_checks.strip():
        raise click.BadParameter("say why, for the release", param_hint="--override-checks")
    override = None if override_checks is None else Override(override_checks.strip(), who)
    created = create_release(
        store, choose_revisions(store, revisions, without), note, override, _read_settings(config_path)
    )
    if activate:
        activate_release(store, created.id, who, note)
    faults = find_period_faults(store.revision(revision_id) for revision_id in created.revisions)
    warnings = [str(fault.as_problem()) for fault in faults]
    if output_format == "json":
        print_json({"id": created.id, "revisions": list(created.revisions), "active": activate, "warnings": warnings})
        return
    click.echo(f"{created.id} with {len(created.revisions)} revisions" + (", active" if activate else ""))
    for warning in warnings:
        click.echo(f"  warning: {warning}", err=True)


def _read_settings(path: Path | None) -> LintSettings | None:
    given = path or Path(SETTINGS_FILE)
    return read_settings(given, given.as_posix()) if given.exists() else None


@release.command("list")
@store_option
@format_option
@command_errors
def list_releases(store_path: Path, output_format: str) -> None:
    """Lists the releases of a store, the active one marked.

    \b
    Example:
      claim-edits release list --store store
    """
    store = Store.open(store_path)
    active = store.active()
    releases = store.releases()
    if output_format == "json":
        fields = [
            {
                "id": r.id,
                "created_at": r.created_at,
                "revisions": len(r.revisions),
                "note": r.note,
                "active": r == active,
            }
            for r in releases
        ]
        print_json(fields)
        return
    rows = [["*" if r == active else "", r.id, r.created_at, str(len(r.revisions)), r.note] for r in releases]
    print_rows(["active", "release", "created", "revisions", "note"], rows)


@release.command()
@click.argument("name", required=False, metavar="[RELEASE]")
@store_option
@format_option
@command_errors
def show(name: str | None, store_path: Path, output_format: str) -> None:
    """Shows what a release holds (the active one by default), and the history of activations.

    \b
    Example:
      claim-edits release show --store store
    """
    store = Store.open(store_path)
    shown = store.release(name) if name else store.active()
    if shown is None:
        raise click.ClickException("no release is active; name one, or run 'claim-edits release activate'")
    infos = [store.revision(revision) for revision in shown.revisions]
    history = store.activations()
    if output_format == "json":
        print_json(
            {
                "id": shown.id,
                "created_at": shown.created_at,
                "note": shown.note,
                "overrides": [asdict(override) for override in shown.overrides],
                "revisions": [_fields(info) for info in infos],
                "activations": [asdict(activation) for activation in history],
            }
        )
        return
    click.echo(f"{shown.id} created {shown.created_at} {shown.note}".rstrip())
    rows = [
        [
            f["rule_set"],
            f["label"],
            f["effective_from"],
            f["effective_to"] or "open",
            f["published_on"],
            str(f["rows"]),
            f["id"][:19],
        ]
        for f in map(_fields, infos)
    ]
    print_rows(["rule set", "label", "from", "to", "published", "rows", "revision"], rows)
    for override in shown.overrides:
        click.echo(f"checks overridden by {override.who} at {override.at}: {override.reason}")
        for problem in override.problems:
            click.echo(f"  {problem}")
    for a in history:
        done = "rolled back to" if a.action == "rollback" else "activated"
        click.echo(f"{a.at}  {a.who} {done} {a.release[:19]} {a.why}".rstrip())


def _fields(info: RevisionInfo) -> dict[str, Any]:
    header = info.header
    return {
        "rule_set": header.rule_set,
        "label": header.label,
        "effective_from": format_day(header.effective_from),
        "effective_to": format_day(header.effective_to),
        "published_on": format_day(header.published_on),
        "rows": sum(info.rows.values()),
        "id": info.id,
    }


@release.command()
@click.argument("name", metavar="RELEASE")
@moving_options
@command_errors
@remote_options
def activate(
    name: str, who: str, why: str, expected_current: str, store_path: Path | None, server: RemoteServer | None
) -> None:
    """Makes a release the active one, in one atomic step; running servers pick it up within a second.

    A release that cannot open is refused, and nothing changes. With --server, the server does it, for a caller with the
    administrator's role, and records the name that it knows the caller by.

    \b
    Example:
      claim-edits release activate sha256:1f2e3d --why "2024 Q3" --expected-current sha256:0a9b8c --store store
    """
    local = _place_of(store_path, server, why)
    if local is not None:
        _tell(activate_release(local, name, who, why, expected_current).entry.release)
    elif server is not None:
        from claimedits.app.remote_activation import activate_remotely

        _tell(activate_remotely(server, name, why, expected_current).release)


@release.command()
@moving_options
@command_errors
@remote_options
def rollback(who: str, why: str, expected_current: str, store_path: Path | None, server: RemoteServer | None) -> None:
    """Activates the release that was active before the current one; a second time, it comes back.

    \b
    Example:
      claim-edits release rollback --why "wrong quarter" --store store
    """
    local = _place_of(store_path, server, why)
    if local is not None:
        _tell(roll_back_release(local, who, why, expected_current).entry.release)
    elif server is not None:
        from claimedits.app.remote_activation import roll_back_remotely

        _tell(roll_back_remotely(server, why, expected_current).release)


def _place_of(store_path: Path | None, server: RemoteServer | None, why: str) -> Store | None:
    """The store that a command changes; None where a server does it."""
    source = click.get_current_context().get_parameter_source
    if server is None:
        if store_path is None:
            raise click.UsageError("name a store with --store or a server with --server, one of the two")
        return Store.open(store_path)
    # A store that only the environment names gives way to a server that the command line names.
    if store_path is not None and source("store_path") is ParameterSource.COMMANDLINE:
        raise click.UsageError("name a store with --store or a server with --server, one of the two")
    if source("who") is ParameterSource.COMMANDLINE:
        raise click.UsageError("the server records the name that it knows you by: leave --who out")
    if not why.strip():
        raise click.UsageError("say --why, for the history")
    return None


def _tell(active: str) -> None:
    click.echo(f"active: {active}")
