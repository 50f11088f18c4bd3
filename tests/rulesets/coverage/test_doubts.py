"""Which documents an import asks people to read."""

from __future__ import annotations

import pytest

from claimedits.rulesets.coverage.assembly import CuratedRole
from claimedits.rulesets.coverage.doubts import report_doubts
from claimedits.rulesets.coverage.paragraphs import hash_paragraph
from claimedits.rulesets.coverage.readings import ListKind, Role
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table

PLACE = (0, 2)
KEY = ("A90001", "3")
DUAL = "Dual diagnosis required."
WANTED = (
    "text that was not understood ({}): hits there are REVIEW; state the roles of its groups in rules/coverage-roles"
)


def warnings(paragraph: str, *diagnoses: str, over_codes: str = "", roles: tuple[CuratedRole, ...] = ()) -> list[str]:
    """Warnings about A90001 version 3: one group of two codes, one covered list; a star after a diagnosis is its asterisk."""
    groups = [
        (*KEY, name, 1, "", "", "", text, hash_paragraph(text), "", *PLACE)
        for name, text in (("procedure", over_codes), ("covered", paragraph))
    ]
    members = [(*KEY, "covered", 1, code.strip("*"), code.endswith("*"), *PLACE) for code in diagnoses]
    tables = {
        "documents": [(*KEY, "ARTICLE", "Feet", None, None, None, False, False, "", "", *PLACE)],
        "procedure_codes": [(*KEY, 1, "11720", *PLACE), (*KEY, 1, "11721", *PLACE)],
        "groups": groups,
        "diagnoses": members,
    }
    built = {name: build_table(SCHEMAS[name], rows) for name, rows in tables.items()}  # type: ignore[arg-type]
    return [str(problem) for problem in report_doubts(built, {KEY: roles} if roles else None)]


def role(sha256: str, asterisks: bool = False) -> CuratedRole:
    return CuratedRole(
        ListKind.COVERED, 1, Role.STANDALONE, frozenset(), (), sha256, frozenset(), is_of_asterisks=asterisks
    )


def test_a_plain_list_raises_no_doubt() -> None:
    assert warnings("For codes 11720 and 11721:", "B351", "L600") == []


@pytest.mark.parametrize(
    ("paragraph", "diagnoses", "over_codes", "doubts"),
    [
        (DUAL, ["B351"], "", "covered 1"),
        ("", ["B351", "L600*"], "", "covered 1 (asterisks without a note in the export)"),
        ("*Must be under primary care.", ["B351", "L600*"], "", "covered 1 (asterisks)"),
        ("", ["B351"], "These services are not covered as screening.", "procedure codes"),
        (
            "B35.1 requires a secondary diagnosis.",
            ["B351", "L600"],
            "",
            "covered 1 (a second diagnosis that is not named)",
        ),
        (
            "",
            ["B351"],
            "Removals do not require a dual diagnosis.",
            "a second diagnosis lifted for codes or modifiers that are not named",
        ),
    ],
)
def test_what_was_not_understood(paragraph: str, diagnoses: list[str], over_codes: str, doubts: str) -> None:
    assert warnings(paragraph, *diagnoses, over_codes=over_codes) == [
        f"A90001 version 3: governs 2 procedure codes and has {WANTED.format(doubts)}"
    ]


def test_an_asterisk_whose_note_was_understood_raises_no_doubt() -> None:
    assert warnings("*May be used only for CPT code 11720.", "B351", "L600*") == []


def test_what_people_have_read_is_not_asked_again() -> None:
    assert warnings(DUAL, "B351", roles=(role(hash_paragraph(DUAL)),)) == []
    starred = role(hash_paragraph(""), asterisks=True)
    assert warnings("", "B351", "L600*", roles=(starred,)) == []


def test_a_role_for_another_paragraph_has_lapsed() -> None:
    assert warnings(DUAL, "B351", roles=(role("0" * 64),)) == [
        "A90001 version 3: the curated role of covered 1 is for another paragraph: hits there are REVIEW; "
        "read the paragraph again and state its digest"
    ]
