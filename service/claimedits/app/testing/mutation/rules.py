"""Mutants of authored rules: every field of a rule that decides whether and how it fires, one change at a time."""

from __future__ import annotations

import copy
import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimedits.app.testing.mutation.mutant import Mutant
from claimedits.app.testing.mutation.sentences import mutate_sentence
from claimedits.model.dates import format_day, parse_day
from claimedits.model.problems import Problem
from claimedits.rulesets.authored.authored_index import AuthoredRule
from claimedits.rulesets.authored.checking import SCOPE_FIELDS, PlacedRule, Surroundings, check_rules
from claimedits.rulesets.authored.compiler import read_rules, surroundings_of
from claimedits.rulesets.authored.positions import Path as ValuePath
from claimedits.rulesets.windows import BEGINNING

OTHER_OUTCOMES = {"FAIL": "REVIEW", "REVIEW": "FAIL", "NOT_EVALUATED": "REVIEW", "NOT_APPLICABLE": "REVIEW"}
OTHER_UNKNOWN = {"NOT_EVALUATED": "NOTHING", "REVIEW": "NOTHING", "NOTHING": "REVIEW"}
COUNTS = {"days_before": 0, "days_after": 0, "at_least": 1, "at_least_units": 1}
"""Numbers of a block, with the least that each may be."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule of a rule set as a mutant has it; None = the rule is gone."""

    source: int
    row: int
    rule: AuthoredRule | None


def mutate_rules(directory: Path, name: str) -> Iterator[Mutant]:
    """The mutants of every rule of a rule set that compiles, in the order of files and rows.

    Args:
        name: the directory in the places of the mutants.
    """
    read = read_rules(directory)
    around = surroundings_of(read.files, read.family)
    ids = Counter(p.rule.id for p in read.placed)
    for placed in sorted(read.placed, key=lambda p: (p.file.name, p.row)):
        subject = placed.rule.id
        if ids[subject] > 1:
            subject += f"@{format_day(placed.rule.effective_from)}" if placed.rule.effective_from != BEGINNING else "@"
        yield from _RuleMutator(placed, around, subject, name).mutants()


