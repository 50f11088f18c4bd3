"""What ADD_ON_CODE says: messages, remedies, citations (semantics.md §C.1, §C.2, §C.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimedits.model.claim import ClaimLine
from claimedits.model.dates import format_day
from claimedits.model.finding import AddOnDetail, Adjustment, Citation, Detail, Finding, HistoryLine, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.versions import Selection

if TYPE_CHECKING:
    from claimedits.engine.add_on_code import AddOn, Primary
    from claimedits.engine.evaluation import Evaluation

SHOWN_PRIMARIES = 50
"""Some add-on codes list hundreds of primaries; a finding shows the first of them and the total."""


def rule_id(add_on: AddOn) -> str:
    """``medicare-aoc/10004``."""
    return f"{add_on.loaded.name}/{add_on.line.procedure_code}"


def cite(add_on: AddOn, primary_code: str = "") -> Citation:
    """The row that lists ``primary_code``, else the first active row of the add-on code."""
    row = next((r for r in add_on.rows if r.primary_code == primary_code), add_on.rows[0])
    selection = add_on.selection
    revision = selection.in_force if row.revisions >> selection.in_force & 1 else selection.newest
    return add_on.loaded.cite(
        revision, row.sources[revision], format_day(row.effective_from), format_day(row.effective_to)
    )


def detail(add_on: AddOn, primary: ClaimLine | None = None) -> Detail:
    """Type, listed primaries, and the primary found on the claim or in history."""
    listed = tuple(dict.fromkeys(row.primary_code for row in add_on.rows))
    types = sorted({str(row.edit_type) for row in add_on.rows})
    return Detail(
        reconstructed=add_on.selection.reconstructed,
        stale_ruleset=add_on.selection.stale,
        history=(HistoryLine(primary.claim_id, primary.line_number),) if primary and primary.claim_id else (),
        aoc=AddOnDetail(
            edit_type=",".join(types),
            primaries_listed=listed[:SHOWN_PRIMARIES],
            primaries_total=len(listed),
            primary_found=primary.procedure_code if primary else "",
            primary_line_number=primary.line_number if primary and not primary.claim_id else 0,
        ),
    )


def setting_not_allowed(evaluation: Evaluation, add_on: AddOn) -> Finding:
    """§C.2: the published note allows the add-on in other settings only."""
    setting = evaluation.claim.setting.name
    return _finding(
        add_on,
        Status.FAIL,
        "AOC_SETTING",
        f"{add_on.line.procedure_code} may not be reported in the setting {setting}, says the table's own note",
        adjustment=_adjustment(evaluation, "AOC_SETTING", add_on.line),
        overridable=Overridable.CORRECTION,
        remedies=(Remedy("REMOVE_LINE", (add_on.line.line_number,), condition="the code belongs to another setting"),),
    )


def primary_missing(evaluation: Evaluation, add_on: AddOn) -> Finding:
    """§C.1: alone, an add-on is rarely eligible for payment."""
    line = add_on.line
    listed = tuple(dict.fromkeys(r.primary_code for r in add_on.rows if r.primary_code != "CCCCC"))
    remedies = []
    if listed:
        remedies.append(
            Remedy(
                "ADD_PRIMARY",
                (line.line_number,),
                listed[:SHOWN_PRIMARIES],
                "if that service was given on the same date",
            )
        )
    remedies.append(Remedy("REMOVE_LINE", (line.line_number,), condition="no modifier clears it"))
    return _finding(
        add_on,
        Status.FAIL,
        "AOC_PRIMARY_MISSING",
        f"{line.procedure_code} is an add-on code, and none of its primaries stands on the same date for the same practitioner",
        adjustment=_adjustment(evaluation, "AOC_PRIMARY_MISSING", line),
        overridable=Overridable.CORRECTION,
        remedies=tuple(remedies),
    )


def primary_denied(
    evaluation: Evaluation,
    add_on: AddOn,
    primaries: Sequence[Primary],
    denials: Mapping[int, Sequence[Finding]],
) -> Finding:
    """§C.1: if an edit prevents payment of the primary, the add-on shall not be paid."""
    lines = tuple(sorted(p.line.line_number for p in primaries))
    depends = sorted({finding.finding_id for p in primaries for finding in denials[id(p.line)]})
    return _finding(
        add_on,
        Status.FAIL,
        "AOC_PRIMARY_DENIED",
        f"{add_on.line.procedure_code} falls with its primary: every listed primary on the claim is itself denied",
        primary=primaries[0].line,
        related_line_numbers=lines,
        adjustment=_adjustment(evaluation, "AOC_PRIMARY_DENIED", add_on.line),
        overridable=Overridable.CORRECTION,
        remedies=(
            Remedy("CORRECT_CODE", lines, condition="clear the findings of the primary; the add-on then stands"),
        ),
        depends_on=tuple(depends),
    )


def primary_unpaid(add_on: AddOn, primaries: Sequence[Primary]) -> Finding:
    """§C.2: a primary stands there, but whether it counts is not known."""
    first = primaries[0].line
    why = (
        f"stands on another claim ({'not paid' if first.paid is False else 'payment not known'})"
        if first.claim_id and not first.paid
        else "was reported by a practitioner who may not count as the same one"
    )
    return _finding(
        add_on,
        Status.REVIEW,
        "AOC_PRIMARY_UNPAID",
        f"the primary {first.procedure_code} {why}",
        primary=first,
        related_line_numbers=tuple(sorted(p.line.line_number for p in primaries if not p.line.claim_id)),
        overridable=Overridable.DOCUMENTATION,
        remedies=(
            Remedy(
                "DOCUMENT",
                (add_on.line.line_number,),
                condition="show that the primary was paid for the same practitioner or group",
            ),
        ),
    )


def primary_on_other_date(add_on: AddOn, primary: ClaimLine) -> Finding:
    """§C.2: primary and add-on on adjacent dates, possible in unusual circumstances."""
    return _finding(
        add_on,
        Status.REVIEW,
        "AOC_PRIMARY_OTHER_DATE",
        f"the primary {primary.procedure_code} stands on {format_day(primary.service_date)}, not on the same date",
        primary=primary,
        related_line_numbers=() if primary.claim_id else (primary.line_number,),
        overridable=Overridable.DOCUMENTATION,
        remedies=(Remedy("DOCUMENT", (add_on.line.line_number,), condition="if the service went on past midnight"),),
    )


def primary_unlisted(add_on: AddOn) -> Finding:
    """§C.1, types 2 and 3: the contractor may accept other primaries."""
    return _finding(
        add_on,
        Status.REVIEW,
        "AOC_PRIMARY_UNLISTED",
        f"no listed primary of {add_on.line.procedure_code} stands on that date; the contractor may accept another service",
        overridable=Overridable.DOCUMENTATION,
        remedies=(
            Remedy("DOCUMENT", (add_on.line.line_number,), condition="check the contractor's list of primaries"),
        ),
    )


def no_list(line: ClaimLine, loaded: LoadedRuleSet, selection: Selection) -> Finding:
    """§C.2: the fee schedule calls the code an add-on (global ZZZ), the add-on table does not know it."""
    return Finding(
        rule_id=f"{loaded.name}/{line.procedure_code}",
        family=Family.ADD_ON_CODE,
        status=Status.REVIEW,
        line_number=line.line_number,
        code="AOC_NO_LIST",
        message=f"{line.procedure_code} is an add-on by its global period ZZZ, but the add-on table lists no primary for it",
        citation=loaded.cite(selection.in_force),
        overridable=Overridable.DOCUMENTATION,
        remedies=(Remedy("DOCUMENT", (line.line_number,), condition="check the code's descriptor for its primary"),),
    )


def _adjustment(evaluation: Evaluation, code: str, line: ClaimLine) -> Adjustment | None:
    """§C.4, switch ``carc.aoc``."""
    adjustment = evaluation.conventions.adjustment(code, line.service_date)
    carc = evaluation.conventions.switch("carc.aoc", line.service_date)
    return Adjustment(adjustment.group, carc, adjustment.rarc) if adjustment else None


def _finding(
    add_on: AddOn, status: Status, code: str, message: str, primary: ClaimLine | None = None, **parts: Any
) -> Finding:
    return Finding(
        rule_id=rule_id(add_on),
        family=Family.ADD_ON_CODE,
        status=status,
        line_number=add_on.line.line_number,
        code=code,
        message=message,
        citation=cite(add_on, primary.procedure_code if primary else ""),
        detail=detail(add_on, primary),
        **parts,
    )
