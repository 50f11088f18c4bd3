"""``lints.toml``: how severe each lint is, which findings stand and why, and what is unusual in an update.

```toml
[severity]
CE111 = "info"                       # error, warning or info

[[silence]]
lint = "unreachable-row"             # id or name
file = "*/lists/drugs.csv"           # any of: file, row, rule, rule_set, revision, fingerprint
row = 7
reason = "the plan prints both rows on its member card"
until = "2026-12-31"                 # optional, the last day

[thresholds.ptp]
rows_share = 0.10
```
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.model.problems import Problem
from claimedits.rulesets.authored.fields import Fields, RuleFile
from claimedits.rulesets.authored.reading import LINT_SETTINGS, read_rule_file
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.lints.catalogue import BY_NAME, LINTS, find_lint
from claimedits.rulesets.lints.lint import Lint, LintFinding, Severity
from claimedits.rulesets.lints.thresholds import FIELDS, Thresholds

FILE = LINT_SETTINGS
_PLACES = ("file", "row", "rule", "rule_set", "revision", "fingerprint")
_SILENCE_FIELDS = ("lint", *_PLACES, "reason", "until")
_SEVERITIES = tuple(severity.name.lower() for severity in reversed(Severity))
_SHORTEST_REASON = 3


@dataclass(slots=True, frozen=True)
class Silence:
    """Findings that stand, and why."""

    lint: Lint
    reason: str
    places: Mapping[str, str]
    """What a finding has to have, all of it; empty = every finding of the lint."""
    until: Day
    """Last day, inclusive; FOREVER = without end."""
    file: str
    row: int
    """Where the silence stands."""
    within: str = ""
    """Only findings in files below this directory; empty = all."""
    judged: bool = True
    """Whether to say so when it silences nothing: not where only a part of what it is for is looked at."""

    def covers(self, finding: LintFinding) -> bool:
        if finding.lint.id != self.lint.id or not finding.file.startswith(self.within):
            return False
        return all(_fits(finding, name, wanted) for name, wanted in self.places.items())


def _fits(finding: LintFinding, name: str, wanted: str) -> bool:
    value = str(getattr(finding, name))
    if name == "file":
        return fnmatchcase(value, wanted) or fnmatchcase(value, f"*/{wanted}")
    if name == "revision":
        return value.removeprefix("sha256:").startswith(wanted.removeprefix("sha256:")) and bool(wanted)
    return fnmatchcase(value, wanted) if name in ("rule", "rule_set") else value == wanted


@dataclass(slots=True, frozen=True)
class LintSettings:
    """What ``lints.toml`` says; without one, every lint at its own severity."""

    severities: Mapping[str, Severity] = field(default_factory=dict)
    silences: Sequence[Silence] = ()
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    """Own thresholds by kind of rule set; they take the place of the shipped ones field by field."""
    findings: Sequence[LintFinding] = ()
    """What is wrong with the settings themselves."""

    def joined(self, other: LintSettings) -> LintSettings:
        """Both together; where they differ, these come first."""
        kinds = {*self.thresholds, *other.thresholds}
        none = Thresholds()
        return LintSettings(
            {**other.severities, **self.severities},
            (*self.silences, *other.silences),
            {kind: self.thresholds.get(kind, none).over(other.thresholds.get(kind, none)) for kind in kinds},
            (*self.findings, *other.findings),
        )

    def limited(self, within: str = "", *, judged: bool = True) -> LintSettings:
        """The same, with silences that reach only into a directory, or are not judged when they silence nothing."""
        silences = [replace(silence, within=within, judged=judged) for silence in self.silences]
        return replace(self, silences=silences)

    def apply(self, found: Sequence[LintFinding], today: Day, *, looked: Collection[str]) -> list[LintFinding]:
        """The findings that are not silenced, at their severity, and those about the silences themselves.

        Args:
            today: silences whose last day lies before it silence nothing any more.
            looked: what was looked at, as in ``Lint.about``; a silence of what was not looked at is not judged.
        """
        kept, used = [], set()
        for finding in found:
            covering = [i for i, silence in enumerate(self.silences) if silence.covers(finding)]
            used.update(covering)
            if not any(self.silences[i].until >= today and self.silences[i].reason for i in covering):
                kept.append(self._at_severity(finding))
        for i, silence in enumerate(self.silences):
            if silence.lint.about in looked:
                kept += self._about_silence(silence, i in used, today)
        return [*kept, *map(self._at_severity, self.findings)]

    def _at_severity(self, finding: LintFinding) -> LintFinding:
        return replace(finding, severity=self.severities.get(finding.lint.id, finding.severity))

    def _about_silence(self, silence: Silence, is_used: bool, today: Day) -> list[LintFinding]:
        if silence.until < today:
            what = f"the silence of {silence.lint.id} {silence.lint.name} ended on {format_day(silence.until)}"
            mend = "mend what it silenced, or give it a later day and say why; remove it when nothing is left"
            return [self._at_severity(_finding("CE004", silence.file, silence.row, what, mend))]
        if not is_used and silence.judged:
            what = f"no finding of {silence.lint.id} {silence.lint.name} is silenced by this"
            return [self._at_severity(_finding("CE003", silence.file, silence.row, what, "remove it"))]
        return []


def _finding(lint_id: str, file: str, row: int, what: str, mend: str, column: int = 1) -> LintFinding:
    lint = LINTS[lint_id]
    return LintFinding(lint, lint.severity, file, row, column, what, mend)


def read_settings(path: Path, name: str = "") -> LintSettings:
    """The settings of a file. What is wrong with it becomes findings; the rest holds.

    Args:
        name: how findings name the file; its path by default.

    Raises:
        OSError: the file cannot be read.
    """
    problems: list[Problem] = []
    shown = name or path.as_posix()
    file = read_rule_file(shown, path.read_bytes(), problems)
    if file is None:
        return LintSettings(findings=_as_findings(shown, problems))
    top = Fields(file, (), file.values, "lints.toml")
    top.refuse_unknown(("severity", "silence", "thresholds"))
    severities = _read_severities(file)
    silences = [silence for i in range(len(_tables(file, "silence"))) if (silence := _read_silence(file, i))]
    thresholds = _read_thresholds(file)
    return LintSettings(severities, silences, thresholds, _as_findings(shown, problems))


def _as_findings(name: str, problems: Sequence[Problem]) -> list[LintFinding]:
    found = []
    for problem in problems:
        row, _, column = problem.where.removeprefix(f"{name}:").partition(":")
        lint_id = BY_NAME[problem.code].id if problem.code else "CE001"
        found.append(_finding(lint_id, name, int(row), problem.what, problem.mend, int(column or 1)))
    return found


def _tables(file: RuleFile, name: str) -> list[Any]:
    value = file.values.get(name, [])
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    file.add((name,), f"{name} is not a list of tables", f"write [[{name}]] above its fields")
    return []


def _table(file: RuleFile, name: str) -> Mapping[str, Any]:
    value = file.values.get(name, {})
    if isinstance(value, dict):
        return value
    file.add((name,), f"{name} is not a table", f"write [{name}] above its fields")
    return {}


def _read_lint(file: RuleFile, path: tuple[str | int, ...], word: str, *, key: bool = False) -> Lint | None:
    lint = find_lint(word)
    if lint is None:
        near = suggest(word, [*LINTS, *BY_NAME]) or "claim-edits check --list shows them"
        file.add(path, f"there is no lint {word}", near, key=key)
    return lint


def _read_severities(file: RuleFile) -> dict[str, Severity]:
    severities = {}
    for word, value in _table(file, "severity").items():
        path = ("severity", word)
        lint = _read_lint(file, path, word, key=True)
        if value not in _SEVERITIES:
            mend = f"use {', '.join(_SEVERITIES[:-1])} or {_SEVERITIES[-1]}"
            if value in ("off", "none", False):
                mend = "a lint is not switched off: write a [[silence]] with a reason"
            file.add(path, f"{value} is no severity", mend)
        elif lint is not None:
            severities[lint.id] = Severity[value.upper()]
    return severities


def _read_silence(file: RuleFile, number: int) -> Silence | None:
    path = ("silence", number)
    values = file.values["silence"][number]
    fields = Fields(file, path, values, "[[silence]]")
    fields.refuse_unknown(_SILENCE_FIELDS)
    word = fields.text("lint", required=True)
    lint = _read_lint(file, (*path, "lint"), word) if word else None
    places: dict[str, str] = {}
    for name in _PLACES:
        if name == "row":
            row = fields.count("row", None, 1)
            places |= {"row": str(row)} if row is not None else {}
        elif text := fields.text(name):
            places[name] = text
    reason, until = fields.text("reason"), fields.day("until", FOREVER)
    if len(reason) < _SHORTEST_REASON:
        what = "a silence without a reason" if not reason else f'"{reason}" is no reason'
        file.add(
            path,
            what,
            'write reason = "…": who reads it must be able to agree',
            key=True,
            code="silence-without-reason",
        )
        reason = ""
    if lint is None:
        return None
    if lint.about == "settings":
        file.add((*path, "lint"), f"{lint.id} cannot be silenced", "mend the settings")
        return None
    return Silence(lint, reason, places, until, file.name, file.place(path).row)


def _read_thresholds(file: RuleFile) -> dict[str, Thresholds]:
    own = {}
    for kind, values in _table(file, "thresholds").items():
        path = ("thresholds", kind)
        if not isinstance(values, dict):
            file.add(path, f"{kind} is not a table", f"write [thresholds.{kind}] above its fields")
            continue
        good = {}
        for name, value in values.items():
            if name not in FIELDS:
                file.add((*path, name), f"there is no threshold {name}", suggest(name, FIELDS), key=True)
            elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                file.add((*path, name), f"{name} is no number of at least 0", "write a number such as 0.05, or 20")
            else:
                good[name] = value
        own[kind] = Thresholds(**good)
    return own
