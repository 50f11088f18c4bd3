"""Bad files of code sets, fee schedules and small lists: one exact message for each fault, and nothing kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_set_files import HCPCS_NAME, ICD10_NAME, PFS_NAME, fee_schedule, hcpcs_record, lines, order_record
from publisher_tables import import_them, refusal, write

from claimedits.app.importing import import_into_store
from claimedits.model.dates import parse_day
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.store import Store

CODES = "procedure_code,effective_from,effective_to\r\n0Z001,2020-01-01,\r\n0Z002,2020-01-01,2021-12-31\r\n"
PLACES = "pos_code,pos_type,pos_name\r\n02,Facility,Telehealth\r\n"
MODIFIERS = "mod_code,mod_type,mod_description\r\n25,CPT,x\r\n"
ADJUSTMENTS = "code,type,start_date,end_date\r\nCO,Group,,\r\n15,CARC,1995-01-01,2018-05-01\r\n"
HEADER = "restore the header as published"


@pytest.mark.parametrize(
    ("family", "text", "messages"),
    [
        ("procedure-codes", CODES.replace("effective_to", "x"), [f"list.csv:1: has no column effective_to; {HEADER}"]),
        (
            "procedure-codes",
            CODES.replace("effective_from", "effective_to"),
            [
                f"list.csv:1: has no column effective_from; {HEADER}",
                "list.csv:1: has the column effective_to more than once (columns 2 and 3); keep one of them",
            ],
        ),
        (
            "procedure-codes",
            CODES.replace(",", ";"),
            ["list.csv:1: its columns are separated by semicolons; save it as CSV with commas"],
        ),
        (
            "procedure-codes",
            "A list of codes\r\n" + CODES.replace(",", "\t"),
            ["list.csv:2: its columns are separated by tabs; save it as CSV with commas"],
        ),
        (
            "procedure-codes",
            CODES.split("\r\n")[0] + "\r\n",
            ["list.csv: holds a header and no rows; download it again"],
        ),
        (
            "procedure-codes",
            CODES.replace("2020-01-01,\r\n", "2024-02-31,\r\n"),
            ["list.csv:2:effective_from: is not a date of the calendar; restore the date as published"],
        ),
        (
            "procedure-codes",
            CODES.replace("2020-01-01,\r\n", "20240231,\r\n"),
            ["list.csv:2:effective_from: is not a date of the form YYYYMMDD; restore the date as published"],
        ),
        (
            "procedure-codes",
            CODES.replace("0Z001", "0Z01").replace("2021-12-31", "2019-12-31"),
            [
                "list.csv:2:procedure_code: is not a code of five letters or digits; restore the code as published",
                "list.csv:3:effective_to: lies before the first day; restore the dates as published",
            ],
        ),
        ("place-of-service", PLACES.replace("pos_type", "x"), [f"list.csv:1: has no column category; {HEADER}"]),
        (
            "modifiers",
            MODIFIERS.replace("mod_type", "modifier"),
            ["list.csv:1: has the column modifier more than once (columns 1 and 2); keep one of them"],
        ),
        ("adjustment-codes", ADJUSTMENTS.replace("end_date", "x"), [f"list.csv:1: has no column effective_to; {HEADER}"]),
        (
            "adjustment-codes",
            ADJUSTMENTS.replace("15,CARC", "15,RARC"),
            ["list.csv:3:adjustment_code: is no code of its category; restore code and category as published"],
        ),
        (
            "modifiers",
            PLACES,
            [
                "list.csv: no header with the columns modifier stands in the first 80 records; "
                "this looks like a list of places of service: run import place-of-service"
            ],
        ),
        (
            "place-of-service",
            CODES,
            [
                "list.csv: no header with the columns place_of_service, category stands in the first 80 records; "
                "give the publisher's table of this family"
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_list(tmp_path: Path, family: str, text: str, messages: list[str]) -> None:
    paths = write(tmp_path, "list.csv", text.encode())
    assert refusal(lambda: import_them(family, paths, effective_from=parse_day("2024-01-01"))) == messages


@pytest.mark.parametrize(
    ("family", "name", "content", "messages"),
    [
        (
            "hcpcs",
            HCPCS_NAME,
            lines([hcpcs_record("A999", added="20240231")]),
            [
                f"{HCPCS_NAME}:1:code: is not a code of five letters or digits (also wrong: added); "
                "restore the code as published"
            ],
        ),
        (
            "hcpcs",
            "codes.txt",
            CODES.encode(),
            [
                "codes.txt: its name does not say the quarter; say it with --effective-from",
            ],
        ),
        (
            "pfs",
            PFS_NAME,
            fee_schedule("G0001,,A,0,XXX,0,0,0,0,0").replace(b"PCTC,", b"PC,"),
            [f"{PFS_NAME}:4: has no column pctc; {HEADER}"],
        ),
        (
            "pfs",
            ICD10_NAME,
            lines([order_record(1, "A00", "0")]),
            [
                f"{ICD10_NAME}: holds no relative value table (PPRRVU…csv or .xlsx); "
                "this looks like a list of diagnosis codes: run import icd10"
            ],
        ),
        (
            "icd10",
            "icd10cm_codes_2026.csv",
            b"code,flag\r\nA00,0\r\n",
            [f"icd10cm_codes_2026.csv:1: has no column billable; {HEADER}"],
        ),
        (
            "icd10",
            PFS_NAME,
            fee_schedule("G0001,,A,0,XXX,0,0,0,0,0"),
            [
                f"{PFS_NAME}: is no ICD-10-CM order file: order number, code, billable flag and titles at fixed places; "
                "this looks like a fee schedule: run import pfs"
            ],
        ),
        (
            "mue",
            "icd10cm_codes_2026.csv",
            b"code,billable\r\nA00,0\r\n",
            [
                "icd10cm_codes_2026.csv: its name does not say the setting; "
                "this looks like a list of diagnosis codes: run import icd10",
                "icd10cm_codes_2026.csv: its name does not say the quarter; "
                "this looks like a list of diagnosis codes: run import icd10",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_code_set(
    tmp_path: Path, family: str, name: str, content: bytes, messages: list[str]
) -> None:
    assert refusal(lambda: import_them(family, write(tmp_path, name, content))) == messages


def test_an_archive_of_another_family_is_told_once(tmp_path: Path) -> None:
    paths = [write(tmp_path, f"lcd_{i}.csv", b"lcd_id,lcd_version\r\n1,2\r\n")[0] for i in range(3)]
    assert refusal(lambda: import_them("modifiers", paths, effective_from=parse_day("2024-01-01"))) == [
        "lcd_0.csv: no header with the columns modifier stands in the first 80 records, nor in 2 more files; "
        "this looks like a coverage export: run import coverage"
    ]


def test_a_file_without_modifiers_makes_no_empty_edition_of_them(tmp_path: Path) -> None:
    drafts = import_them("hcpcs", write(tmp_path, HCPCS_NAME, lines([hcpcs_record("A9991")])))
    assert [draft.header.rule_set for draft in drafts] == ["procedure-codes"]
    assert list(map(str, drafts[0].warnings)) == [
        f"{HCPCS_NAME}: holds no modifiers (record id 7): no edition of them was made; give the whole file as published"
    ]


def test_windows_of_one_code_that_overlap_are_warned_of(tmp_path: Path) -> None:
    text = CODES.replace("0Z002,2020-01-01,2021-12-31", "0Z001,2021-01-01,2021-12-31")
    paths = write(tmp_path, "list.csv", text.encode())
    (draft,) = import_them("procedure-codes", paths, effective_from=parse_day("2024-01-01"))
    assert list(map(str, draft.warnings)) == [
        "list.csv:3:effective_from: 0Z001 has a window that shares days with that of record 2; end one before the other"
    ]


def test_a_list_beside_an_order_file_is_named(tmp_path: Path) -> None:
    paths = [
        *write(tmp_path, ICD10_NAME, lines([order_record(1, "A00", "0"), order_record(2, "A000")])),
        *write(tmp_path, "icd10cm_code_list_2025.txt", b"1\r\nA00-A09\r\nA00\r\n"),
    ]
    (draft,) = import_them("icd10", paths)
    assert list(map(str, draft.warnings)) == [
        "icd10cm_code_list_2025.txt: passed over: is no ICD-10-CM order file: order number, code, billable flag and "
        "titles at fixed places"
    ]


def test_nothing_half_kept_of_two_files_of_which_one_is_bad(tmp_path: Path) -> None:
    store = tmp_path / "store"
    good = write(tmp_path, "a.csv", CODES.encode())
    import_into_store(store, "procedure-codes", good, effective_from="2023-01-01", published_on="2023-01-01")
    before = [info.id for info in Store.open(store).revisions()]
    content = lines([hcpcs_record("A9991"), hcpcs_record("YY", "7"), hcpcs_record("A9992", added="20240231")])
    with pytest.raises(ImportRefusedError):
        import_into_store(store, "hcpcs", write(tmp_path, HCPCS_NAME, content), published_on="2024-06-01")
    assert [info.id for info in Store.open(store).revisions()] == before
