"""Made-up FHIR resources: invented people and providers, HCPCS Level II codes."""

from __future__ import annotations

import copy
from typing import Any

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}


def concept(code: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def amount(category: str, value: float) -> dict[str, Any]:
    return {"category": concept(category), "amount": {"value": value, "currency": "USD"}}


EOB: dict[str, Any] = {
    "resourceType": "ExplanationOfBenefit",
    "id": "eob-1",
    "identifier": [{"type": concept("uc"), "value": "CLM-1"}],
    "status": "active",
    "use": "claim",
    "type": concept("professional", "http://terminology.hl7.org/CodeSystem/claim-type"),
    "patient": {"reference": "Patient/p1"},
    "provider": {"reference": "#org"},
    "contained": [{"resourceType": "Organization", "id": "org", "identifier": [NPI], "name": "SAMPLE CLINIC"}],
    "insurer": {"identifier": {"value": "CMS"}},
    "careTeam": [
        {"sequence": 1, "provider": {"identifier": NPI | {"value": "1888888881"}}, "role": concept("rendering"),
         "qualification": {"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "207R00000X"},
                                      {"system": "x/prvdr_spclty", "code": "11"}]}},
        {"sequence": 2, "provider": {"identifier": NPI | {"value": "1777777771"}}, "role": concept("referring")},
    ],
    "diagnosis": [
        {"sequence": 1, "diagnosisCodeableConcept": concept("W19", ICD), "type": [concept("externalcauseofinjury")]},
        {"sequence": 2, "diagnosisCodeableConcept": concept("B35.1", ICD), "type": [concept("secondary")]},
        {"sequence": 3, "diagnosisCodeableConcept": concept("E11.42", ICD), "type": [concept("principal")]},
    ],
    "item": [
        {"sequence": 1, "careTeamSequence": [2, 1], "diagnosisSequence": [2], "productOrService": concept("G0101", HCPCS),
         "modifier": [concept("25", HCPCS), concept("25", "http://www.ama-assn.org/go/cpt")], "servicedDate": "2024-07-01",
         "locationCodeableConcept": concept("11"), "quantity": {"value": 2.5},
         "adjudication": [amount("submitted", 80.5), amount("benefit", 40.0)]},
        {"sequence": 2, "productOrService": concept("G0102", HCPCS), "servicedPeriod": {"start": "2024-07-01", "end": "2024-07-02"},
         "adjudication": [amount("benefit", 0), amount("noncovered", 10.25)]},
        {"sequence": 3, "productOrService": concept("not-applicable"), "revenue": concept("0001")},
    ],
}  # fmt: skip

OUTPATIENT: dict[str, Any] = {
    "resourceType": "Claim",
    "id": "c-2",
    "status": "active",
    "type": concept("institutional", "http://terminology.hl7.org/CodeSystem/claim-type"),
    "patient": {"identifier": {"value": "1EG4TE5MK73"}},
    "provider": {"identifier": {"value": "390001"}},
    "insurance": [{"coverage": {"display": "Medicaid"}}],
    "supportingInfo": [{"category": concept("typeofbill"), "code": concept("0131")}],
    "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": concept("E11.42", ICD)}],
    "billablePeriod": {"start": "2024-07-01", "end": "2024-07-03"},
    "item": [
        {"sequence": 1, "revenue": concept("0300"), "productOrService": concept("G0103", HCPCS), "diagnosisSequence": [1],
         "quantity": {"value": 77}, "extension": [{"url": "x/rev_cntr_unit_cnt", "valueQuantity": {"value": 3}}],
         "net": {"value": 12.5}},
    ],
}  # fmt: skip

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "female",
    "birthDate": "1950-02-03",
    "name": [{"family": "Doe", "given": ["Jane"]}],
    "address": [{"line": ["2 SIDE ST"]}],
}


def changed(resource: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A copy with fields replaced; None takes one out."""
    made = copy.deepcopy(resource) | fields
    return {name: value for name, value in made.items() if value is not None}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}
