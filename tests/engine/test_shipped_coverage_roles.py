"""The shipped roles beside the export that they were read from; skipped where the publisher's files are not at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from releases import RULES

from claimedits.engine.engine import Engine
from claimedits.rulesets.coverage.assembly import curated_roles
from claimedits.rulesets.coverage.doubts import find_doubts
from claimedits.rulesets.coverage.roles import compile_roles
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

DATA = os.environ.get("CLAIMEDITS_DATA")
EXPORT = "coverage/mcd_billing_articles_2026-09-28.zip"
pytestmark = pytest.mark.skipif(not DATA, reason="CLAIMEDITS_DATA is unset: no publisher's files at hand")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    drafts = [
        *import_files("coverage", [Path(DATA or "") / EXPORT], ImportOptions()),
        compile_roles(RULES / "coverage-roles"),
        compile_table_rules(RULES / "ncci-conventions"),
    ]
    store = Store.open(tmp_path_factory.mktemp("roles") / "store", create=True)
    return Engine.open(store, store.create_release([store.add_revision(draft)[0].id for draft in drafts]).id)


def test_no_shipped_role_has_lapsed(engine: Engine) -> None:
    assert engine.release.rule_sets["medicare-coverage"].index.lapsed == []


def test_what_is_stated_is_not_asked_for() -> None:
    (draft,) = import_files("coverage", [Path(DATA or "") / EXPORT], ImportOptions())
    roles = curated_roles(compile_roles(RULES / "coverage-roles").tables)
    assert {"A58350", "A58364", "A58075"}.isdisjoint(d.document_id for d in find_doubts(draft.tables, roles))


@pytest.mark.parametrize(
    ("document", "code", "diagnoses", "expected"),
    [
        ("A58350", "64635", ["M53.86"], "FAIL"),
        ("A58350", "64493", ["M53.86"], "REVIEW"),
        ("A58350", "64635", ["M47.816"], "PASS"),
        ("A58364", "64633", ["M53.82"], "FAIL"),
        ("A58075", "64582", ["G47.33"], "FAIL"),
        ("A58075", "64582", ["G47.33", "Z68.30"], "PASS"),
        ("A58075", "64583", ["G47.33"], "PASS"),
        ("A58075", "C8008", ["G47.33"], "REVIEW"),
    ],
)
def test_what_the_articles_say(engine: Engine, document: str, code: str, diagnoses: list[str], expected: str) -> None:
    index = engine.release.rule_sets["medicare-coverage"].index
    states = {
        state
        for family in index.families(code)
        for number in family
        if index.document(number).document_id == document
        for state in index.document(number).states
    }
    claim = {
        "claim_id": "c",
        "program": "MEDICARE",
        "setting": "PRACTITIONER",
        "state": min(states),
        "diagnoses": diagnoses,
        "lines": [
            {
                "line_number": 1,
                "procedure_code": code,
                "units": "1",
                "service_date": "2026-11-24",
                "diagnosis_pointers": [1],
            }
        ],
    }
    findings = engine.evaluate(claim, "", ["COVERAGE"], "ALL").findings
    rule = f"medicare-coverage/{document}"
    assert [finding.status.name for finding in findings if finding.rule_id == rule] == [expected]
