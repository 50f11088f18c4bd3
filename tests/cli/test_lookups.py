"""``claim-edits lookup`` and ``claim-edits explain``: text for people, JSON for programs, exact refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lookup_release import open_release

from claimedits.cli.main import cli


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lookups")
    open_release(path)
    return path / "store"


def run(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--store", str(store), "--as-of", "2024-09-01"])


def look_up(store: Path, *arguments: str) -> Result:
    return run(store, "lookup", *arguments, "--date", "2024-08-15")


def test_a_pair_on_one_line(store: Path) -> None:
    result = look_up(store, "g0127", "G0247")
    assert result.exit_code == 0
    heading, row = result.output.splitlines()
    assert heading == "PTP"
    assert row.startswith(
        "  active  medicare-ptp-practitioner/G0247+G0127  column_1=G0247 column_2=G0127 modifier_indicator=1 "
    )
    assert row.endswith("case.jsonl row 1")


def test_a_diagnosis_with_a_code(store: Path) -> None:
    result = look_up(store, "--diagnosis", "e11.42", "G0127")
    assert result.exit_code == 0
    assert [line[:34] for line in result.output.splitlines() if "medicare-coverage" in line] == [
        "          medicare-coverage/A90001",
        "  active  medicare-coverage/A90001",
    ]
    assert "role=required_secondary lifted by Q8" in result.output


def test_edits_that_concern_every_code_are_named_at_the_end(store: Path) -> None:
    lines = look_up(store, "G9999").output.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("beside these, ")
    assert "active edits that concern every code: duplicates/exact, duplicates/suspect, " in lines[0]


def test_nothing_found_is_said(store: Path) -> None:
    result = look_up(store, "--diagnosis", "A00.0")
    assert (result.exit_code, result.output) == (0, "no edit found\n")


def test_json_holds_every_edit_with_its_citation(store: Path) -> None:
    edits = json.loads(look_up(store, "--diagnosis", "E11.42", "--family", "COVERAGE", "--format", "json").output)
    assert [edit["rule_id"] for edit in edits] == [
        "medicare-coverage/A90001",
        "medicare-coverage/A90001",
        "medicare-coverage/A90002",
        "medicare-coverage/NCD-1",
    ]
    assert edits[1]["fields"]["list"] == "covered 2"
    assert (edits[1]["citation"]["source_file"], edits[1]["citation"]["effective_from"]) == ("case.jsonl", "2024-07-01")
    assert len(json.loads(look_up(store, "G9999", "--format", "json").output)) > 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "CODE: is missing; send the code to look up, or a diagnosis in --diagnosis"),
        (("1172",), "CODE: is neither a procedure code nor a modifier; write five letters or digits, as in G0127, or two, as in 59"),
        (("G0127", "G-247"), "second CODE: is neither a procedure code nor a modifier; write five letters or digits, as in G0127, "
                             "or two, as in 59"),
        (("ß",), "CODE: is neither a procedure code nor a modifier; write five letters or digits, as in G0127, or two, as in 59"),
        (("--diagnosis", "11.42"), "--diagnosis: is not a diagnosis code; write an ICD-10-CM code, as in E11.42"),
        (("--diagnosis", "E11.42.1"), "--diagnosis: is not a diagnosis code; write an ICD-10-CM code, as in E11.42"),
        (("G0127", "G0247", "--diagnosis", "E11.42"), "second CODE: is given beside --diagnosis; ask for a pair of codes, "
                                                      "or for one code and --diagnosis"),
        (("59", "XS"), "second CODE: is a second modifier; ask for a procedure code with one modifier"),
        (("G0127", "G0247", "G0245"), "name one code or two"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_up_is_refused(store: Path, arguments: tuple[str, ...], said: str) -> None:
    result = look_up(store, *arguments)
    assert (result.exit_code, result.output.splitlines()[-1]) == (2, f"Error: {said}")


def test_every_problem_is_named_at_once(store: Path) -> None:
    result = look_up(store, "1172", "--diagnosis", "11")
    assert result.exit_code == 2
    assert [line.strip().removeprefix("Error: ")[:32] for line in result.output.splitlines()[-2:]] == [
        "CODE: is neither a procedure cod",
        "--diagnosis: is not a diagnosis ",
    ]


def test_an_unknown_family_is_refused(store: Path) -> None:
    result = look_up(store, "G0127", "--family", "NCCI")
    assert result.exit_code == 2
    assert "'NCCI' is not one of 'CODE_VALIDITY', 'DUPLICATE', 'MODIFIER', 'PTP'" in result.output


@pytest.mark.parametrize("command", [("lookup", "G0127"), ("explain", "duplicates/exact")])
def test_nothing_is_known_of_the_future(store: Path, command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*command, "--store", str(store), "--as-of", "2999-01-01"])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (
        "Error: Invalid value for '--as-of': nothing later than today is known; leave it out for today"
    )


def test_explain_says_what_an_id_means_and_shows_its_rows(store: Path) -> None:
    result = run(store, "explain", "medicare-mue-practitioner/G0127", "--date", "2024-08-15")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "medicare-mue-practitioner/G0127  MUE"
    assert lines[1].startswith("  Units of G0127 over the value are denied, all of them (MUE_EXCEEDED).")
    assert [line.split(":")[0] for line in lines if "active on" in line] == [
        "  not active on 2024-08-15",
        "  active on 2024-08-15",
    ]
    assert "    value: 2" in lines


def test_explain_in_json(store: Path) -> None:
    explained = json.loads(run(store, "explain", "medicare-coverage/A90002", "--format", "json").output)
    assert (explained["rule_id"], explained["family"], len(explained["rows"])) == (
        "medicare-coverage/A90002",
        "COVERAGE",
        1,
    )
    assert explained["meaning"].startswith("A90002 says for which diagnoses its procedure codes are covered")


def test_explain_refuses_an_id_that_no_finding_carries(store: Path) -> None:
    result = run(store, "explain", "medicare-mue-practitoner/G0127")
    assert result.exit_code == 1
    assert result.output == (
        "error: RULE_ID: the release holds no rule set medicare-mue-practitoner; did you mean medicare-mue-practitioner?\n"
    )
