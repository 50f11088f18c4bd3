"""Made-up claims for property tests: every field of a claim, in every shape the contract allows."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.dates import parse_day
from claimedits.model.terms import Program, Setting

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests on a busy machine: no clock decides."""

CODES = ["G0101", "G0102", "J0153", "E0110", "A0425"]
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
MAYBE = st.one_of(st.just(""), NAMES)
DAYS = st.integers(parse_day("2024-01-01"), parse_day("2024-03-31"))


@st.composite
def lines(draw: st.DrawFn, number: int, diagnoses: int, history: bool = False) -> ClaimLine:
    code = draw(st.sampled_from(CODES))
    start = draw(DAYS)
    return ClaimLine(
        line_number=number,
        procedure_code=code,
        modifiers=tuple(draw(st.lists(st.sampled_from(["25", "59", "LT", "RT"]), max_size=4))),
        units=Decimal(draw(st.integers(0, 99_999))) / draw(st.sampled_from([1, 10])),
        service_date=start,
        service_date_end=start + draw(st.integers(0, 3)),
        diagnosis_pointers=tuple(draw(st.lists(st.integers(1, diagnoses), max_size=4))) if diagnoses else (),
        rendering_provider_id=draw(MAYBE),
        rendering_specialty=draw(MAYBE),
        place_of_service=draw(st.sampled_from(["", "11", "24"])),
        revenue_code=draw(st.sampled_from(["", "0300"])),
        charge_cents=draw(st.one_of(st.none(), st.integers(-1000, 10**9))),
        non_covered_charge_cents=draw(st.one_of(st.none(), st.integers(0, 10**6))),
        procedure_code_sent=code,
        claim_id=draw(NAMES) if history else "",
        paid=draw(st.sampled_from([None, True, False])) if history else None,
    )


@st.composite
def claims(draw: st.DrawFn, claim_id: str = "") -> Claim:
    diagnoses = tuple(draw(st.lists(st.sampled_from(["E1142", "B351", "I10", "A1", "Z0000"]), max_size=5)))
    return Claim(
        claim_id=claim_id or draw(NAMES),
        program=draw(st.sampled_from(Program)),
        setting=draw(st.sampled_from(Setting)),
        lines=tuple(draw(lines(n, len(diagnoses))) for n in range(1, draw(st.integers(1, 4)) + 1)),
        billing_provider_id=draw(MAYBE),
        state=draw(st.sampled_from(["", "PA"])),
        contractor_id=draw(st.sampled_from(["", "12501"])),
        patient=Patient(
            draw(MAYBE),
            draw(st.one_of(st.none(), st.integers(-20_000, 19_000))),
            draw(st.sampled_from(["", "F", "M", "U"])),
        ),
        type_of_bill=draw(st.sampled_from(["", "131"])),
        condition_codes=draw(st.one_of(st.none(), st.lists(st.sampled_from(["A1", "20"]), max_size=3).map(tuple))),
        clia_certificate=draw(st.sampled_from(["", "WAIVER"])),
        diagnoses=diagnoses,
        history_lines=tuple(draw(lines(n, 0, True)) for n in range(1, draw(st.integers(0, 2)) + 1)),
        payer_id=draw(MAYBE),
        prior_authorization_number=draw(MAYBE),
    )


@st.composite
def many_claims(draw: st.DrawFn, most: int = 4) -> list[Claim]:
    """Claims with ids of their own."""
    return [draw(claims(f"C{i}")) for i in range(draw(st.integers(0, most)))]
