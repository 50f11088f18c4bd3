"""Small lists: modifiers, procedure codes, place of service, adjustment codes (file-formats.md §5, §9)."""

from __future__ import annotations

from pathlib import Path

import pytest
from publisher_tables import import_them, refusal, write

from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.revision import RevisionDraft

YEAR = {"effective_from": parse_day("2024-01-01")}


def import_list(family: str, folder: Path, text: str, **options: object) -> RevisionDraft:
    (draft,) = import_them(family, write(folder, "list.csv", text.encode()), **{**YEAR, **options})
    return draft


def test_modifiers_listed_twice_are_kept_once(tmp_path: Path) -> None:
    text = "mod_code,mod_type,mod_category,mod_description\r\nP1,CPT,,\r\nP1,HCPCS,,Some text\r\n25,CPT,General,\r\nKX,HCPCS,,x\r\n"
    draft = import_list("modifiers", tmp_path, text)
    header = draft.header
    assert (header.rule_set, header.kind, header.label) == ("licensed-modifiers", "modifiers", "2024-01-01")
    assert (format_day(header.effective_to), header.attributes["covers"]) == ("2024-12-31", "CPT HCPCS_LEVEL_II")
    assert draft.tables["modifiers"]["modifier"].to_pylist() == ["25", "KX", "P1"]
    assert set(draft.tables["modifiers"]["title"].to_pylist()) == {""}
    assert (draft.read, draft.kept) == (4, 3)


def test_a_licensed_list_of_procedure_codes(tmp_path: Path) -> None:
    text = "procedure_code,effective_from,effective_to\r\n0Z01F,2010-01-01,9999-12-31\r\n00001,20100101,2019-12-31\r\n00001,2022-01-01,\r\n"
    draft = import_list("procedure-codes", tmp_path, text)
    assert draft.header.attributes["covers"] == "CPT_I"
    rows = draft.tables["codes"].to_pylist()
    assert [(r["procedure_code"], str(r["effective_from"]), str(r["effective_to"])) for r in rows] == [
        ("00001", "2010-01-01", "2019-12-31"),
        ("00001", "2022-01-01", "None"),
        ("0Z01F", "2010-01-01", "None"),
    ]


def test_places_keep_their_zero(tmp_path: Path) -> None:
    text = (
        "pos_code,pos_type,pos_name\r\n02,Facility,Telehealth\r\n11,Non-Facility,Office\r\n28,Unassigned,Unassigned\r\n"
    )
    draft = import_list("place-of-service", tmp_path, text)
    rows = draft.tables["codes"].to_pylist()
    assert [(r["place_of_service"], r["category"]) for r in rows] == [
        ("02", "facility"),
        ("11", "non-facility"),
        ("28", "unassigned"),
    ]


def test_adjustment_codes_are_numbers_and_dates_only(tmp_path: Path) -> None:
    text = "code,type,start_date,last_modified,end_date,text\r\nCO,Group,,,,x\r\n15,CARC,1995-01-01,,2018-05-01,x\r\nN362,RARC,2005-11-18,,,x\r\n"
    table = import_list("adjustment-codes", tmp_path, text).tables["codes"]
    assert table.column_names == [
        "adjustment_code",
        "category",
        "effective_from",
        "effective_to",
        "source",
        "source_row",
    ]
    assert [(r["adjustment_code"], r["category"], str(r["effective_to"])) for r in table.to_pylist()] == [
        ("15", "CARC", "2018-05-01"),
        ("CO", "Group", "None"),
        ("N362", "RARC", "None"),
    ]


@pytest.mark.parametrize(
    ("family", "text", "message"),
    [
        ("modifiers", "mod_code,mod_type\r\nABC,HCPCS\r\n", "list.csv:2:modifier: is not a modifier of two letters or digits; restore it as published"),
        ("place-of-service", "pos_code,pos_type\r\n2,Facility\r\n", "list.csv:2:place_of_service: is not a place of service of two digits; write two digits and keep the zero"),
        ("place-of-service", "pos_code,pos_type\r\n02,Ship\r\n", "list.csv:2:category: is no kind of place; published values are Facility, Non-Facility, Unassigned"),
        ("adjustment-codes", "code,type,start_date,end_date\r\n1,EOB,,\r\n", "list.csv:2:category: is no list of adjustment codes; published values are CARC, Group, RARC"),
        ("procedure-codes", "procedure_code,effective_from,effective_to\r\n00001,2024-02-30,\r\n", "list.csv:2:effective_from: is not a date of the calendar; restore the date as published"),
        ("procedure-codes", "procedure_code,effective_from,effective_to\r\n00001,2024-02-03,2024-02-02\r\n", "list.csv:2:effective_to: lies before the first day; restore the dates as published"),
        ("procedure-codes", "procedure_code,effective_from,effective_to\r\n00001,2024-01-01,\r\n00001,2024-01-01,2024-12-31\r\n", "list.csv:3:procedure_code: the same code and first day stands at list.csv:2:procedure_code too; keep one row"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, family: str, text: str, message: str) -> None:
    assert refusal(lambda: import_list(family, tmp_path, text)) == [message]


def test_a_list_is_told_which_dates_it_governs(tmp_path: Path) -> None:
    assert refusal(
        lambda: import_list("modifiers", tmp_path, "mod_code,mod_type\r\n25,CPT\r\n", effective_from=None)
    ) == [
        "list.csv: a list does not say which dates it governs; say with --effective-from from which day it governs (to the end of that year)"
    ]
