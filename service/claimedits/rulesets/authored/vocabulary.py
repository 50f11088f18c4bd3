"""The words of the rule language: attributes with their types, operators by type, finding codes by family.

``rules/README.md`` and ``rules/rule.schema.json`` show the same words; a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from claimedits.model.terms import Family, Program, Setting, Status


class Kind(Enum):
    """The type of an attribute: what it may be compared with."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    NUMBER = "a number"
    DATE = "a date"
    TRUTH = "true or false"


@dataclass(slots=True, frozen=True)
class Attribute:
    """One thing that a condition can ask about."""

    name: str
    kind: Kind
    meaning: str
    may_be_unknown: bool = False
    """Whether a claim may leave it out, or a rule set that holds it may be missing. Unknown is neither true nor false."""
    words: tuple[str, ...] = ()
    """The closed list of its values; empty = any text."""
    code: str = ""
    """``procedure``, ``modifier`` or ``diagnosis``: its values are codes of that kind, always written in quotes."""
    rule_set: str = ""
    """The loaded rule set that holds it; without a revision for the date the attribute is unknown."""


def _line(prefix: str) -> tuple[Attribute, ...]:
    fee = "medicare-pfs-indicators"

    def indicator(name: str, meaning: str) -> Attribute:
        return Attribute(
            f"{prefix}.fee_schedule.{name}",
            Kind.TEXT,
            f"{meaning}; empty = the fee schedule does not list the code",
            True,
            rule_set=fee,
        )

    return (
        Attribute(f"{prefix}.procedure_code", Kind.TEXT, "the HCPCS or CPT code", code="procedure"),
        Attribute(f"{prefix}.modifiers", Kind.TEXTS, "every modifier of the line", code="modifier"),
        Attribute(f"{prefix}.first_modifier", Kind.TEXT, "the modifier in the first place", True, code="modifier"),
        Attribute(f"{prefix}.units", Kind.NUMBER, "units of service"),
        Attribute(f"{prefix}.service_date", Kind.DATE, "first day of service"),
        Attribute(f"{prefix}.service_date_end", Kind.DATE, "last day of service; the first day for one day"),
        Attribute(f"{prefix}.days", Kind.NUMBER, "days of service, first and last counted"),
        Attribute(f"{prefix}.days_until_as_of", Kind.NUMBER, "days from the last day of service to the day the answer is for (as_of)"),
        Attribute(f"{prefix}.place_of_service", Kind.TEXT, "place of service code, two digits", True),
        Attribute(f"{prefix}.revenue_code", Kind.TEXT, "revenue code, four digits", True),
        Attribute(f"{prefix}.charge", Kind.NUMBER, "billed charge in dollars", True),
        Attribute(f"{prefix}.non_covered_charge", Kind.NUMBER, "non-covered charge in dollars", True),
        Attribute(f"{prefix}.covered_charge", Kind.NUMBER, "billed less non-covered charge, in dollars", True),
        Attribute(f"{prefix}.rendering_provider", Kind.TEXT, "id of the rendering provider", True),
        Attribute(f"{prefix}.rendering_specialty", Kind.TEXT, "specialty code of the rendering provider", True),
        Attribute(f"{prefix}.diagnoses", Kind.TEXTS, "the diagnoses the line points to; all of the claim where it points to none", code="diagnosis"),
        Attribute(f"{prefix}.diagnosis_sides", Kind.TEXTS, "for each of those diagnoses: left, right, both or none", True, ("left", "right", "both", "none"), rule_set="icd10cm"),
        indicator("status", "status code of the fee schedule"),
        indicator("pctc", "PC/TC indicator"),
        indicator("global_days", "global period: 000, 010, 090, XXX, ZZZ, MMM, YYY"),
        indicator("multiple_procedure", "multiple procedure indicator"),
        indicator("bilateral", "bilateral surgery indicator"),
        indicator("assistant", "assistant at surgery indicator"),
        indicator("co_surgeon", "co-surgeon indicator"),
        indicator("team_surgeon", "team surgery indicator"),
    )  # fmt: skip


_CLAIM = (
    Attribute("claim.program", Kind.TEXT, "who pays", words=tuple(Program.__members__)),
    Attribute("claim.setting", Kind.TEXT, "claim form and payment system", words=tuple(Setting.__members__)),
    Attribute("claim.billing_provider", Kind.TEXT, "id of the billing provider", True),
    Attribute("claim.payer", Kind.TEXT, "id of the payer", True),
    Attribute("claim.state", Kind.TEXT, "two-letter state", True),
    Attribute("claim.contractor", Kind.TEXT, "Medicare contractor number", True),
    Attribute("claim.type_of_bill", Kind.TEXT, "type of bill", True),
    Attribute("claim.condition_codes", Kind.TEXTS, "condition codes", True),
    Attribute("claim.clia_certificate", Kind.TEXT, "CLIA certificate of the laboratory: WAIVER, COMPLIANCE …", True),
    Attribute("claim.prior_authorization", Kind.TEXT, "prior authorization number", True),
    Attribute("claim.diagnoses", Kind.TEXTS, "all diagnoses of the claim", code="diagnosis"),
    Attribute("claim.line_count", Kind.NUMBER, "how many lines the claim has"),
    Attribute("claim.history_sent", Kind.TRUTH, "whether the caller sent lines of other claims"),
    Attribute("patient.age", Kind.NUMBER, "age in whole years on the line's service date", True),
    Attribute("patient.age_in_days", Kind.NUMBER, "age in days on the line's service date", True),
    Attribute("patient.sex", Kind.TEXT, "F or M", True, ("F", "M")),
)  # fmt: skip

