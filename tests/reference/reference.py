"""A plain, slow reading of PTP, MUE, ADD_ON_CODE and DUPLICATE (semantics.md §0, A, B, C, F.5, G); default switches only.

It is the second opinion beside the product: written from the semantics alone, with no index and no shared code.
"""

from __future__ import annotations

import reference_add_on
import reference_duplicate
import reference_mue
import reference_ptp
from reference_tables import Answer, Case, Date, Finding, Revision, Row, Tables, date, read_line, worst

FAMILIES = ("DUPLICATE", "PTP", "MUE", "ADD_ON_CODE")
"""In the order of evaluation (§0.4)."""


def evaluate(
    claim: Row, revisions: list[Revision], as_of: Date, families: tuple[str, ...] = FAMILIES
) -> dict[tuple[int, str], Answer]:
    """The answer by line number and family, for every line of the claim (a dict in the JSON spelling of api.md)."""
    case = Case(
        program=claim["program"],
        setting=claim["setting"],
        billing_provider=claim.get("billing_provider_id", ""),
        lines=[read_line(line, history=False) for line in claim["lines"]],
        history=[read_line(line, history=True) for line in claim.get("history_lines", [])],
        tables=Tables(revisions, as_of),
    )
    findings: list[Finding] = []
    if "DUPLICATE" in families:
        findings += reference_duplicate.evaluate(case)
    if "PTP" in families:
        findings += reference_ptp.evaluate(case)
    if "MUE" in families:
        findings += reference_mue.evaluate(case)
    if "ADD_ON_CODE" in families:
        failed = {finding.line for finding in findings if finding.status == "FAIL"}
        findings += reference_add_on.evaluate(case, failed)
    return {
        (line.number, family): answer([f for f in findings if f.line == line.number and f.family == family])
        for line in case.lines
        for family in families
    }


def answer(findings: list[Finding]) -> Answer:
    status = worst([finding.status for finding in findings])
    return Answer(
        status=status,
        codes=frozenset(finding.code for finding in findings if finding.code),
        worst_codes=frozenset(finding.code for finding in findings if finding.code and finding.status == status),
        related=frozenset(number for finding in findings for number in finding.related),
    )


def revisions_of_known_answer(rules: list[Row]) -> list[Revision]:
    """The revisions that a known answer states (§H): rows without a revision share one, open-ended, known since 1900."""
    always = {"label": "case", "effective_from": "1900-01-01", "effective_to": "", "published_on": "1900-01-01"}
    revisions: dict[tuple[str, str], Revision] = {}
    for rule in rules:
        about = rule.get("revision") or always
        key = (rule["rule_set"], about["label"])
        if key not in revisions:
            start, end, known = (date(about[name]) for name in ("effective_from", "effective_to", "published_on"))
            assert start and known
            revisions[key] = Revision(rule["rule_set"], about["label"], start, end, known, [])
        if not rule.get("loaded"):
            row = dict(rule)
            for name in ("effective_from", "effective_to"):
                if name in row:
                    row[name] = date(row[name])
            revisions[key].rows.append(row)
    return list(revisions.values())
