"""One claim of an 837: its segments from CLM on (loop 2300 and below) become the fields of a claim (api.md §2)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from claimedits.app.claim_sources.x12_codes import X12Codes, x12_codes
from claimedits.app.claim_sources.x12_loops import Loops
from claimedits.app.claim_sources.x12_segments import Segment
from claimedits.model.problems import Problem

MOST_SEGMENTS = 60_000
"""Segments of one claim: 999 lines of 60."""
_MEND_INFORMATION = "write qualifier and code, parted by the separator that ISA16 names"


@dataclass(slots=True)
class LineSegments:
    """Loop 2400: what one service line is made of."""

    lx: Segment
    service: Segment | None = None
    dates: Segment | None = None
    rendering: Segment | None = None
    rendering_taxonomy: str = ""
    authorization: str = ""
    told: set[str] = field(default_factory=set)
    """Fields whose problem was told with its segment; ``*`` = all of the line."""


@dataclass(slots=True)
class ClaimSegments:
    """What is kept of a claim while its segments pass; everything else is dropped at once."""

    clm: Segment
    institutional: bool
    lines: list[LineSegments] = field(default_factory=list)
    diagnoses: list[Segment] = field(default_factory=list)
    statement: Segment | None = None
    rendering: Segment | None = None
    rendering_taxonomy: str = ""
    facility_state: str = ""
    authorization: str = ""
    taken: int = 0
    problems: list[Problem] = field(default_factory=list)
    _entity: str = ""
    _in_other_payer: bool = False

    def add(self, segment: Segment, what: str, mend: str = "", element: str = "") -> None:
        """Note what is wrong with a segment."""
        self.problems.append(Problem(f"segment {segment.number} {element or segment.tag}", what, mend))

    def take(self, segment: Segment) -> None:
        """The next segment below CLM."""
        self.taken += 1
        if self.taken > MOST_SEGMENTS:
            if self.taken == MOST_SEGMENTS + 1:
                self.add(segment, f"is beyond {MOST_SEGMENTS} segments of one claim", "split the claim")
            return
        if segment.flaw or segment.tag not in x12_codes().segments:
            what = segment.flaw or "is no segment of a claim"
            self.add(segment, what, "end each segment with the terminator that ISA names")
            return
        if segment.tag == "LX":
            self.lines.append(LineSegments(segment))
            self._entity, self._in_other_payer = "", False
        elif self.lines:
            self._take_line(self.lines[-1], segment)
        elif segment.tag in ("SV1", "SV2"):
            self.add(segment, "stands before the first LX", "number each service line with LX")
        elif segment.tag == "SBR":
            self._in_other_payer = True
        elif not self._in_other_payer:
            self._take_claim(segment)

    def _take_claim(self, segment: Segment) -> None:
        tag, first = segment.tag, segment.get(1)
        if tag == "HI":
            self.diagnoses.append(segment)
        elif tag == "DTP" and first == "434":
            self.statement = segment
        elif tag == "REF" and first == "G1" and not self._entity:
            self.authorization = segment.get(2)
        elif tag == "NM1":
            self._entity = first
            if first == "82":
                self.rendering = segment
        elif tag == "PRV" and self._entity == "82":
            self.rendering_taxonomy = segment.get(3)
        elif tag == "N4" and self._entity == "77":
            self.facility_state = segment.get(2)

    def _take_line(self, line: LineSegments, segment: Segment) -> None:
        tag, first = segment.tag, segment.get(1)
        if tag in ("SV1", "SV2"):
            if line.service is not None:
                self.add(segment, "is a second service under one LX", "number each service line with LX")
            line.service = segment
        elif tag == "DTP" and first == "472":
            line.dates = segment
        elif tag == "NM1":
            self._entity = first
            if first == "82":
                line.rendering = segment
        elif tag == "PRV" and self._entity == "82":
            line.rendering_taxonomy = segment.get(3)
        elif tag == "REF" and first == "G1" and not self._entity:
            line.authorization = segment.get(2)


class ClaimBuilder:
    """Makes the fields of a claim from its segments and the loops above it, and names every problem."""

    def __init__(self, loops: Loops, default_program: str, default_setting: str) -> None:
        self._loops = loops
        self._program = default_program
        self._setting = default_setting
        self._codes: X12Codes = x12_codes()

    def build(self, claim: ClaimSegments) -> tuple[dict[str, Any], list[Problem]]:
        """Fields for ``claim_reading.read_claim``; whether they are good is for it to say, but for what X12 alone knows."""
        clm, loops = claim.clm, self._loops
        self._check_owner(claim)
        place = clm.components(5)
        facility = place[0] if place else ""
        frequency = place[2] if len(place) > 2 else ""
        if frequency == "8":
            claim.add(clm, "is a void of an earlier claim (frequency 8)", "there is no service to edit", "CLM05")
        setting, bill = self._read_setting(claim, facility, frequency)
        patient, billing, subscriber = loops.patient(), loops.billing, loops.subscriber
        diagnoses, conditions = self._read_information(claim)
        fields = {
            "claim_id": clm.get(1),
            "program": self._read_program(claim),
            "setting": setting,
            "billing_provider_id": billing.provider_id if billing else "",
            "state": claim.facility_state or (billing.state if billing else ""),
            "patient": {
                "patient_id": patient.digest,
                "birth_date": self._read_birth(claim),
                "sex": patient.sex if patient.sex in ("F", "M") else "",
            },
            "type_of_bill": bill,
            "condition_codes": conditions if claim.institutional or conditions else None,
            "payer_id": subscriber.payer_id if subscriber else "",
            "prior_authorization_number": claim.authorization
            or next((line.authorization for line in claim.lines if line.authorization), ""),
            "diagnoses": diagnoses,
            "lines": [self._read_line(claim, line, facility) for line in claim.lines],
        }
        if not clm.get(1):
            claim.add(clm, "has no claim number", "write the patient control number into CLM01", "CLM01")
        return fields, claim.problems

    def _check_owner(self, claim: ClaimSegments) -> None:
        loops = self._loops
        if loops.flaw:
            claim.add(claim.clm, f"stands under {loops.flaw}", loops.mend)
        elif loops.billing is None or loops.subscriber is None:
            claim.add(claim.clm, "stands under no billing provider and subscriber", "send HL 20 and HL 22 before it")
        if loops.billing is not None and not loops.billing.named:
            claim.add(claim.clm, "has no billing provider", "send NM1*85 in loop 2010AA")
        if loops.subscriber is not None and not loops.subscriber.has_sbr:
            claim.add(claim.clm, "has no subscriber information", "send SBR in loop 2000B")

    def _read_program(self, claim: ClaimSegments) -> str:
        subscriber = self._loops.subscriber
        indicator = subscriber.filing_indicator if subscriber else ""
        program = self._codes.programs.get(indicator, self._program)
        if not program:
            shown = indicator if indicator.isalnum() and len(indicator) == 2 else "absent"
            claim.add(
                claim.clm,
                f"is neither Medicare's nor Medicaid's by its claim filing indicator (SBR09 is {shown})",
                "name the program whose edits shall be used with --program",
            )
            return "MEDICARE"
        return program

    def _read_setting(self, claim: ClaimSegments, facility: str, frequency: str) -> tuple[str, str]:
        if not claim.institutional:
            billing = self._loops.billing
            return self._setting or self._codes.setting_of(billing.taxonomy if billing else ""), ""
        digits = facility.lstrip("0")
        if digits in self._codes.inpatient_bills:
            claim.add(
                claim.clm,
                f"is an inpatient bill ({digits}x)",
                "edits of this kind govern outpatient bills; leave it out",
                "CLM05",
            )
        if not digits:
            claim.add(claim.clm, "has no facility type", "write the first digits of the type of bill", "CLM05-1")
        return "OUTPATIENT_HOSPITAL", f"{digits}{frequency}" if digits and frequency else ""

    def _read_birth(self, claim: ClaimSegments) -> str:
        person = self._loops.patient()
        if not person.birth:
            return ""
        day = _read_day(person.birth) if person.birth_form == "D8" else ""
        if not day:
            claim.add(claim.clm, "has a patient whose birth date is no day", "write DMG02 as CCYYMMDD with D8", "DMG02")
        return day

    def _read_information(self, claim: ClaimSegments) -> tuple[list[str], list[str]]:
        """Diagnoses in claim order, the principal one first, and condition codes."""
        codes = self._codes
        principal: list[str] = []
        other: list[str] = []
        conditions: list[str] = []
        for segment in claim.diagnoses:
            for position in range(1, max(13, len(segment.elements))):
                parts = segment.components(position)
                if not parts:
                    continue
                kept = {codes.condition: conditions}
                kept.update(dict.fromkeys(codes.principal, principal) | dict.fromkeys(codes.other, other))
                element = f"HI{position:02}"
                if len(parts) < 2 or not parts[1]:
                    claim.add(segment, "has a qualifier or a code but not both", _MEND_INFORMATION, element)
                elif parts[0] in kept:
                    kept[parts[0]].append(parts[1])
                elif parts[0] not in codes.no_edit:
                    claim.add(segment, "has an unknown qualifier", "use one of the implementation guide", element)
        if len(principal) > 1:
            claim.add(claim.diagnoses[0], "names more than one principal diagnosis", "a claim has one")
        return [*principal, *other], conditions

    def _read_line(self, claim: ClaimSegments, line: LineSegments, facility: str) -> dict[str, Any]:
        number = line.lx.get(1)
        service = line.service
        if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= 99_999):
            claim.add(line.lx, "is no line number", "number the lines of a claim from 1", "LX01")
            line.told.add("line_number")
        wanted = "SV2" if claim.institutional else "SV1"
        if service is None or service.tag != wanted:
            found = service.tag if service else "none"
            claim.add(line.lx, f"has no {wanted} (found: {found})", f"send one {wanted} after each LX")
            line.told.add("*")
            return {"line_number": 0}
        start, end = self._read_dates(claim, line)
        if not start:
            line.told.add("service_date")
        fields: dict[str, Any] = {
            "line_number": int(number) if number.isascii() and number.isdigit() and len(number) <= 9 else 0,
            "service_date": start,
            "service_date_end": end if end != start else "",
        }
        rendering = line.rendering or claim.rendering
        fields["rendering_provider_id"] = rendering.get(9) if rendering is not None else ""
        fields["rendering_specialty"] = line.rendering_taxonomy if line.rendering else claim.rendering_taxonomy
        if claim.institutional:
            self._read_institutional(claim, service, fields)
        else:
            self._read_professional(claim, service, facility, fields)
        return fields

    def _read_professional(self, claim: ClaimSegments, service: Segment, facility: str, fields: dict[str, Any]) -> None:
        self._read_procedure(claim, service, 1, fields)
        fields["charge_cents"] = self._read_cents(claim, service, 2)
        fields["units"] = self._read_units(claim, service, 3, fields["procedure_code"])
        fields["place_of_service"] = service.get(5) or facility
        fields["diagnosis_pointers"] = self._read_pointers(claim, service)

    def _read_institutional(self, claim: ClaimSegments, service: Segment, fields: dict[str, Any]) -> None:
        fields["revenue_code"] = service.get(1)
        if service.get(2):
            self._read_procedure(claim, service, 2, fields)
        else:
            fields["procedure_code"], fields["modifiers"] = "", []
        fields["charge_cents"] = self._read_cents(claim, service, 3)
        fields["units"] = self._read_units(claim, service, 4, fields["procedure_code"])
        fields["non_covered_charge_cents"] = self._read_cents(claim, service, 7)

    def _read_procedure(self, claim: ClaimSegments, service: Segment, at: int, fields: dict[str, Any]) -> None:
        """SV101 or SV202: qualifier, code, up to four modifiers."""
        parts = service.components(at)
        fields["procedure_code"] = parts[1] if len(parts) > 1 else ""
        fields["modifiers"] = [part for part in parts[2:6] if part]
        element = f"{service.tag}{at:02}"
        if claim.institutional and parts and parts[0] == "HP":  # a HIPPS rate code, no procedure
            fields["procedure_code"] = ""
        elif not parts or parts[0] != "HC":
            claim.add(service, "is no HCPCS code (qualifier HC)", "edits know HCPCS and CPT codes", f"{element}-1")

    def _read_units(self, claim: ClaimSegments, service: Segment, at: int, code: str) -> str:
        """SV103/SV104 or SV204/SV205: basis and quantity; minutes of anesthesia become units of time."""
        basis, text = service.get(at), service.get(at + 1)
        element = f"{service.tag}{at + 1:02}"
        quantity = _read_decimal(text)
        if quantity is None or quantity < 0:
            claim.add(service, "is no quantity", "write a number of units", element)
            return "0"
        if basis == "MJ":
            if not self._codes.is_anesthesia(code):
                what = "counts minutes of a service that is no anesthesia"
                claim.add(service, what, "send units (UN)", f"{service.tag}{at:02}")
            quantity = self._codes.units_of_minutes(quantity)
        elif basis not in ("UN", "DA", "F2"):
            claim.add(service, "is no unit of measure for services", "use UN or MJ", f"{service.tag}{at:02}")
        return format(quantity.normalize(), "f")

    def _read_pointers(self, claim: ClaimSegments, service: Segment) -> list[int]:
        pointers = []
        for part in service.components(7):
            if part.isascii() and part.isdigit() and len(part) <= 2:
                pointers.append(int(part))
            elif part:
                claim.add(service, "is no diagnosis pointer", "write positions in HI, from 1", "SV107")
        return pointers

    def _read_cents(self, claim: ClaimSegments, service: Segment, at: int) -> int | None:
        text = service.get(at)
        if not text:
            return None
        amount = _read_decimal(text)
        if amount is None or amount != round(amount, 2):
            claim.add(service, "is no amount of dollars and cents", "write it like 12.50", f"{service.tag}{at:02}")
            return None
        return int(amount * 100)

    def _read_dates(self, claim: ClaimSegments, line: LineSegments) -> tuple[str, str]:
        """DTP*472 of the line; a line of an institutional claim without one has the statement's days (DTP*434)."""
        segment = line.dates or (claim.statement if claim.institutional else None)
        if segment is None:
            claim.add(line.lx, "has no service date", "send DTP*472 on each line")
            return "", ""
        form, text = segment.get(2), segment.get(3)
        days = text.split("-") if form == "RD8" else [text]
        read = [_read_day(day) for day in days]
        if form not in ("D8", "RD8") or len(days) != (2 if form == "RD8" else 1) or not all(read):
            claim.add(
                segment, "is no day or pair of days", "write CCYYMMDD with D8, CCYYMMDD-CCYYMMDD with RD8", "DTP03"
            )
            return "", ""
        return read[0], read[-1]


def _read_day(text: str) -> str:
    """``20240301`` as ``2024-03-01``; empty where it is no day of the calendar."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return ""
    try:
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
    except ValueError:
        return ""


def _read_decimal(text: str) -> Decimal | None:
    """An X12 number (type R) of at most 18 characters; None where it is none."""
    if not text or len(text) > 18 or not text.isascii() or not set(text) <= set("0123456789.-"):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
