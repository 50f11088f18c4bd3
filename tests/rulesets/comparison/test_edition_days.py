"""Editions whose rows all have the days of the edition: ICD-10-CM by fiscal year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa
from made_revisions import header, opened

from claimedits.app.shipped import find_rules
from claimedits.rulesets.comparison.revisions import Opened, compare_tables
from claimedits.rulesets.lints.lint import LintFinding, Severity
from claimedits.rulesets.lints.revisions import check_revision
from claimedits.rulesets.lints.thresholds import read_thresholds

CODES = [f"{letter}{number:02d}" for letter in "ABCDE" for number in range(100)]
OLD, NEW = "2023-10-01..2024-09-30", "2024-10-01..2025-09-30"


def edition(period: str, codes: Sequence[str], title: str = "Made-up", not_billable: Sequence[str] = ()) -> Opened:
    first, last = (dt.date.fromisoformat(day) for day in period.split(".."))
    table = pa.table(
        {
            "icd10_code": pa.array(codes, pa.string()),
            "effective_from": pa.array([first] * len(codes), pa.date32()),
            "effective_to": pa.array([last] * len(codes), pa.date32()),
            "billable": pa.array([code not in not_billable for code in codes], pa.bool_()),
            "title": pa.array([title] * len(codes), pa.string()),
            "source": pa.array([0] * len(codes), pa.uint16()),
            "source_row": pa.array(range(1, len(codes) + 1), pa.uint32()),
        }
    )
    info, _ = opened(
        header("icd10cm", "icd10", f"FY{last.year}", period, str(first - dt.timedelta(120))), [], last.year
    )
    return info, {"codes": table}


def counts(old: Opened, new: Opened, **named: bool) -> tuple[int, ...]:
    (table,) = compare_tables(old, new, **named).tables
    return table.added, table.removed, table.changed, table.unchanged, table.retroactive


def findings(old: Opened, new: Opened) -> list[LintFinding]:
    thresholds = read_thresholds(find_rules() / "lints" / "thresholds.toml")
    found = check_revision(new, old, (), thresholds.of("icd10", new[0].header.effective_from, {}), {})
    return [finding for finding in found if finding.severity > Severity.INFO]


def test_a_new_year_is_no_difference_of_its_codes() -> None:
    old, new = edition(OLD, CODES), edition(NEW, ["A100", *CODES[1:]], not_billable=["B10"])
    assert counts(old, new) == (1, 1, 1, 498, 0)
    assert [str(finding) for finding in findings(old, new)] == []


def test_the_days_count_where_they_are_asked_for() -> None:
    assert counts(edition(OLD, CODES), edition(NEW, CODES), edition_days=True)[2] == len(CODES)


def test_days_of_single_rows_count() -> None:
    info, tables = edition(NEW, CODES)
    days = pa.array([dt.date(2024, 10, 1)] * 499 + [dt.date(2025, 4, 1)], pa.date32())
    late = {"codes": tables["codes"].set_column(1, "effective_from", days)}
    assert counts((info, tables), (info, late))[2] == 1


def test_titles_that_an_edition_leaves_out_are_no_reason_to_stop_it() -> None:
    old, new = edition(OLD, CODES), edition(NEW, CODES, title="")
    assert counts(old, new)[2] == len(CODES)
    assert findings(old, new) == []


def test_a_cut_edition_is_named() -> None:
    found = findings(edition(OLD, CODES), edition(NEW, CODES[:-60]))
    assert {finding.lint.id for finding in found} == {"CE301", "CE302", "CE304"}
