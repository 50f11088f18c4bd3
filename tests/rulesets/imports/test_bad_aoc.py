"""Add-on code files with mistakes: what is said, what is left out, what stops (file-formats.md §0 and §3)."""

from __future__ import annotations

from pathlib import Path

import pytest
from publisher_tables import AOC_HEAD, AOC_NAME, AOC_ROW, Row, import_them, refusal, tabs, workbook, write

from claimedits.model.dates import format_day, parse_day
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.revision import RevisionDraft

OTHER_ROW = ("2", "0Z008", "", "CCCCC", "", "2024001", "", "Contractor Defined Primary Codes")
NAMES = ("type", "add_on", "add_on_deleted", "primary", "primary_deleted", "effective", "deletion", "note")


def changed(**cells: str) -> Row:
    """A good row with some cells replaced."""
    return [cells.get(name, cell) for name, cell in zip(NAMES, AOC_ROW, strict=True)]


def import_rows(folder: Path, rows: list[Row], name: str = AOC_NAME, **options: object) -> RevisionDraft:
    (draft,) = import_them("aoc", write(folder, name, tabs([("Made up.",), *AOC_HEAD], rows)), **options)
    return draft


DATE = "is not a date of the form YYYYDDD, year and day of the year; restore the date as published"
CODE = "is not a code of five letters or digits; restore the code as published"
MISTAKES = [
    (AOC_ROW[:7], " has 7 cells, the header has 8; restore the row as published"),
    (changed(effective="2024367"), f"effective: {DATE}"),
    (changed(effective="2023366"), f"effective: {DATE}"),
    (changed(effective="2024000"), f"effective: {DATE}"),
    (changed(effective="20240101"), f"effective: {DATE}"),
    (changed(effective=""), "effective: is blank; every edit has an effective date"),
    (changed(deletion="2024999"), f"deletion: {DATE}"),
    (changed(add_on_deleted="24001"), f"add_on_deleted_on: {DATE}"),
    (changed(primary_deleted="*"), f"primary_deleted_on: {DATE}"),
    (changed(deletion="2023365"), "deletion: lies before the effective date; restore the dates as published"),
    (changed(add_on="0Z0099"), f"add_on_code: {CODE}"),
    (changed(primary=""), f"primary_code: {CODE}"),
    (changed(type="4"), "edit_type: is no type of add-on edit; a type is 1, 2 or 3"),
    (changed(type=""), "edit_type: is no type of add-on edit; a type is 1, 2 or 3"),
    (
        changed(primary="CCCCC"),
        "primary_code: CCCCC, contractor defined, stands with type 1; CCCCC goes with type 2 or 3",
    ),
]


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_bad_row_is_left_out_and_named(tmp_path: Path, row: Row, message: str) -> None:
    draft = import_rows(tmp_path, [row, OTHER_ROW], max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [f"{AOC_NAME}:3:{message}"]
    assert (draft.read, draft.kept) == (2, 1)


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_bad_row_stops_a_small_table(tmp_path: Path, row: Row, message: str) -> None:
    assert refusal(lambda: import_rows(tmp_path, [OTHER_ROW, row])) == [f"{AOC_NAME}:4:{message}"]


def test_old_roman_types_leap_days_and_tombstones_are_fine(tmp_path: Path) -> None:
    rows: list[Row] = [
        changed(type="I", deletion="2024366"),
        changed(type="II", primary="CCCCC"),
        changed(type="III", primary="0Z002", effective="2023181", deletion="2023181"),
    ]
    table = import_rows(tmp_path, rows).tables["edits"]
    assert table["edit_type"].to_pylist() == [1, 3, 2]
    assert [str(day) for day in table["effective_to"].to_pylist()] == ["2024-12-31", "2023-06-30", "None"]


def test_a_key_twice_stops(tmp_path: Path) -> None:
    rows: list[Row] = [AOC_ROW, changed(type="3", deletion="2024366")]
    assert refusal(lambda: import_rows(tmp_path, rows)) == [
        f"{AOC_NAME}:3: add-on, primary and effective date stand at {AOC_NAME}:4 too; keep one row a key"
    ]


def test_windows_of_a_pair_that_overlap_with_other_types_are_a_warning(tmp_path: Path) -> None:
    rows: list[Row] = [AOC_ROW, changed(type="3", effective="2024100")]
    draft = import_rows(tmp_path, rows)
    assert draft.kept == 2
    assert [str(problem) for problem in draft.warnings] == [
        f"{AOC_NAME}:4: its window overlaps {AOC_NAME}:3, which has another type"
    ]


def test_a_note_nobody_has_read_is_kept_with_a_warning(tmp_path: Path) -> None:
    rows: list[Row] = [changed(note='Says, "something" new'), OTHER_ROW]
    draft = import_rows(tmp_path, rows, known_notes=frozenset({OTHER_ROW[7]}))
    assert draft.tables["edits"]["note"].to_pylist() == [OTHER_ROW[7], 'Says, "something" new']
    assert [str(problem) for problem in draft.warnings] == [
        f"{AOC_NAME}:3:note: nobody has read this note yet; its rule is not applied; curate it in aoc-notes.csv"
    ]


@pytest.mark.parametrize("spelling", ["AOC_DelDT (Julian)", "aoc_deldt", "AOC_DelDT\n(Julian)"])
def test_header_spellings_with_and_without_a_notice(tmp_path: Path, spelling: str) -> None:
    head = [[spelling if title == "AOC_DelDT" else title for title in AOC_HEAD[0]]]
    path = workbook(
        tmp_path / AOC_NAME.replace(".txt", ".xlsx"), [*head, ["1", "0Z009", "", "0Z001", "", 2024001, "", ""]]
    )
    (draft,) = import_them("aoc", [path])
    assert (draft.read, draft.kept) == (1, 1)


def test_a_number_in_a_code_column_of_a_workbook_is_rejected(tmp_path: Path) -> None:
    name = AOC_NAME.replace(".txt", ".xlsx")
    rows: list[Row] = [*AOC_HEAD, (1, "0Z009", "", 11055, "", 2024001, "", ""), (2, *OTHER_ROW[1:])]
    (draft,) = import_them("aoc", [workbook(tmp_path / name, rows)], max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [
        f"{name}:2:primary_code: the code is a number, so its leading zero may be lost; save the column as text"
    ]


def test_a_quarter_is_in_force_to_the_end_of_the_year(tmp_path: Path) -> None:
    header = import_rows(tmp_path, [AOC_ROW]).header
    assert (header.rule_set, header.label) == ("medicare-aoc", "2024Q3")
    assert [format_day(day) for day in (header.effective_from, header.effective_to)] == ["2024-07-01", "2024-12-31"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "2024Q2"}, "its name says 2024Q3, --label says 2024Q2; leave --label out, or give the right file"),
        (
            {"program": Program.MEDICARE, "label": "2024Q2", "effective_from": parse_day("2024-04-01")},
            "its name says MEDICAID, --program says MEDICARE; leave --program out, or give the right file",
        ),
        (
            {"setting": Setting.OUTPATIENT_HOSPITAL},
            "is a table for all settings, --setting does not apply; leave --setting out",
        ),
    ],
)
def test_a_flag_that_contradicts_the_name_stops(tmp_path: Path, options: dict[str, object], message: str) -> None:
    name = AOC_NAME.replace("MCR", "MCD")
    assert refusal(lambda: import_rows(tmp_path, [AOC_ROW], name, **options))[0] == f"{name}: {message}"


def test_all_contradictions_are_told_at_once(tmp_path: Path) -> None:
    told = {"program": Program.MEDICAID, "label": "2024Q2", "effective_from": parse_day("2024-04-01")}
    assert refusal(lambda: import_rows(tmp_path, [AOC_ROW], **told)) == [
        f"{AOC_NAME}: its name says MEDICARE, --program says MEDICAID; leave --program out, or give the right file",
        f"{AOC_NAME}: its name says 2024Q3, --label says 2024Q2; leave --label out, or give the right file",
        f"{AOC_NAME}: its name says quarter 3 of 2024, --effective-from says 2024-04-01; "
        "leave --effective-from out, or give the right file",
    ]


def test_the_same_quarter_in_two_files_stops(tmp_path: Path) -> None:
    content = tabs(AOC_HEAD, [AOC_ROW])
    paths = [*write(tmp_path, AOC_NAME, content), *write(tmp_path, AOC_NAME.replace(".txt", ".copy.txt"), content)]
    assert refusal(lambda: import_them("aoc", paths)) == [
        f"{AOC_NAME}, AOC_V2024Q3-MCR.copy.txt: hold the same table of the same quarter; give one of them"
    ]
