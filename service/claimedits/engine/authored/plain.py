"""The plain evaluator: the semantics of authored rules, short enough to be read as such."""

from __future__ import annotations

from collections.abc import Sequence

from claimedits.engine.authored.conditions import FALSE, TRUE
from claimedits.engine.authored.matching import Candidate, Verdict, related_of
from claimedits.engine.authored.program import Tree


def decide(candidates: Sequence[Candidate]) -> list[Verdict]:
    """A verdict for each candidate that is TRUE or UNKNOWN.

    A rule holds as surely as its least sure part: its condition, and the surest match of each of its blocks.
    """
    verdicts = []
    for candidate in candidates:
        condition = combine(candidate.compiled.shape.tree, candidate.leaves)
        value = min([condition, *(max(sure for _, sure in matches) for matches in candidate.joined)])
        if value != FALSE:
            verdicts.append(Verdict(candidate, value, related_of(candidate, value)))
    return verdicts


def combine(tree: Tree, leaves: Sequence[int]) -> int:
    """The value of a condition over the values of its leaves: "all" takes the least, "any" the greatest."""
    if isinstance(tree, int):
        return leaves[tree]
    word, parts = tree
    values = [combine(part, leaves) for part in parts]
    return min(values, default=TRUE) if word == "all" else max(values, default=FALSE)
