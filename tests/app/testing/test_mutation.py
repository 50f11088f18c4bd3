"""Mutants: where each is, what it changes, whether a test notices; the same choice for the same seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from written_tests import PTP_ROW, RULE, RULES, TESTS, copy_rules, ptp_case, write_cases, write_rule_set

from claimedits.app.testing import MutationOptions, run_tests
from claimedits.app.testing.mutation.report import MutationReport
from claimedits.app.testing.mutation.rules import mutate_rules
from claimedits.app.testing.mutation.sentences import move_code, mutate_sentence
from claimedits.app.testing.output import FORMATS
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.authored.compiler import read_rules
from claimedits.rulesets.authored.sentences import Scope, read_sentence


def mutants_of(sentence: str) -> list[tuple[int, str, str | None]]:
    return [(m.offset, m.operator, m.sentence) for m in mutate_sentence(sentence)]


def test_a_condition_dropped_with_what_binds_it() -> None:
    sentence = 'claim.state is "AK" or not (claim.payer is "X" and claim.line_count is 2)'
    assert [m.sentence for m in mutate_sentence(sentence) if m.operator == "condition"] == [
        'not (claim.payer is "X" and claim.line_count is 2)',
        'claim.state is "AK" or not (claim.line_count is 2)',
        'claim.state is "AK" or not (claim.payer is "X")',
    ]
    assert [
        m.sentence
        for m in mutate_sentence('claim.state is "AK" or claim.payer is "X" and claim.line_count is 2')
        if m.operator == "condition"
    ] == [
        'claim.payer is "X" and claim.line_count is 2',
        'claim.state is "AK" or claim.line_count is 2',
        'claim.state is "AK" or claim.payer is "X"',
    ]
    assert [m.sentence for m in mutate_sentence('not (claim.state is "AK")') if m.operator == "condition"] == [None]


@pytest.mark.parametrize(
    ("sentence", "mutants"),
    [
        (
            "line.units is at least 2",
            [
                (0, "condition", None),
                (11, "negation", "line.units is less than 2"),
                (11, "boundary", "line.units is more than 2"),
                (23, "boundary", "line.units is at least 3"),
            ],
        ),
        (
            "line.service_date is before 2024-03-01",
            [
                (0, "condition", None),
                (18, "negation", "line.service_date is on or after 2024-03-01"),
                (18, "boundary", "line.service_date is on or before 2024-03-01"),
                (28, "date", "line.service_date is before 2024-02-29"),
                (28, "date", "line.service_date is before 2024-03-02"),
            ],
        ),
        (
            'line.modifiers include any of ["LT", "RT"]',
            [
                (0, "condition", None),
                (15, "negation", 'line.modifiers include none of ["LT", "RT"]'),
                (31, "code", 'line.modifiers include any of ["RT"]'),
                (37, "code", 'line.modifiers include any of ["LT"]'),
            ],
        ),
        (
            'line.modifiers include all of ["LT"]',
            [(0, "condition", None), (0, "negation", 'not line.modifiers include all of ["LT"]')],
        ),
        (
            'line.procedure_code is between "97165" and "97168"',
            [
                (0, "condition", None),
                (20, "negation", 'line.procedure_code is not between "97165" and "97168"'),
                (31, "code", 'line.procedure_code is between "97166" and "97168"'),
                (43, "code", 'line.procedure_code is between "97165" and "97167"'),
            ],
        ),
        (
            "claim.prior_authorization is unknown",
            [(0, "condition", None), (26, "negation", "claim.prior_authorization is known")],
        ),
    ],
)
def test_every_mutant_of_a_sentence(sentence: str, mutants: list[tuple[int, str, str | None]]) -> None:
    assert mutants_of(sentence) == mutants


def test_mutants_of_the_shipped_sentences_can_be_read_and_differ() -> None:
    """Every sentence of the project: its mutants are sentences, at the place they name, and mean something else."""
    scope = Scope(("line", "claim", "patient", "switch", "other", "finding"), _Anything(), None, lambda name: True)
    seen = 0
    for name in ("medicare-modifier-requirements", "example-payer-policy"):
        for placed in read_rules(RULES / name).placed:
            rule = placed.file.values["rule"][placed.path[1]]  # type: ignore[index]
            for sentence in [rule.get("when", [])] if isinstance(rule.get("when"), str) else rule.get("when", []):
                for m in mutate_sentence(sentence):
                    assert sentence[m.offset :].startswith(m.before.removeprefix("not ")) or m.operator == "negation", m
                    if m.sentence is not None:
                        assert read_sentence(m.sentence, scope) != read_sentence(sentence, scope), m
                        seen += 1
    assert seen > 350


class _Anything(set[str]):
    def __contains__(self, item: object) -> bool:
        return True


@pytest.mark.parametrize(
    ("code", "step", "moved"),
    [
        ("97164", 1, "97165"),
        ("A1", -1, "A0"),
        ("9999U", 1, ""),
        ("0099U", 1, "0100U"),
        ("LT", 1, ""),
        ("A0", -1, ""),
        ("F9", 1, ""),
    ],
)
def test_the_next_code(code: str, step: int, moved: str) -> None:
    assert move_code(code, step) == moved


def mutation(*paths: Path, jobs: int = 1, **options: object) -> MutationReport:
    report = run_tests(paths, mutation=MutationOptions(**options), jobs=jobs)  # type: ignore[arg-type]
    assert report.mutation is not None
    return report.mutation


def test_mutants_that_no_test_kills(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path)
    report = mutation(directory)
    assert list(report.lines()) == [
        f"SURVIVED {directory}/rules.toml:4:18: two-units/effective_from/-1 day: 2024-01-01 → 2023-12-31",
        f"SURVIVED {directory}/rules.toml:5:10: two-units/when/drop line.procedure_code is in list drugs: "
        "without line.procedure_code is in list drugs",
        f"SURVIVED {directory}/lists/drugs.csv:3:1: lists/drugs.csv/J1745@2024-06-30/remove row: without the row J1745,J1745,,…",
        f"SURVIVED {directory}/lists/drugs.csv:3:4: lists/drugs.csv/J1745@2024-06-30/effective_to/-1 day: 2024-06-30 → 2024-06-29",
        f"SURVIVED {directory}/lists/drugs.csv:3:4: lists/drugs.csv/J1745@2024-06-30/effective_to/+1 day: 2024-06-30 → 2024-07-01",
        "mutation: 64.3 % killed (9 of 14)",
    ]
    assert not report.ok
    killers = {m.id: m.why for m in report.mutants if m.fate == "killed"}
    assert killers["two-units/effective_from/+1 day"] == "acme/two units"
    assert killers["two-units/when.1/boundary line.units is at least"] == "acme/one unit"
    assert killers["lists/drugs.csv/J0897/remove row"] == "acme/two units"


def test_tests_that_kill_them(tmp_path: Path) -> None:
    more = """
