"""One FHIR R4 Claim or ExplanationOfBenefit becomes the fields of a claim (api.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from claimedits.app.claim_sources.fhir_codes import fhir_codes
from claimedits.app.claim_sources.fhir_parties import (
    NOBODY,
    Parties,
    Party,
    choose_identifier,
    codings_of,
    named_by_identifier,
    object_of,
    objects_of,
    read_party,
    short_reference,
    text_of,
)
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.x12_codes import x12_codes
from claimedits.model.problems import Problem

_UNKEYED = IdentifierHash()
_MOST_LINES = 5_000


def _numbers(value: object) -> list[int]:
    """The sequence numbers of a list; 0 for whatever is none."""
    return [item if type(item) is int else 0 for item in value] if isinstance(value, list) else []


def _ends(system: str, ends: list[str]) -> bool:
    return any(system.endswith(end) for end in ends)


class FhirClaim:
    """Reads one resource; ``parties`` are the patients, providers and places that stood before it in its file."""

    def __init__(self, resource: Mapping[str, Any], parties: Parties, program: str, setting: str) -> None:
        self._resource = resource
        self._parties = parties
        self._default_program = program
        self._default_setting = setting
        self._codes = fhir_codes()
        self._contained = {
            text_of(item.get("id")): item for item in objects_of(resource.get("contained")) if text_of(item.get("id"))
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
        items = objects_of(self._resource.get("item"))
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
            "billing_provider_id": self._billing_provider(),
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
        named = objects_of(self._resource.get("identifier"))
        unique = [i for i in named if any(code == "uc" for _, code in codings_of(i.get("type")))]
        found = [i for i in [*unique, *named] if not text_of(i.get("system")).endswith("claim-group")]
        claim_id = next((text_of(i.get("value")) for i in found if text_of(i.get("value"))), "")
        claim_id = claim_id or text_of(self._resource.get("id"))
        if not claim_id:
            self._add("identifier", "is missing", "a claim needs an identifier or an id")
        return claim_id

    def _program(self) -> str:
        words = self._codes["programs"]
        names = self._names(object_of(self._resource.get("insurer")))
        for insurance in objects_of(self._resource.get("insurance")):
            coverage = object_of(insurance.get("coverage"))
            found = self._resolve(coverage)
            names += [*self._names(coverage), text_of(object_of(found.get("type")).get("text"))]
            names += [name for payor in objects_of(found.get("payor")) for name in self._names(payor)]
        for name in names:
            program: str | None = "MEDICARE" if name in words["insurers"] else words["names"].get(name.upper())
            if program:
                return program
        if not self._default_program:
            self._add("insurance", "names neither Medicare nor Medicaid", "name the program with --program")
        return self._default_program or "MEDICARE"

    def _names(self, reference: Mapping[str, Any]) -> list[str]:
        """What a reference calls an organization or a coverage."""
        identifier = object_of(reference.get("identifier"))
        return [text_of(identifier.get("value")), text_of(reference.get("display")),
                text_of(self._resolve(reference).get("name"))]  # fmt: skip

    def _setting(self) -> str:
        for table in (self._codes["types"]["cms"], self._codes["types"]["hl7"]):
            said = [
                code
                for system, code in codings_of(self._resource.get("type"))
                if _ends(system, table["systems"]) and code
            ]
            if not said:
                continue
            setting: str | None = next((table[code] for code in said if code in table), None)
            if setting is None:
                break
            inpatient = any("inpatient" in code for _, code in codings_of(self._resource.get("subType")))
            if setting == "OUTPATIENT_HOSPITAL" and inpatient:
                break
            return self._default_setting if self._default_setting and setting == "PRACTITIONER" else setting
        else:
            if self._default_setting:
                return self._default_setting
        self._add("type", "is no professional, outpatient or supplier claim", "leave it out, or name it with --setting")
        return "PRACTITIONER"

    def _resolve(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._contained.get(text_of(reference.get("reference")).removeprefix("#"), {})

    def _party(self, reference: str) -> Party:
        """Whom a reference names: contained in the claim, or before it in the file."""
        if reference.startswith("#"):
            found = self._contained.get(reference[1:])
            return NOBODY if found is None else read_party(found)
        return self._parties.find(reference)

    def _identifier(self, reference: object) -> str:
        """The NPI of a provider where one is given, else any identifier."""
        named = object_of(reference)
        said = text_of(named.get("reference"))
        identifier = choose_identifier(objects_of(named.get("identifier")))
        return identifier or self._party(said).identifier or named_by_identifier(said)

    def _provider(self, reference: object) -> str:
        """The identifier of a provider, else the local id of the resource."""
        said = text_of(object_of(reference).get("reference"))
        return self._identifier(reference) or said.removeprefix("#").rpartition("/")[2]

    def _billing_provider(self) -> str:
        """A contained provider without identifier is unknown: its local id means another one in another claim."""
        reference = self._resource.get("provider")
        is_local = text_of(object_of(reference).get("reference")).startswith("#")
        return self._identifier(reference) if is_local else self._provider(reference)

    def _patient(self) -> dict[str, str]:
        """Who the patient is, as a digest, with birth date and sex where the file tells them; names are not read."""
        named = object_of(self._resource.get("patient"))
        reference = text_of(named.get("reference"))
        found = self._resolve(named)
        identifiers = [*objects_of(named.get("identifier")), *objects_of(found.get("identifier"))]
        identity = next((text_of(i.get("value")) for i in identifiers if text_of(i.get("value"))), "")
        if not identity and not reference.startswith("#"):
            identity = short_reference(reference)
        party = self._party(reference)
        digest = _UNKEYED.digest("patient", identity)
        return {"patient_id": digest, "birth_date": party.birth, "sex": party.sex}

    def _state(self, items: list[Mapping[str, Any]]) -> str:
        """Where the first line was rendered, else the facility, else the billing provider."""
        states = []
        for item in items[:1]:
            states.append(text_of(object_of(item.get("locationAddress")).get("state")))
            for extension in objects_of(object_of(item.get("locationCodeableConcept")).get("extension")):
                if text_of(extension.get("url")).endswith("prvdr_state_cd"):
                    states.append(text_of(object_of(extension.get("valueCoding")).get("code")))
            states.append(self._state_of(item.get("locationReference")))
        states += [self._state_of(self._resource.get("facility")), self._state_of(self._resource.get("provider"))]
        return next((state for state in states if len(state) == 2 and state.isalpha()), "")

    def _state_of(self, reference: object) -> str:
        return self._party(text_of(object_of(reference).get("reference"))).state

    def _extension(self, holder: Mapping[str, Any], ends: list[str]) -> str:
        for extension in objects_of(holder.get("extension")):
            if _ends(text_of(extension.get("url")), ends):
                coding, identifier = (
                    object_of(extension.get("valueCoding")),
                    object_of(extension.get("valueIdentifier")),
                )
                quantity = object_of(extension.get("valueQuantity")).get("value")
                found = text_of(coding.get("code")) or text_of(identifier.get("value"))
                return found or ("" if quantity is None else str(quantity))
        return ""

    def _contractor(self) -> str:
        codes = self._codes["contractors"]
        found = self._extension(self._resource, codes["extensions"])
        for info in objects_of(self._resource.get("supportingInfo")):
            for system, code in codings_of(info.get("code")):
                found = found or (code if _ends(system, codes["systems"]) else "")
        return found

    def _type_of_bill(self, setting: str) -> str:
        bill = ""
        frequency = ""
        for info in objects_of(self._resource.get("supportingInfo")):
            if any(code == "typeofbill" for _, code in codings_of(info.get("category"))):
                codes = [code for _, code in codings_of(info.get("code"))]
                bill = next((code for code in codes if len(code) in (3, 4)), bill)
                frequency = next((code for code in codes if len(code) == 1), frequency)
        facility = self._extension(object_of(self._resource.get("facility")), ["clm_fac_type_cd"])
        kind = self._extension(self._resource, ["clm_srvc_clsfctn_type_cd"])
        if not bill and facility and kind and frequency:
            bill = f"{facility}{kind}{frequency}"
        bill = bill[1:] if len(bill) == 4 and bill[0] == "0" else bill  # as an 837I says it
        if bill[:2] in x12_codes().inpatient_bills:
            self._add("supportingInfo", "is an inpatient type of bill", "edits of this kind govern outpatient bills")
        return bill

    def _diagnoses(self) -> tuple[list[str], dict[object, int]]:
        """Codes in claim order, the principal one first, and the place of each sequence number."""
        codes = self._codes["diagnoses"]
        pointed = {
            number
            for item in objects_of(self._resource.get("item"))
            for number in _numbers(item.get("diagnosisSequence"))
        }
        found: list[tuple[bool, int, object, str]] = []
        for i, item in enumerate(objects_of(self._resource.get("diagnosis"))):
            kinds = {code for kind in objects_of(item.get("type")) for _, code in codings_of(kind)}
            sequence = item.get("sequence")
            if kinds & set(codes["no_edit"]) and not (isinstance(sequence, int) and sequence in pointed):
                continue
            given = dict(reversed(list(codings_of(item.get("diagnosisCodeableConcept")))))
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
        return next((c for s, c in codings_of(item.get("productOrService")) if s in systems and c), "")

    def _is_total(self, item: Mapping[str, Any]) -> bool:
        """The line that sums up an institutional claim: its revenue code, and no procedure."""
        totals = self._codes["lines"]["totals"]
        return not self._procedure(item) and any(code in totals for _, code in codings_of(item.get("revenue")))

    def _line(
        self, where: str, item: Mapping[str, Any], places: Mapping[object, int], institutional: bool
    ) -> dict[str, Any]:
        systems = self._codes["procedures"]["systems"]
        code = self._procedure(item)
        revenue = next((c for _, c in codings_of(item.get("revenue")) if c), "")
        start, end = self._serviced(where, item)
        team = self._rendering(item)
        self.paid.append(self._was_paid(item))
        modifiers = [
            c for m in objects_of(item.get("modifier")) for s, c in codings_of(m) if c and (s in systems or not s)
        ]
        place = next((c for _, c in codings_of(item.get("locationCodeableConcept")) if len(c) == 2), "")
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
        period = object_of(item.get("servicedPeriod"))
        start = text_of(item.get("servicedDate")) or text_of(period.get("start"))
        end = text_of(period.get("end"))
        if not start:
            billable = object_of(self._resource.get("billablePeriod"))
            start, end = text_of(billable.get("start")), text_of(billable.get("end"))
        if not start:
            self._add(where, "has no service date", "give servicedDate or servicedPeriod")
            self.told.add(f"{where}.service_date")
        return start[:10], end[:10]

    def _units(self, where: str, item: Mapping[str, Any], institutional: bool) -> str:
        said = self._extension(item, self._codes["lines"]["unit_extensions"]) if institutional else ""
        value = said or object_of(item.get("quantity")).get("value")
        number = Decimal(1) if value is None else _decimal(value)  # an item without a quantity is one service
        if number is None:
            self._add(where, "has a quantity that is no number", "give quantity.value as a number")
            return "0"
        quantity = object_of(item.get("quantity"))
        words = {text_of(quantity.get("unit")).lower(), text_of(quantity.get("code")).lower()}
        if not said and not words.isdisjoint(self._codes["lines"]["minutes"]):
            if not x12_codes().is_anesthesia(self._procedure(item)):
                self._add(where, "counts minutes of a service that is no anesthesia", "send units")
            number = x12_codes().units_of_minutes(number)
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
        for member in objects_of(self._resource.get("careTeam")):
            sequence = member.get("sequence")
            if linked and not (isinstance(sequence, int) and sequence in linked):
                continue
            ranks = [roles.index(code) for _, code in codings_of(member.get("role")) if code in roles]
            if ranks:
                found.append((min(ranks), member))
        return min(found, key=lambda entry: entry[0])[1] if found else {}

    def _specialty(self, team: Mapping[str, Any]) -> str:
        given = list(codings_of(team.get("qualification")))
        ends = self._codes["providers"]["specialty_systems"]
        return next((code for system, code in given if _ends(system, ends)), given[0][1] if given else "")

    def _amounts(self, item: Mapping[str, Any], names: list[str]) -> list[tuple[int, Any]]:
        """Amounts of the adjudications that are called so, the most telling name first."""
        found = []
        for entry in objects_of(item.get("adjudication")):
            codes = [code for _, code in codings_of(entry.get("category"))]
            ranks = [i for i, name in enumerate(names) for code in codes if code.endswith(name)]
            value = object_of(entry.get("amount")).get("value")
            if ranks and value is not None:
                found.append((min(ranks), value))
        return sorted(found, key=lambda entry: entry[0])

    def _amount(self, where: str, item: Mapping[str, Any], kind: str) -> int | None:
        found = self._amounts(item, self._codes["lines"][kind])
        return self._cents(where, found[0][1]) if found else None

    def _charge(self, where: str, item: Mapping[str, Any]) -> int | None:
        charge = self._amount(where, item, "charge")
        net = object_of(item.get("net")).get("value")
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
