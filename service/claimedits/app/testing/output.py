"""The report of a run for people, for CI hosts and for programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.etree import ElementTree

import orjson

from claimedits.app.testing.report import TestReport, TestResult, summarise
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.problems import Problem

_PLACE = re.compile(r"(?P<file>.*?)(?::(?P<row>\d+)(?::(?P<column>\d+))?)?", re.S)
_LEVELS = {"FAIL": "error", "ERROR": "error"}
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def place_of(where: str) -> tuple[str, int, int]:
    """``file:row:column`` in parts; 1 where it names no row or column."""
    match = _PLACE.fullmatch(where)
    assert match
    return match["file"], int(match["row"] or 1), int(match["column"] or 1)


def text_of(report: TestReport, *, verbose: bool = False) -> Iterator[str]:
    """Lines for people: nothing where all is well, unless ``verbose`` asks for the skipped tests and the summary."""
    for result in report.results:
        if result.outcome in _LEVELS:
            yield f"{result.outcome} {result.id} ({result.where})"
            yield from (f"  {line}" for line in _body(result))
        elif result.outcome == "SKIPPED" and verbose:
            yield f"SKIPPED {result.id} ({result.where}): {result.reason}"
    yield from map(str, report.untested)
    if report.exercise:
        yield from report.exercise.lines()
    if report.mutation:
        yield from report.mutation.lines()
    if verbose or report.failed:
        yield summarise(report)


def _body(result: TestResult) -> Iterator[str]:
    if result.why and not result.id.endswith(result.why):
        yield f"why: {result.why}"
    yield from map(str, result.problems)
    yield from map(str, result.differences)
    if result.trace:
        yield "trace:"
        yield from (f"  {step}" for step in result.trace)


def json_of(report: TestReport) -> bytes:
    """The whole report as one JSON document."""
    document: dict[str, Any] = {
        "engine_version": ENGINE_VERSION,
        "ok": report.ok,
        "counts": {outcome.lower(): count for outcome, count in report.counts.items()},
        "tests": [_result_fields(result) for result in report.results],
        "untested_rules": [_problem_fields(p) for p in report.untested],
    }
    if report.exercise:
        document["coverage"] = report.exercise.fields()
    if report.mutation:
        document["mutation"] = report.mutation.fields()
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _result_fields(result: TestResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "suite": result.suite,
        "where": result.where,
        "why": result.why,
        "outcome": result.outcome,
        "reason": result.reason,
        "problems": [_problem_fields(p) for p in result.problems],
        "differences": [
            {
                "kind": d.kind,
                "line_number": d.line_number,
                "subject": d.subject,
                "finding": d.finding,
                "fields": [f._asdict() for f in d.fields],
            }
            for d in result.differences
        ],
        "trace": list(result.trace),
    }


def _problem_fields(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "what": problem.what, "mend": problem.mend}


def _concerns(report: TestReport) -> Iterator[tuple[str, str, str]]:
    """(place, title, text) of everything that a CI host shall show."""
    for result in report.results:
        if result.outcome in _LEVELS:
            for problem in result.problems:
                yield problem.where, f"{result.outcome} {result.id}", str(problem)
            if not result.problems:
                yield result.where, f"{result.outcome} {result.id}", "\n".join(_body(result))
    for problem in report.untested:
        yield problem.where, "rule without a test", str(problem)
    for part in (report.exercise, report.mutation):
        if part:
            yield from part.concerns()


def github_of(report: TestReport) -> Iterator[str]:
    """Workflow commands that GitHub shows as annotations."""

    def escaped(text: str, *, name: bool = False) -> str:
        pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if name else [])]
        for plain, code in pairs:
            text = text.replace(plain, code)
        return text

    for where, title, text in _concerns(report):
        file, row, column = place_of(where)
        place = f"file={escaped(file, name=True)},line={row},col={column},title={escaped(title, name=True)}"
        yield f"::error {place}::{escaped(text)}"


def azure_of(report: TestReport) -> Iterator[str]:
    """Logging commands that Azure Pipelines shows as issues."""
    for where, title, text in _concerns(report):
        file, row, column = place_of(where)
        said = f"{title}: {text}".replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")
        yield f"##vso[task.logissue type=error;sourcepath={file};linenumber={row};columnnumber={column}]{said}"


def junit_of(report: TestReport) -> bytes:
    """JUnit XML: a suite for each rule set or file of cases, as GitLab, Jenkins and others read it."""
    by_suite: dict[str, list[TestResult]] = {}
    for result in report.results:
        by_suite.setdefault(result.suite, []).append(result)
    root = ElementTree.Element("testsuites", name="claim-edits test")
    for name, results in by_suite.items():
        element = ElementTree.SubElement(root, "testsuite", name=_clean(name), tests=str(len(results)))
        for attribute, outcome in (("failures", "FAIL"), ("errors", "ERROR"), ("skipped", "SKIPPED")):
            element.set(attribute, str(sum(r.outcome == outcome for r in results)))
        for result in results:
            _junit_case(element, result)
    _junit_rest(root, report)
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _junit_case(suite: ElementTree.Element, result: TestResult) -> None:
    file, row, _ = place_of(result.where)
    case = ElementTree.SubElement(suite, "testcase", name=_clean(result.id), classname=_clean(result.suite))
    case.set("file", _clean(file))
    case.set("line", str(row))
    if result.outcome == "SKIPPED":
        ElementTree.SubElement(case, "skipped", message=_clean(result.reason))
    elif result.outcome in _LEVELS:
        body = list(_body(result))
        first = str(next(iter((*result.problems, *result.differences)), result.outcome))
        kind = "failure" if result.outcome == "FAIL" else "error"
        ElementTree.SubElement(case, kind, message=_clean(first)).text = _clean("\n".join(body))


def _junit_rest(root: ElementTree.Element, report: TestReport) -> None:
    """What is no test of its own: rules without a test, rows never exercised, mutants that live."""
    rest = [(p.where, "rule without a test", str(p)) for p in report.untested]
    rest += [concern for part in (report.exercise, report.mutation) if part for concern in part.concerns()]
    if rest:
        suite = ElementTree.SubElement(root, "testsuite", name="rules", tests=str(len(rest)), failures=str(len(rest)))
        for where, title, text in rest:
            case = ElementTree.SubElement(suite, "testcase", name=_clean(where), classname=_clean(title))
            ElementTree.SubElement(case, "failure", message=_clean(text))


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def sarif_of(report: TestReport) -> bytes:
    """SARIF 2.1.0, as code scanning reads it."""
    results = []
    for where, title, text in _concerns(report):
        file, row, column = place_of(where)
        region = {"startLine": row, "startColumn": column}
        location = {"artifactLocation": {"uri": file}, "region": region}
        results.append(
            {
                "ruleId": _sarif_rule(title),
                "level": "error",
                "message": {"text": f"{title}: {text}"},
                "locations": [{"physicalLocation": location}],
            }
        )
    rules = [{"id": name} for name in sorted({str(r["ruleId"]) for r in results})]
    driver = {"name": "claim-edits test", "version": ENGINE_VERSION, "rules": rules}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _sarif_rule(title: str) -> str:
    first = title.partition(" ")[0]
    names = {"FAIL": "test-failed", "ERROR": "test-in-error"}
    return names.get(first, title.replace(" ", "-"))


def _joined(lines: Callable[[TestReport], Iterable[str]]) -> Callable[[TestReport], bytes]:
    return lambda report: "".join(f"{line}\n" for line in lines(report)).encode()


FORMATS: dict[str, Callable[[TestReport], bytes]] = {
    "json": json_of,
    "junit": junit_of,
    "sarif": sarif_of,
    "github": _joined(github_of),
    "azure": _joined(azure_of),
}
"""Formats for programs and CI hosts, beside ``text``."""