[[test]]
why = "the day before, another drug, the last day of a drug"
line = [
  { code = "J0897", units = 2, date = "2023-12-31" },
  { code = "J9999", units = 2, date = "2024-01-01" },
  { code = "J1745", units = 2, date = "2024-06-30" },
  { code = "J1745", units = 2, date = "2024-07-01" },
]
expect = ["3 two-units FAIL"]
"""
    report = mutation(write_rule_set(tmp_path, TESTS + more))
    assert list(report.lines()) == ["mutation: 100.0 % killed (14 of 14)"]
    assert report.ok


def test_failing_tests_kill_nothing(tmp_path: Path) -> None:
    report = mutation(
        write_rule_set(tmp_path, TESTS.replace("units = 2", "units = 3").replace("two-units FAIL", "two-units REVIEW"))
    )
    assert {m.id for m in report.mutants if m.fate == "killed"} == {
        "two-units/when/drop line.units is more than 1",
        "two-units/when.1/negation line.units is at most",
        "two-units/when.1/boundary line.units is at least",
    }


def test_a_mutant_that_the_compiler_refuses(tmp_path: Path) -> None:
    rules = RULE.replace('effective_from = "2024-01-01"', 'effective_from = "2024-01-01"\neffective_to = "2024-01-01"')
    report = mutation(write_rule_set(tmp_path, rules=rules))
    assert [m.id for m in report.having("refused")] == [
        "two-units/effective_from/+1 day",
        "two-units/effective_to/-1 day",
    ]


def test_a_rule_that_reads_another_notices(tmp_path: Path) -> None:
    """A mutant of a rule is killed by a test of a rule that reads its finding."""
    reader = """[[rule]]
