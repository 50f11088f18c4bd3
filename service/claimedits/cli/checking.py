"""``claim-edits check``: what is wrong with rules that people write, before they are built."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from claimedits.app import checking
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, format_option, print_json, show_problems


@click.command()
@click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path))
@format_option
@command_errors
def check(rules: Path, output_format: str) -> None:
    """Reads the rule sets of a directory and says everything that is wrong. Silent when all is well.

    \b
    Example:
      claim-edits check rules/
    """
    problems = checking.check_rules(rules)
    if output_format == "json":
        print_json([{"where": p.where, "what": p.what, "mend": p.mend} for p in problems])
    else:
        show_problems(problems)
    if problems:
        sys.exit(PROBLEMS_FOUND)
