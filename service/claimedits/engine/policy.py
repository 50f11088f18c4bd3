"""A payer's own rules, family POLICY: authored rules such as ``rules/example-payer-policy``. They see every other family's findings."""

from __future__ import annotations

from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.terms import Family


def evaluate(evaluation: Evaluation) -> None:
    """Every rule of the family; NOT_APPLICABLE where the release holds no payer's policy."""
    evaluate_family(evaluation, Family.POLICY)
