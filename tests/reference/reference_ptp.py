"""PTP, plainly (semantics.md §A)."""

from __future__ import annotations

from reference_tables import Case, Date, Finding, Line, Row

ANATOMIC = {"E1", "E2", "E3", "E4", "FA", "TA", "LT", "RT", "LC", "LD", "RC", "LM", "RI"}
ANATOMIC |= {f"F{n}" for n in range(1, 10)} | {f"T{n}" for n in range(1, 10)}
DISTINCT = {"59", "XE", "XP", "XS", "XU"}
PTP_ASSOCIATED = ANATOMIC | DISTINCT | {"24", "25", "57", "58", "78", "79", "27", "91"}
TABLE_OF = {
    ("MEDICARE", "PRACTITIONER"): "medicare-ptp-practitioner",
    ("MEDICARE", "ASC"): "medicare-ptp-practitioner",
    ("MEDICARE", "OUTPATIENT_HOSPITAL"): "medicare-ptp-outpatient-hospital",
    ("MEDICAID", "PRACTITIONER"): "medicaid-ptp-practitioner",
    ("MEDICAID", "ASC"): "medicaid-ptp-practitioner",
    ("MEDICAID", "OUTPATIENT_HOSPITAL"): "medicaid-ptp-outpatient-hospital",
    ("MEDICAID", "DME_SUPPLIER"): "medicaid-ptp-dme",
}
EITHER_COLUMN_PAIRS = [{strapping, "97140"} for strapping in ("29581", "29582", "29583", "29584")]
EITHER_COLUMN_PAIRS += [{"24305", "64718"}, {"38221", "20220"}]
EITHER_COLUMN_FROM = Date(2019, 7, 1)


def is_numeric_between(code: str, first: int, last: int) -> bool:
    return code.isdigit() and first <= int(code) <= last


def is_evaluation_and_management(code: str) -> bool:
    """§A.5, the default."""
    if code in ("G0463", "G0402", "G0438", "G0439"):
        return True
    return is_numeric_between(code, 99202, 99499) or is_numeric_between(code, 92002, 92014)


def is_laboratory(code: str) -> bool:
    """§A.5 gives no default; this one is right for the codes that the generator puts 91 on."""
    return is_numeric_between(code, 80047, 89398)


def evaluate(case: Case) -> list[Finding]:
    rule_set = TABLE_OF.get((case.program, case.setting))
    if rule_set is None:
        return [Finding(line.number, "PTP", "NOT_APPLICABLE", "PTP_NO_TABLE") for line in case.lines]
    findings = []
    for line in case.lines:
        if line.statutorily_excluded:
            findings.append(Finding(line.number, "PTP", "NOT_APPLICABLE", "PTP_NOT_GOVERNED"))
        elif any(case.tables.in_force(rule_set, day, dated_rows=True) is None for day in line.days):
            findings.append(Finding(line.number, "PTP", "NOT_EVALUATED", "RULE_SET_NOT_LOADED"))
    for i, a in enumerate(case.lines):
        for b in case.lines[i + 1 :] + case.history:
            findings += evaluate_pair(case, rule_set, a, b)
    return findings


def evaluate_pair(case: Case, rule_set: str, a: Line, b: Line) -> list[Finding]:
    """§A.6, §A.7, §A.8. ``a`` is a line of the claim, ``b`` perhaps of the history."""
    if a.code == b.code or a.statutorily_excluded or b.statutorily_excluded:
        return []
    findings = set()
    for day in a.days:
        if day not in b.days:
            continue
        row = find_row(case, rule_set, day, a.code, b.code)
        if row is None:
            continue
        column_1, column_2 = (a, b) if row["column_1"] == a.code else (b, a)
        status, code = decide(case, row, column_1, column_2, day)
        reported_on = column_2
        if column_2.history:
            reported_on = column_1
            if status != "BYPASSED" and code != "PTP_DATE_SPAN":
                status, code = "REVIEW", "PTP_COLUMN_2_IN_HISTORY"
        other = b if reported_on is a else a
        related = () if other.history else (other.number,)
        findings.add(Finding(reported_on.number, "PTP", status, code, related))
    return list(findings)


