"""``claim-edits``: the group of commands. Modules are imported when their command runs, so that help is quick."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from claimedits.engine.version import ENGINE_VERSION

_COMMANDS = {
    "access": "claimedits.cli.access:access",
    "bench": "claimedits.cli.bench:bench",
    "build": "claimedits.cli.imports:build",
    "check": "claimedits.cli.checking:check",
    "demo": "claimedits.cli.demo:demo",
    "diff": "claimedits.cli.diff:diff",
    "evaluate": "claimedits.cli.evaluation:evaluate",
    "explain": "claimedits.cli.lookups:explain",
    "gate": "claimedits.cli.gate:gate",
    "healthcheck": "claimedits.cli.serving:healthcheck",
    "import": "claimedits.cli.imports:import_files",
    "lookup": "claimedits.cli.lookups:lookup",
    "read": "claimedits.cli.reading:read",
    "release": "claimedits.cli.releases:release",
    "replay": "claimedits.cli.replay:replay_claims",
    "serve": "claimedits.cli.serving:serve",
    "test": "claimedits.cli.testing:test_rules",
}


class _Commands(click.Group):
    """Commands by name, loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(ENGINE_VERSION, prog_name="claim-edits")
def cli() -> None:
    """Tests claims against versioned medical-claim edits and cites the rule behind every answer."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script."""
    cli(args=arguments, prog_name="claim-edits")


if __name__ == "__main__":
    main()
