"""``claim-edits release``: which revisions serve together, and which release is active."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Any

import click

from claimedits.app.building import choose_revisions
from claimedits.cli.terminal import command_errors, format_option, print_json, print_rows, store_option
from claimedits.model.dates import format_day
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store

who_option = click.option(
    "--who", default=lambda: os.environ.get("USER") or getpass.getuser(), help="Who does it, for the history."
)
why_option = click.option("--why", default="", help="Why, for the history.")
expected_option = click.option("--expected-current", help="Do it only if this release is the active one.")


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
@click.option("--note", default="", help="What the release is for.")
@click.option("--activate", is_flag=True, help="Activate it too.")
@who_option
@store_option
@format_option
@command_errors
def create(
    revisions: tuple[str, ...], note: str, activate: bool, who: str, store_path: Path, output_format: str
) -> None:
    """Makes a release of revisions and builds its indexes; the same revisions give the same release.

    \b
    Example:
      claim-edits release create --store store --activate
    """
    store = Store.open(store_path)
    created = store.create_release(choose_revisions(store, revisions), note)
    LoadedRelease.open(store, created.id)  # builds what is missing, and proves that the release opens
    if activate:
        store.activate(created.id, who, note)
    if output_format == "json":
        print_json({"id": created.id, "revisions": list(created.revisions), "active": activate})
    else:
        click.echo(f"{created.id} with {len(created.revisions)} revisions" + (", active" if activate else ""))


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
                "revisions": [_fields(info) for info in infos],
                "activations": [{"release": a.release, "who": a.who, "why": a.why, "at": a.at} for a in history],
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
    for a in history:
        click.echo(f"{a.at}  {a.who} activated {a.release[:19]} {a.why}".rstrip())


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
@who_option
@why_option
@expected_option
@store_option
@command_errors
def activate(name: str, who: str, why: str, expected_current: str | None, store_path: Path) -> None:
    """Makes a release the active one, in one atomic step; running servers pick it up within a second.

    \b
    Example:
      claim-edits release activate sha256:1f2e3d --why "2024 Q3" --store store
    """
    store = Store.open(store_path)
    chosen = store.release(name)
    LoadedRelease.open(store, chosen.id)  # a release that cannot open is never activated
    done = store.activate(chosen.id, who, why, expected_current)
    click.echo(f"active: {done.release}")


@release.command()
@who_option
@why_option
@expected_option
@store_option
@command_errors
def rollback(who: str, why: str, expected_current: str | None, store_path: Path) -> None:
    """Activates the release that was active before the current one.

    \b
    Example:
      claim-edits release rollback --why "wrong quarter" --store store
    """
    done = Store.open(store_path).rollback(who, why, expected_current)
    click.echo(f"active: {done.release}")
