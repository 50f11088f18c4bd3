"""What CODE_VALIDITY says by curated edits: messages, remedies, citations (semantics.md §F.3, §F.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from claimedits.engine.code_validity_findings import Diagnosis, dotted
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day, format_day
from claimedits.model.finding import Citation, CodeDetail, Detail, Finding, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.code_edits import OLDEST, AgeSexEdit, SequenceEdit
from claimedits.rulesets.windows import Window

if TYPE_CHECKING:
    from claimedits.engine.evaluation import Evaluation


def age(evaluation: Evaluation, line: ClaimLine, window: Window[AgeSexEdit], diagnosis: Diagnosis | None) -> Finding:
    """The patient is too young or too old for the code."""
    message = (
        f"{_held(line, window, diagnosis, 'age')}; the patient's age on {format_day(line.service_date)} is another"
    )
    return _age_sex(evaluation, line, window, diagnosis, "age", message)


def sex(evaluation: Evaluation, line: ClaimLine, window: Window[AgeSexEdit], diagnosis: Diagnosis | None) -> Finding:
    """The code is for the other sex."""
    message = f"{_held(line, window, diagnosis, 'sex')}; the claim states the other sex"
    return _age_sex(evaluation, line, window, diagnosis, "sex", message)


def age_unstated(
    evaluation: Evaluation, line: ClaimLine, window: Window[AgeSexEdit], diagnosis: Diagnosis | None
) -> Finding:
    """NOT_EVALUATED: the code is for patients of some age, and the claim names no birth date before the service."""
    message = f"{_held(line, window, diagnosis, 'age')}; not checked, the claim states no birth date before the service"
    return _unstated(_age_sex(evaluation, line, window, diagnosis, "age", message), "send the patient's birth date")


def sex_unstated(
    evaluation: Evaluation, line: ClaimLine, window: Window[AgeSexEdit], diagnosis: Diagnosis | None
) -> Finding:
    """NOT_EVALUATED: the code is for patients of one sex, and the claim states none."""
    message = f"{_held(line, window, diagnosis, 'sex')}; not checked, the claim states no sex"
    return _unstated(_age_sex(evaluation, line, window, diagnosis, "sex", message), "send the patient's sex")


def _unstated(finding: Finding, condition: str) -> Finding:
    return replace(
        finding,
        status=Status.NOT_EVALUATED,
        adjustment=None,
        overridable=Overridable.NOT_APPLICABLE,
        remedies=(Remedy("DOCUMENT", (finding.line_number,), condition=condition),),
    )


def _held(line: ClaimLine, window: Window[AgeSexEdit], diagnosis: Diagnosis | None, variant: str) -> str:
    """For whom the code is."""
    edit = window.value
    ages = f"from {edit.age_min} years on" if edit.age_max == OLDEST else f"of {edit.age_min} to {edit.age_max} years"
    name = dotted(diagnosis.code) if diagnosis else line.procedure_code
    if variant == "age":
        return f"{name} is for patients {ages}"
    return f"{name} is for {'female' if edit.sex == 'F' else 'male'} patients"


def _age_sex(
    evaluation: Evaluation,
    line: ClaimLine,
    window: Window[AgeSexEdit],
    diagnosis: Diagnosis | None,
    variant: str,
    message: str,
) -> Finding:
    edit, lines = window.value, (line.line_number,)
    code = diagnosis.code if diagnosis else line.procedure_code
    remedies = [
        Remedy(
            "CORRECT_DIAGNOSIS" if diagnosis else "CORRECT_CODE", lines, condition="if the code is not the one meant"
        )
    ]
    if variant == "sex" and edit.lifted_by_modifiers:
        lifting = tuple(sorted(edit.lifted_by_modifiers))
        remedies.append(Remedy("ADD_MODIFIER", lines, lifting, "if the conflict is only one of the sex on file"))
    name = f"AGE_SEX.{'dx_' if diagnosis else ''}{variant}"
    return Finding(
        rule_id=f"code-edits/{variant}/{code}",
        family=Family.CODE_VALIDITY,
        status=Status.FAIL,
        line_number=line.line_number,
        code="AGE_SEX",
        message=message,
        citation=_cite_curated(evaluation, window, edit.source, line.service_date),
        adjustment=evaluation.conventions.adjustment(name, line.service_date),
        overridable=Overridable.CORRECTION,
        remedies=tuple(remedies),
        detail=Detail(code=CodeDetail(dotted(code) if diagnosis else code, "DIAGNOSIS" if diagnosis else "PROCEDURE")),
    )


_REASONS = {"external_cause": "an external cause", "manifestation": "a manifestation"}


def sequence(evaluation: Evaluation, line: ClaimLine, window: Window[SequenceEdit], diagnosis: Diagnosis) -> Finding:
    """A diagnosis listed first that may only follow another."""
    edit, code = window.value, dotted(diagnosis.code)
    where = "first on the claim" if diagnosis.position == 1 else "first on the line"
    return Finding(
        rule_id=f"code-edits/sequence/{diagnosis.code}",
        family=Family.CODE_VALIDITY,
        status=Status.REVIEW,
        line_number=line.line_number,
        code="DX_SEQUENCE",
        message=f"{code} names {_REASONS[edit.reason]} and is listed {where}; it only follows the condition that it explains",
        citation=_cite_curated(evaluation, window, edit.source, line.service_date),
        overridable=Overridable.CORRECTION,
        remedies=(Remedy("CORRECT_DIAGNOSIS", (line.line_number,), condition="list the condition treated before it"),),
        detail=Detail(code=CodeDetail(code, "DIAGNOSIS")),
    )


def _cite_curated(
    evaluation: Evaluation, window: Window[AgeSexEdit] | Window[SequenceEdit], source: tuple[int, int], day: Day
) -> Citation:
    loaded = evaluation.release.rule_sets["code-edits"]
    selection = evaluation.view(loaded, day, dated_rows=False).select(day)
    assert selection is not None, "the edit was read from the revision in force"
    cited = loaded.cite(selection.in_force, source)
    return cited._replace(authority=window.value.authority or cited.authority)
