"""Why a rule fired or did not: its conditions one by one, for the failure of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from claimedits.app.lookup.rule_sentences import describe_condition
from claimedits.engine.authored.conditions import FALSE, UNKNOWN, compile_test
from claimedits.engine.authored.facts import READERS, Facts
from claimedits.engine.authored.matching import Matcher
from claimedits.engine.authored.program import program_of
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.expectations import show
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import format_day
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.authored.rule import Rule, tests_of
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES, Kind
from claimedits.rulesets.windows import BEGINNING


def explain_rule(
    evaluation: Evaluation, rule_set: str, content: AuthoredRules, line_number: int, rule_id: str
) -> Iterator[str]:
    """Which conditions of a rule hold on a line, one sentence each; dated versions of the rule one after another."""
    numbers = [line.line_number for line in evaluation.claim.lines]
    if line_number not in numbers:
        yield f"there is no line {line_number}"
        return
    index = numbers.index(line_number)
    line = evaluation.claim.lines[index]
    versions = [authored.rule for authored in content.rules if authored.rule.id == rule_id]
    if not versions:
        yield f"{rule_set} has no rule {rule_id}"
    for rule in versions:
        if not rule.effective_from <= line.service_date <= rule.effective_to:
            last = format_day(rule.effective_to)
            first = "" if rule.effective_from == BEGINNING else format_day(rule.effective_from)
            yield f"{rule_id} is not in force on {format_day(line.service_date)} ({first or 'always'} to {last or 'open'})"
            continue
        yield from _explain(evaluation, rule_set, content, index, line, rule)


def _explain(
    evaluation: Evaluation, rule_set: str, content: AuthoredRules, index: int, line: ClaimLine, rule: Rule
) -> Iterator[str]:
    facts = Facts(evaluation)
    values = []
    for test in tests_of(rule.when):
        value = compile_test(test, content)(facts, line)
        values.append(value)
        word = "no" if value == FALSE else "unknown" if value == UNKNOWN else "yes"
        read = READERS.get(test.attribute)
        yield f"{rule.id}: {describe_condition(test)}: {word} ({test.attribute}: {_show(test.attribute, read(facts, line)) if read else 'a switch'})"
    if rule.blocks and FALSE not in values:
        program = program_of(content)
        compiled = [c for c in program.rules if c.rule is rule]
        found = list(Matcher(facts, program, rule_set).candidates(index, compiled))
        kinds = ", ".join(f"{'without' if b.absent else 'with'} {b.what}" for b in rule.blocks)
        yield f"{rule.id}: {kinds}: {'yes' if found else 'no'}"


def _show(attribute: str, value: Any) -> str:
    """A value as a test writes it: days as dates."""
    if ATTRIBUTES[attribute].kind is Kind.DATE and value is not None:
        return format_day(value)
    return show(value)
