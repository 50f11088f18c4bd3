"""837P and 837I files become claims, and whatever is wrong with one is told with its segment."""

from __future__ import annotations

import io
import os
import zipfile
from decimal import Decimal

import pytest
from x12_samples import (
    BILLING,
    CLAIM,
    FACILITY_CLAIM,
    SUBSCRIBER,
    changed,
    claims,
    file_of,
    institutional,
    interchange,
    notices,
    professional,
    read,
    rejections,
    transaction,
)

from claimedits.app.claim_sources.containers import open_claim_files
from claimedits.app.claim_sources.line_batches import fields_of
from claimedits.app.claim_sources.records import ReadClaim, Rejection
from claimedits.app.claim_sources.x12_reading import read_x12
from claimedits.app.claim_sources.x12_segments import read_segments
from claimedits.model.terms import Setting


def only_rejection(content: str, **options: str) -> Rejection:
    (rejection,) = rejections(read(content, **options))
    return rejection


def test_professional_claim() -> None:
    (record,) = claims(read(professional()))
    fields = fields_of(record.claim)
    digest = fields["patient"].pop("patient_id")
    assert len(digest) == 32
    assert fields == {
        "claim_id": "A-1", "program": "MEDICARE", "setting": "PRACTITIONER", "billing_provider_id": "1234567893",
        "state": "PA", "contractor_id": "", "patient": {"birth_date": "1950-02-03", "sex": "F"}, "type_of_bill": "",
        "clia_certificate": "", "payer_id": "12502", "prior_authorization_number": "", "diagnoses": ["E1142", "B351"],
        "history_lines": [],
        "lines": [{
            "line_number": 1, "procedure_code": "G0101", "modifiers": ["25"], "units": "2", "service_date": "2024-07-02",
            "service_date_end": "", "diagnosis_pointers": [1, 2], "rendering_provider_id": "", "rendering_specialty": "",
            "place_of_service": "11", "revenue_code": "", "charge_cents": 8050, "non_covered_charge_cents": None,
        }],
    }  # fmt: skip
    assert record.position.as_fields() == {
        "interchange": 1,
        "group": 1,
        "transaction": 1,
        "segment": 18,
        "byte": professional().index("CLM*"),
    }


def test_institutional_claim() -> None:
    (record,) = claims(read(institutional()))
    claim = record.claim
    assert claim.setting is Setting.OUTPATIENT_HOSPITAL
    assert claim.type_of_bill == "131"
    assert claim.condition_codes == ("A1", "20")
    assert claim.prior_authorization_number == "AUTH77"
    assert claim.diagnoses == ("E1142", "B351")
    first, second = claim.lines
    assert (first.revenue_code, first.procedure_code, first.charge_cents) == ("0300", "G0103", 10000)
    assert first.non_covered_charge_cents == 2525
    assert first.service_date == first.service_date_end
    assert (second.revenue_code, second.procedure_code, second.units) == ("0250", "", Decimal(3))
    assert second.service_date_end - second.service_date == 2, "a line without a date has the statement's days"


def test_nothing_names_a_person() -> None:
    (record,) = claims(read(professional()))
    text = repr(record)
    assert not [word for word in ("DOE", "JANE", "1EG4TE5MK73", "SIDE ST", "MAIN ST") if word in text]


def test_dependents_of_one_member_are_different_patients() -> None:
    def dependent(name: str, hl: int) -> list[str]:
        return [f"HL*{hl}*2*23*0", "PAT*19", f"NM1*QC*1*DOE*{name}", "DMG*D8*20100101*M"]

    second = changed(CLAIM, "A-1", "A-2")
    body = [
        *BILLING,
        *SUBSCRIBER,
        *CLAIM,
        *dependent("ANN", 3),
        *second,
        *dependent("BOB", 4),
        *changed(CLAIM, "A-1", "A-3"),
    ]
    found = claims(read(interchange([transaction(body)])))
    ids = [record.claim.patient.patient_id for record in found]
    assert len(set(ids)) == 3
    again = claims(read(interchange([transaction(body)])))
    assert [record.claim.patient.patient_id for record in again] == ids
    assert found[1].claim.patient.sex == "M"


