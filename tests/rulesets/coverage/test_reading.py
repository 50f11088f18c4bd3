"""What group paragraphs say: turns of phrase of billing and coding articles, with made-up lists."""

from __future__ import annotations

import pytest
from made_up_documents import FOOT_CARE, read, scopes

from claimedits.rulesets.coverage.reading import read_document
from claimedits.rulesets.coverage.readings import ListKind, RawGroup, Role, Treatment


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("", None),
        ("N/A", None),
        ("<p>Diagnosis codes must be coded to the highest level of specificity.</p>", None),
        ("The following ICD-10-CM codes support medical necessity for CPT codes 11720 and 11721:", ["11720", "11721"]),
        ("<p>For Codes: 11720, 11721</p>", ["11720", "11721"]),
        ("11720&ndash;11721", ["11720", "11721"]),
        ("Medicare is establishing the following limited coverage for CPT/HCPCS code 11720:", ["11720"]),
        ("&amp;lt;p&amp;gt;CPT codes 11720&amp;sol;11721&amp;lt;/p&amp;gt;", ["11720", "11721"]),
        ("Covered diagnoses for CPT codes:<br/>11720,<br/>11721", ["11720", "11721"]),
        ("CPT code 11719 should be reported separately with 99213.", None),
    ],
)
def test_scope_of_a_list_is_what_its_paragraph_names(paragraph: str, expected: list[str] | None) -> None:
    assert scopes(read([(FOOT_CARE, "")], [("B35.1", paragraph)])) == [(1, "standalone", expected)]


def test_scope_by_group_of_procedure_codes() -> None:
    reading = read([("11719", ""), ("11720 11721", "")], [("B35.1", "These diagnoses support CPT codes in Group 2:")])
    assert scopes(reading) == [(1, "standalone", ["11720", "11721"])]


def test_scope_of_another_list_said_in_one_paragraph() -> None:
    text = "Group 1 diagnosis codes apply to CPT 11719. Group 2 diagnosis codes apply to CPT 11720."
    reading = read([(FOOT_CARE, "")], [("L84", text), ("B35.1", "")])
    assert scopes(reading) == [(1, "standalone", ["11719"]), (2, "standalone", ["11720"])]


def test_scope_by_equal_heading() -> None:
    procedures = [("11719", "TRIMMING OF NAILS"), ("11720", "Debridement of nails")]
    reading = read(procedures, [("L84", "Trimming of nails:"), ("B35.1", "DEBRIDEMENT OF NAILS")])
    assert scopes(reading) == [(1, "standalone", ["11719"]), (2, "standalone", ["11720"])]


@pytest.mark.parametrize(
    "paragraph",
    [
        "CPT code 11719 will not have diagnosis limitations applied at this time.",
        "*Note: Diagnosis criteria does not apply to 11719.",
        "CPT codes 11719 & 99999 are not restricted to the diagnosis codes in this policy.",
        "CPT code 11719 will have no diagnosis to procedure code restrictions.",
        "CPT code 11719 will have no diagnosis to procedure code re…",
        "CPT code 11719 is not subject to procedure to diagnosis editing.",
        "CPT code 11719 may be billed with any diagnosis.",
        "11719 does not require a specific diagnosis code.",
    ],
)
def test_codes_freed_of_lists(paragraph: str) -> None:
    over_codes = read([(FOOT_CARE, paragraph)], [("B35.1", "")])
    over_list = read([(FOOT_CARE, "")], [("B35.1", paragraph)])
    for reading in (over_codes, over_list):
        assert {code for code, r in reading.codes.items() if r.treatment is Treatment.FREE} == {"11719"}


@pytest.mark.parametrize(
    ("paragraph", "treatment"),
    [
        ("Noncovered", Treatment.DENIED),
        ("Not Covered:", Treatment.DENIED),
        ("The following CPT/HCPCS codes are non-covered*: * This is not an inclusive list of non-covered codes", Treatment.DENIED),
        ("These codes are considered not medically reasonable and necessary.", Treatment.DENIED),
        ("The following codes do not support medical necessity and will be denied.", Treatment.DENIED),
        ("These codes are not reasonable and necessary for made-up services.", Treatment.DENIED),
        ("These codes are not reasonable and necessary for wrinkles.", Treatment.DENIED_IF),
        ("Use of the following codes for these treatments is inappropriate and will be denied:", Treatment.DENIED_IF),
        ("The following codes are not covered unless a biopsy was done.", Treatment.DENIED_IF),
        ("CPT code 99999 is non-covered when used for anything.", Treatment.LISTED),
        ("Cosmetic surgery is not covered.", Treatment.LISTED),
        ("This is not an all-inclusive list of non-covered codes.", Treatment.LISTED),
        ("Claims with other diagnoses will be denied as not medically necessary.", Treatment.LISTED),
    ],
)  # fmt: skip
def test_codes_denied_by_their_group(paragraph: str, treatment: Treatment) -> None:
    reading = read([("11719", ""), ("11720 11721", paragraph)], [("B35.1", "For CPT code 11719:")])
    assert {code: r.treatment for code, r in reading.codes.items()} == {
        "11719": Treatment.LISTED,
        "11720": treatment,
        "11721": treatment,
    }


