"""Runs the tests that stand beside authored rules (``claim-edits test``)."""

from __future__ import annotations

from pathlib import Path

from claimedits.app.building import COMPILERS, find_rule_sets
from claimedits.model.problems import Problem
