"""Add-on codes, plainly (semantics.md §C)."""

from __future__ import annotations

from reference_tables import ONE_DAY, Case, Finding, Line, Row


def evaluate(case: Case, failed: set[int]) -> list[Finding]:
    """``failed``: numbers of the lines that FAIL in another family of this request."""
    findings = []
    for line in case.lines:
        finding = evaluate_line(case, line, failed)
        if finding:
            findings.append(finding)
    return findings


def evaluate_line(case: Case, line: Line, failed: set[int]) -> Finding | None:
    def answer(status: str, code: str = "", related: tuple[int, ...] = ()) -> Finding:
        return Finding(line.number, "ADD_ON_CODE", status, code, related)

    if case.setting == "DME_SUPPLIER" or line.statutorily_excluded:
        return answer("NOT_APPLICABLE")
    rows = add_on_rows(case, line, line.code)
    if any(case.tables.in_force(rule_set(case), day, dated_rows=True) is None for day in line.days) or rows is None:
        return answer("NOT_EVALUATED", "RULE_SET_NOT_LOADED")
    if not rows:
        return answer("REVIEW", "AOC_NO_LIST") if is_zzz(case, line) else answer("NOT_APPLICABLE")
    allowed = [row for row in rows if not row.get("settings") or case.setting in row["settings"]]
    if not allowed:
        return answer("FAIL", "AOC_SETTING")
    primaries = find_primaries(case, line, [row["primary_code"] for row in allowed])
    usable = [p for p in primaries if is_usable(case, line, p, failed)]
    if usable:
        return answer("PASS", "", tuple(p.number for p in usable if not p.history)[:1])
    if primaries and all(not p.history and p.number in failed for p in primaries):
        return answer("FAIL", "AOC_PRIMARY_DENIED", tuple(p.number for p in primaries))
    if primaries:
        return answer("REVIEW", "AOC_PRIMARY_UNPAID")
    return without_primary(case, line, allowed, answer)


def without_primary(case: Case, line: Line, rows: list[Row], answer) -> Finding:  # type: ignore[no-untyped-def]
    everything = [other for other in case.lines + case.history if other is not line]
    if line.code == "99292":
        neighbours = {line.first - ONE_DAY, line.last + ONE_DAY}
        if any(other.code == "99291" and neighbours & set(other.days) for other in everything):
            return answer("REVIEW", "AOC_PRIMARY_OTHER_DATE")
    if all(row["edit_type"] == "1" for row in rows):
        return answer("FAIL", "AOC_PRIMARY_MISSING")
    for other in everything:
        if set(other.days) & set(line.days) and not add_on_rows(case, line, other.code):
            return answer("REVIEW", "AOC_PRIMARY_UNLISTED")
    return answer("FAIL", "AOC_PRIMARY_MISSING")


def add_on_rows(case: Case, line: Line, code: str) -> list[Row] | None:
    return case.tables.active_rows(rule_set(case), line.first, code)


def rule_set(case: Case) -> str:
    return f"{case.program.lower()}-aoc"


def find_primaries(case: Case, line: Line, codes: list[str]) -> list[Line]:
    """Lines of the claim, then of the history, whose code is listed, on the same day."""
    return [
        other
        for other in case.lines + case.history
        if other is not line and other.code in codes and set(other.days) & set(line.days)
    ]


def is_usable(case: Case, line: Line, primary: Line, failed: set[int]) -> bool:
    if case.scope(line, primary) == "undecided":
        return False
    return primary.paid if primary.history else primary.number not in failed


def is_zzz(case: Case, line: Line) -> bool:
    revision = case.tables.in_force("medicare-pfs-indicators", line.first, dated_rows=False)
    return revision is not None and any(row["global_days"] == "ZZZ" for row in revision.rows_of(line.code))
