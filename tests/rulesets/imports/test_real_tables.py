"""The publishers' real tables, every row accounted for; read where ``CLAIMEDITS_DATA`` names them."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

from claimedits.model.dates import parse_day
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
