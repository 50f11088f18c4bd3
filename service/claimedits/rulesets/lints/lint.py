"""What a lint is, and what it finds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import PurePath

from claimedits.model.problems import Problem

_ROWS = re.compile(r"\b(rows?|record) [\d,]+|:\d+(:\d+)?")


class Severity(IntEnum):
    """How much a finding matters, from least to most."""

    INFO = 1
    """Worth knowing; nothing has to be done."""
    WARNING = 2
    """Somebody has to look, and mend it or say why it stands."""
    ERROR = 3
    """Wrong: it must not go live."""


@dataclass(slots=True, frozen=True)
class Lint:
    """One thing that is looked for. Its page is ``docs/lints/ID-name.md``."""

    id: str
    """``CE101``: never reused, never renamed."""
    name: str
    severity: Severity
    """Unless ``lints.toml`` says otherwise."""
    about: str
    """``settings``, ``rules``, ``tests`` or ``revisions``."""
    summary: str
    """One sentence, the title of its page."""

    @property
    def page(self) -> str:
        """File name of its page."""
        return f"{self.id}-{self.name}.md"


@dataclass(slots=True, frozen=True)
class LintFinding:
    """One place where a lint found something."""

    lint: Lint
    severity: Severity
    file: str
    """Path of the file, or name of the publisher's file that a row came from."""
    row: int
    """1-based row (line of a TOML file, record of a table); 0 = the file as a whole."""
    column: int
    """1-based column; 0 = the row as a whole."""
    what: str
    mend: str
    rule: str = ""
    """Id of the authored rule, or rule id of the edit as findings cite it."""
    rule_set: str = ""
    revision: str = ""
    """Id of the imported revision."""
    subject: str = ""
    """What it is about without row numbers: names the finding when rows move."""
    occurrence: int = 0
    """Counts findings that are alike in everything but their row."""

    @property
    def where(self) -> str:
        """``file:row:column``, as editors understand it."""
        row = f":{self.row}" if self.row else ""
        return f"{self.file}{row}{f':{self.column}' if self.row and self.column else ''}"

    @property
    def message(self) -> str:
        """What is wrong, and how to mend it."""
        return self.what + (f"; {self.mend}" if self.mend else "")

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that stay the same when rows move, for programs that follow findings over time."""
        # The name of the file, whatever lies above it: the rule set is named by its id.
        place = PurePath(self.file).name
        subject = self.subject or _ROWS.sub(r"\1", self.what)
        words = (self.lint.id, place, self.rule_set, self.rule, subject, str(self.occurrence))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]

    def as_problem(self) -> Problem:
        """The finding as a problem of an import or a release is said."""
        return Problem(self.where, self.what, self.mend, self.lint.id)

    def __str__(self) -> str:
        return f"{self.where}: {self.severity.name.lower()} {self.lint.id}: {self.message}"


def order_findings(findings: Iterable[LintFinding]) -> list[LintFinding]:
    """Each finding once, by file, place and lint; those that are alike are counted, so that fingerprints differ."""
    ordered = sorted(set(findings), key=lambda f: (f.file, f.revision, f.row, f.column, f.lint.id, f.what))
    seen: dict[str, int] = {}
    counted = []
    for finding in ordered:
        key = finding.fingerprint
        counted.append(replace(finding, occurrence=seen.get(key, 0)))
        seen[key] = seen.get(key, 0) + 1
    return counted
