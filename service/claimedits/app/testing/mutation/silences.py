"""Mutants that change nothing, silenced with a reason: ``[[equivalent]]`` in a file of tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimedits.app.testing.suites import Suite
from claimedits.engine.authored.rule_tests import read_test_files
from claimedits.model.problems import Problem
from claimedits.rulesets.authored.fields import RuleFile
from claimedits.rulesets.authored.reading import read_rule_file
from claimedits.rulesets.authored.sentences import suggest

FIELDS = ("mutants", "why")


@dataclass(slots=True)
class Silence:
    """Patterns of mutants' ids, and why they change nothing; ``*`` stands for any text."""

    suite: int
    patterns: Sequence[tuple[str, str, re.Pattern[str]]]
    """(place, as written, compiled)."""
    why: str
    used: set[str] = field(default_factory=set)

    def matches(self, identifier: str) -> bool:
        """Whether a mutant is silenced; remembers which pattern did it."""
        found = [written for _, written, pattern in self.patterns if pattern.fullmatch(identifier)]
        self.used.update(found)
        return bool(found)


def read_silences(suites: Sequence[Suite]) -> tuple[list[Silence], list[Problem]]:
    """The silences of every suite: of rule sets in the files of tests beside them, of ``NAME.jsonl`` in ``NAME.equivalent.toml``."""
    silences: list[Silence] = []
    problems: list[Problem] = []
    for number, suite in enumerate(suites):
        for file, name in _files(suite, problems):
            for i, item in enumerate(file.values.get("equivalent", ())):
                silence = _read(number, file, name, i, item, problems)
                if silence:
                    silences.append(silence)
    return silences, problems


def _files(suite: Suite, problems: list[Problem]) -> Iterator[tuple[RuleFile, str]]:
    found: list[Problem] = []
    if suite.kind != "cases":
        for file in read_test_files(suite.path, found):
            yield file, f"{suite.name}/{file.name}"
        return  # what cannot be read there is in error already
    path: Path = suite.path.with_suffix(".equivalent.toml")
    if path.exists():
        name = path.as_posix()
        one = read_rule_file(name, path.read_bytes(), problems)
        if one is not None:
            yield one, name


def _read(suite: int, file: RuleFile, name: str, number: int, item: Any, problems: list[Problem]) -> Silence | None:
    def place(*path: str | int) -> str:
        row, column = file.place(("equivalent", number, *path))
        return f"{name}:{row}:{column}"

    before = len(problems)
    values = item if isinstance(item, dict) else {}
    problems += [
        Problem(place(key), f"a silence has no {key}", suggest(key, FIELDS)) for key in values if key not in FIELDS
    ]
    patterns = values.get("mutants")
    if isinstance(patterns, str):
        patterns = [patterns]
    if not isinstance(patterns, list) or not patterns or not all(isinstance(p, str) for p in patterns):
        problems.append(
            Problem(place(), "the silence names no mutants", 'write mutants = ["rule-id/effective_from/*"]')
        )
        patterns = []
    why = values.get("why")
    if not isinstance(why, str) or not why.strip():
        problems.append(
            Problem(place(), "the silence has no reason", 'write why = "…": why no claim can tell the difference')
        )
    if len(problems) > before:
        return None
    compiled = [(place("mutants"), p, re.compile(re.escape(p).replace(r"\*", ".*"), re.S)) for p in patterns]
    return Silence(suite, compiled, str(why))


def unused(silences: Sequence[Silence]) -> list[Problem]:
    """Patterns that silence no mutant: what they spoke of has changed."""
    return [
        Problem(where, f"{written} silences no mutant", "correct it, or take it out")
        for silence in silences
        for where, written, _ in silence.patterns
        if written not in silence.used
    ]
