"""FHIR claims become claims of the contract; what is wrong is told by element."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from fhir_samples import EOB, NPI, OUTPATIENT, PATIENT, bundle, changed, concept
from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED
from x12_samples import claims, file_of, notices, rejections

from claimedits.app.claim_sources.fhir_reading import read_fhir
from claimedits.app.claim_sources.records import ReadClaim, Record, Rejection
from claimedits.model.dates import parse_day
from claimedits.model.terms import Program, Setting


def read(*resources: dict[str, Any], program: str = "", setting: str = "") -> list[Record]:
    return list(read_fhir(file_of(json.dumps(bundle(*resources)), "c.json"), program, setting))


def only_claim(resource: dict[str, Any], **options: str) -> ReadClaim:
    (record,) = read(resource, **options)
    assert isinstance(record, ReadClaim), record
    return record


def only_reason(resource: dict[str, Any], **options: str) -> str:
    (record,) = read(resource, **options)
    assert isinstance(record, Rejection)
    return record.reason


def test_explanation_of_benefit() -> None:
    patient, eob = read(PATIENT, EOB), EOB
    (record,) = claims(patient)
    claim = record.claim
    assert (claim.claim_id, claim.program, claim.setting) == ("CLM-1", Program.MEDICARE, Setting.PRACTITIONER)
    assert claim.billing_provider_id == "1234567893"
    assert claim.diagnoses == ("E1142", "B351")
    assert (claim.patient.birth_date, claim.patient.sex) == (parse_day("1950-02-03"), "F")
    first, second = claim.lines
    assert (first.procedure_code, first.modifiers, first.units) == ("G0101", ("25",), Decimal("2.5"))
    assert (first.diagnosis_pointers, first.place_of_service, first.charge_cents) == ((2,), "11", 8050)
    assert (first.rendering_provider_id, first.rendering_specialty) == ("1888888881", "11")
    assert second.service_date_end == second.service_date + 1
    assert (second.units, second.non_covered_charge_cents) == (Decimal(1), 1025)
    assert record.paid == (True, False), "the line that sums up has gone"
    assert record.position.entry == 2
    assert eob["item"][2]["revenue"]["coding"][0]["code"] == "0001"


def test_outpatient_claim() -> None:
    claim = only_claim(OUTPATIENT).claim
    assert (claim.claim_id, claim.program, claim.setting) == ("c-2", Program.MEDICAID, Setting.OUTPATIENT_HOSPITAL)
    assert (claim.type_of_bill, claim.billing_provider_id) == ("131", "390001")
    (line,) = claim.lines
    assert (line.revenue_code, line.units, line.charge_cents) == ("0300", Decimal(3), 1250)
    assert line.diagnosis_pointers == ()
    assert line.service_date_end - line.service_date == 2


NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
UUID = "11111111-2222-3333-4444-555555555555"
CLINIC = {"resourceType": "Organization", "id": UUID, "address": [{"state": "oh"}],
          "identifier": [{"value": "99-9"}, {"system": NPI_SYSTEM, "value": "1999999999"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "provider", "state"),
    [
        (f"urn:uuid:{UUID}", "1999999999", "OH"),
        (f"Organization/{UUID}", "1999999999", "OH"),
        (f"https://x.org/fhir/Organization/{UUID}/_history/3", "1999999999", "OH"),
        ("https://x.org/by-url", "1999999999", "OH"),
        (f"Organization?identifier={NPI_SYSTEM}|9999982692", "9999982692", ""),
        ("Organization/elsewhere", "elsewhere", ""),
        ("#org", "1234567893", ""),
    ],
)
def test_references_find_providers_before_the_claim(reference: str, provider: str, state: str) -> None:
    content = bundle(CLINIC, changed(EOB, provider={"reference": reference}))
    content["entry"][0]["fullUrl"] = "https://x.org/by-url"
    (record,) = claims(list(read_fhir(file_of(json.dumps(content)))))
    assert (record.claim.billing_provider_id, record.claim.state) == (provider, state)


def test_contained_provider_without_identifier_is_unknown() -> None:
    """Its local id means another provider in another claim: history may not be joined by it."""
    nameless = changed(EOB, contained=[{"resourceType": "Organization", "id": "org", "name": "SAMPLE CLINIC"}])
    assert only_claim(nameless).claim.billing_provider_id == ""
    numbered = [{"resourceType": "Organization", "id": "1234567893", "identifier": [NPI]}]
    called_so = changed(EOB, contained=numbered, provider={"reference": "#1234567893"})
    assert only_claim(called_so).claim.billing_provider_id == "1234567893"


def test_patient_is_found_by_the_url_of_its_entry() -> None:
    content = bundle(PATIENT, changed(EOB, patient={"reference": "urn:uuid:7"}))
    content["entry"][0]["fullUrl"] = "urn:uuid:7"
    (record,) = claims(list(read_fhir(file_of(json.dumps(content)))))
    assert (record.claim.patient.birth_date, record.claim.patient.sex) == (parse_day("1950-02-03"), "F")


def test_state_is_that_of_the_facility_before_that_of_the_billing_provider() -> None:
    place = {"resourceType": "Location", "id": "loc", "address": {"state": "PA"}}
    clinic = {**CLINIC, "id": "org"}
    both = changed(EOB, contained=[clinic, place], facility={"reference": "#loc"})
    assert only_claim(both).claim.state == "PA"
    assert only_claim(changed(both, facility=None)).claim.state == "OH"
    first = EOB["item"][0] | {"locationAddress": {"state": "NY"}}
    assert only_claim(changed(both, item=[first])).claim.state == "NY"


@pytest.mark.parametrize(
    "parts",
    [
        {"insurer": {"display": "Medicare"}},
        {"insurer": {"reference": "#who"}, "contained": [{"id": "who", "name": "Medicare"}]},
        {"insurance": [{"coverage": {"display": "Medicare"}}]},
        {
            "insurance": [{"coverage": {"reference": "#c"}}],
            "contained": [{"id": "c", "payor": [{"display": "medicare"}]}],
        },
        {"insurance": [{"coverage": {"reference": "#c"}}], "contained": [{"id": "c", "type": {"text": "Part B"}}]},
    ],
)
def test_who_pays_is_named_by_insurer_or_coverage(parts: dict[str, Any]) -> None:
    assert only_claim(changed(changed(EOB, insurer=None), **parts)).claim.program is Program.MEDICARE


def test_minutes_of_anesthesia_become_units_of_time() -> None:
    item = EOB["item"][0] | {"quantity": {"value": 50, "unit": "min"}}
    anesthesia = item | {"productOrService": concept("00100", "http://www.ama-assn.org/go/cpt"), "modifier": None}
    assert only_claim(changed(EOB, item=[anesthesia])).claim.lines[0].units == Decimal("3.3")
    assert only_reason(changed(EOB, item=[item])) == "item[0] counts minutes of a service that is no anesthesia"


def test_nothing_names_a_person() -> None:
    texts = [repr(only_claim(OUTPATIENT)), repr(claims(read(PATIENT, EOB)))]
    for word in ("1EG4TE5MK73", "Doe", "Jane", "SIDE ST", "Patient/p1", "p1'"):
        assert not [text for text in texts if word in text]


def test_same_patient_is_the_same_digest() -> None:
    one, two = claims(read(EOB, changed(EOB, identifier=[{"value": "CLM-2"}])))
    other = only_claim(changed(EOB, patient={"reference": "Patient/p2"}))
    assert one.claim.patient.patient_id == two.claim.patient.patient_id != other.claim.patient.patient_id
    absolute = only_claim(changed(EOB, patient={"reference": "https://x.org/fhir/Patient/p1"}))
    assert absolute.claim.patient.patient_id == one.claim.patient.patient_id


@pytest.mark.parametrize(
    ("code", "setting"),
    [("71", Setting.PRACTITIONER), ("82", Setting.DME_SUPPLIER), ("40", Setting.OUTPATIENT_HOSPITAL)],
)
def test_type_of_cms_tells_more_than_that_of_hl7(code: str, setting: Setting) -> None:
    kind = {"coding": [*EOB["type"]["coding"], {"system": "x/nch_clm_type_cd", "code": code}]}
    assert only_claim(changed(EOB, type=kind)).claim.setting is setting


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (changed(EOB, status="cancelled"), "status is not active"),
        (changed(EOB, use="preauthorization"), "use is no claim"),
        (changed(EOB, identifier=None, id=None), "identifier is missing"),
        (changed(EOB, insurer=None), "insurance names neither Medicare nor Medicaid"),
        (changed(EOB, type=concept("pharmacy", "x/claim-type")), "type is no professional, outpatient or supplier claim"),
        (changed(OUTPATIENT, subType=concept("inpatient")), "type is no professional, outpatient or supplier claim"),
        (changed(OUTPATIENT, supportingInfo=[{"category": concept("typeofbill"), "code": concept("0111")}]),
         "supportingInfo is an inpatient type of bill"),
        (changed(EOB, item=None), "lines is empty"),
        (changed(EOB, item=[EOB["item"][0] | {"diagnosisSequence": [9]}]), "item[0] points at no diagnosis"),
        (changed(EOB, item=[EOB["item"][0] | {"quantity": {"value": "many"}}]), "item[0] has a quantity that is no number"),
        (changed(EOB, item=[EOB["item"][0] | {"servicedDate": "2024-07"}]), "item[0].service_date is not a date"),
        (changed(EOB, item=[EOB["item"][0] | {"servicedDate": None}]),
         "item[0] has no service date"),
        (changed(EOB, item=[EOB["item"][0] | {"productOrService": concept("1", "http://snomed.info/sct")}]),
         "item[0].procedure_code is missing"),
        (changed(EOB, item=[EOB["item"][0], EOB["item"][0]]), "item[1].line_number 1 is also the number of lines[0]"),
        (changed(EOB, diagnosis=[{"sequence": 2}]), "diagnosis[0] has no ICD code; item[0] points at no diagnosis"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(resource: dict[str, Any], reason: str) -> None:
    assert only_reason(resource) == reason


def test_options_stand_in_for_what_a_resource_does_not_say() -> None:
    bare = changed(EOB, insurer=None)
    assert only_claim(bare, program="MEDICAID").claim.program is Program.MEDICAID
    assert only_claim(EOB, program="MEDICAID").claim.program is Program.MEDICARE
    assert only_claim(EOB, setting="ASC").claim.setting is Setting.ASC


def test_other_resources_pass_and_a_file_without_claims_is_told() -> None:
    records = read(PATIENT, {"resourceType": "Coverage", "id": "1"})
    assert [n.problem.what for n in notices(records)] == ["holds no Claim and no ExplanationOfBenefit"]
    assert only_reason({"id": "1"}) == "resourceType is missing"


def test_damaged_entry_costs_that_entry() -> None:
    content = json.dumps(bundle(EOB, OUTPATIENT)).replace('"CLM-1"', "CLM-1", 1)
    records = list(read_fhir(file_of(content)))
    assert [r.claim.claim_id for r in claims(records)] == ["c-2"]
    assert [(r.position.entry, r.reason) for r in rejections(records)] == [(1, "resource is no JSON object")]


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(allow_nan=False), st.text(max_size=3), st.just([]), st.just({}),
    st.just([None]), st.just([{}]), st.just({"coding": [1, {"code": 5}]}), st.just([["x"]]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@given(st.sampled_from([EOB, OUTPATIENT]), st.data())
@UNHURRIED
def test_any_value_anywhere_is_read_or_refused(resource: dict[str, Any], data: st.DataObject) -> None:
    made = copy.deepcopy(resource)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([p for p in places(made) if p and p != ("resourceType",)]))
        holder: Any = made
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = copy.deepcopy(data.draw(ODD))
    records = read(made)
    assert len(claims(records)) + len(rejections(records)) == 1
