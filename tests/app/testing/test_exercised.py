"""Coverage: which rules and rows no test exercises, outcome by outcome."""

from __future__ import annotations

from pathlib import Path

from written_tests import PTP_ROW, RULE, TESTS, copy_rules, ptp_case, write_cases, write_rule_set

from claimedits.app.testing import run_tests
from claimedits.app.testing.exercised import Exercise


def exercise(*paths: Path, minimum: float | None = None) -> Exercise:
    found = run_tests(paths, coverage=True, coverage_minimum=minimum).exercise
    assert found is not None
    return found


def test_rules_and_rows_that_no_test_exercises(tmp_path: Path) -> None:
    second = RULE.replace("two-units", "other").replace("is more than 1", "is more than 9")
    directory = write_rule_set(tmp_path, rules=RULE + second)
    assert list(exercise(directory).lines()) == [
        "coverage: 57.1 % of rules and rows (4 of 7 outcomes)",
        f"  {directory}: 57.1 % (4 of 7)",
        f"    {directory}/rules.toml:9: other: no test shows that it fires",
        f"    {directory}/lists/drugs.csv:3: J1745: no test shows that it answers, nor that it does not answer outside its dates",
    ]


def test_a_line_that_comes_near_a_rule(tmp_path: Path) -> None:
    """A rule is held back by a line for which one of its conditions holds, not by any line."""
    fires, _, passes = TESTS.partition("\n\n")
    far = passes.replace("J0897", "J9999")
    missing = [
        f"{item.name} {item.missing}"
        for s in exercise(write_rule_set(tmp_path / "far", f"{fires}\n\n{far}")).sets
        for item in s.items
    ]
    assert "two-units ('does not fire',)" in missing
    near = exercise(write_rule_set(tmp_path / "near"))
    assert "two-units ()" in [f"{item.name} {item.missing}" for s in near.sets for item in s.items]


def test_the_minimum(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path)
    assert exercise(directory).percent == 60.0
    assert exercise(directory, minimum=60).ok
    below = exercise(directory, minimum=60.1)
    assert not below.ok
    assert next(iter(below.lines())) == "coverage: 60.0 % of rules and rows (3 of 5 outcomes, at least 60.1 % wanted)"
    assert [title for _, title, _ in below.concerns()] == ["never exercised"]
    assert not run_tests([directory], coverage_minimum=60.1).ok


def test_rows_of_conventions(tmp_path: Path) -> None:
    """A case that is decided by 59 on column 2 exercises the row of 59, and the row before it outside its dates."""
    home = copy_rules(tmp_path / "home", "duplicates")
    case = ptp_case(
        expect=[
            {"line_number": 1, "family": "PTP", "status": "BYPASSED"},
            {"line_number": 2, "family": "PTP", "status": "PASS"},
        ]
    )
    case["claim"]["lines"][0]["modifiers"] = ["59"]
    found = exercise(home, write_cases(tmp_path / "c.jsonl", case))
    shown = {item.where.rpartition("/")[2]: item.shown for s in found.sets for item in s.items}
    assert shown["ptp-modifier-positions.csv:2"] == ("outside its dates",)
    assert shown["ptp-modifier-positions.csv:3"] == ("used",)
    assert shown["ptp-modifier-positions.csv:6"] == ()
    assert shown["switches.csv:2"] in ((), ("used",))
    assert "duplicates" in {Path(s.name).name for s in found.sets}


def test_rows_of_tables_are_counted_once(tmp_path: Path) -> None:
    """One row in two cases is one row; a row that no finding cites is not hit."""
    unused = {**PTP_ROW, "column_1": "G0101"}
    path = write_cases(tmp_path / "c.jsonl", ptp_case("A"), ptp_case("B"), ptp_case("C", rules=[PTP_ROW, unused]))
    (table,) = exercise(path).tables
    assert (table.rule_set, table.rows, table.hit) == ("medicare-ptp-practitioner", 2, 1)


def test_a_watched_test_decides_as_any_other(tmp_path: Path) -> None:
    home = copy_rules(
        tmp_path / "home", "duplicates", "code-edits", "medicare-modifier-requirements", "example-payer-policy"
    )
    plain, watched = run_tests([home]), run_tests([home], coverage=True)
    assert watched.results == plain.results
    assert plain.counts["PASS"] > 200
