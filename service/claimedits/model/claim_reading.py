"""Reads a claim from its JSON fields (api.md §2): normalises codes, checks every field, names every problem at once.

Values that were found good are remembered, so that a field seen before costs one look-up; the memory is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.dates import Day
from claimedits.model.field_reading import (
    CLAIM_NAME,
    CLIA,
    CODE,
    CONDITION_CODE,
    CONTRACTOR,
    DATE,
    DIAGNOSIS,
    IDENTIFIER,
    LARGEST_CENTS,
    MODIFIER,
    PLACE,
    REVENUE,
    SEX,
    STATE,
    TYPE_OF_BILL,
    UNITS,
    FieldReader,
)
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import Program, Setting

MOST_MODIFIERS = 4
"""Places for modifiers on a line (CMS-1500, 837P SV101, 837I SV202)."""

MOST_DIAGNOSES = {Setting.OUTPATIENT_HOSPITAL: 25}
"""Diagnoses on a claim: 25 on an 837I, 12 on an 837P."""

_LINE_FIELDS = frozenset(
    [
        "line_number",
        "procedure_code",
        "modifiers",
        "units",
        "service_date",
        "service_date_end",
        "diagnosis_pointers",
        "rendering_provider_id",
        "rendering_specialty",
        "place_of_service",
        "revenue_code",
        "charge_cents",
        "non_covered_charge_cents",
    ]
)
_HISTORY_FIELDS = _LINE_FIELDS | {"claim_id", "paid"}
_CLAIM_FIELDS = frozenset(
    [
        "claim_id",
        "program",
        "setting",
        "billing_provider_id",
        "state",
        "contractor_id",
        "patient",
        "type_of_bill",
        "condition_codes",
        "clia_certificate",
        "diagnoses",
        "lines",
        "history_lines",
        "payer_id",
        "prior_authorization_number",
    ]
)
_PATIENT_FIELDS = frozenset(["patient_id", "birth_date", "sex"])


@dataclass(slots=True, frozen=True)
class ClaimLimits:
    """How large a claim may be. A caller's claim over a limit is refused, never cut."""

    lines: int = 1000
    """Lines of a claim; an 837I carries at most 999."""
    history_lines: int = 5000


DEFAULT_LIMITS = ClaimLimits()


def read_claim(fields: Mapping[str, Any], limits: ClaimLimits = DEFAULT_LIMITS) -> Claim:
    """A claim from its JSON fields.

    Raises:
        ClaimInvalidError: with every problem of the claim; ``where`` is a field path. A problem whose code begins with
            ``E_LIMIT`` says that a limit was exceeded.
    """
    reader = FieldReader()
    if not isinstance(fields, Mapping):
        raise ClaimInvalidError([Problem("claim", "is not an object", "send the fields of a claim as a JSON object")])
    claim = _read(reader, fields, limits)
    if reader.problems or claim is None:
        raise ClaimInvalidError(reader.problems)
    return claim


def _read(reader: FieldReader, fields: Mapping[str, Any], limits: ClaimLimits) -> Claim | None:
    reader.refuse_unknown("", fields, _CLAIM_FIELDS)
    text = reader.text
    program = reader.word("program", fields.get("program"), Program)
    setting = reader.word("setting", fields.get("setting"), Setting)
    most = MOST_DIAGNOSES.get(setting, 12) if setting else 25
    diagnoses = reader.texts("diagnoses", fields.get("diagnoses"), DIAGNOSIS, most)
    lines = _read_lines(reader, "lines", fields.get("lines"), limits.lines, _LINE_FIELDS, len(diagnoses), setting)
    history = _read_lines(
        reader,
        "history_lines",
        fields.get("history_lines"),
        limits.history_lines,
        _HISTORY_FIELDS,
        -1,
        setting,
    )
    if not lines and not reader.problems:
        reader.add("lines", "is empty", "a claim has at least one line")
    _check_line_numbers(reader, lines)
    conditions = fields.get("condition_codes")
    claim_values = (
        text("claim_id", fields.get("claim_id"), CLAIM_NAME),
        text("billing_provider_id", fields.get("billing_provider_id"), IDENTIFIER),
        text("state", fields.get("state"), STATE),
        text("contractor_id", fields.get("contractor_id"), CONTRACTOR),
        _read_patient(reader, fields.get("patient")),
        text("type_of_bill", fields.get("type_of_bill"), TYPE_OF_BILL),
        None if conditions is None else reader.texts("condition_codes", conditions, CONDITION_CODE, 24),
        text("clia_certificate", fields.get("clia_certificate"), CLIA),
        text("payer_id", fields.get("payer_id"), IDENTIFIER),
        text("prior_authorization_number", fields.get("prior_authorization_number"), IDENTIFIER),
    )
    if program is None or setting is None:
        return None
    claim_id, billing, state, contractor, patient, bill, condition_codes, clia, payer, authorization = claim_values
    return Claim(
        claim_id, program, setting, lines, billing, state, contractor, patient, bill, condition_codes, clia,
        diagnoses, history, payer, authorization,
    )  # fmt: skip


