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
