"""Typed reading of the fields of one TOML table; every problem with its place, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from claimedits.model.dates import Day, day_of, parse_day
from claimedits.model.problems import Problem
from claimedits.rulesets.authored.positions import Path, Position, Positions
from claimedits.rulesets.authored.sentences import suggest


class RuleFile:
    """One TOML file: its values, and where they stand."""

    def __init__(self, name: str, values: Mapping[str, Any], positions: Positions, problems: list[Problem]) -> None:
        self.name, self.values, self._positions, self._problems = name, values, positions, problems

    def with_values(self, values: Mapping[str, Any], problems: list[Problem]) -> RuleFile:
        """The same file with other values, whose problems are kept apart; places are those of the file as it is."""
        return RuleFile(self.name, values, self._positions, problems)

    def place(self, path: Path) -> Position:
        return self._positions.of(path)

    def place_within(self, path: Path, character: int) -> Position:
        """The place of the ``character``-th character (0-based) of a text value."""
        return self._positions.within(path, character)

    def add(
        self,
        path: Path,
        what: str,
        mend: str = "",
        character: int | None = None,
        *,
        key: bool = False,
        code: str = "",
    ) -> None:
        """Record a problem of the value at ``path``, or of its key, or of one character of a text.

        ``code`` is the name of the lint that the problem belongs to (``rulesets.lints.catalogue``).
        """
        if character is not None:
            position = self.place_within(path, character)
        else:
            position = self._positions.of_key(path) if key else self._positions.of(path)
        self._problems.append(Problem(f"{self.name}:{position.row}:{position.column}", what, mend, code))

    @property
    def problem_count(self) -> int:
        return len(self._problems)


class Fields:
    """The fields of one table of a rule file."""

    def __init__(self, file: RuleFile, path: Path, values: Mapping[str, Any], title: str) -> None:
        self.file, self.path, self._values, self._title = file, path, values, title

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def add(self, name: str, what: str, mend: str = "", code: str = "") -> None:
        self.file.add((*self.path, name), what, mend, code=code)

    def refuse_unknown(self, known: Collection[str]) -> None:
        for name in self._values:
            if name not in known:
                self.file.add((*self.path, name), f"{self._title} has no field {name}", suggest(name, known), key=True)

    def text(self, name: str, *, required: bool = False, code: str = "") -> str:
        value = self._values.get(name)
        if value is None:
            if required:
                self.file.add(self.path, f"{self._title} has no {name}", f'write {name} = "…"', key=True, code=code)
            return ""
        if not isinstance(value, str):
            self._refuse_type((*self.path, name), name, value)
            return ""
        if required and not value.strip():
            self.add(name, f"{name} is empty", "say it in words", code)
        return value.strip()

    def word(self, name: str, allowed: Collection[str], default: str = "") -> str:
        value = self.text(name, required=not default) or default
        if value and value not in allowed:
            self.add(name, f"{value} is no {name}", suggest(value, allowed))
        return value if value in allowed else default or next(iter(allowed))

    def placed_texts(self, name: str) -> list[tuple[Path, str]]:
        """A list of texts with their paths; a single text counts as a list of one."""
        value = self._values.get(name, [])
        single = isinstance(value, str)
        if not isinstance(value, list) and not single:
            self._refuse_type((*self.path, name), name, value)
            return []
        placed = []
        for i, item in enumerate([value] if single else value):
            path = (*self.path, name) if single else (*self.path, name, i)
            if isinstance(item, str):
                placed.append((path, item))
            else:
                self._refuse_type(path, name, item)
        return placed

    def texts(self, name: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
        """A list of texts, each of them ``allowed``."""
        placed = self.placed_texts(name)
        for path, text in placed:
            if allowed is not None and text not in allowed:
                self.file.add(path, f"{text} is no value of {name}", suggest(text, allowed))
        return tuple(text for _, text in placed if allowed is None or text in allowed)

    def day(self, name: str, default: Day) -> Day:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, date):
            return day_of(value)
        try:
            return parse_day(value)
        except (ValueError, TypeError):
            self.add(name, f"{name} is not a date", 'write it like "2024-07-01"')
            return default

    def count(self, name: str, default: int | None, least: int) -> int | None:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.add(
                name,
                f"{name} is not a whole number of at least {least}",
                f"write it without quotes, such as {max(least, 1)}",
            )
            return default
        return value

    def tables(self, name: str) -> list[Fields]:
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            header = "[[rule]]" if name == "rule" else f"[[rule.{name}]]"
            self.add(name, f"{name} is not a list of tables", f"write {header} above its fields")
            return []
        return [Fields(self.file, (*self.path, name, i), item, f"[[rule.{name}]]") for i, item in enumerate(value)]

    def table(self, name: str) -> Fields | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.add(name, f"{name} is not a table", f'write it like {name} = {{ group = "CO", carc = "4" }}')
            return None
        return Fields(self.file, (*self.path, name), value, name)

    def _refuse_type(self, path: Path, name: str, value: object) -> None:
        if isinstance(value, int) and not isinstance(value, bool):
            self.file.add(path, f"{value} stands without quotes", f'write codes in quotes: "{value}"')
        else:
            self.file.add(path, f"{name} is not text", 'write it in quotes: "…"')
