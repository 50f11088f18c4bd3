"""The decision as the protobuf response, built field by field: half the price of going through nested dicts.

``Detail`` goes through ``finding_fields.detail_fields``, but for the parts of PTP, MUE and add-on codes alone; citations and the
families of a line repeat from claim to claim, so their messages are kept and copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from claimedits.model.dates import format_day
from claimedits.model.finding import Adjustment, Citation, Decision, Finding, LineResult, Remedy
from claimedits.model.finding_fields import citation_fields, detail_fields
from claimedits.model.terms import Family, Status
from claimedits.v1 import claim_edit_service_pb2 as service_pb
from claimedits.v1 import finding_pb2 as finding_pb

_LINE_NUMBERS_KEPT = 64
_FAMILIES_KEPT = 512
_prototypes: dict[tuple[tuple[Family, Status], ...], dict[int, service_pb.LineResult]] = {}
"""Line results without code and outcome, by the statuses of the families, then by line number. Only ever read once made."""


def as_response(decision: Decision) -> service_pb.EvaluateClaimResponse:
    """The answer as a message that equals ``EvaluateClaimResponse(**as_fields(decision, "numbers"))``."""
    response = service_pb.EvaluateClaimResponse()
    fill_response(response, decision)
    return response


def fill_response(response: service_pb.EvaluateClaimResponse, decision: Decision) -> None:
    """Write the answer into an empty message, such as an item of a batch: nothing is copied afterwards."""
    response.claim_id = decision.claim_id
    response.decision_id = decision.decision_id
    response.release = decision.release
    response.as_of = format_day(decision.as_of)
    response.engine_version = decision.engine_version
    response.outcome = decision.outcome  # type: ignore[assignment]
    _add_lines(response, decision.lines)
    for finding in decision.findings:
        _fill_finding(response.findings.add(), finding)
    for step in decision.trace:
        response.trace.add(
            line_number=step.line_number,
            family=int(step.family),
            rule_set=step.rule_set,
            revision=step.revision,
            looked_up=step.looked_up,
            result=step.result,
        )


def _add_lines(response: service_pb.EvaluateClaimResponse, lines: Sequence[LineResult]) -> None:
    families = None
    by_number: dict[int, service_pb.LineResult] = {}
    add = response.lines.add
    for line in lines:
        if line.families != families:  # most lines of a claim have the statuses of the one before
            families = line.families
            by_number = _by_number(families)
        number = line.line_number
        prototype = by_number.get(number)
        if prototype is None:
            prototype = service_pb.LineResult(
                line_number=number,
                families={family.name: int(status) for family, status in line.families},  # type: ignore[misc]
            )
            if number <= _LINE_NUMBERS_KEPT:
                by_number[number] = prototype
        message = add()
        message.MergeFrom(prototype)
        message.procedure_code = line.procedure_code
        message.outcome = line.outcome  # type: ignore[assignment]


def _by_number(families: tuple[tuple[Family, Status], ...]) -> dict[int, service_pb.LineResult]:
    by_number = _prototypes.get(families)
    if by_number is None:
        if len(_prototypes) >= _FAMILIES_KEPT:
            _prototypes.clear()
        by_number = _prototypes[families] = {}
    return by_number


def _fill_finding(message: finding_pb.Finding, finding: Finding) -> None:
    message.finding_id = finding.finding_id
    message.rule_id = finding.rule_id
    message.family = finding.family  # type: ignore[assignment]
    message.status = finding.status  # type: ignore[assignment]
    message.line_number = finding.line_number
    if finding.related_line_numbers:
        message.related_line_numbers.extend(finding.related_line_numbers)
    message.code = finding.code
    message.message = finding.message
    if finding.citation is not None:
        message.citation.CopyFrom(citation_message(finding.citation))
    if finding.adjustment is not None:
        message.adjustment.CopyFrom(_adjustment_message(finding.adjustment))
    message.overridable = finding.overridable  # type: ignore[assignment]
    for remedy in finding.remedies:
        message.remedies.append(_remedy_message(remedy))
    if finding.depends_on:
        message.depends_on.extend(finding.depends_on)
    if finding.detail is not None:
        message.detail.CopyFrom(finding_pb.Detail(**detail_fields(finding.detail)))
        message.detail.SetInParent()


@lru_cache(maxsize=16_384)
def citation_message(citation: Citation) -> finding_pb.Citation:
    """A citation as a message. It is shared: copy it, never change it."""
    return finding_pb.Citation(**citation_fields(citation))


@lru_cache(maxsize=1024)
def _adjustment_message(adjustment: Adjustment) -> finding_pb.Adjustment:
    return finding_pb.Adjustment(group=adjustment.group, carc=adjustment.carc, rarc=adjustment.rarc)


@lru_cache(maxsize=4096)
def _remedy_message(remedy: Remedy) -> finding_pb.Remedy:
    return finding_pb.Remedy(
        action=remedy.action,
        line_numbers=remedy.line_numbers,
        any_of=remedy.any_of,
        condition=remedy.condition,
    )
