"""The conventions of a release: switches, positions of modifiers, families of codes and modifiers, adjustment codes.

They are data (``rules/ncci-conventions``, ``rules/duplicates``), compiled into a revision and so part of the release's digest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import orjson

from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.model.finding import Adjustment
from claimedits.model.problems import StoreError
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.code_families import CodeFamily, read_code_families
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.windows import BEGINNING, Window, read_window

Rows = list[dict[str, str]]
T = TypeVar("T")


class Position(NamedTuple):
    """Where a modifier bypasses a pair: one row of the modifier position policy (semantics.md §A.5)."""

    column_1: str
    """``accept``, ``reject`` or ``review``."""
    column_2: str
    conditions: tuple[str, ...]
    """Conditions on the line that carries the modifier: ``em``, ``not_em``, ``not_never_59``, ``laboratory``, ``anatomic``."""
    pairs: tuple[tuple[CodeFamily, CodeFamily], ...]
    """Only these pairs, in either column order; empty = every pair."""
    authority: str


class AddOnNote(NamedTuple):
    """What a published note means: ``code`` as ``role`` is allowed in ``settings`` alone (semantics.md §C.2)."""

    code: str
    role: str
    """``add_on``, ``primary`` or ``none`` (the note restricts nothing)."""
    settings: frozenset[Setting]


class Conventions:
    """One revision of ``ncci-conventions``, or of another rule set of the same tables, opened."""

    def __init__(self, tables: Mapping[str, Rows]) -> None:
        def rows(name: str) -> Rows:
            return tables.get(name, [])

        self._switches = _group((r["name"], _window(r, r["value"])) for r in rows("switches"))
        self._open_switches = {
            name: windows[0].value for name, windows in self._switches.items() if _is_undated(windows)
        }
        self._positions = _group(
            (
                modifier,
                _window(
                    r,
                    (
                        Program[r["program"]],
                        frozenset(Setting[word] for word in r["settings"].split()),
                        _position(r),
                    ),
                ),
            )
            for r in rows("ptp-modifier-positions")
            for modifier in r["modifiers"].split()
        )
        self.ptp_associated: dict[str, None] = dict.fromkeys(self._positions)
        """Every PTP-associated modifier, in the order of the policy table."""
        self._pair_positions = tuple(
            position for windows in self._positions.values() for _, _, (_, _, position) in windows if position.pairs
        )
        self._families = read_code_families(rows("code-families"))
        self._modifier_families = _group(
            (r["family"], _window(r, modifier))
            for r in rows("modifier-families")
            for modifier in r["modifiers"].split()
        )
        self.sides: dict[str, tuple[str, str]] = {
            modifier: (r["part"], r["side"]) for r in rows("modifier-sides") for modifier in r["modifiers"].split()
        }
        """Modifier → (part of the body, side): ``T5`` → (``toe``, ``right``)."""
        self._adjustments = _group(
            (r["name"], _window(r, Adjustment(r["group"], r["carc"], tuple(r["rarc"].split()))))
            for r in rows("adjustments")
        )
        self._notes = _group((r["note"], _window(r, _add_on_note(r))) for r in rows("aoc-notes"))
        self._payer_primaries = _group(
            (r["add_on_code"], _window(r, r["primary_code"])) for r in rows("aoc-payer-primaries")
        )
        self._distinguishing = _group(
            (modifier, _window(r, True))
            for r in rows("distinguishing-modifiers")
            for modifier in r["modifiers"].split()
        )
        self._turns = sorted(_boundaries(rows(name) for name in tables))
        self._named_pairs: dict[tuple[str, str], bool] = {}
        self._uncounted: dict[int, frozenset[str]] = {}
        self._traits: dict[tuple[str, int], tuple[str, ...]] = {}
        self.helpful: dict[tuple[object, ...], tuple[str, ...]] = {}
        """Modifiers that would clear a pair, remembered by everything they depend on (``engine.ptp_remedies``)."""

    def switch(self, name: str, day: Day) -> str:
        """The value of a convention switch on a service date.

        Raises:
            StoreError: the rule set does not state the switch for that day.
        """
        value = self._open_switches.get(name)
        if value is not None:
            return value
        for window in self._switches.get(name, ()):
            if window.covers(day):
                return window.value
        raise StoreError(f"the conventions of this release state no switch {name}; build and release them again")

    def position(
        self, modifier: str, program: Program, setting: Setting, day: Day, pair: tuple[str, str]
    ) -> Position | None:
        """The policy row of a modifier; a row for the pair itself comes before a general one. None = bypasses nothing."""
        general = None
        for window in self._positions.get(modifier, ()):
            row_program, settings, position = window.value
            if row_program is not program or not window.covers(day) or (settings and setting not in settings):
                continue
            if not position.pairs:
                general = general or position
            elif _names_pair(position, pair, day):
                return position
        return general

    def in_family(self, family: str, code: str, day: Day) -> bool:
        """Whether a procedure code belongs to a code family on a day; an unknown family holds nothing."""
        return family in self.traits(code, day)

    def uncounted_modifiers(self, day: Day) -> frozenset[str]:
        """Modifiers that take a line's units out of the MUE count (semantics.md §B.2): 55, GY, and JW where it does not count."""
        era = self.era(day)
        modifiers = self._uncounted.get(era)
        if modifiers is None:
            named = {*self.switch("mue.exclude_modifiers", day).split()}
            if self.switch("mue.count_jw", day) == "false":
                named.add("JW")
            if self.switch("ncci.skip_gy", day) == "true":
                named.add("GY")
            modifiers = self._uncounted[era] = frozenset(named)
        return modifiers

    @property
    def turns(self) -> list[Day]:
        """Ascending days on which some row of the conventions begins or has just ended."""
        return self._turns

    def era(self, day: Day) -> int:
        """Numbers the stretches of days within which no row of the conventions begins or ends."""
        return bisect_right(self._turns, day)

    def traits(self, code: str, day: Day) -> tuple[str, ...]:
        """The families that a procedure code belongs to on a day."""
        key = (code, self.era(day))
        traits = self._traits.get(key)
        if traits is None:
            if len(self._traits) >= 65_536:  # codes are the caller's: bounded
                self._traits.clear()
            traits = tuple(name for name, family in self._families.items() if family.contains(code, day))
            self._traits[key] = traits
        return traits

    def names_pair(self, pair: tuple[str, str], day: Day) -> bool:
        """Whether some row of the position policy speaks of this very pair."""
        named = self._named_pairs.get(pair)
        if named is None:
            if len(self._named_pairs) >= 65_536:  # codes are the caller's: bounded
                self._named_pairs.clear()
            named = self._named_pairs[pair] = any(_names_pair(p, pair, day) for p in self._pair_positions)
        return named

    def family(self, name: str) -> CodeFamily:
        """A code family by name.

        Raises:
            KeyError: the conventions hold no such family.
        """
        return self._families[name]

    def modifier_family(self, family: str, day: Day) -> tuple[str, ...]:
        """The modifiers of a family on a day, in table order."""
        return tuple(w.value for w in self._modifier_families.get(family, ()) if w.covers(day))

    def adjustment(self, name: str, day: Day) -> Adjustment | None:
        """Adjustment codes of a finding code, or of ``CODE.variant``; None where the table is silent."""
        for window in self._adjustments.get(name, ()):
            if window.covers(day):
                return window.value
        return None

    def adjustment_rows(self) -> Iterator[tuple[str, Adjustment, Day, Day]]:
        """Every row of adjustment codes: finding code, codes, first and last day, both inclusive."""
        for name, windows in self._adjustments.items():
            for window in windows:
                yield name, window.value, window.effective_from, window.effective_to

    def add_on_note(self, note: str, day: Day) -> AddOnNote | None:
        """What a published note restricts; None for a note that nobody has curated."""
        for window in self._notes.get(note, ()):
            if window.covers(day):
                return window.value
        return None

    @property
    def known_notes(self) -> frozenset[str]:
        """Every add-on note that somebody has read."""
        return frozenset(self._notes)

    def payer_primaries(self, add_on_code: str, day: Day) -> frozenset[str]:
        """The payer's own list of primaries for a type 2 or 3 add-on; empty = none configured."""
        return frozenset(w.value for w in self._payer_primaries.get(add_on_code, ()) if w.covers(day))

    def payer_primaries_ever(self, add_on_code: str) -> frozenset[str]:
        """What ``payer_primaries`` gives on any day at all."""
        return frozenset(w.value for w in self._payer_primaries.get(add_on_code, ()))

    def is_distinguishing(self, modifier: str, day: Day) -> bool:
        """Whether a modifier says that a repeated line is another service (semantics.md §F.5)."""
        return any(window.covers(day) for window in self._distinguishing.get(modifier, ()))


