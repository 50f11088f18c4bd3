"""``gate.toml``: what an update may change without anybody's word, and what was approved, by whom and why.

```toml
[claims]
newly_failing = "0.5 %"

[[approval]]
limit = "rows.retroactive"
rule_set = "medicare-ptp-practitioner"
revision = "sha256:6a1821ff…"        # the new one; an approval holds for this edition only
most = 12
by = "J. Doe, coding compliance"
reason = "therapy edits reinstated as of 2020-10-01; claims since then are re-billed"
```
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import resources
from pathlib import Path

from claimedits.app.checking import Severity
from claimedits.model.dates import FOREVER, Day
from claimedits.model.problems import Problem, ProblemsError
from claimedits.rulesets.authored.fields import Fields, RuleFile
from claimedits.rulesets.authored.reading import read_rule_file
from claimedits.rulesets.authored.sentences import suggest

_DEFAULT = "default-policy.toml"
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_SEVERITIES = tuple(severity.name.lower() for severity in reversed(Severity))
_SECTIONS = ("check", "test", "rows", "claims", "speed", "approval")
_BY_REVISION = ("rows.retroactive", "rows.removed")
"""Limits that hold for each rule set, so that an approval may name the revision alone."""
APPROVABLE = (
    *_BY_REVISION,
    "rows.rule_sets_lost",
    "claims.newly_failing",
    "claims.newly_passing",
    "claims.no_longer_evaluated",
    "claims.changed_reason",
)
"""Limits that an approval may lift."""
_ID = re.compile(r"(sha256:)?[0-9a-f]{6,64}…?")


class PolicyError(ProblemsError):
    """A policy that cannot be read; every problem is named at its ``file:row:column``."""


@dataclass(slots=True, frozen=True)
class Limit:
    """The most that may be: a number, or a share of a whole."""

    most: Fraction
    """Exact: 29 of 100 are within "29 %"."""
    is_share: bool

    def allows(self, number: int, whole: int) -> bool:
        """Whether ``number`` of ``whole`` is within the limit; nothing of nothing is."""
        return number <= self.most * whole if self.is_share else number <= self.most

    def __str__(self) -> str:
        return f"{float(100 * self.most):g} %" if self.is_share else f"{self.most}"


@dataclass(slots=True, frozen=True)
class Approval:
    """Somebody's word that a limit may be passed, for one edition or one release."""

    limit: str
    """One of ``APPROVABLE``."""
    by: str
    reason: str
    most: int
    """Rows or claims that it covers, no more."""
    rule_set: str = ""
    revision: str = ""
    """Beginning of the id of the new revision; with it the approval holds for that edition only."""
    release: str = ""
    """Beginning of the id of the new release."""
    until: Day = FOREVER


@dataclass(slots=True, frozen=True)
class Policy:
    """What the gate asks."""

    fail_on: Severity = Severity.WARNING
    tests_required: bool = False
    coverage_minimum: float | None = None
    limits: dict[str, Limit] = field(default_factory=dict)
    """By name, ``rows.retroactive``; what is not there is not asked."""
    claims_required: bool = True
    slower_than: float | None = None
    approvals: Sequence[Approval] = ()
    source: str = ""
    """The file, as it was given."""


_LIMITS = {
    "rows": ("retroactive", "removed", "rule_sets_lost"),
    "claims": ("newly_failing", "newly_passing", "no_longer_evaluated", "changed_reason", "refused"),
}


def default_policy_text() -> str:
    """The file that holds when no policy is given."""
    return resources.files("claimedits.app.gating").joinpath(_DEFAULT).read_text("utf-8")


def default_policy() -> Policy:
    """What is asked when nobody says otherwise."""
    return parse_policy("the default policy", default_policy_text().encode())


def read_policy(path: Path | None) -> Policy:
    """The policy of a file; None = the default one.

    Raises:
        PolicyError: it is no policy.
        OSError: it cannot be read.
    """
    return default_policy() if path is None else parse_policy(path.as_posix(), path.read_bytes())


def parse_policy(name: str, content: bytes) -> Policy:
    """A policy from the bytes of its file.

    Raises:
        PolicyError: with every problem.
    """
    problems: list[Problem] = []
    file = read_rule_file(name, content, problems)
    policy = _read(file) if file is not None else Policy()
    if problems:
        raise PolicyError(sorted(problems, key=_place), f"{name} is no policy")
    return policy


def _place(problem: Problem) -> tuple[int, int]:
    row, column = problem.where.split(":")[-2:]
    return int(row), int(column)


