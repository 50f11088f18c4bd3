"""The rules of one revision, made ready: tests as functions, the shape of each condition, the trigger index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from claimedits.engine.authored.conditions import Ask, compile_condition, compile_test, may_be_unknown
from claimedits.engine.authored.triggers import TriggerIndex
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.rule import All, Block, Condition, Rule, Test, tests_of

Tree = int | tuple[str, tuple["Tree", ...]]
"""A condition over numbered leaves: a number, or ("all" | "any", parts)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What both evaluators need to know of a rule's condition once its leaves are answered.

    Rules of one shape differ in what their leaves ask, not in how the answers combine; thousands of rules have a few shapes.
    """

    tree: Tree
    leaves: int
    nullable: tuple[bool, ...]
    """Which leaves may be UNKNOWN."""
    joins: tuple[bool, ...]
    """For each block that joins another thing: whether its match may be UNKNOWN."""


@dataclass(frozen=True, slots=True)
class CompiledBlock:
    """A block with its own tests as one function of the other line, or of the finding."""

    block: Block
    ask: Ask
    nullable: bool


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be asked."""

    number: int
    rule: Rule
    place: tuple[int, int]
    """(source, row), for the citation."""
    guards: tuple[Ask, ...]
    """Leaves that must not be FALSE, whatever the others say; they are leaves 0, 1, …"""
    rest: tuple[Ask, ...]
    """The leaves that follow, under an "or"."""
    joining: tuple[CompiledBlock, ...]
    counted: tuple[CompiledBlock, ...]
    """Blocks whose answer is one more leaf, after ``rest``: absence, counts, sums."""
    shape: Shape


class Program:
    """One revision's rules by stratum, and the index in front of them."""

    def __init__(self, content: AuthoredRules) -> None:
        self.content = content
        self.rules: tuple[CompiledRule, ...] = tuple(
            _compile(number, authored, content) for number, authored in enumerate(content.rules)
        )
        self.strata: tuple[int, ...] = tuple(sorted({rule.rule.stratum for rule in self.rules}))

    @cached_property
    def triggers(self) -> TriggerIndex:
        return TriggerIndex([compiled.rule for compiled in self.rules], self.content.lists)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Every shape once, in the order of first use."""
        return tuple(dict.fromkeys(rule.shape for rule in self.rules))


_PROGRAMS: WeakKeyDictionary[AuthoredRules, Program] = WeakKeyDictionary()


def program_of(content: AuthoredRules) -> Program:
    """The program of an opened revision, made once."""
    program = _PROGRAMS.get(content)
    if program is None:
        program = _PROGRAMS[content] = Program(content)
    return program


def _compile(number: int, authored: AuthoredRule, content: AuthoredRules) -> CompiledRule:
    rule = authored.rule
    parts: Sequence[Condition] = rule.when.parts if isinstance(rule.when, All) else (rule.when,)
    # Tests that cannot be unknown come first, so that rules alike in structure share one shape.
    guards = sorted((p for p in parts if isinstance(p, Test)), key=may_be_unknown)
    others = [p for p in parts if not isinstance(p, Test)]
    rest = [test for part in others for test in tests_of(part)]
    blocks = [CompiledBlock(b, compile_condition(b.when, content), _is_nullable(b)) for b in rule.blocks]
    joining = tuple(b for b in blocks if b.block.joins)
    counted = tuple(b for b in blocks if not b.block.joins)
    leaves = len(guards) + len(rest)
    numbers = iter(range(len(guards), leaves))
    trees: list[Tree] = [*range(len(guards)), *(_number(part, numbers) for part in others)]
    trees.extend(range(leaves, leaves + len(counted)))
    nullable = [*map(may_be_unknown, guards), *map(may_be_unknown, rest), *(b.nullable for b in counted)]
    shape = Shape(("all", tuple(trees)), leaves + len(counted), tuple(nullable), tuple(b.nullable for b in joining))
    return CompiledRule(
        number=number,
        rule=rule,
        place=(authored.source, authored.source_row),
        guards=tuple(compile_test(test, content) for test in guards),
        rest=tuple(compile_test(test, content) for test in rest),
        joining=joining,
        counted=counted,
        shape=shape,
    )


def _number(condition: Condition, numbers: object) -> Tree:
    if isinstance(condition, Test):
        return next(numbers)  # type: ignore[call-overload, no-any-return]
    word = "all" if isinstance(condition, All) else "any"
    return word, tuple(_number(part, numbers) for part in condition.parts)


def _is_nullable(block: Block) -> bool:
    return (
        "provider" in block.same or "place_of_service" in block.same or any(map(may_be_unknown, tests_of(block.when)))
    )
