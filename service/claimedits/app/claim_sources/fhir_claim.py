"""One FHIR R4 Claim or ExplanationOfBenefit becomes the fields of a claim (api.md §2)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.resources import files
from typing import Any

from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.x12_codes import x12_codes
from claimedits.model.problems import Problem

_UNKEYED = IdentifierHash()
_MOST_LINES = 5_000


@lru_cache(maxsize=1)
def fhir_codes() -> dict[str, Any]:
    """``fhir_codes.toml``, read once."""
    return tomllib.loads(files("claimedits.app.claim_sources").joinpath("fhir_codes.toml").read_text("utf-8"))


def _objects(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, or of one object; whatever else stands there is left out."""
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _numbers(value: object) -> list[int]:
    """The sequence numbers of a list; 0 for whatever is none."""
    return [item if type(item) is int else 0 for item in value] if isinstance(value, list) else []


def _codings(concept: object) -> Iterator[tuple[str, str]]:
    """System and code of each coding of a CodeableConcept."""
    for item in _objects(_object(concept).get("coding")):
        yield _text(item.get("system")), _text(item.get("code"))


def _ends(system: str, ends: list[str]) -> bool:
    return any(system.endswith(end) for end in ends)


class FhirClaim:
    """Reads one resource; ``patients`` holds what bundles said before about people: birth date and sex by reference."""

    def __init__(
        self, resource: Mapping[str, Any], patients: Mapping[str, tuple[str, str]], program: str, setting: str
    ) -> None:
        self._resource = resource
        self._patients = patients
        self._default_program = program
        self._default_setting = setting
        self._codes = fhir_codes()
        self._contained = {
            _text(item.get("id")): item for item in _objects(resource.get("contained")) if _text(item.get("id"))
        }
        self.problems: list[Problem] = []
        self.paid: list[bool | None] = []
        self.items: list[int] = []
        """Of each line, the item it came from."""
        self.told: set[str] = set()
        """Fields of lines whose problem was told in the words of FHIR."""

    def _add(self, where: str, what: str, mend: str = "") -> None:
        self.problems.append(Problem(where, what, mend))

    def fields(self) -> dict[str, Any]:
        """Fields for ``claim_reading.read_claim``; ``problems`` names what FHIR alone knows to be wrong."""
        self._check_status()
        setting = self._setting()
        diagnoses, places = self._diagnoses()
        items = _objects(self._resource.get("item"))
        if len(items) > _MOST_LINES:
            self._add("item", f"has more than {_MOST_LINES} entries", "split the claim")
            items = []
        institutional = setting == "OUTPATIENT_HOSPITAL"
        self.items = [i for i, item in enumerate(items) if not self._is_total(item)]
        lines = [self._line(f"item[{i}]", items[i], places, institutional) for i in self.items]
        return {
            "claim_id": self._claim_id(),
            "program": self._program(),
            "setting": setting,
            "billing_provider_id": self._provider(self._resource.get("provider")),
            "state": self._state(items),
            "contractor_id": self._contractor(),
            "patient": self._patient(),
            "type_of_bill": self._type_of_bill(setting) if institutional else "",
            "diagnoses": diagnoses,
            "lines": lines,
        }

    def _check_status(self) -> None:
        status, use = self._resource.get("status"), self._resource.get("use")
        if status not in ("active", None):
            self._add("status", "is not active", "send claims that are in force")
        if use not in ("claim", None):
            self._add("use", "is no claim", "preauthorizations and predeterminations are no claims")

    def _claim_id(self) -> str:
        named = _objects(self._resource.get("identifier"))
        unique = [i for i in named if any(code == "uc" for _, code in _codings(i.get("type")))]
        found = [i for i in [*unique, *named] if not _text(i.get("system")).endswith("claim-group")]
        claim_id = next((_text(i.get("value")) for i in found if _text(i.get("value"))), "")
        claim_id = claim_id or _text(self._resource.get("id"))
        if not claim_id:
            self._add("identifier", "is missing", "a claim needs an identifier or an id")
        return claim_id

    def _program(self) -> str:
        words = self._codes["programs"]
        insurer = _object(self._resource.get("insurer"))
        names = [_text(_object(insurer.get("identifier")).get("value")), _text(insurer.get("display"))]
        names.append(_text(self._resolve(insurer).get("name")))
        if any(name in words["insurers"] for name in names):
            return "MEDICARE"
        for insurance in _objects(self._resource.get("insurance")):
            coverage = _object(insurance.get("coverage"))
            found = self._resolve(coverage)
            said = [coverage.get("display"), _object(coverage.get("identifier")).get("value")]
            said.append(_object(found.get("type")).get("text"))
            for name in said:
                program: str | None = words.get(_text(name).upper())
                if program in ("MEDICARE", "MEDICAID"):
                    return program
        if not self._default_program:
            self._add("insurance", "names neither Medicare nor Medicaid", "name the program with --program")
        return self._default_program or "MEDICARE"

    def _setting(self) -> str:
        for table in (self._codes["types"]["cms"], self._codes["types"]["hl7"]):
            said = [
                code
                for system, code in _codings(self._resource.get("type"))
                if _ends(system, table["systems"]) and code
            ]
            if not said:
                continue
            setting: str | None = next((table[code] for code in said if code in table), None)
            if setting is None:
                break
            inpatient = any("inpatient" in code for _, code in _codings(self._resource.get("subType")))
            if setting == "OUTPATIENT_HOSPITAL" and inpatient:
                break
            return self._default_setting if self._default_setting and setting == "PRACTITIONER" else setting
        else:
            if self._default_setting:
                return self._default_setting
        self._add("type", "is no professional, outpatient or supplier claim", "leave it out, or name it with --setting")
        return "PRACTITIONER"

    def _resolve(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._contained.get(_text(reference.get("reference")).removeprefix("#"), {})

    def _provider(self, reference: object) -> str:
        """The NPI where one is given, else any identifier, else the local id of the resource."""
        named = _object(reference)
        codes = self._codes["providers"]
        candidates = [*_objects(named.get("identifier")), *_objects(self._resolve(named).get("identifier"))]
        for item in candidates:
            types = {code for _, code in _codings(item.get("type"))}
            if _text(item.get("system")) in codes["npi_systems"] or types & set(codes["npi_types"]):
                return _text(item.get("value"))
        for item in candidates:
            if _text(item.get("value")):
                return _text(item.get("value"))
        return _text(named.get("reference")).removeprefix("#").rpartition("/")[2]

    def _patient(self) -> dict[str, str]:
        """Who the patient is, as a digest, with birth date and sex where the file tells them; names are not read."""
        named = _object(self._resource.get("patient"))
        reference = _text(named.get("reference"))
        found = self._resolve(named)
        identifiers = [*_objects(named.get("identifier")), *_objects(found.get("identifier"))]
        identity = next((_text(i.get("value")) for i in identifiers if _text(i.get("value"))), "")
        if not identity and not reference.startswith("#"):
            identity = "/".join(reference.split("/")[-2:])
        birth, sex = self._patients.get("/".join(reference.split("/")[-2:]), ("", ""))
        if found:
            birth, sex = read_person(found)
        digest = _UNKEYED.digest("patient", identity)
        return {"patient_id": digest, "birth_date": birth, "sex": sex}

    def _state(self, items: list[Mapping[str, Any]]) -> str:
        for item in items[:1]:
            state = _text(_object(item.get("locationAddress")).get("state"))
            for extension in _objects(_object(item.get("locationCodeableConcept")).get("extension")):
                if _text(extension.get("url")).endswith("prvdr_state_cd"):
                    state = state or _text(_object(extension.get("valueCoding")).get("code"))
            if len(state) == 2 and state.isalpha():
                return state
        return ""

    def _extension(self, holder: Mapping[str, Any], ends: list[str]) -> str:
        for extension in _objects(holder.get("extension")):
            if _ends(_text(extension.get("url")), ends):
                coding, identifier = _object(extension.get("valueCoding")), _object(extension.get("valueIdentifier"))
                quantity = _object(extension.get("valueQuantity")).get("value")
                found = _text(coding.get("code")) or _text(identifier.get("value"))
                return found or ("" if quantity is None else str(quantity))
        return ""

    def _contractor(self) -> str:
        codes = self._codes["contractors"]
        found = self._extension(self._resource, codes["extensions"])
        for info in _objects(self._resource.get("supportingInfo")):
            for system, code in _codings(info.get("code")):
                found = found or (code if _ends(system, codes["systems"]) else "")
        return found

    def _type_of_bill(self, setting: str) -> str:
        bill = ""
        frequency = ""
        for info in _objects(self._resource.get("supportingInfo")):
            if any(code == "typeofbill" for _, code in _codings(info.get("category"))):
                codes = [code for _, code in _codings(info.get("code"))]
                bill = next((code for code in codes if len(code) in (3, 4)), bill)
                frequency = next((code for code in codes if len(code) == 1), frequency)
        facility = self._extension(_object(self._resource.get("facility")), ["clm_fac_type_cd"])
        kind = self._extension(self._resource, ["clm_srvc_clsfctn_type_cd"])
        if not bill and facility and kind and frequency:
            bill = f"{facility}{kind}{frequency}"
        if bill.lstrip("0")[:2] in x12_codes().inpatient_bills:
            self._add("supportingInfo", "is an inpatient type of bill", "edits of this kind govern outpatient bills")
        return bill

    def _diagnoses(self) -> tuple[list[str], dict[object, int]]:
        """Codes in claim order, the principal one first, and the place of each sequence number."""
        codes = self._codes["diagnoses"]
        pointed = {
            number
            for item in _objects(self._resource.get("item"))
            for number in _numbers(item.get("diagnosisSequence"))
        }
        found: list[tuple[bool, int, object, str]] = []
        for i, item in enumerate(_objects(self._resource.get("diagnosis"))):
            kinds = {code for kind in _objects(item.get("type")) for _, code in _codings(kind)}
            sequence = item.get("sequence")
            if kinds & set(codes["no_edit"]) and not (isinstance(sequence, int) and sequence in pointed):
                continue
            given = dict(reversed(list(_codings(item.get("diagnosisCodeableConcept")))))
            code = next((given[system] for system in codes["systems"] if given.get(system)), "")
            if not code:
                self._add(f"diagnosis[{i}]", "has no ICD code", "give diagnosisCodeableConcept a coding")
                continue
            found.append((not kinds & set(codes["principal"]), i, sequence, code))
        found.sort(key=lambda entry: entry[:2])
        places: dict[object, int] = {}
        for place, (_, _, sequence, _) in enumerate(found, 1):
            if isinstance(sequence, int):
                places.setdefault(sequence, place)
        return [code for *_, code in found], places

    def _procedure(self, item: Mapping[str, Any]) -> str:
        systems = self._codes["procedures"]["systems"]
        return next((c for s, c in _codings(item.get("productOrService")) if s in systems and c), "")

    def _is_total(self, item: Mapping[str, Any]) -> bool:
        """The line that sums up an institutional claim: its revenue code, and no procedure."""
        totals = self._codes["lines"]["totals"]
        return not self._procedure(item) and any(code in totals for _, code in _codings(item.get("revenue")))

    def _line(
        self, where: str, item: Mapping[str, Any], places: Mapping[object, int], institutional: bool
    ) -> dict[str, Any]:
        systems = self._codes["procedures"]["systems"]
        code = self._procedure(item)
        revenue = next((c for _, c in _codings(item.get("revenue")) if c), "")
        start, end = self._serviced(where, item)
        team = self._rendering(item)
        self.paid.append(self._was_paid(item))
        modifiers = [c for m in _objects(item.get("modifier")) for s, c in _codings(m) if c and (s in systems or not s)]
        place = next((c for _, c in _codings(item.get("locationCodeableConcept")) if len(c) == 2), "")
        return {
            "line_number": item.get("sequence"),
            "procedure_code": code,
            "modifiers": list(dict.fromkeys(modifiers)),
            "units": self._units(where, item, institutional),
            "service_date": start,
            "service_date_end": end if end != start else "",
            "diagnosis_pointers": [] if institutional else self._pointers(where, item, places),
            "rendering_provider_id": self._provider(team.get("provider")) if team else "",
            "rendering_specialty": self._specialty(team),
            "place_of_service": "" if institutional else place,
            "revenue_code": revenue if institutional else "",
            "charge_cents": self._charge(where, item),
            "non_covered_charge_cents": self._amount(where, item, "non_covered"),
        }

    def _serviced(self, where: str, item: Mapping[str, Any]) -> tuple[str, str]:
        period = _object(item.get("servicedPeriod"))
        start = _text(item.get("servicedDate")) or _text(period.get("start"))
        end = _text(period.get("end"))
        if not start:
            billable = _object(self._resource.get("billablePeriod"))
            start, end = _text(billable.get("start")), _text(billable.get("end"))
        if not start:
            self._add(where, "has no service date", "give servicedDate or servicedPeriod")
            self.told.add(f"{where}.service_date")
        return start[:10], end[:10]

    def _units(self, where: str, item: Mapping[str, Any], institutional: bool) -> str:
        said = self._extension(item, self._codes["lines"]["unit_extensions"]) if institutional else ""
        value = said or _object(item.get("quantity")).get("value")
        number = Decimal(1) if value is None else _decimal(value)  # an item without a quantity is one service
        if number is None:
            self._add(where, "has a quantity that is no number", "give quantity.value as a number")
            return "0"
        return format(number.normalize(), "f")

    def _pointers(self, where: str, item: Mapping[str, Any], places: Mapping[object, int]) -> list[int]:
        pointers: list[int] = []
        for number in _numbers(item.get("diagnosisSequence")):
            place = places.get(number)
            if place is None:
                self._add(where, "points at no diagnosis", "diagnosisSequence holds sequence numbers of diagnosis")
            elif place not in pointers:
                pointers.append(place)
        return pointers

    def _rendering(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """The member of the care team who rendered the line; of the whole claim where the line names none."""
        roles = self._codes["providers"]["rendering"]
        linked = set(_numbers(item.get("careTeamSequence")))
        found: list[tuple[int, Mapping[str, Any]]] = []
        for member in _objects(self._resource.get("careTeam")):
            sequence = member.get("sequence")
            if linked and not (isinstance(sequence, int) and sequence in linked):
                continue
            ranks = [roles.index(code) for _, code in _codings(member.get("role")) if code in roles]
            if ranks:
                found.append((min(ranks), member))
        return min(found, key=lambda entry: entry[0])[1] if found else {}

    def _specialty(self, team: Mapping[str, Any]) -> str:
        given = list(_codings(team.get("qualification")))
        ends = self._codes["providers"]["specialty_systems"]
        return next((code for system, code in given if _ends(system, ends)), given[0][1] if given else "")

    def _amounts(self, item: Mapping[str, Any], names: list[str]) -> list[tuple[int, Any]]:
        """Amounts of the adjudications that are called so, the most telling name first."""
        found = []
        for entry in _objects(item.get("adjudication")):
            codes = [code for _, code in _codings(entry.get("category"))]
            ranks = [i for i, name in enumerate(names) for code in codes if code.endswith(name)]
            value = _object(entry.get("amount")).get("value")
            if ranks and value is not None:
                found.append((min(ranks), value))
        return sorted(found, key=lambda entry: entry[0])

    def _amount(self, where: str, item: Mapping[str, Any], kind: str) -> int | None:
        found = self._amounts(item, self._codes["lines"][kind])
        return self._cents(where, found[0][1]) if found else None

    def _charge(self, where: str, item: Mapping[str, Any]) -> int | None:
        charge = self._amount(where, item, "charge")
        net = _object(item.get("net")).get("value")
        return self._cents(where, net) if charge is None and net is not None else charge

    def _cents(self, where: str, value: object) -> int | None:
        number = _decimal(value)
        if number is None or abs(number) > 10**10:
            self._add(where, "has an amount that is no number", "give amounts in dollars")
            return None
        return int((number * 100).to_integral_value())

    def _was_paid(self, item: Mapping[str, Any]) -> bool | None:
        if self._resource.get("resourceType") != "ExplanationOfBenefit":
            return None
        amounts = [_decimal(value) for _, value in self._amounts(item, self._codes["lines"]["paid"])]
        return any(amount is not None and amount > 0 for amount in amounts) if amounts else None


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_person(resource: Mapping[str, Any]) -> tuple[str, str]:
    """Birth date and sex of a Patient resource; what the edits do not need is not read."""
    sex = {"male": "M", "female": "F"}.get(_text(resource.get("gender")), "")
    birth = _text(resource.get("birthDate"))
    return (birth if len(birth) == 10 else ""), sex
