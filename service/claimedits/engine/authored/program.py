"""The rules of one revision, made ready: tests as functions, the shape of each condition, the trigger index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from claimedits.engine.authored.conditions import TRUE, UNKNOWN, Ask, compile_condition
from claimedits.engine.authored.triggers import TriggerIndex
from claimedits.model.dates import Day
from claimedits.model.finding import Citation
from claimedits.model.terms import Family
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.checking import attributes_of
from claimedits.rulesets.authored.rule import All, Block, Condition, Rule, Test, tests_of

Tree = int | tuple[str, tuple["Tree", ...]]
"""A condition over numbered leaves: a number, or ("all" | "any", parts)."""


MOST_GUARDS = 24
"""Tests that must all hold, as leaves of their own; the rest of a longer list is one more leaf. A fact with more than 250 properties
is dropped by durable_rules without a word (docs/decisions/0010)."""

MOST_ALTERNATIVES = 8
"""Tests under an "or" that an evaluator combines itself. Where a rule has more, each "or" is answered as one leaf: durable_rules
refuses nested expressions of some 18 tests (error 113; docs/decisions/0010)."""


MOST_SHOWN = 12
_NOT_SHOWN = ("claim.prior_authorization", "claim.program", "claim.setting")


_STEADY_ATTRIBUTES = frozenset(
    (
        "line.procedure_code",
        "line.modifiers",
        "line.first_modifier",
        "line.place_of_service",
        "claim.program",
        "claim.setting",
    )
)
_STEADY_BEGINNINGS = ("line.fee_schedule.", "switch.")
_CLAIM_ATTRIBUTES = "claim."


@dataclass(frozen=True, slots=True)
class Shape:
    """What both evaluators need to know of a rule's condition once its leaves are answered.

    Rules of one shape differ in what their leaves ask, not in how the answers combine; thousands of rules have a few shapes.
    """

    tree: Tree
    joins: int
    """How many blocks join another thing."""


@dataclass(frozen=True, slots=True)
class CompiledBlock:
    """A block with its own tests as one function of the other line, or of the finding."""

    block: Block
    ask: Ask


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule ready to be asked."""

    number: int
    rule: Rule
    place: tuple[int, int]
    """(source, row), for the citation."""
    guards: tuple[Ask, ...]
    """Leaves that must not be FALSE, whatever the others say; they are leaves 0, 1, …"""
    least: int
    """The least answer of a guard that lets the rule say something: TRUE where it says nothing of what it cannot decide."""
    steady: tuple[Ask, ...]
    """Those guards that ask for nothing but code, modifiers, place, program, setting and dated tables: their answer can be
    remembered from turn to turn of the tables (``Program.turns``)."""
    of_claim: tuple[Ask, ...]
    """Those of the other guards that ask about the claim alone: one answer for all its lines."""
    rest: tuple[Ask, ...]
    """The leaves that follow, under an "or"."""
    reacts_to: frozenset[Family]
    """Families that must have said something for the rule to match anything."""
    joining: tuple[CompiledBlock, ...]
    counted: tuple[CompiledBlock, ...]
    """Blocks whose answer is one more leaf, after ``rest``: absence, counts, sums."""
    shape: Shape
    shown: tuple[str, ...]
    """Attributes of the line, its claim and patient that the rule asks for: what the detail of its finding shows."""


class Program:
    """One revision's rules by stratum, and the index in front of them."""

    def __init__(self, content: AuthoredRules) -> None:
        self.content = content
        self.rules: tuple[CompiledRule, ...] = tuple(
            _compile(number, authored, content) for number, authored in enumerate(content.rules)
        )
        self.citations: dict[int, Citation] = {}
        """The citation of each rule that has fired, by number."""
        self.turns: list[Day] = sorted(_turns(content))
        """Days on which a rule, a list or a switch of this revision begins to hold, or holds no more."""
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
    guards = _gather([part for part in parts if isinstance(part, Test)], MOST_GUARDS)
    others: list[Condition] = [part for part in parts if not isinstance(part, Test)]
    tests: list[Condition] = [test for part in others for test in tests_of(part)]
    as_one = len(tests) > MOST_ALTERNATIVES
    rest = _gather(others, MOST_ALTERNATIVES) if as_one else tests
    blocks = [CompiledBlock(block, compile_condition(block.when, content)) for block in rule.blocks]
    joining = tuple(b for b in blocks if b.block.joins)
    counted = tuple(b for b in blocks if not b.block.joins)
    leaves = len(guards) + len(rest)
    numbers = iter(range(len(guards), leaves))
    trees: list[Tree] = [*range(len(guards))]
    trees.extend(numbers if as_one else (_number(part, numbers) for part in others))
    trees.extend(range(leaves, leaves + len(counted)))
    shape = Shape(_flatten(("all", tuple(trees))), len(joining))
    return CompiledRule(
        number=number,
        rule=rule,
        place=(authored.source, authored.source_row),
        guards=tuple(compile_condition(part, content) for part in guards),
        least=TRUE if rule.if_unknown == "NOTHING" else UNKNOWN,
        steady=tuple(compile_condition(part, content) for part in guards if _is_steady(part)),
        of_claim=tuple(compile_condition(part, content) for part in guards if _is_of_claim(part)),
        rest=tuple(compile_condition(part, content) for part in rest),
        reacts_to=frozenset(b.block.family for b in joining if b.block.what == "finding" and b.block.family),
        joining=joining,
        counted=counted,
        shape=shape,
        shown=_shown(rule),
    )


def _shown(rule: Rule) -> tuple[str, ...]:
    """At most ``MOST_SHOWN``, in alphabetical order; no number that names a person or a case."""
    asked = sorted(name for name in attributes_of(rule) if name.partition(".")[0] in ("line", "claim", "patient"))
    return tuple(name for name in asked if name not in _NOT_SHOWN)[:MOST_SHOWN]


def _is_steady(part: Condition) -> bool:
    return isinstance(part, Test) and (
        part.attribute in _STEADY_ATTRIBUTES or part.attribute.startswith(_STEADY_BEGINNINGS)
    )


def _is_of_claim(part: Condition) -> bool:
    return isinstance(part, Test) and part.attribute.startswith(_CLAIM_ATTRIBUTES) and not _is_steady(part)


def _turns(content: AuthoredRules) -> set[Day]:
    days = {day for authored in content.rules for day in (authored.rule.effective_from, authored.rule.effective_to + 1)}
    for windows in content.switches.values():
        days.update(day for window in windows for day in (window.effective_from, window.effective_to + 1))
    return days.union(*(listed.turns() for listed in content.lists.values()))


def _gather(parts: Sequence[Condition], most: int) -> list[Condition]:
    """The same conjunction in at most ``most`` parts."""
    return list(parts) if len(parts) <= most else [*parts[: most - 1], All(tuple(parts[most - 1 :]))]


def _number(condition: Condition, numbers: Iterator[int]) -> Tree:
    if isinstance(condition, Test):
        return next(numbers)
    word = "all" if isinstance(condition, All) else "any"
    return word, tuple(_number(part, numbers) for part in condition.parts)


def _flatten(tree: Tree) -> Tree:
    """The same condition without an "all" within an "all", an "any" within an "any", or a part that stands alone."""
    if isinstance(tree, int):
        return tree
    word, flat = tree[0], list[Tree]()
    for part in map(_flatten, tree[1]):
        if not isinstance(part, int) and (part[0] == word or len(part[1]) == 1):
            flat.extend(part[1])
        else:
            flat.append(part)
    return word, tuple(flat)
