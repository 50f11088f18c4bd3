"""The reference agrees with every known answer of its families (semantics.md §H), so that it may judge the product."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from reference_tables import Date

import reference

DATA = os.environ.get("CLAIMEDITS_DATA", "")
CASES = Path(DATA).parent / "spec" / "known_answers.jsonl"


def known_answers() -> list[dict[str, Any]]:
    if not DATA or not CASES.exists():
        return []
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [case for case in cases if set(case["options"]["families"]) & set(reference.FAMILIES)]


@pytest.mark.skipif(not known_answers(), reason="CLAIMEDITS_DATA is not set, or no known answers lie beside it")
@pytest.mark.parametrize("case", known_answers(), ids=lambda case: case["id"])
def test_reference_agrees_with_known_answer(case: dict[str, Any]) -> None:
    families = tuple(family for family in reference.FAMILIES if family in case["options"]["families"])
    as_of = Date.fromisoformat(case["options"]["as_of"] or "2100-01-01")
    got = reference.evaluate(case["claim"], reference.revisions_of_known_answer(case["rules"]), as_of, families)
    for expected in case["expect"]:
        if expected["family"] not in families:
            continue
        answer = got[expected["line_number"], expected["family"]]
        assert answer.status == expected["status"], expected
        if expected.get("code"):
            assert expected["code"] in answer.codes, expected
        if "related_line_numbers" in expected and expected["status"] != "PASS":
            assert answer.related >= set(expected["related_line_numbers"]), expected
