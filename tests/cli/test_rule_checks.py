"""``claim-edits test``: silent when all is well, problems at their places, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from claimedits.cli.main import cli

RULES = Path(__file__).parents[2] / "rules"
HEAD = 'id = "p"\nkind = "authored"\nfamily = "POLICY"\nlabel = "1"\neffective_from = "2020-01-01"\npublished_on = "2020-01-01"\nauthority = "T"\n'
RULE = """[[rule]]\nid = "one"\ntitle = "One"\nwhen = 'line.units is 2'\nstatus = "FAIL"\ncode = "POLICY_ONE"\nmessage = "one"\n"""
TEST = '[[test]]\nwhy = "two units"\nline = [{ code = "G0101", units = 2, date = "2024-01-01" }]\nexpect = ["1 one FAIL"]\n'


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def write(directory: Path, rules: str, tests: str) -> Path:
    for name, content in {"rule-set.toml": HEAD, "rules.toml": rules, "tests.toml": tests}.items():
        (directory / name).write_text(content, encoding="utf-8")
    return directory


def test_shipped_rules_are_silent() -> None:
    result = run("test", str(RULES))
    assert (result.exit_code, result.output) == (0, "")


def test_a_test_that_differs(tmp_path: Path) -> None:
    directory = write(tmp_path, RULE, TEST.replace("units = 2", "units = 3"))
    result = run("test", str(directory), "--format", "json", "--evaluator", "plain")
    assert result.exit_code == 1
    assert [(p["where"], p["what"]) for p in json.loads(result.stdout)] == [
        (f"{directory.name}/tests.toml:1:1", "two units: expected 1 one FAIL, it did not fire")
    ]


def test_a_rule_without_a_test(tmp_path: Path) -> None:
    second = RULE.replace('"one"', '"two"', 1).replace("is 2", "is 5")
    result = run("test", str(write(tmp_path, RULE + second, TEST)), "--format", "json")
    assert result.exit_code == 1
    assert [(p["where"], p["what"]) for p in json.loads(result.stdout)] == [
        (f"{tmp_path.name}/two", "no test makes the rule fire")
    ]
