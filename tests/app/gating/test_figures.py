"""The figures of the gate are those that a reader of both answers counts, claim by claim."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "impact"))

from test_impact import NCCI, sent_claims, table_rows
from update import make_update

from claimedits.app.gating import GateOptions, run_gate
from claimedits.app.gating.policy import parse_policy
from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import read_claim
from claimedits.model.finding import Decision
from claimedits.rulesets.store import Store

POLICY = parse_policy(
    "gate.toml",
    b"""[claims]
newly_failing = 0
newly_passing = 0
no_longer_evaluated = 0
changed_reason = 0
refused = 0
[rows]
retroactive = 0
""",
)


def say(decision: Decision) -> dict[int, tuple[str, dict[str, str], set[Any]]]:
    """Outcome, status by family and reasons of each line, as words."""
    return {
        line.line_number: (
            line.outcome.name,
            {family.name: status.name for family, status in line.families},
            {
                (f.rule_id, f.family, f.status, f.code, f.related_line_numbers, f.adjustment, f.overridable)
                for f in decision.findings
                if f.line_number == line.line_number
            },
        )
        for line in decision.lines
    }


def what_happened(before: tuple[str, dict[str, str], set[Any]], after: tuple[str, dict[str, str], set[Any]]) -> str:
    """What a reader of the two answers to one line would say."""
    (old, old_families, old_reasons), (new, new_families, new_reasons) = before, after
    if new == "FAIL" and old != "FAIL":
        failing = [family for family, status in new_families.items() if status == "FAIL"]
        data_came = all(old_families[family] == "NOT_EVALUATED" for family in failing)
        return "data came" if data_came else "claims.newly_failing"
    if old == "FAIL" and new in ("PASS", "BYPASSED", "NOT_APPLICABLE"):
        return "claims.newly_passing"
    if new == "NOT_EVALUATED" and old != new:
        return "claims.no_longer_evaluated"
    if old == new and old_reasons != new_reasons:
        return "claims.changed_reason"
    return ""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=table_rows(), after=table_rows(), claims=st.lists(sent_claims(), min_size=1, max_size=12))
def test_figures_are_counted_claim_by_claim(
    before: list[Any], after: list[Any], claims: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("update")
    question = make_update(folder, before, after)
    (folder / "claims.ndjson").write_bytes(b"\n".join(map(orjson.dumps, [*claims, {"claim_id": "no claim"}])))
    options = GateOptions(
        question.store, question.old, question.new, folder / "claims.ndjson", as_of="2026-11-01", families=NCCI
    )
    report = run_gate(options, POLICY).report
    (step,) = (step for step in report.steps if step.name == "claims")
    found = {measure.name: int(measure.value.split(" ")[0]) for measure in step.measures if measure.limit}

    store = Store.open(question.store)
    old, new = Engine.open(store, question.old), Engine.open(store, question.new)
    counted: Counter[str] = Counter({"claims.refused": 1})
    for fields in claims:
        read = read_claim(fields)
        one, other = (say(engine.evaluate(read, "2026-11-01", NCCI)) for engine in (old, new))
        counted.update({what_happened(one[line], other[line]) for line in one})
    del counted[""], counted["data came"]
    assert {name: number for name, number in found.items() if number} == dict(counted)
    stopped = {measure.name for measure in step.measures if measure.verdict.name == "STOPPED"}
    assert stopped == set(counted)
