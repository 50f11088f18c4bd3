"""Medical necessity, family COVERAGE (semantics.md §D)."""

from __future__ import annotations

from claimedits.engine.coverage_decision import Diagnoses, decide
from claimedits.engine.coverage_findings import (
    jurisdiction_finding,
    no_policy_finding,
    verdict_finding,
    version_finding,
)
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.liability_modifiers import is_excluded_by_statute, judge_liability_modifiers
from claimedits.model.claim import ClaimLine
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.coverage.documents import encode_diagnosis
from claimedits.rulesets.coverage.governing import Governing, GoverningDocuments
from claimedits.rulesets.loaded import LoadedRuleSet

RULE_SET = "medicare-coverage"
FACILITY = (Setting.OUTPATIENT_HOSPITAL,)
"""Claims without pointers: all diagnoses count (§D.4)."""


def evaluate(evaluation: Evaluation) -> None:
    """Decide the COVERAGE status of every line."""
    claim = evaluation.claim
    if claim.program is not Program.MEDICARE:  # D.1: coverage documents bind Medicare contractors only
        for index in range(len(claim.lines)):
            evaluation.mark(index, Family.COVERAGE, Status.NOT_APPLICABLE)
        return
    loaded = evaluation.release.rule_sets.get(RULE_SET)
    documents = GoverningDocuments.of(loaded, evaluation.as_of) if loaded is not None else None
    encoded = tuple([encode_diagnosis(code) for code in claim.diagnoses])
    for index, line in enumerate(claim.lines):
        if line.modifiers:
            judge_liability_modifiers(evaluation, index, line)
            if is_excluded_by_statute(line):
                continue
        if loaded is None or documents is None:
            evaluation.add_not_loaded(index, Family.COVERAGE, RULE_SET, line.service_date)
        else:
            _judge_line(evaluation, loaded, documents, index, line, encoded)


def _judge_line(
    evaluation: Evaluation,
    loaded: LoadedRuleSet,
    documents: GoverningDocuments,
    index: int,
    line: ClaimLine,
    encoded: tuple[int, ...],
) -> None:
    """Every document version active on the day, in jurisdiction, governing the code (§D.3); all must be satisfied."""
    claim, day = evaluation.claim, line.service_date
    if not documents.has_edition(day):
        evaluation.add_not_loaded(index, Family.COVERAGE, RULE_SET, day)
        return
    governing = documents.find(line.procedure_code, claim.contractor_id, claim.state, claim.setting, day)
    if evaluation.trace is not None:
        found = ", ".join(g.name for g in governing.documents) or "no document"
        evaluation.note(line.line_number, Family.COVERAGE, RULE_SET, "", line.procedure_code, found)
    if governing.is_jurisdiction_unknown:
        evaluation.add(index, jurisdiction_finding(evaluation, line))
    elif not governing.documents:
        evaluation.add(index, no_policy_finding(evaluation, line))
    if not governing.documents:
        return
    diagnoses = diagnoses_of(evaluation, line, encoded)
    for one in governing.documents:
        _judge_document(evaluation, loaded, index, line, one, diagnoses)


def _judge_document(
    evaluation: Evaluation,
    loaded: LoadedRuleSet,
    index: int,
    line: ClaimLine,
    governing: Governing,
    diagnoses: Diagnoses,
) -> None:
    document = governing.document
    if document is None:
        evaluation.add(index, version_finding(evaluation, loaded, line, governing))
        return
    verdict = decide(document, evaluation.claim, line, diagnoses)
    if verdict.status is Status.PASS and not evaluation.wants_passes:
        evaluation.mark(index, Family.COVERAGE, Status.PASS)
    elif governing.is_partial and verdict.status is not Status.PASS:
        evaluation.add(index, jurisdiction_finding(evaluation, line, governing))
    else:
        evaluation.add(index, verdict_finding(evaluation, loaded, line, governing, verdict, diagnoses))


def diagnoses_of(evaluation: Evaluation, line: ClaimLine, encoded: tuple[int, ...]) -> Diagnoses:
    """Which diagnoses count (§D.4): the line's pointers; on facility claims, and without pointers, all."""
    pointers = line.diagnosis_pointers
    if evaluation.claim.setting in FACILITY:
        return Diagnoses(encoded, encoded, all_count=True, has_no_pointers=False)
    if not pointers:
        return Diagnoses(encoded, encoded, all_count=True, has_no_pointers=True)
    if len(pointers) > 1 and evaluation.conventions.switch("coverage.pointer", line.service_date) == "first_pointer":
        pointers = pointers[:1]
    return Diagnoses(tuple([encoded[p - 1] for p in pointers]), encoded, all_count=False, has_no_pointers=False)
