"""Bad claims: every problem at once, by field path, with the mend, and never the value itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimedits.model.claim_reading import ClaimLimits, read_claim
from claimedits.model.dates import parse_day
from claimedits.model.problems import ClaimInvalidError

LINE = {"line_number": 1, "procedure_code": "G0463", "units": "1", "service_date": "2024-08-15"}
CLAIM = {"claim_id": "C", "program": "MEDICARE", "setting": "PRACTITIONER", "lines": [LINE]}
LINE_MEND = "write a day of the calendar in the form YYYY-MM-DD"
UNITS_MEND = 'write a decimal from 0 to 99999999.999 as text, as in "1" or "2.5"'


def problems(**changes: Any) -> list[str]:
    """What is wrong with the plain claim after changes; ``line`` changes its one line."""
    line = {**LINE, **changes.pop("line", {})}
    with pytest.raises(ClaimInvalidError) as raised:
        read_claim({**CLAIM, "lines": [line], **changes})
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lines": []}, ["lines: is empty; a claim has at least one line"]),
        (
            {"setting": "HOSPICE"},
            ["setting: is not a known word; use one of PRACTITIONER, ASC, OUTPATIENT_HOSPITAL, DME_SUPPLIER"],
        ),
        ({"program": None}, ["program: is missing; use one of MEDICARE, MEDICAID"]),
        (
            {"diagnoses": ["E119"] * 13},
            ["diagnoses: has 13 entries, the most is 12; leave out the rest or split the claim"],
        ),
        ({"line": {"units": "-1"}}, [f"lines[0].units: is not a number of units; {UNITS_MEND}"]),
        ({"line": {"units": "1e9"}}, [f"lines[0].units: is not a number of units; {UNITS_MEND}"]),
        ({"line": {"units": "999999999"}}, [f"lines[0].units: is not a number of units; {UNITS_MEND}"]),
        ({"line": {"units": "NaN"}}, [f"lines[0].units: is not a number of units; {UNITS_MEND}"]),
        ({"line": {"units": 1.5}}, [f"lines[0].units: is not a number of units; {UNITS_MEND}"]),
        ({"line": {"units": ""}}, [f"lines[0].units: is missing; {UNITS_MEND}"]),
        (
            {"line": {"service_date_end": "2024-08-14"}},
            ["lines[0].service_date_end: lies before service_date; the last day of service is on or after the first"],
        ),
        (
            {"line": {"service_date": "1899-12-31"}},
            ["lines[0].service_date: is out of range; write a day from 1966-07-01 to 2099-12-31"],
        ),
        ({"line": {"service_date": "2024-02-30"}}, [f"lines[0].service_date: is not a date; {LINE_MEND}"]),
        ({"line": {"service_date": "20240815"}}, [f"lines[0].service_date: is not a date; {LINE_MEND}"]),
        ({"line": {"service_date": ""}}, [f"lines[0].service_date: is missing; {LINE_MEND}"]),
        (
            {"line": {"modifiers": ["59", "LT", "GC", "Q6", "33"]}},
            ["lines[0].modifiers: has 5 entries, the most is 4; leave out the rest or split the claim"],
        ),
        (
            {"line": {"modifiers": ["590"]}},
            ["lines[0].modifiers[0]: is not a modifier; a modifier has two letters or digits"],
        ),
        ({"line": {"modifiers": "59"}}, ["lines[0].modifiers: is not a list; send a list of texts"]),
        ({"line": {"modifiers": [True]}}, ["lines[0].modifiers[0]: is not text; write it in quotes"]),
        (
            {"line": {"procedure_code": "992134"}},
            ["lines[0].procedure_code: is not a procedure code; a HCPCS or CPT code has five letters or digits"],
        ),
        ({"line": {"procedure_code": 99213}}, ["lines[0].procedure_code: is not text; write it in quotes"]),
        (
            {"line": {"procedure_code": " "}},
            [
                "lines[0].procedure_code: is missing; send a HCPCS or CPT code; facility lines may send a revenue_code alone"
            ],
        ),
        (
            {"diagnoses": ["E119"], "line": {"diagnosis_pointers": [0]}},
            ["lines[0].diagnosis_pointers[0]: 0 points at no diagnosis; the claim has 1 diagnoses, counted from 1"],
        ),
        (
            {"diagnoses": ["E119"], "line": {"diagnosis_pointers": [1, 2]}},
            ["lines[0].diagnosis_pointers[1]: 2 points at no diagnosis; the claim has 1 diagnoses, counted from 1"],
        ),
        ({"diagnoses": ["", "E119"]}, ["diagnoses[0]: is empty; leave no gap; diagnosis pointers count positions"]),
        (
            {"line": {"modifers": []}},
            ["lines[0].modifers: is no field of a claim; check its spelling against the contract, or leave it out"],
        ),
        (
            {"history_line": []},
            ["history_line: is no field of a claim; check its spelling against the contract, or leave it out"],
        ),
        (
            {"line": {"line_number": 0}},
            ["lines[0].line_number: is not a whole number from 1 to 99999; write a whole number from 1 to 99999"],
        ),
        (
            {"line": {"charge_cents": 12.5}},
            ["lines[0].charge_cents: is not an amount in cents; write a whole number of cents, or leave it out"],
        ),
        (
            {"line": {"place_of_service": "2"}},
            ["lines[0].place_of_service: is not a place of service; write two digits and keep the zero, as in 02"],
        ),
        ({"patient": {"birth_date": "1950-13-01"}}, [f"patient.birth_date: is not a date; {LINE_MEND}"]),
        ({"patient": "P1"}, ["patient: is not an object; send patient_id, birth_date and sex in an object"]),
        (
            {"history_lines": [{**LINE, "paid": "yes"}]},
            ["history_lines[0].paid: is neither true nor false; leave it out when it is unknown"],
        ),
        ({"claim_id": "a\nb"}, ["claim_id: is not an identifier; use at most 100 printable characters"]),
    ],
)
def test_one_mistake_one_message(changes: dict[str, Any], expected: list[str]) -> None:
    assert problems(**changes) == expected


def test_all_problems_at_once() -> None:
    found = problems(setting="X", line={"units": "-1", "service_date": "1899-01-01", "procedure_code": "1"})
    assert [text.split(":")[0] for text in found] == [
        "setting",
        "lines[0].service_date",
        "lines[0].procedure_code",
        "lines[0].units",
    ]


def test_line_numbers_twice() -> None:
    assert problems(lines=[LINE, LINE]) == [
        "lines[1].line_number: 1 is also the number of lines[0]; number each line once"
    ]


def test_ten_thousand_lines() -> None:
    with pytest.raises(ClaimInvalidError) as raised:
        read_claim({**CLAIM, "lines": [LINE] * 10_000})
    (problem,) = raised.value.problems
    assert str(problem) == "lines: has 10000 lines, the limit is 1000; split the claim or raise the limit"
    assert problem.code == "E_LIMIT_LINES"


def test_limits_are_the_callers_to_set() -> None:
    lines = [{**LINE, "line_number": i} for i in range(1, 4)]
    with pytest.raises(ClaimInvalidError):
        read_claim({**CLAIM, "lines": lines}, ClaimLimits(lines=2))
    assert len(read_claim({**CLAIM, "lines": lines}, ClaimLimits(lines=3)).lines) == 3


def test_case_blanks_and_the_dot_are_normalised_and_the_code_sent_is_kept() -> None:
    claim = read_claim(
        {
            **CLAIM,
            "state": "pa",
            "diagnoses": ["e11.42"],
            "lines": [{**LINE, "procedure_code": " g0463 ", "modifiers": ["lt", "", " 59"]}],
        }
    )
    assert claim.state == "PA"
    assert claim.diagnoses == ("E1142",)
    assert claim.lines[0].procedure_code == "G0463"
    assert claim.lines[0].procedure_code_sent == " g0463 "
    assert claim.lines[0].modifiers == ("LT", "59")
    assert claim.lines[0].service_date == claim.lines[0].service_date_end == parse_day("2024-08-15")


def test_a_value_seen_before_reads_the_same() -> None:
    assert read_claim(CLAIM) == read_claim(CLAIM)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12), st.just([]), st.just({})
)


@given(
    st.sampled_from(
        sorted({*LINE, "modifiers", "diagnosis_pointers", "charge_cents", "service_date_end", "revenue_code"})
    ),
    scalars,
)
def test_any_value_reads_or_is_refused_with_its_path(name: str, value: Any) -> None:
    try:
        read_claim({**CLAIM, "lines": [{**LINE, name: value}]})
    except ClaimInvalidError as error:
        assert all(problem.where.startswith(("lines", "claim")) for problem in error.problems)
        assert all(problem.mend for problem in error.problems)
