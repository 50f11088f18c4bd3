"""NCD laboratory lists in the project's own CSV form."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimedits.model.dates import parse_day
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.revision import RevisionDraft

SAMPLE = Path(__file__).parents[4] / "rules" / "lab-ncd" / "sample.csv"
PUBLISHED = ImportOptions(published_on=parse_day("2024-06-14"))


def import_lines(path: Path, *changes: tuple[str, str]) -> RevisionDraft:
    text = SAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (path / "lists.csv").write_text(text, encoding="utf-8")
    (draft,) = import_files("coverage", [path / "lists.csv"], PUBLISHED)
    return draft


def test_the_sample_holds_two_policies(tmp_path: Path) -> None:
    draft = import_lines(tmp_path)
    assert draft.tables["documents"].column("document_id").to_pylist() == ["NCD-190.15", "NCD-190.23"]
    roles = {(row["document_id"], row["role"]) for row in draft.tables["groups"].to_pylist()}
    assert roles == {
        ("NCD-190.15", "not_supporting"),
        ("NCD-190.15", "non_covered"),
        ("NCD-190.23", "standalone"),
        ("NCD-190.23", "not_supporting"),
        ("NCD-190.23", "non_covered"),
    }
    assert (draft.read, draft.kept) == (7, 7)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("procedure,85025", "procedure,5025", "lists.csv:2:code: is no code of its list; quote it; keep its zeros"),
        ("does_not_support,Z13.9", "unsupported,Z13.9", "lists.csv:3:list: is unknown; use one of procedure, covered, does_not_support, non_covered"),
        ("190.15,2024Q3,exclusion,2024-07-01,,procedure", "190.15,2024Q3,exclusive,2024-07-01,,procedure", "lists.csv:2:policy: is unknown; write inclusion or exclusion"),
        ("190.15,2024Q3,exclusion,2024-07-01,,procedure", "90.15,2024Q3,exclusion,2024-07-01,,procedure", "lists.csv:2:ncd: is no laboratory policy; write 190.12 … 190.34, or all"),
        ("list,code,source\n190.15,2024Q3,exclusion,2024-07-01,,procedure,85025,made-up sample", "list,code,source\n190.15,2024Q3,exclusion,2024-07-01,,procedure,85025,", "lists.csv:2:source: is empty; name the transmittal or file the row comes from"),
        ("190.23,2024Q3,inclusion", "190.23,2024Q3,exclusion", "lists.csv:4: NCD 190.23 of 2024Q3 is exclusion type; an inclusion policy has a covered list, an exclusion policy none"),
        ("exclusion,2024-07-01", "exclusion,2024-07-32", "lists.csv:2:effective_from: is no date; write it like 2024-07-01"),
    ],
)  # fmt: skip
def test_malformed_lists_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        import_lines(tmp_path, (old, new))
    assert message in [str(problem) for problem in refused.value.problems]


def test_a_file_that_does_not_say_when_it_was_published_is_refused() -> None:
    with pytest.raises(ImportRefusedError) as refused:
        import_files("coverage", [SAMPLE], ImportOptions())
    assert [str(problem) for problem in refused.value.problems] == [
        "sample.csv: does not say when it was published; say it with --published-on, the day it was posted"
    ]
