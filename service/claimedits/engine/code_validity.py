"""Code validity, family CODE_VALIDITY (semantics.md §F.1–§F.4).

Procedure codes and diagnoses are judged here. A modifier that does not exist is E01 of the family MODIFIER, which keeps
it from bypassing anything (``MOD_INVALID``); it is not reported twice.

A code set that the release does not hold contributes nothing as long as it holds another one; a code set that it holds
but that does not govern the line's date is NOT_EVALUATED.
"""

from __future__ import annotations

from datetime import date

from claimedits.engine import code_edit_findings, code_validity_findings
from claimedits.engine.code_lists import PROCEDURE_CODES, CodeLists, Standing, covers_class
from claimedits.engine.code_validity_findings import Diagnosis, DiagnosisStanding
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day, date_of
from claimedits.model.terms import Family, Setting, Status
from claimedits.rulesets.code_edits import AgeSexEdit, CodeEdits
from claimedits.rulesets.code_sets import DiagnosisCodes, class_of_procedure
from claimedits.rulesets.fee_schedule import FeeSchedule
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.windows import Window

FEE_SCHEDULE = "medicare-pfs-indicators"
ICD10 = "icd10cm"
CODE_EDITS = "code-edits"
_MOST_AS_OF = 64
_MOST_REMEMBERED = 65_536


def evaluate(evaluation: Evaluation) -> None:
    """§F.1 to §F.4, line by line."""
    validity = _CodeValidity(evaluation)
    plain = _PlainCodes(evaluation)
    listed = evaluation.claim.diagnoses
    for index, line in enumerate(evaluation.claim.lines):
        if plain.has_procedure(line) and plain.has_all(listed, line.service_date):
            evaluation.mark(index, Family.CODE_VALIDITY, Status.PASS)
        elif validity.has_a_code_set:
            diagnoses = _diagnoses_of(evaluation, line)
            if plain.has_procedure(line) and plain.has_diagnoses(line, diagnoses):
                evaluation.mark(index, Family.CODE_VALIDITY, Status.PASS)
            else:
                validity.judge(index, line, diagnoses, plain)
        else:
            evaluation.add_not_loaded(index, Family.CODE_VALIDITY, PROCEDURE_CODES, line.service_date)


def _diagnoses_of(evaluation: Evaluation, line: ClaimLine) -> list[Diagnosis]:
    """The diagnoses a line is judged by: those it points to; every diagnosis on a facility claim or without pointers."""
    claim = evaluation.claim
    if claim.setting is Setting.OUTPATIENT_HOSPITAL or not line.diagnosis_pointers:
        return [Diagnosis(code, position) for position, code in enumerate(claim.diagnoses, 1)]
    pointers = line.diagnosis_pointers
    return [Diagnosis(claim.diagnoses[p - 1], p) for p in (pointers if len(pointers) == 1 else dict.fromkeys(pointers))]


class _PlainCodes:
    """Codes found valid on a day, that no curated edit names: remembered by the release, for each ``as_of``."""

    def __init__(self, evaluation: Evaluation) -> None:
        remembered = evaluation.release.plain_codes
        codes = remembered.get(evaluation.as_of)
        if codes is None:
            if len(remembered) >= _MOST_AS_OF:  # as_of is the caller's: bounded
                remembered.clear()
            codes = remembered[evaluation.as_of] = (set(), set())
        self._procedures, self._diagnoses = codes
        self._wants_passes = evaluation.wants_passes
        self._days: dict[Day, bool] = {}

    def has_all(self, codes: tuple[str, ...], day: Day) -> bool:
        """Whether nothing is to be said of any diagnosis of the claim; asked once a day of it."""
        plain = self._days.get(day)
        if plain is None:
            plain = not self._wants_passes and all((code, day) in self._diagnoses for code in codes)
            self._days[day] = plain
        return plain

    def has_procedure(self, line: ClaimLine) -> bool:
        """Whether nothing is to be said of a line's procedure code; False where it has to be looked up."""
        day = line.service_date
        return (
            not self._wants_passes and (line.procedure_code, day) in self._procedures and day == line.service_date_end
        )

    def has_diagnoses(self, line: ClaimLine, diagnoses: list[Diagnosis]) -> bool:
        """Whether nothing is to be said of a line's diagnoses; False where they have to be looked up."""
        day = line.service_date
        return not self._wants_passes and all((diagnosis.code, day) in self._diagnoses for diagnosis in diagnoses)

    def remember_procedure(self, code: str, day: Day) -> None:
        """The code is valid on ``day``, and no curated edit names it."""
        _remember(self._procedures, code, day)

    def remember_diagnosis(self, code: str, day: Day) -> None:
        """The code is billable on ``day``, and no curated edit names it."""
        _remember(self._diagnoses, code, day)


