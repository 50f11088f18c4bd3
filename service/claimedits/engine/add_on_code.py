"""Add-on codes, family ADD_ON_CODE (semantics.md §C). Evaluated last: an add-on falls with its primary (§0.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from claimedits.engine import add_on_findings as findings
from claimedits.engine.candidates import find_add_on_candidates, find_uncovered
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.presence import present_rows
from claimedits.engine.provider_scope import Scope, compare_providers
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import FOREVER, Day
from claimedits.model.finding import Finding
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.add_on_index import AddOnIndex, AddOnRow
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.versions import Selection

CONTRACTOR_DEFINED = "CCCCC"
SETTINGS = (Setting.PRACTITIONER, Setting.ASC, Setting.OUTPATIENT_HOSPITAL)


def table_for(program: Program) -> str:
    """The rule set of a program."""
    return f"{program.name.lower()}-aoc"


class AddOn(NamedTuple):
    """An add-on line with the rows of its code that are active on its date."""

    position: int
    """Of the line in ``claim.lines``."""
    line: ClaimLine
    rows: list[AddOnRow]
    loaded: LoadedRuleSet
    selection: Selection


class Primary(NamedTuple):
    """A line that a row lists as primary, of this claim or of another one."""

    line: ClaimLine
    scope: Scope


def evaluate(evaluation: Evaluation) -> None:
    """Decide the status of every line; a code that is no add-on is NOT_APPLICABLE."""
    claim = evaluation.claim
    rule_set = table_for(claim.program)
    loaded = evaluation.release.rule_sets.get(rule_set)
    if claim.setting not in SETTINGS:
        for index in range(len(claim.lines)):
            evaluation.mark(index, Family.ADD_ON_CODE, Status.NOT_APPLICABLE)
        return
    uncovered = (
        find_uncovered(evaluation, loaded, dated_rows=True)
        if loaded
        else {index: line.service_date for index, line in enumerate(claim.lines)}
    )
    for index, day in uncovered.items():
        if evaluation.takes_no_part(claim.lines[index]):
            evaluation.mark(index, Family.ADD_ON_CODE, Status.NOT_APPLICABLE)
        else:
            evaluation.add_not_loaded(index, Family.ADD_ON_CODE, rule_set, day)
    if loaded is None:
        return
    for index, line in find_add_on_candidates(evaluation, loaded):
        if evaluation.takes_no_part(line):  # §D.6: GY, NCCI skipped
            evaluation.mark(index, Family.ADD_ON_CODE, Status.NOT_APPLICABLE)
            continue
        selection = evaluation.view(loaded, line.service_date, dated_rows=True).select(line.service_date)
        if index in uncovered or selection is None:
            continue
        rows = active_rows(evaluation, loaded, line.procedure_code, line.service_date, selection)
        if evaluation.trace is not None:
            revision = loaded.editions.revisions[selection.in_force].id
            evaluation.note(
                line.line_number,
                Family.ADD_ON_CODE,
                rule_set,
                revision,
                line.procedure_code,
                f"{len(rows)} active rows",
            )
        if rows:
            _decide(evaluation, AddOn(index, line, rows, loaded, selection))
        elif evaluation.global_days(line.procedure_code, line.service_date) == "ZZZ":
            evaluation.add(index, findings.no_list(line, loaded, selection))
        else:
            evaluation.mark(index, Family.ADD_ON_CODE, Status.NOT_APPLICABLE)


def _decide(evaluation: Evaluation, add_on: AddOn) -> None:
    """§C.2, in its order."""
    allowed = [row for row in add_on.rows if _allows_add_on(evaluation, row, add_on.line)]
    if not allowed:
        evaluation.add(add_on.position, findings.setting_not_allowed(evaluation, add_on))
        return
    primaries = _find_primaries(evaluation, add_on, _listed_codes(evaluation, add_on, allowed))
    denials = {id(p.line): _denials(evaluation, p.line) for p in primaries}
    usable = [
        p
        for p in primaries
        if p.scope is Scope.SAME and not denials[id(p.line)] and (not p.line.claim_id or p.line.paid)
    ]
    if usable:
        # A primary of this claim tells more than one of another claim.
        first = min(usable, key=lambda p: (bool(p.line.claim_id), p.line.line_number))
        evaluation.add_pass(
            add_on.position,
            Family.ADD_ON_CODE,
            findings.rule_id(add_on),
            f"{add_on.line.procedure_code} stands with its primary {first.line.procedure_code}",
            related_line_numbers=() if first.line.claim_id else (first.line.line_number,),
            citation=findings.cite(add_on, first.line.procedure_code),
            detail=findings.detail(add_on, first.line),
        )
    elif primaries and all(denials[id(p.line)] for p in primaries):
        evaluation.add(add_on.position, findings.primary_denied(evaluation, add_on, primaries, denials))
    elif primaries:
        evaluation.add(
            add_on.position, findings.primary_unpaid(add_on, [p for p in primaries if not denials[id(p.line)]])
        )
    else:
        _decide_without_primary(evaluation, add_on, allowed)


def _decide_without_primary(evaluation: Evaluation, add_on: AddOn, allowed: Sequence[AddOnRow]) -> None:
    """§C.2, "P empty": type 1 only if all active rows are type 1; otherwise the payer's list, or the contractor's to say."""
    day = add_on.line.service_date
    adjacent = _find_on_other_date(evaluation, add_on, {row.primary_code for row in allowed})
    if adjacent is not None:
        evaluation.add(add_on.position, findings.primary_on_other_date(add_on, adjacent))
    elif (
        all(row.edit_type == 1 for row in allowed)
        or evaluation.conventions.payer_primaries(add_on.line.procedure_code, day)
        or not _has_other_service(evaluation, add_on)
    ):
        evaluation.add(add_on.position, findings.primary_missing(evaluation, add_on))
    else:
        evaluation.add(add_on.position, findings.primary_unlisted(add_on))


# ---- rows (§C.3) ----


def active_rows(
    evaluation: Evaluation, loaded: LoadedRuleSet, code: str, day: Day, selection: Selection
) -> list[AddOnRow]:
    """Rows of an add-on code on a day: the edit, the add-on and the primary all undeleted; deletions inclusive."""
    assert isinstance(loaded.index, AddOnIndex)
    inclusive = evaluation.conventions.switch("aoc.deletion_date", day) == "inclusive"

    return present_rows(
        loaded.index.rows(code),
        day,
        selection,
        lambda row, on: is_alive(row, on, inclusive),
        lambda row: (row.primary_code, row.effective_from),
    )


def is_alive(row: AddOnRow, day: Day, inclusive: bool = True) -> bool:
    """§C.3: not withdrawn, begun, and edit, add-on and primary all undeleted on ``day``."""
    last = min(row.effective_to, row.add_on_deleted_on, row.primary_deleted_on)
    if not inclusive and last != FOREVER:
        last -= 1
    return not row.is_withdrawn and row.effective_from <= day <= last


def _allows_add_on(evaluation: Evaluation, row: AddOnRow, line: ClaimLine) -> bool:
    """§C.2: ``settings`` of the row, or of its curated note, where that speaks of the add-on."""
    setting = evaluation.claim.setting
    if row.settings and setting.name not in row.settings.split(","):
        return False
    note = evaluation.conventions.add_on_note(row.note, line.service_date) if row.note else None
    return note is None or note.role != "add_on" or note.code != row.add_on_code or setting in note.settings


def _allows_primary(evaluation: Evaluation, row: AddOnRow, day: Day) -> bool:
    """A primary not allowed in the setting does not count."""
    note = evaluation.conventions.add_on_note(row.note, day) if row.note else None
    return (
        note is None
        or note.role != "primary"
        or note.code != row.primary_code
        or evaluation.claim.setting in note.settings
    )


def _listed_codes(evaluation: Evaluation, add_on: AddOn, rows: Sequence[AddOnRow]) -> frozenset[str]:
    """Primaries that the table lists for the setting, and the payer's own list for a type 2 or 3 add-on."""
    day = add_on.line.service_date
    listed = {
        row.primary_code
        for row in rows
        if row.primary_code != CONTRACTOR_DEFINED and _allows_primary(evaluation, row, day)
    }
    if any(row.edit_type != 1 for row in rows):
        listed |= evaluation.conventions.payer_primaries(add_on.line.procedure_code, day)
    return frozenset(listed)


