"""MUE, plainly (semantics.md §B)."""

from __future__ import annotations

import math
from fractions import Fraction

from reference_ptp import is_numeric_between
from reference_tables import Case, Date, Finding, Line, Row

TABLE_OF = {
    "PRACTITIONER": "mue-practitioner",
    "ASC": "mue-practitioner",
    "OUTPATIENT_HOSPITAL": "mue-outpatient-hospital",
    "DME_SUPPLIER": "mue-dme",
}
DAY_EDITS_FROM = Date(2013, 4, 1)


def evaluate(case: Case) -> list[Finding]:
    rule_set = f"{case.program.lower()}-{TABLE_OF[case.setting]}"
    return [finding for line in case.lines for finding in evaluate_line(case, rule_set, line)]


def is_counted(line: Line) -> bool:
    """§B.2: every line counts except modifier 55 and statutorily excluded lines."""
    return "55" not in line.modifiers and not line.statutorily_excluded


def units_per_day(line: Line) -> Fraction:
    """§B.2: exact on one day; on a span units by days to the nearest whole number, ties up."""
    units = Fraction(line.units)
    if not line.is_span:
        return units
    return Fraction(math.floor(units / len(line.days) + Fraction(1, 2)))


def evaluate_line(case: Case, rule_set: str, line: Line) -> list[Finding]:
    if not is_counted(line):
        return [Finding(line.number, "MUE", "NOT_APPLICABLE", "MUE_NOT_COUNTED")]
    findings = {evaluate_day(case, rule_set, line, day) for day in line.days}
    return [finding for finding in findings if finding]


def evaluate_day(case: Case, rule_set: str, line: Line, day: Date) -> Finding | None:
    revision = case.tables.in_force(rule_set, day, dated_rows=False)
    if revision is None:
        return Finding(line.number, "MUE", "NOT_EVALUATED", "RULE_SET_NOT_LOADED")
    if is_numeric_between(line.code, 100, 1999):
        return Finding(line.number, "MUE", "NOT_EVALUATED", "MUE_TIME_UNITS")
    rows = revision.rows_of(line.code)
    if not rows:
        return Finding(line.number, "MUE", "NOT_EVALUATED", "MUE_NO_VALUE")
    row = rows[0]
    if int(row["value"]) == 0:
        return Finding(line.number, "MUE", "FAIL", "MUE_ZERO") if line.units > 0 else None
    if case.program == "MEDICAID" or row["mai"] in (None, "1") or day < DAY_EDITS_FROM:
        exceeded = units_per_day(line) > int(row["value"])
        return Finding(line.number, "MUE", "FAIL", "MUE_EXCEEDED") if exceeded else None
    return evaluate_sum(case, line, row, day)


def evaluate_sum(case: Case, line: Line, row: Row, day: Date) -> Finding | None:
    """MAI 2 and 3 (§B.1), with the scope of §A.1 and the prior paid units of the same day."""
    prior = [other for other in case.history if other.paid]
    summed = [o for o in case.lines + prior if o.code == line.code and day in o.days and is_counted(o)]
    same = [other for other in summed if other is line or case.scope(line, other) == "same"]
    limit, limit_is_sure = int(row["value"]), True
    if case.setting == "ASC":
        indicator = bilateral_indicator(case, line.code, day)
        limit_is_sure = indicator is not None
        if indicator == "1":
            limit *= 2
    if total(same) > limit:
        others = tuple(sorted(o.number for o in same if o is not line and not o.history))
        if limit_is_sure:
            return Finding(line.number, "MUE", "FAIL", "MUE_EXCEEDED", others)
        return Finding(line.number, "MUE", "REVIEW", "MUE_ASC_BILATERAL", others)
    if total(summed) > limit:
        others = tuple(sorted(o.number for o in summed if o is not line and not o.history))
        return Finding(line.number, "MUE", "REVIEW", "MUE_PROVIDER_SCOPE", others)
    return None


def total(lines: list[Line]) -> Fraction:
    return sum((units_per_day(line) for line in lines), Fraction(0))


def bilateral_indicator(case: Case, code: str, day: Date) -> str | None:
    """None: the fee schedule is not loaded; empty: it has no row of the code."""
    revision = case.tables.in_force("medicare-pfs-indicators", day, dated_rows=False)
    if revision is None:
        return None
    rows = revision.rows_of(code)
    return str(rows[0]["bilateral_indicator"]) if rows else ""