def _read(file: RuleFile) -> Policy:
    top = Fields(file, (), file.values, "the policy")
    top.refuse_unknown(_SECTIONS)
    empty = Fields(file, (), {}, "")
    check, test, speed = (top.table(name) or empty for name in ("check", "test", "speed"))
    check.refuse_unknown(("fail_on",))
    test.refuse_unknown(("required", "coverage_minimum"))
    speed.refuse_unknown(("slower_than",))
    limits = {}
    for section, names in _LIMITS.items():
        fields = top.table(section) or empty
        fields.refuse_unknown(names if section == "rows" else (*names, "required"))
        for limit_name in names:
            limit = _read_limit(file, section, limit_name)
            if limit is not None:
                limits[f"{section}.{limit_name}"] = limit
    return Policy(
        fail_on=Severity[check.word("fail_on", _SEVERITIES, "warning").upper()],
        tests_required=_truth(file, "test", "required", False),
        coverage_minimum=_number(file, "test", "coverage_minimum"),
        limits=limits,
        claims_required=_truth(file, "claims", "required", True),
        slower_than=_number(file, "speed", "slower_than"),
        approvals=tuple(_read_approvals(file)),
        source=file.name,
    )


def _value(file: RuleFile, section: str, name: str) -> object:
    table = file.values.get(section)
    return table.get(name) if isinstance(table, dict) else None


def _read_limit(file: RuleFile, section: str, name: str) -> Limit | None:
    value = _value(file, section, name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Limit(Fraction(value), False)
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match and Fraction(match[1]) <= 100:
        return Limit(Fraction(match[1]) / 100, True)
    file.add((section, name), f"{name} is no limit", 'write a number of them, such as 10, or a share, such as "0.5 %"')
    return None


def _truth(file: RuleFile, section: str, name: str, default: bool) -> bool:
    value = _value(file, section, name)
    if value is None or isinstance(value, bool):
        return default if value is None else value
    file.add((section, name), f"{name} is neither true nor false", "write true or false, without quotes")
    return default


def _number(file: RuleFile, section: str, name: str) -> float | None:
    value = _value(file, section, name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    file.add((section, name), f"{name} is no number above 0", "write it without quotes, such as 1.2")
    return None


def _read_approvals(file: RuleFile) -> list[Approval]:
    approvals = []
    values = file.values.get("approval", [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        file.add(("approval",), "approval is not a list of tables", "write [[approval]] above its fields")
        return []
    for number, value in enumerate(values):
        path = ("approval", number)
        fields = Fields(file, path, value, "[[approval]]")
        fields.refuse_unknown(("limit", "by", "reason", "most", "rule_set", "revision", "release", "until"))
        limit = fields.text("limit", required=True)
        if limit and limit not in APPROVABLE:
            fields.add("limit", f"{limit} is no limit that can be approved", suggest(limit, APPROVABLE))
        most = fields.count("most", None, 1)
        if most is None and "most" not in value:
            file.add(path, "[[approval]] has no most", "write most = and how many rows or claims it covers", key=True)
        approval = Approval(
            limit,
            fields.text("by", required=True),
            fields.text("reason", required=True),
            most or 0,
            fields.text("rule_set"),
            fields.text("revision"),
            fields.text("release"),
            fields.day("until", FOREVER),
        )
        _check_object(file, path, fields, approval)
        approvals.append(approval)
    return approvals


def _check_object(file: RuleFile, path: tuple[str | int, ...], fields: Fields, approval: Approval) -> None:
    """An approval is of something that can be looked at, and that the limit is about."""
    for name in ("revision", "release"):
        word = getattr(approval, name)
        if word and not _ID.fullmatch(word):
            fields.add(name, f"{name} is no id", "write it as the gate shows it, at least six digits: sha256:6a1821ff")
    if approval.limit not in APPROVABLE:
        return
    if approval.limit not in _BY_REVISION:
        for name in ("revision", "rule_set"):
            if getattr(approval, name):
                what = f"{approval.limit} is about the whole release, and {name} names a part of it"
                fields.add(name, what, "write release = and the id of the release instead")
        if not approval.release and not approval.revision:
            what = "[[approval]] names no release"
            file.add(path, what, "write the id of what was looked at: an approval holds for nothing else", key=True)
    elif not approval.revision and not approval.release:
        what = "[[approval]] names neither a revision nor a release"
        file.add(path, what, "write the id of what was looked at: an approval holds for nothing else", key=True)
