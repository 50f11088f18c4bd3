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
    most: int = 0
    """Findings of one lint that are kept one by one; 0 = all."""
    _counts: dict[str, int] = field(default_factory=dict)
    _beyond: dict[str, tuple[str, int, int]] = field(default_factory=dict)

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
        """Record a finding at (file, row, column).

        Of one lint the first ``most`` are kept one by one; ``close`` says how many more there are.
        """
        count = self._counts[lint_id] = self._counts.get(lint_id, 0) + 1
        if self.most and count > self.most:
            self._beyond.setdefault(lint_id, place)
            return
        lint = LINTS[lint_id]
        finding = LintFinding(lint, lint.severity, *place, what, mend, rule, self.rule_set, self.revision, subject)
        self.findings.append(finding)

    def room(self, lint_id: str) -> int:
        """How many more findings of a lint are kept one by one."""
        return max(0, self.most - self._counts.get(lint_id, 0)) if self.most else 2**31

    def count(self, lint_id: str, number: int, place: tuple[str, int, int]) -> None:
        """Record that ``number`` more were found, the first at ``place``, without saying each."""
        if number > 0:
            self._counts[lint_id] = self._counts.get(lint_id, 0) + number
            self._beyond.setdefault(lint_id, place)

    def close(self) -> list[LintFinding]:
        """The findings, and for each lint that found more than ``most`` one that counts the rest."""
        for lint_id, (file, row, column) in self._beyond.items():
            lint, rest = LINTS[lint_id], self._counts[lint_id] - self.most
            what = f"and {rest:,} more rows from here on: {lint.summary}"
            finding = LintFinding(
                lint, lint.severity, file, row, column, what, "", "", self.rule_set, self.revision, "and more"
            )
            self.findings.append(finding)
        self._beyond.clear()
        return self.findings
