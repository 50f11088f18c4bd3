"""Cases in the form of the known answers: one JSON object a line, checked as a whole (semantics.md §H; docs/testing-rules.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from claimedits.app.testing.case_rows import row_problems
from claimedits.app.testing.case_tables import TABLES
from claimedits.app.testing.json_places import Path as ValuePath
from claimedits.app.testing.json_places import column_of, find_columns, read_path
from claimedits.engine.expectations import Expected
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import parse_day
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.sentences import suggest

CASE_FIELDS = (
    "id",
    "source",
    "evidence",
    "kind",
    "why",
    "rules",
    "claim",
    "options",
    "expect",
    "also_acceptable",
    "tags",
)
OPTION_FIELDS = ("as_of", "families", "switches")
FINDING_FIELDS = (
    "rule_id",
    "code",
    "message",
    "related_line_numbers",
    "citation",
    "adjustment",
    "overridable",
    "remedies",
    "detail",
)
"""Fields of a finding that an expectation may state; nested objects are compared in the fields that they state."""
EXPECT_FIELDS = ("line_number", "family", "status", *FINDING_FIELDS)
MOST_BYTES = 10_000_000
"""Of one line: a claim of a thousand lines with its tables stays far below."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: a claim, the tables it is decided with, and what is expected of each line."""

    id: str
    why: str
    file: str
    row: int
    """1-based line of the file."""
    fields: Mapping[str, Any]
    """The case as it stands in the file."""
    rules: Sequence[Mapping[str, Any]] | None
    """Rows of tables; None = the case names none, and is decided with a release of a store."""
    claim: Mapping[str, Any]
    as_of: str
    families: tuple[Family, ...]
    """Families to evaluate; empty = all."""
    switches: Mapping[str, str]
    expect: tuple[Expected, ...]
    offset: int = 0
    """Bytes before the line in its file."""

    @property
    def where(self) -> str:
        return f"{self.file}:{self.row}:1"


@dataclass(frozen=True, slots=True)
class BadCase:
    """A line of a corpus that is no case: every problem at its ``file:row:column``."""

    id: str
    where: str
    problems: tuple[Problem, ...]


def read_cases(path: Path, name: str = "") -> Iterator[Case | BadCase]:
    """The cases of a file in the order of its lines; blank lines are passed over, a bad line does not stop the next.

    Args:
        name: the file's name in messages; empty = the path.

    Raises:
        OSError: the file cannot be read.
    """
    name = name or str(path)
    seen: dict[str, int] = {}
    with path.open("rb") as file:
        row = at = 0
        while line := file.readline(MOST_BYTES + 1):
            row, offset, at = row + 1, at, at + len(line)
            if not line.strip():
                continue
            if len(line) > MOST_BYTES:
                while line and not line.endswith(b"\n"):
                    line = file.readline(MOST_BYTES)
                    at += len(line)
                problem = Problem(f"{name}:{row}:1", f"is longer than {MOST_BYTES} bytes", "write one case a line")
                yield BadCase("", problem.where, (problem,))
                continue
            case = _read_line(name, row, line)
            if isinstance(case, Case):
                case = replace(case, offset=offset)
            earlier = seen.setdefault(case.id, row) if case.id else row
            if earlier != row:
                problem = Problem(
                    f"{name}:{row}:1",
                    f"the id {case.id} stands twice, first in row {earlier}",
                    "give it an id of its own",
                )
                case = BadCase(case.id, problem.where, (problem,))
            yield case


def locate(case: Case, field_path: str) -> str:
    """``file:row:column`` of a field of a case; of the case itself where it does not stand in a file of JSON lines."""
    if not case.file.endswith(".jsonl"):
        return case.where
    return f"{case.file}:{case.row}:{column_of(_columns(case.file, case.offset), read_path(field_path))}"


@lru_cache(maxsize=16)
def _columns(file: str, offset: int) -> dict[ValuePath, int]:
    """The columns of the values of one line; where the file has changed meanwhile there are none."""
    with Path(file).open("rb") as opened:
        opened.seek(offset)
        text = opened.readline().decode("utf-8-sig", "replace")
    try:
        json.loads(text)
    except ValueError:
        return {}
    return find_columns(text)


