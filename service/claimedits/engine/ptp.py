"""Procedure-to-procedure edits, family PTP (semantics.md §A)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from claimedits.engine.candidates import find_uncovered
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.modifier_positions import Pair, Weighing, weigh_modifiers
from claimedits.engine.presence import present_rows
from claimedits.engine.provider_scope import Scope, compare_providers
from claimedits.engine.ptp_findings import conflict_finding, no_table_finding, not_governed_finding
from claimedits.engine.ptp_rows import find_indicator, identify, is_alive
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day, format_day
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.ptp_index import PtpIndex, PtpRow
from claimedits.rulesets.versions import Selection

_TABLES: dict[tuple[Program, Setting], str] = {
    (Program.MEDICARE, Setting.PRACTITIONER): "medicare-ptp-practitioner",
    (Program.MEDICARE, Setting.ASC): "medicare-ptp-practitioner",
    (Program.MEDICARE, Setting.OUTPATIENT_HOSPITAL): "medicare-ptp-outpatient-hospital",
    (Program.MEDICAID, Setting.PRACTITIONER): "medicaid-ptp-practitioner",
    (Program.MEDICAID, Setting.ASC): "medicaid-ptp-practitioner",
    (Program.MEDICAID, Setting.OUTPATIENT_HOSPITAL): "medicaid-ptp-outpatient-hospital",
    (Program.MEDICAID, Setting.DME_SUPPLIER): "medicaid-ptp-dme",
}
"""§A.2, which table. Medicare has none for DME suppliers."""


def table_for(program: Program, setting: Setting) -> str | None:
    """§A.2: the rule set of a program and setting; None where nobody publishes one."""
    return _TABLES.get((program, setting))


class Match(NamedTuple):
    """A row and the two lines it stands between, in row order; ``history`` is the line of another claim, if one is."""

    row: PtpRow
    pair: Pair
    selection: Selection
    common: tuple[Day, Day]
    """First and last day that both lines share."""

    @property
    def spans(self) -> bool:
        """Whether a date span is involved (§A.8)."""
        return any(line.service_date != line.service_date_end for line in (self.pair.column_1, self.pair.column_2))


def evaluate(evaluation: Evaluation) -> None:
    """Decide the PTP status of every line: worst over its pairings; a line that is only ever column 1 gets PASS (§A.6)."""
    claim = evaluation.claim
    rule_set = table_for(claim.program, claim.setting)
    if rule_set is None:
        for index, line in enumerate(claim.lines):
            evaluation.add(index, no_table_finding(line))
        return
    loaded = evaluation.release.rule_sets.get(rule_set)
    uncovered = find_uncovered(evaluation, loaded, dated_rows=True) if loaded else {}
    for index, line in enumerate(claim.lines):
        if evaluation.takes_no_part(line):
            evaluation.add(index, not_governed_finding(line, rule_set))
        elif not line.procedure_code:  # a facility line with a revenue code alone: no code, no pair
            evaluation.mark(index, Family.PTP, Status.NOT_APPLICABLE)
        elif loaded is None or index in uncovered:
            evaluation.add_not_loaded(index, Family.PTP, rule_set, uncovered.get(index, line.service_date))
    if loaded is not None:
        for place, match in enumerate(_find_matches(evaluation, loaded)):
            if place % 32 == 31:
                evaluation.stop_if_abandoned()
            _decide(evaluation, loaded, match)
    if evaluation.wants_passes:
        for index, line in enumerate(claim.lines):
            if evaluation.status(index, Family.PTP) is Status.PASS:
                evaluation.add_pass(index, Family.PTP, rule_set, f"no PTP edit denies {line.procedure_code}")


# ---- §A.2, §A.3, §A.4: the rows between two lines ----


def _find_matches(evaluation: Evaluation, loaded: LoadedRuleSet) -> Iterator[Match]:
    """Every row that stands between two lines on a day they share, history lines included (§A.7)."""
    claim, index = evaluation.claim, loaded.index
    assert isinstance(index, PtpIndex)
    lines = [line for line in (*claim.lines, *claim.history_lines) if not evaluation.takes_no_part(line)]
    numbers = [index.number_of.get(line.procedure_code, -1) for line in lines]
    conflicts = index.conflicts(numbers)
    for i, j in conflicts:
        a, b = lines[i], lines[j]
        if a.claim_id and b.claim_id:
            continue  # two lines of other claims: not ours to judge
        first, last = max(a.service_date, b.service_date), min(a.service_date_end, b.service_date_end)
        if first > last:
            evaluation.note(a.line_number, Family.PTP, loaded.name, "", _named(a, b), "no common day")
            continue
        match = _match(evaluation, loaded, a, b, (first, last), index.rows(numbers[i], numbers[j]))
        if match is not None:
            yield match
    if evaluation.trace is not None:
        _trace_misses(evaluation, loaded, lines, frozenset(conflicts))


def _match(
    evaluation: Evaluation,
    loaded: LoadedRuleSet,
    a: ClaimLine,
    b: ClaimLine,
    common: tuple[Day, Day],
    rows: Sequence[PtpRow],
) -> Match | None:
    """The active row of (a, b) or (b, a) on the first common day that has one (§A.6)."""
    view = evaluation.view(loaded, common[0], dated_rows=True)
    for first, last, selection in view.segments(*common):
        if selection is None:
            continue
        for day in _turning_days(rows, first, last):
            row = _active_row(evaluation, rows, day, selection)
            if row is None:
                continue
            evaluation.note(
                a.line_number,
                Family.PTP,
                loaded.name,
                loaded.editions.revisions[selection.in_force].id,
                f"{row.column_1}+{row.column_2} on {format_day(day)}",
                f"row found, modifier indicator {row.modifier_indicator}",
            )
            column_1, column_2 = (a, b) if a.procedure_code == row.column_1 else (b, a)
            claim = evaluation.claim
            return Match(row, Pair(column_1, column_2, day, claim.program, claim.setting), selection, common)
    evaluation.note(
        a.line_number,
        Family.PTP,
        loaded.name,
        "",
        f"{_named(a, b)} on {format_day(common[0])}",
        "rows exist, none active",
    )
    return None


def _turning_days(rows: Sequence[PtpRow], first: Day, last: Day) -> list[Day]:
    """The days from ``first`` to ``last`` on which the set of active rows may change; the first day always."""
    starts = {row.effective_from for row in rows if first < row.effective_from <= last}
    return sorted({first, *starts})


def _active_row(evaluation: Evaluation, rows: Sequence[PtpRow], day: Day, selection: Selection) -> PtpRow | None:
    """§A.4 and §G.3. Where windows overlap, the latest effective wins, on a tie the lower indicator (file-formats.md §1)."""
    inclusive = evaluation.conventions.switch("ptp.deletion_date", day) == "inclusive"
    present = present_rows(rows, day, selection, lambda row, on: is_alive(row, on, inclusive), identify)
    if not present:
        return None
    row = min(present, key=lambda r: (-r.effective_from, r.modifier_indicator, r.column_1))
    if evaluation.conventions.switch("version.value_source", day) == "newest":
        newest = find_indicator(rows, row, selection.newest)
        if newest is not None:
            row = row._replace(modifier_indicator=newest)
    return row


# ---- §A.5 to §A.8: what a row means for the two lines ----


def _decide(evaluation: Evaluation, loaded: LoadedRuleSet, match: Match) -> None:
    """§A.6: indicator, modifiers, scope; one finding a row and pair of lines, on column 2."""
    pair, row = match.pair, match.row
    scope = compare_providers(pair.column_1, pair.column_2, pair.setting, evaluation.conventions)
    if scope is Scope.DIFFERENT:
        return
    weighing = weigh_modifiers(_widened(evaluation, pair), evaluation.conventions, evaluation.invalid_modifiers)
    if match.spans and evaluation.conventions.switch("ptp.date_span", pair.day) == "review":
        status, code = Status.REVIEW, "PTP_DATE_SPAN"
    elif row.modifier_indicator != 0 and weighing.verdict == "accept":
        status, code = Status.BYPASSED, "PTP_BYPASSED"
    elif row.modifier_indicator != 0 and weighing.verdict == "review":
        status, code = Status.REVIEW, "PTP_MODIFIER_POSITION"
    elif scope is Scope.UNDECIDED:
        status, code = Status.REVIEW, "PTP_SEPARATE_PRACTITIONER"
    else:
        status, code = Status.FAIL, "PTP_CONFLICT"
    if pair.column_2.claim_id and status is not Status.BYPASSED and code != "PTP_DATE_SPAN":
        # §A.7: column 2 was on another claim; column 1 is never denied for it.
        status, code = Status.REVIEW, "PTP_COLUMN_2_IN_HISTORY"
    _record(evaluation, loaded, match, weighing, status, code)


def _record(
    evaluation: Evaluation, loaded: LoadedRuleSet, match: Match, weighing: Weighing, status: Status, code: str
) -> None:
    finding = conflict_finding(evaluation, loaded, match, weighing, status, code)
    target = match.pair.column_2 if not match.pair.column_2.claim_id else match.pair.column_1
    for index, line in enumerate(evaluation.claim.lines):
        if line is target:
            evaluation.add(index, finding)
            return


def _widened(evaluation: Evaluation, pair: Pair) -> Pair:
    """§A.6, switch ``ptp.column_1_modifier_scope``: ``claim`` lets a modifier on any line of column 1's code count."""
    if evaluation.conventions.switch("ptp.column_1_modifier_scope", pair.day) == "line":
        return pair
    code = pair.column_1.procedure_code
    modifiers = dict.fromkeys(
        modifier
        for line in evaluation.claim.lines
        if line.procedure_code == code and line.service_date <= pair.day <= line.service_date_end
        for modifier in line.modifiers
    )
    own = dict.fromkeys(pair.column_1.modifiers)
    return pair._replace(column_1=pair.column_1._replace(modifiers=tuple({**own, **modifiers})))


# ---- trace ----


def _named(a: ClaimLine, b: ClaimLine) -> str:
    return f"{a.procedure_code}+{b.procedure_code}"


def _trace_misses(
    evaluation: Evaluation, loaded: LoadedRuleSet, lines: Sequence[ClaimLine], found: frozenset[tuple[int, int]]
) -> None:
    for j in range(1, len(lines)):
        for i in range(j):
            a, b = lines[i], lines[j]
            if (i, j) in found or a.procedure_code == b.procedure_code or (a.claim_id and b.claim_id):
                continue
            evaluation.note(
                a.line_number,
                Family.PTP,
                loaded.name,
                "",
                _named(a, b),
                "no row in any revision, in either direction",
            )
