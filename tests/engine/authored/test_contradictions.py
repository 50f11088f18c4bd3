"""What the compiler holds to be impossible, certain, or a consequence is so for every claim: against the plain evaluator."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from random_rules import _condition, random_claim, random_content, release_of

from claimedits.app.shipped import find_rules
from claimedits.engine.authored.conditions import FALSE, TRUE, compile_test
from claimedits.engine.authored.facts import Facts
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import FOREVER
from claimedits.model.terms import Family
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.authored.contradictions import always_holds, find_contradiction, follows
from claimedits.rulesets.authored.rule import All, Condition, Test
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.table_rules import compile_table_rules
from claimedits.rulesets.windows import BEGINNING

ALL_DAYS = (BEGINNING, FOREVER)


def ask(condition: Condition, facts: Facts, line: ClaimLine, content: AuthoredRules) -> int:
    if isinstance(condition, Test):
        return compile_test(condition, content)(facts, line)
    values = [ask(part, facts, line, content) for part in condition.parts]
    return min(values, default=TRUE) if isinstance(condition, All) else max(values, default=FALSE)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_impossible_happens_and_nothing_certain_fails(seed: int) -> None:
    random = Random(seed)
    content = random_content(random, 3)
    tables = compile_table_rules(find_rules() / "ncci-conventions").tables
    conventions = Conventions({name: table.to_pylist() for name, table in tables.items()})
    release = release_of(content, conventions, fees=True)
    claims = [random_claim(random, 3) for _ in range(25)]
    judged = 0
    for _ in range(150):
        one, other = _condition(random, 2), _condition(random, 2)
        both = All((one, other))
        impossible = bool(find_contradiction(both, *ALL_DAYS, content.lists))
        certain, consequence = always_holds(one, *ALL_DAYS), follows(one, other, *ALL_DAYS, content.lists)
        judged += impossible + certain + consequence
        for claim in claims if impossible or certain or consequence else ():
            facts = Facts(Evaluation(claim, release, claim.lines[0].service_date + 10, frozenset(Family)))
            for line in claim.lines:
                assert not (impossible and ask(both, facts, line, content) == TRUE)
                assert not (certain and ask(one, facts, line, content) == FALSE)
                if consequence and ask(other, facts, line, content) == TRUE:
                    assert ask(one, facts, line, content) != FALSE
    assert judged > 0
