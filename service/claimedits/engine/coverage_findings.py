"""What COVERAGE says: messages, remedies, citations (semantics.md §0.3, §D.3, §D.6)."""

from __future__ import annotations

from claimedits.engine.coverage_decision import Diagnoses, Verdict
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.liability_modifiers import assign_liability
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import format_day
from claimedits.model.finding import Citation, CoverageDetail, Detail, Finding, Note, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.coverage.documents import Document
from claimedits.rulesets.coverage.governing import Governing
from claimedits.rulesets.loaded import LoadedRuleSet

RULE_SET = "medicare-coverage"
LONGEST_PARAGRAPH = 2_000
"""Characters of a paragraph that a finding carries; its digest names the whole."""


_NO_POLICY = Citation(rule_set=RULE_SET)


def jurisdiction_finding(evaluation: Evaluation, line: ClaimLine, governing: Governing | None = None) -> Finding:
    """§D.2: neither contractor nor state, or a state of which the document governs a part only."""
    if governing is None:
        rule_id = RULE_SET
        message = (
            f"coverage of {line.procedure_code} cannot be verified: documents govern it in some jurisdictions, and the claim names "
            "neither a known contractor nor a state"
        )
        remedy = Remedy("NONE", condition="state the contractor, or the state of the place of service")
    else:
        rule_id = f"{RULE_SET}/{governing.name}"
        message = f"coverage of {line.procedure_code} cannot be verified: {governing.name} governs a part of the claim's state only"
        remedy = Remedy("NONE", condition="state the contractor or the part-state of the place of service")
    return Finding(
        rule_id=rule_id,
        family=Family.COVERAGE,
        status=Status.NOT_EVALUATED,
        line_number=line.line_number,
        code="COV_JURISDICTION_UNKNOWN",
        message=message,
        citation=Citation(rule_set=RULE_SET, authority="IOM 100-04 ch. 1 §10; MCD data dictionary"),
        remedies=(remedy,),
        detail=Detail(coverage=CoverageDetail(document_id=governing.name if governing else "")),
    )


def no_policy_finding(evaluation: Evaluation, line: ClaimLine) -> Finding:
    """No document governs the code: not applicable, not a pass."""
    return Finding(
        rule_id=f"{RULE_SET}/{line.procedure_code}",
        family=Family.COVERAGE,
        status=Status.NOT_APPLICABLE,
        line_number=line.line_number,
        code="COV_NO_POLICY",
        message=f"no coverage document in force governs {line.procedure_code} in this jurisdiction",
        citation=_NO_POLICY,
    )


def version_finding(evaluation: Evaluation, loaded: LoadedRuleSet, line: ClaimLine, governing: Governing) -> Finding:
    """The document governs the code, and the version in force on the day is not at hand."""
    return Finding(
        rule_id=f"{RULE_SET}/{governing.name}",
        family=Family.COVERAGE,
        status=Status.NOT_EVALUATED,
        line_number=line.line_number,
        code="RULE_SET_NOT_LOADED",
        message=f"{governing.name}: the version in force on {format_day(line.service_date)} is not loaded; "
        f"coverage of {line.procedure_code} cannot be verified",
        citation=loaded.cite(governing.revision),
        remedies=(Remedy("NONE", condition=f"import the export that holds {governing.name} for that day"),),
        detail=Detail(coverage=CoverageDetail(document_id=governing.name)),
    )


def verdict_finding(
    evaluation: Evaluation,
    loaded: LoadedRuleSet,
    line: ClaimLine,
    governing: Governing,
    verdict: Verdict,
    diagnoses: Diagnoses,
) -> Finding:
    """A document's verdict with everything that proves it."""
    document = governing.document
    assert document is not None
    name = f"{document.document_id}{f' version {document.version}' if document.version else ''}"
    failed = verdict.status is Status.FAIL
    suffix = ".ncd" if document.document_type == "NCD" else ""
    adjustment = None
    if failed:
        conventions = evaluation.conventions
        adjustment = conventions.adjustment(f"{verdict.code}{suffix}", line.service_date)
        adjustment = assign_liability(line, adjustment)
    return Finding(
        rule_id=f"{RULE_SET}/{document.document_id}",
        family=Family.COVERAGE,
        status=verdict.status,
        line_number=line.line_number,
        code=verdict.code,
        message=f"{name}, {line.procedure_code}: {verdict.why}",
        citation=_cite(loaded, document, line, governing, verdict),
        adjustment=adjustment,
        overridable=_overridable(verdict),
        remedies=_remedies(line, document, verdict),
        detail=_detail(evaluation, governing, line, verdict, diagnoses),
    )


