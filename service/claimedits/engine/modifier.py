"""Modifier requirements, family MODIFIER (semantics.md §E, §D.6): authored rules, ``rules/medicare-modifier-requirements``."""

from __future__ import annotations

from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.terms import Family

RULE_SET = "medicare-modifier-requirements"


def evaluate(evaluation: Evaluation) -> None:
    """Every rule of the family; modifiers found invalid are remembered, so that PTP does not honour them (§0.4)."""
    evaluate_family(evaluation, Family.MODIFIER, RULE_SET)