def test_a_code_named_in_a_denial_stands_for_itself() -> None:
    reading = read([(FOOT_CARE, "CPT code 11721 is not a covered service.")], [("B35.1", "")])
    assert reading.codes["11721"].treatment is Treatment.DENIED
    assert reading.codes["11720"].treatment is Treatment.LISTED


def test_denied_for_the_purpose_of_the_document_yields_to_a_list() -> None:
    reading = read([("64450", "CPT code 64450 is not covered for made-up services.")], [("G57.01", "")])
    assert reading.codes["64450"].treatment is Treatment.DENIED_IF


def test_denied_beside_other_codes_only() -> None:
    text = "The following HCPCS codes will be denied when billed with CPT codes 20552 and 20553 :"
    reading = read([("20552 20553", ""), ("J3301 J1100", text)], [("M79.18", "for CPT codes 20552 and 20553:")])
    assert reading.codes["J3301"].treatment is Treatment.DENIED
    assert reading.codes["J3301"].beside == {"20552", "20553"}
    assert reading.codes["20552"].treatment is Treatment.LISTED


def test_codes_for_some_claim_types() -> None:
    text = "For ASC facility and OPPS hospital outpatient department claims only:"
    reading = read([("27096", ""), ("G0260", text)], [("M46.1", "")])
    assert reading.codes["G0260"].settings == ("ASC", "OUTPATIENT_HOSPITAL")


def test_codes_that_may_be_covered_for_more() -> None:
    text = "CPT codes 11300-11301 may also be covered for lesions which are not addressed in this LCD"
    reading = read([("11300 11301 11400", text)], [("D22.5", "")])
    assert {code for code, r in reading.codes.items() if r.is_open} == {"11300", "11301"}


@pytest.mark.parametrize(
    "paragraphs",
    [
        ("Report a primary diagnosis code from Group 1 and a secondary diagnosis code from Group 2.", ""),
        ("Primary Diagnosis:", "Secondary Diagnosis:"),
        ("Refer to Group 2 for the secondary codes required.", ""),
        ("", "Codes of this group must be billed with a primary diagnosis from Group 1."),
        ("", "The ICD-10-CM codes in Group 2 must be billed with a primary code from Group 1."),
        ("A code from Group 1 and a code from Group 2 must be reported.", ""),
        ("Both a diagnosis from Group 1 and one from Group 2 are required.", ""),
        ("For these conditions a Primary ICD-10-CM code AND a Secondary ICD-10-CM code are required: Primary Diagnoses:", "Secondary Diagnoses:"),
        ("All codes of this group require a secondary diagnosis from Group 2.", "Group 2 codes"),
    ],
)  # fmt: skip
def test_pairs_of_lists(paragraphs: tuple[str, str]) -> None:
    reading = read([(FOOT_CARE, "")], [("B35.1", paragraphs[0]), ("M79.671", paragraphs[1])])
    assert scopes(reading) == [(1, "primary_eligible", None), (2, "required_secondary", None)]
    assert reading.groups[0].pair == reading.groups[1].pair


def test_one_of_two_secondary_lists() -> None:
    text = "Report a code from Group 1 and a code from Group 2 or Group 3."
    reading = read([(FOOT_CARE, "")], [("B35.1", text), ("M79.671", ""), ("R26.2", "")])
    assert [g.role for g in reading.groups] == [Role.PRIMARY_ELIGIBLE, Role.REQUIRED_SECONDARY, Role.REQUIRED_SECONDARY]


def test_pair_within_one_list() -> None:
    text = "Note: ICD-10-CM code B35.1 must appear on each claim in addition to one of the other ICD-10-CM codes below."
    reading = read([(FOOT_CARE, "")], [("B35.1 M79.671 R26.2", text)])
    assert [(g.role.value, sorted(g.diagnoses or ()), g.any_order) for g in reading.groups] == [
        ("primary_eligible", ["B351"], True),
        ("required_secondary", ["M79671", "R262"], True),
    ]


def test_pairing_for_some_codes_only() -> None:
    text = "For CPT codes 11720 and 11721, a diagnosis from Group 1 and a diagnosis from Group 2 are both required."
    reading = read([(FOOT_CARE, "")], [("B35.1", text), ("M79.671", "")])
    assert [sorted(g.scope or ()) for g in reading.groups] == [["11720", "11721"], ["11720", "11721"]]


