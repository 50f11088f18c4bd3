"""HCPCS Level II: fixed width and workbook, codes and modifiers (file-formats.md §5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_set_files import HCPCS_NAME, hcpcs_record, lines
from publisher_tables import import_them, refusal, workbook, write

from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.imports import ImportOptions, import_files

RECORDS = (
    hcpcs_record("A9991", title="Made-up supply, long, two-", ended="20211231"),
    hcpcs_record("A9991", "4", "way, each", added=""),
    hcpcs_record("A9992"),
    hcpcs_record("ZZ", "7", "Made-up modifier", added="20150101"),
    hcpcs_record("ZZ", "8", "for tests", added=""),
)


def test_codes_and_modifiers_become_two_drafts(tmp_path: Path) -> None:
    codes, modifiers = import_them("hcpcs", write(tmp_path, HCPCS_NAME, lines(RECORDS)))
    header = codes.header
    assert (header.rule_set, header.kind, header.label) == ("procedure-codes", "procedure-codes", "2024Q3")
    assert (format_day(header.effective_from), format_day(header.effective_to)) == ("2024-07-01", "2024-09-30")
    assert header.sources[0].records == 5
    rows = codes.tables["codes"].to_pylist()
    assert [
        (r["procedure_code"], str(r["effective_from"]), str(r["effective_to"]), r["title"], r["source_row"])
        for r in rows
    ] == [
        ("A9991", "2010-01-01", "2021-12-31", "Made-up supply, long, two-way, each", 1),
        ("A9992", "2010-01-01", "None", "Made-up supply", 3),
    ]
    assert modifiers.header.rule_set == modifiers.header.kind == "modifiers"
    assert modifiers.tables["modifiers"].to_pylist()[0]["title"] == "Made-up modifier for tests"
    assert [(d.read, d.kept, len(d.rejects)) for d in (codes, modifiers)] == [(2, 2, 0), (1, 1, 0)]


def test_the_workbook_says_the_same(tmp_path: Path) -> None:
    rows = [
        ["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT", "ACTION CD"],
        ["A9991", "00100", "3", "Made-up supply", "20100101", "20220101", 20211231, "N"],
        ["ZZ", "00100", "7", "Made-up modifier", "20150101", "", "", "N"],
    ]
    codes, modifiers = import_them("hcpcs", [workbook(tmp_path / "HCPC2024_JUL_ANWEB.xlsx", rows)])
    assert [str(day) for day in codes.tables["codes"]["effective_to"].to_pylist()] == ["2021-12-31"]
    assert modifiers.tables["modifiers"]["modifier"].to_pylist() == ["ZZ"]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            (hcpcs_record("A9991"), hcpcs_record("A9992", "4")),
            f"{HCPCS_NAME}:2: a continuation (record id 4) follows no record 3 of its code; download the file again",
        ),
        (
            (hcpcs_record("A9991"), hcpcs_record("A9991", "8")),
            f"{HCPCS_NAME}:2: a continuation (record id 8) follows no record 7 of its code; download the file again",
        ),
        (
            (hcpcs_record("A9991"), hcpcs_record("A9991")),
            f"{HCPCS_NAME}:2:procedure_code: the same code stands at {HCPCS_NAME}:1:procedure_code too; keep one row",
        ),
        (
            (hcpcs_record("A9991", ended="20091231"),),
            f"{HCPCS_NAME}:1:terminated: lies before the add date; restore the dates as published",
        ),
        ((hcpcs_record("A9991", added=""),), f"{HCPCS_NAME}:1:added: is blank; every code has an add date"),
        (
            (hcpcs_record("A9991", ended="20241332"),),
            f"{HCPCS_NAME}:1:terminated: is not a date of the form YYYYMMDD; restore the date as published",
        ),
        (
            (hcpcs_record("A9991", action="Z"),),
            f"{HCPCS_NAME}:1:action: is no action code; published values are A, B, C, D, F, N, P, R, S, T",
        ),
        (
            ("A00    0 Cholera",),
            f"{HCPCS_NAME}: holds no HCPCS record: fixed width, with record id 3, 4, 7 or 8 in column 11; "
            "give the ANWEB text or workbook as published",
        ),
        (
            (hcpcs_record("A9991"), "A9992 cut"),
            f"{HCPCS_NAME}:2: is no HCPCS record: fixed width, with record id 3, 4, 7 or 8 in column 11; "
            "give the ANWEB text or workbook as published",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, records: tuple[str, ...], message: str) -> None:
    assert refusal(lambda: import_them("hcpcs", write(tmp_path, HCPCS_NAME, lines(records)))) == [message]


def test_a_code_lost_without_termination_is_warned_of(tmp_path: Path) -> None:
    before = {
        draft.header.rule_set: draft.tables
        for draft in import_them("hcpcs", write(tmp_path, HCPCS_NAME, lines(RECORDS)))
    }
    options = ImportOptions(published_on=parse_day("2024-09-01"), previous=lambda rule_set, day: before[rule_set])
    later = write(tmp_path, "HCPC2024_OCT_ANWEB.txt", lines([hcpcs_record("A9993"), hcpcs_record("YY", "7")]))
    codes, modifiers = import_files("hcpcs", later, options)
    # A9991 had ended before.
    assert list(map(str, codes.warnings)) == [
        "HCPC2024_OCT_ANWEB.txt: A9992 of the edition before is gone without a termination"
    ]
    assert list(map(str, modifiers.warnings)) == [
        "HCPC2024_OCT_ANWEB.txt: ZZ of the edition before is gone without a termination"
    ]


def test_the_day_of_publication_is_needed(tmp_path: Path) -> None:
    paths = write(tmp_path, HCPCS_NAME, lines(RECORDS))
    assert refusal(lambda: import_files("hcpcs", paths)) == [
        f"{HCPCS_NAME}: does not say when it was published; say it with --published-on, the day it was posted"
    ]
