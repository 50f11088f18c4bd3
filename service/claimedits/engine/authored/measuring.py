"""Measures how long a rule set of many authored rules takes a claim, with made-up rules of a realistic spread of triggers."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.rule import All, Any_, Block, Condition, Rule, Test
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.loaded import CONVENTIONS, LoadedRelease, LoadedRuleSet
from claimedits.rulesets.revision import RevisionHeader, RevisionInfo
from claimedits.rulesets.versions import Editions

_MODIFIERS = ("25", "50", "59", "76", "GP", "KX", "LT", "RT", "TC", "XS")
_PLACES = ("11", "19", "21", "22", "23", "24")


@dataclass(frozen=True, slots=True)
class RuleTiming:
    """Microseconds a claim, and what the claims met."""

    evaluator: str
    rules: int
    lines: int
    median_us: float
    p99_us: float
    findings_a_claim: float


def measure_rules(
    rules: int = 2_000, lines: int = 10, claims: int = 400, evaluator: str = "", seed: int = 7
) -> RuleTiming:
    """The time of family POLICY alone for claims of ``lines`` lines under ``rules`` rules; each claim is timed once, warm."""
    random = Random(seed)
    codes = [f"G{number:04d}" for number in range(10_000)]
    release = _release(AuthoredRules(tuple(_rule(random, number, codes) for number in range(rules)), {}, {}))
    made = [_claim(random, codes, lines) for _ in range(claims)]
    families = frozenset({Family.POLICY})
    times, findings = [], 0
    with evaluators.using(evaluator) as used:
        for timed in (False, True):
            for claim in made:
                evaluation = Evaluation(claim, release, claim.lines[0].service_date + 30, families)
                start = time.perf_counter()
                evaluate_family(evaluation, Family.POLICY)
                if timed:
                    times.append((time.perf_counter() - start) * 1e6)
                    findings += len(evaluation.findings)
    times.sort()
    return RuleTiming(
        used.name, rules, lines, statistics.median(times), times[int(len(times) * 0.99)], findings / len(made)
    )


def _rule(random: Random, number: int, codes: list[str]) -> AuthoredRule:
    """Four in five rules are filed under one to five codes, the others under a modifier or a range of codes."""
    trigger = random.random()
    if trigger < 0.8:
        parts: list[Condition] = [
            Test("line.procedure_code", "text_in", tuple(random.sample(codes, random.randint(1, 5))))
        ]
    elif trigger < 0.9:
        first = random.randrange(9_900)
        parts = [Test("line.procedure_code", "text_between", (codes[first], codes[first + 20]))]
    else:
        parts = [
            Test("line.modifiers", "texts_any", (random.choice(_MODIFIERS),)),
            Test("line.procedure_code", "text_starts", (random.choice(codes)[:4],)),
        ]
    parts += random.sample(
        [
            Test("line.place_of_service", "text_in", tuple(random.sample(_PLACES, 3))),
            Test("line.units", "number_more", (Decimal(random.randint(0, 3)),)),
            Test("line.modifiers", "texts_any", ("59", "XS"), True),
            Test("patient.age", "number_less", (Decimal(random.randint(20, 80)),)),
            Any_(
                (
                    Test("claim.prior_authorization", "known", (), True),
                    Test("line.charge", "number_more", (Decimal(500),)),
                )
            ),
        ],
        random.randint(1, 3),
    )
    blocks: tuple[Block, ...] = ()
    if random.random() < 0.1:
        blocks = (
            Block(
                "another line",
                random.random() < 0.5,
                same=("day",),
                when=Test("other.procedure_code", "text_in", tuple(random.sample(codes, 40))),
            ),
        )
    rule = Rule(
        f"r{number}", "Measured", Family.POLICY, All(tuple(parts)), Status.REVIEW, "POLICY_MEASURED", "{line.procedure_code}",
        blocks=blocks, authority="measured",
    )  # fmt: skip
    return AuthoredRule(rule, 0, number + 1)


def _claim(random: Random, codes: list[str], lines: int) -> Claim:
    day = parse_day("2024-08-15")
    made = tuple(
        ClaimLine(
            number,
            random.choice(codes),
            tuple(random.sample(_MODIFIERS, random.choice((0, 0, 1, 2)))),
            Decimal(random.choice((1, 1, 1, 2, 4))),
            day,
            day,
            place_of_service="11",
            charge_cents=random.choice((None, 12_500, 80_000)),
        )
        for number in range(1, lines + 1)
    )
    return Claim(
        "M", Program.MEDICARE, Setting.PRACTITIONER, made, "1", patient=Patient("", parse_day("1950-01-01"), "F")
    )


def _release(content: AuthoredRules) -> LoadedRelease:
    def loaded(name: str, kind: str, index: object) -> LoadedRuleSet:
        header = RevisionHeader(name, kind, "measured", 0, FOREVER, 0, (), {"family": "POLICY"})
        return LoadedRuleSet(name, kind, Editions([RevisionInfo(f"sha256:{name}", header, {}, 0, 0, 0)]), (index,))

    switch = {"name": "version.after_last", "value": "not_evaluated", "effective_from": "", "effective_to": ""}
    conventions = Conventions({"switches": [switch]})
    sets = [loaded("measured-policy", "authored", content), loaded(CONVENTIONS, "conventions", conventions)]
    return LoadedRelease("measured", {one.name: one for one in sets})