def test_line_provider_overrides_that_of_the_claim() -> None:
    second = [
        "LX*2",
        "SV1*HC:G0102*10*UN*1***1",
        "DTP*472*D8*20240702",
        "NM1*82*1*OTHER*ANN****XX*1999999992",
        "PRV*PE*PXC*363A00000X",
    ]
    above = [CLAIM[0], CLAIM[1], "NM1*82*1*DOC*DAN****XX*1888888881", "PRV*PE*PXC*207R00000X", *CLAIM[2:], *second]
    (record,) = claims(read(professional(above)))
    assert [(line.rendering_provider_id, line.rendering_specialty) for line in record.claim.lines] == [
        ("1888888881", "207R00000X"),
        ("1999999992", "363A00000X"),
    ]


def test_other_payers_of_the_claim_do_not_count() -> None:
    other = ["SBR*S*01*******CI", "NM1*IL*1*ROE*RAY****MI*X1", "NM1*PR*2*OTHER*****PI*99", "REF*G1*THEIRS", "HI*BG:99"]
    (record,) = claims(read(professional([*CLAIM[:2], *other, *CLAIM[2:]])))
    assert record.claim.payer_id == "12502"
    assert record.claim.prior_authorization_number == ""


def test_condition_codes_of_a_professional_claim() -> None:
    """HI*BG may stand on an 837P too; where it does not, they are unknown."""
    (told,) = claims(read(professional(changed(CLAIM, "HI*ABK:E1142*ABF:B351", "HI*ABK:E1142*ABF:B351*BG:AA"))))
    assert told.claim.condition_codes == ("AA",)
    (silent,) = claims(read(professional()))
    assert silent.claim.condition_codes is None


def test_a_category_iii_code_among_anesthesia_numbers_is_no_anesthesia() -> None:
    segments = changed(CLAIM, "HC:G0101:25*80.50*UN*2", "HC:0100T*80.50*MJ*30")
    (refused,) = rejections(read(professional(segments)))
    assert refused.reason == "segment 21 SV103 counts minutes of a service that is no anesthesia"


def test_minutes_of_anesthesia_become_units_of_time() -> None:
    segments = changed(CLAIM, "HC:G0101:25*80.50*UN*2", "HC:00100:AA*80.50*MJ*50")
    (record,) = claims(read(professional(segments)))
    assert record.claim.lines[0].units == Decimal("3.3")


@pytest.mark.parametrize(
    ("taxonomy", "setting"),
    [
        ("207Q00000X", Setting.PRACTITIONER),
        ("261QA1903X", Setting.ASC),
        ("332B00000X", Setting.DME_SUPPLIER),
        ("335E00000X", Setting.DME_SUPPLIER),
    ],
)
def test_setting_follows_the_billing_taxonomy(taxonomy: str, setting: Setting) -> None:
    above = [*changed(BILLING, "207Q00000X", taxonomy), *SUBSCRIBER]
    (record,) = claims(read(professional(CLAIM, above)))
    assert record.claim.setting is setting


