"""MUE files with mistakes: what is said, what is left out, what stops (file-formats.md §0 and §2)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from publisher_tables import (
    MEDICAID_MUE_NAME,
    MUE_HEAD,
    MUE_NAME,
    MUE_ROW,
    Row,
    commas,
    import_them,
    refusal,
    workbook,
    write,
)

from claimedits.model.dates import format_day, parse_day
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.revision import RevisionDraft

FIRST = 3
"""Record of the first row: a notice and the header, both with line ends within, come before."""
CLINICAL = "3 Date of Service Edit: Clinical"


def import_rows(
    folder: Path, rows: list[Row], name: str = MUE_NAME, foot: str = "", **options: object
) -> RevisionDraft:
    (draft,) = import_them("mue", write(folder, name, commas(MUE_HEAD, rows, foot)), **options)
    return draft


VALUE = "is not a whole number of units from 0; restore the value as published"
MISTAKES = [
    (
        ("0Z0011", *MUE_ROW[1:]),
        "procedure_code: is not a code of five letters or digits; restore the code as published",
    ),
    (("", *MUE_ROW[1:]), "procedure_code: is not a code of five letters or digits; restore the code as published"),
    (("0Z001", "", *MUE_ROW[2:]), "value: is blank, which is not 0; restore the value as published"),
    (("0Z001", "-1", *MUE_ROW[2:]), f"value: {VALUE}"),
    (("0Z001", "1.5", *MUE_ROW[2:]), f"value: {VALUE}"),
    (("0Z001", "many", *MUE_ROW[2:]), f"value: {VALUE}"),
    (("0Z001", "2", "7 Line Edit", ""), "mai: is no MUE adjudication indicator; it begins with 1, 2 or 3"),
    (("0Z001", "2", "", ""), "mai: is no MUE adjudication indicator; it begins with 1, 2 or 3"),
    (("0Z001", "2", "3 Line Edit", ""), f"mai: its number and its words disagree; 3 is '{CLINICAL[2:].lower()}'"),
    (("0Z001", "2", "12 Line Edit", ""), "mai: its number and its words disagree; 1 is 'line edit'"),
]


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_bad_row_is_left_out_and_named(tmp_path: Path, row: Row, message: str) -> None:
    draft = import_rows(tmp_path, [row, ("0Z002", "0", CLINICAL, "")], max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [f"{MUE_NAME}:{FIRST}:{message}"]
    assert (draft.read, draft.kept) == (2, 1)


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_bad_row_stops_a_small_table(tmp_path: Path, row: Row, message: str) -> None:
    found = refusal(lambda: import_rows(tmp_path, [("0Z002", "0", CLINICAL, ""), row]))
    assert found == [f"{MUE_NAME}:{FIRST + 1}:{message}"]


@pytest.mark.parametrize(("cells", "found"), [(MUE_ROW[:3], 3), ((*MUE_ROW, "a comma lost its quotes"), 5)])
def test_a_row_with_other_cells_than_the_header(tmp_path: Path, cells: Row, found: int) -> None:
    message = f"{MUE_NAME}:{FIRST}: has {found} cells, the header has 4; restore the row as published"
    assert refusal(lambda: import_rows(tmp_path, [cells])) == [message]


@pytest.mark.parametrize("row", ['"0Z001,2,1 Line Edit,', '0Z001,2,1 Line Edit,"CMS"Policy"'])
def test_a_quote_that_would_swallow_rows_stops(tmp_path: Path, row: str) -> None:
    message = (
        f"{MUE_NAME}:{FIRST + 1}: a quoted cell begins here and does not end as it should; "
        "restore the quotes as published"
    )
    foot = row + "\r\n0Z003,2,1 Line Edit,CMS Policy\r\n"
    assert refusal(lambda: import_rows(tmp_path, [MUE_ROW], foot=foot)) == [message]


def test_zero_is_a_value_and_words_may_differ_in_case_and_blanks(tmp_path: Path) -> None:
    rows: list[Row] = [("0Z001", "0", "1 line  edit", "Drug discontinued"), ("0Z002", "90000", "3", "")]
    table = import_rows(tmp_path, rows).tables["values"]
    assert table["value"].to_pylist() == [0, 90_000]
    assert table["mai"].to_pylist() == [1, 3]


def test_a_code_twice_stops_and_both_rows_are_named(tmp_path: Path) -> None:
    rows: list[Row] = [MUE_ROW, ("0Z002", "0", CLINICAL, ""), ("0z001", "3", CLINICAL, "")]
    assert refusal(lambda: import_rows(tmp_path, rows)) == [
        f"{MUE_NAME}:{n}:procedure_code: the code has another row; keep one row a code" for n in (FIRST, FIRST + 2)
    ]


def test_blank_records_and_notes_end_the_file(tmp_path: Path) -> None:
    draft = import_rows(tmp_path, [MUE_ROW], foot="NOTE: made up,,,\r\n,,,\r\n\r\n")
    assert (draft.read, draft.kept, draft.rejects) == (1, 1, [])


def test_a_blank_record_within_the_data_is_rejected(tmp_path: Path) -> None:
    found = refusal(lambda: import_rows(tmp_path, [MUE_ROW, ("", "", "", ""), ("0Z002", "0", CLINICAL, "")]))
    assert found == [f"{MUE_NAME}:{FIRST + 1}: is a blank row within the data; remove it"]


def test_a_header_without_rows_stops(tmp_path: Path) -> None:
    found = refusal(lambda: import_rows(tmp_path, []))
    assert found == [f"{MUE_NAME}: holds a header and no rows; download it again"]


def test_no_header_within_eighty_records_stops(tmp_path: Path) -> None:
    text = b"title,,,\r\n" * 80 + commas(MUE_HEAD, [MUE_ROW])
    assert refusal(lambda: import_them("mue", write(tmp_path, MUE_NAME, text))) == [
        f"{MUE_NAME}: no header with the columns procedure_code, value, rationale stands in the first 80 records; "
        "give the publisher's table of this family"
    ]


# --- programs, dates, flags


def test_a_medicaid_table_has_no_mai(tmp_path: Path) -> None:
    head = [("HCPCS/\r\nCPT Code", "Practitioner Services MUE Values", "MUE Rationale")]
    content = commas(head, [("0Z001", "2", "Clinical: Medicare Data")])
    (draft,) = import_them("mue", write(tmp_path, MEDICAID_MUE_NAME, content), program=Program.MEDICAID)
    assert draft.header.rule_set == "medicaid-mue-practitioner"
    assert draft.tables["values"]["mai"].to_pylist() == [0]


def test_a_medicaid_file_with_an_mai_stops(tmp_path: Path) -> None:
    assert refusal(lambda: import_rows(tmp_path, [MUE_ROW], MEDICAID_MUE_NAME)) == [
        f"{MEDICAID_MUE_NAME}: has an MAI column, which Medicaid tables have not; leave --program MEDICAID out"
    ]


def test_a_medicare_file_without_an_mai_stops(tmp_path: Path) -> None:
    head = [("HCPCS/\r\nCPT Code", "Practitioner Services MUE Values", "MUE Rationale")]
    paths = write(tmp_path, MUE_NAME, commas(head, [("0Z001", "2", "CMS Policy")]))
    assert refusal(lambda: import_them("mue", paths)) == [
        f"{MUE_NAME}: has no MAI column, which Medicare tables have; say --program MEDICAID if it is Medicaid's"
    ]


def test_a_date_within_a_quarter_stops(tmp_path: Path) -> None:
    name = MUE_NAME.replace("07-01", "08-01")
    assert refusal(lambda: import_rows(tmp_path, [MUE_ROW], name)) == [
        f"{name}: its name says it takes effect on 2024-08-01, which is not the first day of a quarter; "
        "give the table as published"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"program": Program.MEDICAID},
            "its name says MEDICARE, --program says MEDICAID; leave --program out, or give the right file",
        ),
        ({"label": "2024Q2"}, "its name says 2024Q3, --label says 2024Q2; leave --label out, or give the right file"),
        (
            {"setting": Setting.DME_SUPPLIER},
            "its name says PRACTITIONER, --setting says DME_SUPPLIER; leave --setting out, or give the right file",
        ),
        ({"confidential": True}, "is a published table by its name, not a private one; leave --confidential out"),
    ],
)
def test_a_flag_that_contradicts_the_name_stops(tmp_path: Path, options: dict[str, object], message: str) -> None:
    assert refusal(lambda: import_rows(tmp_path, [MUE_ROW], **options)) == [f"{MUE_NAME}: {message}"]


def test_private_and_published_tables_do_not_mix(tmp_path: Path) -> None:
    content = commas(MUE_HEAD, [MUE_ROW])
    paths = [*write(tmp_path, "private.csv", content), *write(tmp_path, MUE_NAME, content)]
    told = {"setting": Setting.PRACTITIONER, "effective_from": parse_day("2024-07-01"), "confidential": True}
    assert refusal(lambda: import_them("mue", paths, **told)) == [
        f"{MUE_NAME}: is a published table by its name, not a private one; leave --confidential out"
    ]
    (draft,) = import_them("mue", paths[:1], **told)
    assert draft.header.rule_set == "medicare-mue-practitioner-confidential"
    assert draft.tables["values"]["confidential"].to_pylist() == [True]


def test_the_table_of_a_quarter_governs_that_quarter(tmp_path: Path) -> None:
    header = import_rows(tmp_path, [MUE_ROW]).header
    assert header.label == "2024Q3"
    assert [format_day(day) for day in (header.effective_from, header.effective_to)] == ["2024-07-01", "2024-09-30"]
    assert header.sources[0].encoding == "cp1252"


# --- the edition before


def test_changed_values_are_told_and_many_deserve_a_look(tmp_path: Path) -> None:
    before = {"values": pa.table({"procedure_code": ["0Z001", "0Z002"], "value": [1, 0], "mai": [2, 3]})}
    rows: list[Row] = [MUE_ROW, ("0Z002", "0", CLINICAL, ""), ("0Z003", "5", CLINICAL, "")]
    draft = import_rows(tmp_path, rows, previous=lambda rule_set, day: before)
    assert [str(problem) for problem in draft.warnings] == [
        f"{MUE_NAME}: 1 of 2 values differ from the edition before, more than 5%; make sure that it is the right table",
        f"{MUE_NAME}:{FIRST}:value: was 1 with MAI 2 in the edition before, is 2 with MAI 2",
    ]


def test_changed_confidential_values_are_never_told(tmp_path: Path) -> None:
    before = {"values": pa.table({"procedure_code": ["0Z001"], "value": [1], "mai": [2]})}
    told = {"setting": Setting.PRACTITIONER, "effective_from": parse_day("2024-07-01"), "confidential": True}
    draft = import_rows(tmp_path, [MUE_ROW], "private.csv", previous=lambda rule_set, day: before, **told)
    assert draft.warnings == []


# --- workbooks


def test_a_number_in_the_code_column_of_a_workbook_is_rejected(tmp_path: Path) -> None:
    name = MUE_NAME.replace(".csv", ".xlsx")
    rows: list[Row] = [("Made up", "", "", ""), *MUE_HEAD, (1999, 2, CLINICAL, ""), ("0Z002", 0, 1, "")]
    (draft,) = import_them("mue", [workbook(tmp_path / name, rows)], max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [
        f"{name}:3:procedure_code: the code is a number, so its leading zero may be lost; save the column as text"
    ]
    assert draft.tables["values"].select(["procedure_code", "value", "mai"]).to_pylist() == [
        {"procedure_code": "0Z002", "value": 0, "mai": 1}
    ]


def test_a_list_of_changes_is_not_the_table(tmp_path: Path) -> None:
    name = "MCR_MUE_PractitionerServices_Changes_Eff_07-01-2024.csv"
    assert refusal(lambda: import_rows(tmp_path, [MUE_ROW], name)) == [
        f"{name}: is a list of changes, not the table; give the whole table"
    ]
