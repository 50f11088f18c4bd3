"""Shapes as durable_rules definitions: a few generic rules, whatever the number of authored ones (durable-rules.md).

A candidate is one fact of kind ``c``: its number ``n``, its shape ``s`` and its leaves ``a0``, ``a1`` … as 0, 1, 2. Each match of a
joining block is one fact of kind ``m``: the candidate ``n``, the block ``b``, the match ``o`` and how sure it is ``v``. A shape has one
rule that fires where the candidate is TRUE, and rules that fire where it is UNKNOWN, joined over its blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from claimedits.engine.authored.conditions import FALSE, TRUE, UNKNOWN
from claimedits.engine.authored.program import Shape, Tree

MOST_RULES = 60
MOST_ANTECEDENTS = 6
"""Limits of one host and of one rule, asserted when a host is made (durable-rules.md, "A recipe")."""
GENERIC_RULES = 3
"""In each host: the rule that always fires, and a catch-all for each kind of fact."""

Expression = dict[str, Any]
_NEVER: Expression = {"k": "never"}


def generic_rules(act: Callable[[Any], None]) -> dict[str, Any]:
    """Rules every host needs: ``begin`` primes a session, the catch-alls let a fact be that no other rule reads."""
    return {
        "begin": {"all": [{"c": {"k": "b"}}], "run": lambda closure: None},
        "any candidate": {"all": [{"c": {"k": "c"}}, {"x": dict(_NEVER)}], "run": act},
        "any match": {"all": [{"c": {"k": "m"}}, {"x": dict(_NEVER)}], "run": act},
    }


def rules_of(name: str, shape: Shape, act: Callable[[str], Callable[[Any], None]]) -> dict[str, Any]:
    """The durable_rules definitions of one shape. ``act`` makes the action for ``T`` (TRUE) and ``U`` (UNKNOWN)."""
    head = {"$and": [{"k": "c"}, {"s": name}]}
    rules: dict[str, Any] = {}
    sure = [TRUE] * len(shape.joins)
    for i, (word, condition, values) in enumerate(
        [("T", is_true(shape.tree), sure), *(("U", c, v) for c, v in _unknown_cases(shape))]
    ):
        first = {"$and": [*head["$and"], *([condition] if condition else [])]}
        antecedents: list[Expression] = [{"c": first}]
        for block, value in enumerate(values):
            wanted: list[Expression] = [{"k": "m"}, {"b": block}, {"n": {"c": "n"}}]
            if value is not None:
                wanted.append({"v": value})
            antecedents.append({f"m{block}": {"$and": wanted}})
        assert len(antecedents) <= MOST_ANTECEDENTS, f"a rule has {len(antecedents)} antecedents"
        rules[f"{name}.{word}{i}"] = {"all": antecedents, "run": act(word)}
    return rules


def rule_count(shape: Shape) -> int:
    """How many definitions ``rules_of`` makes."""
    return 1 + sum(1 for _ in _unknown_cases(shape))


def _unknown_cases(shape: Shape) -> Iterator[tuple[Expression | None, Sequence[int | None]]]:
    """When a candidate with its matches is UNKNOWN: nothing is FALSE, and the condition or one match is UNKNOWN.

    Cases may overlap: who fires twice says the same twice.
    """
    unsure = is_unknown(shape.tree, shape.nullable)
    if unsure is not None:
        yield unsure, [None] * len(shape.joins)
    for block, nullable in enumerate(shape.joins):
        if nullable:
            values: list[int | None] = [None] * len(shape.joins)
            values[block] = UNKNOWN
            yield is_possible(shape.tree, shape.nullable), values


def is_true(tree: Tree) -> Expression | None:
    """ "The condition is TRUE" as an expression over one fact; None = always."""
    if isinstance(tree, int):
        return {f"a{tree}": TRUE}
    return _join(tree[0], [is_true(part) for part in tree[1]])


def is_possible(tree: Tree, nullable: Sequence[bool]) -> Expression | None:
    """ "The condition is not FALSE"."""
    if isinstance(tree, int):
        return {"$neq": {f"a{tree}": FALSE}} if nullable[tree] else {f"a{tree}": TRUE}
    return _join(tree[0], [is_possible(part, nullable) for part in tree[1]])


def is_unknown(tree: Tree, nullable: Sequence[bool]) -> Expression | None:
    """ "The condition is UNKNOWN"; None = never."""
    if isinstance(tree, int):
        return {f"a{tree}": UNKNOWN} if nullable[tree] else None
    word, parts = tree
    some = [expression for part in parts if (expression := is_unknown(part, nullable)) is not None]
    if not some:
        return None
    unsure = _join("any", list(some))
    if word == "all":  # none is FALSE, and one is UNKNOWN
        bounds = [is_possible(part, nullable) for part in parts]
    else:  # none is TRUE, and one is UNKNOWN
        bounds = [is_not_true(part, nullable) for part in parts]
    return _join("all", [*bounds, unsure])


def is_not_true(tree: Tree, nullable: Sequence[bool]) -> Expression | None:
    """ "The condition is FALSE or UNKNOWN"."""
    if isinstance(tree, int):
        return {"$neq": {f"a{tree}": TRUE}}
    word, parts = tree
    return _join("any" if word == "all" else "all", [is_not_true(part, nullable) for part in parts])


def _join(word: str, parts: Sequence[Expression | None]) -> Expression | None:
    """Expressions joined by "and" or "or"; None stands for an expression that always holds."""
    held = [part for part in parts if part is not None]
    if word == "any" and len(held) < len(parts):
        return None
    if len(held) <= 1:
        return held[0] if held else None
    return {"$and" if word == "all" else "$or": held}
