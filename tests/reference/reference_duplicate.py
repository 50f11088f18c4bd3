"""Duplicates, plainly (semantics.md §F, 5)."""

from __future__ import annotations

from reference_ptp import ANATOMIC, DISTINCT, exists
from reference_tables import Case, Finding, Line

DISTINGUISHING = DISTINCT | ANATOMIC | {"76", "77", "91"}


def evaluate(case: Case) -> list[Finding]:
    findings = []
    for i, line in enumerate(case.lines):
        if case.tables.in_force("duplicates", line.first, dated_rows=False) is None:
            findings.append(Finding(line.number, "DUPLICATE", "NOT_EVALUATED", "RULE_SET_NOT_LOADED"))
            continue
        for earlier in case.lines[:i] + case.history:
            related = () if earlier.history else (earlier.number,)
            if service(case, line) != service(case, earlier):
                continue
            if marks(line) == marks(earlier):
                findings.append(Finding(line.number, "DUPLICATE", "FAIL", "DUP_EXACT", related))
            elif is_suspect(line, earlier):
                findings.append(Finding(line.number, "DUPLICATE", "REVIEW", "DUP_SUSPECT", related))
    return findings


def service(case: Case, line: Line) -> tuple[object, ...]:
    """The key without modifiers and place: rendering, else billing, provider, dates, code."""
    return (line.rendering or case.billing_provider, line.first, line.last, line.code)


def marks(line: Line) -> tuple[object, ...]:
    return (sorted(line.modifiers), line.place)


def is_suspect(line: Line, earlier: Line) -> bool:
    """One without modifiers, the other with only such as do not distinguish, or did not exist that day."""
    bare, marked = sorted((line.modifiers, earlier.modifiers), key=len)
    return not bare and bool(marked) and not any(m in DISTINGUISHING and exists(m, line.first) for m in marked)
