"""Medically unlikely edits, family MUE (semantics.md §B)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from claimedits.engine.candidates import find_mue_candidates
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.mue_findings import (
    Excess,
    excess_finding,
    no_value_finding,
    not_counted_finding,
    passed,
    time_units_finding,
)
from claimedits.engine.provider_scope import Scope, compare_providers
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mue_index import MueIndex, MueRow
from claimedits.rulesets.versions import Selection

_SETTINGS = {
    Setting.PRACTITIONER: "practitioner",
    Setting.ASC: "practitioner",
    Setting.OUTPATIENT_HOSPITAL: "outpatient-hospital",
    Setting.DME_SUPPLIER: "dme",
}
"""§B.3: the practitioner table serves ASC claims too."""

CONFIDENTIAL = "-confidential"
"""Ends the name of a rule set of values that may not be published (§B.3)."""

MAI_FROM: Day = 15796  # 2013-04-01
"""§B.1: before this day every MUE is a claim-line edit."""


def table_for(program: Program, setting: Setting) -> str:
    """§B.3: the rule set of a program and setting."""
    return f"{program.name.lower()}-mue-{_SETTINGS[setting]}"


class Segment(NamedTuple):
    """Days of one line on which one row of the table answers."""

    first: Day
    last: Day
    selection: Selection
    row: MueRow


def evaluate(evaluation: Evaluation) -> None:
    """Decide the MUE status of every line."""
    claim = evaluation.claim
    rule_set = table_for(claim.program, claim.setting)
    loaded = evaluation.release.rule_sets.get(rule_set)
    candidates = list(enumerate(claim.lines)) if loaded is None else find_mue_candidates(evaluation, loaded)
    if not candidates:
        return
    counted: dict[str, list[ClaimLine]] = {}
    for line in (*claim.lines, *(line for line in claim.history_lines if line.paid)):
        if not _is_not_counted(evaluation, line):
            counted.setdefault(line.procedure_code, []).append(line)
    for place, (index, line) in enumerate(candidates):
        if place % 32 == 31:
            evaluation.stop_if_abandoned()
        if _is_not_counted(evaluation, line):
            evaluation.add(index, not_counted_finding(line, rule_set))
        elif not line.procedure_code:  # a facility line with a revenue code alone: MUE values are by code
            evaluation.mark(index, Family.MUE, Status.NOT_APPLICABLE)
        elif loaded is None:
            evaluation.add_not_loaded(index, Family.MUE, rule_set, line.service_date)
        else:
            _decide_line(evaluation, loaded, index, line, counted[line.procedure_code])


def _is_not_counted(evaluation: Evaluation, line: ClaimLine) -> bool:
    """§B.2: modifier 55 (post-operative days), GY lines, and JW where the switch says so."""
    if not line.modifiers:
        return False
    return not evaluation.conventions.uncounted_modifiers(line.service_date).isdisjoint(line.modifiers)


def _decide_line(
    evaluation: Evaluation, loaded: LoadedRuleSet, index: int, line: ClaimLine, counted: Sequence[ClaimLine]
) -> None:
    """Every part of the line's days: no revision, no row, or a value to compare with."""
    assert isinstance(loaded.index, MueIndex)
    view = evaluation.view(loaded, line.service_date, dated_rows=False)
    for first, last, selection in view.segments(line.service_date, line.service_date_end):
        if selection is None:
            evaluation.add_not_loaded(index, Family.MUE, loaded.name, first)
            continue
        revision = evaluation.value_revision(selection, first)
        selection = replace(selection, in_force=revision)  # the revision that gives the value is the one cited
        row = loaded.index.row(line.procedure_code, revision)
        if evaluation.trace is not None:
            found = "no row" if row is None else f"row found, MAI {row.mai or 'none'}"
            revision_id = loaded.editions.revisions[revision].id
            evaluation.note(line.line_number, Family.MUE, loaded.name, revision_id, line.procedure_code, found)
        if row is not None and row.value == 0:
            _decide_zero(evaluation, loaded, index, line, Segment(first, last, selection, row))
        elif _has_time_units(evaluation, line, first):
            evaluation.add(index, time_units_finding(line, loaded, revision))
        elif row is None:
            _decide_unpublished(evaluation, loaded, index, line, (first, last), counted)
        elif _is_line_edit(evaluation, row, first):
            _decide_claim_line(evaluation, loaded, index, line, Segment(first, last, selection, row))
        else:
            _decide_day(evaluation, loaded, index, line, Segment(first, last, selection, row), counted)


def _decide_unpublished(
    evaluation: Evaluation,
    loaded: LoadedRuleSet,
    index: int,
    line: ClaimLine,
    days: tuple[Day, Day],
    counted: Sequence[ClaimLine],
) -> None:
    """§B.3, no row: some values are confidential. They stand in a rule set of their own, and are never shown."""
    private = evaluation.release.rule_sets.get(f"{loaded.name}{CONFIDENTIAL}")
    if private is not None:
        selection = evaluation.view(private, days[0], dated_rows=False).select(days[0])
        row = private.index.row(line.procedure_code, selection.in_force) if selection else None
        if selection is not None and row is not None:
            segment = Segment(*days, selection, row)
            if row.value == 0:
                _decide_zero(evaluation, private, index, line, segment)
            elif _is_line_edit(evaluation, row, days[0]):
                _decide_claim_line(evaluation, private, index, line, segment)
            else:
                _decide_day(evaluation, private, index, line, segment, counted)
            return
    selection = evaluation.view(loaded, days[0], dated_rows=False).select(days[0])
    assert selection is not None
    evaluation.add(index, no_value_finding(line, loaded, selection.in_force))


