"""The order in which rules are decided: a rule that reads another rule's findings comes after it; a cycle is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from claimedits.rulesets.authored.checking import PlacedRule
from claimedits.rulesets.authored.sentences import suggest

MOST_SUGGESTED = 20
"""Names that are looked for among thousands of rules, which takes some milliseconds each; the others are only said to be missing."""


def order_rules(placed: Sequence[PlacedRule], stated: Collection[str] = ()) -> list[PlacedRule]:
    """The rules with their strata; a cycle, or a rule that is read but not there, is named at its place.

    ``stated`` are the ids of rules that are there and were not understood, which is said of them already.
    """
    ids = {p.rule.id for p in placed}
    reads: dict[str, set[str]] = {identifier: set() for identifier in ids}
    unnamed = 0
    for p in placed:
        for i, block in enumerate(p.rule.blocks):
            if block.family is not p.rule.family:
                continue
            wanted = set(block.rules) or ids - {p.rule.id}
            for missing in sorted(wanted - ids - set(stated)):
                name = "without" if block.absent else "with"
                near = suggest(missing, ids) if unnamed < MOST_SUGGESTED else ""
                unnamed += 1
                p.file.add((*p.path, name, i, "rules"), f"there is no rule {missing}", near)
            reads[p.rule.id] |= wanted & ids
    strata: dict[str, int] = {}
    for cycle in _cycles(reads, strata):
        first = next(p for p in placed if p.rule.id == cycle[0])
        first.file.add(
            (*first.path, "id"),
            f"the rules {' → '.join([*cycle, cycle[0]])} read each other's findings in a circle",
            "let one of them stop reading the next",
        )
    return [replace(p, rule=replace(p.rule, stratum=strata.get(p.rule.id, 0))) for p in placed]


def _cycles(reads: dict[str, set[str]], strata: dict[str, int]) -> list[list[str]]:
    """Fills ``strata`` (longest chain of readings); returns each circle once, in the order of reading."""
    cycles: list[list[str]] = []
    in_cycle: set[str] = set()
    for start in sorted(reads):
        stack: list[tuple[str, list[str]]] = [(start, sorted(reads[start]))]
        path = [start]
        while stack:
            node, todo = stack[-1]
            if node in strata:
                stack.pop()
                path.pop()
            elif todo:
                following = todo.pop(0)
                if following in path:
                    circle = path[path.index(following) :]
                    if not in_cycle & set(circle):
                        cycles.append(circle)
                    in_cycle |= set(circle)
                elif following not in strata:
                    stack.append((following, sorted(reads[following])))
                    path.append(following)
            else:
                strata[node] = 1 + max((strata.get(n, -1) for n in reads[node]), default=-1)
                stack.pop()
                path.pop()
    return cycles
