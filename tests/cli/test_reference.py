"""The command reference is what the commands say, and every command has an example."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from claimedits.cli.main import cli
from claimedits.cli.reference import write_reference

DOCS = Path(__file__).parents[2] / "docs"


def leaves(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        found = []
        for child in command.list_commands(context):
            member = command.get_command(context, child)
            assert member is not None
            found += leaves(member, f"{name} {child}")
        return found
    return [(name, command)]


def test_the_reference_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == write_reference()


@pytest.mark.parametrize(("name", "command"), leaves(cli, "claim-edits"))
def test_every_command_shows_an_example(name: str, command: click.Command) -> None:
    assert command.help is not None
    example = command.help.partition("Example:")[2]
    assert example.strip().startswith(name)
