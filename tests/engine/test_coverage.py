"""Family COVERAGE: the table of decisions, jurisdiction, versions, liability (semantics.md §D)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from releases import RULES, open_engine

from claimedits.engine.engine import Engine
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.finding import Decision, Finding
from claimedits.rulesets.coverage.paragraphs import hash_paragraph
from claimedits.rulesets.coverage.roles import compile_roles
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

PA: tuple[str, ...] = ("PA",)


def document(groups: Sequence[Mapping[str, Any]], **parts: Any) -> dict[str, Any]:
    row = {
        "family": "COVERAGE", "rule_set": "medicare-coverage", "document_id": "A90001", "states": list(PA),
        "procedure_codes": ["11720", "11721"], "effective_from": "2024-01-01", "effective_to": "", "groups": list(groups),
    }  # fmt: skip
    return {**row, **parts}


def group(number: int, role: str, *codes: str, **parts: Any) -> dict[str, Any]:
    return {"group": number, "role": role, "icd10_codes": list(codes), **parts}


PAIRED = (group(1, "primary_eligible", "B35.1"), group(2, "required_secondary", "M79.671"))
ALONE = (group(1, "standalone", "E11.42"),)


def decide(engine: Engine, diagnoses: Sequence[str], pointers: Sequence[int] = (1,), **parts: Any) -> Decision:
    line = {
        "line_number": 1, "procedure_code": parts.pop("code", "11720"), "units": "1", "modifiers": parts.pop("modifiers", []),
        "service_date": parts.pop("day", "2024-06-03"), "diagnosis_pointers": list(pointers),
    }  # fmt: skip
    claim = {
        "claim_id": "c", "program": "MEDICARE", "setting": "PRACTITIONER", "state": "PA", "diagnoses": list(diagnoses),
        "lines": [line], **{k: v for k, v in parts.items() if k not in ("as_of", "detail")},
    }  # fmt: skip
    return engine.evaluate(claim, parts.get("as_of", ""), ["COVERAGE"], parts.get("detail", "ALL"))


def only(decision: Decision) -> Finding:
    (finding,) = decision.findings
    return finding


def said(decision: Decision) -> tuple[str, str]:
    finding = only(decision)
    return finding.status.name, finding.code


@pytest.mark.parametrize(
    ("groups", "diagnoses", "pointers", "expected"),
    [
        (ALONE, ["E11.42"], [1], ("PASS", "")),
        (ALONE, ["I10", "E11.42"], [1, 2], ("PASS", "")),
        (ALONE, ["I10", "E11.42"], [1], ("FAIL", "COV_NOT_POINTED")),
        (ALONE, ["I10"], [1], ("FAIL", "COV_NOT_LISTED")),
        (ALONE, ["E11.4"], [1], ("FAIL", "COV_NOT_LISTED")),
        (ALONE, ["I10", "E11.42"], [], ("PASS", "")),
        (PAIRED, ["B35.1", "M79.671"], [1], ("PASS", "")),
        (PAIRED, ["B35.1"], [1], ("FAIL", "COV_SECONDARY_MISSING")),
        (PAIRED, ["M79.671"], [1], ("FAIL", "COV_SECONDARY_MISSING")),
        (PAIRED, ["M79.671", "B35.1"], [1], ("FAIL", "COV_SECONDARY_MISSING")),
        (PAIRED, ["I10"], [1], ("FAIL", "COV_NOT_LISTED")),
        ((*ALONE, group(2, "non_covered", "Z00.00")), ["Z00.00"], [1], ("FAIL", "COV_NON_COVERED_DX")),
        ((*ALONE, group(2, "non_covered", "Z00.00")), ["E11.42", "Z00.00"], [1, 2], ("PASS", "")),
        ((*ALONE, group(2, "non_covered", "Z00.00")), ["I10"], [1], ("FAIL", "COV_NOT_LISTED")),
        ((group(1, "non_covered", "Z00.00"),), ["I10"], [1], ("PASS", "")),
        ((group(1, "narrative", "E11.42"),), ["E11.42"], [1], ("REVIEW", "COV_NARRATIVE")),
        ((), ["I10"], [1], ("REVIEW", "COV_NARRATIVE")),
        ((group(1, "standalone", "E11.42", procedure_codes=["11721"]),), ["E11.42"], [1], ("REVIEW", "COV_NARRATIVE")),
        ((PAIRED[0],), ["B35.1"], [1], ("REVIEW", "COV_NARRATIVE")),
    ],
)
def test_table_of_decisions(
    tmp_path: Path,
    groups: Sequence[Mapping[str, Any]],
    diagnoses: list[str],
    pointers: list[int],
    expected: tuple[str, str],
) -> None:
    assert said(decide(open_engine(tmp_path, [document(groups)]), diagnoses, pointers)) == expected


@pytest.mark.parametrize(
    ("groups", "diagnoses", "expected"),
    [
        (PAIRED, ["B35.1"], ("PASS", "")),
        (PAIRED, ["I10"], ("PASS", "")),
        ((*PAIRED, group(3, "standalone", "E11.42")), ["E11.42"], ("PASS", "")),
        ((*PAIRED, group(3, "standalone", "E11.42")), ["B35.1"], ("FAIL", "COV_NOT_LISTED")),
    ],
)
def test_a_modifier_lifts_the_pairing(
    tmp_path: Path, groups: Sequence[Mapping[str, Any]], diagnoses: list[str], expected: tuple[str, str]
) -> None:
    engine = open_engine(tmp_path, [document(groups, waived_by_modifiers=["Q8"])])
    assert said(decide(engine, diagnoses, modifiers=["Q8"])) == expected


def test_all_documents_must_be_satisfied(tmp_path: Path) -> None:
    other = document([group(1, "standalone", "I10")], document_id="A90002")
    decision = decide(open_engine(tmp_path, [document(ALONE), other]), ["E11.42"])
    assert [(f.rule_id, f.status.name) for f in decision.findings] == [
        ("medicare-coverage/A90001", "PASS"),
        ("medicare-coverage/A90002", "FAIL"),
    ]
    assert decision.outcome.name == "FAIL"


def test_a_facility_claim_counts_every_diagnosis(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, [document(ALONE)])
    assert said(decide(engine, ["I10", "E11.42"], [1], setting="OUTPATIENT_HOSPITAL")) == ("PASS", "")


def test_a_line_without_pointers_says_so(tmp_path: Path) -> None:
    finding = only(decide(open_engine(tmp_path, [document(ALONE)]), ["E11.42"], []))
    assert finding.detail is not None
    assert [note.code for note in finding.detail.advisories] == ["COV_NO_POINTERS"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"state": "KY"}, ("NOT_APPLICABLE", "COV_NO_POLICY")),
        ({"state": ""}, ("NOT_EVALUATED", "COV_JURISDICTION_UNKNOWN")),
        ({"state": "XX"}, ("NOT_EVALUATED", "COV_JURISDICTION_UNKNOWN")),
        ({"state": "AE"}, ("NOT_EVALUATED", "COV_JURISDICTION_UNKNOWN")),
        ({"state": "PW"}, ("NOT_APPLICABLE", "COV_NO_POLICY")),
        ({"state": "", "code": "99213"}, ("NOT_APPLICABLE", "COV_NO_POLICY")),
        ({"day": "2023-12-31"}, ("NOT_APPLICABLE", "COV_NO_POLICY")),
        ({"code": "11719"}, ("NOT_APPLICABLE", "COV_NO_POLICY")),
        ({"state": "", "contractor_id": "99999"}, ("NOT_EVALUATED", "COV_JURISDICTION_UNKNOWN")),
        ({"contractor_id": "99999"}, ("PASS", "")),
    ],
)
def test_who_is_governed(tmp_path: Path, parts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert said(decide(open_engine(tmp_path, [document(ALONE)]), ["E11.42"], **parts)) == expected


@pytest.mark.parametrize(
    ("states", "state", "diagnosis", "expected"),
    [
        (["NF", "SF"], "CA", "I10", ("FAIL", "COV_NOT_LISTED")),
        (["NF"], "CA", "I10", ("NOT_EVALUATED", "COV_JURISDICTION_UNKNOWN")),
        (["NF"], "CA", "E11.42", ("PASS", "")),
        (["NF"], "NF", "I10", ("FAIL", "COV_NOT_LISTED")),
        (["NF"], "SF", "I10", ("NOT_APPLICABLE", "COV_NO_POLICY")),
        (["NY"], "QN", "I10", ("FAIL", "COV_NOT_LISTED")),
        (["CNMI"], "MP", "I10", ("FAIL", "COV_NOT_LISTED")),
    ],
)
def test_part_states(tmp_path: Path, states: list[str], state: str, diagnosis: str, expected: tuple[str, str]) -> None:
    engine = open_engine(tmp_path, [document(ALONE, states=states)])
    assert said(decide(engine, [diagnosis], state=state)) == expected


def test_medicaid_is_not_governed(tmp_path: Path) -> None:
    decision = decide(open_engine(tmp_path, [document(ALONE)]), ["I10"], program="MEDICAID", modifiers=["GY"])
    assert (decision.outcome.name, decision.findings) == ("NOT_APPLICABLE", ())


def test_without_the_rule_set_nothing_is_evaluated(tmp_path: Path) -> None:
    assert said(decide(open_engine(tmp_path, []), ["I10"])) == ("NOT_EVALUATED", "RULE_SET_NOT_LOADED")


VERSIONS = (
    document(ALONE, version=4, effective_to="2024-06-30"),
    document([group(1, "standalone", "I10")], version=5, effective_from="2024-07-01"),
)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2023-12-31", ("NOT_EVALUATED", "RULE_SET_NOT_LOADED")),
        ("2024-06-30", ("PASS", "")),
        ("2024-07-01", ("FAIL", "COV_NOT_LISTED")),
    ],
)
def test_the_version_of_the_line_s_day(tmp_path: Path, day: str, expected: tuple[str, str]) -> None:
    assert said(decide(open_engine(tmp_path, VERSIONS), ["E11.42"], day=day)) == expected


def test_a_later_version_ends_the_earlier_one(tmp_path: Path) -> None:
    open_ended = (document(ALONE, version=4), VERSIONS[1])
    assert said(decide(open_engine(tmp_path, open_ended), ["E11.42"], day="2024-07-01")) == ("FAIL", "COV_NOT_LISTED")


def test_a_code_that_left_with_a_version_is_not_governed(tmp_path: Path) -> None:
    rows = (
        document(ALONE, version=4),
        document(ALONE, version=5, effective_from="2024-07-01", procedure_codes=["11721"]),
    )
    engine = open_engine(tmp_path, rows)
    assert said(decide(engine, ["E11.42"], day="2024-06-30")) == ("PASS", "")
    assert said(decide(engine, ["E11.42"], day="2024-07-01")) == ("NOT_APPLICABLE", "COV_NO_POLICY")


def test_only_what_was_known_counts(tmp_path: Path) -> None:
    first = {"label": "a", "effective_from": "1900-01-01", "effective_to": "", "published_on": "2024-01-01"}
    later = {**first, "label": "b", "published_on": "2024-08-01"}
    rows = [
        document(ALONE, version=4, revision=first),
        document([group(1, "standalone", "I10")], version=4, revision=later),
    ]
    engine = open_engine(tmp_path, rows)
    assert said(decide(engine, ["E11.42"], as_of="2024-07-31")) == ("PASS", "")
    assert said(decide(engine, ["E11.42"], as_of="2024-08-01")) == ("FAIL", "COV_NOT_LISTED")
    assert said(decide(engine, ["E11.42"], as_of="2023-12-31")) == ("NOT_EVALUATED", "RULE_SET_NOT_LOADED")


@pytest.mark.parametrize(
    ("modifiers", "parts", "expected"),
    [
        (["GZ"], {}, {"COV_GZ": ("FAIL", "CO")}),
        (["GZ"], {"day": "2011-06-30"}, {}),
        (["GY"], {"state": ""}, {"COV_GY": ("FAIL", "PR")}),
        (["GA"], {}, {}),
        (["GA"], {"setting": "OUTPATIENT_HOSPITAL"}, {"COV_GA_INSTITUTIONAL": ("FAIL", "PR")}),
        (["GA"], {"setting": "OUTPATIENT_HOSPITAL", "day": "2010-03-31"}, {}),
        (["KX"], {}, {}),
    ],
)
def test_liability_modifiers_of_a_covered_line(
    tmp_path: Path, modifiers: list[str], parts: dict[str, Any], expected: dict[str, tuple[str, str]]
) -> None:
    engine = open_engine(tmp_path, [document(ALONE, effective_from="2000-01-01")])
    decision = decide(engine, ["E11.42"], modifiers=modifiers, **parts)
    failed = {f.code: (f.status.name, f.adjustment.group) for f in decision.findings if f.adjustment is not None}
    assert failed == expected


@pytest.mark.parametrize(
    ("modifiers", "group_code", "liable"), [([], "CO", False), (["GA"], "PR", True), (["KX"], "CO", False)]
)
def test_who_pays_for_a_denial(tmp_path: Path, modifiers: list[str], group_code: str, liable: bool) -> None:
    finding = only(decide(open_engine(tmp_path, [document(ALONE)]), ["I10"], modifiers=modifiers))
    assert finding.adjustment is not None and finding.detail is not None
    assert (finding.adjustment.group, finding.adjustment.carc, finding.adjustment.rarc) == (group_code, "50", ("N115",))
    assert (finding.detail.beneficiary_liable, finding.detail.abn_can_shift_liability) == (liable, True)


def test_a_national_determination_has_its_own_remark(tmp_path: Path) -> None:
    rows = [document(ALONE, document_id="NCD-190.23", states=[], national=True)]
    finding = only(decide(open_engine(tmp_path, rows), ["I10"], state=""))
    assert finding.adjustment is not None and finding.adjustment.rarc == ("N386",)


def test_a_finding_cites_the_listed_row(tmp_path: Path) -> None:
    finding = only(decide(open_engine(tmp_path, [document(ALONE, version=7)]), ["E11.42"]))
    assert finding.message == "A90001 version 7, 11720: a listed diagnosis supports the code"
    assert finding.citation is not None and finding.detail is not None and finding.detail.coverage is not None
    assert (finding.citation.source_file, finding.citation.source_row, finding.citation.effective_from) == (
        "case.jsonl",
        1,
        "2024-01-01",
    )
    assert finding.detail.coverage.group_hit == "covered 1"
    assert finding.detail.coverage.diagnoses_considered == ("E1142",)


PARAGRAPH = "<p>Dual diagnosis required.</p>"


def _engine_with_roles(path: Path, sha256: str) -> Engine:
    """A90001 version 3 with a paragraph that the grammar does not read, and a curated role for it since 2025."""
    place = (0, 2)
    rows = {
        "documents": [
            ("A90001", "3", "ARTICLE", "Feet", parse_day("2024-01-01"), None, None, False, False, "", "", *place)
        ],
        "procedure_codes": [("A90001", "3", 1, "11720", *place)],
        "groups": [("A90001", "3", "covered", 1, "", "", "", PARAGRAPH, hash_paragraph(PARAGRAPH), "", *place)],
        "diagnoses": [("A90001", "3", "covered", 1, "E1142", False, *place)],
        "jurisdictions": [("A90001", "3", "12502", "323", "PA", None, None, *place)],
    }
    tables = {name: build_table(SCHEMAS[name], lines) for name, lines in rows.items()}
    source = Source("article.csv", "0" * 64, 2, 2, "utf-8")
    header = RevisionHeader(
        "medicare-coverage", "coverage", "export", parse_day("1900-01-01"), FOREVER, parse_day("2024-01-01"), (source,)
    )
    curated = path / "roles"
    curated.mkdir()
    (curated / "rule-set.toml").write_text(
        'id = "medicare-coverage"\nkind = "coverage"\nlabel = "roles"\neffective_from = "1900-01-01"\npublished_on = "2025-01-01"\n'
    )
    (curated / "a90001.toml").write_text(
        '[[document]]\nid = "A90001"\nversion = "3"\nreviewer = "J. Doe"\nreviewed_on = "2025-01-01"\ncitation = "A90001 v3"\n'
        f'[[document.group]]\nlist = "covered"\nnumber = 1\nrole = "standalone"\nparagraph_sha256 = "{sha256}"\nwhy = "said so"\n'
    )
    store = Store.open(path / "store", create=True)
    drafts = [
        RevisionDraft(header, tables, read=5, kept=5),
        compile_roles(curated),
        compile_table_rules(RULES / "ncci-conventions"),
    ]
    release = store.create_release([store.add_revision(draft)[0].id for draft in drafts])
    return Engine.open(store, release.id)


def test_a_curated_role_decides_once_it_is_known(tmp_path: Path) -> None:
    engine = _engine_with_roles(tmp_path, hash_paragraph(PARAGRAPH))
    assert said(decide(engine, ["E11.42"])) == ("PASS", "")
    before = only(decide(engine, ["E11.42"], as_of="2024-12-31"))
    assert (before.status.name, before.code) == ("REVIEW", "COV_NARRATIVE")
    assert before.detail is not None and before.detail.coverage is not None
    assert before.detail.coverage.paragraph == "Dual diagnosis required."
    assert before.detail.coverage.paragraph_sha256 == hash_paragraph(PARAGRAPH)


def test_a_curated_role_of_another_paragraph_lapses(tmp_path: Path) -> None:
    engine = _engine_with_roles(tmp_path, "0" * 64)
    assert said(decide(engine, ["E11.42"])) == ("REVIEW", "COV_NARRATIVE")
    index = engine.release.rule_sets["medicare-coverage"].index
    assert index.lapsed == ["A90001 version 3 covered 1"]


def test_a_contractor_s_number_and_id_name_its_jurisdiction(tmp_path: Path) -> None:
    engine = _engine_with_roles(tmp_path, hash_paragraph(PARAGRAPH))
    for contractor in ("12502", "323"):
        assert said(decide(engine, ["E11.42"], state="", contractor_id=contractor)) == ("PASS", "")


def test_findings_name_no_diagnosis_in_their_text(tmp_path: Path) -> None:
    finding = only(decide(open_engine(tmp_path, [document(ALONE)]), ["I10"]))
    assert finding.message == "A90001, 11720: no diagnosis of the line is listed"


def test_lists_that_hold_a_diagnosis(tmp_path: Path) -> None:
    rows = [document(ALONE), document([*PAIRED, group(3, "non_covered", "E11.42")], document_id="A90002")]
    index = open_engine(tmp_path, rows).release.rule_sets["medicare-coverage"].index
    found = {(document.document_id, group.label, group.role.value) for document, group in index.listing("E1142")}
    assert found == {("A90001", "covered 1", "standalone"), ("A90002", "non_covered 3", "non_covered")}
    assert index.listing("I10") == []
