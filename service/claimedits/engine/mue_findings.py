"""What MUE says: messages, remedies, citations (semantics.md §B.1, §B.3, §B.4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.claim_reading import MOST_MODIFIERS
from claimedits.model.dates import Day, format_day
from claimedits.model.finding import (
    Citation,
    Detail,
    Finding,
    HistoryLine,
    MueDetail,
    Remedy,
    VersionConflict,
)
from claimedits.model.terms import Family, Overridable, Program, Status
from claimedits.rulesets.loaded import LoadedRuleSet

if TYPE_CHECKING:
    from claimedits.engine.evaluation import Evaluation
    from claimedits.engine.mue import Segment


@dataclass(slots=True, frozen=True)
class Excess:
    """Units over the value: of one line, or of one day."""

    segment: Segment
    code: str
    status: Status
    units: Decimal
    lines: tuple[ClaimLine, ...]
    """Every line of the sum, the judged one and history lines included."""
    claim: Claim
    day: Day | None = None
    """The day whose sum was compared; None for claim-line edits."""
    special: str = ""


def not_counted_finding(line: ClaimLine, rule_set: str) -> Finding:
    """§B.2: modifier 55, GY: nothing to count."""
    why = (
        "GY: statutorily excluded" if "GY" in line.modifiers else "the line's modifier takes its units out of the count"
    )
    return Finding(
        rule_id=f"{rule_set}/{line.procedure_code}",
        family=Family.MUE,
        status=Status.NOT_APPLICABLE,
        line_number=line.line_number,
        code="MUE_NOT_COUNTED",
        message=f"{why}; no MUE applies",
        citation=Citation(rule_set=rule_set, authority="NCCI Policy Manual I-28; CR 5402, CR 8853"),
    )


def no_value_finding(line: ClaimLine, loaded: LoadedRuleSet, revision: int) -> Finding:
    """§B.3: most, not all, values are published; no row is no pass."""
    return Finding(
        rule_id=f"{loaded.name}/{line.procedure_code}",
        family=Family.MUE,
        status=Status.NOT_EVALUATED,
        line_number=line.line_number,
        code="MUE_NO_VALUE",
        message=f"{line.procedure_code} has no published MUE value; its units were not checked",
        citation=loaded.cite(revision),
        remedies=(Remedy("NONE", condition="some values are confidential; a missing value proves nothing"),),
        detail=Detail(mue=MueDetail(None, "", str(line.units), str(line.units))),
    )


def time_units_finding(line: ClaimLine, loaded: LoadedRuleSet, revision: int) -> Finding:
    """§B.2: anesthesia time units are not units of service."""
    return Finding(
        rule_id=f"{loaded.name}/{line.procedure_code}",
        family=Family.MUE,
        status=Status.NOT_EVALUATED,
        line_number=line.line_number,
        code="MUE_TIME_UNITS",
        message=f"{line.procedure_code} is anesthesia: its units are time, which an MUE value does not count",
        citation=loaded.cite(revision),
        detail=Detail(mue=MueDetail(None, "", str(line.units), str(line.units))),
    )


def excess_finding(evaluation: Evaluation, loaded: LoadedRuleSet, line: ClaimLine, excess: Excess) -> Finding:
    """§B.1: all units of the line, or of the code that day, are denied."""
    row = excess.segment.row
    selection = excess.segment.selection
    others = tuple(other for other in excess.lines if other is not line)
    day = excess.segment.first if excess.day is None else excess.day
    failed = excess.status is Status.FAIL
    return Finding(
        rule_id=f"{loaded.name}/{line.procedure_code}",
        family=Family.MUE,
        status=excess.status,
        line_number=line.line_number,
        code=excess.code,
        message=_message(line, excess),
        related_line_numbers=tuple(sorted(other.line_number for other in others if not other.claim_id)),
        citation=loaded.cite(selection.in_force, (row.source, row.source_row), *_governed(loaded, selection.in_force)),
        adjustment=evaluation.conventions.adjustment(excess.code, day) if failed else None,
        overridable=_overridable(evaluation.claim.program, excess),
        remedies=_remedies(evaluation, line, excess),
        detail=Detail(
            stale_ruleset=selection.stale,
            version_conflict=_version_conflicts(loaded, line, excess.segment),
            history=tuple(HistoryLine(o.claim_id, o.line_number) for o in others if o.claim_id),
            mue=_detail(line, excess),
        ),
    )


def passed(evaluation: Evaluation, loaded: LoadedRuleSet, index: int, line: ClaimLine, segment: Segment) -> None:
    """Units within the value. They prove nothing about coverage (§B.3)."""
    if not evaluation.wants_passes:
        evaluation.mark(index, Family.MUE, Status.PASS)
        return
    row, revision = segment.row, segment.selection.in_force
    evaluation.add_pass(
        index,
        Family.MUE,
        f"{loaded.name}/{line.procedure_code}",
        f"the units of {line.procedure_code} are within the MUE value",
        citation=loaded.cite(revision, (row.source, row.source_row), *_governed(loaded, revision)),
        detail=Detail(
            stale_ruleset=segment.selection.stale,
            version_conflict=_version_conflicts(loaded, line, segment),
            mue=MueDetail(None if row.confidential else row.value, _mai(row.mai), str(line.units), str(line.units)),
        ),
    )


def _mai(mai: int) -> str:
    return str(mai) if mai else ""


def _governed(loaded: LoadedRuleSet, revision: int) -> tuple[str, str]:
    """§B.3: rows carry no dates; the revision's quarter does."""
    header = loaded.editions.revisions[revision].header
    return format_day(header.effective_from), format_day(header.effective_to)


