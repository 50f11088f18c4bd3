"""The command reference, made from the commands' own help: ``python -m claimedits.cli.reference > docs/cli.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from claimedits.cli.main import cli


def write_reference() -> str:
    """``docs/cli.md``: one section a command, with its help as printed."""
    parts = [
        "# Command line",
        "",
        "Made from `--help` by `python -m claimedits.cli.reference`; a test holds the two together.",
        "",
        "Exit codes: 0 all is well; 1 problems were found (a claim line that cannot be read, an import refused, a rule that",
        "does not exist); 2 wrong usage, or a file or store that cannot be used.",
        "",
    ]
    for name, context in _walk(cli, "claim-edits", None):
        parts += [f"## {name}", "", "```", context.command.get_help(context), "```", ""]
    return "\n".join(parts)


def _walk(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, click.Context]]:
    context = click.Context(
        command, info_name=name.split()[-1], parent=parent, max_content_width=100, terminal_width=100
    )
    yield name, context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _walk(found, f"{name} {child}", context)


if __name__ == "__main__":
    sys.stdout.write(write_reference())