def _has_time_units(evaluation: Evaluation, line: ClaimLine, day: Day) -> bool:
    """§B.2: anesthesia carries time units."""
    conventions = evaluation.conventions
    return (
        conventions.in_family("anesthesia", line.procedure_code, day)
        and conventions.switch("mue.anesthesia", day) == "not_evaluated"
    )


def _is_line_edit(evaluation: Evaluation, row: MueRow, day: Day) -> bool:
    """§B.1: MAI 1, no MAI, service dates before 2013-04-01; §G.4: Medicaid per claim line only."""
    return row.mai in (0, 1) or day < MAI_FROM or evaluation.claim.program is Program.MEDICAID


def _decide_zero(evaluation: Evaluation, loaded: LoadedRuleSet, index: int, line: ClaimLine, segment: Segment) -> None:
    """§B.3: any unit over a value of 0 fails, even when a span rounds to 0."""
    if line.units > 0:
        excess = Excess(segment, "MUE_ZERO", Status.FAIL, line.units, (line,), evaluation.claim)
        evaluation.add(index, excess_finding(evaluation, loaded, line, excess))
    else:
        passed(evaluation, loaded, index, line, segment)


def _decide_claim_line(
    evaluation: Evaluation, loaded: LoadedRuleSet, index: int, line: ClaimLine, segment: Segment
) -> None:
    """§B.1, MAI 1: the units of each line by themselves; all units of that line are denied."""
    units = daily_units(evaluation, line)
    if units > segment.row.value:
        excess = Excess(segment, "MUE_EXCEEDED", Status.FAIL, units, (line,), evaluation.claim)
        evaluation.add(index, excess_finding(evaluation, loaded, line, excess))
    else:
        passed(evaluation, loaded, index, line, segment)


def _decide_day(
    evaluation: Evaluation,
    loaded: LoadedRuleSet,
    index: int,
    line: ClaimLine,
    segment: Segment,
    counted: Sequence[ClaimLine],
) -> None:
    """§B.1, MAI 2 and 3: the sum over all lines of the code that day, prior paid units included; all units are denied."""
    worst: Excess | None = None
    for day in _turning_days(segment, counted):
        excess = _day_excess(evaluation, line, segment, day, counted)
        if excess is not None and (worst is None or (excess.status, excess.units) > (worst.status, worst.units)):
            worst = excess
    if worst is None:
        passed(evaluation, loaded, index, line, segment)
    else:
        evaluation.add(index, excess_finding(evaluation, loaded, line, worst))


def _day_excess(
    evaluation: Evaluation, line: ClaimLine, segment: Segment, day: Day, counted: Sequence[ClaimLine]
) -> Excess | None:
    """§B.2: what the units of ``day`` come to, by provider scope; None where they are within the value."""
    claim, conventions = evaluation.claim, evaluation.conventions
    same: list[ClaimLine] = []
    undecided: list[ClaimLine] = []
    for other in counted:
        if not other.service_date <= day <= other.service_date_end:
            continue
        scope = Scope.SAME if other is line else compare_providers(line, other, claim.setting, conventions)
        if scope is Scope.SAME:
            same.append(other)
        elif scope is Scope.UNDECIDED:
            undecided.append(other)
    limit, special, unsure = _asc_limit(evaluation, line, segment.row.value, day)
    units = sum((daily_units(evaluation, other) for other in same), Decimal(0))
    if units > limit:
        code, status = ("MUE_ASC_BILATERAL", Status.REVIEW) if unsure else ("MUE_EXCEEDED", Status.FAIL)
        return Excess(segment, code, status, units, tuple(same), claim, day, special)
    union = units + sum((daily_units(evaluation, other) for other in undecided), Decimal(0))
    if undecided and union > limit:
        code = "MUE_ASC_BILATERAL" if unsure else "MUE_PROVIDER_SCOPE"
        return Excess(segment, code, Status.REVIEW, union, (*same, *undecided), claim, day, special)
    return None


def _asc_limit(evaluation: Evaluation, line: ClaimLine, value: int, day: Day) -> tuple[int, str, bool]:
    """§B.2, ASC: the value to compare with, what was special, and whether the bilateral indicator is unknown."""
    if evaluation.claim.setting is not Setting.ASC:
        return value, "", False
    switch = evaluation.conventions.switch("mue.asc_bilateral", day)
    if switch == "strict":
        return value, "", False
    indicator = evaluation.bilateral_indicator(line.procedure_code, day)
    if indicator is None:
        return value, "asc_bilateral", True
    if indicator != "1":
        return value, "", False
    if switch == "review":
        return value, "asc_bilateral", True
    return value * 2, "asc_bilateral", False


def daily_units(evaluation: Evaluation, line: ClaimLine) -> Decimal:
    """§B.2, date span: units ÷ days, to the nearest whole number, a tie half up; a one-day line exactly as billed."""
    days = line.service_date_end - line.service_date + 1
    if days == 1:
        return line.units
    half_up = evaluation.conventions.switch("mue.round_half", line.service_date) == "up"
    return (line.units / days).quantize(Decimal(1), rounding=ROUND_HALF_UP if half_up else ROUND_HALF_EVEN)


def _turning_days(segment: Segment, others: Sequence[ClaimLine]) -> list[Day]:
    """Days of the segment on which the sum may change: its first, and each on which a line of the code begins or has ended."""
    if segment.first == segment.last:
        return [segment.first]
    turns = {segment.first}
    for other in others:
        turns |= {
            day for day in (other.service_date, other.service_date_end + 1) if segment.first < day <= segment.last
        }
    return sorted(turns)
