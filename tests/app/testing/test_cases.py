"""Reading files of cases: every problem at its row and column, and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_tests import PTP_ROW, line, ptp_case, write_cases

from claimedits.app.testing.cases import BadCase, Case, locate, read_cases
from claimedits.app.testing.json_places import find_columns


def problems_of(path: Path, case: dict[str, Any] | str) -> list[str]:
    """The problems of the only case of a file, without the file's name."""
    (bad,) = read_cases(write_cases(path / "c.jsonl", case), "c.jsonl")
    assert isinstance(bad, BadCase)
    return [str(p).removeprefix("c.jsonl:") for p in bad.problems]


def test_a_good_case(tmp_path: Path) -> None:
    (case,) = read_cases(write_cases(tmp_path / "c.jsonl", ptp_case()), "c.jsonl")
    assert isinstance(case, Case)
    assert (case.id, case.where, [e.status.name for e in case.expect]) == ("C-1", "c.jsonl:1:1", ["FAIL", "PASS"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"id": }', "1:8: is not JSON: expecting value; write one JSON object a line"),
        ("[1]", "1:1: is no JSON object; write a case as in docs/testing-rules.md"),
        ('{"id": NaN}', "1:1: is not JSON: NaN is no number of JSON; write numbers in digits"),
        ("[" * 100_000, "1:1: is nested too deeply; write a case as in docs/testing-rules.md"),
    ],
)
def test_a_line_that_is_no_case(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(tmp_path, text) == [problem]


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    case = json.loads(json.dumps(ptp_case()))
    target = case
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return case


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("id",), "", 'id is no text; write "id": "…"'),
        (("claim",), 3, "claim is no object; write the claim as an object"),
        (("claim", "lines", 0, "units"), "x", 'claim.lines[0].units is not a number of units; write a decimal from 0 to 99999999.999 as text, as in "1" or "2.5"'),
        (("options", "families", 0), "PTB", "options.families[0] is no family; did you mean PTP?"),
        (("options", "as_of"), "2024-13-01", 'options.as_of is not a date; write it like "2024-07-15", or leave it empty for today'),
        (("options", "family"), "PTP", "options.family is no option of a case; did you mean families?"),
        (("expct",), [], "expct is no field of a case; did you mean expect?"),
        (("expect",), [], "expect is missing or empty: the case tests nothing; say what each line comes out as"),
        (("expect", 0, "status"), "FAILS", "expect[0].status is no status; did you mean FAIL?"),
        (("expect", 0, "line_number"), 7, "expect[0].line_number is no line of the claim (7); use one of 1, 2"),
        (("expect", 0, "family"), "MUE", "expect[0].family MUE is not among options.families; add it there, or leave it out here"),
        (("expect", 0, "cod"), "X", "expect[0].cod is nothing that can be expected; did you mean code?"),
        (("expect", 1, "line_number"), 1, "expect[1] line 1 PTP is expected twice; expect the worst status alone"),
        (("rules", 0, "rule_set"), None, 'rules[0] names no rule_set; write "rule_set": "medicare-ptp-practitioner"'),
        (("rules", 0), {}, 'rules[0] names no rule_set; write "rule_set": "medicare-ptp-practitioner"'),
        (("rules", 0), 7, "rules[0] is no object; write rows as an object"),
        (("rules", 0, "column_1"), 11055, 'rules[0].column_1 11055 stands without quotes; write codes in quotes: "11055"'),
        (("rules", 0, "modifier_indicator"), "2", "rules[0].modifier_indicator cannot be 2; use one of 0, 1, 9"),
        (("rules", 0, "effective_to"), "2009-12-31", "rules[0].effective_to lies before effective_from; the last day is inclusive"),
        (("rules", 0, "effective_from"), "01/01/2010", "rules[0].effective_from is not a date; write it like 2024-07-01, or leave it empty"),
        (("rules", 0, "revision"), {"effective_from": "x"}, "rules[0].revision.effective_from is not a date; write it like 2024-07-01, or leave it empty"),
        (("rules",), {}, "rules is no list; write a list of rows"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong(tmp_path: Path, path: tuple[str | int, ...], value: Any, problem: str) -> None:
    case = changed(path, value)
    (found,) = problems_of(tmp_path, case)
    place, _, said = found.partition(": ")
    assert said == problem
    column = int(place.partition(":")[2])
    here = {p: c for p, c in find_columns(json.dumps(case)).items() if c == column}
    assert here, "the column is that of a value"
    (where,) = here
    length = min(len(where), len(path))
    assert where[:length] == path[:length], "the column is that of the value, of what holds it, or of what is in it"


def test_rows_that_lack_a_field(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {k: v for k, v in PTP_ROW.items() if k != "column_2"},
        {"rule_set": "medicare-mue-practitioner", "procedure_code": "J1100", "value": "3", "mai": "4"},
        {"rule_set": "medicare-modifier-requirements", "kind": "builtin", "rule": "E05"},
        {"rule_set": "medicare-coverage", "document_id": "A1", "procedure_codes": ["11055"], "states": [],
         "groups": [{"group": 1, "role": "covered", "icd10_codes": []}]},
    ]  # fmt: skip
    assert [p.partition(": ")[2] for p in problems_of(tmp_path, ptp_case(rules=rows))] == [
        "rules[0] states no column_2; write every field of the row (docs/testing-rules.md)",
        "rules[1].value is no whole number from 0 to 2147483647; write it without quotes, such as 2",
        "rules[1].mai cannot be 4; use one of 1, 2, 3",
        'rules[2].kind cannot be builtin; use one of built_in, required, exactly_one_of, or "loaded": true for all its rules',
        "rules[3].groups holds a group of role covered; use one of standalone, primary_eligible, required_secondary, non_covered",
    ]


def test_switches_need_tables_of_the_case(tmp_path: Path) -> None:
    case = ptp_case(rules=None, options={"families": ["PTP"], "switches": {"ptp.same_provider": "rendering_only"}})
    (found,) = problems_of(tmp_path, case)
    assert found.partition(": ")[2] == (
        "options.switches cannot be set: the case names no tables, and the release of a store has switches of its own; "
        "name the tables under rules, or leave the switches out"
    )


def test_bad_lines_do_not_stop_the_next(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    good, again = json.dumps(ptp_case()), json.dumps(ptp_case())
    path.write_bytes(
        b"\xef\xbb\xbf"
        + good.encode()
        + b"\r\n\r\n\xff\n"
        + again.encode()
        + b"\n"
        + json.dumps(ptp_case("C-2")).encode()
    )
    read = list(read_cases(path, "c.jsonl"))
    assert [(type(case).__name__, case.where) for case in read] == [
        ("Case", "c.jsonl:1:1"),
        ("BadCase", "c.jsonl:3:1"),
        ("BadCase", "c.jsonl:4:1"),
        ("Case", "c.jsonl:5:1"),
    ]
    assert [str(p) for case in read if isinstance(case, BadCase) for p in case.problems] == [
        "c.jsonl:3:1: is not UTF-8; save the file as UTF-8",
        "c.jsonl:4:1: the id C-1 stands twice, first in row 1; give it an id of its own",
    ]


def test_a_line_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claimedits.app.testing.cases.MOST_BYTES", 3_000)
    long = ptp_case("LONG", why="x" * 7_000)
    path = write_cases(tmp_path / "c.jsonl", ptp_case(), long, ptp_case("C-3"))
    first, bad, last = read_cases(path, "c.jsonl")
    assert isinstance(bad, BadCase)
    assert [str(p) for p in bad.problems] == ["c.jsonl:2:1: is longer than 3000 bytes; write one case a line"]
    assert (first.id, last.id, last.where) == ("C-1", "C-3", "c.jsonl:3:1")


def test_a_place_in_a_later_line(tmp_path: Path) -> None:
    path = write_cases(tmp_path / "c.jsonl", ptp_case(why="ä"), ptp_case("C-2"))
    _, case = read_cases(path)
    assert isinstance(case, Case)
    column = path.read_text(encoding="utf-8").splitlines()[1].index('"G0247"') + 1
    assert locate(case, "rules[0].column_1") == f"{path}:2:{column}"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(values, st.sampled_from([None, (", ", ": "), (" ,\t", " : ")]))
def test_columns_are_those_of_the_values(value: object, separators: tuple[str, str] | None) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=False).replace("\u2028", "_")
    columns = find_columns(text)
    decoder = json.JSONDecoder()

    def check(path: tuple[str | int, ...], part: object) -> None:
        assert decoder.raw_decode(text, columns[path] - 1)[0] == part
        items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for step, inner in items:
            check((*path, step), inner)

    check((), json.loads(text))


def test_history_and_units_are_lines_like_others(tmp_path: Path) -> None:
    claim = {**ptp_case()["claim"], "history_lines": [{**line(1, "G0247"), "claim_id": "H", "unit": "1"}]}
    assert [p.partition(": ")[2] for p in problems_of(tmp_path, ptp_case(claim=claim))] == [
        "claim.history_lines[0].unit is no field of a claim; check its spelling against the contract, or leave it out"
    ]
