"""A claim as the edits see it (api.md §2, Claim). Values are normalised; ``claim_reading`` makes them from what callers send."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from claimedits.model.dates import Day
from claimedits.model.terms import Program, Setting


class ClaimLine(NamedTuple):
    """One service line of this claim, or of another claim when it stands in ``Claim.history_lines``."""

    line_number: int
    procedure_code: str
    """HCPCS or CPT code: five characters, upper case."""
    modifiers: tuple[str, ...]
    """Every modifier in the order sent, upper case, without blanks."""
    units: Decimal
    service_date: Day
    service_date_end: Day
    """Last day of service, inclusive; equal to ``service_date`` for one day."""
    diagnosis_pointers: tuple[int, ...] = ()
    """1-based positions in ``Claim.diagnoses``."""
    rendering_provider_id: str = ""
    rendering_specialty: str = ""
    place_of_service: str = ""
    revenue_code: str = ""
    charge_cents: int | None = None
    non_covered_charge_cents: int | None = None
    procedure_code_sent: str = ""
    """The code as the caller wrote it, echoed in the answer."""
    claim_id: str = ""
    """History lines only: the other claim."""
    paid: bool | None = None
    """History lines only: whether the other claim's line was paid; None = unknown."""


class Patient(NamedTuple):
    """The beneficiary. ``patient_id`` is opaque and never logged."""

    patient_id: str = ""
    birth_date: Day | None = None
    sex: str = ""
    """``F``, ``M``, ``U`` or empty = unknown."""


class Claim(NamedTuple):
    """One claim of one patient and one billing provider. What is absent is unknown: empty text or None, never zero."""

    claim_id: str
    program: Program
    setting: Setting
    lines: tuple[ClaimLine, ...]
    billing_provider_id: str = ""
    state: str = ""
    """Two-letter state or MCD part-state of the place of service; empty = unknown."""
    contractor_id: str = ""
    """Medicare contractor number; empty = unknown."""
    patient: Patient = Patient()
    type_of_bill: str = ""
    condition_codes: tuple[str, ...] | None = None
    clia_certificate: str = ""
    diagnoses: tuple[str, ...] = ()
    """ICD-10-CM codes, upper case, without the dot, in claim order; the first is the principal one."""
    history_lines: tuple[ClaimLine, ...] = ()
    payer_id: str = ""
    """The payer whose policy applies, for POLICY rules scoped to payers; empty = unknown."""
    prior_authorization_number: str = ""
