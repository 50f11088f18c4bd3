"""Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), as code hosts take them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from claimedits.app.shipped import find_lint_pages
from claimedits.engine.version import ENGINE_VERSION
from claimedits.rulesets.lints.catalogue import LINTS
from claimedits.rulesets.lints.lint import Lint, LintFinding, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "SRCROOT"


def sarif_log(
    findings: Sequence[LintFinding], base: Path, path_of: Callable[[LintFinding, Path], str]
) -> dict[str, Any]:
    """One run with every lint as a rule, and a result a finding; places are relative to ``base``."""
    numbers = {lint_id: i for i, lint_id in enumerate(LINTS)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "claim-edits check",
                        "version": ENGINE_VERSION,
                        "rules": [_rule(lint) for lint in LINTS.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"uri": base.as_uri() + "/"}},
                "results": [_result(finding, numbers[finding.lint.id], path_of(finding, base)) for finding in findings],
            }
        ],
    }


def _rule(lint: Lint) -> dict[str, Any]:
    page = find_lint_pages() / lint.page
    text = page.read_text(encoding="utf-8") if page.exists() else lint.summary
    return {
        "id": lint.id,
        "name": "".join(word.capitalize() for word in lint.name.split("-")),
        "shortDescription": {"text": f"{lint.summary[0].upper()}{lint.summary[1:]}."},
        "helpUri": f"{page.resolve().as_uri()}",
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[lint.severity]},
        "properties": {"about": lint.about},
    }


def _result(finding: LintFinding, number: int, path: str) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(path)}}
    if not path.startswith("/"):
        location["artifactLocation"]["uriBaseId"] = _ROOT
    if finding.row:
        location["region"] = {"startLine": finding.row, "startColumn": max(1, finding.column)}
    properties = {
        name: value
        for name, value in (("rule", finding.rule), ("ruleSet", finding.rule_set), ("revision", finding.revision))
        if value
    }
    return {
        "ruleId": finding.lint.id,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"claimEdits/v1": finding.fingerprint},
        "properties": properties,
    }
