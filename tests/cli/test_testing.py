"""``claim-edits test``: silent when all is well, exit codes, formats, choices."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "testing"))

from written_tests import TESTS, ptp_case, write_cases, write_rule_set

from claimedits.cli.main import cli

RULES = Path(__file__).parents[2] / "rules"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["test", *map(str, arguments)])


def test_shipped_rules_are_silent() -> None:
    result = run(RULES)
    assert (result.exit_code, result.output) == (0, "")


def test_verbose_says_how_many(tmp_path: Path) -> None:
    path = write_cases(tmp_path / "c.jsonl", ptp_case(), ptp_case("C-2", rules=None))
    result = run(path, "-v")
    assert (result.exit_code, result.stdout) == (
        0,
        f"SKIPPED C-2 ({path}:2:1): names no tables, and no store was given to decide it with (--store)\n"
        "2 tests: 1 passed, 1 skipped\n",
    )
    assert run(path).output == ""


@pytest.mark.parametrize("evaluator", ["plain", "durable"])
def test_a_test_that_differs(tmp_path: Path, evaluator: str) -> None:
    directory = write_rule_set(tmp_path, TESTS.replace("units = 2", "units = 1"))
    result = run(directory, "--format", "json", "--evaluator", evaluator)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["ok"], report["counts"]) == (False, {"pass": 1, "fail": 1, "error": 0, "skipped": 0})
    first = report["tests"][0]
    assert (first["where"], first["outcome"], first["differences"]) == (
        f"{directory}/tests.toml:1:1",
        "FAIL",
        [{"kind": "missing", "line_number": 1, "subject": "two-units", "finding": "FAIL", "fields": []}],
    )


def test_json_always_prints() -> None:
    result = run(RULES / "duplicates", "--format", "json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"], report["counts"]["fail"]) == (0, True, 0)
    assert {t["outcome"] for t in report["tests"]} == {"PASS"}


def test_nothing_selected(tmp_path: Path) -> None:
    path = write_cases(tmp_path / "c.jsonl", ptp_case())
    result = run(path, "--run", "^X")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: nothing was tested: no test has an id in which ^X is found; --no-fail-on-empty lets that pass\n",
    )
    allowed = run(path, "--run", "^X", "--no-fail-on-empty")
    assert (allowed.exit_code, allowed.output) == (0, "")


def test_no_tests_and_only_skipped_ones(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        run(tmp_path / "empty").stderr
        == "error: nothing was tested: there are no tests; --no-fail-on-empty lets that pass\n"
    )
    path = write_cases(tmp_path / "c.jsonl", ptp_case(rules=None))
    result = run(path)
    assert (result.exit_code, result.stderr) == (
        1,
        "error: nothing was tested: the only test was skipped; --no-fail-on-empty lets that pass\n",
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "Path 'nowhere' does not exist"),
        ([], "Missing argument 'PATHS...'"),
        ([RULES, "--release", "x"], "--release names a release of a store; say which with --store"),
        ([RULES / "duplicates", "--run", "("], "error: --run: '(' is no regular expression"),
        ([RULES / "duplicates", "--store", "nowhere"], "error: nowhere"),
        ([RULES, "--coverage-minimum", "101"], "101.0 is not in the range 0<=x<=100"),
        ([RULES, "--mutate-limit", "0"], "0 is not in the range x>=1"),
    ],
)
def test_usage_and_io(arguments: list[object], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_junit_into_a_file(tmp_path: Path) -> None:
    cases = [
        ptp_case("A"),
        ptp_case("B", id="B \x07", expect=[{"line_number": 1, "family": "PTP", "status": "PASS"}]),
        ptp_case("C", rules=None),
        "{",
    ]
    path, report = write_cases(tmp_path / "c.jsonl", *cases), tmp_path / "report.xml"
    result = run(path, "--format", "junit", "--output", report)
    assert (result.exit_code, result.output) == (1, "")
    root = ElementTree.fromstring(report.read_bytes())
    assert {k: root.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    (suite,) = root
    assert [(case.get("name"), case.get("line"), [child.tag for child in case]) for case in suite] == [
        ("A", "1", []),
        ("B \ufffd", "2", ["failure"]),
        ("C", "3", ["skipped"]),
        (f"{path}:4:2", "4", ["error"]),
    ]
    assert suite[1][0].get("message", "").startswith("line 1 PTP: unexpected: FAIL PTP_CONFLICT")


def test_annotations_of_ci_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_cases(tmp_path / "c.jsonl", "{", ptp_case("100%, or less", claim={}))
    github = run("c.jsonl", "--format", "github").stdout.splitlines()
    assert github[0] == (
        "::error file=c.jsonl,line=1,col=2,title=ERROR c.jsonl%3A1%3A2::c.jsonl:1:2: is not JSON: expecting property name "
        "enclosed in double quotes; write one JSON object a line"
    )
    assert github[1].startswith("::error file=c.jsonl,line=2,col=")
    assert ",title=ERROR 100%25%2C or less::" in github[1]
    azure = run("c.jsonl", "--format", "azure").stdout.splitlines()
    assert azure[0].startswith(
        "##vso[task.logissue type=error;sourcepath=c.jsonl;linenumber=1;columnnumber=2]ERROR c.jsonl:1:2: "
    )
    sarif = json.loads(run("c.jsonl", "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    first = sarif["runs"][0]["results"][0]
    assert (first["ruleId"], first["locations"][0]["physicalLocation"]) == (
        "test-in-error",
        {"artifactLocation": {"uri": "c.jsonl"}, "region": {"startLine": 1, "startColumn": 2}},
    )


def test_coverage_on_the_command_line(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path)
    told = run(directory, "--coverage")
    assert told.exit_code == 0
    assert told.stdout.splitlines()[0] == "coverage: 60.0 % of rules and rows (3 of 5 outcomes)"
    below = run(directory, "--coverage-minimum", "61", "--format", "json")
    coverage = json.loads(below.stdout)["coverage"]
    assert (below.exit_code, coverage["ok"], coverage["percent"]) == (1, False, 60.0)
    assert coverage["rule_sets"][0]["never"] == [
        {"where": f"{directory}/lists/drugs.csv:3", "name": "J1745", "missing": ["used", "outside its dates"]}
    ]
    annotated = run(directory, "--coverage-minimum", "61", "--format", "github").stdout
    assert annotated.startswith(f"::error file={directory}/lists/drugs.csv,line=3,col=1,title=never exercised::J1745")


def test_mutation_on_the_command_line(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path)
    result = run(directory, "--mutate", "--mutate-run", "effective_from")
    assert (result.exit_code, result.stdout) == (
        1,
        f"SURVIVED {directory}/rules.toml:4:18: two-units/effective_from/-1 day: 2024-01-01 → 2023-12-31\n"
        "mutation: 50.0 % killed (1 of 2; 2 of 14 chosen)\n",
    )
    assert run(directory, "--mutate", "--mutate-run", "effective_from", "--mutate-minimum", "50").exit_code == 0
    told = json.loads(run(directory, "--mutate", "--format", "json").stdout)["mutation"]
    assert (told["total"], told["counts"], told["ok"]) == (14, {"killed": 9, "survived": 5}, False)
    assert told["mutants"][0] == {
        "id": "two-units/effective_from/-1 day",
        "where": f"{directory}/rules.toml:4:18",
        "operator": "date",
        "before": "2024-01-01",
        "after": "2023-12-31",
        "fate": "survived",
        "why": "",
    }


def test_help_has_an_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "claim-edits test rules/" in result.output
