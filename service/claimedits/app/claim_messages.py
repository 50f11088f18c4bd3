"""Claims as protobuf messages → ``model.Claim``. One validation serves files and calls: ``model.claim_reading``."""

from __future__ import annotations

from typing import Any

from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.claim_reading import DEFAULT_LIMITS, ClaimLimits, read_claim, read_familiar_line
from claimedits.model.terms import Program, Setting
from claimedits.v1 import claim_pb2

_PROGRAMS = {member.value: member.name for member in Program}
_SETTINGS = {member.value: member.name for member in Setting}


def claim_from_proto(message: claim_pb2.Claim, limits: ClaimLimits = DEFAULT_LIMITS) -> Claim:
    """A claim from its message.

    Raises:
        ClaimInvalidError: with every problem of the claim, as ``read_claim`` names them.
    """
    fields = _head_fields(message)
    few = len(message.lines) <= limits.lines
    fields["lines"] = _read_lines(message) if few else range(len(message.lines))  # too many are only counted
    return read_claim(fields, limits)


_MOST_REMEMBERED = 65_536
_remembered: dict[bytes, tuple[ClaimLine, int]] = {}
"""Lines by their bytes on the wire, with their greatest diagnosis pointer: a line seen before costs one look-up. Bounded."""


def _read_lines(message: claim_pb2.Claim) -> list[ClaimLine | dict[str, Any]]:
    """Lines read at once where every value was seen before; the fields of those that have to be read in full."""
    diagnoses = len(message.diagnoses)
    lines: list[ClaimLine | dict[str, Any]] = []
    for line in message.lines:
        sent = line.SerializeToString()
        known = _remembered.get(sent)
        if known is not None and known[1] <= diagnoses:
            lines.append(known[0])
            continue
        read = _read_line(line, diagnoses)
        if read is None:
            lines.append(_line_fields(line))
            continue
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[sent] = read, max(read.diagnosis_pointers, default=0)
        lines.append(read)
    return lines


def _read_line(line: claim_pb2.ClaimLine, diagnoses: int) -> ClaimLine | None:
    """The line where every value was seen before."""
    return read_familiar_line(
        line.line_number,
        line.procedure_code,
        line.modifiers,
        line.units,
        line.service_date,
        line.service_date_end,
        line.diagnosis_pointers,
        line.rendering_provider_id,
        line.rendering_specialty,
        line.place_of_service,
        line.revenue_code,
        line.charge_cents if line.HasField("charge_cents") else None,
        line.non_covered_charge_cents if line.HasField("non_covered_charge_cents") else None,
        diagnoses,
    )


def _head_fields(message: claim_pb2.Claim) -> dict[str, Any]:
    """All fields but the lines, in the spelling of NDJSON files; what is unset is left out."""
    patient = message.patient
    fields: dict[str, Any] = {
        "claim_id": message.claim_id,
        "program": _PROGRAMS.get(message.program, ""),
        "setting": _SETTINGS.get(message.setting, ""),
        "billing_provider_id": message.billing_provider_id,
        "state": message.state,
        "contractor_id": message.contractor_id,
        "patient": {"patient_id": patient.patient_id, "birth_date": patient.birth_date, "sex": patient.sex},
        "type_of_bill": message.type_of_bill,
        "clia_certificate": message.clia_certificate,
        "diagnoses": list(message.diagnoses),
        "history_lines": [_history_fields(line) for line in message.history_lines],
        "payer_id": message.payer_id,
        "prior_authorization_number": message.prior_authorization_number,
    }
    if message.condition_codes or message.condition_codes_known:
        fields["condition_codes"] = list(message.condition_codes)
    return fields


def _line_fields(line: Any) -> dict[str, Any]:
    fields = {
        "line_number": line.line_number,
        "procedure_code": line.procedure_code,
        "modifiers": list(line.modifiers),
        "units": line.units,
        "service_date": line.service_date,
        "service_date_end": line.service_date_end,
        "diagnosis_pointers": list(line.diagnosis_pointers),
        "rendering_provider_id": line.rendering_provider_id,
        "rendering_specialty": line.rendering_specialty,
        "place_of_service": line.place_of_service,
        "revenue_code": line.revenue_code,
    }
    if line.HasField("charge_cents"):
        fields["charge_cents"] = line.charge_cents
    if line.HasField("non_covered_charge_cents"):
        fields["non_covered_charge_cents"] = line.non_covered_charge_cents
    return fields


def _history_fields(line: claim_pb2.HistoryLine) -> dict[str, Any]:
    fields = _line_fields(line)
    fields["claim_id"] = line.claim_id
    if line.HasField("paid"):
        fields["paid"] = line.paid
    return fields


def message_from_fields(fields: dict[str, Any]) -> claim_pb2.Claim:
    """The message of a claim that NDJSON spells: what a client sends.

    Raises:
        ValueError: a field is unknown, or of another type than the contract's.
    """
    content = dict(fields)
    for name, words in (("program", Program), ("setting", Setting)):
        word = content.get(name)
        if isinstance(word, str):
            content[name] = (
                words.__members__[word.strip().upper()].value if word.strip().upper() in words.__members__ else 0
            )
    if content.get("condition_codes") is not None:
        content["condition_codes_known"] = True
    lines = [*(content.get("lines") or ()), *(content.get("history_lines") or ())]
    try:
        content["lines"] = [_as_sent(line) for line in content.get("lines") or ()]
        content["history_lines"] = [_as_sent(line) for line in content.get("history_lines") or ()]
        return claim_pb2.Claim(**{name: value for name, value in content.items() if value is not None})
    except (TypeError, AttributeError) as error:
        raise ValueError(f"the claim's {len(lines)} lines do not have the contract's fields and types") from error


def _as_sent(line: dict[str, Any]) -> dict[str, Any]:
    sent = {name: value for name, value in line.items() if value is not None}
    if type(sent.get("units")) is int:
        sent["units"] = str(sent["units"])
    return sent