def test_program_of_other_payers_has_to_be_named() -> None:
    content = professional(CLAIM, [*BILLING, *changed(SUBSCRIBER, "*MB", "*CI")])
    assert only_rejection(content).reason == (
        "segment 18 CLM is neither Medicare's nor Medicaid's by its claim filing indicator (SBR09 is CI)"
    )
    (record,) = claims(read(content, program="MEDICAID"))
    assert record.claim.program.name == "MEDICAID"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("11:B:1", "11:B:8", "segment 18 CLM05 is a void of an earlier claim (frequency 8)"),
        ("CLM*A-1*", "CLM**", "segment 18 CLM01 has no claim number"),
        ("ABK:E1142", "ABK*E1142", "segment 19 HI01 has a qualifier or a code but not both; "
         "segment 19 HI02 has a qualifier or a code but not both; "
         "segment 21 SV1 (lines[0].diagnosis_pointers[1]) 2 points at no diagnosis"),
        ("ABK:E1142", "ABZ:E1142", "segment 19 HI01 has an unknown qualifier; "
         "segment 21 SV1 (lines[0].diagnosis_pointers[1]) 2 points at no diagnosis"),
        ("HC:G0101", "ER:G0101", "segment 21 SV101-1 is no HCPCS code (qualifier HC)"),
        ("HC:G0101", "HC:G01", "segment 21 SV1 (lines[0].procedure_code) is not a procedure code"),
        ("UN*2", "MJ*2", "segment 21 SV103 counts minutes of a service that is no anesthesia"),
        ("UN*2", "UN*two", "segment 21 SV104 is no quantity"),
        ("UN*2", "XX*2", "segment 21 SV103 is no unit of measure for services"),
        ("*80.50*UN", "*80.505*UN", "segment 21 SV102 is no amount of dollars and cents"),
        ("1:2", "1:X", "segment 21 SV107 is no diagnosis pointer"),
        ("D8*20240702", "D8*20240230", "segment 22 DTP03 is no day or pair of days"),
        ("D8*20240702", "RD8*20240702", "segment 22 DTP03 is no day or pair of days"),
        ("D8*20240702", "RD8*20240702-20240701", "segment 21 SV1 (lines[0].service_date_end) lies before service_date"),
        ("D8*20240702", "D8*19010101", "segment 21 SV1 (lines[0].service_date) is out of range"),
        ("DTP*472", "DTP*573", "segment 20 LX has no service date"),
        ("LX*1", "LX*0", "segment 20 LX01 is no line number"),
        ("SV1*", "SV2*", "segment 20 LX has no SV1 (found: SV2)"),
        ("SV1*", "SV9*", "segment 21 SV9 is no segment of a claim; segment 20 LX has no SV1 (found: none)"),
        ("LX*1", "NTE*ADD*X", "segment 21 SV1 stands before the first LX; segment 18 CLM has no service line"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_claim_is_told_with_its_segment(old: str, new: str, reason: str) -> None:
    rejection = only_rejection(professional(changed(CLAIM, old, new)))
    assert rejection.reason == reason
    assert rejection.mend
    assert rejection.position.segment == 18


def test_all_problems_of_a_claim_are_told_at_once() -> None:
    segments = changed(changed(CLAIM, "HC:G0101", "HC:G01"), "UN*2", "UN*two")
    assert only_rejection(professional(segments)).reason == (
        "segment 21 SV104 is no quantity; segment 21 SV1 (lines[0].procedure_code) is not a procedure code"
    )
    segments = changed(changed(CLAIM, "ABF:B351", "ABF"), "HC:G0101", "HC:G01")
    assert len(only_rejection(professional(segments)).problems) == 3


@pytest.mark.parametrize("bill", ["11", "011", "18", "21", "86"])
def test_inpatient_bills_are_refused(bill: str) -> None:
    rejection = only_rejection(institutional(changed(FACILITY_CLAIM, "13:A:1", f"{bill}:A:1")))
    assert rejection.reason == f"segment 18 CLM05 is an inpatient bill ({bill.lstrip('0')}x)"


@pytest.mark.parametrize(
    ("above", "reason"),
    [
        ([s for s in [*BILLING, *SUBSCRIBER] if not s.startswith("NM1*85")], "segment 17 CLM has no billing provider"),
        ([s for s in [*BILLING, *SUBSCRIBER] if not s.startswith("SBR")],
         "segment 17 CLM has no subscriber information; segment 17 CLM is neither Medicare's nor Medicaid's by its "
         "claim filing indicator (SBR09 is absent)"),
        ([*BILLING, *changed(SUBSCRIBER, "HL*2*1", "HL*2*9")],
         "segment 18 CLM stands under a subscriber level (HL 22) that is not below the billing provider before it"),
    ],
)  # fmt: skip
def test_a_claim_has_an_owner(above: list[str], reason: str) -> None:
    assert only_rejection(professional(CLAIM, above)).reason == reason


def test_counts_and_control_numbers_that_disagree_are_told_and_the_claim_is_read() -> None:
    content = professional().replace("SE*23*0001", "SE*99*0002").replace("GE*1*1", "GE*2*1").replace("IEA*1*", "IEA*x*")
    records = read(content)
    assert len(claims(records)) == 1
    assert [notice.problem.where + " " + notice.problem.what for notice in notices(records)] == [
        "SE01 says 99 segments where 23 stand",
        "SE02 is not the control number of the header",
        "GE01 says 2 transactions where 1 stand",
        "IEA01 says no number groups where 1 stand",
    ]


def test_several_interchanges_and_transactions() -> None:
    one, two = (
        transaction([*BILLING, *SUBSCRIBER, *CLAIM]),
        transaction([*BILLING, *SUBSCRIBER, *CLAIM], control="0002"),
    )
    content = interchange([one, two]) + interchange([one])
    found = [(r.position.interchange, r.position.transaction) for r in claims(read(content))]
    assert found == [(1, 1), (1, 2), (2, 1)]
    assert not notices(read(content))


@pytest.mark.parametrize("keep", ["SV1", "DTP*472", "LX"])
def test_a_file_that_is_cut_off_loses_its_last_claim_only(keep: str) -> None:
    body = [*BILLING, *SUBSCRIBER, *CLAIM, *changed(CLAIM, "A-1", "A-2")]
    content = interchange([transaction(body)])
    cut = content[: content.rindex(keep) + 10]
    records = read(cut)
    assert [record.claim.claim_id for record in claims(records)] == ["A-1"]
    (rejection,) = rejections(records)
    assert "the input ends or changes before the claim does; lines may be missing" in rejection.reason
    assert [n.problem.what for n in notices(records)][-3:] == [
        "the transaction has no SE",
        "the functional group has no GE",
        "the interchange has no IEA",
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "the file is empty"),
        ("   \n", "the file is empty"),
        ("hello, world", "is no X12 interchange"),
    ],
)
def test_a_file_that_is_no_x12(content: str, what: str) -> None:
    assert only_rejection(content).problems[0].what == what


