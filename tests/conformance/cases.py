"""Known answers: which file of cases the suite runs, a release in a store for each, decisions compared (semantics.md §H)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from claimedits.app.testing.case_releases import drafts_of_case
from claimedits.app.testing.cases import Case, read_cases
from claimedits.app.testing.rule_sets import RuleSets
from claimedits.engine.expectations import Expected
from claimedits.rulesets.store import Store

SETS = RuleSets(Path(__file__).parents[2] / "rules")
OWN_CASES = Path(__file__).parent / "own_cases.jsonl"


def find_cases(option: str | None) -> Path:
    """The file named by ``--cases``, else the shared known answers beside the data folder, else the project's own."""
    if option:
        return Path(option)
    data = os.environ.get("CLAIMEDITS_DATA")
    shared = Path(data).parent / "spec" / "known_answers.jsonl" if data else None
    return shared if shared and shared.exists() else OWN_CASES


def good_cases(path: Path) -> list[Case]:
    """The cases of a file; a line that is none stops the suite."""
    cases = []
    for case in read_cases(path):
        assert isinstance(case, Case), case.problems
        cases.append(case)
    return cases


def build_release(store: Store, case: Case, shared: Sequence[str] = ()) -> str:
    """Keep the tables that a case states, and nothing else but the conventions; the release's id."""
    kept = (store.add_revision(draft)[0].id for draft in drafts_of_case(case, SETS))
    return store.create_release([*shared, *kept]).id


def disagreements(case: Case, response: Mapping[str, Any]) -> list[str]:
    """What a response (JSON form) says otherwise than the case; empty where all agree."""
    wrong = []
    for expected in case.expect:
        number, family = expected.line_number, expected.family.name
        got = next(line for line in response["lines"] if line["line_number"] == number)["families"][family]
        findings = [f for f in response["findings"] if (f["line_number"], f["family"]) == (number, family)]
        if not _agrees(expected, got, [f for f in findings if f["status"] == got]):
            wrong.append(f"line {number} {family}: expected {expected}, got {got} {findings}")
    return wrong


def _agrees(expected: Expected, got: str, worst: list[Mapping[str, Any]]) -> bool:
    if got != expected.status.name:
        return got in [status.name for status in expected.acceptable]
    return not expected.fields or any(all(f[k] == v for k, v in expected.fields.items()) for f in worst)
