"""Compiles curated roles of coverage documents (``rules/coverage-roles``, described in its README) into a revision.

What people read out of a paragraph is tied to the digest of that paragraph: when the publisher changes the text, the role
lapses to REVIEW until somebody reads it again.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claimedits.model.dates import parse_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.coverage.readings import STATED_ROLES, ListKind, Role
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table
from claimedits.rulesets.revision import RevisionDraft, Source
from claimedits.rulesets.table_rules import header_of, read_rule_set_head

KIND = "coverage"
_DOCUMENT_FIELDS = ("id", "version", "reviewer", "reviewed_on", "citation")
_GROUP_FIELDS = frozenset(("list", "number", "role", "procedure_codes", "waived_by_modifiers", "paragraph_sha256"))
_LISTS = (ListKind.COVERED.value, ListKind.NON_COVERED.value)
_CODE = re.compile(r"[0-9A-Z]{5}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def compile_roles(directory: Path) -> RevisionDraft:
    """The revision that a directory of curated roles states: ``rule-set.toml`` and any number of TOML files beside it.

    Raises:
        ImportRefusedError: with every problem, as ``file:[[document]] n [[group]] m: field``; nothing is compiled.
    """
    problems: list[Problem] = []
    head = read_rule_set_head(directory, problems)
    sources: list[Source] = []
    rows: list[tuple[Any, ...]] = []
    for path in (
        directory / "rule-set.toml",
        *sorted(p for p in directory.glob("*.toml") if p.name != "rule-set.toml"),
    ):
        if not path.exists():
            continue
        content = path.read_bytes()
        records = content.count(b"[[document.group]]")
        sources.append(Source(path.name, hashlib.sha256(content).hexdigest(), len(content), records, "utf-8"))
        if path.name != "rule-set.toml":
            rows += _read_file(path.name, content, len(sources) - 1, problems)
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = row[:4]
        if key in seen:
            where = f"{sources[row[-2]].file}:[[group]] {row[-1]}"
            problems.append(
                Problem(where, f"states {key[0]} version {key[1]} {key[2]} {key[3]} a second time", "keep one")
            )
        seen.add(key)
    if problems:
        raise ImportRefusedError(problems, f"{directory.name}: {len(problems)} problems, nothing was compiled")
    tables = {"roles": build_table(SCHEMAS["roles"], rows)}
    return RevisionDraft(header_of(head, KIND, sources), tables, read=len(rows), kept=len(rows))


def _read_file(name: str, content: bytes, source: int, problems: list[Problem]) -> list[tuple[Any, ...]]:
    try:
        parsed = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(name, f"is not TOML: {error}", "mend the line named"))
        return []
    rows: list[tuple[Any, ...]] = []
    documents = parsed.pop("document", [])
    for stray in sorted(parsed):
        problems.append(Problem(f"{name}:{stray}", "is unknown", "state documents as [[document]]"))
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        problems.append(Problem(f"{name}:document", "is no list of tables", "state each as [[document]]"))
        return []
    counted = 0
    for place, document in enumerate(documents, 1):
        where = f"{name}:[[document]] {place}"
        known = _check_document(where, document, problems)
        for group in document.get("group", []):
            counted += 1
            row = _read_group(f"{name}:[[group]] {counted}", group, problems)
            if row is not None and known is not None:
                rows.append((*known[:2], *row, *known[2:], source, counted))
    return rows


def _check_document(where: str, document: Mapping[str, Any], problems: list[Problem]) -> tuple[Any, ...] | None:
    """Id, version, reviewer, day and citation; None where one is missing or malformed."""
    before = len(problems)
    for name in _DOCUMENT_FIELDS:
        if not isinstance(document.get(name), str) or not document[name]:
            problems.append(Problem(f"{where}: {name}", "is missing or is no text", f'write {name} = "…"'))
    for name in sorted(set(document) - {*_DOCUMENT_FIELDS, "group"}):
        problems.append(
            Problem(f"{where}: {name}", "is unknown", f"use {', '.join(_DOCUMENT_FIELDS)} and [[document.group]]")
        )
    if not document.get("group"):
        problems.append(Problem(where, "states no group", "add [[document.group]]"))
    if len(problems) > before:
        return None
    try:
        reviewed = parse_day(document["reviewed_on"])
    except ValueError:
        problems.append(Problem(f"{where}: reviewed_on", "is no date", 'write it as text, as in "2026-10-01"'))
        return None
    return document["id"], document["version"], document["reviewer"], reviewed, document["citation"]


def _read_group(where: str, group: Mapping[str, Any], problems: list[Problem]) -> tuple[Any, ...] | None:
    """List, number, role, codes, modifiers and digest; None where one is malformed."""
    before = len(problems)
    roles = sorted(role.value for role in STATED_ROLES)
    codes, modifiers = group.get("procedure_codes", []), group.get("waived_by_modifiers", [])
    checks = (
        (group.get("list") in _LISTS, "list", f"use {' or '.join(_LISTS)}"),
        (
            isinstance(group.get("number"), int) and group["number"] > 0,
            "number",
            "write the group's number, as in number = 2",
        ),
        (group.get("role") in roles, "role", f"use one of {', '.join(roles)}"),
        (_are(codes, _CODE), "procedure_codes", 'write codes as quoted text, as in ["11720", "11721"]'),
        (_are(modifiers, _MODIFIER), "waived_by_modifiers", 'write modifiers as quoted text, as in ["Q7"]'),
        (
            isinstance(group.get("paragraph_sha256"), str) and _SHA256.fullmatch(group["paragraph_sha256"]) is not None,
            "paragraph_sha256",
            "copy the digest that the REVIEW finding reports: 64 hexadecimal digits",
        ),
    )
    for good, name, mend in checks:
        if not good:
            problems.append(Problem(f"{where}: {name}", "is missing or malformed", mend))
    for name in sorted(set(group) - _GROUP_FIELDS):
        problems.append(Problem(f"{where}: {name}", "is unknown", f"use {', '.join(sorted(_GROUP_FIELDS))}"))
    if len(problems) > before:
        return None
    return (
        group["list"],
        group["number"],
        Role(group["role"]).value,
        " ".join(codes),
        " ".join(modifiers),
        group["paragraph_sha256"],
    )


def _are(values: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(values, list) and all(isinstance(v, str) and pattern.fullmatch(v) for v in values)