def test_claims_outside_their_envelopes_are_refused_one_by_one() -> None:
    content = professional()
    without_header = content[content.index("GS*") :]
    assert (
        only_rejection(without_header).reason
        == "segment 18 CLM stands outside an interchange: no ISA names its delimiters"
    )
    after = content.replace("IEA*1*", "CLM*B*1~IEA*1*")
    assert [r.reason for r in rejections(read(after))] == ["segment 27 CLM stands outside a transaction"]


def test_other_transactions_and_versions() -> None:
    old = professional().replace("005010X222A1", "004010X098A1")
    assert only_rejection(old).reason == (
        "segment 18 CLM follows an implementation guide other than 005010X222 and 005010X223 (004010X098A1)"
    )
    other = read(professional([]).replace("ST*837", "ST*999"))
    assert [n.problem.what for n in notices(other)] == ["is no 837; its transaction holds no claims"]


def test_a_read_error_is_told_where_it_happens() -> None:
    class Failing(io.BufferedReader):
        def read1(self, size: int = -1, /) -> bytes:
            if self.tell() >= 400:
                raise OSError(5, "Input/output error")
            return super().read(200)

    file = file_of("")
    file.stream = Failing(io.BytesIO(professional().encode()))  # type: ignore[assignment]
    (rejection,) = [r for r in read_x12(file) if isinstance(r, Rejection)]
    assert rejection.reason == "the file cannot be read further: [Errno 5] Input/output error"


@pytest.fixture(scope="module")
def corpus() -> str:
    data = os.environ.get("CLAIMEDITS_DATA")
    if not data:
        pytest.skip("set CLAIMEDITS_DATA to the folder of real data")
    return f"{data}/claims/x12_837.zip"


def test_every_claim_of_the_public_corpus_is_accounted_for(corpus: str) -> None:
    with zipfile.ZipFile(corpus) as archive:
        segments = sum(
            segment.tag == "CLM"
            for name in archive.namelist()
            for segment in read_segments(io.BytesIO(archive.read(name)))
        )
    assert segments == 871
    records = [record for file in open_claim_files(corpus) for record in read_x12(file, "MEDICARE")]
    read_, refused = [r for r in records if isinstance(r, ReadClaim)], rejections(records)
    assert len(read_) + len(refused) == 871
    assert len(read_) == 8
    assert all(r.position.segment and r.reason and r.mend for r in refused)
