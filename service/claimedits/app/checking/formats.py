"""Findings of lints in the forms that people, programs and CI hosts read. The same findings give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson

from claimedits.app.checking.sarif import sarif_log
from claimedits.rulesets.lints.lint import LintFinding, Severity

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_GITLAB = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def relative_path(finding: LintFinding, base: Path) -> str:
    """Path of the finding's file from ``base``, where it lies below it; else as it is. Rows of publishers' files name the file."""
    path = Path(finding.file)
    if finding.revision or not path.is_absolute():
        return Path(finding.file).as_posix()
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def render_text(findings: Sequence[LintFinding], base: Path) -> bytes:
    """One line a finding, ``file:row:column: severity ID: what; how to mend it``. Nothing where there is none."""
    return "".join(f"{finding}\n" for finding in findings).encode()


def finding_fields(finding: LintFinding, base: Path) -> dict[str, Any]:
    """A finding as JSON fields."""
    return {
        "lint": finding.lint.id,
        "name": finding.lint.name,
        "severity": finding.severity.name.lower(),
        "where": finding.where,
        "file": relative_path(finding, base),
        "row": finding.row,
        "column": finding.column,
        "what": finding.what,
        "mend": finding.mend,
        "rule": finding.rule,
        "rule_set": finding.rule_set,
        "revision": finding.revision,
        "fingerprint": finding.fingerprint,
    }


def render_json(findings: Sequence[LintFinding], base: Path) -> bytes:
    """A JSON array of findings."""
    return _dump([finding_fields(finding, base) for finding in findings])


def render_sarif(findings: Sequence[LintFinding], base: Path) -> bytes:
    """A SARIF 2.1.0 log."""
    return _dump(sarif_log(findings, base, relative_path))


def render_gitlab(findings: Sequence[LintFinding], base: Path) -> bytes:
    """A code quality report of GitLab. Every entry has the line that GitLab asks for; 1 stands for a file as a whole."""
    return _dump(
        [
            {
                "description": f"{finding.lint.id} {finding.message}",
                "check_name": finding.lint.id,
                "fingerprint": finding.fingerprint,
                "severity": _GITLAB[finding.severity],
                "location": {"path": relative_path(finding, base), "lines": {"begin": max(1, finding.row)}},
            }
            for finding in findings
        ]
    )


def render_github(findings: Sequence[LintFinding], base: Path) -> bytes:
    """Workflow commands of GitHub Actions: an annotation a finding, at its place where the file is one of the checkout."""
    lines = []
    for finding in findings:
        properties = {"title": f"{finding.lint.id} {finding.lint.name}"}
        message = finding.message
        if finding.revision:
            message = f"{finding.where}: {message}"
        else:
            properties = {
                "file": relative_path(finding, base),
                "line": str(max(1, finding.row)),
                "col": str(max(1, finding.column)),
                **properties,
            }
        said = ",".join(f"{name}={_escape(value, property_value=True)}" for name, value in properties.items())
        lines.append(f"::{_GITHUB[finding.severity]} {said}::{_escape(message)}\n")
    return "".join(lines).encode()


def _escape(text: str, *, property_value: bool = False) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if property_value else escaped


def render_junit(findings: Sequence[LintFinding], base: Path) -> bytes:
    """JUnit XML: a failed test a finding; one that passed where there is none, so that a host shows that it ran."""
    root = ElementTree.Element("testsuites", name="claim-edits check")
    suite = ElementTree.SubElement(root, "testsuite", name="claim-edits check")
    for finding in findings:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_plain(f"{finding.lint.id} {finding.lint.name}"),
            name=_plain(finding.where),
            file=_plain(relative_path(finding, base)),
            line=str(finding.row),
        )
        failure = ElementTree.SubElement(
            case, "failure", type=f"{finding.severity.name.lower()}", message=_plain(finding.what)
        )
        failure.text = _plain(str(finding))
    if not findings:
        ElementTree.SubElement(suite, "testcase", classname="claim-edits check", name="no findings")
    count = {"tests": str(max(1, len(findings))), "failures": str(len(findings)), "errors": "0", "skipped": "0"}
    for element in (root, suite):
        element.attrib.update(count)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + written + b"\n"


def _plain(text: str) -> str:
    """The text without what XML cannot hold."""
    return _NOT_IN_XML.sub("�", text)


def _dump(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


FORMATS: Mapping[str, Callable[[Sequence[LintFinding], Path], bytes]] = {
    "text": render_text,
    "json": render_json,
    "junit": render_junit,
    "sarif": render_sarif,
    "github": render_github,
    "gitlab": render_gitlab,
}
"""By the word of the command line."""
