"""Running tests: outcomes with their reasons, failures finding by finding, the same report from any number of processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_tests import COVERAGE_ROW, PTP_ROW, RULE, TESTS, copy_rules, line, ptp_case, write_cases, write_rule_set

from claimedits.app.building import build_rules
from claimedits.app.testing import TestReport, TestResult, run_tests, summarise
from claimedits.app.testing.json_places import find_columns
from claimedits.app.testing.output import FORMATS, text_of
from claimedits.engine.authored.rule_tests import TEST_FIELDS
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store


def result_of(report: TestReport) -> TestResult:
    (result,) = report.results
    return result


def expect(path: Path, *rows: dict[str, Any], **fields: Any) -> list[str]:
    """The differences of the column-2 case with other expectations."""
    case = ptp_case(expect=list(rows), **fields)
    return list(map(str, result_of(run_tests([write_cases(path / "c.jsonl", case)])).differences))


FAILS = {"line_number": 1, "family": "PTP", "status": "FAIL"}
PASSES = {"line_number": 2, "family": "PTP", "status": "PASS"}
DENIAL = "FAIL PTP_CONFLICT by medicare-ptp-practitioner/G0247+G0127 (lines 2): "


def test_a_case_passes(tmp_path: Path) -> None:
    report = run_tests([write_cases(tmp_path / "c.jsonl", ptp_case())])
    assert (report.ok, summarise(report), list(text_of(report))) == (True, "1 test: 1 passed", [])


def test_a_finding_that_is_missing(tmp_path: Path) -> None:
    row = {**PTP_ROW, "effective_to": "2024-08-14"}
    assert expect(tmp_path, {**FAILS, "code": "PTP_CONFLICT", "related_line_numbers": [2]}, rules=[row]) == [
        "line 1 PTP: missing: FAIL PTP_CONFLICT, related_line_numbers 2; the line came out PASS"
    ]


def test_a_finding_that_nobody_expects(tmp_path: Path) -> None:
    (found,) = expect(tmp_path, {**FAILS, "status": "PASS"}, PASSES)
    assert found.startswith(f"line 1 PTP: unexpected: {DENIAL}G0127 is bundled into G0247")


def test_a_line_of_which_the_case_does_not_speak_must_be_clean(tmp_path: Path) -> None:
    (found,) = expect(tmp_path, PASSES)
    assert found.startswith(f"line 1 PTP: unexpected: {DENIAL}")
    assert expect(tmp_path, {**PASSES, "family": "MUE", "status": "NOT_EVALUATED"}, options={"families": ["MUE"]}) == []


def test_fields_that_differ(tmp_path: Path) -> None:
    row = {**FAILS, "code": "PTP_X", "related_line_numbers": [], "adjustment": {"carc": "97"}}
    assert expect(tmp_path, row, PASSES) == [
        "line 1 PTP: differs: code: expected PTP_X, got PTP_CONFLICT; related_line_numbers: expected none, got 2; "
        "adjustment.carc: expected 97, got 236"
    ]
    assert expect(tmp_path, {**FAILS, "status": "REVIEW"}, PASSES) == [
        "line 1 PTP: differs: status: expected REVIEW, got FAIL"
    ]


def test_what_is_also_acceptable(tmp_path: Path) -> None:
    also = [{"line_number": 1, "family": "PTP", "status": "FAIL"}]
    assert expect(tmp_path, {**FAILS, "status": "REVIEW"}, PASSES, also_acceptable=also) == []
    assert (
        expect(tmp_path, {**FAILS, "status": "BYPASSED"}, PASSES, also_acceptable=[{**also[0], "status": "REVIEW"}])
        != []
    )


def test_a_failure_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_cases(tmp_path / "c.jsonl", ptp_case(expect=[{**FAILS, "code": "PTP_X"}, PASSES]))
    assert list(text_of(run_tests(["c.jsonl"]))) == [
        "FAIL C-1 (c.jsonl:1:1)",
        "  why: column 2 is denied",
        "  line 1 PTP: differs: code: expected PTP_X, got PTP_CONFLICT",
        "  trace:",
        "    line 1 PTP: medicare-ptp-practitioner: G0247+G0127 on 2024-08-15: row found, modifier indicator 1",
        "    line 1 PTP: the engine said FAIL PTP_CONFLICT by medicare-ptp-practitioner/G0247+G0127 (lines 2): G0127 is bundled "
        "into G0247 on the same date by the same provider; a PTP-associated modifier is needed where the services were separate",
        "1 test: 1 failed",
    ]


def test_the_trace_shows_what_was_looked_up(tmp_path: Path) -> None:
    row = {"family": "MUE", "rule_set": "medicare-mue-practitioner", "procedure_code": "G0247", "value": 1, "mai": "2"}
    case = ptp_case(rules=[row], options={"families": ["MUE"]}, expect=[{**FAILS, "family": "MUE"}])
    trace = result_of(run_tests([write_cases(tmp_path / "c.jsonl", case)])).trace
    assert trace == (
        "line 1 MUE: medicare-mue-practitioner: G0127: no row",
        "line 1 MUE: the engine said NOT_EVALUATED MUE_NO_VALUE by medicare-mue-practitioner/G0127: "
        "G0127 has no published MUE value; its units were not checked",
    )


def test_a_rule_that_does_not_fire_says_which_condition_holds_it_back(tmp_path: Path) -> None:
    tests = TESTS.replace("units = 2", "units = 1")
    report = run_tests([write_rule_set(tmp_path, tests)])
    first = report.results[0]
    assert (first.id, first.outcome, list(map(str, first.differences))) == (
        "acme/two units",
        "FAIL",
        ["line 1 two-units: missing: FAIL"],
    )
    assert first.trace[1:] == (
        "line 1: two-units: line.procedure_code is in list drugs: yes (line.procedure_code: J0897)",
        "line 1: two-units: line.units is more than 1: no (line.units: 1)",
    )


def test_the_trace_shows_days_as_they_are_written(tmp_path: Path) -> None:
    rules = RULE.replace('"line.units is more than 1"', '"line.service_date is after 2025-07-01"')
    report = run_tests([write_rule_set(tmp_path, rules=rules)])
    said = "line 1: two-units: line.service_date is after 2025-07-01: no (line.service_date: 2024-01-01)"
    assert said in report.results[0].trace


def test_a_rule_out_of_its_dates(tmp_path: Path) -> None:
    report = run_tests([write_rule_set(tmp_path, TESTS.replace("2024-01-01", "2023-12-31"))])
    assert report.results[0].trace[-1] == "line 1: two-units is not in force on 2023-12-31 (2024-01-01 to open)"


def test_a_rule_test_with_another_status_or_code(tmp_path: Path) -> None:
    tests = TESTS.replace("two-units FAIL", "two-units REVIEW POLICY_X").replace(
        "expect = []", 'expect = ["1 two-units FAIL"]'
    )
    report = run_tests([write_rule_set(tmp_path, tests)])
    assert [str(d) for r in report.results for d in r.differences] == [
        "line 1 two-units: differs: status: expected REVIEW, got FAIL; code: expected POLICY_X, got POLICY_UNITS",
        "line 1 two-units: missing: FAIL",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("lines = []", "1:1: the test has no expect; a test has a why, a line and an expect"),
        ('expect = ["one"]', "3:11: 'one' is not understood; write line, rule, status, such as 1 rule-id FAIL"),
        ('expect = ["1 two-units FAILS"]', "3:11: FAILS is no status of a rule; write line, rule, status, such as 1 rule-id FAIL"),
        ('expect = ["a two-units FAIL"]', "3:11: a is no number of a line; write line, rule, status, such as 1 rule-id FAIL"),
        ('expext = []\nexpect = []', "3:10: a test has no field expext; did you mean expect?"),
    ],
)  # fmt: skip
def test_a_malformed_test(tmp_path: Path, change: str, problem: str) -> None:
    text = f'[[test]]\nwhy = "w"\n{change}\n'
    report = run_tests([write_rule_set(tmp_path, text)])
    assert f"{tmp_path}/acme/tests.toml:{problem}" in [str(p) for p in result_of(report).problems]


def test_a_claim_that_is_none(tmp_path: Path) -> None:
    tests = '[[test]]\nwhy = "w"\nline = [{ code = "J0897", date = "soon" }]\nexpect = []\n'
    assert [str(p) for p in result_of(run_tests([write_rule_set(tmp_path, tests)])).problems] == [
        f"{tmp_path}/acme/tests.toml:1:1: lines[0].service_date is not a date; write a day of the calendar in the form YYYY-MM-DD"
    ]


def test_a_rule_set_that_does_not_compile_says_so_once(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path, rules=RULE.replace("line.units is", "line.unit is"))
    report = run_tests([directory])
    assert [[str(p) for p in r.problems] for r in report.results] == [
        [f"{directory}/rules.toml:5:50: line.unit is no attribute; did you mean line.units?"],
        [f"{directory}/tests.toml:6:1: cannot run, for the reason that the first test of the rule set tells"],
    ]
    assert report.counts["ERROR"] == 2


def test_a_rule_set_without_tests(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path)
    (directory / "tests.toml").unlink()
    assert [str(p) for p in result_of(run_tests([directory])).problems] == [
        f"{directory}/tests.toml:1:1: is missing; write tests beside the rules, for the pass, the fail and the first day"
    ]


def test_a_rule_that_no_test_makes_fire(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path, TESTS.partition("\n\n")[2])
    report = run_tests([directory])
    assert [str(p) for p in report.untested] == [
        f"{directory}/two-units: no test makes the rule fire; write one in tests.toml"
    ]
    assert (report.counts["PASS"], report.ok) == (1, False)
    assert run_tests([directory], run="one unit").ok, "a choice of tests does not claim to cover every rule"


def test_rules_beside_the_tests_decide(tmp_path: Path) -> None:
    """A corpus beside rule sets is decided with their conventions and their authored rules."""
    home = copy_rules(tmp_path / "home")
    write_rule_set(home)
    switches = home / "ncci-conventions" / "switches.csv"
    switches.write_text(
        switches.read_text(encoding="utf-8").replace("ptp.deletion_date,inclusive", "ptp.deletion_date,exclusive"),
        encoding="utf-8",
    )
    row = {**PTP_ROW, "effective_to": "2024-08-15"}
    on_last_day = ptp_case(rules=[row], expect=[{**FAILS, "status": "PASS"}, PASSES])
    policy = ptp_case(
        "C-2",
        rules=[{"rule_set": "acme", "loaded": True}],
        claim={**ptp_case()["claim"], "lines": [line(1, "J0897", units="2")]},
        options={"families": ["POLICY"]},
        expect=[
            {
                "line_number": 1,
                "family": "POLICY",
                "status": "FAIL",
                "code": "POLICY_UNITS",
                "rule_id": "acme/two-units",
            }
        ],
    )
    (home / "cases").mkdir()
    write_cases(home / "cases" / "c.jsonl", on_last_day, policy)
    assert run_tests([home / "cases"]).counts["PASS"] == 2
    elsewhere = write_cases(tmp_path / "c.jsonl", on_last_day, policy)
    assert run_tests([home, elsewhere]).counts["PASS"] == 6
    shipped = run_tests([elsewhere])
    assert [r.outcome for r in shipped.results] == ["FAIL", "SKIPPED"]
    assert shipped.results[1].reason == "needs acme, of which a case cannot state rows and no rule set is there"


def test_switches_of_a_case(tmp_path: Path) -> None:
    row = {**PTP_ROW, "effective_to": "2024-08-15"}
    options = {"families": ["PTP"], "switches": {"ptp.deletion_date": "exclusive"}}
    assert expect(tmp_path, {**FAILS, "status": "PASS"}, PASSES, rules=[row], options=options) == []
    wrong = ptp_case(options={"families": ["PTP"], "switches": {"ptp.deletion_date": "never"}})
    path = write_cases(tmp_path / "c.jsonl", wrong)
    column = json.dumps(wrong).index('"never"') + 1
    place = json.dumps(wrong).index('{"ptp.deletion_date"') + 1
    (problem,) = result_of(run_tests([path])).problems
    assert str(problem) in {
        f"{path}:1:{c}: options.switches.ptp.deletion_date ncci-conventions has no such switch, or it cannot be never"
        for c in (column, place)
    }


def test_a_built_in_rule_that_is_not_there(tmp_path: Path) -> None:
    row = {"rule_set": "medicare-modifier-requirements", "kind": "built_in", "rule": "E99"}
    case = ptp_case(rules=[row], options={"families": ["MODIFIER"]}, expect=[{**PASSES, "family": "MODIFIER"}])
    path = write_cases(tmp_path / "c.jsonl", case)
    column = json.dumps(case).index('"E99"') + 1
    assert [str(p) for p in result_of(run_tests([path])).problems] == [
        f"{path}:1:{column}: rules[0].rule medicare-modifier-requirements has no rule E99; name a rule, or its first part"
    ]


def test_cases_that_name_no_tables(tmp_path: Path) -> None:
    path = write_cases(
        tmp_path / "c.jsonl",
        ptp_case("DUP", rules=None, options={"families": ["DUPLICATE"]}, expect=[{**PASSES, "family": "DUPLICATE"}]),
        ptp_case("PTP", rules=None),
    )
    without = run_tests([path])
    assert [(r.outcome, r.reason) for r in without.results] == [
        ("SKIPPED", "names no tables, and no store was given to decide it with (--store)")
    ] * 2
    assert (without.nothing_ran, without.ok) == (True, False)
    store = Store.open(tmp_path / "store", create=True)
    ids = [info.id for info, _ in build_rules(copy_rules(tmp_path / "home", "duplicates"), store)]
    release = store.create_release(ids).id
    kept = run_tests([path], store=tmp_path / "store", release=release)
    assert [(r.outcome, r.reason) for r in kept.results] == [
        ("PASS", ""),
        ("SKIPPED", "needs medicare-ptp-practitioner, which the release does not hold for the dates of the claim"),
    ]


def test_tests_are_chosen_by_id(tmp_path: Path) -> None:
    path = write_cases(tmp_path / "c.jsonl", *(ptp_case(f"C-{i}") for i in range(12)))
    assert [r.id for r in run_tests([path], run="^C-1[01]?$").results] == ["C-1", "C-10", "C-11"]
    assert run_tests([path], run="nothing").nothing_ran
    with pytest.raises(ClaimEditsError, match=r"--run: '\(' is no regular expression"):
        run_tests([path], run="(")


def test_tests_beside_tables(tmp_path: Path) -> None:
    home = copy_rules(tmp_path / "home", "duplicates")
    (home / "duplicates" / "tests.toml").write_text(
        """[[test]]
