"""Tests beside rule sets of tables (``ncci-conventions``, ``duplicates``, ``code-edits``): a claim in a few words, as a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from claimedits.app.testing.cases import BadCase, Case, CaseReader
from claimedits.engine.authored.rule_tests import LINE_FIELDS, TEST_FIELDS, claim_of, read_test_files
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.authored.fields import RuleFile
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.table_rules import read_rule_set_head

_OF_AUTHORED = ("rules", "fee_schedule", "modifiers", "diagnosis_titles", "findings")
FIELDS = (*(name for name in TEST_FIELDS if name not in _OF_AUTHORED), "families", "rows")
"""``rows`` are rows of tables as in a case; ``families`` those that are evaluated."""
FAMILIES = {"duplicates": ["DUPLICATE"], "code-edits": ["CODE_VALIDITY"]}
"""What a test evaluates that names no families, by kind of rule set."""
_PATHS = {"claim": (), "options": (), "rules": ("rows",)}


def read_table_tests(directory: Path, name: str) -> Iterator[Case | BadCase]:
    """The tests beside a rule set of tables, in the order of files and rows.

    Raises:
        ImportRefusedError: a test file cannot be read; with every problem.
    """
    problems: list[Problem] = []
    head = read_rule_set_head(directory, problems)
    files = read_test_files(directory, problems)
    if problems:
        raise ImportRefusedError(problems, f"{directory.name}: its tests cannot be read")
    for file in files:
        for number, test in enumerate(file.values.get("test", ())):
            yield _read(file, number, test, head, f"{name}/{file.name}")


def _read(file: RuleFile, number: int, test: Mapping[str, Any], head: Mapping[str, Any], name: str) -> Case | BadCase:
    place = file.place(("test", number))
    why = test.get("why")
    identifier = f"{head.get('id')}/{why or f'{name}:{place.row}'}"
    problems: list[Problem] = []

    def add(path: tuple[str | int, ...], what: str, mend: str) -> None:
        where = file.place(("test", number, *path))
        problems.append(Problem(f"{name}:{where.row}:{where.column}", what, mend))

    for field in test:
        if field not in FIELDS:
            add((field,), f"a test has no field {field}", suggest(field, FIELDS))
    for kind in ("line", "history"):
        for i, line in enumerate(test.get(kind, ())):
            for field in line if isinstance(line, Mapping) else ():
                if field not in LINE_FIELDS:
                    add((kind, i, field), f"a line of a test has no field {field}", suggest(field, LINE_FIELDS))
    if not isinstance(why, str) or "expect" not in test:
        add(
            (),
            f"the test has no {'why' if not isinstance(why, str) else 'expect'}",
            "a test has a why, a line and an expect",
        )
    if problems:
        return BadCase(identifier, problems[0].where, tuple(problems))
    try:
        fields = _fields(test, head, identifier)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        add((), f"a field of the test is missing or has another form: {error}", "write it as in docs/testing-rules.md")
        return BadCase(identifier, problems[0].where, tuple(problems))
    reader = CaseReader(fields, may_expect_nothing=True)
    case = reader.read(name, place.row)
    for p in reader.problems:
        first = p.where.partition(".")[0].partition("[")[0]
        add(_PATHS.get(first, (first,)), f"{p.where} {p.what}", p.mend)
    if case is None:
        return BadCase(identifier, problems[0].where, tuple(problems))
    return case


def _fields(test: Mapping[str, Any], head: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    """The test as the fields of a case. The rule set it stands beside is loaded."""
    options = {
        "as_of": test.get("as_of", ""),
        "families": test.get("families", FAMILIES.get(str(head.get("kind")), [])),
    }
    if "switches" in test:
        options["switches"] = test["switches"]
    return {
        "id": identifier,
        "why": test["why"],
        "rules": [*test.get("rows", ()), {"rule_set": head["id"], "loaded": True}],
        "claim": claim_of(test),
        "options": options,
        "expect": [_expected(item) for item in test["expect"]],
    }


def _expected(item: object) -> Mapping[str, Any]:
    """``2 PTP FAIL PTP_CONFLICT`` as fields; a table stands for itself."""
    if isinstance(item, Mapping):
        return {("line_number" if name == "line" else name): value for name, value in item.items()}
    parts = str(item).split()
    if not 3 <= len(parts) <= 4 or not parts[0].isdigit():
        raise ValueError(
            f"{item!r} is not understood; write line, family, status, code, such as 2 PTP FAIL PTP_CONFLICT"
        )
    fields: dict[str, Any] = {"line_number": int(parts[0]), "family": parts[1], "status": parts[2]}
    return fields | ({"code": parts[3]} if len(parts) == 4 else {})
