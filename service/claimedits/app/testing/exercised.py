"""Which rules and rows the tests exercise, and which they never do (``--coverage``).

A rule has two outcomes to be shown: it fires, and it does not although a line comes near it. A row of a table has one, that it
answers; a row with dates has a second, that it is asked for outside them. Rows of imported tables are counted by citation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimedits.app.testing.recording import FIRED, HELD_BACK, OUTSIDE, USED, Key, Marks, all_keys
from claimedits.app.testing.rule_sets import WrittenSet


@dataclass(frozen=True, slots=True)
class Exercised:
    """One rule or row: the outcomes that it can have, and those that some test shows."""

    where: str
    """``file:row`` of the rule or row."""
    name: str
    wanted: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(outcome for outcome in self.wanted if outcome not in self.shown)


@dataclass(frozen=True, slots=True)
class SetExercise:
    """One rule set that people wrote."""

    name: str
    items: tuple[Exercised, ...]

    @property
    def wanted(self) -> int:
        return sum(len(item.wanted) for item in self.items)

    @property
    def shown(self) -> int:
        return self.wanted - sum(len(item.missing) for item in self.items)


@dataclass(frozen=True, slots=True)
class TableExercise:
    """An imported or stated table: how many of its rows stand behind a finding or a pass of some test."""

    rule_set: str
    rows: int
    hit: int


@dataclass(frozen=True, slots=True)
class Exercise:
    """What the tests of one run exercise."""

    sets: tuple[SetExercise, ...]
    tables: tuple[TableExercise, ...]
    minimum: float | None = None
    """Percent of outcomes that must be shown; None = any."""

    @property
    def percent(self) -> float:
        """Outcomes shown of all those that the rules and rows can have; 100 where there are none."""
        return percent(sum(s.shown for s in self.sets), sum(s.wanted for s in self.sets))

    @property
    def ok(self) -> bool:
        return self.minimum is None or self.percent >= self.minimum

    def lines(self) -> Iterator[str]:
        """For people: the share, and every rule and row with an outcome that no test shows."""
        shown, wanted = sum(s.shown for s in self.sets), sum(s.wanted for s in self.sets)
        floor = f", at least {self.minimum:g} % wanted" if self.minimum is not None else ""
        yield f"coverage: {self.percent:.1f} % of rules and rows ({shown} of {wanted} outcomes{floor})"
        for one in self.sets:
            yield f"  {one.name}: {percent(one.shown, one.wanted):.1f} % ({one.shown} of {one.wanted})"
            yield from (
                f"    {item.where}: {item.name}: no test shows that it {_verb(item)}"
                for item in one.items
                if item.missing
            )
        for table in self.tables:
            yield f"  {table.rule_set}: {table.hit} of {table.rows} rows of tables behind a finding ({percent(table.hit, table.rows):.1f} %)"

    def concerns(self) -> Iterator[tuple[str, str, str]]:
        """(place, title, text) of what no test shows, where that is too much."""
        if not self.ok:
            for one in self.sets:
                for item in one.items:
                    if item.missing:
                        yield item.where, "never exercised", f"{item.name}: no test shows that it {_verb(item)}"

    def fields(self) -> dict[str, Any]:
        """For programs."""
        return {
            "percent": round(self.percent, 2),
            "minimum": self.minimum,
            "ok": self.ok,
            "rule_sets": [
                {
                    "rule_set": one.name,
                    "outcomes": one.wanted,
                    "shown": one.shown,
                    "percent": round(percent(one.shown, one.wanted), 2),
                    "never": [
                        {"where": item.where, "name": item.name, "missing": list(item.missing)}
                        for item in one.items
                        if item.missing
                    ],
                }
                for one in self.sets
            ],
            "tables": [{"rule_set": t.rule_set, "rows": t.rows, "hit": t.hit} for t in self.tables],
        }


def percent(part: int, whole: int) -> float:
    """100 where there is nothing to show."""
    return 100 * part / whole if whole else 100.0


_VERBS = {FIRED: "fires", HELD_BACK: "does not fire", USED: "answers", OUTSIDE: "does not answer outside its dates"}


def _verb(item: Exercised) -> str:
    return ", nor that it ".join(_VERBS[outcome] for outcome in item.missing)


def exercise_of(
    written: Iterable[WrittenSet], marks: Marks, stated: Mapping[str, int], minimum: float | None
) -> Exercise:
    """The exercise of rule sets by what a run marked.

    Args:
        stated: how many rows of imported tables there are, by rule set.
    """
    sets = tuple(SetExercise(one.directory.as_posix(), tuple(_items(one, marks))) for one in written)
    hit: dict[str, int] = {}
    for rule_set, *_ in marks.cited:
        hit[rule_set] = hit.get(rule_set, 0) + 1
    tables = tuple(TableExercise(name, rows, min(hit.get(name, 0), rows)) for name, rows in sorted(stated.items()))
    return Exercise(sets, tables, minimum)


def _items(written: WrittenSet, marks: Marks) -> Iterator[Exercised]:
    files = [source.file for source in written.draft.header.sources]
    found: list[tuple[Key, Exercised]] = []
    for key, table, row in all_keys(written):
        where = f"{written.directory.as_posix()}/{files[key.source]}:{key.row}"
        wanted = _wanted(table, row)
        shown = tuple(outcome for outcome in wanted if outcome in marks.of.get(key, ()))
        found.append((key, Exercised(where, name_of_row(table, row), wanted, shown)))
    yield from (item for _, item in sorted(found, key=lambda pair: pair[0]))


def _wanted(table: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    if table == "rules":
        return FIRED, HELD_BACK
    return (USED, OUTSIDE) if row.get("effective_from") or row.get("effective_to") else (USED,)


_NAMES: Mapping[str, Sequence[str]] = {
    "rules": ("rule_id",),
    "lists": ("first", "last"),
    "switches": ("name",),
    "code-families": ("family", "first", "last"),
    "modifier-families": ("family", "modifiers"),
    "aoc-payer-primaries": ("add_on_code", "primary_code"),
    "aoc-notes": ("note",),
    "adjustments": ("name",),
    "age-sex": ("from_code", "to_code"),
    "diagnosis-sequence": ("from_code", "to_code"),
}


def name_of_row(table: str, row: Mapping[str, Any]) -> str:
    """A rule's id, or the cells that tell a row from others."""
    return " ".join(dict.fromkeys(str(row[name]) for name in _NAMES.get(table, ("modifiers",)) if row.get(name)))