def _group(items: Iterable[tuple[str, Window[T]]]) -> dict[str, list[Window[T]]]:
    grouped: dict[str, list[Window[T]]] = {}
    for name, window in items:
        grouped.setdefault(name, []).append(window)
    return grouped


def _window(row: Mapping[str, str], value: T) -> Window[T]:
    return read_window(row["effective_from"], row["effective_to"], value)


def _boundaries(tables: Iterable[Rows]) -> set[Day]:
    """Days on which some row begins or has just ended."""
    days = set()
    for rows in tables:
        for row in rows:
            if row.get("effective_from"):
                days.add(parse_day(row["effective_from"]))
            if row.get("effective_to"):
                days.add(parse_day(row["effective_to"]) + 1)
    return days


def _is_undated(windows: list[Window[str]]) -> bool:
    return len(windows) == 1 and windows[0].effective_from == BEGINNING and windows[0].effective_to == FOREVER


def _position(row: Mapping[str, str]) -> Position:
    pairs = tuple(_pair(text) for text in row["pairs"].split())
    return Position(row["column_1"], row["column_2"], tuple(row["condition"].split()), pairs, row["authority"])


def _pair(text: str) -> tuple[CodeFamily, CodeFamily]:
    """``29581-29584/97140`` as two families of codes."""
    halves = [half.partition("-") for half in text.split("/")]
    families = [CodeFamily([Window(BEGINNING, FOREVER, (first, last or first))]) for first, _, last in halves]
    return families[0], families[1]


def _names_pair(position: Position, pair: tuple[str, str], day: Day) -> bool:
    return any(
        (one.contains(pair[0], day) and other.contains(pair[1], day))
        or (one.contains(pair[1], day) and other.contains(pair[0], day))
        for one, other in position.pairs
    )


def _add_on_note(row: Mapping[str, str]) -> AddOnNote:
    return AddOnNote(row["code"], row["role"], frozenset(Setting[word] for word in row["settings"].split()))


class _TableIndexKind:
    """Small tables of text, kept as they are: one object a revision."""

    format = 1

    def __init__(self, name: str) -> None:
        self.name = name

    def build(self, revisions: Revisions, directory: Path) -> None:
        content = [
            {name: table.drop_columns(["source", "source_row"]).to_pylist() for name, table in tables.items()}
            for _, tables in revisions
        ]
        (directory / "tables.json").write_bytes(orjson.dumps(content))

    def open(self, directory: Path) -> tuple[Conventions, ...]:
        return tuple(Conventions(tables) for tables in orjson.loads((directory / "tables.json").read_bytes()))


CONVENTIONS_INDEX = _TableIndexKind("conventions")
DUPLICATES_INDEX = _TableIndexKind("duplicates")
