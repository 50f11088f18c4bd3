"""The decision as nested fields, and as JSON (api.md §2, EvaluateClaimResponse).

Every field is written, in the order of the proto, with two exceptions: what is None is left out, and so is whatever
does not apply in ``detail``. ``app.response_messages`` writes the same fields as a protobuf message.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from claimedits.model.dates import format_day
from claimedits.model.finding import (
    AddOnDetail,
    Adjustment,
    Citation,
    CodeDetail,
    CoverageDetail,
    Decision,
    Detail,
    DuplicateDetail,
    Finding,
    LineResult,
    ModifierDetail,
    MueDetail,
    PolicyDetail,
    PtpDetail,
    Remedy,
    TraceStep,
)
from claimedits.model.terms import Family, Overridable, Status

Fields = dict[str, Any]
Words = Literal["short", "numbers"]
"""How enum values are written: ``FAIL``, as in files, or 6, as protobuf takes them."""


def as_fields(decision: Decision, words: Words = "short") -> Fields:
    """The whole answer as nested dicts and lists, named as in api.md."""
    short = words == "short"
    return {
        "claim_id": decision.claim_id,
        "decision_id": decision.decision_id,
        "release": decision.release,
        "as_of": format_day(decision.as_of),
        "engine_version": decision.engine_version,
        "outcome": _word(decision.outcome, short),
        "lines": [_line(line, short) for line in decision.lines],
        "findings": [finding_fields(finding, words) for finding in decision.findings],
        "trace": [_trace_step(step, short) for step in decision.trace],
    }


def as_json(decision: Decision) -> bytes:
    """The answer as one line of JSON, UTF-8, without the line end: what NDJSON files hold."""
    return orjson.dumps(as_fields(decision))


def finding_fields(finding: Finding, words: Words = "short") -> Fields:
    """One finding as nested dicts and lists."""
    short = words == "short"
    fields: Fields = {
        "finding_id": finding.finding_id,
        "rule_id": finding.rule_id,
        "family": _word(finding.family, short),
        "status": _word(finding.status, short),
        "line_number": finding.line_number,
        "related_line_numbers": list(finding.related_line_numbers),
        "code": finding.code,
        "message": finding.message,
    }
    if finding.citation is not None:
        fields["citation"] = citation_fields(finding.citation)
    if finding.adjustment is not None:
        fields["adjustment"] = _adjustment(finding.adjustment)
    fields["overridable"] = _word(finding.overridable, short)
    fields["remedies"] = [_remedy(remedy) for remedy in finding.remedies]
    fields["depends_on"] = list(finding.depends_on)
    if finding.detail is not None:
        fields["detail"] = detail_fields(finding.detail)
    return fields


def citation_fields(citation: Citation) -> Fields:
    """A citation as a dict."""
    return {
        "rule_set": citation.rule_set,
        "revision": citation.revision,
        "label": citation.label,
        "source_file": citation.source_file,
        "source_sha256": citation.source_sha256,
        "source_row": citation.source_row,
        "effective_from": citation.effective_from,
        "effective_to": citation.effective_to,
        "authority": citation.authority,
        "url": citation.url,
    }


def fields_from_response(message: Message) -> Fields:
    """A response message as ``as_fields`` would have written its decision: the same keys, order and words."""
    sparse = message.DESCRIPTOR.name == "Detail"
    fields: Fields = {}
    for field in message.DESCRIPTOR.fields:
        if (field.has_presence and not message.HasField(field.name)) or (sparse and not getattr(message, field.name)):
            continue
        fields[field.name] = _value_of(field, getattr(message, field.name))
    return fields


def json_from_response(message: Message) -> bytes:
    """A response message as the JSON that ``as_json`` gives in process, byte for byte."""
    return orjson.dumps(fields_from_response(message))


def _value_of(field: Any, value: Any) -> Any:
    one = field
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        one = field.message_type.fields_by_name["value"]
        return {key: _single(one, value[key]) for key in sorted(value)}
    if _is_repeated(field):
        return [_single(one, item) for item in value]
    return _single(one, value)


def _is_repeated(field: FieldDescriptor) -> bool:
    # ``is_repeated`` came with protobuf 6; ``label`` is deprecated since.
    newer = getattr(field, "is_repeated", None)
    return bool(getattr(field, "label", None) == FieldDescriptor.LABEL_REPEATED if newer is None else newer)


def _single(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        return fields_from_response(value)
    if field.enum_type is not None:
        return _ENUMS[field.enum_type.name](value).name if value else ""
    return value


_ENUMS = {"Family": Family, "Status": Status, "Overridable": Overridable}


def _word(value: Family | Status | Overridable, short: bool) -> str | int:
    return value.name if short else int(value)


def _line(line: LineResult, short: bool) -> Fields:
    return {
        "line_number": line.line_number,
        "procedure_code": line.procedure_code,
        "outcome": _word(line.outcome, short),
        "families": {family.name: _word(status, short) for family, status in line.families},
    }


def _trace_step(step: TraceStep, short: bool) -> Fields:
    return {
        "line_number": step.line_number,
        "family": _word(step.family, short),
        "rule_set": step.rule_set,
        "revision": step.revision,
        "looked_up": step.looked_up,
        "result": step.result,
    }


def _adjustment(adjustment: Adjustment) -> Fields:
    return {"group": adjustment.group, "carc": adjustment.carc, "rarc": list(adjustment.rarc)}


def _remedy(remedy: Remedy) -> Fields:
    return {
        "action": remedy.action,
        "line_numbers": list(remedy.line_numbers),
        "any_of": list(remedy.any_of),
        "condition": remedy.condition,
    }


def detail_fields(detail: Detail) -> Fields:
    """The detail of a finding as nested dicts; what does not apply is left out."""
    fields: Fields = {}
    for name in (
        "beneficiary_liable",
        "abn_can_shift_liability",
        "conditional",
        "reconstructed",
        "stale_ruleset",
        "note",
    ):
        if value := getattr(detail, name):
            fields[name] = value
    if detail.advisories:
        fields["advisories"] = [{"code": note.code, "text": note.text} for note in detail.advisories]
    if detail.version_conflict:
        fields["version_conflict"] = [
            {
                "field": conflict.field,
                "in_force": conflict.in_force,
                "in_force_label": conflict.in_force_label,
                "newest": conflict.newest,
                "newest_label": conflict.newest_label,
            }
            for conflict in detail.version_conflict
        ]
    if detail.history:
        fields["history"] = [{"claim_id": line.claim_id, "line_number": line.line_number} for line in detail.history]
    for name, part in _PARTS:
        if (value := getattr(detail, name)) is not None:
            fields[name] = part(value)
    return fields


def _ptp(ptp: PtpDetail) -> Fields:
    return {
        "column_1": ptp.column_1,
        "column_2": ptp.column_2,
        "modifier_indicator": ptp.modifier_indicator,
        "effective_from": ptp.effective_from,
        "effective_to": ptp.effective_to,
        "modifiers_considered": [
            {
                "line_number": considered.line_number,
                "column": considered.column,
                "modifier": considered.modifier,
                "honoured": considered.honoured,
                "why": considered.why,
                "authority": considered.authority,
            }
            for considered in ptp.modifiers_considered
        ],
        "accepted_by": ptp.accepted_by,
        "history_checked": ptp.history_checked,
        "common_days": list(ptp.common_days),
    }


def _mue(mue: MueDetail) -> Fields:
    fields: Fields = {} if mue.value is None else {"value": mue.value}
    return fields | {
        "mai": mue.mai,
        "units_billed": mue.units_billed,
        "units_evaluated": mue.units_evaluated,
        "line_numbers_summed": list(mue.line_numbers_summed),
        "special": mue.special,
        "day": mue.day,
    }


def _aoc(aoc: AddOnDetail) -> Fields:
    return {
        "edit_type": aoc.edit_type,
        "primaries_listed": list(aoc.primaries_listed),
        "primaries_total": aoc.primaries_total,
        "primary_found": aoc.primary_found,
        "primary_line_number": aoc.primary_line_number,
    }


def _duplicate(duplicate: DuplicateDetail) -> Fields:
    return {"key": list(duplicate.key), "history_checked": duplicate.history_checked}


def _coverage(coverage: CoverageDetail) -> Fields:
    return {
        "document_id": coverage.document_id,
        "document_version": coverage.document_version,
        "document_type": coverage.document_type,
        "group_hit": coverage.group_hit,
        "missing": coverage.missing,
        "diagnoses_considered": list(coverage.diagnoses_considered),
        "paragraph": coverage.paragraph,
        "paragraph_sha256": coverage.paragraph_sha256,
        "jurisdiction": coverage.jurisdiction,
    }


def _modifier(modifier: ModifierDetail) -> Fields:
    return {"rule": modifier.rule, "modifiers": list(modifier.modifiers)}


def _code(code: CodeDetail) -> Fields:
    return {
        "code": code.code,
        "kind": code.kind,
        "effective_from": code.effective_from,
        "effective_to": code.effective_to,
        "suggestions": list(code.suggestions),
    }


def _policy(policy: PolicyDetail) -> Fields:
    return {"rule": policy.rule, "values": dict(sorted(policy.values))}


_PARTS = (
    ("ptp", _ptp),
    ("mue", _mue),
    ("aoc", _aoc),
    ("duplicate", _duplicate),
    ("coverage", _coverage),
    ("modifier", _modifier),
    ("code", _code),
    ("policy", _policy),
)
