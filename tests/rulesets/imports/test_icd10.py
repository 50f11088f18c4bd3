"""ICD-10-CM order files: editions, levels, every violation (file-formats.md §6)."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_set_files import ICD10_NAME, lines, order_record
from publisher_tables import archive, import_them, refusal, write

from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.imports import ImportOptions, import_files

RECORDS = (
    order_record(1, "E114", "0"),
    order_record(2, "E1140"),
    order_record(3, "M1A", "0"),
    order_record(4, "M1A00X0"),
)


def test_an_edition_governs_its_fiscal_year(tmp_path: Path) -> None:
    (draft,) = import_them("icd10", write(tmp_path, ICD10_NAME, lines(RECORDS)))
    header = draft.header
    assert (header.rule_set, header.kind, header.label) == ("icd10cm", "icd10", "FY2025")
    assert (format_day(header.effective_from), format_day(header.effective_to)) == ("2024-10-01", "2025-09-30")
    assert draft.tables["codes"].to_pylist()[1] == {
        "icd10_code": "E1140",
        "effective_from": parse_date("2024-10-01"),
        "effective_to": parse_date("2025-09-30"),
        "billable": True,
        "title": "Made-up condition",
        "source": 0,
        "source_row": 2,
    }
    assert (draft.read, draft.kept, draft.warnings) == (4, 4, [])


def parse_date(text: str) -> object:
    import datetime

    return datetime.date.fromisoformat(text)


def test_an_april_package_governs_the_rest_of_the_year(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "april-1-2026-code-descriptions-tabular-order.zip", {"icd10cm_order_2026.txt": lines(RECORDS)}
    )
    (draft,) = import_files("icd10", [path])
    header = draft.header
    assert (header.label, format_day(header.effective_from), format_day(header.effective_to)) == (
        "FY2026 April",
        "2026-04-01",
        "2026-09-30",
    )


def test_a_list_of_codes_with_their_flag_is_read_too(tmp_path: Path) -> None:
    members = {
        "icd10cm_code_list_2026.txt": b"1\r\nE08-E13\r\nE114\r\nE1140\r\n",
        "icd10cm_codes_2026.csv": b"code,billable\r\nE114,0\r\nE1140,1\r\n",
    }
    (draft,) = import_files("icd10", [archive(tmp_path / "codes.zip", members)])
    assert (draft.header.label, draft.kept) == ("FY2026", 2)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            (order_record(1, "E114"), order_record(2, "E1140")),
            f"{ICD10_NAME}:1:billable: E114 is billable, but E1140 stands below it; download the file again",
        ),
        (
            (order_record(2, "E1140"), order_record(1, "E1141")),
            f"{ICD10_NAME}:2:order: the order number does not follow the one before; download the file again",
        ),
        (
            (order_record(1, "E1140"), order_record(2, "E1140")),
            f"{ICD10_NAME}:2:icd10_code: the same code stands at {ICD10_NAME}:1:icd10_code too; keep one row",
        ),
        (
            (order_record(1, "E1140"), order_record(2, "EE140")),
            f"{ICD10_NAME}:2:icd10_code: is no ICD-10-CM code without a dot; restore the code as published",
        ),
        (
            (order_record(1, "E1140"), order_record(2, "E1141", "2")),
            f"{ICD10_NAME}:2:billable: is no billable flag; published values are 0, 1",
        ),
        ((order_record(1, "E1140"), "00002 E1141"), f"{ICD10_NAME}:2: is shorter than an order record; restore the line as published"),
        (
            ("1", "E08-E13", "E114"),
            f"{ICD10_NAME}: is no ICD-10-CM order file: order number, code, billable flag and titles at fixed places; "
            "give icd10cm_order_….txt; a list with chapter and block lines, or the addenda, is none",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, records: tuple[str, ...], message: str) -> None:
    assert refusal(lambda: import_them("icd10", write(tmp_path, ICD10_NAME, lines(records)))) == [message]


def test_a_header_without_codes_below_it_is_warned_of(tmp_path: Path) -> None:
    (draft,) = import_them("icd10", write(tmp_path, ICD10_NAME, lines([order_record(1, "E114", "0")])))
    assert list(map(str, draft.warnings)) == [f"{ICD10_NAME}:1:billable: E114 is a header without a code below it"]


def test_fewer_billable_codes_than_before_are_warned_of(tmp_path: Path) -> None:
    records = [order_record(n, f"E{n:04d}") for n in range(1, 41)]
    (before,) = import_them("icd10", write(tmp_path, ICD10_NAME, lines(records)))
    options = ImportOptions(published_on=parse_day("2025-06-01"), previous=lambda rule_set, day: before.tables)
    (draft,) = import_files("icd10", write(tmp_path, "icd10cm_order_2026.txt", lines(records[:38])), options)
    assert list(map(str, draft.warnings)) == [
        "icd10cm_order_2026.txt: holds 38 billable codes, the edition before held 40: more than 3% apart; make sure that the file is whole"
    ]


def test_name_and_flag_must_agree(tmp_path: Path) -> None:
    paths = write(tmp_path, ICD10_NAME, lines(RECORDS))
    assert refusal(lambda: import_them("icd10", paths, effective_from=parse_day("2023-10-01"))) == [
        f"{ICD10_NAME}: its name says fiscal year 2025, --effective-from says 2023-10-01; leave --effective-from out, or give the right file"
    ]
    assert refusal(lambda: import_them("icd10", paths, effective_from=parse_day("2024-07-01"))) == [
        f"{ICD10_NAME}: --effective-from 2024-07-01 is no first day of an edition; editions begin on October 1 or April 1"
    ]