id = "reader"
title = "Reads"
when = 'line.procedure_code is "J9999"'
status = "REVIEW"
code = "POLICY_READ"
message = "read"
with = [{ what = "finding", family = "POLICY", rules = ["two-units"], about = "any line", when = 'finding.status is "FAIL"' }]
"""
    tests = """[[test]]
why = "read"
rules = ["reader", "two-units"]
line = [{ code = "J0897", units = 2, date = "2024-02-01" }, { code = "J9999", date = "2024-02-01" }]
expect = ["1 two-units FAIL", "2 reader REVIEW"]
"""
    report = mutation(write_rule_set(tmp_path, tests, RULE + reader), run="^(two-units/status|reader/with)")
    fates = {m.id: m.fate for m in report.mutants}
    assert fates["two-units/status/REVIEW"] == "killed"
    assert fates["reader/with/drop 0"] == "survived"
    assert fates["reader/with.0/negation"] == "killed"
    assert fates["reader/with.0.about/flip"] == "killed"
    assert fates["reader/with.0.when/negation finding.status is not"] == "killed"


SILENCE = """
[[equivalent]]
mutants = ["lists/drugs.csv/J1745@*"]
why = "the drug is no longer given"
"""


def test_silenced_with_a_reason(tmp_path: Path) -> None:
    report = mutation(write_rule_set(tmp_path, TESTS + SILENCE))
    assert [(m.id, m.why) for m in report.having("silenced")] == [
        ("lists/drugs.csv/J1745@2024-06-30/remove row", "the drug is no longer given"),
        ("lists/drugs.csv/J1745@2024-06-30/effective_to/-1 day", "the drug is no longer given"),
        ("lists/drugs.csv/J1745@2024-06-30/effective_to/+1 day", "the drug is no longer given"),
    ]
    assert list(report.lines())[-1] == "mutation: 81.8 % killed (9 of 11; 3 silenced)"


@pytest.mark.parametrize(
    ("silence", "problem"),
    [
        ('mutants = ["two-unit/*"]\nwhy = "w"', "11:11: two-unit/* silences no mutant; correct it, or take it out"),
        (
            'mutants = ["two-units/*"]',
            '10:1: the silence has no reason; write why = "…": why no claim can tell the difference',
        ),
        ('why = "w"', '10:1: the silence names no mutants; write mutants = ["rule-id/effective_from/*"]'),
        (
            'mutant = ["a"]\nmutants = ["two-units/*"]\nwhy = "w"',
            "11:10: a silence has no mutant; did you mean mutants?",
        ),
    ],
)
def test_a_silence_that_is_wrong(tmp_path: Path, silence: str, problem: str) -> None:
    directory = write_rule_set(tmp_path, f"{TESTS}[[equivalent]]\n{silence}\n")
    report = mutation(directory, minimum=0.0)
    assert f"{directory}/tests.toml:{problem}" in [str(p) for p in report.problems]
    assert not report.ok


def test_mutants_of_the_rows_of_cases(tmp_path: Path) -> None:
    path = write_cases(tmp_path / "c.jsonl", ptp_case("A"), ptp_case("B"))
    report = mutation(path)
    text = path.read_text(encoding="utf-8")

    def column(value: str) -> int:
        return text.index(value) + 1

    assert [(m.id, m.where, m.fate) for m in report.mutants] == [
        ("A/medicare-ptp-practitioner/0/remove row", f"{path}:1:{column(json.dumps(PTP_ROW)[:20])}", "killed"),
        (
            "A/medicare-ptp-practitioner/0/modifier_indicator/0",
            f"{path}:1:{column(chr(34) + '1' + chr(34) + '}')}",
            "survived",
        ),
        ("A/medicare-ptp-practitioner/0/column_1/reverse", f"{path}:1:{column('G0247') - 1}", "killed"),
        ("A/medicare-ptp-practitioner/0/effective_from/-1 day", f"{path}:1:{column('2010-01-01') - 1}", "survived"),
        ("A/medicare-ptp-practitioner/0/effective_from/+1 day", f"{path}:1:{column('2010-01-01') - 1}", "survived"),
    ]
    line = next(iter(report.lines()))
    assert (
        line
        == f'SURVIVED {path}:1:{column(chr(34) + "1" + chr(34) + "}")}: A/medicare-ptp-practitioner/0/modifier_indicator/0: "1" → "0"'
    )


def test_boundaries_of_a_unit_value(tmp_path: Path) -> None:
    row = {"family": "MUE", "rule_set": "medicare-mue-practitioner", "procedure_code": "G0127", "value": 2, "mai": "2"}

    def case(identifier: str, units: str, status: str) -> dict[str, object]:
        made = ptp_case(
            identifier,
            rules=[row],
            options={"families": ["MUE"]},
            expect=[{"line_number": 1, "family": "MUE", "status": status}],
        )
        made["claim"]["lines"] = [{**made["claim"]["lines"][0], "units": units}]
        return made

    one = mutation(write_cases(tmp_path / "one.jsonl", case("A", "2", "PASS")), run="/value/")
    assert [(m.id.rpartition("/")[2], m.fate) for m in one.mutants] == [("-1", "killed"), ("+1", "survived")]
    both = mutation(write_cases(tmp_path / "both.jsonl", case("A", "2", "PASS"), case("B", "3", "FAIL")), run="/value/")
    assert [(m.id.rpartition("/")[2], m.fate, m.why) for m in both.mutants] == [
        ("-1", "killed", "A"),
        ("+1", "killed", "B"),
    ]


def test_silences_beside_cases(tmp_path: Path) -> None:
    path = write_cases(tmp_path / "c.jsonl", ptp_case("A"))
    silence = '[[equivalent]]\nmutants = ["A/*/effective_from/*"]\nwhy = "the date is assumed"\n'
    (tmp_path / "c.equivalent.toml").write_text(silence, encoding="utf-8")
    report = mutation(path)
    assert {m.id for m in report.having("silenced")} == {
        "A/medicare-ptp-practitioner/0/effective_from/-1 day",
        "A/medicare-ptp-practitioner/0/effective_from/+1 day",
    }
    assert report.problems == ()


def test_mutants_of_conventions_are_tried_on_cases_and_on_rules(tmp_path: Path) -> None:
    home = copy_rules(tmp_path / "home")
    tests = '[[test]]\nwhy = "a visit"\nline = [{ code = "G0402", date = "2024-02-01" }]\nexpect = ["1 visit FAIL"]\n'
    rules = RULE.replace(
        '"line.procedure_code is in list drugs", "line.units is more than 1"', '"line.procedure_code is in family em"'
    ).replace("two-units", "visit")
    write_rule_set(home, tests, rules)
    bypassed = ptp_case(
        expect=[
            {"line_number": 1, "family": "PTP", "status": "BYPASSED"},
            {"line_number": 2, "family": "PTP", "status": "PASS"},
        ]
    )
    bypassed["claim"]["lines"][0]["modifiers"] = ["59"]
    write_cases(home / "c.jsonl", bypassed)
    report = mutation(
        home, run="^(ptp-modifier-positions.csv/59@2019|code-families.csv/em G0402/remove|code-families.csv/em G0438)"
    )
    fates = {m.id: (m.fate, m.why) for m in report.mutants}
    assert fates["ptp-modifier-positions.csv/59@2019-07-01/column_2/reject"] == ("killed", "C-1")
    assert fates["ptp-modifier-positions.csv/59@2019-07-01/column_1/reject"][0] == "survived"
    assert fates["ptp-modifier-positions.csv/59@2019-07-01/remove row"] == ("killed", "C-1")
    assert fates["code-families.csv/em G0402/remove row"] == ("killed", "acme/a visit")
    assert fates["code-families.csv/em G0438 G0439/remove row"][0] == "survived"


def test_a_mutant_of_a_rule_is_tried_on_the_cases_that_ask_for_it(tmp_path: Path) -> None:
    home = copy_rules(tmp_path / "home")
    write_rule_set(home, TESTS.partition("\n\n")[2])
    case = ptp_case(
        rules=[{"rule_set": "acme", "loaded": True}],
        options={"families": ["POLICY"]},
        expect=[{"line_number": 1, "family": "POLICY", "status": "FAIL"}],
    )
    case["claim"]["lines"][0] |= {"procedure_code": "J0897", "units": "2"}
    write_cases(home / "c.jsonl", case)
    fates = {
        m.id: (m.fate, m.why) for m in mutation(home, run="^(two-units/(status|remove)|lists/drugs.csv/J0897)").mutants
    }
    assert fates == {
        "two-units/remove rule": ("killed", "C-1"),
        "two-units/status/REVIEW": ("killed", "C-1"),
        "lists/drugs.csv/J0897/remove row": ("killed", "C-1"),
    }


def test_a_choice_of_mutants(tmp_path: Path) -> None:
    directory = write_rule_set(tmp_path)
    one, again, other = (mutation(directory, limit=5, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert [m.id for m in one.mutants] != [m.id for m in other.mutants]
    assert (len(one.mutants), one.total) == (5, 14)
    assert list(one.lines())[-1].endswith("; 5 of 14 chosen)")
    with pytest.raises(ClaimEditsError, match="is no regular expression"):
        mutation(directory, run="(")


def test_no_time(tmp_path: Path) -> None:
    report = mutation(write_rule_set(tmp_path), seconds=0.0)
    assert report.counts == {"not tried": 14}
    assert list(report.lines()) == ["mutation: 100.0 % killed (0 of 0; 14 not tried)"]


@pytest.mark.parametrize("output_format", ["json", "github"])
def test_the_report_does_not_depend_on_the_number_of_processes(tmp_path: Path, output_format: str) -> None:
    home = copy_rules(tmp_path / "home", "duplicates")
    write_rule_set(home)
    write_cases(home / "c.jsonl", *(ptp_case(f"C-{i}") for i in range(5)))
    options = MutationOptions(limit=80, seed=7)
    one, two = (FORMATS[output_format](run_tests([home], mutation=options, jobs=jobs)) for jobs in (1, 2))
    assert one == two


@pytest.mark.parametrize("name", ["example-payer-policy", "code-edits", "duplicates"])
def test_no_mutant_of_a_shipped_rule_set_survives(name: str) -> None:
    report = mutation(RULES / name)
    assert list(map(str, report.having("survived"))) == []
    assert report.problems == ()
    assert report.counts["killed"] > 50


def test_no_mutant_of_the_modifier_rules_survives() -> None:
    """A choice: all of them take half a minute (``claim-edits test rules/ --mutate``)."""
    report = mutation(RULES / "medicare-modifier-requirements", limit=150, seed=4)
    assert list(map(str, report.having("survived"))) == []
    assert report.problems == ()


def test_ids_of_mutants_are_unique() -> None:
    directory = RULES / "medicare-modifier-requirements"
    ids = [m.id for m in mutate_rules(directory, "x")]
    assert len(ids) == len(set(ids)) > 700
