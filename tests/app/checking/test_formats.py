"""Findings for programs and CI hosts: well-formed, escaped, in one order, with places below the working directory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from claimedits.app.checking import LintFinding, Severity
from claimedits.app.checking.formats import FORMATS
from claimedits.rulesets.lints.catalogue import LINTS
from claimedits.rulesets.lints.lint import order_findings

BASE = Path("/checkout")
ODD = LintFinding(
    LINTS["CE101"],
    Severity.WARNING,
    "/checkout/rules/a b/lists/ü,%.csv",
    7,
    1,
    'row 7 & row <3>: 100 %\n"quoted"\x00\x0b',
    "remove it]]>",
    rule_set="acme",
)
ROW = LintFinding(
    LINTS["CE403"], Severity.ERROR, "ccipra-v302r0-f2.TXT", 370253, 1, "row 370253: the indicator was 0", "compare",
    rule="medicare-ptp-practitioner/32408+64405", rule_set="medicare-ptp-practitioner", revision="sha256:" + "a" * 64,
)  # fmt: skip
WHOLE = LintFinding(
    LINTS["CE315"], Severity.INFO, "ccipra-v302r0-f1.TXT", 0, 0, "nothing differs", "", revision="sha256:b"
)
FINDINGS = [ODD, ROW, WHOLE]


def render(name: str, findings: list[LintFinding] = FINDINGS) -> str:
    return FORMATS[name](findings, BASE).decode()


def test_text() -> None:
    assert render("text", [ROW, WHOLE]).splitlines() == [
        "ccipra-v302r0-f2.TXT:370253:1: error CE403: row 370253: the indicator was 0; compare",
        "ccipra-v302r0-f1.TXT: info CE315: nothing differs",
    ]


@pytest.mark.parametrize(("name", "empty"), [("text", ""), ("json", "[]\n"), ("github", ""), ("gitlab", "[]\n")])
def test_nothing_found(name: str, empty: str) -> None:
    assert render(name, []) == empty


def test_github_annotations_are_escaped() -> None:
    first, second, third = render("github").split("\n::")
    assert first == (
        "::warning file=rules/a b/lists/ü%2C%25.csv,line=7,col=1,title=CE101 unreachable-row::"
        'row 7 & row <3>: 100 %25%0A"quoted"\x00\x0b; remove it]]>'
    )
    assert second == (
        "error title=CE403 indicator-changed-in-place::ccipra-v302r0-f2.TXT:370253:1: row 370253: the indicator was 0; compare"
    )
    assert third == "notice title=CE315 nothing-changed::ccipra-v302r0-f1.TXT: nothing differs\n"


def test_junit_is_well_formed_whatever_the_text() -> None:
    root = ElementTree.fromstring(render("junit"))
    (suite,) = root
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "3")
    case = suite[0]
    assert case.attrib == {
        "classname": "CE101 unreachable-row",
        "name": "/checkout/rules/a b/lists/ü,%.csv:7:1",
        "file": "rules/a b/lists/ü,%.csv",
        "line": "7",
    }
    (failure,) = case
    assert failure.attrib["type"] == "warning"
    assert failure.text is not None and failure.text.endswith(
        'row 7 & row <3>: 100 %\n"quoted"\ufffd\ufffd; remove it]]>'
    )


def test_junit_of_nothing_shows_that_check_ran() -> None:
    (suite,) = ElementTree.fromstring(render("junit", []))
    assert [(case.attrib["name"], len(case)) for case in suite] == [("no findings", 0)]
    assert suite.attrib["failures"] == "0"


def test_gitlab_code_quality() -> None:
    entries = json.loads(render("gitlab"))
    assert [set(entry) for entry in entries] == [
        {"description", "check_name", "fingerprint", "severity", "location"}
    ] * 3
    assert [entry["severity"] for entry in entries] == ["major", "critical", "info"]
    assert entries[0]["location"] == {"path": "rules/a b/lists/ü,%.csv", "lines": {"begin": 7}}
    assert entries[2]["location"] == {"path": "ccipra-v302r0-f1.TXT", "lines": {"begin": 1}}
    assert len({entry["fingerprint"] for entry in entries}) == 3


def test_sarif_has_what_the_schema_requires() -> None:
    log = json.loads(render("sarif"))
    assert (log["version"], log["$schema"].rpartition("/")[2]) == ("2.1.0", "sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == list(LINTS)
    for rule in driver["rules"]:
        assert rule["helpUri"].startswith("file:///") and rule["helpUri"].endswith(LINTS[rule["id"]].page)
        assert rule["shortDescription"]["text"] and rule["help"]["markdown"].startswith(f"# {rule['id']} ")
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for finding, result in zip(FINDINGS, run["results"], strict=True):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.lint.id
        assert result["message"]["text"] == finding.message
        assert result["partialFingerprints"] == {"claimEdits/v1": finding.fingerprint}
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert unquote(places[0]["artifactLocation"]["uri"]) == "rules/a b/lists/ü,%.csv"
    assert places[0]["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
    assert places[0]["region"] == {"startLine": 7, "startColumn": 1}
    assert "region" not in places[2]
    assert [result["level"] for result in run["results"]] == ["warning", "error", "note"]


def test_file_outside_the_working_directory_keeps_its_path() -> None:
    outside = replace(ODD, file="/elsewhere/rules/x.csv")
    (entry,) = json.loads(render("json", [outside]))
    assert entry["file"] == "/elsewhere/rules/x.csv"
    location = json.loads(render("sarif", [outside]))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "/elsewhere/rules/x.csv"}


def test_fingerprint_stays_when_rows_move() -> None:
    moved = replace(ODD, row=9, what=ODD.what.replace("row 7", "row 9").replace("row <3>", "row <3>"))
    assert moved.fingerprint == ODD.fingerprint
    assert replace(ODD, file="rules/other/lists/x.csv").fingerprint != ODD.fingerprint


def test_order_and_fingerprints_do_not_depend_on_the_order_found() -> None:
    alike = [replace(ODD, row=row, what=f"row {row}: the same") for row in (2, 9, 5)]
    forward, backward = order_findings([*alike, *FINDINGS]), order_findings([*FINDINGS, *reversed(alike)])
    assert forward == backward
    assert len({finding.fingerprint for finding in forward}) == len(forward)
