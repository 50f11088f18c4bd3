"""PTP files with mistakes: what is said, what is left out, what stops (file-formats.md §0 and §1)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from publisher_tables import (
    PTP_HEAD,
    PTP_ROW,
    Row,
    archive,
    import_them,
    part_name,
    refusal,
    tabs,
    workbook,
    write_parts,
)

from claimedits.model.dates import format_day, parse_day
from claimedits.model.problems import ImportRefusedError
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.revision import RevisionDraft

F1 = part_name(1)


def import_rows(folder: Path, rows: list[Row], foot: str = "", **options: object) -> RevisionDraft:
    (draft,) = import_them("ptp", write_parts(folder, rows, foot), **options)
    return draft


def changed(**cells: str) -> Row:
    """A good row with some cells replaced."""
    names = ("column_1", "column_2", "prior", "effective", "deletion", "indicator", "rationale")
    return [cells.get(name, cell) for name, cell in zip(names, PTP_ROW, strict=True)]


DATE = "is not a date of the form YYYYMMDD; restore the date as published"
CODE = "is not a code of five letters or digits; restore the code as published"
MISTAKES = [
    (PTP_ROW[:6], "7: has 6 cells, the header has 7; restore the row as published"),
    ((*PTP_ROW, "more"), "7: has 8 cells, the header has 7; restore the row as published"),
    (changed(effective="20241332"), f"7:effective: {DATE}"),
    (changed(effective="*"), f"7:effective: {DATE}"),
    (changed(effective=""), f"7:effective: {DATE}"),
    (changed(deletion="20230229"), f"7:deletion: {DATE}"),
    (changed(deletion=""), "7:deletion: is blank; an open row of Medicare's table has a * here"),
    (changed(deletion="20191231"), "7:deletion: lies before the effective date; restore the dates as published"),
    (changed(column_1="0Z0011"), f"7:column_1: {CODE}"),
    (changed(column_2="Z002"), f"7:column_2: {CODE}"),
    (changed(column_2=""), f"7:column_2: {CODE}"),
    (changed(indicator="7"), "7:modifier_indicator: is no modifier indicator; an indicator is 0, 1 or 9"),
    (
        changed(prior="x"),
        "7:in_existence_prior_to_1996: is neither * nor blank; restore the flag as published",
    ),
    (changed(column_2="0z001"), "7:column_2: is the code of column 1; remove the row: no code conflicts with itself"),
    (
        changed(column_1="0Z0", effective="2020", indicator=""),
        "7:column_1: is not a code of five letters or digits (also wrong: effective, modifier_indicator); "
        "restore the code as published",
    ),
]


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_bad_first_row_is_never_taken_for_the_header(tmp_path: Path, row: Row, message: str) -> None:
    draft = import_rows(tmp_path, [row, changed(column_2="0Z003")], max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [f"{F1}:{message}"]
    assert (draft.read, draft.kept) == (5, 4)


@pytest.mark.parametrize(("row", "message"), MISTAKES)
def test_a_bad_last_row_is_never_taken_for_a_foot(tmp_path: Path, row: Row, message: str) -> None:
    found = refusal(lambda: import_rows(tmp_path, [changed(column_2="0Z003"), row]))
    assert found == [f"{F1}:{message.replace('7:', '8:', 1)}"]


def test_rejected_rows_under_the_threshold_are_left_out_and_counted(tmp_path: Path) -> None:
    good: list[Row] = [changed(column_1=f"1Z{n:03}") for n in range(1000)]
    draft = import_rows(tmp_path, [*good, changed(effective="20241332")])
    assert (draft.read, draft.kept) == (1004, 1003)
    assert [str(problem) for problem in draft.rejects] == [f"{F1}:1007:effective: {DATE}"]


def test_rejected_rows_over_the_threshold_stop_and_are_told_up_to_fifty(tmp_path: Path) -> None:
    bad: list[Row] = [changed(column_1=f"1Z{n:03}", indicator="7") for n in range(60)]
    with pytest.raises(ImportRefusedError) as raised:
        import_rows(tmp_path, bad)
    assert raised.value.headline == (
        "60 of 63 rows are rejected, more than the share of 0.001 allowed; nothing was kept. "
        "Mend the file, or raise --max-reject-fraction"
    )
    told = [str(problem) for problem in raised.value.problems]
    assert len(told) == 51
    assert told[49:] == [
        f"{F1}:56:modifier_indicator: is no modifier indicator; an indicator is 0, 1 or 9",
        f"{F1}: and 10 more rows",
    ]


def test_blank_rows_and_notes_end_a_file_but_do_not_interrupt_it(tmp_path: Path) -> None:
    foot = "NOTE: made up\t\t\t\t\t\t\r\n\t\t\t\t\t\t\r\nEnd of the table\r\n\r\n"
    rows: list[Row] = [PTP_ROW, [""], changed(column_2="0Z003")]
    draft = import_rows(tmp_path, rows, foot, max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [f"{F1}:8: is a blank row within the data; remove it"]
    assert (draft.read, draft.kept) == (6, 5)
    assert draft.header.sources[0].records == 13
    assert draft.tables["edits"]["source_row"].to_pylist()[:2] == [7, 9]


@pytest.mark.parametrize(("swapped", "indicator"), [(False, "1"), (True, "0")])
def test_two_open_rows_of_an_unordered_pair_stop(tmp_path: Path, swapped: bool, indicator: str) -> None:
    codes = {"column_1": "0Z002", "column_2": "0Z001"} if swapped else {}
    rows: list[Row] = [PTP_ROW, changed(**codes, effective="20210101", indicator=indicator)]
    assert refusal(lambda: import_rows(tmp_path, rows)) == [
        f"{F1}:8: the pair is open here and at {F1}:7; "
        "a pair has at most one row without a deletion date, whatever the column order"
    ]


def test_identical_copies_are_dropped_and_all_are_counted(tmp_path: Path) -> None:
    draft = import_rows(tmp_path, [PTP_ROW] * 31)
    assert (draft.read, draft.kept, draft.rejects) == (34, 4, [])
    told = [str(problem) for problem in draft.warnings]
    assert told[0] == f"{F1}:8: is an identical copy of another row and was dropped"
    assert told[20:] == [f"{F1}:28: and 10 more rows like it: is an identical copy of another row and was dropped"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [changed(deletion="20231130")],
            "7: the deletion date is not the last day of a quarter",
        ),
        ([changed(effective="20241001")], "7: the effective date lies after the quarter of the edition"),
        (
            [changed(indicator="9", deletion="20201231")],
            "7: indicator 9 and deletion on the effective date go together; read as withdrawn",
        ),
        (
            [changed(indicator="1", deletion="20200101")],
            "7: indicator 9 and deletion on the effective date go together; read as withdrawn",
        ),
        (
            [
                changed(effective="20100101", deletion="20231231"),
                changed(effective="20110101", deletion="20111231"),
                changed(effective="20130101", deletion="20131231", indicator="0"),
            ],
            "9: its window overlaps another of the same pair; the latest counts",
        ),
    ],
)
def test_what_is_odd_is_kept_with_a_warning(tmp_path: Path, rows: list[Row], message: str) -> None:
    draft = import_rows(tmp_path, rows)
    assert draft.kept == len(rows) + 3
    assert f"{F1}:{message}" in [str(problem) for problem in draft.warnings]


def test_published_oddities_of_withdrawn_rows_are_no_warnings(tmp_path: Path) -> None:
    withdrawn = {"effective": "20191030", "deletion": "20191030", "indicator": "9"}
    draft = import_rows(tmp_path, [PTP_ROW, changed(**withdrawn), changed(**withdrawn, rationale="Other")])
    assert (draft.kept, draft.warnings) == (6, [])


def test_a_header_without_rows_stops(tmp_path: Path) -> None:
    paths = write_parts(tmp_path)
    for path in paths:
        path.write_bytes(tabs(PTP_HEAD, []))
    found = refusal(lambda: import_them("ptp", paths))
    assert found == ["medicare-ptp-practitioner v30.2: holds a header and no rows; download it again"]


# --- parts, settings, labels


def test_every_missing_part_of_every_edition_is_named(tmp_path: Path) -> None:
    mixed = [*write_parts(tmp_path)[:2], *write_parts(tmp_path, setting="oph")[2:]]
    missing = "is missing; give all four parts, f1 to f4, together"
    assert refusal(lambda: import_them("ptp", mixed)) == [
        f"practitioner v30.2 part f3: {missing}",
        f"practitioner v30.2 part f4: {missing}",
        f"outpatient-hospital v30.2 part f1: {missing}",
        f"outpatient-hospital v30.2 part f2: {missing}",
    ]


def test_parts_of_two_versions_do_not_make_one_edition(tmp_path: Path) -> None:
    mixed = [*write_parts(tmp_path)[:3], write_parts(tmp_path, version="301")[3]]
    found = refusal(lambda: import_them("ptp", mixed))
    assert found[0] == "practitioner v30.2 part f4: is missing; give all four parts, f1 to f4, together"
    assert [problem.split(":")[0] for problem in found[1:]] == [f"practitioner v30.1 part f{n}" for n in (1, 2, 3)]


def test_an_excerpt_alone_lacks_the_other_parts(tmp_path: Path) -> None:
    excerpt = tmp_path / "ccipra-v322r0-f1.excerpt.TXT"
    excerpt.write_bytes(tabs(PTP_HEAD, [PTP_ROW]))
    found = refusal(lambda: import_them("ptp", [excerpt]))
    assert [problem.split(":")[0] for problem in found] == [f"practitioner v32.2 part f{n}" for n in (2, 3, 4)]


def test_a_part_given_twice_stops(tmp_path: Path) -> None:
    paths = write_parts(tmp_path)
    again = archive(tmp_path / "again.zip", {part_name(2): paths[1].read_bytes()})
    found = refusal(lambda: import_them("ptp", [*paths, again]))
    assert found == [f"{part_name(2)}, again.zip/{part_name(2)}: part f2 is given 2 times; give each part once"]


def test_a_fifth_part_stops(tmp_path: Path) -> None:
    fifth = tmp_path / part_name(5)
    fifth.write_bytes(tabs(PTP_HEAD, [PTP_ROW]))
    found = refusal(lambda: import_them("ptp", [*write_parts(tmp_path), fifth]))
    assert found == [f"{part_name(5)}: is no part of four; give the parts f1 to f4"]


def test_whole_editions_given_together_are_one_draft_each(tmp_path: Path) -> None:
    paths = [*write_parts(tmp_path), *write_parts(tmp_path, setting="oph"), *write_parts(tmp_path, release=1)]
    drafts = import_them("ptp", paths)
    assert [(draft.header.rule_set, draft.header.label) for draft in drafts] == [
        ("medicare-ptp-practitioner", "v30.2"),
        ("medicare-ptp-outpatient-hospital", "v30.2"),
        ("medicare-ptp-practitioner", "v30.2r1"),
    ]


def test_a_replacement_governs_the_same_quarter(tmp_path: Path) -> None:
    (draft,) = import_them("ptp", write_parts(tmp_path, release=1), published_on=parse_day("2024-07-15"))
    header = draft.header
    assert header.label == "v30.2r1"
    days = (header.effective_from, header.effective_to, header.published_on)
    assert list(map(format_day, days)) == ["2024-07-01", "2024-09-30", "2024-07-15"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "v30.1"}, "its name says v30.2, --label says v30.1; leave --label out, or give the right file"),
        (
            {"setting": Setting.OUTPATIENT_HOSPITAL},
            "its name says PRACTITIONER, --setting says OUTPATIENT_HOSPITAL; leave --setting out, or give the right file",
        ),
        (
            {"effective_from": parse_day("2024-04-01")},
            "its name says quarter 3 of 2024, --effective-from says 2024-04-01; "
            "leave --effective-from out, or give the right file",
        ),
        (
            {"effective_from": parse_day("2024-07-02")},
            "2024-07-02 is not the first day of a quarter; "
            "quarters begin on the first of January, April, July and October",
        ),
    ],
)
def test_a_flag_that_contradicts_the_names_stops(tmp_path: Path, options: dict[str, object], message: str) -> None:
    found = refusal(lambda: import_them("ptp", write_parts(tmp_path), **options))
    assert found == [f"{part_name(n)}: {message}" for n in (1, 2, 3, 4)]


def test_an_ambulatory_centre_is_served_by_the_practitioner_table(tmp_path: Path) -> None:
    (draft,) = import_them("ptp", write_parts(tmp_path), setting=Setting.ASC)
    assert draft.header.rule_set == "medicare-ptp-practitioner"


def test_a_file_whose_name_says_nothing_needs_flags(tmp_path: Path) -> None:
    path = tmp_path / "edits.txt"
    path.write_bytes(tabs(PTP_HEAD, [PTP_ROW]))
    assert refusal(lambda: import_them("ptp", [path])) == [
        "edits.txt: its name does not say the setting; say it with --setting",
        "edits.txt: its name does not say the quarter; say it with --effective-from",
    ]


def test_a_medicaid_table_is_one_file_and_a_blank_deletion_is_open(tmp_path: Path) -> None:
    content = tabs(PTP_HEAD, [changed(deletion="")])
    path = archive(tmp_path / "medicaid-ncci-2024-q3-ptp-edits-practitioner-services.zip", {"edits.txt": content})
    (draft,) = import_them("ptp", [path], program=Program.MEDICAID)
    assert (draft.header.rule_set, draft.header.label) == ("medicaid-ptp-practitioner", "2024Q3")
    assert draft.tables["edits"]["effective_to"].to_pylist() == [None]


def test_a_much_smaller_table_than_the_edition_before_is_a_warning(tmp_path: Path) -> None:
    before = {"edits": pa.table({"column_1": ["0Z001"] * 100})}
    draft = import_rows(tmp_path, [PTP_ROW], previous=lambda rule_set, day: before)
    assert [str(problem) for problem in draft.warnings] == [
        "medicare-ptp-practitioner v30.2: holds 4 rows, the edition before 100: more than 5% apart; "
        "compare with the count on the download label (--expected-rows)"
    ]


# --- workbooks


def test_a_number_in_a_code_column_of_a_workbook_is_rejected(tmp_path: Path) -> None:
    paths = write_parts(tmp_path)[1:]
    rows: list[Row] = [*PTP_HEAD, PTP_ROW, (1960, "0Z002", "", 20200101, "*", 1, "Standards")]
    first = workbook(tmp_path / F1.replace("TXT", "xlsx"), rows)
    (draft,) = import_them("ptp", [first, *paths], max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [
        "ccipra-v302r0-f1.xlsx:8:column_1: the code is a number, so its leading zero may be lost; save the column as text"
    ]
    assert (draft.read, draft.kept) == (5, 4)


def test_numbers_are_fine_as_dates_and_indicators_of_a_workbook(tmp_path: Path) -> None:
    text = write_parts(tmp_path)
    (expected,) = import_them("ptp", text)
    first = workbook(
        tmp_path / "ccipra-v302r0-f1.xlsx", [*PTP_HEAD, ("0Z001", "0Z002", "", 20200101, "*", 1, "Standards")]
    )
    (draft,) = import_them("ptp", [first, *text[1:]])
    assert draft.tables["edits"].equals(expected.tables["edits"])
