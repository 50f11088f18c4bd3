"""What CODE_VALIDITY says: messages, hints, remedies, citations (semantics.md §F.1, §F.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from claimedits.engine.code_lists import PROCEDURE_CODES, Standing, cite_row
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day, format_day
from claimedits.model.finding import Citation, CodeDetail, Detail, Finding, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.code_sets import CodeRow, DiagnosisCodes, class_of_procedure
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.versions import Selection

if TYPE_CHECKING:
    from claimedits.engine.evaluation import Evaluation

SHOWN_CHILDREN = 20
"""A header may have hundreds of billable codes below it; a finding names the first of them and says how many there are."""


class Diagnosis(NamedTuple):
    """A diagnosis of the claim and its 1-based place there."""

    code: str
    position: int


class DiagnosisStanding(NamedTuple):
    """What the ICD-10-CM edition of a day says of one code."""

    icd10: LoadedRuleSet
    selection: Selection
    row: CodeRow | None
    """The row that covers the day; None where the edition does not hold the code on that day."""
    rows: tuple[CodeRow, ...]
    code: str


def dotted(code: str) -> str:
    """``E1140`` as people write it: ``E11.40``."""
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and "." not in code else code


# §F.1 Procedure codes


def procedure_valid(evaluation: Evaluation, index: int, line: ClaimLine, standing: Standing) -> None:
    """A plain pass, cited where the caller wants to see it."""
    if not evaluation.wants_passes:
        evaluation.mark(index, Family.CODE_VALIDITY, Status.PASS)
        return
    assert standing.loaded is not None and standing.selection is not None
    name, code, day = standing.loaded.name, line.procedure_code, format_day(line.service_date)
    row = standing.rows[0] if standing.rows else None
    citation = standing.cite(row) if row else _cite_fee_schedule(standing, code)
    evaluation.note(line.line_number, Family.CODE_VALIDITY, name, _revision(standing), f"{code} on {day}", "valid")
    evaluation.add_pass(
        index,
        Family.CODE_VALIDITY,
        f"{name}/{code}",
        f"{code} is valid on {day}",
        citation=citation,
        detail=_detail(standing.selection, _code_detail(code, "PROCEDURE", row)),
    )


def _cite_fee_schedule(standing: Standing, code: str) -> Citation:
    assert standing.loaded is not None and standing.selection is not None
    return standing.loaded.cite(standing.selection.in_force, standing.loaded.index.source(code, "", standing.selection))


def procedure_invalid(evaluation: Evaluation, line: ClaimLine, day: Day, standing: Standing) -> Finding:
    """Terminated, not yet effective, or no code at all."""
    assert standing.loaded is not None and standing.selection is not None
    code, name, on = line.procedure_code, standing.loaded.name, format_day(day)
    row = _nearest(standing.rows, day)
    evaluation.note(line.line_number, Family.CODE_VALIDITY, name, _revision(standing), f"{code} on {on}", "not valid")
    if row is None:
        why = f"{code} is not a code of {name} {_label(standing.loaded, standing.selection)} on {on}"
    else:
        why = _out_of_window(code, row, day)
    return Finding(
        rule_id=f"{name}/{code}",
        family=Family.CODE_VALIDITY,
        status=Status.FAIL,
        line_number=line.line_number,
        code="CODE_INVALID",
        message=why + ("" if day == line.service_date else "; the line's dates run to it"),
        citation=standing.cite(row),
        adjustment=evaluation.conventions.adjustment("CODE_INVALID", line.service_date),
        overridable=Overridable.CORRECTION,
        remedies=_procedure_remedies(line, day, row),
        detail=_detail(standing.selection, _code_detail(code, "PROCEDURE", row)),
    )


def _procedure_remedies(line: ClaimLine, day: Day, row: CodeRow | None) -> tuple[Remedy, ...]:
    lines = (line.line_number,)
    remedies = [Remedy("CORRECT_CODE", lines, condition=f"report a code that is valid on {format_day(day)}")]
    if day != line.service_date:
        remedies.append(
            Remedy("SPLIT_LINE", lines, condition="report the days in which the code is valid on their own line")
        )
    elif row is not None:
        side = "by" if row.effective_to < day else "on or after"
        last = format_day(row.effective_to if row.effective_to < day else row.effective_from)
        remedies.append(Remedy("CORRECT_DATE", lines, condition=f"if the service was given {side} {last}"))
    return tuple(remedies)


def procedure_unjudged(evaluation: Evaluation, line: ClaimLine, day: Day) -> Finding:
    """NOT_EVALUATED: no list of the release that governs the day covers codes of this class."""
    kind = class_of_procedure(line.procedure_code)
    mend = (
        "a fee schedule or a licensed list of CPT codes" if kind.startswith("CPT") else "the list that holds such codes"
    )
    return Finding(
        rule_id=PROCEDURE_CODES,
        family=Family.CODE_VALIDITY,
        status=Status.NOT_EVALUATED,
        line_number=line.line_number,
        code="RULE_SET_NOT_LOADED",
        message=f"{PROCEDURE_CODES}: the release holds no list that governs {line.procedure_code} on {format_day(day)}, "
        f"as known on {format_day(evaluation.as_of)}; the code was not checked",
        remedies=(Remedy("NONE", condition=f"load {mend} for {format_day(day)}"),),
        detail=Detail(),
    )


# §F.2 Diagnoses


def diagnosis(
    evaluation: Evaluation, index: int, line: ClaimLine, diagnosis: Diagnosis, standing: DiagnosisStanding
) -> None:
    """Valid and billable, a header, or no code of the edition."""
    row = standing.row
    if row is not None and row.billable and not evaluation.wants_passes:
        evaluation.mark(index, Family.CODE_VALIDITY, Status.PASS)
        return
    name, on = standing.icd10.name, format_day(line.service_date)
    result = "absent" if row is None else "billable" if row.billable else "header"
    revision = standing.icd10.editions.revisions[standing.selection.in_force].id
    evaluation.note(line.line_number, Family.CODE_VALIDITY, name, revision, f"{dotted(standing.code)} on {on}", result)
    if row is None:
        evaluation.add(index, _diagnosis_invalid(evaluation, line, diagnosis, standing))
    elif not row.billable:
        evaluation.add(index, _diagnosis_not_billable(evaluation, line, diagnosis, standing, row))
    else:
        evaluation.add_pass(
            index,
            Family.CODE_VALIDITY,
            f"{name}/{diagnosis.code}",
            f"{dotted(diagnosis.code)} is billable on {on}",
            citation=cite_row(standing.icd10, standing.selection, row),
            detail=_detail(standing.selection, _code_detail(dotted(diagnosis.code), "DIAGNOSIS", row)),
        )


def _diagnosis_not_billable(
    evaluation: Evaluation, line: ClaimLine, diagnosis: Diagnosis, standing: DiagnosisStanding, row: CodeRow
) -> Finding:
    index: DiagnosisCodes = standing.icd10.index
    children, total = index.children(diagnosis.code, standing.selection.in_force, SHOWN_CHILDREN)
    code = dotted(diagnosis.code)
    if children and all(len(child) == 7 for child in children):
        filled = (
            " behind the placeholder X"
            if len(diagnosis.code) < 6 and "X" in children[0][len(diagnosis.code) : 6]
            else ""
        )
        why = f"{code} lacks its seventh character{filled}: {total} codes complete it"
    elif children:
        why = f"{code} is a header, not a billable code: one of the {total} codes below it is needed"
    else:
        why = f"{code} is a header, not a billable code"
    suggestions = tuple(dotted(child) for child in children)
    return _diagnosis_finding(evaluation, line, diagnosis, standing, "DX_NOT_BILLABLE", why, row, suggestions)


def _diagnosis_invalid(
    evaluation: Evaluation, line: ClaimLine, diagnosis: Diagnosis, standing: DiagnosisStanding
) -> Finding:
    code, day = dotted(diagnosis.code), line.service_date
    label = _label(standing.icd10, standing.selection)
    row = _nearest(standing.rows, day)
    other = row or _nearest(_other_editions(evaluation, standing), day)
    if row is not None:
        why = _out_of_window(code, row, day)
    elif other is not None:
        why = f"{code} is no code of ICD-10-CM {label}, which governs {format_day(day)}; {_window_words(other)}"
    else:
        why = f"{code} is no code of ICD-10-CM {label}, which governs {format_day(day)}"
    suggestions = _repairs(standing, day)
    if suggestions:
        why += f"; {suggestions[0]} is billable"
    return _diagnosis_finding(evaluation, line, diagnosis, standing, "DX_INVALID", why, other, suggestions)


def _other_editions(evaluation: Evaluation, standing: DiagnosisStanding) -> tuple[CodeRow, ...]:
    """Rows of the code in other editions that were known on ``as_of``."""
    revisions = standing.icd10.editions.revisions
    return tuple(
        row
        for row in standing.icd10.index.windows(standing.code)
        if revisions[row.revisions.bit_length() - 1].header.published_on <= evaluation.as_of
    )


def _repairs(standing: DiagnosisStanding, day: Day) -> tuple[str, ...]:
    """Codes that the caller may have meant: a stray dot left out, or letters too many cut off."""
    index: DiagnosisCodes = standing.icd10.index
    edition = standing.selection.in_force
    plain = standing.code.replace(".", "")
    rows = index.windows(plain) if plain != standing.code else ()
    if any(row.billable and row.covers(day) and row.revisions >> edition & 1 for row in rows):
        return (dotted(plain),)
    shorter = index.billable_ancestor(plain, edition)
    return (dotted(shorter),) if shorter else ()


def _diagnosis_finding(
    evaluation: Evaluation,
    line: ClaimLine,
    diagnosis: Diagnosis,
    standing: DiagnosisStanding,
    code: str,
    message: str,
    row: CodeRow | None,
    suggestions: tuple[str, ...],
) -> Finding:
    icd10, selection = standing.icd10, standing.selection
    return Finding(
        rule_id=f"{icd10.name}/{diagnosis.code}",
        family=Family.CODE_VALIDITY,
        status=Status.FAIL,
        line_number=line.line_number,
        code=code,
        message=message,
        citation=cite_row(icd10, selection, row) if row else icd10.cite(selection.in_force),
        adjustment=evaluation.conventions.adjustment(code, line.service_date),
        overridable=Overridable.CORRECTION,
        remedies=(
            Remedy("CORRECT_DIAGNOSIS", (line.line_number,), suggestions, "report the code that the record supports"),
        ),
        detail=_detail(selection, _code_detail(dotted(diagnosis.code), "DIAGNOSIS", row, suggestions)),
    )


# What the findings share


def _nearest(rows: tuple[CodeRow, ...], day: Day) -> CodeRow | None:
    """The row whose window lies nearest to ``day``; None where there is none."""
    return min(rows, key=lambda row: max(row.effective_from - day, day - row.effective_to), default=None)


def _window_words(row: CodeRow) -> str:
    first, last = row.dates()
    if first and last:
        return f"it is valid from {first} to {last}"
    return f"it is valid to {last}" if last else f"it is valid from {first} on"


def _out_of_window(code: str, row: CodeRow, day: Day) -> str:
    if row.effective_to < day:
        return f"{code} is not valid on {format_day(day)}: its last day was {format_day(row.effective_to)}"
    return f"{code} is not valid on {format_day(day)}: its first day is {format_day(row.effective_from)}"


def _label(loaded: LoadedRuleSet, selection: Selection) -> str:
    return loaded.editions.revisions[selection.in_force].header.label


def _revision(standing: Standing) -> str:
    assert standing.loaded is not None and standing.selection is not None
    return standing.loaded.editions.revisions[standing.selection.in_force].id


def _detail(selection: Selection, code: CodeDetail) -> Detail:
    return Detail(reconstructed=selection.reconstructed, stale_ruleset=selection.stale, code=code)


def _code_detail(code: str, kind: str, row: CodeRow | None, suggestions: tuple[str, ...] = ()) -> CodeDetail:
    first, last = row.dates() if row else ("", "")
    return CodeDetail(code, kind, first, last, suggestions)