def _read_line(name: str, row: int, line: bytes) -> Case | BadCase:
    where = f"{name}:{row}"

    def bad(column: int, what: str, mend: str) -> BadCase:
        return BadCase("", f"{where}:{column}", (Problem(f"{where}:{column}", what, mend),))

    try:
        text = line.decode("utf-8-sig" if row == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return bad(error.start + 1, "is not UTF-8", "save the file as UTF-8")
    try:
        fields = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return bad(error.colno, f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}", "write one JSON object a line")
    except RecursionError:
        return bad(1, "is nested too deeply", "write a case as in docs/testing-rules.md")
    except ValueError as error:
        return bad(1, f"is not JSON: {error}", "write numbers in digits")
    if not isinstance(fields, dict):
        return bad(1, "is no JSON object", "write a case as in docs/testing-rules.md")
    reader = CaseReader(fields)
    case = reader.read(name, row)
    if not reader.problems and case is not None:
        return case
    columns = find_columns(text)
    placed = sorted(
        (column_of(columns, read_path(p.where)), f"{p.where} {p.what}" if p.where else p.what, p.mend)
        for p in reader.problems
    )
    problems = tuple(Problem(f"{where}:{column}", what, mend) for column, what, mend in placed)
    identifier = fields.get("id")
    return BadCase(identifier if isinstance(identifier, str) else "", problems[0].where, problems)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


class CaseReader:
    """Reads the fields of one case; every problem is kept, with its field path."""

    def __init__(self, fields: Mapping[str, Any], *, may_expect_nothing: bool = False) -> None:
        self._fields, self._may_expect_nothing = fields, may_expect_nothing
        self.problems: list[Problem] = []

    def read(self, name: str, row: int) -> Case | None:
        fields = self._fields
        for field in fields:
            if field not in CASE_FIELDS:
                self._add(field, "is no field of a case", suggest(field, CASE_FIELDS))
        identifier = fields.get("id")
        if not isinstance(identifier, str) or not identifier.strip():
            self._add("id", "is missing" if identifier is None else "is no text", 'write "id": "…"')
        rules = self._rules()
        numbers = self._claim()
        as_of, families, switches = self._options()
        acceptable = self._acceptable()
        expect = self._expect(numbers, families, acceptable)
        if self.problems:
            return None
        return Case(
            str(identifier),
            str(fields.get("why", "")),
            name,
            row,
            fields,
            rules,
            fields["claim"],
            as_of,
            families,
            switches,
            expect,
        )

    def _add(self, where: str, what: str, mend: str = "") -> None:
        self.problems.append(Problem(where, what, mend))

    def _objects(self, where: str, value: object, what: str) -> list[Mapping[str, Any]]:
        """A list of objects; anything else is a problem."""
        if not isinstance(value, list):
            self._add(where, "is no list", f"write a list of {what}")
            return []
        for i, item in enumerate(value):
            if not isinstance(item, dict):
                self._add(f"{where}[{i}]", "is no object", f"write {what} as an object")
        return [item if isinstance(item, dict) else {} for item in value]

    def _rules(self) -> list[Mapping[str, Any]] | None:
        if self._fields.get("rules") is None:
            return None
        rows = self._objects("rules", self._fields["rules"], "rows")
        for i, row in enumerate(rows):
            if not isinstance(self._fields["rules"][i], dict):
                continue
            if not isinstance(row.get("rule_set"), str):
                self._add(f"rules[{i}]", "names no rule_set", 'write "rule_set": "medicare-ptp-practitioner"')
            else:
                kind = TABLES[row["rule_set"]][0] if row["rule_set"] in TABLES else "authored" if "kind" in row else ""
                for field, what, mend in row_problems(kind, row):
                    self._add(f"rules[{i}].{field}".rstrip("."), what, mend)
        return rows

    def _claim(self) -> set[int]:
        claim = self._fields.get("claim")
        if not isinstance(claim, dict):
            self._add("claim", "is missing" if claim is None else "is no object", "write the claim as an object")
            return set()
        try:
            return {line.line_number for line in read_claim(claim).lines}
        except ClaimInvalidError as error:
            for p in error.problems:
                self._add("claim" if p.where == "claim" else f"claim.{p.where}", p.what, p.mend)
            return set()

    def _options(self) -> tuple[str, tuple[Family, ...], Mapping[str, str]]:
        options = self._fields.get("options", {})
        if not isinstance(options, dict):
            self._add("options", "is no object", 'write "options": {"families": ["PTP"]}')
            return "", (), {}
        for field in options:
            if field not in OPTION_FIELDS:
                self._add(f"options.{field}", "is no option of a case", suggest(field, OPTION_FIELDS))
        as_of = options.get("as_of") or ""
        try:
            parse_day(as_of or "1900-01-01")
        except (ValueError, TypeError):
            self._add("options.as_of", "is not a date", 'write it like "2024-07-15", or leave it empty for today')
            as_of = ""
        families = options.get("families") or []
        if not isinstance(families, list):
            self._add("options.families", "is no list", 'write it like ["PTP"]')
            families = []
        read = [self._word(f"options.families[{i}]", family, Family) for i, family in enumerate(families)]
        switches = options.get("switches") or {}
        if not isinstance(switches, dict) or not all(isinstance(v, str) for v in switches.values()):
            self._add(
                "options.switches", "is no object of texts", 'write it like {"ptp.same_provider": "rendering_only"}'
            )
            switches = {}
        if switches and self._fields.get("rules") is None:
            what = "cannot be set: the case names no tables, and the release of a store has switches of its own"
            self._add("options.switches", what, "name the tables under rules, or leave the switches out")
        return as_of, tuple(dict.fromkeys(f for f in read if f)), switches

    def _word(self, where: str, word: object, words: Any) -> Any:
        if isinstance(word, str) and word in words.__members__:
            return words[word]
        what = "is missing" if word is None else f"is no {words.__name__.lower()}"
        self._add(
            where, what, suggest(str(word), list(words.__members__)) or f"use one of {', '.join(words.__members__)}"
        )
        return None

    def _acceptable(self) -> dict[tuple[int, Family], list[Status]]:
        found: dict[tuple[int, Family], list[Status]] = {}
        for i, row in enumerate(
            self._objects("also_acceptable", self._fields.get("also_acceptable") or [], "statuses")
        ):
            family = self._word(f"also_acceptable[{i}].family", row.get("family"), Family)
            status = self._word(f"also_acceptable[{i}].status", row.get("status"), Status)
            if family and status and isinstance(row.get("line_number"), int):
                found.setdefault((row["line_number"], family), []).append(status)
        return found

    def _expect(
        self, numbers: set[int], families: tuple[Family, ...], acceptable: Mapping[tuple[int, Family], list[Status]]
    ) -> tuple[Expected, ...]:
        rows = self._objects("expect", self._fields.get("expect") or [], "expected statuses")
        if not rows and not self._may_expect_nothing and not any(p.where == "expect" for p in self.problems):
            self._add("expect", "is missing or empty: the case tests nothing", "say what each line comes out as")
        found: dict[tuple[int, Family], Expected] = {}
        for i, row in enumerate(rows):
            expected = self._expected(f"expect[{i}]", row, numbers, families)
            if expected is not None:
                key = (expected.line_number, expected.family)
                if key in found:
                    what = f"line {key[0]} {key[1].name} is expected twice"
                    self._add(f"expect[{i}]", what, "expect the worst status alone")
                found[key] = expected._replace(acceptable=tuple(acceptable.get(key, ())))
        return tuple(found.values())

    def _expected(
        self, where: str, row: Mapping[str, Any], numbers: set[int], families: tuple[Family, ...]
    ) -> Expected | None:
        for field in row:
            if field not in EXPECT_FIELDS:
                self._add(f"{where}.{field}", "is nothing that can be expected", suggest(field, EXPECT_FIELDS))
        family = self._word(f"{where}.family", row.get("family"), Family)
        status = self._word(f"{where}.status", row.get("status"), Status)
        number = row.get("line_number")
        if numbers and (not isinstance(number, int) or isinstance(number, bool) or number not in numbers):
            self._add(
                f"{where}.line_number",
                "is missing" if number is None else f"is no line of the claim ({number})",
                f"use one of {', '.join(map(str, sorted(numbers)[:10]))}",
            )
            return None
        if family and families and family not in families:
            self._add(
                f"{where}.family", f"{family.name} is not among options.families", "add it there, or leave it out here"
            )
        if not family or not status or not isinstance(number, int):
            return None
        fields = {name: row[name] for name in FINDING_FIELDS if name in row}
        return Expected(number, family, status, fields)