_HISTORY = (
    Attribute("other.from_history", Kind.TRUTH, "whether the other line is of another claim"),
    Attribute("other.paid", Kind.TRUTH, "whether the other claim's line was paid", True),
)

_SAID = tuple(name for name in Status.__members__ if name != "PASS")
"""Plain passes are findings only where the caller asks to see them, so no rule may react to one."""

_FINDING = (
    Attribute("finding.status", Kind.TEXT, "status of the finding; a plain pass is none", words=_SAID),
    Attribute("finding.code", Kind.TEXT, "code of the finding, such as MUE_EXCEEDED"),
    Attribute("finding.rule", Kind.TEXT, "rule id of the finding, such as medicare-mue-practitioner/11055"),
    Attribute("finding.mai", Kind.TEXT, "MUE adjudication indicator of an MUE finding", True, ("1", "2", "3")),
    Attribute("finding.modifier_indicator", Kind.TEXT, "modifier indicator of a PTP finding", True, ("0", "1", "9")),
    Attribute("finding.carc", Kind.TEXT, "claim adjustment reason code", True),
)

ATTRIBUTES: Mapping[str, Attribute] = {
    attribute.name: attribute for attribute in (*_line("line"), *_CLAIM, *_line("other"), *_HISTORY, *_FINDING)
}
"""Every attribute by name. ``switch.NAME`` is one too: the value of a switch, a text."""

SUBJECTS: Mapping[str, str] = {
    "line": "the line the rule speaks about",
    "claim": "its claim",
    "patient": "its patient",
    "other": "the other line, within [[rule.with]] and [[rule.without]]",
    "finding": "the finding, within [[rule.with]] and [[rule.without]] of a finding",
    "switch": "a switch of the rule set or of the conventions",
}

CODE_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "procedure": (re.compile(r"[0-9A-Z]{5}"), "a procedure code has five digits or capital letters"),
    "modifier": (re.compile(r"[0-9A-Z]{2}"), "a modifier has two digits or capital letters"),
    "diagnosis": (re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?"), "a diagnosis is written like E11.42"),
}

FINDING_CODES: Mapping[Family, tuple[str, ...]] = {
    Family.MODIFIER: (
        "MOD_INVALID", "MOD_NOT_ALLOWED", "MOD_MISSING", "MOD_CONFLICT", "MOD_GLOBAL_EM", "MOD_BILATERAL_UNITS",
        "MOD_BILATERAL_REPORTING", "MOD_CHARGES_UNKNOWN",
    ),
    Family.POLICY: (),
}  # fmt: skip
"""Codes an authored rule of the family may give (semantics.md §0.3). POLICY codes are the payer's own: ``POLICY_…``."""

POLICY_CODE = re.compile(r"POLICY_[A-Z0-9_]{1,40}")
RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
LIST_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")

JOINS: Mapping[str, str] = {
    "day": "the same first day of service",
    "provider": "the same provider: equal or unnamed rendering provider, or one specialty; two unlike or unknown specialties leave it open",
    "code": "the same procedure code",
    "place_of_service": "the same place of service",
}
"""What ``same`` of a block may name."""

WHAT: Mapping[str, str] = {
    "another line": "another line of the claim",
    "history line": "a line of another claim that the caller sent",
    "another line or history line": "either",
    "finding": "a finding of an earlier family or rule",
}

IF_UNKNOWN = ("NOT_EVALUATED", "REVIEW", "NOTHING")
OUTCOMES = ("FAIL", "REVIEW", "NOT_EVALUATED", "NOT_APPLICABLE")
OVERRIDABLE = ("MODIFIER", "NEVER", "DOCUMENTATION", "CORRECTION", "NOT_APPLICABLE")
ACTIONS = (
    "ADD_MODIFIER", "REMOVE_MODIFIER", "REMOVE_LINE", "SPLIT_LINE", "CORRECT_UNITS", "CORRECT_CODE", "CORRECT_DATE", "ADD_PRIMARY",
    "ADD_DIAGNOSIS", "POINT_DIAGNOSIS", "CORRECT_DIAGNOSIS", "DOCUMENT", "APPEAL", "NONE",
)  # fmt: skip
PLACEHOLDERS: Mapping[str, str] = {
    "line.procedure_code": "the line's code",
    "line.modifiers": "the line's modifiers",
    "line.units": "the line's units",
    "line.service_date": "the line's first day",
    "line.place_of_service": "the line's place of service",
    "line.rendering_specialty": "the specialty",
    "line.days_until_as_of": "days since the service",
    "patient.age": "the patient's age in years on the line's date",
    "modifiers": "the modifiers at fault, or the missing ones",
    "other.lines": "the numbers of the other lines",
    "other.codes": "the codes of the other lines",
    "finding.rules": "the rule ids of the findings read",
}
"""What ``{…}`` in a message may name."""
