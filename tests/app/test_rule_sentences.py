"""Rules told back to a person say what their author wrote: read again, the sentences give the same conditions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from claimedits.app.lookup.rule_sentences import describe_block, describe_condition
from claimedits.app.shipped import find_rules
from claimedits.model.dates import parse_day
from claimedits.model.terms import Family
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX, AuthoredRules
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.rule import All, Any_, Block, Condition, Test
from claimedits.rulesets.authored.sentences import Scope, read_sentence

SUBJECTS = ("line", "claim", "patient", "other", "finding", "switch")


def content(name: str) -> AuthoredRules:
    (draft,) = compile_rules(find_rules() / name)
    return AUTHORED_INDEX.open_tables({table: rows.to_pylist() for table, rows in draft.tables.items()})


def read_again(condition: Condition, lists: frozenset[str]) -> Condition:
    return read_sentence(describe_condition(condition), Scope(SUBJECTS, lists, None, lambda name: True))


@pytest.mark.parametrize("name", ["medicare-modifier-requirements", "example-payer-policy"])
def test_shipped_rules_are_told_back_word_for_word(name: str) -> None:
    rules = content(name)
    lists = frozenset(rules.lists)
    for authored in rules.rules:
        for condition in (authored.rule.when, *(block.when for block in authored.rule.blocks)):
            if condition != All(()):
                assert read_again(condition, lists) == condition, authored.rule.id


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (Test("line.units", "number_more", (Decimal("1.5"),)), "line.units is more than 1.5"),
        (Test("line.units", "number_more", (Decimal(2),), True), "line.units is at most 2"),
        (Test("line.units", "number_between", (Decimal(1), Decimal(3))), "line.units is between 1 and 3"),
        (Test("line.service_date", "date_before", (parse_day("2024-07-01"),), True),
         "line.service_date is on or after 2024-07-01"),
        (Test("line.service_date", "date_between", (1, 2), True),
         "not (line.service_date is between 1970-01-02 and 1970-01-03)"),
        (Test("claim.payer", "known", (), True), "claim.payer is unknown"),
        (Test("line.modifiers", "texts_empty", (), True), "line.modifiers are not empty"),
        (Test("line.modifiers", "texts_all", ("50",)), 'line.modifiers include all of ["50"]'),
        (Test("line.procedure_code", "text_starts", ("J",), True), 'not (line.procedure_code starts with "J")'),
        (Test("switch.mod.fifty_units", "text_in", ("fail",)), 'switch.mod.fifty_units is "fail"'),
        (Test("claim.history_sent", "truth", (), True), "claim.history_sent is false"),
        (All((Any_((Test("claim.payer", "known"), Test("claim.state", "known"))), Test("claim.contractor", "known"))),
         "(claim.payer is known or claim.state is known) and claim.contractor is known"),
        (All(()), "always"),
        (Any_(()), "never"),
    ],
)  # fmt: skip
def test_sentences(condition: Condition, sentence: str) -> None:
    assert describe_condition(condition) == sentence


def test_blocks() -> None:
    line = Block(
        "another line", False, ("day", "place_of_service"), days_before=90, at_least=2, at_least_units=Decimal(6),
        when=Test("other.units", "number_is", (Decimal(1),)),
    )  # fmt: skip
    assert describe_block(line) == (
        "2 or more of: another line, with 6 units or more together, with the same day, place of service, "
        "begun at most 90 days before, where other.units is 1"
    )
    finding = Block("finding", False, family=Family.MUE, rules=("a", "b"), about="any line")
    assert describe_block(finding) == "finding, of MUE, about any line, by a, b"
