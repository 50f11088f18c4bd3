"""What PTP says: messages, remedies, citations (semantics.md §A.6, §A.7, §A.10, §A.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claimedits.engine.modifier_positions import Weighed, Weighing
from claimedits.engine.ptp_remedies import DOCUMENTATION, list_remedies
from claimedits.engine.ptp_rows import find_indicator
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import format_day
from claimedits.model.finding import (
    Citation,
    Detail,
    Finding,
    HistoryLine,
    ModifierConsidered,
    Note,
    PtpDetail,
    VersionConflict,
)
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.loaded import LoadedRuleSet

if TYPE_CHECKING:
    from claimedits.engine.evaluation import Evaluation
    from claimedits.engine.ptp import Match


def no_table_finding(line: ClaimLine) -> Finding:
    """§A.2: Medicare publishes no PTP table for DME suppliers."""
    return Finding(
        rule_id="medicare-ptp",
        family=Family.PTP,
        status=Status.NOT_APPLICABLE,
        line_number=line.line_number,
        code="PTP_NO_TABLE",
        message="Medicare publishes no PTP edits for DME suppliers",
        citation=Citation(rule_set="medicare-ptp", authority="NCCI Policy Manual, Introduction"),
    )


def not_governed_finding(line: ClaimLine, rule_set: str) -> Finding:
    """§A.6: a line with GY takes no part."""
    return Finding(
        rule_id=rule_set,
        family=Family.PTP,
        status=Status.NOT_APPLICABLE,
        line_number=line.line_number,
        code="PTP_NOT_GOVERNED",
        message="GY: statutorily excluded services are not governed by NCCI",
        citation=Citation(rule_set=rule_set, authority="NCCI Policy Manual I-27 §S"),
    )


def conflict_finding(
    evaluation: Evaluation, loaded: LoadedRuleSet, match: Match, weighing: Weighing, status: Status, code: str
) -> Finding:
    """The finding about one row and one pair of lines."""
    row, pair = match.row, match.pair
    target, other = (pair.column_1, pair.column_2) if pair.column_2.claim_id else (pair.column_2, pair.column_1)
    return Finding(
        rule_id=f"{loaded.name}/{row.column_1}+{row.column_2}",
        family=Family.PTP,
        status=status,
        line_number=target.line_number,
        code=code,
        message=_message(match, weighing, code),
        related_line_numbers=() if other.claim_id else (other.line_number,),
        citation=_citation(loaded, match),
        adjustment=evaluation.conventions.adjustment("PTP_CONFLICT", pair.day) if status is Status.FAIL else None,
        overridable=_overridable(match, status),
        remedies=list_remedies(evaluation, match, status, code),
        detail=_detail(evaluation, loaded, match, weighing, other),
    )


def _message(match: Match, weighing: Weighing, code: str) -> str:
    row = match.row
    bundled = f"{row.column_2} is bundled into {row.column_1} on the same date by the same provider"
    if code == "PTP_BYPASSED":
        names = ", ".join(f"{w.modifier} on line {w.line.line_number} (column {w.column})" for w in weighing.because)
        return f"{bundled}, and is reported apart by {names}. {DOCUMENTATION}"
    if code == "PTP_MODIFIER_POSITION":
        names = ", ".join(f"{w.modifier} on column {w.column}" for w in weighing.because)
        return f"{bundled}; {names} may clear it: {weighing.review_reason}"
    if code == "PTP_SEPARATE_PRACTITIONER":
        return (
            f"{row.column_2} is bundled into {row.column_1} on the same date; whether two practitioners of one billing provider "
            "are the same provider cannot be decided from the claim"
        )
    if code == "PTP_COLUMN_2_IN_HISTORY":
        return (
            f"{row.column_2}, bundled into {row.column_1}, stands on another claim of the same date; "
            f"{row.column_1} is payable, and what was paid for {row.column_2} may be adjusted"
        )
    if code == "PTP_DATE_SPAN":
        first, last = (format_day(day) for day in match.common)
        days = first if first == last else f"{first} to {last}"
        return f"{row.column_2} is bundled into {row.column_1}; the lines share {days}, and a date span is involved"
    if row.modifier_indicator == 0:
        return f"{bundled}; the modifier indicator is 0: no modifier can clear it"
    refused = "; ".join(f"{w.modifier} on line {w.line.line_number}: {w.why}" for w in weighing.considered)
    return f"{bundled}; a PTP-associated modifier is needed where the services were separate" + (
        f" ({refused})" if refused else ""
    )


def _citation(loaded: LoadedRuleSet, match: Match) -> Citation:
    row, selection = match.row, match.selection
    revision = selection.in_force if row.revisions >> selection.in_force & 1 else selection.newest
    return loaded.cite(
        revision,
        loaded.index.source(row.row, revision),
        format_day(row.effective_from),
        format_day(row.effective_to),
    )


def _overridable(match: Match, status: Status) -> Overridable:
    """§A.10: with indicator 0 the contractor cannot override, with 1 a modifier can."""
    if status is Status.BYPASSED:
        return Overridable.DOCUMENTATION
    return Overridable.NEVER if match.row.modifier_indicator == 0 else Overridable.MODIFIER


def _detail(
    evaluation: Evaluation, loaded: LoadedRuleSet, match: Match, weighing: Weighing, other: ClaimLine
) -> Detail:
    row, selection = match.row, match.selection
    return Detail(
        reconstructed=selection.reconstructed,
        stale_ruleset=selection.stale,
        note=_historical_note(evaluation, match),
        advisories=weighing.advisories + _documentation(weighing),
        version_conflict=_version_conflicts(loaded, match),
        history=(HistoryLine(other.claim_id, other.line_number),) if other.claim_id else (),
        ptp=PtpDetail(
            column_1=row.column_1,
            column_2=row.column_2,
            modifier_indicator=str(row.modifier_indicator),
            effective_from=format_day(row.effective_from),
            effective_to=format_day(row.effective_to),
            modifiers_considered=tuple(map(_considered, weighing.considered)),
            accepted_by=weighing.because[0].authority if weighing.verdict == "accept" else "",
            history_checked=bool(evaluation.claim.history_lines),
            common_days=(format_day(match.common[0]), format_day(match.common[1])) if match.spans else (),
        ),
    )


def _considered(weighed: Weighed) -> ModifierConsidered:
    honoured = weighed.verdict == "accept"
    return ModifierConsidered(
        weighed.line.line_number, weighed.column, weighed.modifier, honoured, weighed.why, weighed.authority
    )


def _documentation(weighing: Weighing) -> tuple[Note, ...]:
    return (Note("DOCUMENT_SEPARATE_SERVICE", DOCUMENTATION),) if weighing.verdict == "accept" else ()


_OCE_LATE_UNTIL = 15340  # 2012-01-01
_MUTUALLY_EXCLUSIVE_UNTIL = 15431  # 2012-04-01
HISTORICAL_TURNS = (_OCE_LATE_UNTIL, _MUTUALLY_EXCLUSIVE_UNTIL)
"""Days from which findings say something else, beside those that tables and conventions state."""


def _historical_note(evaluation: Evaluation, match: Match) -> str:
    """§A.2: what the facility table did before 2012."""
    if not evaluation.claim.setting.name.startswith("OUTPATIENT"):
        return ""
    notes = []
    if match.pair.day < _MUTUALLY_EXCLUSIVE_UNTIL:
        notes.append("before 2012-04-01 some edits stood in a separate Mutually Exclusive table")
    if match.pair.day < _OCE_LATE_UNTIL:
        notes.append("before 2012-01-01 the OCE applied edits one quarter late")
    return "; ".join(notes)


def _version_conflicts(loaded: LoadedRuleSet, match: Match) -> tuple[VersionConflict, ...]:
    """§G.3, step 4: the indicator in force differs from the newest known one."""
    row, selection = match.row, match.selection
    if selection.in_force == selection.newest:
        return ()
    index, revisions = loaded.index, loaded.editions.revisions
    rows = index.rows(index.number_of[row.column_1], index.number_of[row.column_2])
    in_force, newest = (find_indicator(rows, row, revision) for revision in (selection.in_force, selection.newest))
    if in_force is None or newest is None or in_force == newest:
        return ()
    labels = revisions[selection.in_force].header.label, revisions[selection.newest].header.label
    return (VersionConflict("modifier_indicator", str(in_force), labels[0], str(newest), labels[1]),)
