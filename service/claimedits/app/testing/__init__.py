"""Runs the tests beside rules, and corpora of cases in the form of the known answers (``claim-edits test``)."""

from __future__ import annotations

from pathlib import Path

from claimedits.app.building import COMPILERS, find_rule_sets
from claimedits.app.shipped import find_rules
from claimedits.engine.authored.rule_tests import run_rule_tests, untested_rules
from claimedits.model.problems import Problem
from claimedits.rulesets.authored.compiler import KIND
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.table_rules import read_rule_set_head


def run_tests(directory: Path, evaluator: str = "") -> tuple[int, list[Problem]]:
    """How many tests ran, and what went otherwise: a test that differs, a rule that no test makes fire.

    Args:
        evaluator: ``durable``, ``plain``, or empty for the process's own.

    Raises:
        ImportRefusedError: there is no rule set, or one does not compile, or its tests cannot be read.
    """
    count, problems = 0, []
    for path in find_rule_sets(directory):
        if read_rule_set_head(path, []).get("kind") != KIND:
            COMPILERS[str(read_rule_set_head(path, []).get("kind"))](path)
            continue
        beside = path.parent / CONVENTIONS
        results = run_rule_tests(path, evaluator, beside if beside.exists() else find_rules() / CONVENTIONS)
        count += len(results)
        for result in results:
            problems += [Problem(f"{path.name}/{result.where}", f"{result.why}: {what}") for what in result.differences]
        problems += [
            Problem(f"{path.name}/{rule}", "no test makes the rule fire", "write one in tests.toml")
            for rule in untested_rules(path)
        ]
    return count, problems
