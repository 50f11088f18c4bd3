"""Problems that keep a rule set from compiling, as findings with a place of their own."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

from claimedits.model.problems import Problem
from claimedits.rulesets.authored.positions import Positions
from claimedits.rulesets.lints.catalogue import BY_NAME, LINTS
from claimedits.rulesets.lints.lint import LintFinding
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.table_rules import TABLES

_NOT_UNDERSTOOD = "CE100"
_PLACE = re.compile(r"(?P<file>[^:]+)(:(?P<row>\d+)(:(?P<column>[^:]+))?)?(?P<rest>:.*)?")
_COUNTED = re.compile(r"\[\[(?P<kind>document|group)\]\] (?P<number>\d+):(?: (?P<field>\w+):)?")
_RULE = re.compile(r"\[\[rule\]\]|\brule\b")


def as_finding(directory: str, kind: str, problem: Problem, report: Report) -> LintFinding:
    """The finding that a problem of a rule set in ``directory`` is; ``where`` is ``file:row:column`` or near it."""
    match = _PLACE.fullmatch(problem.where)
    assert match is not None  # every place begins with a file
    file, row, column, rest = match["file"], match["row"], match["column"], match["rest"] or ""
    lint = BY_NAME[problem.code] if problem.code in BY_NAME else LINTS[_NOT_UNDERSTOOD]
    said = rest.lstrip(":").strip()
    name = column if column and not column.isdigit() else ""
    about = " ".join(filter(None, (f"row {row}:" if row and kind in TABLES else "", name, f"{said}:" if said else "")))
    what = f"{about} {problem.what}".strip()
    place = (f"{directory}/{file}", int(row or 1), _column(file, kind, column))
    return LintFinding(lint, lint.severity, *place, what, problem.mend, "", report.rule_set, "", "")


def place_tables(path: Path, finding: LintFinding) -> LintFinding:
    """A finding about ``[[document]] 2`` or ``[[group]] 3`` of a file of curated roles, placed where that stands."""
    match = _COUNTED.match(finding.what)
    file = path / Path(finding.file).name
    if match is None or not file.exists():
        return finding
    try:
        text = file.read_text(encoding="utf-8")
        documents = tomllib.loads(text)["document"]
        tables: list[tuple[str | int, ...]] = [("document", d) for d in range(len(documents))]
        if match["kind"] == "group":
            tables = [
                ("document", d, "group", g) for d, one in enumerate(documents) for g in range(len(one.get("group", ())))
            ]
        row, column = Positions(text).of((*tables[int(match["number"]) - 1], *filter(None, (match["field"],))))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):  # the file is not of that form: said already
        return finding
    return replace(finding, row=row, column=column)


def _column(file: str, kind: str, column: str | None) -> int:
    if column is None:
        return 1
    if column.isdigit():
        return int(column)
    columns = TABLES.get(kind, {}).get(file.removesuffix(".csv"), ())
    return columns.index(column) + 1 if column in columns else 1