def _cite(
    loaded: LoadedRuleSet, document: Document, line: ClaimLine, governing: Governing, verdict: Verdict
) -> Citation:
    """The listed diagnosis where one was hit, else the group, else the procedure code."""
    place = verdict.source if verdict.source[1] else document.rows[line.procedure_code]
    if verdict.member >= 0:
        place = loaded.index.member_source(verdict.member)
    start = "" if document.effective_from is None else format_day(document.effective_from)
    cited = loaded.cite(document.revision, place, start, format_day(governing.effective_to))
    return cited._replace(url=document.url or cited.url)


def _overridable(verdict: Verdict) -> Overridable:
    if verdict.code in ("COV_NOT_POINTED", "COV_SECONDARY_MISSING"):
        return Overridable.CORRECTION
    return Overridable.DOCUMENTATION if verdict.code else Overridable.NOT_APPLICABLE


def _remedies(line: ClaimLine, document: Document, verdict: Verdict) -> tuple[Remedy, ...]:
    number = (line.line_number,)
    if verdict.status is Status.REVIEW:
        return (Remedy("DOCUMENT", number, condition=f"if a person finds that {document.document_id} is met"),)
    if verdict.status is not Status.FAIL:
        return ()
    point = Remedy("POINT_DIAGNOSIS", number, condition="if the record supports the diagnosis for this service")
    add = Remedy("ADD_DIAGNOSIS", number, condition=f"if the record supports one that {document.document_id} lists")
    notice = Remedy(
        "NONE",
        number,
        ("GA",),
        "if a notice of non-coverage was signed before the service: it shifts liability, not coverage",
    )
    if verdict.code == "COV_NOT_POINTED":
        return (point,)
    if verdict.code == "COV_SECONDARY_MISSING":
        return (add, point)
    if verdict.missing == "coverage of the code itself":
        return (notice,)
    return (add, notice) if verdict.can_shift_liability else (add,)


def _detail(
    evaluation: Evaluation, governing: Governing, line: ClaimLine, verdict: Verdict, diagnoses: Diagnoses
) -> Detail:
    document = governing.document
    assert document is not None
    claim = evaluation.claim
    loaded = evaluation.release.rule_sets[RULE_SET]
    paragraph = loaded.index.paragraph(governing.number, verdict.paragraph)
    considered = [
        code for code, key in zip(claim.diagnoses, diagnoses.claimed, strict=True) if key in diagnoses.pointed
    ]
    advisories = []
    if diagnoses.has_no_pointers:
        advisories.append(
            Note("COV_NO_POINTERS", "the line points to no diagnosis; all diagnoses of the claim were considered")
        )
    liable = verdict.status is Status.FAIL and "GA" in line.modifiers and "GZ" not in line.modifiers
    return Detail(
        beneficiary_liable=liable,
        abn_can_shift_liability=verdict.status is Status.FAIL and verdict.can_shift_liability,
        advisories=tuple(advisories),
        coverage=CoverageDetail(
            document_id=document.document_id,
            document_version=document.version,
            document_type=document.document_type,
            group_hit=verdict.group,
            missing=verdict.missing,
            diagnoses_considered=tuple(considered),
            paragraph=paragraph.text[:LONGEST_PARAGRAPH] if paragraph else "",
            paragraph_sha256=paragraph.sha256 if paragraph else "",
            jurisdiction=claim.contractor_id or claim.state,
        ),
    )
