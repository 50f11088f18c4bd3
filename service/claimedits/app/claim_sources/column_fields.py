"""Which fields a column mapping can fill, and what a value of each must be (docs/claim-sources.md, Column mappings)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from claimedits.model.field_reading import (
    CLAIM_NAME,
    CLIA,
    CODE,
    CONDITION_CODE,
    CONTRACTOR,
    DIAGNOSIS,
    IDENTIFIER,
    MODIFIER,
    PLACE,
    REVENUE,
    SEX,
    STATE,
    TYPE_OF_BILL,
    FieldRule,
)


class Kind(Enum):
    """How the cells of a field are read."""

    TEXT = auto()
    TEXTS = auto()
    WORD = auto()
    """A word of a closed list: program, setting."""
    DATE = auto()
    UNITS = auto()
    CENTS = auto()
    WHOLE = auto()
    WHOLES = auto()
    TRUTH = auto()


@dataclass(slots=True, frozen=True)
class MappedField:
    """One field of a line table, or a figure that one is made of."""

    name: str
    kind: Kind
    of_claim: bool = False
    """The same on every row of a claim."""
    required: bool = False
    rule: FieldRule | None = None
    is_code: bool = False
    """Leading zeros matter: a number is refused where a text is expected, unless ``pad`` says how wide it is."""
    words: tuple[str, ...] = ()


_FIELDS = (
    MappedField("claim_id", Kind.TEXT, True, True, CLAIM_NAME),
    MappedField("program", Kind.WORD, True, True, words=("MEDICARE", "MEDICAID")),
    MappedField("setting", Kind.WORD, True, True, words=("PRACTITIONER", "ASC", "OUTPATIENT_HOSPITAL", "DME_SUPPLIER")),
    MappedField("billing_provider_id", Kind.TEXT, True, rule=IDENTIFIER),
    MappedField("state", Kind.TEXT, True, rule=STATE),
    MappedField("contractor_id", Kind.TEXT, True, rule=CONTRACTOR, is_code=True),
    MappedField("patient_id", Kind.TEXT, True, rule=IDENTIFIER),
    MappedField("birth_date", Kind.DATE, True),
    MappedField("sex", Kind.TEXT, True, rule=SEX),
    MappedField("type_of_bill", Kind.TEXT, True, rule=TYPE_OF_BILL, is_code=True),
    MappedField("condition_codes", Kind.TEXTS, True, rule=CONDITION_CODE, is_code=True),
    MappedField("clia_certificate", Kind.TEXT, True, rule=CLIA),
    MappedField("payer_id", Kind.TEXT, True, rule=IDENTIFIER),
    MappedField("prior_authorization_number", Kind.TEXT, True, rule=IDENTIFIER),
    MappedField("diagnoses", Kind.TEXTS, True, rule=DIAGNOSIS, is_code=True),
    MappedField("line_number", Kind.WHOLE),
    MappedField("procedure_code", Kind.TEXT, rule=CODE, is_code=True),
    MappedField("modifiers", Kind.TEXTS, rule=MODIFIER, is_code=True),
    MappedField("units", Kind.UNITS, required=True),
    MappedField("service_date", Kind.DATE, required=True),
    MappedField("service_date_end", Kind.DATE),
    MappedField("diagnosis_pointers", Kind.WHOLES),
    MappedField("line_diagnoses", Kind.TEXTS, rule=DIAGNOSIS, is_code=True),
    MappedField("rendering_provider_id", Kind.TEXT, rule=IDENTIFIER),
    MappedField("rendering_specialty", Kind.TEXT, rule=IDENTIFIER, is_code=True),
    MappedField("place_of_service", Kind.TEXT, rule=PLACE, is_code=True),
    MappedField("revenue_code", Kind.TEXT, rule=REVENUE, is_code=True),
    MappedField("charge_cents", Kind.CENTS),
    MappedField("non_covered_charge_cents", Kind.CENTS),
    MappedField("paid", Kind.TRUTH),
)

MAPPED_FIELDS: dict[str, MappedField] = {field.name: field for field in _FIELDS}
"""By name. ``line_diagnoses`` is no column of a line table: it becomes ``diagnosis_pointers``, and adds to ``diagnoses``."""
