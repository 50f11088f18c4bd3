"""Turns of phrase that a plain reading would flatten: companions, exceptions, conditions, optional pairs, odd labels."""

from __future__ import annotations

import pytest
from made_up_documents import FOOT_CARE, read, scopes

from claimedits.rulesets.coverage.readings import DocumentReading, Role, Treatment

ALL = None


def parts(reading: DocumentReading) -> list[tuple[str, list[str] | None, list[str] | None]]:
    """(role, procedure codes, diagnoses) of every list; None = all."""
    return [
        (
            g.role.value,
            None if g.scope is None else sorted(g.scope),
            None if g.diagnoses is None else sorted(g.diagnoses),
        )
        for g in reading.groups
    ]


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("These codes support medical necessity for 11720 when performed with 11719:", ["11720"]),
        ("Covered diagnoses for 11720 and 11721 (except 11719)", ["11720", "11721"]),
        ("The list applies to all CPT codes except 11719.", ["11720", "11721"]),
        ("CPT codes other than 11719", ["11720", "11721"]),
        ("For CPT codes 11720 and 11721 (see Group 2 for 11719)", ["11720", "11721"]),
        ("Modifiers RT and LT must be reported as appropriate.", ALL),
        ("The claim must include the diagnosis code that supports the service.", ALL),
    ],
)
def test_codes_that_a_list_is_for(paragraph: str, expected: list[str] | None) -> None:
    assert scopes(read([(FOOT_CARE, "")], [("B35.1", paragraph)])) == [(1, "standalone", expected)]


def test_a_list_for_all_other_codes() -> None:
    reading = read([(FOOT_CARE, "")], [("B35.1", "For CPT code 11719"), ("L84", "All other procedures")])
    assert scopes(reading) == [(1, "standalone", ["11719"]), (2, "standalone", ["11720", "11721"])]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The following codes require a secondary diagnosis from Group 2.", ""),
        ("", "The following codes must be reported as secondary to a code in Group 1."),
        ("One of the following must be reported as primary:", "One of these must be reported as the secondary code:"),
        ("List 1: Primary diagnosis codes", "List 2: Secondary diagnosis codes"),
    ],
)
def test_which_list_is_the_primary_one(first: str, second: str) -> None:
    reading = read([(FOOT_CARE, "")], [("I10", first), ("Z68.30", second)])
    assert [(g.number, g.role, g.any_order) for g in reading.groups] == [
        (1, Role.PRIMARY_ELIGIBLE, False),
        (2, Role.REQUIRED_SECONDARY, False),
    ]


@pytest.mark.parametrize(
    "paragraph",
    [
        "A diagnosis from Group 1 AND a diagnosis from Group 2 must be present on the claim.",
        "Codes in Group 1 must be billed in addition to a code in Group 2.",
        "Group 1 diagnosis codes must be accompanied by a Group 2 diagnosis code.",
    ],
)
def test_a_pairing_that_names_no_order_has_none(paragraph: str) -> None:
    reading = read([(FOOT_CARE, "")], [("I10", paragraph), ("Z68.30", "")])
    assert [(g.number, g.pair, g.any_order) for g in reading.groups if g.role is Role.PRIMARY_ELIGIBLE] == [
        (1, 1, True)
    ]


@pytest.mark.parametrize(
    ("paragraph", "roles"),
    [
        ("Group 1 codes may be billed with or without Group 2 codes.", {Role.STANDALONE}),
        ("Report Group 1 codes in addition to Group 2 codes when applicable.", {Role.NARRATIVE}),
        ("Two diagnoses from these lists are required.", {Role.NARRATIVE, Role.STANDALONE}),
    ],
)
def test_pairs_that_are_optional_or_unclear_are_no_pairs(paragraph: str, roles: set[Role]) -> None:
    reading = read([(FOOT_CARE, "")], [("I10", paragraph), ("Z68.30", "")])
    assert {g.role for g in reading.groups} == roles