class _RuleMutator:
    def __init__(self, placed: PlacedRule, around: Surroundings, subject: str, directory: str) -> None:
        self._placed, self._around, self._subject, self._directory = placed, around, subject, directory
        self._values: Mapping[str, Any] = _value_at(placed.file.values, placed.path)

    def mutants(self) -> Iterator[Mutant]:
        row, _ = self._placed.file.place(self._placed.path)
        where = f"{self._directory}/{self._placed.file.name}:{row}:1"
        change = RuleChange(self._placed.source, self._placed.row, None)
        yield Mutant(f"{self._subject}/remove rule", where, "removal", "the rule", "", lambda: change)
        yield from self._dates()
        for field in SCOPE_FIELDS:
            yield from self._words((field,))
            if field in self._values:
                yield self._mutant((field,), "condition", f"drop {field}", f"{field} {self._values[field]}", "", _GONE)
        for field in ("when", "unless"):
            yield from self._sentences((field,))
        for field in ("with", "without"):
            for i, block in enumerate(self._values.get(field, ())):
                yield from self._block(field, i, block)
        yield from self._outcome("status", OTHER_OUTCOMES)
        yield from self._outcome("if_unknown", OTHER_UNKNOWN)

    def _mutant(
        self,
        path: ValuePath,
        operator: str,
        change: str,
        before: str,
        after: str,
        value: Any,
        character: int | None = None,
    ) -> Mutant:
        """The mutant that has ``value`` at ``path`` of the rule."""
        whole = (*self._placed.path, *path)
        file = self._placed.file
        row, column = file.place(whole) if character is None else file.place_within(whole, character)
        field = ".".join(map(str, path))
        identifier = f"{self._subject}/{field}/{change}"
        where = f"{self._directory}/{file.name}:{row}:{column}"
        return Mutant(identifier, where, operator, before, after, lambda: self._make(path, value))

    def _make(self, path: ValuePath, value: Any) -> RuleChange | None:
        values = copy.deepcopy(dict(self._values))
        values["message"] = "mutant"  # a block that is gone must not be missed by a placeholder
        parent: Any = _value_at(values, path[:-1])
        if value is _GONE:
            del parent[path[-1]]
        else:
            parent[path[-1]] = value
        if not any(values.get(name) for name in ("when", "with", "without")):
            values["when"] = []
        file, problems = self._placed.file, list[Problem]()
        changed = file.with_values({"rule": [values]}, problems)
        made = check_rules(changed, self._placed.source, self._around)
        if problems or not made:
            return None
        rule = replace(made[0].rule, stratum=self._placed.rule.stratum)
        place = self._placed.source, self._placed.row
        return RuleChange(*place, AuthoredRule(rule, *place))

    def _dates(self) -> Iterator[Mutant]:
        for field in ("effective_from", "effective_to"):
            value = self._values.get(field)
            if not value:
                continue
            text = value.isoformat() if isinstance(value, datetime.date) else str(value)
            for days in (-1, 1):
                moved = format_day(parse_day(text) + days)
                yield self._mutant((field,), "date", f"{days:+d} day", text, moved, moved)

    def _words(self, path: ValuePath) -> Iterator[Mutant]:
        """A list of words without one of them."""
        words = _value_at(self._values, path) if path[-1] in _value_at(self._values, path[:-1]) else []
        if not isinstance(words, list) or len(words) < 2:
            return
        for i, word in enumerate(words):
            rest = [*words[:i], *words[i + 1 :]]
            mutant = self._mutant(path, "code", f"without {word}", f'"{word}"', "", rest)
            row, column = self._placed.file.place((*self._placed.path, *path, i))
            yield replace(mutant, where=f"{self._directory}/{self._placed.file.name}:{row}:{column}")

    def _sentences(self, path: ValuePath) -> Iterator[Mutant]:
        """Mutants of the sentences of one field of the rule or of a block."""
        stated = _value_at(self._values, path[:-1]).get(path[-1], [])
        sentences: Sequence[str] = [stated] if isinstance(stated, str) else stated
        for i, sentence in enumerate(sentences):
            here = path if isinstance(stated, str) else (*path, i)
            for m in mutate_sentence(sentence):
                if m.sentence is None:
                    value: Any = (
                        _GONE if here == path and len(path) > 1 else [s for j, s in enumerate(sentences) if j != i]
                    )
                    target = path
                else:
                    value, target = m.sentence, here
                change = f"{'drop' if m.operator == 'condition' else m.operator} {m.name}"
                made = self._mutant(target, m.operator, change, m.before, m.after, value)
                row, column = self._placed.file.place_within((*self._placed.path, *here), m.offset)
                yield replace(made, where=f"{self._directory}/{self._placed.file.name}:{row}:{column}")

    def _block(self, field: str, number: int, block: Mapping[str, Any]) -> Iterator[Mutant]:
        path: ValuePath = (field, number)
        rest = [b for i, b in enumerate(self._values[field]) if i != number]
        row, column = self._placed.file.place((*self._placed.path, *path))
        where = f"{self._directory}/{self._placed.file.name}:{row}:{column}"
        said = f"[[rule.{field}]] {block.get('what', '')}"
        dropped = self._mutant((field,), "condition", f"drop {number}", said, "", rest)
        yield replace(dropped, where=where)
        other = "without" if field == "with" else "with"
        moved = [*self._values.get(other, ()), block]
        change = f"{self._subject}/{field}.{number}/negation"
        yield Mutant(
            change, where, "negation", said, f"[[rule.{other}]]", lambda: self._move(field, rest, other, moved)
        )
        for name, least in COUNTS.items():
            value = block.get(name)
            for step in (-1, 1):
                if isinstance(value, int) and value + step >= least:
                    yield self._mutant(
                        (*path, name), "boundary", f"{step:+d}", str(value), str(value + step), value + step
                    )
        for name in ("same", "rules"):
            yield from self._words((*path, name))
        if isinstance(block.get("same"), list) and len(block["same"]) == 1:
            yield self._mutant((*path, "same"), "condition", "drop", f"same {block['same']}", "", _GONE)
        for name in ("days_before", "days_after"):
            if name in block:
                yield self._mutant((*path, name), "condition", "drop", f"{name} {block[name]}", "", _GONE)
        if block.get("about"):
            flipped = "this line" if block["about"] == "any line" else "any line"
            yield self._mutant((*path, "about"), "flip", "flip", block["about"], flipped, flipped)
        if "when" in block:
            yield from self._sentences((*path, "when"))

    def _move(self, field: str, rest: list[Any], other: str, moved: list[Any]) -> RuleChange | None:
        mutator = copy.copy(self)
        mutator._values = {**self._values, field: rest}
        return mutator._make((other,), moved)

    def _outcome(self, field: str, others: Mapping[str, str]) -> Iterator[Mutant]:
        value = str(self._values.get(field))
        if value in others:
            yield self._mutant((field,), "outcome", others[value], value, others[value], others[value])


_GONE: Any = object()
"""In the place of a value: the field is taken away."""


def _value_at(values: Any, path: ValuePath) -> Any:
    for step in path:
        values = values[step]
    return values
