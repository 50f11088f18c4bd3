"""Fee schedules: what is read, and what every violation says (file-formats.md §4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_set_files import PFS_NAME, fee_schedule
from publisher_tables import archive, import_them, refusal, workbook, write

from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.imports import ImportOptions, import_files

ROW = "G0001,,A,0,XXX,0,0,0,0,0"


def test_the_stacked_header_is_joined_and_the_release_date_read(tmp_path: Path) -> None:
    rows = (ROW, "G0002,,A,1,010,2,1,0,1,2", "G0002,26,A,1,010,2,1,0,1,2")
    (draft,) = import_files("pfs", write(tmp_path, PFS_NAME, fee_schedule(*rows)))
    header = draft.header
    assert (header.rule_set, header.kind, header.label) == ("medicare-pfs-indicators", "pfs", "2024C")
    assert [format_day(d) for d in (header.effective_from, header.effective_to, header.published_on)] == [
        "2024-07-01",
        "2024-09-30",
        "2024-06-10",
    ]
    assert draft.tables["indicators"].to_pylist()[1] == {
        "procedure_code": "G0002",
        "modifier": "",
        "status": "A",
        "pctc": "1",
        "global_days": "010",
        "multiple_procedure": "2",
        "bilateral": "1",
        "assistant": "0",
        "co_surgeon": "1",
        "team_surgeon": "2",
        "source": 0,
        "source_row": 7,
    }
    assert (draft.read, draft.kept, draft.warnings) == (3, 3, [])


def test_a_release_may_start_within_a_quarter(tmp_path: Path) -> None:
    paths = write(tmp_path, "PPRRVU24_JAN.csv", fee_schedule(ROW))
    (draft,) = import_them("pfs", paths, effective_from=parse_day("2024-03-09"))
    header = draft.header
    assert (header.label, format_day(header.effective_from), format_day(header.effective_to)) == (
        "2024A from 2024-03-09",
        "2024-03-09",
        "2024-03-31",
    )


def test_other_members_are_passed_over_and_one_of_two_forms_is_read(tmp_path: Path) -> None:
    members = {
        "GPCI2026.csv": b"x",
        "PPRRVU2026_Jul_QPP.csv": fee_schedule(ROW),
        "PPRRVU2026_Jul_nonQPP.csv": fee_schedule(ROW, "G0002,,A,0,XXX,0,0,0,0,0"),
    }
    path = archive(tmp_path / "rvu26c-updated-06-30-2026.zip", members)
    (draft,) = import_files("pfs", [path])
    assert (draft.header.label, draft.kept) == ("2026C of 2026-06-30", 2)
    assert [source.file for source in draft.header.sources] == ["PPRRVU2026_Jul_nonQPP.csv"]


def test_component_rows_are_held_to_the_indicator(tmp_path: Path) -> None:
    rows = (ROW, "G0001,26,A,6,XXX,0,0,0,0,0", "G0003,TC,A,1,XXX,0,0,0,0,0")
    (draft,) = import_files("pfs", write(tmp_path, PFS_NAME, fee_schedule(*rows)))
    assert list(map(str, draft.warnings)) == [
        f"{PFS_NAME}:7:modifier: 26 stands with PC/TC indicator 6, not 1",
        f"{PFS_NAME}:8:modifier: TC stands without the global row of its code",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "G0002,,Z,0,XXX,0,0,0,0,0",
            f"{PFS_NAME}:7:status: is no status code; published values are A, B, C, E, I, J, M, N, P, R, T, X",
        ),
        (
            "G0002,,A,0,30,0,0,0,0,0",
            f"{PFS_NAME}:7:global_days: is no global period; published values are 000, 010, 090, MMM, XXX, YYY, ZZZ",
        ),
        ("G0002,,A,0,XXX,0,5,0,0,0", f"{PFS_NAME}:7:bilateral: is no bilateral indicator; published values are 0, 1, 2, 3, 9"),
        ("G02,,A,0,XXX,0,0,0,0,0", f"{PFS_NAME}:7:procedure_code: is not a code of five letters or digits; restore the code as published"),
        ("G0002,,A,0,XXX,0", f"{PFS_NAME}:7: has 6 cells, the header has 10; restore the row as published"),
        (ROW, f"{PFS_NAME}:7:procedure_code: the same code and modifier stands at {PFS_NAME}:6:procedure_code too; keep one row"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, row: str, message: str) -> None:
    paths = write(tmp_path, PFS_NAME, fee_schedule(ROW, row))
    assert refusal(lambda: import_them("pfs", paths)) == [message]


def test_rejects_below_the_threshold_are_counted(tmp_path: Path) -> None:
    paths = write(tmp_path, PFS_NAME, fee_schedule(ROW, "G0002,,Z,0,XXX,0,0,0,0,0"))
    (draft,) = import_them("pfs", paths, max_reject_fraction=0.5)
    assert (draft.read, draft.kept, len(draft.rejects)) == (2, 1, 1)


def test_a_number_in_the_code_column_of_a_workbook(tmp_path: Path) -> None:
    head = [
        "HCPCS",
        "MOD",
        "STATUS CODE",
        "PCTC IND",
        "GLOB DAYS",
        "MULT PROC",
        "BILAT SURG",
        "ASST SURG",
        "CO-SURG",
        "TEAM SURG",
    ]
    path = workbook(tmp_path / "PPRRVU24_JUL.xlsx", [head, [99999, "", "A", 0, "XXX", 0, 0, 0, 0, 0]])
    assert refusal(lambda: import_them("pfs", [path])) == [
        "PPRRVU24_JUL.xlsx:2:procedure_code: the code is a number, so its leading zero may be lost; save the column as text"
    ]


def test_name_and_flags_must_agree(tmp_path: Path) -> None:
    paths = write(tmp_path, PFS_NAME, fee_schedule(ROW))
    assert refusal(lambda: import_them("pfs", paths, effective_from=parse_day("2024-10-01"))) == [
        f"{PFS_NAME}: its name says quarter 3 of 2024, --effective-from says 2024-10-01; leave --effective-from out, or give the right file"
    ]
    assert refusal(lambda: import_them("pfs", paths, label="2023A")) == [
        f"{PFS_NAME}: its name says 2024C, --label says 2023A; leave --label out, or give the right file"
    ]


def test_the_wrong_archive_is_told(tmp_path: Path) -> None:
    paths = write(tmp_path, "GPCI2024.csv", b"a,b\r\n")
    assert refusal(lambda: import_them("pfs", paths)) == [
        "GPCI2024.csv: holds no relative value table (PPRRVU…csv or .xlsx); give the rvu… archive as published"
    ]


def test_a_file_much_shorter_than_the_release_before_is_warned_of(tmp_path: Path) -> None:
    rows = [f"G{n:04d},,A,0,XXX,0,0,0,0,0" for n in range(20)]
    (before,) = import_files("pfs", write(tmp_path, PFS_NAME, fee_schedule(*rows)))
    options = ImportOptions(previous=lambda rule_set, day: before.tables)
    (draft,) = import_files("pfs", write(tmp_path, "PPRRVU24_OCT.csv", fee_schedule(*rows[:18])), options)
    assert list(map(str, draft.warnings)) == [
        "PPRRVU24_OCT.csv: holds 18 rows, the edition before held 20: more than 5% apart; make sure that the file is whole"
    ]
