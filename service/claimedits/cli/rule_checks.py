"""``claim-edits test``: the tests that stand beside rules that people write."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from claimedits.app import rule_checks
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, format_option, print_json, show_problems
from claimedits.model.problems import Problem

_RULES = click.Path(exists=True, file_okay=False, path_type=Path)


def _report(problems: list[Problem], output_format: str) -> None:
    """Silent and 0 when all is well; 1 when there are problems."""
    if output_format == "json":
        print_json([{"where": p.where, "what": p.what, "mend": p.mend} for p in problems])
    else:
        show_problems(problems)
    if problems:
        sys.exit(PROBLEMS_FOUND)
