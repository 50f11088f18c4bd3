"""Reads the files of a rule set directory: rule files, code lists, switches. Nothing is judged here but their form."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimedits.model.dates import parse_day
from claimedits.model.problems import Problem
from claimedits.rulesets.authored.code_lists import ListRow, read_list
from claimedits.rulesets.authored.fields import RuleFile
from claimedits.rulesets.authored.positions import DEEPEST, Positions
from claimedits.rulesets.authored.vocabulary import LIST_NAME
from claimedits.rulesets.revision import Source
from claimedits.rulesets.table_rules import read_rule_set_head

MOST_BYTES = 1_000_000
"""Of one rule file: some 2,000 rules."""
LINT_SETTINGS = "lints.toml"
"""Which findings of ``claim-edits check`` stand, and why (``rulesets.lints.settings``); no part of the rules."""
SWITCH_COLUMNS = ("name", "value", "allowed", "effective_from", "effective_to", "source")
_SYNTAX = re.compile(r"(?P<what>.*) \(at (?:line (?P<row>\d+), column (?P<column>\d+)|end of document)\)", re.S)


@dataclass(slots=True)
class RuleSetFiles:
    """What stands in the directory of one authored rule set."""

    head: dict[str, Any]
    rule_files: list[tuple[int, RuleFile]] = field(default_factory=list)
    """With the position of each file in ``sources``."""
    list_names: set[str] = field(default_factory=set)
    """Every list there is, also one that could not be read."""
    list_rows: list[tuple[int, ListRow]] = field(default_factory=list)
    switch_rows: list[tuple[int, int, dict[str, str]]] = field(default_factory=list)
    """(source, row, cells)."""
    sources: list[Source] = field(default_factory=list)
    code_families: frozenset[str] | None = None
    """Names of the code families of ``ncci-conventions`` beside the directory; None = not there."""


def read_directory(directory: Path, problems: list[Problem]) -> RuleSetFiles:
    """Every file of the rule set; problems of form are added to ``problems``, the rest is read all the same."""
    files = RuleSetFiles(read_rule_set_head(directory, problems))
    head = directory / "rule-set.toml"
    if head.exists():
        files.sources.append(_source("rule-set.toml", head.read_bytes()))
    for path in sorted(directory.glob("*.toml")):
        if path.name not in ("rule-set.toml", LINT_SETTINGS) and not path.name.endswith("tests.toml"):
            source = len(files.sources)
            content = _read(path, path.name, files, problems)
            if content is not None:
                rule_file = read_rule_file(path.name, content, problems)
                if rule_file is not None:
                    files.rule_files.append((source, rule_file))
    for path in sorted((directory / "lists").glob("*")):
        _read_list(path, files, problems)
    switches = directory / "switches.csv"
    if switches.exists():
        source = len(files.sources)
        content = switches.read_bytes()
        files.sources.append(_source(switches.name, content))
        files.switch_rows.extend((source, row, cells) for row, cells in _read_switches(content, problems))
    files.code_families = _code_families(directory.parent / "ncci-conventions" / "code-families.csv")
    return files


def _source(name: str, content: bytes) -> Source:
    return Source(name, hashlib.sha256(content).hexdigest(), len(content), content.count(b"\n") + 1, "utf-8")


def _read(path: Path, name: str, files: RuleSetFiles, problems: list[Problem]) -> bytes | None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        problems.append(
            Problem(
                f"{name}:1:1",
                f"has {size} bytes; a rule file has at most {MOST_BYTES}",
                "split it into several files of the directory",
            )
        )
        return None
    content = path.read_bytes()
    files.sources.append(_source(name, content))
    return content


def read_rule_file(name: str, content: bytes, problems: list[Problem]) -> RuleFile | None:
    """A TOML file with the places of its values; None when it cannot be read at all."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        problems.append(
            Problem(
                f"{name}:{content[: error.start].count(bytes([10])) + 1}:1", "is not UTF-8", "save the file as UTF-8"
            )
        )
        return None
    positions = Positions(text)
    if positions.too_deep is not None:
        row, column = positions.too_deep
        problems.append(
            Problem(f"{name}:{row}:{column}", f"brackets stand more than {DEEPEST} deep", "close those before it")
        )
        return None
    for code in positions.bare_codes:
        row, column = code.position
        problems.append(
            Problem(
                f"{name}:{row}:{column}", f"{code.text} stands without quotes", f'write codes in quotes: "{code.text}"'
            )
        )
    try:
        values = tomllib.loads(positions.quoted())
    except tomllib.TOMLDecodeError as error:
        match = _SYNTAX.fullmatch(str(error))
        place = f"{match['row']}:{match['column']}" if match and match["row"] else f"{text.count(chr(10)) + 1}:1"
        what = match["what"] if match else str(error)
        problems.append(
            Problem(
                f"{name}:{place}",
                f"is not TOML: {what[0].lower()}{what[1:]}",
                "mend the file there; what follows was not read",
            )
        )
        return None
    return RuleFile(name, values, positions, problems)


def _read_list(path: Path, files: RuleSetFiles, problems: list[Problem]) -> None:
    name = f"lists/{path.name}"
    if path.suffix != ".csv":
        problems.append(
            Problem(f"{name}:1:1", "is no code list", "a list is a CSV file; remove the file or rename it to .csv")
        )
        return
    if not LIST_NAME.fullmatch(path.stem):
        problems.append(
            Problem(f"{name}:1:1", f"{path.stem} is no name of a list", "use small letters, digits, - and _")
        )
        return
    source = len(files.sources)
    content = path.read_bytes()
    files.sources.append(_source(name, content))
    files.list_names.add(path.stem)
    files.list_rows.extend((source, row) for row in read_list(path.stem, name, content, problems))


def _read_switches(content: bytes, problems: list[Problem]) -> list[tuple[int, dict[str, str]]]:
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        problems.append(Problem(f"switches.csv:{row}:1", "is not UTF-8", "save the file as UTF-8"))
        return rows
    records = csv.reader(io.StringIO(text, newline=""))
    for cells in records:
        row = records.line_num
        if row == 1:
            if tuple(cells) != SWITCH_COLUMNS:
                problems.append(
                    Problem(
                        "switches.csv:1:1",
                        f"has the columns {', '.join(cells)}",
                        f"the first row is {','.join(SWITCH_COLUMNS)}",
                    )
                )
                return []
            continue
        if len(cells) != len(SWITCH_COLUMNS):
            problems.append(
                Problem(
                    f"switches.csv:{row}:1",
                    f"has {len(cells)} cells, not {len(SWITCH_COLUMNS)}",
                    "quote a cell that holds a comma",
                )
            )
            continue
        named = dict(zip(SWITCH_COLUMNS, (cell.strip() for cell in cells), strict=True))
        if named["allowed"] and named["value"] not in named["allowed"].split():
            problems.append(
                Problem(
                    f"switches.csv:{row}:2",
                    f"{named['name']} cannot be {named['value']}",
                    f"use one of {named['allowed']}",
                )
            )
        for column, name in ((4, "effective_from"), (5, "effective_to")):
            try:
                parse_day(named[name] or "1900-01-01")
            except ValueError:
                problems.append(
                    Problem(
                        f"switches.csv:{row}:{column}",
                        f"{name} is not a date",
                        "write it like 2024-07-01, or leave it empty",
                    )
                )
        rows.append((row, named))
    return rows


def _code_families(path: Path) -> frozenset[str] | None:
    if not path.exists():
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        return frozenset(row["family"] for row in csv.DictReader(file))
