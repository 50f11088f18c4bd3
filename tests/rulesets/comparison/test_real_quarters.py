"""The real quarterly update of 2024Q2 to 2024Q3, against sets and dictionaries of the publishers' lines; read where
``CLAIMEDITS_DATA`` names them."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from claimedits.rulesets.comparison.revisions import compare_tables
from claimedits.rulesets.comparison.table_comparison import ChangeKind, TableComparison
from claimedits.rulesets.imports import import_files
from claimedits.rulesets.revision import RevisionDraft, RevisionInfo

DATA = Path(os.environ.get("CLAIMEDITS_DATA", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("CLAIMEDITS_DATA"), reason="CLAIMEDITS_DATA names no folder of publishers' tables"
)
Rows = Mapping[tuple[str, ...], tuple[str, ...]]


def compare(family: str, pattern: str, table: str) -> TableComparison:
    sides = []
    for quarter in ("q2", "q3"):
        (draft,) = import_files(family, published(family, pattern, quarter))
        sides.append((info_of(draft), dict(draft.tables)))
    return compare_tables(*sides).table(table)


def published(family: str, pattern: str, quarter: str) -> list[Path]:
    folder = DATA / "ncci" / family
    return sorted(path for path in folder.glob(pattern) if f"2024{quarter}" in path.name.replace("-", ""))


def info_of(draft: RevisionDraft) -> RevisionInfo:
    return RevisionInfo("sha256:", draft.header, {}, draft.read, 0, 0)


def lines_of(archive: Path, suffix: str) -> str:
    with zipfile.ZipFile(archive) as opened:
        (name,) = (name for name in opened.namelist() if name.lower().endswith(suffix))
        return opened.read(name).decode("cp1252")


def ptp_lines(quarter: str) -> set[str]:
    """The lines of the four parts; no two are equal."""
    lines = [
        line
        for archive in published("ptp", "*practitioner*.zip", quarter)
        for line in lines_of(archive, ".txt").split("\r\n")[6:]
        if line
    ]
    assert len(set(lines)) == len(lines)
    return set(lines)


def mue_rows(pattern: str, quarter: str) -> Rows:
    (archive,) = published("mue", pattern, quarter)
    records = csv.reader(io.StringIO(lines_of(archive, ".csv"), newline=""))
    return {
        (cells[0],): tuple(map(str.strip, cells[1:])) for cells in records if len(cells[0]) == 5 and cells[1].isdigit()
    }


def test_the_practitioner_pairs() -> None:
    table = compare("ptp", "*practitioner*.zip", "edits")
    old, new = (ptp_lines(quarter) for quarter in ("q2", "q3"))
    assert (table.old_rows, table.new_rows, table.unchanged) == (len(old), len(new), len(old & new))
    # column 1, column 2, effective → the rest of the line; a key may stand twice in a table, but not among these lines.
    left = [
        {tuple(line.split("\t")[i] for i in (0, 1, 3)): line.split("\t") for line in side}
        for side in (old - new, new - old)
    ]
    assert [len(side) for side in left] == [len(old - new), len(new - old)]
    lost, added = left[0].keys() - left[1].keys(), left[1].keys() - left[0].keys()
    closed = {
        key for key in left[0].keys() & left[1].keys() if left[0][key][4] == "*" and left[1][key][4] == "20240630"
    }
    assert (len(added), len(closed), len(lost)) == (928, 295, 0)
    assert (table.added, table.changed, table.removed) == (928, len(left[0]), 0)
    assert table.changed_columns == {"effective_to": 295}
    # Nothing reaches back: what is new begins with the quarter, and what ends does so on the last day of the one before.
    assert table.retroactive == sum(key[2] < "20240701" for key in added) == 0
    found = {kind: set(keys_of(table, kind)) for kind in (ChangeKind.ADDED, ChangeKind.CHANGED)}
    assert found == {ChangeKind.ADDED: added, ChangeKind.CHANGED: closed}


def keys_of(table: TableComparison, kind: ChangeKind) -> Iterator[tuple[str, ...]]:
    for change in table.rows(table.select([kind])):
        column_1, column_2, effective = (value for _, value in change.key)
        yield column_1, column_2, effective.replace("-", "")


@pytest.mark.parametrize("service", ["practitioner", "outpatient-hospital", "dme"])
def test_the_values(service: str) -> None:
    pattern = f"*{service}*.zip"
    table = compare("mue", pattern, "values")
    old, new = (mue_rows(pattern, quarter) for quarter in ("q2", "q3"))
    both = old.keys() & new.keys()
    differs = Counter(
        column
        for key in both
        for column, before, after in zip(("value", "mai", "rationale"), old[key], new[key], strict=False)
        if before != after
    )
    assert (table.added, table.removed) == (len(new.keys() - old.keys()), len(old.keys() - new.keys()))
    assert table.changed == sum(old[key][:3] != new[key][:3] for key in both)
    assert table.changed_columns == differs
    rises = Counter(int(new[key][0]) > int(old[key][0]) for key in both if new[key][0] != old[key][0])
    words = Counter(change.change for change in table.rows())
    assert (words["VALUE_RAISED"], words["VALUE_LOWERED"]) == (rises[True], rises[False])
    assert table.retroactive == 0
