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
from claimedits.model.finding import Decision, Finding, LineResult, TraceStep
from claimedits.model.finding_fields import Fields, adjustment_fields, citation_fields, detail_fields, remedy_fields
from claimedits.model.terms import Family, Overridable, Status

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
        fields["adjustment"] = adjustment_fields(finding.adjustment)
    fields["overridable"] = _word(finding.overridable, short)
    fields["remedies"] = [remedy_fields(remedy) for remedy in finding.remedies]
    fields["depends_on"] = list(finding.depends_on)
    if finding.detail is not None:
        fields["detail"] = detail_fields(finding.detail)
    return fields


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
