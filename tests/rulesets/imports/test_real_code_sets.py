"""The publishers' real code sets, every row accounted for; read where ``CLAIMEDITS_DATA`` names them."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.revision import RevisionDraft

DATA = Path(os.environ.get("CLAIMEDITS_DATA", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("CLAIMEDITS_DATA"), reason="CLAIMEDITS_DATA names no folder of publishers' tables"
)
TOLD = {"effective_from": parse_day("2024-07-01"), "published_on": parse_day("2024-06-01")}


def read(family: str, name: str, **options: object) -> list[RevisionDraft]:
    return import_files(family, [DATA / name], ImportOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "label", "published_on", "rows"),
    [("pfs/rvu24b.zip", "2024B", "2024-03-08", 18_534), ("pfs/rvu24c.zip", "2024C", "2024-06-10", 18_664)],
)
def test_fee_schedules(name: str, label: str, published_on: str, rows: int) -> None:
    (draft,) = read("pfs", name)
    assert (draft.header.label, format_day(draft.header.published_on)) == (label, published_on)
    assert (draft.read, draft.kept, draft.rejects) == (rows, rows, [])


def test_hcpcs_codes_modifiers_and_their_workbook() -> None:
    codes, modifiers = read("hcpcs", "hcpcs/july-2024-alpha-numeric-hcpcs-file.zip")
    assert (codes.read, codes.kept, modifiers.read, modifiers.kept) == (8_033, 8_033, 383, 383)
    assert codes.header.sources[0].records == 14_987
    ended = codes.tables["codes"].filter(pc.is_valid(codes.tables["codes"]["effective_to"]))
    assert len(ended) == 1_058
    row = ended.filter(pc.equal(ended["procedure_code"], "A4397")).to_pylist()[0]
    assert str(row["effective_to"]) == "2021-12-31"


@pytest.mark.parametrize(
    ("name", "label", "rows", "billable"),
    [
        ("icd10/2025-code-descriptions-tabular-order.zip", "FY2025", 97_584, 74_260),
        ("icd10/icd10cm_codes_2026_april.zip", "FY2026 April", 98_166, 74_706),
    ],
)
def test_diagnosis_codes(name: str, label: str, rows: int, billable: int) -> None:
    (draft,) = read("icd10", name)
    assert (draft.header.label, draft.read, draft.kept, draft.rejects) == (label, rows, rows, [])
    assert pc.sum(draft.tables["codes"]["billable"]).as_py() == billable


@pytest.mark.parametrize(
    ("family", "name", "read_rows", "kept"),
    [
        ("modifiers", "reference/modifiers.csv", 433, 426),
        ("place-of-service", "reference/place_of_service_codes.csv", 99, 99),
        ("adjustment-codes", "reference/adjustment_codes_2024-06.csv", 1_581, 1_581),
        ("procedure-codes", "hcpcs/hcpcs_active_dates_2022.zip", 15_522, 15_522),
        ("procedure-codes", "hcpcs/hcpcs_level2_2024.zip", 8_033, 8_033),
    ],
)
def test_lists(family: str, name: str, read_rows: int, kept: int) -> None:
    (draft,) = read(family, name, **TOLD)
    assert (draft.read, draft.kept, draft.rejects) == (read_rows, kept, [])
