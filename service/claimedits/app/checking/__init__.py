"""Checks rule sets that people write, and revisions that were imported, before they go live (``claim-edits check``)."""

from claimedits.app.checking.revisions import check_revisions, find_predecessor
from claimedits.app.checking.rule_sets import check_rules
from claimedits.rulesets.lints.lint import Lint, LintFinding, Severity
from claimedits.rulesets.lints.settings import LintSettings, read_settings

__all__ = [
    "Lint",
    "LintFinding",
    "LintSettings",
    "Severity",
    "check_revisions",
    "check_rules",
    "find_predecessor",
    "read_settings",
]
