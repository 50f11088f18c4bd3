"""Every lint there is. A lint is added here, gets a page under ``docs/lints``, and is never renumbered."""

from __future__ import annotations

from collections.abc import Mapping

from claimedits.rulesets.lints.lint import Lint, Severity

_I, _W, _E = Severity.INFO, Severity.WARNING, Severity.ERROR

SETTINGS = (
    ("CE001", "unreadable-settings", _E, "lints.toml says something that cannot be understood"),
    ("CE002", "silence-without-reason", _E, "a finding is silenced without a reason"),
    ("CE003", "silence-of-nothing", _W, "a silence silences nothing"),
    ("CE004", "silence-expired", _W, "a silence has passed its last day"),
)
RULES = (
    ("CE100", "not-understood", _E, "a file holds something that the rule language does not have"),
    ("CE101", "unreachable-row", _W, "a row never matters, because another row covers it"),
    ("CE102", "duplicate-row", _W, "a row says again what another row says"),
    ("CE103", "duplicate-id", _E, "two rules have one id"),
    ("CE104", "overlapping-dates", _E, "two rows or versions answer for the same days"),
    ("CE105", "gapped-dates", _W, "no row or version answers for some days in between"),
    ("CE106", "reversed-dates", _E, "the last day lies before the first"),
    ("CE107", "reversed-range", _E, "a range of codes runs backwards, or its ends have different forms"),
    ("CE108", "outside-period", _W, "a row or rule lies outside the days that its rule set governs"),
    ("CE109", "condition-never-true", _E, "a condition that nothing can meet"),
    ("CE110", "condition-always-true", _W, "a condition that everything meets"),
    ("CE111", "unreachable-rule", _W, "a rule never decides, because another rule covers it"),
    ("CE112", "contradictory-outcomes", _E, "two rules or rows say different things of the same lines"),
    ("CE113", "duplicate-rule", _W, "two rules with different ids say the same"),
    ("CE114", "duplicate-title", _W, "two rules have one title"),
    ("CE115", "missing-citation", _E, "a rule or row does not say where it comes from"),
    ("CE116", "malformed-citation", _W, "a citation that nobody could follow"),
    ("CE117", "missing-adjustment", _W, "a rule denies without adjustment codes"),
    ("CE118", "wrong-adjustment", _E, "adjustment codes that do not exist or do not go together"),
    ("CE119", "inconsistent-remedy", _W, "a remedy that does not fit its rule"),
    ("CE120", "unused-list", _W, "a code list that no rule asks for"),
    ("CE121", "empty-list", _E, "a list of codes, or a scope, that names nothing"),
    ("CE122", "unused-switch", _W, "a switch that nothing asks for"),
    ("CE123", "unknown-code", _W, "a code that no list of codes knows"),
    ("CE124", "terminated-code", _W, "a code that is valid on none of the days of its row"),
    ("CE125", "code-ends-early", _I, "a code that ends before its row does"),
    ("CE126", "repeated-value", _W, "a value stands twice where once is enough"),
    ("CE127", "unknown-placeholder", _E, "a message names a placeholder that stands for nothing"),
    ("CE128", "row-without-effect", _W, "a row that asks for nothing"),
    ("CE129", "missing-row", _E, "a convention that the engine needs is not stated"),
    ("CE130", "foreign-scope", _W, "a rule is for others than its rule set is"),
)
TESTS = (
    ("CE201", "rule-without-test", _W, "no test makes a rule fire"),
    ("CE202", "test-of-nothing", _W, "a test that no rule could answer"),
    ("CE203", "test-outside-dates", _W, "a test on days on which the rule is not in force"),
    ("CE204", "duplicate-test-name", _W, "two tests give the same why"),
    ("CE205", "missing-tests", _W, "a rule set without tests"),
    ("CE206", "malformed-test", _E, "a test that cannot run"),
    ("CE207", "unknown-rule-in-test", _E, "a test names a rule that is not there"),
)
REVISIONS = (
    ("CE301", "row-count", _W, "many more or fewer rows than the edition before"),
    ("CE302", "share-changed", _W, "a large share of the rows has changed"),
    ("CE303", "vanished-range", _E, "a whole range of codes is gone"),
    ("CE304", "truncated-table", _E, "the last codes of the edition before are gone"),
    ("CE305", "vanished-row", _W, "a row of the edition before is gone"),
    ("CE306", "duplicate-key", _E, "two rows have one key"),
    ("CE307", "reversed-window", _E, "a row ends before it begins"),
    ("CE308", "overlapping-windows", _W, "two windows of one key overlap"),
    ("CE309", "period-gap", _W, "no revision governs some service dates in between"),
    ("CE310", "period-overlap", _W, "two revisions govern the same service dates"),
    ("CE311", "not-later", _E, "the revision is not later than the one it follows"),
    ("CE312", "retroactive-change", _W, "the answer for past service dates changes"),
    ("CE313", "unknown-code-in-table", _I, "rows name codes that the list of codes does not know"),
    ("CE314", "terminated-code-in-table", _I, "open rows name codes that have ended"),
    ("CE315", "nothing-changed", _W, "the edition has the content of the one before"),
    ("CE316", "rejected-rows", _W, "the import left rows out"),
    ("CE401", "edit-reversed", _E, "column 1 and column 2 of an edit have changed places"),
    ("CE402", "both-directions-active", _E, "both directions of one pair are active on one day"),
    ("CE403", "indicator-changed-in-place", _E, "the indicator of an existing window has changed"),
    ("CE404", "effective-date-moved", _E, "the first day of an existing window has moved"),
    ("CE405", "deletion-date-moved", _E, "the last day of a closed window has moved"),
    ("CE406", "date-off-quarter", _E, "an edit begins or ends within a quarter"),
    ("CE407", "odd-direction", _W, "a new edit runs against all other new edits of its code"),
    ("CE408", "odd-indicator", _W, "a new edit has another indicator than all edits beside it"),
    ("CE409", "direction-changed", _I, "an edit was closed and opened the other way round"),
    ("CE410", "indicator-changed", _I, "an edit was closed and opened with another indicator"),
    ("CE501", "adjudication-indicator-changed", _W, "an MAI has changed while value and rationale stand"),
    ("CE502", "value-jump", _W, "an MUE value has changed beyond what is usual"),
    ("CE503", "value-changed", _I, "an MUE value has changed"),
)

LINTS: Mapping[str, Lint] = {
    lint_id: Lint(lint_id, name, severity, about, summary)
    for about, lints in (("settings", SETTINGS), ("rules", RULES), ("tests", TESTS), ("revisions", REVISIONS))
    for lint_id, name, severity, summary in lints
}
"""By id."""
BY_NAME: Mapping[str, Lint] = {lint.name: lint for lint in LINTS.values()}


def find_lint(word: str) -> Lint | None:
    """The lint of an id or a name; None = there is none."""
    return LINTS.get(word.upper()) or BY_NAME.get(word.lower())