def _detail(line: ClaimLine, excess: Excess) -> MueDetail:
    row = excess.segment.row
    special = [excess.special] if excess.special else []
    if line.service_date != line.service_date_end:
        special.append("date_span")
    if row.confidential:
        special.append("confidential")
    if row.mai > 1 and excess.day is None and excess.code == "MUE_EXCEEDED":
        special.append("claim_line_edit")
    return MueDetail(
        value=None if row.confidential else row.value,
        mai=_mai(row.mai),
        units_billed=str(line.units),
        units_evaluated=str(excess.units),
        line_numbers_summed=tuple(sorted(other.line_number for other in excess.lines if not other.claim_id)),
        special=",".join(special),
        day=format_day(excess.day) if excess.day is not None else "",
    )


def _message(line: ClaimLine, excess: Excess) -> str:
    row, code = excess.segment.row, line.procedure_code
    if excess.code == "MUE_ZERO":
        return (
            f"{code} has an MUE value of 0 on this claim type: no unit is payable"
            if not row.confidential
            else (f"no unit of {code} is payable on this claim type")
        )
    value = "" if row.confidential else f" of {row.value}"
    if excess.day is None:
        return (
            f"{excess.units} units of {code} on the line exceed the MUE value{value}; all units of the line are denied"
        )
    summed = f"the units of {code} on {format_day(excess.day)} add up to {excess.units} and exceed the MUE value{value}"
    if excess.code == "MUE_PROVIDER_SCOPE":
        return f"{summed} only if the practitioners count as one provider, which the claim does not decide"
    if excess.code == "MUE_ASC_BILATERAL":
        return (
            f"{summed}; an ASC value is doubled for bilateral surgery, and the code's bilateral indicator is not known"
        )
    return f"{summed}; all of them are denied, and no modifier splits a date-of-service edit"


def _overridable(program: Program, excess: Excess) -> Overridable:
    """§B.1, last column."""
    if excess.code == "MUE_ZERO":
        return Overridable.CORRECTION
    if excess.day is None:
        return Overridable.MODIFIER
    return Overridable.NEVER if excess.segment.row.mai == 2 else Overridable.DOCUMENTATION


_SPLITTING = ("anatomic", "x_epsu", "mue_line_split")
"""§B.1, MAI 1: the families of modifiers that tell lines of one code apart, the most telling first (§0.3)."""


def _remedies(evaluation: Evaluation, line: ClaimLine, excess: Excess) -> tuple[Remedy, ...]:
    row, number = excess.segment.row, line.line_number
    if excess.code == "MUE_ZERO":
        return (
            Remedy(
                "REMOVE_LINE",
                (number,),
                condition="the service is not payable here; bill the payer or claim type that takes it",
            ),
        )
    correct = Remedy(
        "CORRECT_UNITS",
        tuple(sorted(other.line_number for other in excess.lines if not other.claim_id)),
        condition="if more units were billed than given; all units within the value are payable",
    )
    if excess.day is None:
        day = line.service_date
        modifiers = tuple(
            modifier for family in _SPLITTING for modifier in evaluation.conventions.modifier_family(family, day)
        )
        if len(line.modifiers) >= MOST_MODIFIERS:
            return (correct,)
        split = Remedy(
            "SPLIT_LINE",
            (number,),
            modifiers,
            "if the units are medically reasonable: lines within the value each, told apart by a modifier",
        )
        return (split, correct)
    if row.mai == 2:
        return (correct,)
    documented = Remedy(
        "DOCUMENT",
        correct.line_numbers,
        condition="if all units were given and are medically necessary; no modifier clears it",
    )
    return (correct, documented)


def _version_conflicts(loaded: LoadedRuleSet, line: ClaimLine, segment: Segment) -> tuple[VersionConflict, ...]:
    """§G.3, step 4: value or MAI in force differ from the newest known ones. Confidential values are not shown (§B.3)."""
    selection = segment.selection
    if selection.in_force == selection.newest:
        return ()
    old = loaded.index.row(line.procedure_code, selection.in_force)
    new = loaded.index.row(line.procedure_code, selection.newest)
    if old is None or new is None or old.confidential or new.confidential:
        return ()
    revisions = loaded.editions.revisions
    labels = revisions[selection.in_force].header.label, revisions[selection.newest].header.label
    return tuple(
        VersionConflict(name, str(a), labels[0], str(b), labels[1])
        for name, a, b in (("value", old.value, new.value), ("mai", old.mai, new.mai))
        if a != b
    )
