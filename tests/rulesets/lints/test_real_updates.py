"""The real update 2024Q2 → 2024Q3 is silent, and a mistake seeded into it is named with its row; read where ``CLAIMEDITS_DATA`` is set.

Each table is imported once and changed in memory.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from claimedits.app.shipped import find_rules
from claimedits.rulesets.imports import import_files
from claimedits.rulesets.lints.lint import LintFinding, Severity
from claimedits.rulesets.lints.revisions import check_revision
from claimedits.rulesets.lints.thresholds import read_thresholds
from claimedits.rulesets.revision import RevisionInfo

DATA = Path(os.environ.get("CLAIMEDITS_DATA", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("CLAIMEDITS_DATA"), reason="CLAIMEDITS_DATA names no folder of publishers' tables"
)
Row = dict[str, Any]


class Update(NamedTuple):
    """A table of the new quarter, and how it is held against that of the old one."""

    table: pa.Table
    check: Callable[[pa.Table], list[LintFinding]]

    def found(self, table: pa.Table) -> list[LintFinding]:
        """The findings that somebody has to look at."""
        return [finding for finding in self.check(table) if finding.severity > Severity.INFO]


def read(family: str, name: str, patterns: Sequence[str]) -> Update:
    revisions = []
    for pattern in patterns:
        (draft,) = import_files(family, sorted((DATA / "ncci" / family).glob(pattern)))
        info = RevisionInfo("sha256:" + "0" * 64, draft.header, {name: len(draft.tables[name])}, draft.read, 0, 0)
        revisions.append((info, draft.tables))
    old, (new, tables) = revisions
    shipped = read_thresholds(find_rules() / "lints" / "thresholds.toml")
    thresholds = shipped.of(family, new.header.effective_from, {})
    return Update(tables[name], lambda table: check_revision((new, {name: table}), old, (), thresholds, {}))


@pytest.fixture(scope="module")
def ptp() -> Update:
    return read("ptp", "edits", ("*2024q2-practitioner*f?.zip", "*2024q3-practitioner*f?.zip"))


@pytest.fixture(scope="module", params=["practitioner", "outpatient-hospital", "dme-supplier"])
def mue(request: pytest.FixtureRequest) -> Update:
    return read("mue", "values", tuple(f"*2024-{q}-{request.param}*.zip" for q in ("q2", "q3")))


def row_of(table: pa.Table, number: int) -> Row:
    cells: Row = table.slice(number, 1).to_pylist()[0]
    return cells


def replaced(table: pa.Table, number: int, **cells: Any) -> pa.Table:
    """The table with one row changed. Dictionaries are written out, so that any code can stand in it."""
    plain = pa.table(
        {
            name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    row = row_of(plain, number) | cells
    one = pa.table({name: pa.array([row[name]], plain.schema.field(name).type) for name in plain.column_names})
    return pa.concat_tables([plain.slice(0, number), one, plain.slice(number + 1)])


def an_open_row(table: pa.Table) -> int:
    """Position of an open row in the middle of the table that the quarter did not touch."""
    is_open = pc.and_(pc.is_null(table["effective_to"]), pc.not_equal(table["modifier_indicator"], 9))
    is_old = pc.less(table["effective_from"], pa.scalar(dt.date(2024, 1, 1), pa.date32()))
    rows = np.flatnonzero(pc.and_(is_open, is_old).to_numpy())
    return int(rows[len(rows) // 2])


def test_the_real_update_of_edits_is_silent(ptp: Update) -> None:
    findings = ptp.check(ptp.table)
    assert Counter(finding.lint.id for finding in findings) == {"CE409": 2, "CE410": 2}


def test_the_real_updates_of_mues_are_silent(mue: Update) -> None:
    assert mue.found(mue.table) == []


SEEDED = {
    "reversed": ("CE401", lambda row: {"column_1": row["column_2"], "column_2": row["column_1"]}),
    "indicator": ("CE403", lambda row: {"modifier_indicator": 1 - row["modifier_indicator"]}),
    "first day": ("CE404", lambda row: {"effective_from": row["effective_from"] + dt.timedelta(days=1)}),
    "withdrawn": ("CE312", lambda row: {"modifier_indicator": 9, "effective_to": row["effective_from"]}),
    "closed a quarter early": ("CE312", lambda row: {"effective_to": dt.date(2024, 3, 31)}),
    "closed a day early": ("CE406", lambda row: {"effective_to": dt.date(2024, 6, 29)}),
}


@pytest.mark.parametrize("mistake", SEEDED)
def test_one_row_changed(ptp: Update, mistake: str) -> None:
    number = an_open_row(ptp.table)
    row = row_of(ptp.table, number)
    lint, change = SEEDED[mistake]
    (finding,) = ptp.found(replaced(ptp.table, number, **change(row)))
    assert (finding.lint.id, finding.file, finding.row) == (
        lint, f"ccipra-v302r0-f{row['source'] + 1}.TXT", row["source_row"]
    )  # fmt: skip
    assert finding.what.startswith(f"row {row['source_row']} (column 1 ")
    assert finding.mend


def test_a_lost_part(ptp: Update) -> None:
    kept = ptp.table.filter(pc.not_equal(ptp.table["source"], 1))
    found = {finding.lint.id: finding for finding in ptp.found(kept)}
    assert set(found) == {"CE301", "CE302", "CE303"}
    assert found["CE303"].what == (
        "615,359 neighbouring rows of the edition before are gone, from row 7 of ccipra-v301r0-f2.TXT on (column 1 26010 to 36909)"
    )


def test_a_part_cut_short_by_one_row(ptp: Update) -> None:
    part = pc.equal(ptp.table["source"], 2)
    last = pc.max(ptp.table.filter(part)["source_row"])
    kept = ptp.table.filter(pc.invert(pc.and_(part, pc.equal(ptp.table["source_row"], last))))
    (finding,) = ptp.found(kept)
    assert (finding.lint.id, finding.file) == ("CE304", "ccipra-v301r0-f3.TXT")
    assert finding.what.startswith("the last row of ccipra-v301r0-f3.TXT of the edition before is gone, from row ")


def test_mue_table_cut_short(mue: Update) -> None:
    count = mue.table.num_rows
    assert "CE304" in {finding.lint.id for finding in mue.found(mue.table.slice(0, count - 1))}
    assert {"CE301", "CE304"} <= {finding.lint.id for finding in mue.found(mue.table.slice(0, count // 2))}


def test_mai_changed_alone(mue: Update) -> None:
    number = mue.table["procedure_code"].to_pylist().index("A4253")
    row = row_of(mue.table, number)
    table = replaced(mue.table, number, mai=2 if row["mai"] == 3 else 3)
    (finding,) = mue.found(table)
    assert (finding.lint.id, finding.row) == ("CE501", row["source_row"])
