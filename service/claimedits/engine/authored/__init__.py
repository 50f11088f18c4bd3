"""Decides authored rules: what a condition asks of a claim, which rules could match, and two evaluators that agree."""

from __future__ import annotations