why = "twice"
line = [{ code = "G0101", date = "2024-08-15" }, { code = "G0101", date = "2024-08-15" }]
expect = ["2 DUPLICATE FAIL DUP_SUSPECT"]

[[test]]
why = "a table of another family"
families = ["PTP"]
rows = [{ rule_set = "medicare-ptp-practitioner", column_1 = "G0247", column_2 = "G0127", effective_from = "2010-01-01", modifier_indicator = "3" }]
line = [{ cod = "G0101", date = "2024-08-15" }]
expect = []
""",
        encoding="utf-8",
    )
    first, second = run_tests([home / "duplicates"]).results
    assert (first.id, list(map(str, first.differences))) == (
        "duplicates/twice",
        ["line 2 DUPLICATE: differs: code: expected DUP_SUSPECT, got DUP_EXACT"],
    )
    assert [str(p) for p in second.problems] == [
        f"{home}/duplicates/tests.toml:10:17: a line of a test has no field cod; did you mean code?"
    ]


@pytest.mark.parametrize("output_format", sorted(FORMATS))
def test_the_report_does_not_depend_on_the_number_of_processes(tmp_path: Path, output_format: str) -> None:
    home = copy_rules(tmp_path / "home", "duplicates")
    write_rule_set(home, TESTS.replace("units = 2", "units = 3"))
    cases = [
        ptp_case(f"C-{i}", expect=[{**FAILS, "code": "PTP_X" if i % 3 else "PTP_CONFLICT"}, PASSES]) for i in range(9)
    ]
    write_cases(home / "c.jsonl", *cases, "no case")
    one, two = (FORMATS[output_format](run_tests([home], jobs=jobs, coverage=True)) for jobs in (1, 2))
    assert one == two


broken = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 99_999)
    | st.floats()
    | st.sampled_from(["", "x", "2024-02-30", "é", "00100"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "role", "group"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), broken)
def test_no_value_of_a_case_stops_the_run(tmp_path: Path, number: int, value: object) -> None:
    """Any one value of a case replaced by any other: a result with an outcome, and a problem where it is an error."""
    case = json.loads(json.dumps(ptp_case(rules=[PTP_ROW, COVERAGE_ROW, {"rule_set": "duplicates", "loaded": True}])))
    places = [p for p in find_columns(json.dumps(case)) if p]
    *path, last = places[number % len(places)]
    target = case
    for step in path:
        target = target[step]  # type: ignore[index]
    target[last] = value  # type: ignore[index]
    for result in run_tests([write_cases(tmp_path / "c.jsonl", case)]).results:
        assert result.outcome != "ERROR" or result.problems
        assert not any("the engine stopped" in p.what for p in result.problems), result


@pytest.mark.parametrize("field", [name for name in TEST_FIELDS if name not in ("why", "rules")])
@pytest.mark.parametrize("value", ['"x"', "3", "[3]", '["x"]', "{ a = 1 }", "[{ a = 1 }]", "true"])
def test_no_value_of_a_test_stops_the_run(tmp_path: Path, field: str, value: str) -> None:
    tests = TESTS.replace("expect = []\n", "") + ("expect = []\n" if field != "expect" else "")
    tests = tests.replace('line = [{ code = "J0897", date', 'line = [{ code = "J0897", place = "11", date')
    if field == "line":
        tests = tests.replace('line = [{ code = "J0897", place = "11", date = "2024-01-01" }]\n', "")
    report = run_tests([write_rule_set(tmp_path, f"{tests}{field} = {value}\n")])
    first, second = report.results
    assert first.outcome == "PASS"
    assert second.outcome in ("PASS", "FAIL") or second.problems
