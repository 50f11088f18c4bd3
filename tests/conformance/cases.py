"""Known answers: reading the cases, building a release for each, comparing decisions (semantics.md §H)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from case_tables import TABLES, drafts_of_case
from modifier_rows import RULE_SET as MODIFIER_REQUIREMENTS
from modifier_rows import modifier_drafts

from claimedits.engine.engine import BUILT
from claimedits.model.terms import Family
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[2] / "rules"
OWN_CASES = Path(__file__).parent / "own_cases.jsonl"
Case = Mapping[str, Any]


def find_cases(option: str | None) -> Path:
    """The file named by ``--cases``, else the shared known answers beside the data folder, else the project's own."""
    if option:
        return Path(option)
    data = os.environ.get("CLAIMEDITS_DATA")
    shared = Path(data).parent / "spec" / "known_answers.jsonl" if data else None
    return shared if shared and shared.exists() else OWN_CASES


def read_cases(path: Path) -> list[Case]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def reason_to_skip(case: Case) -> str:
    """Why the engine cannot judge a case yet; empty where it can."""
    unbuilt = sorted({name for name in case["options"]["families"] if Family[name] not in BUILT})
    if unbuilt:
        return f"family {', '.join(unbuilt)} is not built yet"
    unknown = sorted(
        {row["rule_set"] for row in case.get("rules", ())} - {*TABLES, "duplicates", MODIFIER_REQUIREMENTS}
    )
    return f"rule set {', '.join(unknown)} is not built yet" if unknown else ""


def build_release(store: Store, case: Case, shared: Sequence[str] = ()) -> str:
    """Keep the tables that a case states, and nothing else but the conventions; the release's id."""
    drafts = [
        *drafts_of_case(case.get("rules", ())),
        *modifier_drafts(case.get("rules", ())),
        compile_table_rules(RULES / "ncci-conventions"),
    ]
    if any(row["rule_set"] == "duplicates" for row in case.get("rules", ())):
        drafts.append(compile_table_rules(RULES / "duplicates"))
    return store.create_release([*shared, *(store.add_revision(draft)[0].id for draft in drafts)]).id


def disagreements(case: Case, response: Mapping[str, Any]) -> list[str]:
    """What a response (JSON form) says otherwise than the case; empty where all agree."""
    lines = {line["line_number"]: line for line in response["lines"]}
    wrong = []
    for expected in case["expect"]:
        number, family = expected["line_number"], expected["family"]
        got = lines[number]["families"][family]
        findings = [f for f in response["findings"] if f["line_number"] == number and f["family"] == family]
        if got != expected["status"]:
            if not _is_acceptable(case, number, family, got):
                wrong.append(
                    f"line {number} {family}: expected {expected['status']}, got {got} {[f['code'] for f in findings]}"
                )
            continue
        worst = [f for f in findings if f["status"] == got]
        if "code" in expected and expected["code"] not in [f["code"] for f in worst]:
            wrong.append(f"line {number} {family}: expected {expected['code']}, got {[f['code'] for f in worst]}")
        related = expected.get("related_line_numbers")
        if related is not None and related not in [f["related_line_numbers"] for f in worst]:
            wrong.append(
                f"line {number} {family}: expected related {related}, got {[f['related_line_numbers'] for f in worst]}"
            )
    return wrong


def _is_acceptable(case: Case, number: int, family: str, status: str) -> bool:
    return any(
        other["line_number"] == number and other["family"] == family and other["status"] == status
        for other in case.get("also_acceptable", ())
    )
