"""Column mappings: what they may say, and what is told of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimedits.app.claim_sources.column_mapping import (
    MappingError,
    date_pattern,
    load_mapping,
    read_mapping,
    shipped_mappings,
)

MINIMAL = """
[columns]
claim_id = "ID"
program = { constant = "MEDICARE" }
setting = { constant = "PRACTITIONER" }
procedure_code = "CODE"
units = "QTY"
service_date = "DOS"
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        read_mapping(text, "m.toml")
    return [str(problem) for problem in caught.value.problems]


def test_minimal_mapping() -> None:
    mapping = read_mapping(MINIMAL, "m.toml")
    assert [column for column, _, _ in mapping.columns()] == ["ID", "CODE", "QTY", "DOS"]
    assert mapping.adjacent
    assert mapping.delimiter == ","


def test_shipped_mappings_are_sound_and_say_their_source() -> None:
    assert shipped_mappings() == [
        "cms-rif-carrier",
        "cms-rif-dme",
        "cms-rif-outpatient",
        "generic",
        "line-table",
        "synpuf-carrier",
        "synpuf-outpatient",
    ]
    for name in shipped_mappings():
        assert load_mapping(name).origin == name
        text = (Path(load_mapping.__code__.co_filename).parent / "mappings" / f"{name}.toml").read_text()
        assert "\nsource = " in text


def test_ranges_and_repeated_columns() -> None:
    text = MINIMAL.replace('"CODE"', '"CODE_{n}"').replace(
        "[columns]", '[repeat]\ncount = 3\npresent = "CODE_{n}"\n[columns]'
    )
    mapping = read_mapping(text + 'diagnoses = { columns = ["DX", "DX{2..4}"] }', "m.toml")
    assert mapping.sources["diagnoses"].columns == ("DX", "DX2", "DX3", "DX4")
    assert mapping.instances("CODE_{n}") == ["CODE_1", "CODE_2", "CODE_3"]


def test_everything_wrong_is_told_at_once() -> None:
    text = """
rows = "sorted"
delimiter = "||"
date_format = "YYYY"
null = [1]
colour = "red"
[repeat]
count = 0
present = "X"
[[leave_out]]
column = "A"
[columns]
claim_id = 3
bla = "x"
units = { column = "a", columns = ["b"] }
sex = { columns = ["a", "b"] }
program = { constant = "AETNA" }
paid = { column = "S", amount = "cents" }
charge_cents = { column = "C", amount = "euro" }
diagnosis_pointers = "P"
line_diagnoses = "D"
state = { column = 2 }
modifiers = { column = "M{n}", pad = 99 }
"""
    assert problems_of(text) == [
        "m.toml: colour: is no key of a mapping; use one of name, source, delimiter, rows, date_format, null, columns, repeat, leave_out",
        "m.toml: rows: is neither adjacent nor anywhere; say whether the rows of a claim stand together",
        'm.toml: delimiter: is not one ASCII character; write it like "," or "|" or "\\t"',
        "m.toml: repeat.count: is not from 1 to 999; say how many lines stand in one row",
        "m.toml: repeat.present: names no column with {n}; name the column that a line that is there fills",
        "m.toml: date_format: does not name a year, a month and a day once each; use YYYY, DDD, MON, MM, DD, as in DD-MON-YYYY",
        'm.toml: columns.claim_id: is neither a column\'s name nor a table; write it like "NAME" or { column = "NAME" }',
        "m.toml: columns.bla: is no field of a claim line; use one of claim_id, program, setting, billing_provider_id, state, "
        "contractor_id, patient_id, birth_date, sex, type_of_bill, condition_codes, clia_certificate, payer_id, "
        "prior_authorization_number, diagnoses, line_number, procedure_code, modifiers, units, service_date, service_date_end, "
        "diagnosis_pointers, line_diagnoses, rendering_provider_id, rendering_specialty, place_of_service, revenue_code, "
        "charge_cents, non_covered_charge_cents, paid",
        "m.toml: columns.units: needs exactly one of column, columns, join, first_of and constant; say where the values are",
        "m.toml: columns.sex: has one value, not several; name one column, or join several",
        "m.toml: columns.program: gives an unknown word; use one of MEDICARE, MEDICAID",
        "m.toml: columns.paid.amount: does not fit this field; leave it out",
        "m.toml: columns.charge_cents.amount: is neither dollars nor cents; say what the amounts count",
        "m.toml: columns.state.column: is not text; see docs/claim-sources.md",
        "m.toml: columns.state: needs exactly one of column, columns, join, first_of and constant; say where the values are",
        "m.toml: columns.modifiers: holds {n} without lines that repeat; add [repeat], for fields of a line",
        "m.toml: columns.modifiers.pad: is not from 0 to 20; say how many characters a code has",
        "m.toml: columns.setting: is missing; every claim line needs it: name its column or a constant",
        "m.toml: columns.service_date: is missing; every claim line needs it: name its column or a constant",
        "m.toml: columns.procedure_code: is missing; name the column of the HCPCS or CPT code",
        "m.toml: columns.line_diagnoses: stands beside diagnosis_pointers; keep one of the two",
        "m.toml: null: holds something else than texts; write each entry in quotes",
        "m.toml: leave_out[0]: lacks column, or not just one of equals and filled; "
        "name a column, and the texts to leave out or filled = true",
    ]


def test_text_that_is_no_toml() -> None:
    (problem,) = problems_of("columns = [")
    assert problem.startswith("m.toml: is not TOML: ")


def test_mapping_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        load_mapping(str(tmp_path / "m.toml"))
    assert str(caught.value).startswith(
        f"{tmp_path}/m.toml: cannot be read: No such file or directory; give a TOML file, or one of cms-rif"
    )


@pytest.mark.parametrize(
    ("text", "fits"),
    [("YYYYMMDD", "20240301"), ("DD-MON-YYYY", "01-Mar-2024"), ("MM/DD/YYYY", "3/1/2024"), ("YYYYDDD", "2024061")],
)
def test_date_formats(text: str, fits: str) -> None:
    pattern = date_pattern(text)
    assert pattern is not None
    assert pattern.fullmatch(fits)
    assert not pattern.fullmatch(fits + "0")
