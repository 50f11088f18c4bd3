"""From an article's paragraphs, and from what people read out of them, to the decision about a line (semantics.md §D.3)."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import RULES

from claimedits.engine.engine import Engine
from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.coverage.paragraphs import hash_paragraph
from claimedits.rulesets.coverage.roles import compile_roles
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

PLACE = (0, 2)
Lists = dict[tuple[str, int], tuple[str, list[str]]]
"""(list, group) → its paragraph, and its codes; a star after a diagnosis is its asterisk."""


def open_article(path: Path, lists: Lists, roles: str = "") -> Engine:
    """A90001 version 3 in Pennsylvania, in force since 2024, with curated roles where ``roles`` states some."""
    key = ("A90001", "3")
    rows: dict[str, list[tuple[object, ...]]] = {
        "documents": [(*key, "ARTICLE", "Feet", parse_day("2024-01-01"), None, None, False, False, "", "", *PLACE)],
        "jurisdictions": [(*key, "12502", "323", "PA", None, None, *PLACE)],
    }
    for (name, number), (paragraph, codes) in lists.items():
        group = (*key, name, number, "", "", "", paragraph, hash_paragraph(paragraph), "", *PLACE)
        rows.setdefault("groups", []).append(group)
        for code in codes:
            if name == "procedure":
                rows.setdefault("procedure_codes", []).append((*key, number, code, *PLACE))
            else:
                member = (*key, name, number, code.strip("*").replace(".", ""), code.endswith("*"), *PLACE)
                rows.setdefault("diagnoses", []).append(member)
    tables = {name: build_table(SCHEMAS[name], lines) for name, lines in rows.items()}
    day = parse_day("2024-01-01")
    source = Source("article.csv", "0" * 64, 2, 2, "utf-8")
    header = RevisionHeader("medicare-coverage", "coverage", "export", day, FOREVER, day, (source,))
    drafts = [RevisionDraft(header, tables, read=9, kept=9), compile_table_rules(RULES / "ncci-conventions")]
    if roles:
        curated = path / "roles"
        curated.mkdir()
        head = 'id = "medicare-coverage"\nkind = "coverage"\nlabel = "roles"\neffective_from = "1900-01-01"\n'
        (curated / "rule-set.toml").write_text(f'{head}published_on = "2024-01-01"\n', encoding="utf-8")
        document = '[[document]]\nid = "A90001"\nversion = "3"\nreviewer = "J. Doe"\nreviewed_on = "2024-01-01"\n'
        (curated / "a90001.toml").write_text(f'{document}citation = "A90001 v3"\n{roles}', encoding="utf-8")
        drafts.append(compile_roles(curated))
    store = Store.open(path / "store", create=True)
    return Engine.open(store, store.create_release([store.add_revision(draft)[0].id for draft in drafts]).id)


def decide(engine: Engine, code: str, *diagnoses: str) -> tuple[str, str]:
    """Status and code of the one finding; every diagnosis is pointed to."""
    line = {
        "line_number": 1,
        "procedure_code": code,
        "units": "1",
        "service_date": "2024-05-01",
        "diagnosis_pointers": list(range(1, len(diagnoses) + 1)),
    }
    claim = {
        "claim_id": "c",
        "program": "MEDICARE",
        "setting": "PRACTITIONER",
        "state": "PA",
        "diagnoses": list(diagnoses),
        "lines": [line],
    }
    (finding,) = engine.evaluate(claim, "", ["COVERAGE"], "ALL").findings
    return finding.status.name, finding.code


NERVE_BLOCKS: Lists = {
    ("procedure", 1): ("", ["64450"]),
    ("procedure", 2): ("Use of the following codes for these treatments is inappropriate.", ["76881"]),
    ("non_covered", 1): ("", ["E11.42"]),
}


@pytest.mark.parametrize(
    ("code", "diagnosis", "expected"),
    [
        ("64450", "E11.42", ("FAIL", "COV_NON_COVERED_DX")),
        ("64450", "G57.01", ("PASS", "")),
        ("76881", "E11.42", ("FAIL", "COV_NON_COVERED_DX")),  # denied, whether or not the treatment is the article's
        ("76881", "G57.01", ("REVIEW", "COV_NARRATIVE")),
    ],
)
def test_what_the_lists_deny_is_denied_whatever_the_condition(
    tmp_path: Path, code: str, diagnosis: str, expected: tuple[str, str]
) -> None:
    assert decide(open_article(tmp_path, NERVE_BLOCKS), code, diagnosis) == expected


FACETS = "For codes 64490 and 64633. To be used for cysts (not ablation): M53.82* and M53.83*."
STARS = (
    '[[document.group]]\nlist = "covered"\nnumber = 1\nasterisks = true\nrole = "narrative"\nprocedure_codes = ["64490"]\n'
    f'paragraph_sha256 = "{hash_paragraph(FACETS)}"\nwhy = "not for ablation"\n'
)


@pytest.mark.parametrize(
    ("roles", "code", "diagnosis", "expected"),
    [
        ("", "64633", "M53.82", ("REVIEW", "COV_NARRATIVE")),
        (STARS, "64633", "M53.82", ("FAIL", "COV_NOT_LISTED")),
        (STARS, "64490", "M53.82", ("REVIEW", "COV_NARRATIVE")),
        (STARS, "64633", "M47.812", ("PASS", "")),  # the others keep the reading of the engine
        (STARS, "64490", "I10", ("FAIL", "COV_NOT_LISTED")),
        (STARS.replace("asterisks = true", 'diagnoses = ["M53.83"]'), "64633", "M53.83", ("FAIL", "COV_NOT_LISTED")),
        (STARS.replace("asterisks = true", 'diagnoses = ["M53.83"]'), "64633", "M53.82", ("REVIEW", "COV_NARRATIVE")),
    ],
)
def test_a_role_may_be_for_a_part_of_a_group(
    tmp_path: Path, roles: str, code: str, diagnosis: str, expected: tuple[str, str]
) -> None:
    lists: Lists = {
        ("procedure", 1): ("", ["64490", "64633"]),
        ("covered", 1): (FACETS, ["M47.812", "M53.82*", "M53.83*"]),
    }
    assert decide(open_article(tmp_path, lists, roles), code, diagnosis) == expected


PRIMARY = "Report a primary diagnosis code from Group 1 and a secondary diagnosis code from Group 2."
STIMULATION: Lists = {
    ("procedure", 1): ("Codes for revision do not require a dual diagnosis.", ["64582", "64583", "C8007"]),
    ("covered", 1): (PRIMARY, ["G47.33"]),
    ("covered", 2): ("Secondary Diagnosis", ["Z68.30"]),
}


def statement(number: int, role: str, *codes: str) -> str:
    paragraph = STIMULATION["covered", number][0]
    listed = ", ".join(f'"{code}"' for code in codes)
    return (
        f'[[document.group]]\nlist = "covered"\nnumber = {number}\nrole = "{role}"\nprocedure_codes = [{listed}]\n'
        f'paragraph_sha256 = "{hash_paragraph(paragraph)}"\nwhy = "said so"\n'
    )


DUAL = (
    statement(1, "primary_eligible", "64582", "C8007")
    + statement(1, "standalone", "64583")
    + statement(1, "narrative", "C8007")
    + statement(2, "required_secondary", "64582", "C8007")
)


@pytest.mark.parametrize(
    ("roles", "code", "diagnoses", "expected"),
    [
        ("", "64582", ["G47.33"], ("REVIEW", "COV_NARRATIVE")),  # the text lifts it for codes that it does not name
        (DUAL, "64582", ["G47.33"], ("FAIL", "COV_SECONDARY_MISSING")),
        (DUAL, "64582", ["G47.33", "Z68.30"], ("PASS", "")),
        (DUAL, "64583", ["G47.33"], ("PASS", "")),
        (DUAL, "64583", ["Z68.30"], ("FAIL", "COV_NOT_LISTED")),
        (DUAL, "C8007", ["G47.33"], ("REVIEW", "COV_NARRATIVE")),
        (DUAL, "C8007", ["G47.33", "Z68.30"], ("PASS", "")),
        (DUAL, "C8007", ["Z68.30"], ("FAIL", "COV_SECONDARY_MISSING")),
    ],
)
def test_a_group_may_have_a_role_for_each_of_its_codes(
    tmp_path: Path, roles: str, code: str, diagnoses: list[str], expected: tuple[str, str]
) -> None:
    assert decide(open_article(tmp_path, STIMULATION, roles), code, *diagnoses) == expected


def test_a_role_of_a_group_that_the_version_lacks_lapses(tmp_path: Path) -> None:
    engine = open_article(tmp_path, STIMULATION, DUAL + statement(2, "standalone", "64583").replace("= 2", "= 3"))
    assert engine.release.rule_sets["medicare-coverage"].index.lapsed == ["A90001 version 3 covered 3"]
