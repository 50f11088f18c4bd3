"""Collects what the lints find in one rule set or revision."""

from __future__ import annotations

from dataclasses import dataclass, field

from claimedits.rulesets.lints.catalogue import LINTS
from claimedits.rulesets.lints.lint import LintFinding


@dataclass(slots=True)
class Report:
    """Findings of one rule set or one revision, in the order in which they are found."""

    rule_set: str = ""
    revision: str = ""
    findings: list[LintFinding] = field(default_factory=list)

    def add(
        self,
        lint_id: str,
        place: tuple[str, int, int],
        what: str,
        mend: str,
        *,
        rule: str = "",
        subject: str = "",
    ) -> None:
        """Record a finding at (file, row, column)."""
        lint = LINTS[lint_id]
        finding = LintFinding(lint, lint.severity, *place, what, mend, rule, self.rule_set, self.revision, subject)
        self.findings.append(finding)
