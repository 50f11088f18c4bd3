"""Shapes as durable_rules definitions: one generic rule a shape, whatever the number of authored ones (durable-rules.md).

A candidate is one fact of kind ``c``: its key ``n``, its shape ``s`` and its leaves ``a0``, ``a1`` … as 0 and 1. Each match of a joining
block is one fact of kind ``m``: the candidate's key ``n``, the block ``b``, the match ``o``. Three-valued logic needs no third value:
conditions are free of negation but at their leaves, so a candidate is TRUE where its rule fires with every UNKNOWN taken for
FALSE, and UNKNOWN where it fires only with every UNKNOWN taken for TRUE. A candidate in which nothing is unknown is asked once.
"""

from __future__ import annotations

from typing import Any

from claimedits.engine.authored.program import Shape, Tree

MOST_RULES = 60
MOST_ANTECEDENTS = 6
"""Limits of one host and of one rule, asserted when a host is made (durable-rules.md, "A recipe")."""

Expression = dict[str, Any]
_NEVER: Expression = {"k": "never"}


BEGIN = "begin"


def generic_rules() -> dict[str, Any]:
    """Rules every host needs: ``begin`` primes a session, the catch-alls let a fact be that no other rule reads."""
    return {
        BEGIN: {"all": [{"c": {"k": "b"}}]},
        "any candidate": {"all": [{"c": {"k": "c"}}, {"x": dict(_NEVER)}]},
        "any match": {"all": [{"c": {"k": "m"}}, {"x": dict(_NEVER)}]},
    }


GENERIC_RULES = 3
"""How many definitions ``generic_rules`` makes."""


def rule_of(name: str, shape: Shape) -> dict[str, Any]:
    """The durable_rules definition of a shape: the candidate's condition, joined with a match of each of its blocks."""
    condition = is_true(shape.tree)
    candidate = {"$and": [{"k": "c"}, {"s": name}, *([condition] if condition else [])]}
    antecedents: list[Expression] = [{"c": candidate}]
    for block in range(shape.joins):
        antecedents.append({f"m{block}": {"$and": [{"k": "m"}, {"b": block}, {"n": {"c": "n"}}]}})
    assert len(antecedents) <= MOST_ANTECEDENTS, f"a rule has {len(antecedents)} antecedents"
    return {"all": antecedents}


def is_true(tree: Tree) -> Expression | None:
    """A condition over leaves that are 0 or 1, as an expression over one fact; None = always."""
    if isinstance(tree, int):
        return {f"a{tree}": 1}
    word, parts = tree
    if word == "any" and not parts:
        return dict(_NEVER)
    held = [expression for part in parts if (expression := is_true(part)) is not None]
    if word == "any" and len(held) < len(parts):
        return None
    if len(held) <= 1:
        return held[0] if held else None
    return {"$and" if word == "all" else "$or": held}
