"""``compile_rules``: the directory of an authored rule set becomes one revision of kind ``authored``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from claimedits.model.dates import FOREVER, format_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.authored.checking import SCOPE_FIELDS, PlacedRule, Surroundings, check_rules
from claimedits.rulesets.authored.reading import RuleSetFiles, read_directory
from claimedits.rulesets.authored.rule import rule_to_json
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.authored.strata import order_rules
from claimedits.rulesets.authored.stray_files import find_stray_files
from claimedits.rulesets.authored.vocabulary import FINDING_CODES
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.table_rules import header_of

KIND = "authored"
HEAD_FIELDS = (
    "id",
    "kind",
    "label",
    "effective_from",
    "effective_to",
    "published_on",
    "authority",
    "url",
    "family",
    *SCOPE_FIELDS,
)
CONVENTION_SWITCHES = ("mod.fifty_units",)
"""Switches of ``ncci-conventions`` that authored rules may ask for."""


def compile_rules(directory: Path) -> list[RevisionDraft]:
    """The revision that the rules of a directory state.

    Raises:
        ImportRefusedError: with every problem as ``file:row:column``; nothing is compiled.
    """
    read = read_rules(directory)
    if read.problems:
        headline = f"{directory.name}: {len(read.problems)} problems, nothing was compiled"
        raise ImportRefusedError(read.problems, headline)
    return [_draft(read.files, read.placed)]


@dataclass(slots=True, frozen=True)
class ReadRules:
    """An authored rule set as far as it could be understood."""

    files: RuleSetFiles
    family: Family
    placed: Sequence[PlacedRule]
    problems: Sequence[Problem]
    """What keeps it from being compiled; empty = nothing does."""


def read_rules(directory: Path) -> ReadRules:
    """The rules of a directory, those that have problems left out, and every problem."""
    problems: list[Problem] = []
    files = read_directory(directory, problems)
    if directory.is_dir():
        problems.extend(find_stray_files(directory))
    family = _check_head(files.head, problems)
    around = surroundings_of(files, family)
    placed: list[PlacedRule] = []
    for source, file in files.rule_files:
        placed.extend(check_rules(file, source, around))
    _refuse_repeated(placed)
    placed = order_rules(placed, _stated_ids(files))
    if not placed and not problems:
        problems.append(
            Problem("rule-set.toml:1:1", "the rule set has no rules", "write [[rule]] tables in a .toml file beside it")
        )
    return ReadRules(files, family, placed, problems)


def _check_head(head: dict[str, Any], problems: list[Problem]) -> Family:
    where = "rule-set.toml:1:1"
    if head.get("kind") not in (None, KIND):
        problems.append(Problem(where, f"kind is {head['kind']}", f'rules that people write have kind = "{KIND}"'))
    problems.extend(
        Problem(where, f"there is no field {name}", suggest(name, HEAD_FIELDS))
        for name in head
        if name not in HEAD_FIELDS
    )
    for name in SCOPE_FIELDS:
        allowed = {"programs": Program.__members__, "settings": Setting.__members__}.get(name)
        words = [head[name]] if isinstance(head.get(name), str) else head.get(name, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            problems.append(Problem(where, f"{name} is not a list of texts", f'write {name} = ["…"]'))
            words = []
        head[name] = words
        problems.extend(
            Problem(where, f"{word} is no value of {name}", suggest(word, list(allowed)))
            for word in words
            if allowed is not None and word not in allowed
        )
    family = head.get("family")
    names = [f.name for f in FINDING_CODES]
    if family not in names:
        problems.append(Problem(where, f"family is {family or 'missing'}", f"use one of {', '.join(names)}"))
        return Family.POLICY
    return Family[family]


def _stated_ids(files: RuleSetFiles) -> set[str]:
    """The id of every rule that is written down, understood or not."""
    rules = [rule for _, file in files.rule_files for rule in _tables(file.values.get("rule"))]
    return {rule["id"] for rule in rules if isinstance(rule.get("id"), str)}


def _tables(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def surroundings_of(files: RuleSetFiles, family: Family) -> Surroundings:
    """What the rules of these files may refer to."""
    switches = {cells["name"] for _, _, cells in files.switch_rows} | set(CONVENTION_SWITCHES)
    return Surroundings(
        family=family,
        lists=files.list_names,
        code_families=files.code_families,
        is_switch=switches.__contains__,
        scope={name: tuple(files.head[name]) for name in SCOPE_FIELDS},
        authority=str(files.head.get("authority", "")),
    )


def _refuse_repeated(placed: Sequence[PlacedRule]) -> None:
    """One id may stand for several dated versions of a rule; their dates do not overlap. Each version is named once at most."""
    versions: dict[str, list[int]] = defaultdict(list)
    for number, p in enumerate(placed):
        versions[p.rule.id].append(number)
    for numbers in versions.values():
        by_day = sorted(numbers, key=lambda number: (placed[number].rule.effective_from, number))
        longest = by_day[0]
        for number in by_day[1:]:
            if placed[number].rule.effective_from <= placed[longest].rule.effective_to:
                _name_repeated(placed[min(number, longest)], placed[max(number, longest)])
            if placed[number].rule.effective_to > placed[longest].rule.effective_to:
                longest = number


def _name_repeated(earlier: PlacedRule, p: PlacedRule) -> None:
    """Two versions of a rule that hold on the same days; ``earlier`` stands before ``p``."""
    a, b, where = earlier.rule, p.rule, f"{earlier.file.name}:{earlier.row}"
    if (a.effective_from, a.effective_to) == (b.effective_from, b.effective_to):
        what = f"the id {b.id} stands twice, first at {where}"
        p.file.add((*p.path, "id"), what, "give each rule an id of its own", code="duplicate-id")
        return
    first, last = max(a.effective_from, b.effective_from), min(a.effective_to, b.effective_to)
    days = f"from {format_day(first)}" + (f" to {format_day(last)}" if last != FOREVER else " on")
    what = f"two versions of {b.id} hold {days}, the other at {where}"
    p.file.add((*p.path, "id"), what, "end the earlier one the day before", code="overlapping-dates")


def _draft(files: RuleSetFiles, placed: Sequence[PlacedRule]) -> RevisionDraft:
    head = files.head
    rules = sorted(placed, key=lambda p: (p.rule.id, p.rule.effective_from))
    tables = {
        "rules": rules_table([(p.rule, p.source, p.row) for p in rules]),
        "lists": _lists_table(files),
        "switches": _switches_table(files),
    }
    attributes = {"family": str(head["family"])} if head.get("family") else {}
    attributes |= {name: " ".join(head[name]) for name in ("programs", "settings") if head.get(name)}
    header = header_of(head, KIND, files.sources, attributes)
    read = sum(table.num_rows for table in tables.values())
    return RevisionDraft(header, tables, read=read, kept=read)


def rules_table(rows: Sequence[tuple[Any, int, int]]) -> pa.Table:
    """The table ``rules`` from (rule, source, row), in the order given."""
    forms = [
        json.dumps(rule_to_json(rule), ensure_ascii=False, sort_keys=True, separators=(",", ":")) for rule, _, _ in rows
    ]
    return pa.table(
        {
            "rule_id": pa.array([rule.id for rule, _, _ in rows], pa.string()),
            "effective_from": pa.array([rule_to_json(rule)["effective_from"] for rule, _, _ in rows], pa.string()),
            "stratum": pa.array([rule.stratum for rule, _, _ in rows], pa.uint16()),
            "rule": pa.array(forms, pa.string()),
            "source": pa.array([source for _, source, _ in rows], pa.uint16()),
            "source_row": pa.array([row for _, _, row in rows], pa.uint32()),
        }
    )


def _lists_table(files: RuleSetFiles) -> pa.Table:
    rows = sorted(files.list_rows, key=lambda item: item[1])
    columns = {
        name: pa.array([getattr(row, field) for _, row in rows], pa.string())
        for name, field in (
            ("list", "list_name"), ("first", "first"), ("last", "last"), ("effective_from", "effective_from"),
            ("effective_to", "effective_to"), ("authority", "authority"),
        )
    }  # fmt: skip
    columns["source"] = pa.array([source for source, _ in rows], pa.uint16())
    columns["source_row"] = pa.array([row.row for _, row in rows], pa.uint32())
    return pa.table(columns)


def _switches_table(files: RuleSetFiles) -> pa.Table:
    rows = sorted(files.switch_rows, key=lambda item: (item[2]["name"], item[2]["effective_from"]))
    columns = {
        name: pa.array([cells[name] for _, _, cells in rows], pa.string())
        for name in ("name", "value", "effective_from", "effective_to")
    }
    columns["authority"] = pa.array([cells["source"] for _, _, cells in rows], pa.string())
    columns["source"] = pa.array([source for source, _, _ in rows], pa.uint16())
    columns["source_row"] = pa.array([row for _, row, _ in rows], pa.uint32())
    return pa.table(columns)
