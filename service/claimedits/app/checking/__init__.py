"""Checks rule sets that people write, and revisions that were imported, before they go live (``claim-edits check``)."""

from __future__ import annotations

from pathlib import Path

from claimedits.app.building import compile_rules, find_rule_sets
from claimedits.model.problems import ImportRefusedError, Problem


def check_rules(directory: Path) -> list[Problem]:
    """Everything that keeps the rule sets of a directory from compiling; empty when all is well.

    Raises:
        ImportRefusedError: there is no rule set.
    """
    find_rule_sets(directory)
    try:
        compile_rules(directory)
    except ImportRefusedError as error:
        return list(error.problems)
    return []
