"""Reads X12 835 remittances (005010X221A1): what the payer did to each service, adjustment by adjustment.

Of a claim payment (loop 2100) CLP01 names the claim, CLP02 says what kind of answer it is; of a service payment (loop 2110)
SVC names the procedure and the charge, CAS the adjustments (group, then up to six of reason, amount and quantity), REF*6R the
line of the claim where the provider numbered it. CAS before the first SVC adjusts the claim as a whole.

A claim payment with CLP02 = 22 takes back what was answered before about the claim, whatever it was. Of several answers to one
claim the last one in the order of the files counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from claimedits.app.claim_sources.containers import READ_ERRORS, ClaimFile, explain
from claimedits.app.claim_sources.records import Position, Rejection, reject
from claimedits.app.claim_sources.x12_envelopes import Envelope
from claimedits.app.claim_sources.x12_segments import Segment, read_segments
from claimedits.model.problems import Problem

REVERSAL = "22"
"""CLP02: reversal of previous payment."""
DENIED = "4"
"""CLP02: denied."""
_ENDS = frozenset(("CLP", "LX", "PLB", "SE", "ST", "GE", "GS", "IEA", "ISA"))
_CARC = re.compile(r"\d{1,3}|[A-Z]\d{1,2}")
_GROUP = re.compile(r"CO|PR|OA|PI|CR")
_LINE_NUMBER = re.compile(r"0*([1-9]\d{0,5})")
_TRIPLES = 6


@dataclass(frozen=True)
class RealAdjustment:
    """What was taken off a charge, and why."""

    group: str
    carc: str
    amount_cents: int


@dataclass
class RealService:
    """What the payer did to one service."""

    line_number: int = 0
    """0 = not told."""
    procedure_code: str = ""
    service_date: date | None = None
    charge_cents: int | None = None
    paid_cents: int | None = None
    adjustments: list[RealAdjustment] = field(default_factory=list)
    rarc: list[str] = field(default_factory=list)


@dataclass
class RealClaim:
    """One answer of the payer to one claim."""

    claim_id: str
    is_reversal: bool = False
    adjustments: list[RealAdjustment] = field(default_factory=list)
    """Of the claim as a whole."""
    services: list[RealService] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    """A claim payment with problems is rejected."""


def read_remittances(file: ClaimFile) -> Iterator[RealClaim | Rejection]:
    """Every CLP of a file, as an answer or as a rejection."""
    envelope = Envelope()
    claim: RealClaim | None = None
    place: Position | None = None
    seen = 0
    try:
        for segment in read_segments(file.stream):
            if claim is not None and segment.tag in _ENDS:
                assert place is not None
                yield _close(file.name, place, claim)
                claim = None
            envelope.step(segment)
            if segment.tag == "SE":
                envelope.leave()
            elif segment.tag == "CLP":
                seen += 1
                place = envelope.position(segment)
                claim = _begin(segment, envelope.transaction_set)
            elif claim is not None:
                _take(claim, segment)
    except READ_ERRORS as error:
        if claim is not None and place is not None:
            claim.problems.append(Problem("", "the input ends before the answer does", "send the whole file again"))
            yield _close(file.name, place, claim)
        position = envelope.position(Segment([""], 0, ":"))
        yield reject(file.name, position, "", f"the file cannot be read further: {explain(error)}", "send it again")
        return
    if claim is not None and place is not None:
        claim.problems.append(Problem("", "the input ends before the answer does", "send the whole file again"))
        yield _close(file.name, place, claim)
    if not seen:
        position = envelope.position(Segment([""], 0, ":"))
        yield reject(file.name, position, "", "holds no claim payment (CLP)", "send an X12 835 remittance")


def _close(source: str, place: Position, claim: RealClaim) -> RealClaim | Rejection:
    return Rejection(source, place, tuple(claim.problems), len(claim.services)) if claim.problems else claim


def _begin(segment: Segment, transaction_set: str) -> RealClaim:
    claim = RealClaim(segment.get(1), segment.get(2) == REVERSAL)
    if transaction_set != "835":
        claim.problems.append(Problem("ST01", "is not 835", "claim payments stand in transactions of set 835"))
    if not claim.claim_id:
        claim.problems.append(Problem("CLP01", "is empty", "it is the id that the provider gave the claim (CLM01)"))
    if segment.flaw:
        claim.problems.append(Problem("CLP", segment.flaw, "send the segment as X12 asks"))
    return claim


def _take(claim: RealClaim, segment: Segment) -> None:
    if segment.flaw:
        claim.problems.append(Problem(segment.tag, segment.flaw, "send the segment as X12 asks"))
        return
    service = claim.services[-1] if claim.services else None
    match segment.tag:
        case "SVC":
            claim.services.append(_service(claim, segment))
        case "CAS":
            adjustments = claim.adjustments if service is None else service.adjustments
            adjustments += _adjustments(claim, segment)
        case "DTM" if service is not None and segment.get(1) in ("472", "150"):
            service.service_date = _day(segment.get(2))
        case "REF" if service is not None and segment.get(1) == "6R":
            found = _LINE_NUMBER.fullmatch(segment.get(2))
            service.line_number = int(found.group(1)) if found else 0
        case "LQ" if service is not None and segment.get(1) == "HE":
            service.rarc.append(segment.get(2))
        case _:
            pass


def _service(claim: RealClaim, segment: Segment) -> RealService:
    """SVC06 is the code as billed, where the payer paid for another one (SVC01)."""
    billed = segment.components(6) or segment.components(1)
    return RealService(
        procedure_code=billed[1].upper() if len(billed) > 1 else "",
        charge_cents=_cents(claim, segment, 2),
        paid_cents=_cents(claim, segment, 3),
    )


def _adjustments(claim: RealClaim, segment: Segment) -> Iterator[RealAdjustment]:
    group = segment.get(1)
    if not _GROUP.fullmatch(group):
        claim.problems.append(Problem("CAS01", "is no group of adjustments", "it is CO, PR, OA, PI or CR"))
    for triple in range(_TRIPLES):
        carc = segment.get(2 + 3 * triple).upper()
        if not carc:
            continue
        if not _CARC.fullmatch(carc):
            claim.problems.append(
                Problem(f"CAS{2 + 3 * triple:02}", "is no adjustment reason", "write it like 97 or B7")
            )
            continue
        yield RealAdjustment(group, carc, _cents(claim, segment, 3 + 3 * triple) or 0)


def _cents(claim: RealClaim, segment: Segment, element: int) -> int | None:
    text = segment.get(element)
    if not text:
        return None
    try:
        amount = Decimal(text) * 100
        if not amount.is_finite() or abs(amount) >= 10**15 or amount != amount.to_integral_value():
            raise InvalidOperation
    except InvalidOperation:
        where = f"{segment.tag}{element:02}"
        claim.problems.append(Problem(where, "is no amount of money", "write dollars with at most two decimals"))
        return None
    return int(amount)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 and text.isdigit() else None
    except ValueError:
        return None