# ---- primaries (§C.2) ----


def _find_primaries(evaluation: Evaluation, add_on: AddOn, listed: frozenset[str]) -> list[Primary]:
    """Lines of the claim, then of history, whose code is listed, on the same date, not by another provider."""
    found = []
    for other in (*evaluation.claim.lines, *evaluation.claim.history_lines):
        if other is add_on.line or other.procedure_code not in listed or not _share_a_day(add_on.line, other):
            continue
        scope = compare_providers(add_on.line, other, evaluation.claim.setting, evaluation.conventions)
        if scope is not Scope.DIFFERENT:
            found.append(Primary(other, scope))
    return found


def _share_a_day(a: ClaimLine, b: ClaimLine) -> bool:
    return max(a.service_date, b.service_date) <= min(a.service_date_end, b.service_date_end)


def _denials(evaluation: Evaluation, line: ClaimLine) -> list[Finding]:
    """FAIL findings of other families about a line of this claim: they keep it from being paid."""
    if line.claim_id:
        return []
    return [
        f
        for f in evaluation.findings
        if f.line_number == line.line_number and f.status is Status.FAIL and f.family is not Family.ADD_ON_CODE
    ]


def _has_other_service(evaluation: Evaluation, add_on: AddOn) -> bool:
    """Another service of that day that is no add-on code itself."""
    for other in (*evaluation.claim.lines, *evaluation.claim.history_lines):
        if other is add_on.line or not _share_a_day(add_on.line, other):
            continue
        scope = compare_providers(add_on.line, other, evaluation.claim.setting, evaluation.conventions)
        if scope is not Scope.DIFFERENT and not active_rows(
            evaluation, add_on.loaded, other.procedure_code, other.service_date, add_on.selection
        ):
            return True
    return False


def _find_on_other_date(evaluation: Evaluation, add_on: AddOn, codes: set[str]) -> ClaimLine | None:
    """99292 alone: its primary within ``aoc.other_date`` days (§C.2)."""
    line, conventions = add_on.line, evaluation.conventions
    if not conventions.in_family("aoc_other_date", line.procedure_code, line.service_date):
        return None
    reach = int(conventions.switch("aoc.other_date", line.service_date))
    for other in (*evaluation.claim.lines, *evaluation.claim.history_lines):
        gap = max(other.service_date - line.service_date_end, line.service_date - other.service_date_end)
        if other.procedure_code in codes and 0 < gap <= reach:
            return other
    return None