def find_row(case: Case, rule_set: str, day: Date, a: str, b: str) -> Row | None:
    """The row active on the day, in either order; of several the latest, then the lower indicator (file-formats.md §1)."""
    rows = (case.tables.active_rows(rule_set, day, a, b) or []) + (case.tables.active_rows(rule_set, day, b, a) or [])
    if not rows:
        return None
    latest = max(row["effective_from"] for row in rows)
    return min((row for row in rows if row["effective_from"] == latest), key=lambda row: str(row["modifier_indicator"]))


def decide(case: Case, row: Row, column_1: Line, column_2: Line, day: Date) -> tuple[str, str]:
    if column_1.is_span or column_2.is_span:
        return "REVIEW", "PTP_DATE_SPAN"
    status, code = "FAIL", "PTP_CONFLICT"
    if row["modifier_indicator"] == "1":
        answers = [position(case, m, 1, column_1, column_2, day) for m in column_1.modifiers]
        answers += [position(case, m, 2, column_2, column_1, day) for m in column_2.modifiers]
        if "accept" in answers:
            return "BYPASSED", "PTP_BYPASSED"
        if "review" in answers:
            return "REVIEW", "PTP_MODIFIER_POSITION"
    if case.scope(column_1, column_2) == "undecided":
        status, code = "REVIEW", "PTP_SEPARATE_PRACTITIONER"
    return status, code


def position(case: Case, modifier: str, column: int, line: Line, other: Line, day: Date) -> str:
    """§A.5, the table of positions: ``accept``, ``reject`` or ``review`` of one modifier on ``line``."""
    if modifier not in PTP_ASSOCIATED or not exists(modifier, day):
        return "reject"
    if modifier in ANATOMIC:
        # §A.5.1: the line has one that the other has not; for Medicare that line is column 2.
        if (column == 2 or case.program == "MEDICAID") and modifier not in other.modifiers:
            return "accept"
        return "reject"
    if case.program == "MEDICAID":
        return "accept"
    return medicare_position(case.setting, modifier, column, line.code, other.code, day)


def exists(modifier: str, day: Date) -> bool:
    if modifier in ("XE", "XP", "XS", "XU"):
        return day >= Date(2015, 1, 1)
    return modifier not in ("LM", "RI") or day >= Date(2013, 1, 1)


def medicare_position(setting: str, modifier: str, column: int, code: str, other: str, day: Date) -> str:
    hospital = setting == "OUTPATIENT_HOSPITAL"
    visit = is_evaluation_and_management(code)
    if modifier in ("24", "25", "57", "27"):
        if not visit:
            return "reject"
        if modifier == "27":
            return ("review" if column == 1 else "accept") if hospital else "reject"
        at_odds = (modifier == "24" and hospital) or (modifier == "57" and setting != "PRACTITIONER")
        return "review" if at_odds else "accept"
    if modifier == "91":
        return "accept" if column == 2 and is_laboratory(code) else "reject"
    if visit:
        return "reject"
    if modifier == "58":
        return "accept"
    if modifier in ("78", "79"):
        return "accept" if column == 2 else "reject"
    return distinct_position(hospital, column, code, other, day)


def distinct_position(hospital: bool, column: int, code: str, other: str, day: Date) -> str:
    """59, XE, XP, XS, XU on a line that is no E/M."""
    if code == "77427":
        return "reject"
    if column == 2:
        return "accept"
    if {code, other} in EITHER_COLUMN_PAIRS and day >= EITHER_COLUMN_FROM:
        return "accept"
    if hospital:
        return "review"
    if day < EITHER_COLUMN_FROM:
        return "reject"
    return "review" if is_evaluation_and_management(other) else "accept"
