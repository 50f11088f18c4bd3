"""``claim-edits test``: runs the tests beside rules, before the rules are built."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from claimedits.app.testing import run_tests
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, format_option, print_json, show_problems


@click.command("test")
@click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--evaluator", type=click.Choice(["durable", "plain"]), help="Which evaluator decides; without it, the default."
)
@format_option
@command_errors
def test_rules(rules: Path, evaluator: str | None, output_format: str) -> None:
    """Runs the tests beside the authored rules of a directory. Silent when all pass.

    \b
    Example:
      claim-edits test rules/
    """
    _, problems = run_tests(rules, evaluator or "")
    if output_format == "json":
        print_json([{"where": p.where, "what": p.what, "mend": p.mend} for p in problems])
    else:
        show_problems(problems)
    if problems:
        sys.exit(PROBLEMS_FOUND)