def _read_patient(reader: FieldReader, fields: Any) -> Patient:
    if fields is None:
        return Patient()
    if not isinstance(fields, Mapping):
        reader.add("patient", "is not an object", "send patient_id, birth_date and sex in an object")
        return Patient()
    reader.refuse_unknown("patient.", fields, _PATIENT_FIELDS)
    birth = fields.get("birth_date")
    return Patient(
        reader.text("patient.patient_id", fields.get("patient_id"), IDENTIFIER),
        reader.day("patient.birth_date", birth, DATE) if birth else None,
        reader.text("patient.sex", fields.get("sex"), SEX),
    )


def _read_lines(
    reader: FieldReader,
    path: str,
    items: Any,
    most: int,
    known: frozenset[str],
    diagnoses: int,
    setting: Setting | None,
) -> tuple[ClaimLine, ...]:
    if items is None:
        return ()
    if not isinstance(items, Sequence) or isinstance(items, str | bytes):
        reader.add(path, "is not a list", "send the lines as a list of objects")
        return ()
    if len(items) > most:
        reader.add(
            path,
            f"has {len(items)} lines, the limit is {most}",
            "split the claim or raise the limit",
            "E_LIMIT_LINES",
        )
        return ()
    lines = []
    for i, fields in enumerate(items):
        where = f"{path}[{i}]"
        if type(fields) is ClaimLine:
            lines.append(fields)
        elif isinstance(fields, Mapping):
            lines.append(_read_line(reader, where, fields, known, diagnoses, setting))
        else:
            reader.add(where, "is not an object", "send each line as an object")
    return tuple(lines)


def _read_line(
    reader: FieldReader,
    where: str,
    fields: Mapping[str, Any],
    known: frozenset[str],
    diagnoses: int,
    setting: Setting | None,
) -> ClaimLine:
    get = fields.get
    if known is _LINE_FIELDS and known.issuperset(fields):
        line = read_familiar_line(
            get("line_number"), get("procedure_code"), get("modifiers"), get("units"), get("service_date"),
            get("service_date_end"), get("diagnosis_pointers"), get("rendering_provider_id"), get("rendering_specialty"),
            get("place_of_service"), get("revenue_code"), get("charge_cents"), get("non_covered_charge_cents"), diagnoses,
        )  # fmt: skip
        if line is not None:
            return line
    reader.refuse_unknown(f"{where}.", fields, known)
    start = reader.day(f"{where}.service_date", get("service_date"), DATE)
    end = _read_end(reader, where, get("service_date_end"), start)
    revenue = reader.text(f"{where}.revenue_code", get("revenue_code"), REVENUE)
    code = reader.text(f"{where}.procedure_code", get("procedure_code"), CODE)
    if not code and not (setting is Setting.OUTPATIENT_HOSPITAL and revenue) and reader.is_blank(get("procedure_code")):
        reader.add(
            f"{where}.procedure_code",
            "is missing",
            "send a HCPCS or CPT code; facility lines may send a revenue_code alone",
        )
    sent = get("procedure_code")
    return ClaimLine(
        reader.whole(f"{where}.line_number", get("line_number"), 1, 99_999),
        code,
        reader.texts(f"{where}.modifiers", get("modifiers"), MODIFIER, MOST_MODIFIERS),
        reader.decimal(f"{where}.units", get("units"), UNITS),
        start,
        end,
        _read_pointers(reader, where, get("diagnosis_pointers"), diagnoses),
        reader.text(f"{where}.rendering_provider_id", get("rendering_provider_id"), IDENTIFIER),
        reader.text(f"{where}.rendering_specialty", get("rendering_specialty"), IDENTIFIER),
        reader.text(f"{where}.place_of_service", get("place_of_service"), PLACE),
        revenue,
        reader.cents(f"{where}.charge_cents", get("charge_cents")),
        reader.cents(f"{where}.non_covered_charge_cents", get("non_covered_charge_cents")),
        sent if isinstance(sent, str) else "",
        _read_history_claim(reader, where, get("claim_id")) if "claim_id" in known else "",
        reader.truth(f"{where}.paid", get("paid")) if "paid" in known else None,
    )


