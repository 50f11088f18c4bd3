"""The plain evaluator is the meaning of a rule; durable_rules must not differ from it in any case.

``CLAIMEDITS_RULE_CASES=100000`` runs the long comparison; the default is a sample of it.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from random_rules import RULE_SET, random_claim, random_content, release_of, suppose_findings

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.finding import Finding
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.conventions import Conventions

CASES = int(os.environ.get("CLAIMEDITS_RULE_CASES", "2000"))
CLAIMS_A_PROGRAM = 40
pytest.importorskip("durable_rules_engine", reason="durable_rules does not import on this Python")


def findings_of(evaluator: str, seed: int, conventions: Conventions, content: AuthoredRules) -> list[Finding]:
    random = Random(seed)
    release = release_of(content, conventions, fees=random.random() < 0.7)
    claim = random_claim(random, random.randint(1, 6))
    evaluation = Evaluation(claim, release, 20_000, frozenset(Family))
    suppose_findings(random, evaluation)
    with evaluators.using(evaluator):
        evaluate_family(evaluation, Family.POLICY, RULE_SET)
    return [f for f in evaluation.findings if f.family is Family.POLICY]


@pytest.mark.parametrize("part", range(8))
def test_no_difference(part: int, conventions: Conventions) -> None:
    fired = undecided = 0
    for program in range(part, CASES // CLAIMS_A_PROGRAM, 8):
        content = random_content(Random(program), 10)
        for claim in range(CLAIMS_A_PROGRAM):
            seed = program * 1_000 + claim
            plain = findings_of("plain", seed, conventions, content)
            assert findings_of("durable", seed, conventions, content) == plain, f"program {program}, seed {seed}"
            fired += sum(f.status is Status.FAIL for f in plain)
            undecided += sum(f.status is Status.NOT_EVALUATED for f in plain)
    assert fired > 20 and undecided > 20, "the sample shows too little"
