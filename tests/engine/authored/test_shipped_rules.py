"""The rules that the project ships: their own tests under both evaluators, their remedies, their places in the trigger index."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from random_rules import random_claim, random_content, release_of

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.conditions import FALSE, compile_condition
from claimedits.engine.authored.facts import READERS, Facts
from claimedits.engine.authored.program import Program
from claimedits.engine.authored.rule_tests import claim_of, evaluate_test, run_rule_tests, untested_rules
from claimedits.engine.evaluation import Evaluation
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"
SHIPPED = ("medicare-modifier-requirements", "example-payer-policy")


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("evaluator", ["plain", "durable"])
def test_tests_beside_the_rules(name: str, evaluator: str) -> None:
    if evaluator == "durable":
        pytest.importorskip("durable_rules_engine", reason="durable_rules does not import on this Python")
    results = run_rule_tests(RULES / name, evaluator)
    assert results
    assert [(r.where, r.why, r.differences) for r in results if r.differences] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_rule_has_a_test_in_which_it_fires(name: str) -> None:
    assert untested_rules(RULES / name) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_modifier_that_a_remedy_names_clears_the_rule(name: str) -> None:
    """Adding the modifier to the claim and evaluating again gives no FAIL of that rule on that line."""
    draft, conventions = compile_rules(RULES / name)[0], compile_table_rules(RULES / "ncci-conventions")
    tried = 0
    for test in tomllib.loads((RULES / name / "tests.toml").read_text(encoding="utf-8"))["test"]:
        claim = claim_of(test)
        with evaluators.using("plain"):
            before = evaluate_test(test, claim, draft, conventions).findings
            for finding in before:
                for modifier in _additions(finding):
                    mended = copy.deepcopy(claim)
                    line = mended["lines"][finding.line_number - 1]
                    line["modifiers"] = [*line.get("modifiers", ()), modifier]
                    after = evaluate_test(test, mended, draft, conventions).findings
                    still = [f for f in after if (f.rule_id, f.line_number) == (finding.rule_id, finding.line_number)]
                    assert [f.message for f in still if f.status is Status.FAIL] == [], (
                        f"{finding.rule_id} with {modifier}"
                    )
                    tried += 1
    assert tried > 10 or name != SHIPPED[0]


def _additions(finding: Any) -> list[str]:
    if finding.status is not Status.FAIL:
        return []
    return [modifier for remedy in finding.remedies if remedy.action == "ADD_MODIFIER" for modifier in remedy.any_of]


def test_the_index_never_hides_a_rule(conventions: Conventions) -> None:
    hidden, shown = [], 0
    for seed in range(60):
        random = Random(seed)
        content = random_content(random, 30)
        program = Program(content)
        evaluation = Evaluation(
            random_claim(random, 6), release_of(content, conventions, fees=True), 20_000, frozenset(Family)
        )
        facts = Facts(evaluation)
        for line in evaluation.claim.lines:
            families = conventions.traits(line.procedure_code, line.service_date)
            found = set(program.triggers.rules_for(line, families))
            possible = {
                r.number for r in program.rules if compile_condition(r.rule.when, content)(facts, line) != FALSE
            }
            hidden += [(seed, number) for number in possible - found]
            shown += len(possible)
    assert hidden == []
    assert shown > 1_000, "the sample shows too little"


def test_every_attribute_has_a_reader() -> None:
    assert set(READERS) == set(ATTRIBUTES)
