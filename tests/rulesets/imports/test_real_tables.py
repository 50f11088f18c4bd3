"""The publishers' real tables, every row accounted for; read where ``CLAIMEDITS_DATA`` names them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pyarrow.compute as pc
import pytest

from claimedits.model.dates import parse_day
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.imports import ImportOptions, import_files

DATA = Path(os.environ.get("CLAIMEDITS_DATA", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("CLAIMEDITS_DATA"), reason="CLAIMEDITS_DATA names no folder of publishers' tables"
)
TABLES = [
    ("aoc", "ncci/aoc/medicare-ncci-2024-q2-add-on-code-edits.zip", "medicare-aoc", 8_186),
    ("mue", "ncci/mue/medicare-ncci-2024-q2-dme-supplier-services-mue-table.zip", "medicare-mue-dme", 2_894),
    ("mue", "ncci/mue/medicare-ncci-2024-q3-dme-supplier-services-mue-table.zip", "medicare-mue-dme", 2_928),
    (
        "mue",
        "ncci/mue/medicare-ncci-2024-q2-outpatient-hospital-services-mue-table.zip",
        "medicare-mue-outpatient-hospital",
        14_629,
    ),
    (
        "mue",
        "ncci/mue/medicare-ncci-2024-q3-outpatient-hospital-services-mue-table.zip",
        "medicare-mue-outpatient-hospital",
        14_628,
    ),
    ("mue", "ncci/mue/medicare-ncci-2024-q2-practitioner-services-mue-table.zip", "medicare-mue-practitioner", 14_679),
    ("mue", "ncci/mue/medicare-ncci-2024-q3-practitioner-services-mue-table.zip", "medicare-mue-practitioner", 14_677),
    (
        "mue",
        "ncci/medicaid/medicaid-ncci-2026-q1-mue-edits-practitioner-services.zip",
        "medicaid-mue-practitioner",
        8_253,
    ),
    ("mue", "ncci/mue/MCR_MUE_PractitionerServices_Eff_07-01-2026.excerpt.csv", "medicare-mue-practitioner", 44),
]


@pytest.mark.parametrize(("family", "name", "rule_set", "rows"), TABLES)
def test_every_row_is_kept(family: str, name: str, rule_set: str, rows: int) -> None:
    options = ImportOptions(published_on=parse_day("2026-06-01")) if "excerpt" in name else ImportOptions()
    (draft,) = import_files(family, [DATA / name], options)
    assert draft.header.rule_set == rule_set
    assert (draft.read, draft.kept, len(draft.rejects)) == (rows, rows, 0)


def test_the_practitioner_quarter_is_whole() -> None:
    paths = sorted((DATA / "ncci" / "ptp").glob("*2024q3-practitioner*.zip"))
    (draft,) = import_files("ptp", paths)
    table = draft.tables["edits"]
    live = table.filter(pc.and_(pc.is_null(table["effective_to"]), pc.not_equal(table["modifier_indicator"], 9)))
    assert (draft.read, draft.kept, len(draft.rejects)) == (2_546_017, 2_546_017, 0)
    assert len(live) == 1_669_820
    assert pc.sum(pc.equal(live["modifier_indicator"], 0)).as_py() == 508_947
    assert pc.sum(pc.equal(table["modifier_indicator"], 9)).as_py() == 98_853


@pytest.mark.parametrize(
    ("family", "name", "member", "table"),
    [
        ("aoc", "ncci/aoc/medicare-ncci-2024-q2-add-on-code-edits.zip", "AOC_V2024Q2-MCR", "edits"),
        (
            "mue",
            "ncci/mue/medicare-ncci-2024-q3-practitioner-services-mue-table.zip",
            "MCR_MUE_PractitionerServices_Eff_07-01-2024",
            "values",
        ),
        (
            "mue",
            "ncci/mue/medicare-ncci-2024-q2-dme-supplier-services-mue-table.zip",
            "MCR_MUE_DMESupplierServices_Eff_04-01-2024",
            "values",
        ),
    ],
)
def test_text_and_workbook_hold_the_same_rows(tmp_path: Path, family: str, name: str, member: str, table: str) -> None:
    with zipfile.ZipFile(DATA / name) as packed:
        book = Path(packed.extract(f"{member}.xlsx", tmp_path))
    (from_text,) = import_files(family, [DATA / name])
    (from_book,) = import_files(family, [book], ImportOptions(published_on=parse_day("2024-03-01")))
    assert from_text.header.sources[0].file != from_book.header.sources[0].file
    columns = [column for column in from_text.tables[table].column_names if column != "source_row"]
    assert from_book.tables[table].select(columns).equals(from_text.tables[table].select(columns))


def test_facts_of_the_practitioner_mue() -> None:
    (draft,) = import_files("mue", [DATA / "ncci/mue/medicare-ncci-2024-q3-practitioner-services-mue-table.zip"])
    values = draft.tables["values"]
    assert pc.sum(pc.equal(values["value"], 0)).as_py() == 2_667
    assert [pc.sum(pc.equal(values["mai"], mai)).as_py() for mai in (1, 2, 3)] == [41, 5_157, 9_479]


def test_sixteen_practitioner_values_changed_in_a_quarter() -> None:
    folder = DATA / "ncci" / "mue"
    (before,) = import_files("mue", [folder / "medicare-ncci-2024-q2-practitioner-services-mue-table.zip"])
    options = ImportOptions(previous=lambda rule_set, day: before.tables)
    (draft,) = import_files("mue", [folder / "medicare-ncci-2024-q3-practitioner-services-mue-table.zip"], options)
    assert [problem.code for problem in draft.warnings] == ["W_VALUE_CHANGED"] * 16


def test_facts_of_the_add_on_table() -> None:
    (draft,) = import_files("aoc", [DATA / "ncci/aoc/medicare-ncci-2024-q2-add-on-code-edits.zip"])
    edits = draft.tables["edits"]
    assert [pc.sum(pc.equal(edits["edit_type"], kind)).as_py() for kind in (1, 2, 3)] == [7_496, 41, 649]
    assert len(pc.unique(edits["add_on_code"])) == 743
    assert pc.sum(pc.equal(edits["primary_code"], "CCCCC")).as_py() == 49
    assert draft.warnings == []


def test_an_excerpt_of_a_part_is_no_edition() -> None:
    with pytest.raises(ImportRefusedError) as raised:
        import_files("ptp", [DATA / "ncci/ptp/ccipra-v322r0-f1.excerpt.TXT"])
    assert [problem.where for problem in raised.value.problems] == [
        f"practitioner v32.2 part f{part}" for part in (2, 3, 4)
    ]
