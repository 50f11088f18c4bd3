"""Compiles rule sets that are plain tables (``rules/ncci-conventions``, ``rules/duplicates``) into revisions.

A directory holds ``rule-set.toml`` (what it is, which dates) and one CSV a table. Every row has dates and a source.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source

_DATED = ("effective_from", "effective_to", "source")
TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "conventions": {
        "switches": ("name", "value", "allowed", *_DATED),
        "ptp-modifier-positions": (
            "modifiers", "program", "settings", "effective_from", "effective_to", "column_1", "column_2", "condition", "pairs", "authority",
        ),
        "code-families": ("family", "first", "last", *_DATED),
        "modifier-families": ("family", "modifiers", *_DATED),
        "modifier-sides": ("modifiers", "part", "side", "source"),
        "adjustments": ("name", "group", "carc", "rarc", *_DATED),
        "aoc-notes": ("note", "code", "role", "settings", *_DATED),
        "aoc-payer-primaries": ("add_on_code", "primary_code", *_DATED),
    },
    "duplicates": {
        "switches": ("name", "value", "allowed", *_DATED),
        "distinguishing-modifiers": ("modifiers", *_DATED),
    },
    "code-edits": {
        "age-sex": (
            "kind", "from_code", "to_code", "sex", "age_min", "age_max", "lifted_by_modifiers", "lifted_by_condition_codes", *_DATED,
        ),
        "diagnosis-sequence": ("from_code", "to_code", "reason", *_DATED),
    },
}  # fmt: skip
"""Columns of every table, by kind of rule set."""

_LISTS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "modifiers": (re.compile(r"[0-9A-Z]{2}"), "modifiers of two letters or digits, separated by blanks"),
    "program": (re.compile(r"MEDICARE|MEDICAID"), "MEDICARE or MEDICAID"),
    "settings": (
        re.compile(r"PRACTITIONER|ASC|OUTPATIENT_HOSPITAL|DME_SUPPLIER"),
        "settings, separated by blanks",
    ),
    "column_1": (re.compile(r"accept|reject|review"), "accept, reject or review"),
    "column_2": (re.compile(r"accept|reject|review"), "accept, reject or review"),
    "condition": (
        re.compile(r"em|not_em|not_never_59|laboratory|anatomic"),
        "em, not_em, not_never_59, laboratory or anatomic",
    ),
    "code": (re.compile(r"[0-9A-Z]{5}"), "a code of five letters or digits, or leave it empty"),
    "first": (re.compile(r"[0-9A-Z]{5}"), "a code of five letters or digits"),
    "last": (re.compile(r"[0-9A-Z]{5}"), "a code of five letters or digits"),
    "add_on_code": (re.compile(r"[0-9A-Z]{5}"), "a code of five letters or digits"),
    "primary_code": (re.compile(r"[0-9A-Z]{5}"), "a code of five letters or digits"),
    "group": (re.compile(r"CO|OA|PI|PR"), "CO, OA, PI or PR"),
    "role": (re.compile(r"add_on|primary|none"), "add_on, primary or none"),
    "kind": (re.compile(r"procedure|diagnosis"), "procedure or diagnosis"),
    "from_code": (re.compile(r"[0-9A-Z]{3,7}"), "a code or its first letters, three to seven, without a dot"),
    "to_code": (re.compile(r"[0-9A-Z]{3,7}"), "a code or its first letters, three to seven, without a dot"),
    "sex": (re.compile(r"F|M"), "F or M, or leave it empty"),
    "age_min": (re.compile(r"\d{1,3}"), "completed years, or leave it empty"),
    "age_max": (re.compile(r"\d{1,3}"), "completed years, or leave it empty"),
    "lifted_by_modifiers": (re.compile(r"[0-9A-Z]{2}"), "modifiers of two letters or digits, separated by blanks"),
    "lifted_by_condition_codes": (
        re.compile(r"[0-9A-Z]{2}"),
        "condition codes of two letters or digits, separated by blanks",
    ),
    "reason": (re.compile(r"external_cause|manifestation"), "external_cause or manifestation"),
    "side": (re.compile(r"left|right|both"), "left, right, both, or empty"),
    "pairs": (
        re.compile(r"[0-9A-Z]{5}(-[0-9A-Z]{5})?/[0-9A-Z]{5}(-[0-9A-Z]{5})?"),
        "pairs such as 29581-29584/97140, separated by blanks",
    ),
}
_REQUIRED = frozenset(
    ("name", "modifiers", "program", "column_1", "column_2", "family", "first", "last", "group", "carc", "note", "role", "part",
     "add_on_code", "primary_code", "source", "authority", "kind", "from_code", "to_code", "reason")
)  # fmt: skip


def compile_table_rules(directory: Path) -> RevisionDraft:
    """The revision that a directory of tables states.

    Raises:
        ImportRefusedError: with every problem, as ``file:row:column``; nothing is compiled.
    """
    read = read_tables(directory)
    if read.problems:
        headline = f"{directory.name}: {len(read.problems)} problems, nothing was compiled" if read.tables else ""
        raise ImportRefusedError(read.problems, headline)
    toml = (directory / "rule-set.toml").read_bytes()
    sources = [_source("rule-set.toml", toml, toml.count(b"\n"))]
    tables, count = {}, 0
    for name, columns in TABLES[read.kind].items():
        rows = read.tables[name]
        tables[name] = _as_table(columns, rows, len(sources))
        sources.append(_source(f"{name}.csv", (directory / f"{name}.csv").read_bytes(), len(rows) + 1))
        count += len(rows)
    return RevisionDraft(header_of(read.head, read.kind, sources), tables, read=count, kept=count)


@dataclass(slots=True, frozen=True)
class ReadTables:
    """A rule set of tables as far as it could be understood."""

    head: Mapping[str, Any]
    kind: str
    tables: Mapping[str, list[tuple[int, tuple[str, ...]]]]
    """(record number, cells) of every row with the right number of cells, by table."""
    problems: Sequence[Problem]
    """What keeps it from being compiled; empty = nothing does."""


def read_tables(directory: Path) -> ReadTables:
    """The tables of a directory, and every problem, as ``file:row:column``."""
    problems: list[Problem] = []
    head = read_rule_set_head(directory, problems)
    kind = str(head.get("kind", ""))
    tables: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    if kind not in TABLES:
        problems.append(
            Problem("rule-set.toml", f"has no known kind ({kind or 'missing'})", f"use one of {', '.join(TABLES)}")
        )
        return ReadTables(head, kind, tables, problems)
    for stray in sorted(path.name for path in directory.glob("*.csv") if path.stem not in TABLES[kind]):
        problems.append(Problem(stray, "is no table of this rule set", f"tables are {', '.join(TABLES[kind])}"))
    for name, columns in TABLES[kind].items():
        path = directory / f"{name}.csv"
        if not path.exists():
            problems.append(Problem(path.name, "is missing", "a table without rows still has its header"))
            continue
        tables[name] = list(_read_rows(path.name, path.read_bytes(), columns, problems))
    if not problems and "switches" in tables:
        _check_switches(tables["switches"], problems)
    return ReadTables(head, kind, tables, problems)


def read_rule_set_head(directory: Path, problems: list[Problem]) -> dict[str, Any]:
    """The fields of ``rule-set.toml``; what is missing or malformed goes to ``problems``."""
    path = directory / "rule-set.toml"
    try:
        head = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(Problem("rule-set.toml", "is missing", "a rule set states id, kind, label and dates there"))
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem("rule-set.toml", f"is not TOML: {error}", "mend the line named"))
        return {}
    for name in ("id", "kind", "label", "effective_from", "published_on"):
        if not isinstance(head.get(name), str) or not head[name].strip():
            problems.append(Problem("rule-set.toml", f"states no {name}", f'write {name} = "…"'))
    for name in ("effective_from", "effective_to", "published_on"):
        try:
            parse_day(head.get(name) or "1900-01-01")
        except (ValueError, TypeError):
            problems.append(Problem("rule-set.toml", f"{name} is not a date", 'write it as text, as in "2024-07-01"'))
    return head


def header_of(
    head: Mapping[str, Any], kind: str, sources: Iterable[Source], attributes: Mapping[str, str] | None = None
) -> RevisionHeader:
    """The header that a checked ``rule-set.toml`` states; ``attributes`` beside authority and address."""
    return RevisionHeader(
        rule_set=head["id"],
        kind=kind,
        label=head["label"],
        effective_from=parse_day(head["effective_from"]),
        effective_to=parse_day(head["effective_to"]) if head.get("effective_to") else FOREVER,
        published_on=parse_day(head["published_on"]),
        sources=tuple(sources),
        attributes={name: str(head[name]) for name in ("authority", "url") if head.get(name)} | dict(attributes or {}),
    )


def _source(name: str, content: bytes, records: int) -> Source:
    return Source(name, hashlib.sha256(content).hexdigest(), len(content), records, "utf-8")


def _read_rows(
    file: str, content: bytes, columns: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(record number, cells) of a CSV; the header is record 1."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.append(Problem(file, "is not UTF-8", "save it as UTF-8"))
        return
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(next(records, ()))
        if header != columns:
            problems.append(
                Problem(
                    f"{file}:1",
                    f"has the columns {', '.join(header)}",
                    f"the columns are {', '.join(columns)}",
                )
            )
            return
        for number, cells in enumerate(records, 2):
            if len(cells) != len(columns):
                problems.append(
                    Problem(
                        f"{file}:{number}",
                        f"has {len(cells)} cells, not {len(columns)}",
                        "quote a cell that holds a comma",
                    )
                )
                continue
            row = tuple(cell.strip() for cell in cells)
            _check_row(file, number, dict(zip(columns, row, strict=True)), problems)
            yield number, row
    except csv.Error as error:
        problems.append(Problem(f"{file}:{records.line_num}", f"is not CSV: {error}", "mend the quotes"))


def _check_row(file: str, number: int, row: Mapping[str, str], problems: list[Problem]) -> None:
    for name, cell in row.items():
        where = f"{file}:{number}:{name}"
        if not cell:
            if name in _REQUIRED:
                cites = name in ("source", "authority")
                problems.append(Problem(where, "is empty", "every row states it", "missing-citation" if cites else ""))
        elif name in ("effective_from", "effective_to"):
            try:
                parse_day(cell)
            except ValueError:
                problems.append(Problem(where, "is not a date", "write it like 2024-07-01, or leave it empty"))
        elif not is_understood(name, cell):
            problems.append(Problem(where, "is not understood", f"write {_LISTS[name][1]}"))
    first, last = row.get("effective_from", ""), row.get("effective_to", "")
    if first and last and last < first:
        where = f"{file}:{number}:effective_to"
        problems.append(Problem(where, "lies before effective_from", "the last day is inclusive", "reversed-dates"))


def is_understood(column: str, cell: str) -> bool:
    """Whether every word of a cell has the form that its column asks for."""
    return column not in _LISTS or all(_LISTS[column][0].fullmatch(word) for word in cell.split())


def _as_table(columns: tuple[str, ...], rows: list[tuple[int, tuple[str, ...]]], source: int) -> pa.Table:
    arrays: dict[str, pa.Array] = {
        name: pa.array([cells[i] for _, cells in rows], pa.string()) for i, name in enumerate(columns)
    }
    # A table's own column "source" names the authority; the file it came from is the revision's "source".
    if "source" in arrays:
        arrays["authority"] = arrays.pop("source")
    arrays["source"] = pa.array([source] * len(rows), pa.uint16())
    arrays["source_row"] = pa.array([number for number, _ in rows], pa.uint32())
    return pa.table(arrays)


def _check_switches(rows: Iterable[tuple[int, tuple[str, ...]]], problems: list[Problem]) -> None:
    for number, (name, value, allowed, *_) in rows:
        if allowed and value not in allowed.split():
            where = f"switches.csv:{number}:value"
            problems.append(Problem(where, f"{name} cannot be that", f"use one of {allowed}"))