def test_each_clause_of_a_sentence_is_read() -> None:
    text = "Codes from Group 1 may be billed alone; codes from Group 2 require a code from Group 3."
    reading = read([(FOOT_CARE, "")], [("I10", text), ("Z68.30", ""), ("R60.0", "")])
    assert scopes(reading) == [(1, "standalone", ALL), (2, "primary_eligible", ALL), (3, "required_secondary", ALL)]


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("I10 is only covered for CPT code 11719.", [("standalone", ["11719"], ["I10"]), ("standalone", ALL, ["L84"])]),
        ("For 11719, only the following diagnoses are covered: L84", [("narrative", ALL, ALL)]),
        (
            "For CPT codes 11720. For 11719, the diagnosis I10 is required.",
            [("narrative", ["11719", "11720"], ["I10"]), ("standalone", ["11720"], ["L84"])],
        ),
    ],
)
def test_diagnoses_without_a_dot_are_seen(paragraph: str, expected: list[tuple[str, object, object]]) -> None:
    assert parts(read([(FOOT_CARE, "")], [("I10 L84", paragraph)])) == expected


@pytest.mark.parametrize(
    "paragraph",
    [
        "The following codes do not support medical necessity for 11719:",
        "Codes that will be denied for 11719",
        "The following ICD-10-CM codes will be denied for CPT 11719 as not medically necessary.",
    ],
)
def test_a_list_of_what_is_denied_denies_no_procedure(paragraph: str) -> None:
    reading = read([(FOOT_CARE, "")], non_covered=[("I10", paragraph)])
    assert scopes(reading) == [(1, "non_covered", ["11719"])]
    assert {code.treatment for code in reading.codes.values()} == {Treatment.LISTED}


def test_a_diagnosis_excluded_on_a_condition_only() -> None:
    reading = read([(FOOT_CARE, "")], non_covered=[("I10 L84", "I10 is not covered when it is the only diagnosis.")])
    assert parts(reading) == [("narrative", ALL, ["I10"]), ("non_covered", ALL, ["L84"])]


@pytest.mark.parametrize(
    ("paragraph", "treatment"),
    [
        ("Medicare does not cover these codes.", Treatment.DENIED),
        ("These codes are denied as not medically necessary.", Treatment.DENIED),
        ("These codes are denied as investigational.", Treatment.DENIED),
        ("These services are not covered as screening.", Treatment.DENIED_IF),
        ("These tests are not covered in the absence of symptoms.", Treatment.DENIED_IF),
        ("These codes are not covered in a nursing home.", Treatment.DENIED_IF),
        ("These codes are not covered under this LCD.", Treatment.DENIED_IF),
        ("CPT code 11719 is only covered when performed with 11720.", Treatment.DENIED_IF),
        ("CPT code 11719 is covered only for the indications listed in the LCD.", Treatment.LISTED),
    ],
)
def test_denials_of_codes_and_their_conditions(paragraph: str, treatment: Treatment) -> None:
    reading = read([(FOOT_CARE, paragraph)], [("B35.1", "")])
    assert reading.codes["11719"].treatment is treatment


def test_a_diagnosis_denied_over_the_procedure_codes_is_a_doubt() -> None:
    reading = read([(FOOT_CARE, "These codes are not covered when billed with diagnosis I10.")], [("I10 L84", "")])
    assert parts(reading) == [("narrative", ALL, ["I10"]), ("standalone", ALL, ["L84"])]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("*I10 may be used only for CPT code 11719.", ("standalone", ["11719"], ["I10"])),
        ("*Must not be billed alone.", ("needs_secondary", ALL, ["I10"])),
        ("*Codes must be accompanied by a secondary diagnosis.", ("needs_secondary", ALL, ["I10"])),
        ("*Covered in exceptional cases, with primary care records.", ("asterisk", ALL, ["I10"])),
    ],
)
def test_notes_of_asterisks(note: str, expected: tuple[str, object, object]) -> None:
    reading = read([(FOOT_CARE, "")], [("I10 L84", note)], starred="I10")
    assert expected in parts(reading)
    assert ("standalone", ALL, ["L84"]) in parts(reading)
