"""Code meanings of the 837 that change with time: ``x12_codes.toml``, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.resources import files

_DATA = "x12_codes.toml"


@dataclass(slots=True, frozen=True)
class X12Codes:
    """See the comments of the data file."""

    professional: str
    institutional: str
    programs: dict[str, str]
    settings: dict[str, str]
    inpatient_bills: frozenset[str]
    principal: frozenset[str]
    other: frozenset[str]
    condition: str
    no_edit: frozenset[str]
    minutes_a_unit: Decimal
    anesthesia: tuple[str, str]
    segments: frozenset[str]

    def setting_of(self, taxonomy: str) -> str:
        """The setting of a professional claim by its billing provider's taxonomy."""
        for beginning, setting in self.settings.items():
            if taxonomy.upper().startswith(beginning):
                return setting
        return "PRACTITIONER"

    def is_anesthesia(self, code: str) -> bool:
        """Whether a code is billed by time."""
        first, last = self.anesthesia
        return len(code) == 5 and code.isdigit() and first <= code <= last  # 0100T is a category III code

    def units_of_minutes(self, minutes: Decimal) -> Decimal:
        """Time units, to one decimal, half up."""
        return (minutes / self.minutes_a_unit).quantize(Decimal("0.1"), ROUND_HALF_UP)


@lru_cache(maxsize=1)
def x12_codes() -> X12Codes:
    """The shipped data."""
    data = tomllib.loads(files("claimedits.app.claim_sources").joinpath(_DATA).read_text("utf-8"))

    def words(table: str) -> dict[str, str]:
        return {key: value for key, value in data[table].items() if key != "source"}

    diagnoses, anesthesia = data["diagnoses"], data["anesthesia"]
    return X12Codes(
        professional=data["implementations"]["professional"],
        institutional=data["implementations"]["institutional"],
        programs=words("programs"),
        settings=words("settings"),
        inpatient_bills=frozenset(data["inpatient"]["bills"]),
        principal=frozenset(diagnoses["principal"]),
        other=frozenset(diagnoses["other"]),
        condition=diagnoses["condition"],
        no_edit=frozenset(diagnoses["no_edit"]),
        minutes_a_unit=Decimal(anesthesia["minutes"]),
        anesthesia=(anesthesia["first_code"], anesthesia["last_code"]),
        segments=frozenset(data["segments"]["of_a_claim"]),
    )
