"""Whatever a lint says of dated rows is true: a covered row can go, a gap is a day without answer. Against a plain search."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from claimedits.rulesets.lints.dated_rows import DatedRow, check_rows
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.windows import BEGINNING

DAYS = range(6)
CODES = [f"J000{i}" for i in range(6)]


@st.composite
def dated_rows(draw: st.DrawFn, values: int) -> list[DatedRow]:
    """Up to six rows of one subject, over six codes and six days."""
    rows = []
    for number in range(draw(st.integers(1, 6))):
        first, last = sorted(draw(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES))))
        start, end = sorted(draw(st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))))
        value = (str(draw(st.integers(1, values))),) if values else ()
        rows.append(DatedRow("f.csv", number + 2, ("x",), "list x", first, last, start, end, value))
    return rows


def answers(rows: list[DatedRow]) -> dict[tuple[str, int], object]:
    """For each code and day the first row that fits, or, in a table of sets, that one does."""
    found: dict[tuple[str, int], object] = {}
    for code in CODES:
        for day in DAYS:
            fitting = [r for r in rows if r.first <= code <= r.last and r.effective_from <= day <= r.effective_to]
            if fitting:
                found[code, day] = fitting[0].value
    return found


def said(rows: list[DatedRow], *, is_set: bool) -> Report:
    report = Report()
    check_rows(rows, report, is_set=is_set)
    return report


@given(dated_rows(0))
def test_a_covered_row_of_a_set_can_go(rows: list[DatedRow]) -> None:
    for finding in said(rows, is_set=True).findings:
        if finding.lint.id in ("CE101", "CE102"):
            assert answers([r for r in rows if r.row != finding.row]) == answers(rows)


@given(dated_rows(2))
def test_a_covered_row_that_never_answers_can_go(rows: list[DatedRow]) -> None:
    for finding in said(rows, is_set=False).findings:
        if finding.lint.id in ("CE101", "CE102"):
            assert answers([r for r in rows if r.row != finding.row]) == answers(rows)


@given(dated_rows(0))
def test_every_row_that_one_other_covers_is_named(rows: list[DatedRow]) -> None:
    named = {finding.row for finding in said(rows, is_set=True).findings if finding.lint.id in ("CE101", "CE102")}
    for row in rows:
        covering = [
            other
            for other in rows
            if other is not row
            and other.first <= row.first
            and row.last <= other.last
            and other.effective_from <= row.effective_from
            and row.effective_to <= other.effective_to
        ]
        # Of two equal rows one is enough.
        if any(
            (c.first, c.last, c.effective_from, c.effective_to)
            != (row.first, row.last, row.effective_from, row.effective_to)
            for c in covering
        ):
            assert row.row in named


@given(dated_rows(0))
def test_a_gap_is_a_day_without_answer(rows: list[DatedRow]) -> None:
    single = [DatedRow(r.file, r.row, r.subject, r.name, "", "", r.effective_from, r.effective_to) for r in rows]
    gaps = [f for f in said(single, is_set=True).findings if f.lint.id == "CE105"]
    first, last = min(r.effective_from for r in single), max(r.effective_to for r in single)
    empty = [day for day in range(first, last) if not any(r.effective_from <= day <= r.effective_to for r in single)]
    stretches = sum(1 for day in empty if day - 1 not in empty)
    assert len(gaps) == stretches


@given(dated_rows(2))
def test_messages_name_both_rows(rows: list[DatedRow]) -> None:
    numbers = {row.row for row in rows}
    for finding in said(rows, is_set=False).findings:
        named = {int(n) for pair in re.findall(r"\brows? (\d+)|\band (\d+)\b", finding.what) for n in pair if n}
        assert finding.row in named and named <= numbers
        assert finding.mend


def test_open_windows() -> None:
    rows = [
        DatedRow("f.csv", 2, ("x",), "switch x", "", "", BEGINNING, 10, ("a",)),
        DatedRow("f.csv", 3, ("x",), "switch x", "", "", 10, 2**31 - 1, ("b",)),
    ]
    (finding,) = said(rows, is_set=False).findings
    assert str(finding) == (
        "f.csv:3:1: error CE104: rows 2 and 3 both answer for switch x from 1970-01-11 to 1970-01-11; "
        "end row 2 on 1970-01-10, the day before the other begins"
    )
