"""What a condition can ask of a claim: one reader for each attribute of the rule language.

A reader returns None where the answer is unknown: the caller left it out, or no loaded rule set holds it for the date.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.dates import Day, date_of
from claimedits.model.finding import Finding

Reader = Callable[["Facts", Any], Any]
FEE_SCHEDULE = "medicare-pfs-indicators"
MODIFIERS = "modifiers"
DIAGNOSES = "icd10cm"
NOT_LISTED = ("",) * 8
"""The indicators of a code that a loaded fee schedule does not list: known, and empty."""
_INDICATORS = (
    "status",
    "pctc",
    "global_days",
    "multiple_procedure",
    "bilateral",
    "assistant",
    "co_surgeon",
    "team_surgeon",
)

_UNASKED: Any = object()


class Facts:
    """One claim, and the reference data that the release holds for its dates."""

    __slots__ = ("_fees", "_sides", "as_of", "claim", "conventions", "evaluation")

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.claim: Claim = evaluation.claim
        self.as_of: Day = evaluation.as_of
        self.conventions = evaluation.conventions
        self._fees: dict[Day, Any] = {}
        self._sides: dict[tuple[str, Day], str | None] = {}

    def indicators(self, code: str, day: Day) -> tuple[str, ...] | None:
        """Fee-schedule indicators; None where no fee schedule governs the day."""
        fees = self._fees.get(day, _UNASKED)
        if fees is _UNASKED:
            loaded = self.evaluation.release.rule_sets.get(FEE_SCHEDULE)
            selection = self.evaluation.view(loaded, day, dated_rows=False).select(day) if loaded else None
            fees = self._fees[day] = (loaded.index, selection) if loaded and selection else None
        return None if fees is None else fees[0].indicators(code, "", fees[1]) or NOT_LISTED

    def modifier_is_listed(self, modifier: str, day: Day) -> bool | None:
        """Whether the loaded list of modifiers holds one on a day; None where no list speaks of it."""
        loaded = self.evaluation.release.rule_sets.get(MODIFIERS)
        selection = self.evaluation.view(loaded, day, dated_rows=False).select(day) if loaded else None
        if loaded is None or selection is None:
            return None
        rows = [row for row in loaded.index.windows(modifier) if row.revisions >> selection.in_force & 1]
        return any(row.covers(day) for row in rows) if rows else None

    def diagnosis_side(self, code: str, day: Day) -> str | None:
        """``left``, ``right``, ``both`` or ``none``, as the title of the loaded diagnosis list says; None = no list."""
        key = (code, day)
        if key not in self._sides:
            loaded = self.evaluation.release.rule_sets.get(DIAGNOSES)
            selection = self.evaluation.view(loaded, day, dated_rows=False).select(day) if loaded else None
            if loaded is None or selection is None:
                self._sides[key] = None
            else:
                titles = [row.title for row in loaded.index.windows(code) if row.revisions >> selection.in_force & 1]
                self._sides[key] = _side_of(titles[0]) if titles else "none"
        return self._sides[key]


def _side_of(title: str) -> str:
    words = set(title.lower().replace(",", " ").split())
    if "bilateral" in words or {"left", "right"} <= words:
        return "both"
    return "left" if "left" in words else "right" if "right" in words else "none"


def _text(name: str) -> Reader:
    return lambda facts, line: getattr(line, name) or None


def _of_claim(name: str) -> Reader:
    return lambda facts, line: getattr(facts.claim, name) or None


def _dollars(name: str) -> Reader:
    def read(facts: Facts, line: ClaimLine) -> Decimal | None:
        cents = getattr(line, name)
        return None if cents is None else Decimal(cents) / 100

    return read


def _covered_charge(facts: Facts, line: ClaimLine) -> Decimal | None:
    if line.charge_cents is None or line.non_covered_charge_cents is None:
        return None
    return Decimal(line.charge_cents - line.non_covered_charge_cents) / 100


def _indicator(place: int) -> Reader:
    def read(facts: Facts, line: ClaimLine) -> str | None:
        row = facts.indicators(line.procedure_code, line.service_date)
        return None if row is None else row[place]

    return read


def _diagnoses(facts: Facts, line: ClaimLine) -> tuple[str, ...]:
    listed = facts.claim.diagnoses
    if not line.diagnosis_pointers:
        return listed
    return tuple(listed[p - 1] for p in line.diagnosis_pointers if 0 < p <= len(listed))


def _diagnosis_sides(facts: Facts, line: ClaimLine) -> tuple[str, ...] | None:
    sides = [facts.diagnosis_side(code, line.service_date) for code in _diagnoses(facts, line)]
    return None if None in sides else tuple(side for side in sides if side)


def _age_in_years(facts: Facts, line: ClaimLine) -> int | None:
    birth = facts.claim.patient.birth_date
    if birth is None or line.service_date < birth:
        return None
    born, on = date_of(birth), date_of(line.service_date)
    return on.year - born.year - ((on.month, on.day) < _birthday(born))


def _birthday(born: date) -> tuple[int, int]:
    return born.month, born.day


def _age_in_days(facts: Facts, line: ClaimLine) -> int | None:
    birth = facts.claim.patient.birth_date
    return None if birth is None or line.service_date < birth else line.service_date - birth


def _sex(facts: Facts, line: ClaimLine) -> str | None:
    sex = facts.claim.patient.sex
    return sex if sex in ("F", "M") else None


_LINE: dict[str, Reader] = {
    "procedure_code": lambda facts, line: line.procedure_code,
    "modifiers": lambda facts, line: line.modifiers,
    "first_modifier": lambda facts, line: line.modifiers[0] if line.modifiers else None,
    "units": lambda facts, line: line.units,
    "service_date": lambda facts, line: line.service_date,
    "service_date_end": lambda facts, line: line.service_date_end,
    "days": lambda facts, line: line.service_date_end - line.service_date + 1,
    "days_until_as_of": lambda facts, line: facts.as_of - line.service_date_end,
    "place_of_service": _text("place_of_service"),
    "revenue_code": _text("revenue_code"),
    "charge": _dollars("charge_cents"),
    "non_covered_charge": _dollars("non_covered_charge_cents"),
    "covered_charge": _covered_charge,
    "rendering_provider": _text("rendering_provider_id"),
    "rendering_specialty": _text("rendering_specialty"),
    "diagnoses": _diagnoses,
    "diagnosis_sides": _diagnosis_sides,
    **{f"fee_schedule.{name}": _indicator(place) for place, name in enumerate(_INDICATORS)},
}

READERS: dict[str, Reader] = {
    **{f"{subject}.{name}": reader for subject in ("line", "other") for name, reader in _LINE.items()},
    "other.from_history": lambda facts, line: bool(line.claim_id),
    "other.paid": lambda facts, line: line.paid,
    "claim.program": lambda facts, line: facts.claim.program.name,
    "claim.setting": lambda facts, line: facts.claim.setting.name,
    "claim.billing_provider": _of_claim("billing_provider_id"),
    "claim.payer": _of_claim("payer_id"),
    "claim.state": _of_claim("state"),
    "claim.contractor": _of_claim("contractor_id"),
    "claim.type_of_bill": _of_claim("type_of_bill"),
    "claim.condition_codes": lambda facts, line: facts.claim.condition_codes,
    "claim.clia_certificate": _of_claim("clia_certificate"),
    "claim.prior_authorization": _of_claim("prior_authorization_number"),
    "claim.diagnoses": lambda facts, line: facts.claim.diagnoses,
    "claim.line_count": lambda facts, line: len(facts.claim.lines),
    "claim.history_sent": lambda facts, line: bool(facts.claim.history_lines),
    "patient.age": _age_in_years,
    "patient.age_in_days": _age_in_days,
    "patient.sex": _sex,
    "finding.status": lambda facts, finding: finding.status.name,
    "finding.code": lambda facts, finding: finding.code,
    "finding.rule": lambda facts, finding: finding.rule_id,
    "finding.mai": lambda facts, finding: _part(finding, "mue", "mai"),
    "finding.modifier_indicator": lambda facts, finding: _part(finding, "ptp", "modifier_indicator"),
    "finding.carc": lambda facts, finding: finding.adjustment.carc if finding.adjustment else None,
}
"""How each attribute of ``vocabulary.ATTRIBUTES`` is read from a line, its claim, or a finding."""


def _part(finding: Finding, part: str, name: str) -> str | None:
    detail = getattr(finding.detail, part, None)
    return None if detail is None else str(getattr(detail, name)) or None