def _remember(codes: set[tuple[str, Day]], code: str, day: Day) -> None:
    if len(codes) >= _MOST_REMEMBERED:  # codes are the caller's: bounded
        codes.clear()
    codes.add((code, day))


class _CodeValidity:
    """One claim's codes against the code sets of the release."""

    def __init__(self, evaluation: Evaluation) -> None:
        rule_sets = evaluation.release.rule_sets
        self._evaluation = evaluation
        self._procedures = CodeLists(evaluation, PROCEDURE_CODES)
        self._fee_schedule = rule_sets.get(FEE_SCHEDULE)
        self._icd10 = rule_sets.get(ICD10)
        self._edits = rule_sets.get(CODE_EDITS)
        self._remembered: dict[tuple[str, Day], DiagnosisStanding] = {}

    @property
    def has_a_code_set(self) -> bool:
        return bool(self._procedures or self._fee_schedule or self._icd10)

    def judge(self, index: int, line: ClaimLine, diagnoses: list[Diagnosis], plain: _PlainCodes) -> None:
        """One line; a line without a code that a loaded code set could hold is NOT_APPLICABLE."""
        evaluation, day = self._evaluation, line.service_date
        evaluation.mark(index, Family.CODE_VALIDITY, Status.NOT_APPLICABLE)
        edits = self._curated(day)
        if plain.has_procedure(line):
            evaluation.mark(index, Family.CODE_VALIDITY, Status.PASS)
        elif line.procedure_code and (self._procedures or self._fee_schedule):
            is_valid = self.judge_procedure(index, line)
            if is_valid and not (edits and edits.procedures.on(line.procedure_code, day)):
                plain.remember_procedure(line.procedure_code, day)
        if diagnoses and plain.has_diagnoses(line, diagnoses):
            evaluation.mark(index, Family.CODE_VALIDITY, Status.PASS)
        elif diagnoses:
            self.judge_diagnoses(index, line, diagnoses, edits, plain)
        if edits is not None:
            self.judge_age_and_sex(index, line, diagnoses, edits)
            self.judge_sequence(index, line, diagnoses, edits)

    def judge_procedure(self, index: int, line: ClaimLine) -> bool:
        """§F.1: valid if effective <= date of service <= termination, on the first and on the last day of the line."""
        for day in dict.fromkeys((line.service_date, line.service_date_end)):
            standing = self._standing(line.procedure_code, day)
            if standing.valid is None:
                self._evaluation.add(index, code_validity_findings.procedure_unjudged(self._evaluation, line, day))
                return False
            if not standing.valid:
                self._evaluation.add(
                    index, code_validity_findings.procedure_invalid(self._evaluation, line, day, standing)
                )
                return False
        code_validity_findings.procedure_valid(
            self._evaluation, index, line, self._standing(line.procedure_code, line.service_date)
        )
        return True

    def _standing(self, code: str, day: Day) -> Standing:
        """By the code lists; a code that they cannot judge exists where the fee schedule knows it (file-formats.md §5)."""
        standing = self._procedures.judge(code, day)
        if standing.valid is not None or self._fee_schedule is None:
            return standing
        selection = self._evaluation.view(self._fee_schedule, day, dated_rows=False).select(day)
        if selection is None:
            return standing
        schedule: FeeSchedule = self._fee_schedule.index
        if schedule.knows(code, selection):
            return Standing(True, self._fee_schedule, selection)
        if covers_class(self._fee_schedule, selection, class_of_procedure(code)):
            return Standing(False, self._fee_schedule, selection)
        return standing

    def judge_diagnoses(
        self, index: int, line: ClaimLine, diagnoses: list[Diagnosis], edits: CodeEdits | None, plain: _PlainCodes
    ) -> None:
        """§F.2: the edition in force on the line's date holds the code, as a billable one."""
        if self._icd10 is None:
            return
        day = line.service_date
        if self._evaluation.view(self._icd10, day, dated_rows=False).select(day) is None:
            self._evaluation.add_not_loaded(index, Family.CODE_VALIDITY, ICD10, day)
            return
        for diagnosis in diagnoses:
            standing = self._diagnosis_standing(self._icd10, diagnosis.code, day)
            code_validity_findings.diagnosis(self._evaluation, index, line, diagnosis, standing)
            is_edited = edits and (edits.diagnoses.on(diagnosis.code, day) or edits.sequence.on(diagnosis.code, day))
            if standing.row is not None and standing.row.billable and not is_edited:
                plain.remember_diagnosis(diagnosis.code, day)

    def _diagnosis_standing(self, icd10: LoadedRuleSet, code: str, day: Day) -> DiagnosisStanding:
        standing = self._remembered.get((code, day))
        if standing is None:
            selection = self._evaluation.view(icd10, day, dated_rows=False).select(day)
            assert selection is not None, "the caller has seen that an edition governs the day"
            index: DiagnosisCodes = icd10.index
            rows = [row for row in index.windows(code) if row.revisions >> selection.in_force & 1]
            row = next((row for row in rows if row.covers(day)), None)
            standing = DiagnosisStanding(icd10, selection, row, tuple(rows), code)
            self._remembered[code, day] = standing
        return standing

    def judge_age_and_sex(self, index: int, line: ClaimLine, diagnoses: list[Diagnosis], edits: CodeEdits) -> None:
        """§F.3: only by curated rows. An age or sex that such a row asks for and the claim does not state is NOT_EVALUATED."""
        if line.procedure_code:
            self._hold(index, line, edits.procedures.on(line.procedure_code, line.service_date), None)
        for diagnosis in diagnoses:
            self._hold(index, line, edits.diagnoses.on(diagnosis.code, line.service_date), diagnosis)

    def _hold(
        self, index: int, line: ClaimLine, windows: list[Window[AgeSexEdit]], diagnosis: Diagnosis | None
    ) -> None:
        """One finding for the age and one for the sex, however many rows say so."""
        if not windows:
            return
        patient = self._evaluation.claim.patient
        age = _age(patient.birth_date, line.service_date)
        for window in windows:
            edit = window.value
            if age is None and edit.limits_age:
                self._evaluation.add(index, code_edit_findings.age_unstated(self._evaluation, line, window, diagnosis))
                break
            if age is not None and not edit.age_min <= age <= edit.age_max:
                self._evaluation.add(index, code_edit_findings.age(self._evaluation, line, window, diagnosis))
                break
        for window in windows:
            edit = window.value
            if not edit.sex or patient.sex == edit.sex or self._is_lifted(line, edit):
                continue
            say = code_edit_findings.sex if patient.sex in ("F", "M") else code_edit_findings.sex_unstated
            self._evaluation.add(index, say(self._evaluation, line, window, diagnosis))
            break

    def _is_lifted(self, line: ClaimLine, edit: AgeSexEdit) -> bool:
        conditions = self._evaluation.claim.condition_codes or ()
        return not (
            edit.lifted_by_modifiers.isdisjoint(line.modifiers)
            and edit.lifted_by_condition_codes.isdisjoint(conditions)
        )

    def judge_sequence(self, index: int, line: ClaimLine, diagnoses: list[Diagnosis], edits: CodeEdits) -> None:
        """§F.4: a manifestation or an external cause is never listed first, on the claim or among a line's pointers."""
        for place, diagnosis in enumerate(diagnoses):
            if diagnosis.position == 1 or place == 0:
                for window in edits.sequence.on(diagnosis.code, line.service_date)[:1]:
                    self._evaluation.add(index, code_edit_findings.sequence(self._evaluation, line, window, diagnosis))

    def _curated(self, day: Day) -> CodeEdits | None:
        """The curated edits in force on a day; None where none are loaded."""
        if self._edits is None:
            return None
        selection = self._evaluation.view(self._edits, day, dated_rows=False).select(day)
        edits: CodeEdits | None = self._edits.index[selection.in_force] if selection else None
        return edits


def _age(birth: Day | None, day: Day) -> int | None:
    """Completed years on ``day``; None where the birth date is unknown or lies later."""
    if birth is None or birth > day:
        return None
    born, then = date_of(birth), date_of(day)
    return then.year - born.year - (_anniversary(then) < _anniversary(born))


def _anniversary(moment: date) -> tuple[int, int]:
    return moment.month, moment.day
