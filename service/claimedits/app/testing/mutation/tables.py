"""Mutants of tables that people write: code lists beside rules, conventions, duplicates, edits on codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from claimedits.app.testing.exercised import name_of_row
from claimedits.app.testing.mutation.mutant import Mutant
from claimedits.app.testing.mutation.sentences import move_code
from claimedits.app.testing.recording import Key
from claimedits.app.testing.rule_sets import WrittenSet
from claimedits.model.dates import format_day, parse_day
from claimedits.rulesets.authored.code_lists import COLUMNS as LIST_COLUMNS
from claimedits.rulesets.authored.reading import SWITCH_COLUMNS
from claimedits.rulesets.table_rules import TABLES

Row = dict[str, Any]
_FLIPS: Mapping[str, Mapping[str, str]] = {
    "column_1": {"accept": "reject", "reject": "accept", "review": "accept"},
    "column_2": {"accept": "reject", "reject": "accept", "review": "accept"},
    "reason": {"external_cause": "manifestation", "manifestation": "external_cause"},
    "side": {"left": "right", "right": "left", "both": "left"},
    "sex": {"F": "M", "M": "F"},
    "role": {"add_on": "primary", "primary": "add_on"},
    "group": {"CO": "PR", "PR": "CO", "OA": "CO", "PI": "CO"},
}
"""Words of a closed list, and what each is turned into."""
_WORDS = ("modifiers", "settings", "condition", "pairs", "lifted_by_modifiers", "lifted_by_condition_codes", "rarc")
"""Columns of words separated by blanks: a mutant lacks one."""
_RANGES = (("first", "last"), ("from_code", "to_code"))
_NUMBERS = ("age_min", "age_max")


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of a table as a mutant has it; None = the row is gone."""

    table: str
    key: Key
    row: Row | None


def mutate_tables(written: WrittenSet, name: str) -> Iterator[Mutant]:
    """The mutants of every row of a rule set but its rules, in the order of files and rows.

    Args:
        name: the directory in the places of the mutants.
    """
    files = [source.file for source in written.draft.header.sources]
    for table, rows in written.tables.items():
        if table == "rules":
            continue
        columns = _columns(written.kind, table)
        for row in sorted(rows, key=lambda r: (r["source"], r["source_row"])):
            place = f"{name}/{files[row['source']]}:{row['source_row']}"
            yield from _RowMutator(written.name, table, row, place, files[row["source"]], columns).mutants()


def _columns(kind: str, table: str) -> tuple[str, ...]:
    if table == "lists":
        return LIST_COLUMNS
    return SWITCH_COLUMNS if kind == "authored" else TABLES[kind][table]


class _RowMutator:
    def __init__(self, rule_set: str, table: str, row: Row, place: str, file: str, columns: tuple[str, ...]) -> None:
        self._table, self._row, self._place, self._columns = table, row, place, columns
        self._key = Key(rule_set, row["source"], row["source_row"])
        dates = "..".join(row[c] for c in ("effective_from", "effective_to") if row.get(c))
        self._subject = f"{file}/{name_of_row(table, row)}" + (f"@{dates}" if dates else "")

    def mutants(self) -> Iterator[Mutant]:
        gone = RowChange(self._table, self._key, None)
        text = ",".join(str(self._row.get(c, self._row.get("authority", ""))) for c in self._columns[:3])
        yield Mutant(
            f"{self._subject}/remove row", f"{self._place}:1", "removal", f"the row {text},…", "", lambda: gone
        )
        for column in self._columns:
            value = self._row.get(column)
            if isinstance(value, str) and value and column != "source":
                yield from self._cell(column, value)
        if self._table == "switches":
            yield from self._switch()

    def _mutant(self, column: str, operator: str, change: str, before: str, after: str, value: str) -> Mutant:
        where = f"{self._place}:{self._columns.index(column) + 1}"
        made = RowChange(self._table, self._key, {**self._row, column: value})
        return Mutant(f"{self._subject}/{column}/{change}", where, operator, before, after, lambda: made)

    def _cell(self, column: str, value: str) -> Iterator[Mutant]:
        if column in ("effective_from", "effective_to"):
            yield from self._dates(column, value)
        elif column in _FLIPS and value in _FLIPS[column]:
            other = _FLIPS[column][value]
            yield self._mutant(column, "flip", other, value, other, other)
        elif column in _WORDS:
            words = value.split()
            for i, word in enumerate(words if len(words) > 1 or column in ("condition", "rarc") else ()):
                rest = " ".join((*words[:i], *words[i + 1 :]))
                yield self._mutant(column, "code", f"without {word}", word, "", rest)
        elif column in _NUMBERS:
            for step in (-1, 1):
                moved = str(int(value) + step)
                if int(moved) >= 0:
                    yield self._mutant(column, "boundary", f"{step:+d}", value, moved, moved)
        for first, last in _RANGES:
            if column in (first, last) and self._row[first] != self._row[last]:
                moved = move_code(value, 1 if column == first else -1)
                if moved and _is_range(self._row, first, last, column, moved):
                    yield self._mutant(column, "code", "narrower", value, moved, moved)

    def _dates(self, column: str, value: str) -> Iterator[Mutant]:
        for days in (-1, 1):
            moved = format_day(parse_day(value) + days)
            row = {**self._row, column: moved}
            if not row["effective_from"] or not row["effective_to"] or row["effective_from"] <= row["effective_to"]:
                yield self._mutant(column, "date", f"{days:+d} day", value, moved, moved)

    def _switch(self) -> Iterator[Mutant]:
        """The switch with each other value that it may have; a list of words without one of them."""
        value, allowed = self._row["value"], self._row.get("allowed", "").split()
        others = [word for word in allowed if word != value]
        if value in ("true", "false") and not others:
            others = ["false" if value == "true" else "true"]
        for other in others:
            yield self._mutant("value", "flip", other, value, other, other)
        words = value.split()
        for i, word in enumerate(words if len(words) > 1 else ()):
            yield self._mutant("value", "code", f"without {word}", word, "", " ".join((*words[:i], *words[i + 1 :])))


def _is_range(row: Row, first: str, last: str, column: str, moved: str) -> bool:
    ends = {first: row[first], last: row[last], column: moved}
    return bool(ends[first] <= ends[last])


def changed_tables(written: WrittenSet, change: RowChange) -> dict[str, list[Row]]:
    """The tables of a rule set with one row changed or gone."""

    def rows() -> Iterator[Row]:
        for row in written.tables[change.table]:
            if (row["source"], row["source_row"]) != change.key[1:]:
                yield row
            elif change.row is not None:
                yield change.row

    return {**written.tables, change.table: list(rows())}