def test_modifiers_that_lift_a_pairing() -> None:
    text = "Secondary diagnosis codes. A secondary diagnosis is not required when modifier Q7, Q8 or Q9 is present."
    reading = read([(FOOT_CARE, "")], [("B35.1", "Primary diagnosis codes:"), ("M79.671", text)])
    assert {g.waived_by_modifiers for g in reading.groups} == {("Q7", "Q8", "Q9")}
    assert not reading.pairing_unclear


def test_a_pairing_lifted_for_unnamed_codes_is_unclear() -> None:
    text = "Note: CPT codes related to removal do not require a dual diagnosis."
    reading = read([(FOOT_CARE, text)], [("B35.1", "Primary Diagnosis:"), ("M79.671", "Secondary Diagnosis:")])
    assert reading.pairing_unclear


def test_a_pairing_lifted_for_a_named_code() -> None:
    text = "CPT code 11719 does not require a secondary diagnosis."
    reading = read([(FOOT_CARE, text)], [("B35.1", "Primary Diagnosis:"), ("M79.671", "Secondary Diagnosis:")])
    assert reading.groups[0].exempt == {"11719"}


def test_diagnoses_that_need_another_one() -> None:
    text = "ICD-10 codes H40.51X1 and H40.51X2 require a secondary diagnosis."
    reading = read([("66984", "")], [("H25.9 H40.51X1 H40.51X2", text)])
    assert [(g.role.value, sorted(g.diagnoses or ())) for g in reading.groups] == [
        ("needs_secondary", ["H4051X1", "H4051X2"]),
        ("standalone", ["H259"]),
    ]


@pytest.mark.parametrize("over", ["codes", "list"])
def test_a_diagnosis_for_some_codes_only(over: str) -> None:
    text = "*NOTE: ICD-10 code D29.0 is only valid for CPT codes 11420 and 11421."
    codes, listed = (text, "") if over == "codes" else ("", text)
    reading = read([("11400 11420 11421", codes)], [("D22.5 D29.0", listed)])
    assert [(sorted(g.diagnoses or ()), None if g.scope is None else sorted(g.scope)) for g in reading.groups] == [
        (["D290"], ["11420", "11421"]),
        (["D225"], None),
    ]


def test_asterisks_are_doubtful_unless_their_note_is_read() -> None:
    plain = read([("92133 92134", "")], [("H40.1111 H35.31", "")], starred="H3531")
    assert [(g.role, sorted(g.diagnoses or ())) for g in plain.groups] == [
        (Role.ASTERISK, ["H3531"]),
        (Role.STANDALONE, ["H401111"]),
    ]
    noted = read(
        [("92133 92134", "")], [("H40.1111 H35.31", "*Codes with an asterisk are only for CPT 92134.")], starred="H3531"
    )
    assert scopes(noted) == [(1, "standalone", ["92134"]), (1, "standalone", None)]


@pytest.mark.parametrize(
    "paragraph",
    [
        "Dual diagnosis required.",
        "These diagnoses must be reported with a secondary diagnosis.",
        "Report with modifier KX; these ICD-10 codes require it.",
        "Report a code from Group 1, a code from Group 2 and a code from Group 3.",
    ],
)
def test_unread_text_makes_a_list_narrative(paragraph: str) -> None:
    reading = read([(FOOT_CARE, "")], [("B35.1", paragraph), ("M79.671", ""), ("R26.2", "")])
    assert reading.groups[0].role is Role.NARRATIVE
    assert "covered 1" in reading.unread


def test_lists_by_number_alone_are_doubtful_for_the_codes_of_other_groups() -> None:
    reading = read(
        [("66989", ""), ("0449T", "")], [("H40.1111", ""), ("H40.1114", "limited coverage for CPT code 0449T:")]
    )
    assert scopes(reading) == [(1, "standalone", ["66989"]), (2, "standalone", ["0449T"]), (1, "narrative", ["0449T"])]


def test_excluded_as_primary_only_is_narrative() -> None:
    reading = read([("80061", "")], [], [("Z00.00", "These ICD-10-CM codes are not covered as a primary diagnosis.")])
    assert reading.groups[0].role is Role.NARRATIVE


def test_stated_roles_are_not_read_again() -> None:
    group = RawGroup(
        ListKind.COVERED, 1, "Dual diagnosis required.", "0" * 64, (0, 1), frozenset({"B351"}), role="standalone"
    )
    reading = read_document("", [group], frozenset({"11720"}))
    assert scopes(reading) == [(1, "standalone", None)]


def test_a_cut_paragraph_leaves_the_codes_it_may_have_named_in_doubt() -> None:
    reading = read([(FOOT_CARE, "")], [("B35.1", "limited coverage for CPT codes 11720 and 117…")])
    assert scopes(reading) == [(1, "standalone", ["11720"]), (1, "narrative", ["11719", "11721"])]
