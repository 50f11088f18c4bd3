"""What durable_rules does wrong must not reach a claim: memory, crashes, duplicates, strange texts, many rules, many lines, forks."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from random_rules import DAY, RULE_SET, STRANGE, random_claim, random_content, release_of

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.finding import Finding
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.rule import All, Any_, Block, Condition, Rule, Test
from claimedits.rulesets.conventions import Conventions

pytest.importorskip("durable_rules_engine", reason="durable_rules does not import on this Python")
SOAK = Path(__file__).with_name("soak.py")
BOTH = ("plain", "durable")


def rule(number: int, when: Condition, *blocks: Block, stratum: int = 0) -> AuthoredRule:
    made = Rule(
        f"r{number}", "T", Family.POLICY, when, Status.FAIL, "POLICY_T", "{line.procedure_code} {other.lines}",
        blocks=blocks, stratum=stratum, authority="T",
    )  # fmt: skip
    return AuthoredRule(made, 0, number + 1)


def line(number: int, code: str = "11055", units: int = 1, modifiers: Sequence[str] = ()) -> ClaimLine:
    return ClaimLine(number, code, tuple(modifiers), Decimal(units), DAY, DAY)


def claim(*lines: ClaimLine) -> Claim:
    return Claim("C", Program.MEDICARE, Setting.PRACTITIONER, lines)


def decide(conventions: Conventions, evaluator: str, rules: Sequence[AuthoredRule], sent: Claim) -> list[Finding]:
    release = release_of(AuthoredRules(tuple(rules), {}, {}), conventions, fees=False)
    evaluation = Evaluation(sent, release, 20_000, frozenset(Family))
    with evaluators.using(evaluator):
        evaluate_family(evaluation, Family.POLICY, RULE_SET)
    return evaluation.findings


def test_soak_under_malloc_perturb() -> None:
    environment = {**os.environ, "MALLOC_PERTURB_": "165", "PYTHONFAULTHANDLER": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    command = [sys.executable, str(SOAK), "--claims", "600"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("evaluator", BOTH)
def test_duplicate_lines_each_have_their_finding(conventions: Conventions, evaluator: str) -> None:
    lines = [line(number) for number in range(1, 6)]
    found = decide(conventions, evaluator, [rule(0, Test("line.procedure_code", "text_in", ("11055",)))], claim(*lines))
    assert [f.line_number for f in found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", STRANGE)
def test_strange_texts_in_a_claim(conventions: Conventions, text: str) -> None:
    rules = [
        rule(0, Test("claim.payer", "text_in", (text,))),
        rule(1, Test("claim.payer", "known", (), True)),
        rule(
            2,
            Test("line.place_of_service", "text_in", (text,), True),
            Block("another line", False, same=("place_of_service",)),
        ),
    ]
    sent = claim(line(1), line(2))._replace(payer_id=text, claim_id=text, billing_provider_id=text)
    sent = sent._replace(
        lines=tuple(one._replace(place_of_service=text, rendering_provider_id=text) for one in sent.lines)
    )
    plain, durable = (decide(conventions, evaluator, rules, sent) for evaluator in BOTH)
    assert plain and durable == plain


def test_more_shapes_than_one_host_holds(conventions: Conventions) -> None:
    """200 rules of 200 shapes: conditions of one to ten tests, joined with none to four other lines, in four forms."""
    tests = [Test("line.units", "number_less", (Decimal(n + 2),)) for n in range(10)]
    another = Block("another line", False, same=("day",))
    rules = []
    for count in range(1, 11):
        for joins in range(5):
            for form in range(4):
                choice = Any_(tuple(tests[: form + 2])) if form else tests[0]
                rules.append(rule(len(rules), All((*tests[:count], choice)), *[another] * joins))
    sent = claim(line(1), line(2))
    plain, durable = (decide(conventions, evaluator, rules, sent) for evaluator in BOTH)
    assert len(plain) == 400 and durable == plain


@pytest.mark.parametrize("tests", [9, 40, 254])
def test_many_alternatives_in_one_rule(conventions: Conventions, tests: int) -> None:
    """More nested tests, and more properties of one fact, than durable_rules takes."""
    pairs = [
        All((Test("line.units", "number_is", (Decimal(n),)), Test("line.procedure_code", "text_in", ("11055",))))
        for n in range(tests)
    ]
    rules = [
        rule(0, Any_(tuple(pairs))),
        rule(1, All(tuple(Test("line.units", "number_less", (Decimal(9 + n),)) for n in range(tests)))),
    ]
    plain, durable = (
        decide(conventions, evaluator, rules, claim(line(1, units=8), line(2, units=500))) for evaluator in BOTH
    )
    assert plain and durable == plain


@pytest.mark.parametrize("evaluator", BOTH)
def test_ten_thousand_lines(conventions: Conventions, evaluator: str) -> None:
    others = Block("another line", False, same=("day",), when=Test("other.procedure_code", "text_in", ("11720",)))
    rules = [rule(0, Test("line.procedure_code", "text_in", ("11055",)), others)]
    lines = [line(number, "11720" if number % 2 else "11055") for number in range(1, 10_001)]
    found = decide(conventions, evaluator, rules, claim(*lines))
    assert len(found) == 5_000
    assert found[0].related_line_numbers == tuple(range(1, 101, 2)), "a finding names at most 50 other lines"


@pytest.mark.parametrize("evaluator", BOTH)
def test_rules_react_to_rules_in_strata(conventions: Conventions, evaluator: str) -> None:
    def reads(number: int) -> Block:
        return Block("finding", False, family=Family.POLICY, rules=(f"r{number}",), about="any line")

    rules = [rule(0, Test("line.units", "number_is", (Decimal(7),)))]
    rules += [rule(n, Test("line.units", "number_is", (Decimal(1),)), reads(n - 1), stratum=n) for n in range(1, 6)]
    found = decide(conventions, evaluator, rules, claim(line(1, units=7), line(2)))
    assert [(f.rule_id, f.depends_on) for f in found if f.rule_id.endswith("5")] == [
        (f"{RULE_SET}/r5", (f"2/{RULE_SET}/r4",))
    ]


def test_many_threads_get_their_own_answers(conventions: Conventions) -> None:
    random = Random(11)
    content = random_content(random, 30)
    claims = [random_claim(random, 4) for _ in range(40)]
    release = release_of(content, conventions, fees=True)

    def answers() -> list[list[Finding]]:
        made = []
        for sent in claims:
            evaluation = Evaluation(sent, release, 20_000, frozenset(Family))
            evaluate_family(evaluation, Family.POLICY, RULE_SET)
            made.append(evaluation.findings)
        return made

    with evaluators.using("plain"):
        expected = answers()
    results: list[list[list[Finding]]] = []
    with evaluators.using("durable"):
        threads = [threading.Thread(target=lambda: results.append(answers())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 6 and all(result == expected for result in results)


def test_a_forked_process_makes_hosts_of_its_own(conventions: Conventions) -> None:
    rules = [rule(0, Test("line.procedure_code", "text_in", ("11055",)))]
    expected = decide(conventions, "durable", rules, claim(line(1)))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(
        target=lambda: queue.put(decide(conventions, "durable", rules, claim(line(1))) == expected)
    )
    process.start()
    process.join(30)
    assert process.exitcode == 0 and queue.get() is True


def test_unknown_evaluator_is_refused() -> None:
    with pytest.raises(Exception, match=r"^CLAIMEDITS_RULE_EVALUATOR is drools; use durable or plain$"):
        evaluators.choose("drools")
