"""The command reference is what the commands say, and every command has an example."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from claimedits.cli.main import cli

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
    # In a process of its own: a command remembers how its help was first asked for.
    service = {**os.environ, "PYTHONPATH": str(DOCS.parent / "service")}
    made = subprocess.run(
        [sys.executable, "-m", "claimedits.cli.reference"], env=service, capture_output=True, check=True
    )
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == made.stdout.decode()


@pytest.mark.parametrize(("name", "command"), leaves(cli, "claim-edits"))
def test_every_command_shows_an_example(name: str, command: click.Command) -> None:
    assert command.help is not None
    example = command.help.partition("Example:")[2]
    assert example.strip().startswith(name)
