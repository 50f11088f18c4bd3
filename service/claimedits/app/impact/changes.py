"""How two decisions on one claim differ, line by line.

A line's change is named by the worst that happened to it. The message of a finding is made from its other parts, so it is
not compared; the dates of a PTP row are part of what a finding cites.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from claimedits.model.finding import Decision, Finding, LineResult
from claimedits.model.terms import Family, Status


class ChangeKind(IntEnum):
    """What an update did to a line, from least to most."""

    SAME = 0
    CITATION = 1
    """The same answer in every part; only the revision, file, row or dates that are cited differ."""
    PARTICULARS = 2
    """The same findings; a figure, note or dependence within them differs."""
    REMEDY = 3
    """The same findings; what would clear them differs."""
    REASON = 4
    """The same outcome, from other findings."""
    OUTCOME = 5
    """Another outcome, neither newly failing nor newly passing: such as FAIL to REVIEW, or PASS to NOT_EVALUATED."""
    NEWLY_PASSING = 6
    """FAIL before; PASS, BYPASSED or NOT_APPLICABLE now."""
    NEWLY_FAILING = 7
    """FAIL now, and not before."""


CLEAR: frozenset[Status] = frozenset((Status.PASS, Status.BYPASSED, Status.NOT_APPLICABLE))
"""Outcomes under which a line is paid as far as the edits go."""


class Cause(NamedTuple):
    """A finding that one side has and the other lacks."""

    rule_set: str
    rule_id: str
    family: Family
    code: str


class LineChange(NamedTuple):
    """One line of a claim whose answer differs."""

    line_number: int
    procedure_code: str
    kind: ChangeKind
    old: Status
    new: Status
    gone: tuple[Cause, ...]
    """Findings of the old answer that the new one lacks."""
    come: tuple[Cause, ...]
    """Findings of the new answer that the old one lacked."""
    undecided: bool = False
    """Newly failing, and every family that fails now was NOT_EVALUATED before: data came, no rule changed."""

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The rules that explain the change: those that came for a worse outcome, those that went for a better one."""
        if self.kind is ChangeKind.NEWLY_FAILING:
            return self.come
        if self.kind is ChangeKind.NEWLY_PASSING:
            return self.gone
        return self.come or self.gone


def compare_decisions(old: Decision, new: Decision) -> tuple[LineChange, ...]:
    """The lines that differ, in the order of the claim; both decisions are about the same claim and families."""
    before, after = _by_line(old), _by_line(new)
    changes = []
    for one, other in zip(old.lines, new.lines, strict=True):
        line = one.line_number
        mine, theirs = before.get(line, ()), after.get(line, ())
        if one.outcome is other.outcome and not mine and not theirs:
            continue
        kind, gone, come = _compare(mine, theirs, one.outcome, other.outcome)
        if kind is not ChangeKind.SAME:
            undecided = kind is ChangeKind.NEWLY_FAILING and _was_undecided(one, other)
            changes.append(
                LineChange(line, one.procedure_code, kind, one.outcome, other.outcome, gone, come, undecided)
            )
    return tuple(changes)


def _was_undecided(old: LineResult, new: LineResult) -> bool:
    before = dict(old.families)
    return all(before[family] is Status.NOT_EVALUATED for family, status in new.families if status is Status.FAIL)


def _by_line(decision: Decision) -> dict[int, list[Finding]]:
    lines: dict[int, list[Finding]] = {}
    for finding in decision.findings:
        lines.setdefault(finding.line_number, []).append(finding)
    return lines


def _compare(
    mine: list[Finding] | tuple[()], theirs: list[Finding] | tuple[()], old: Status, new: Status
) -> tuple[ChangeKind, tuple[Cause, ...], tuple[Cause, ...]]:
    reasons, others = {_reason(finding): finding for finding in mine}, {_reason(finding): finding for finding in theirs}
    gone = _causes(finding for reason, finding in reasons.items() if reason not in others)
    come = _causes(finding for reason, finding in others.items() if reason not in reasons)
    if old is not new:
        if new is Status.FAIL:
            failing = tuple(cause for cause in come if _fails(others, cause))
            return ChangeKind.NEWLY_FAILING, gone, failing or come
        if old is Status.FAIL and new in CLEAR:
            failed = tuple(cause for cause in gone if _fails(reasons, cause))
            return ChangeKind.NEWLY_PASSING, failed or gone, come
        return ChangeKind.OUTCOME, gone, come
    if gone or come:
        return ChangeKind.REASON, gone, come
    pairs = [(finding, others[reason]) for reason, finding in reasons.items()]
    if any(one.remedies != other.remedies for one, other in pairs):
        return ChangeKind.REMEDY, (), ()
    if any(_particulars(one) != _particulars(other) for one, other in pairs):
        return ChangeKind.PARTICULARS, (), ()
    if any(_cited(one) != _cited(other) for one, other in pairs):
        return ChangeKind.CITATION, (), ()
    return ChangeKind.SAME, (), ()


def _reason(finding: Finding) -> tuple[object, ...]:
    """What a biller would call the reason: the rule, what it says, about which lines, and how it adjusts."""
    return (
        finding.rule_id,
        finding.family,
        finding.status,
        finding.code,
        finding.related_line_numbers,
        finding.adjustment,
        finding.overridable,
    )


def _causes(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    causes = {
        Cause(finding.citation.rule_set if finding.citation else "", finding.rule_id, finding.family, finding.code)
        for finding in findings
    }
    return tuple(sorted(causes))


def _fails(findings: dict[tuple[object, ...], Finding], cause: Cause) -> bool:
    return any(
        finding.status is Status.FAIL and (finding.rule_id, finding.code) == (cause.rule_id, cause.code)
        for finding in findings.values()
    )


def _particulars(finding: Finding) -> tuple[object, ...]:
    detail = finding.detail
    if detail is not None and detail.ptp is not None:
        detail = detail._replace(ptp=detail.ptp._replace(effective_from="", effective_to=""))
    return finding.depends_on, detail


def _cited(finding: Finding) -> tuple[object, ...]:
    ptp = finding.detail.ptp if finding.detail else None
    return finding.citation, ptp and (ptp.effective_from, ptp.effective_to)
