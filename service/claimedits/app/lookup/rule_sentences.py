"""An authored rule as its author would read it: conditions as sentences of the rule language (rules/README.md)."""

from __future__ import annotations

from collections.abc import Iterator

from claimedits.model.dates import format_day
from claimedits.rulesets.authored.rule import All, Block, Condition, Rule, Test
from claimedits.rulesets.authored.sentences import OPERATORS
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES, Kind


def describe_rule(rule: Rule) -> Iterator[tuple[str, str]]:
    """What a rule asks, and what it says when all of it is so: names and sentences, each name once."""
    yield "when", describe_condition(rule.when)
    for word, absent in (("with", False), ("without", True)):
        blocks = [describe_block(block) for block in rule.blocks if block.absent is absent]
        yield word, "; and ".join(blocks)
    yield "status", rule.status.name
    yield "code", rule.code
    yield "message", rule.message
    yield "if_unknown", rule.if_unknown
    yield "modifiers", " ".join(rule.modifiers)
    yield "missing", " ".join(rule.missing)


def describe_condition(condition: Condition, within: bool = False) -> str:
    """A condition as a sentence; ``within`` another one it stands in parentheses."""
    if isinstance(condition, Test):
        return describe_test(condition)
    word = " and " if isinstance(condition, All) else " or "
    parts = [describe_condition(part, True) for part in condition.parts]
    if not parts:
        return "always" if isinstance(condition, All) else "never"
    sentence = word.join(parts)
    return f"({sentence})" if within and len(parts) > 1 else sentence


def describe_test(test: Test) -> str:
    """``line.units is more than 1``."""
    if test.operator == "known":
        return f"{test.attribute} {'is unknown' if test.negated else 'is known'}"
    attribute = ATTRIBUTES.get(test.attribute)
    kind = attribute.kind if attribute else Kind.TEXT  # a switch
    phrases = [
        (phrase, count)
        for phrase, (operator, count, negated) in OPERATORS[kind].items()
        if (operator, negated) == (test.operator, test.negated)
    ]
    if not phrases:  # a negation, pushed down to a test that has no negated phrase
        return f"not ({describe_test(Test(test.attribute, test.operator, test.values))})"
    count = "one" if len(test.values) == 1 else "many"
    phrase, count = next((found for found in phrases if found[1] == count), phrases[0])
    return f"{test.attribute} {phrase}{_values(test, kind, count)}"


def _values(test: Test, kind: Kind, count: str) -> str:
    if count == "none":
        return ""
    texts = [format_day(value) if kind is Kind.DATE else str(value) for value in test.values]
    if kind in (Kind.TEXT, Kind.TEXTS) and count not in ("list", "family"):
        texts = [f'"{text}"' for text in texts]
    return f" [{', '.join(texts)}]" if count == "many" else f" {' and '.join(texts)}"


def describe_block(block: Block) -> str:
    """``another line of the same day and provider, where …``."""
    words = [block.what if block.at_least == 1 else f"{block.at_least} or more of: {block.what}"]
    if block.at_least_units is not None:
        words.append(f"with {block.at_least_units} units or more together")
    if block.same:
        words.append(f"with the same {', '.join(name.replace('_', ' ') for name in block.same)}")
    if block.days_before is not None:
        words.append(f"begun at most {block.days_before} days before")
    if block.days_after is not None:
        words.append(f"begun at most {block.days_after} days after")
    if block.family is not None:
        words.append(f"of {block.family.name}, about {block.about}")
        if block.rules:
            words.append(f"by {', '.join(block.rules)}")
    if block.when != All(()):
        words.append(f"where {describe_condition(block.when)}")
    return ", ".join(words)
