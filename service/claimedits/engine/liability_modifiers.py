"""Liability modifiers of the family COVERAGE (semantics.md §D.6): they change who pays, never a FAIL into a PASS."""

from __future__ import annotations

from collections.abc import Mapping

from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day, parse_day
from claimedits.model.finding import Adjustment, Citation, Detail, Finding, Remedy
from claimedits.model.terms import Family, Overridable, Setting, Status

GZ_DENIED_FROM: Day = parse_day("2011-07-01")
GA_INSTITUTIONAL_FROM: Day = parse_day("2010-04-01")


def is_excluded_by_statute(line: ClaimLine) -> bool:
    """GY: coverage tests are skipped."""
    return "GY" in line.modifiers


def judge_liability_modifiers(evaluation: Evaluation, index: int, line: ClaimLine) -> None:
    """What GY, GZ and GA do to a line by themselves."""
    modifiers, day = line.modifiers, line.service_date
    if "GY" in modifiers:
        evaluation.add(index, _finding(evaluation, line, "COV_GY", "GY", _GY))
    if "GZ" in modifiers and day >= GZ_DENIED_FROM:
        evaluation.add(index, _finding(evaluation, line, "COV_GZ", "GZ", _GZ))
    if (
        "GA" in modifiers
        and evaluation.claim.setting is Setting.OUTPATIENT_HOSPITAL
        and day >= GA_INSTITUTIONAL_FROM
        and "GY" not in modifiers
    ):
        evaluation.add(index, _finding(evaluation, line, "COV_GA_INSTITUTIONAL", "GA", _GA))


def assign_liability(line: ClaimLine, adjustment: Adjustment | None) -> Adjustment | None:
    """The group of a medical-necessity denial: PR where GA says that a notice is on file, CO where GZ says there is none."""
    if adjustment is None:
        return None
    if "GZ" in line.modifiers:
        return Adjustment("CO", adjustment.carc, adjustment.rarc)
    if "GA" in line.modifiers:
        return Adjustment("PR", adjustment.carc, adjustment.rarc)
    return adjustment


_GY = (
    "GY: the item or service is statutorily excluded; the beneficiary pays, and coverage is not tested",
    "IOM 100-04 ch. 1 §60; NCCI Policy Manual I-27 §S",
    True,
    Remedy("REMOVE_MODIFIER", any_of=("GY",), condition="if the service is no statutory exclusion"),
)
_GZ = (
    "GZ: the line is denied without review, whatever the diagnosis; the provider is liable",
    "CR 7228 (GZ automatic denial from 2011-07-01)",
    False,
    Remedy("REMOVE_MODIFIER", any_of=("GZ",), condition="if the service is expected to be covered"),
)
_GA = (
    "GA on an institutional claim: the line is denied as not medically necessary; the beneficiary is liable",
    "CR 6563 (institutional GA from 2010-04-01)",
    True,
    Remedy("REMOVE_MODIFIER", any_of=("GA",), condition="if no notice was given for this service"),
)


EFFECTS: Mapping[str, tuple[str, str, Day | None]] = {
    "GA": (_GA[0], _GA[1], GA_INSTITUTIONAL_FROM),
    "GY": (_GY[0], _GY[1], None),
    "GZ": (_GZ[0], _GZ[1], GZ_DENIED_FROM),
}
"""What each modifier does by itself, who says so, and from which day (None = always): for look-up."""


def _finding(
    evaluation: Evaluation, line: ClaimLine, code: str, modifier: str, said: tuple[str, str, bool, Remedy]
) -> Finding:
    message, authority, beneficiary_liable, remedy = said
    return Finding(
        rule_id=f"medicare-liability-modifiers/{modifier}",
        family=Family.COVERAGE,
        status=Status.FAIL,
        line_number=line.line_number,
        code=code,
        message=message,
        citation=Citation(rule_set="medicare-liability-modifiers", authority=authority),
        adjustment=evaluation.conventions.adjustment(code, line.service_date),
        overridable=Overridable.CORRECTION if code != "COV_GZ" else Overridable.DOCUMENTATION,
        remedies=(Remedy(remedy.action, (line.line_number,), remedy.any_of, remedy.condition),),
        detail=Detail(beneficiary_liable=beneficiary_liable),
    )
