"""Checks rule sets that people write, and revisions that were imported, before they go live (``claim-edits check``)."""

from claimedits.app.checking.rule_sets import check_rules
from claimedits.rulesets.lints.lint import LintFinding, Severity
from claimedits.rulesets.lints.settings import LintSettings, read_settings

__all__ = ["LintFinding", "LintSettings", "Severity", "check_rules", "read_settings"]
