"""Runs the tests beside rules, and corpora of cases in the form of the known answers (``claim-edits test``)."""

from __future__ import annotations

from claimedits.app.testing.report import TestReport, TestResult, summarise
from claimedits.app.testing.running import run_tests

__all__ = ["TestReport", "TestResult", "run_tests", "summarise"]
