"""Compiles curated roles of coverage documents (``rules/coverage-roles``, described in its README) into a revision.

What people read out of a paragraph is tied to the digest of that paragraph: when the publisher changes the text, the role
lapses to REVIEW until somebody reads it again.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
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
_GROUP_FIELDS = (
    "list", "number", "role", "procedure_codes", "diagnoses", "asterisks", "waived_by_modifiers", "paragraph_sha256", "why",
)  # fmt: skip
_LISTS = (ListKind.COVERED.value, ListKind.NON_COVERED.value)
_CODE = re.compile(r"[0-9A-Z]{5}")
_DIAGNOSIS = re.compile(r"[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?")
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
        *sorted(p for p in directory.glob("*.toml") if p.name not in ("rule-set.toml", "lints.toml")),
    ):
        if not path.exists():
            continue
        content = path.read_bytes()
        records = content.count(b"[[document.group]]")
        sources.append(Source(path.name, hashlib.sha256(content).hexdigest(), len(content), records, "utf-8"))
        if path.name != "rule-set.toml":
            rows += _read_file(path.name, content, len(sources) - 1, problems)
    problems += _find_contradictions(rows, [source.file for source in sources])
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
        groups = document.get("group", [])
        if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
            problems.append(Problem(f"{where}: group", "is no list of tables", "state each as [[document.group]]"))
            continue
        for group in groups:
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
    diagnoses, asterisks = group.get("diagnoses", []), group.get("asterisks", False)
    checks = (
        (group.get("list") in _LISTS, "list", f"use {' or '.join(_LISTS)}"),
        (
            isinstance(group.get("number"), int) and group["number"] > 0,
            "number",
            "write the group's number, as in number = 2",
        ),
        (group.get("role") in roles, "role", f"use one of {', '.join(roles)}"),
        (_are(codes, _CODE), "procedure_codes", 'write codes as quoted text, as in ["11720", "11721"]'),
        (_are(diagnoses, _DIAGNOSIS), "diagnoses", 'write diagnoses as quoted text with the dot, as in ["M53.82"]'),
        (
            isinstance(asterisks, bool),
            "asterisks",
            "write asterisks = true where the role is for the starred diagnoses",
        ),
        (_are(modifiers, _MODIFIER), "waived_by_modifiers", 'write modifiers as quoted text, as in ["Q7"]'),
        (
            isinstance(group.get("paragraph_sha256"), str) and _SHA256.fullmatch(group["paragraph_sha256"]) is not None,
            "paragraph_sha256",
            "copy the digest that the REVIEW finding reports: 64 hexadecimal digits",
        ),
        (
            isinstance(group.get("why"), str) and bool(group["why"].strip()),
            "why",
            'say in one sentence what the text says, as in why = "the note asks for both codes"',
        ),
    )
    for good, name, mend in checks:
        if not good:
            problems.append(Problem(f"{where}: {name}", "is missing or malformed", mend))
    for name in sorted(set(group) - set(_GROUP_FIELDS)):
        problems.append(Problem(f"{where}: {name}", "is unknown", f"use one of {', '.join(_GROUP_FIELDS)}"))
    if len(problems) > before:
        return None
    return (
        group["list"],
        group["number"],
        Role(group["role"]).value,
        " ".join(codes),
        " ".join(modifiers),
        " ".join(sorted(code.replace(".", "") for code in diagnoses)),
        asterisks,
        group["paragraph_sha256"],
        group["why"].strip(),
    )


_ROLE, _CODES, _DIAGNOSES, _ASTERISKS, _DIGEST = 4, 5, 7, 8, 9
"""Places in a row of ``roles``."""


def _find_contradictions(rows: Sequence[tuple[Any, ...]], files: Sequence[str]) -> list[Problem]:
    """Statements about one group that cannot both hold: the same said twice, or two digests of one paragraph."""
    problems: list[Problem] = []
    by_group: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        by_group.setdefault(row[:4], []).append(row)
    for (document, version, kind, number), stated in by_group.items():
        name = f"{document} version {version} {kind} {number}"
        for i, row in enumerate(stated):
            where = f"{files[row[-2]]}:[[group]] {row[-1]}"
            if any(_says_the_same(row, other) for other in stated[:i]):
                what = f"states {name} a second time"
                mend = "keep one, or say by procedure_codes, diagnoses or asterisks which part each is about"
                problems.append(Problem(where, what, mend))
            elif row[_DIGEST] != stated[0][_DIGEST]:
                what = f"states another digest of the paragraph of {name} than the group before"
                problems.append(Problem(where, what, "copy the digest of the paragraph that was read"))
    return problems


def _says_the_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two statements are about the same diagnoses and share a procedure code, and one is not the other's doubt.

    ``narrative`` may stand beside another role: what the pairing leaves open is then REVIEW.
    """
    mine, others = set(one[_CODES].split()), set(other[_CODES].split())
    share = not mine or not others or bool(mine & others)
    same_part = one[_DIAGNOSES] == other[_DIAGNOSES] and one[_ASTERISKS] == other[_ASTERISKS]
    doubt = Role.NARRATIVE.value in (one[_ROLE], other[_ROLE]) and one[_ROLE] != other[_ROLE]
    return share and same_part and not doubt


def _are(values: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(values, list) and all(isinstance(v, str) and pattern.fullmatch(v) for v in values)
