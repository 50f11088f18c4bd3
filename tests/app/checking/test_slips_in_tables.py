"""One slip in the tables that the package ships: the row and the mend are named, and nothing besides."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from claimedits.app.checking import check_rules
from claimedits.app.shipped import find_rules

SLIPS = {
    "a word that the engine does not know, though the row allows it": (
        "ncci-conventions/switches.csv",
        ("ptp.same_side,advise,advise review", "ptp.same_side,strict,strict review"),
        "switches.csv:5:2: error CE100: row 5: ptp.same_side cannot be strict; use one of advise, review",
    ),
    "days in words": (
        "ncci-conventions/switches.csv",
        ("aoc.other_date,1,", "aoc.other_date,one,"),
        "switches.csv:19:2: error CE100: row 19: aoc.other_date cannot be one; write a number of days, such as 1",
    ),
    "a modifier of three digits": (
        "ncci-conventions/switches.csv",
        ("mue.exclude_modifiers,55,", "mue.exclude_modifiers,555,"),
        "switches.csv:14:2: error CE100: row 14: mue.exclude_modifiers cannot be 555; "
        "write modifiers of two letters or digits, separated by blanks",
    ),
    "a word of the key of duplicates": (
        "duplicates/switches.csv",
        ("place_of_service", "place_of_servise"),
        "switches.csv:2:2: error CE100: row 2: dup.key cannot be patient provider dates code modifiers place_of_servise; "
        "did you mean place_of_service?",
    ),
    "a code that lost a digit": (
        "ncci-conventions/aoc-notes.csv",
        (",96376,add_on", ",9637,add_on"),
        "aoc-notes.csv:2:2: error CE100: row 2: code is not understood; write a code of five letters or digits, or leave it empty",
    ),
    "an age with a digit too many": (
        "code-edits/age-sex.csv",
        ("source\n", "source\ndiagnosis,O00,O9A,F,12,555,,,2015-10-01,,Medicare Code Editor v42\n"),
        "age-sex.csv:2:6: warning CE110: row 2: nobody is 555 years old; correct the age, or leave it empty",
    ),
    "a head without its label": (
        "code-edits/rule-set.toml",
        ('label = "2026-11"', 'label = ""'),
        'rule-set.toml:1:1: error CE100: states no label; write label = "…"',
    ),
    "a column that is spelled wrong, said once": (
        "ncci-conventions/switches.csv",
        ("name,value,allowed", "name,value,alowed"),
        "switches.csv:1:1: error CE100: row 1: has the columns name, value, alowed, effective_from, effective_to, source; "
        "the columns are name, value, allowed, effective_from, effective_to, source",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named(slip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file, (old, new), said = SLIPS[slip]
    folder = file.partition("/")[0]
    shutil.copytree(find_rules() / folder, tmp_path / folder)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert check_rules(Path(folder)) == []
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert [str(finding) for finding in check_rules(Path(folder))] == [f"{folder}/{said}"]


LABORATORY = "lab-ncd/sample.csv"
ROLES = "coverage-roles/facet-joint-interventions.toml"
OTHER_SLIPS = {
    "a day that the other rows do not have": (
        LABORATORY,
        ("inclusion,2024-07-01,,covered,E78.5", "inclusion,2024-07-02,,covered,E78.5"),
        "sample.csv:5:4: error CE112: row 5: effective_from is 2024-07-02, and 2024-07-01 in the other rows of NCD 190.23 of 2024Q3; "
        "make them the same, or name the edition that the row belongs to",
    ),
    "a section with two digits changed about": (
        LABORATORY,
        (
            "190.15,2024Q3,exclusion,2024-07-01,,does_not_support,Z13.9",
            "190.51,2024Q3,exclusion,2024-07-01,,does_not_support,Z13.9",
        ),
        "sample.csv:3:1: error CE100: row 3: 190.51 is no laboratory policy; write 190.12 to 190.34, or all",
    ),
    "a diagnosis with a second dot": (
        LABORATORY,
        ("covered,E78.5", "covered,E78.5.1"),
        "sample.csv:5:7: error CE100: row 5: E78.5.1 is no diagnosis; write it like E78.5 or E785",
    ),
    "a row of another edition": (
        LABORATORY,
        ("190.23,2024Q3,inclusion,2024-07-01,,covered,E11.9", "190.23,2024Q2,inclusion,2024-07-01,,covered,E11.9"),
        "sample.csv:6:6: error CE112: row 6: NCD 190.23 of 2024Q2 governs no procedure code; "
        "add rows of list procedure, or correct the edition of the row",
    ),
    "a covered list of an exclusion policy": (
        LABORATORY,
        ("exclusion,2024-07-01,,does_not_support", "exclusion,2024-07-01,,covered"),
        "sample.csv:3:6: error CE112: row 3: NCD 190.15 of 2024Q3 is of exclusion type and lists Z13.9 as covered; "
        "remove the row: every diagnosis that is not listed supports the code",
    ),
    "a role that there is not": (
        ROLES,
        ('role = "narrative"', 'role = "narative"'),
        "facet-joint-interventions.toml:17:8: error CE100: [[group]] 1: role: is missing or malformed; "
        "use one of narrative, non_covered, none, not_supporting, primary_eligible, required_secondary, standalone",
    ),
    "a document without its letter": (
        ROLES,
        ('id = "A58350"', 'id = "58350"'),
        "facet-joint-interventions.toml:13:1: warning CE123: [[group]] 1: 58350 is no document; "
        "write its letter and number, such as A90001 or L33001",
    ),
    "a citation of another document": (
        ROLES,
        ('citation = "A58350', 'citation = "A58351'),
        "facet-joint-interventions.toml:13:1: warning CE116: [[group]] 1: the citation names A58351, the group stands under A58350; "
        "name the document whose paragraph was read",
    ),
    "a review of next year": (
        ROLES,
        ('reviewed_on = "2026-11-24"', 'reviewed_on = "2027-11-24"'),
        "facet-joint-interventions.toml:13:1: warning CE116: [[group]] 1: reviewed on 2027-11-24, after the rule set was published "
        "(2026-11-24); write the day on which the paragraph was read, or renew published_on in rule-set.toml",
    ),
}


@pytest.mark.parametrize("slip", OTHER_SLIPS)
def test_a_slip_in_laboratory_lists_and_roles_is_named(
    slip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Laboratory lists lie beside rule sets: a small one stands beside them."""
    monkeypatch.chdir(tmp_path)
    file, (old, new), said = OTHER_SLIPS[slip]
    for folder in ("lab-ncd", "coverage-roles"):
        shutil.copytree(find_rules() / folder, tmp_path / folder)
    assert check_rules(Path()) == []
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    found = [str(finding) for finding in check_rules(Path())]
    assert f"{file.partition('/')[0]}/{said}" in found
