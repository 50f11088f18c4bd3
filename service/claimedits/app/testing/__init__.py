"""Runs the tests beside rules, and corpora of cases in the form of the known answers (``claim-edits test``)."""

from __future__ import annotations

from claimedits.app.testing.mutation.options import MutationOptions
from claimedits.app.testing.report import TestReport, TestResult, summarise
from claimedits.app.testing.running import run_tests

__all__ = ["MutationOptions", "TestReport", "TestResult", "run_tests", "summarise"]