def read_familiar_line(
    number: Any,
    sent: Any,
    modifiers: Any,
    units: Any,
    first_day: Any,
    last_day: Any,
    pointers: Any,
    provider: Any,
    specialty: Any,
    place: Any,
    revenue: Any,
    charge: Any,
    uncovered: Any,
    diagnoses: int,
) -> ClaimLine | None:
    """The line, where every value was found good before; None sends it through the full reading, problems and all.

    Only remembered values are let through, so both readings agree on every line that this one gives.
    """
    try:
        start = DATE.good[first_day]
        last = DATE.good[last_day] if last_day else start
        code = CODE.good[sent]
        if (
            not code
            or last < start
            or type(number) is not int
            or not 0 < number <= 99_999
            or (modifiers and (len(modifiers) > MOST_MODIFIERS or type(modifiers) is str))
            or (pointers and not all(type(p) is int and 0 < p <= diagnoses for p in pointers))
            or (charge is not None and (type(charge) is not int or abs(charge) > LARGEST_CENTS))
            or (uncovered is not None and (type(uncovered) is not int or abs(uncovered) > LARGEST_CENTS))
        ):
            return None
        good = MODIFIER.good
        known = tuple([good[modifier] for modifier in modifiers]) if modifiers else ()
        if "" in known:
            return None
        return ClaimLine(
            number,
            code,
            known,
            UNITS.good[units],
            start,
            last,
            tuple(pointers) if pointers else (),
            IDENTIFIER.good[provider or ""],
            IDENTIFIER.good[specialty or ""],
            PLACE.good[place or ""],
            REVENUE.good[revenue or ""],
            charge,
            uncovered,
            sent,
        )
    except (KeyError, TypeError):
        return None


def _read_history_claim(reader: FieldReader, where: str, claim_id: Any) -> str:
    """History lines are told from the claim's own by their claim id, so an unnamed one gets a name."""
    return reader.text(f"{where}.claim_id", claim_id, IDENTIFIER) or "(unnamed)"


def _read_end(reader: FieldReader, where: str, value: Any, start: Day) -> Day:
    if reader.is_blank(value):
        return start
    before = len(reader.problems)
    end = reader.day(f"{where}.service_date_end", value, DATE)
    if end < start and len(reader.problems) == before and start:
        reader.add(
            f"{where}.service_date_end",
            "lies before service_date",
            "the last day of service is on or after the first",
        )
    return end


def _read_pointers(reader: FieldReader, where: str, value: Any, diagnoses: int) -> tuple[int, ...]:
    if not value:
        return ()
    path = f"{where}.diagnosis_pointers"
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        reader.add(path, "is not a list", "send positions in diagnoses, counted from 1")
        return ()
    for i, pointer in enumerate(value):
        if type(pointer) is not int:
            reader.add(f"{path}[{i}]", "is not a whole number", "send positions in diagnoses, counted from 1")
        elif pointer < 1 or (diagnoses >= 0 and pointer > diagnoses):
            reader.add(
                f"{path}[{i}]",
                f"{pointer} points at no diagnosis",
                f"the claim has {diagnoses} diagnoses, counted from 1",
            )
    return tuple(value)


def _check_line_numbers(reader: FieldReader, lines: Sequence[ClaimLine]) -> None:
    seen: dict[int, int] = {}
    for i, line in enumerate(lines):
        first = seen.setdefault(line.line_number, i)
        if first != i and line.line_number:
            reader.add(
                f"lines[{i}].line_number",
                f"{line.line_number} is also the number of lines[{first}]",
                "number each line once",
            )
