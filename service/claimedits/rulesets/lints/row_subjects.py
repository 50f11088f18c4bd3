"""What each row of a rule set of tables answers for: the switch, the family, the modifier, the codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from claimedits.model.terms import Setting

Cells = Mapping[str, str]


class Subject(NamedTuple):
    """One thing that a row answers for."""

    key: tuple[str, ...]
    """Rows of different keys have nothing to do with each other."""
    name: str
    """As people call it."""
    value: tuple[str, ...] = ()
    """What the row answers; empty in a table of sets."""
    codes: tuple[str, str] = ("", "")
    """First and last code; empty where the subject has no codes."""


def subjects_of(table: str, cells: Cells) -> Iterator[Subject]:
    """The subjects of a row, one for each modifier and setting that it names."""
    yield from _READERS[table](cells)


def _values(cells: Cells, *names: str) -> tuple[str, ...]:
    return tuple(cells[name] for name in names)


def _switch(cells: Cells) -> Iterator[Subject]:
    yield Subject((cells["name"],), f"switch {cells['name']}", (cells["value"],))


def _adjustment(cells: Cells) -> Iterator[Subject]:
    yield Subject((cells["name"],), f"finding code {cells['name']}", _values(cells, "group", "carc", "rarc"))


def _code_family(cells: Cells) -> Iterator[Subject]:
    yield Subject((cells["family"],), f"family {cells['family']}", (), (cells["first"], cells["last"]))


def _note(cells: Cells) -> Iterator[Subject]:
    yield Subject((cells["note"],), "the note", _values(cells, "code", "role", "settings"))


def _payer_primary(cells: Cells) -> Iterator[Subject]:
    pair = _values(cells, "add_on_code", "primary_code")
    yield Subject(pair, f"{pair[0]} with {pair[1]}")


def _modifiers(cells: Cells) -> Iterator[Subject]:
    family = cells.get("family", "")
    value = _values(cells, "part", "side") if "part" in cells else ()
    for modifier in dict.fromkeys(cells["modifiers"].split()):
        yield Subject((family, modifier), f"modifier {modifier}{f' of family {family}' if family else ''}", value)


def _position(cells: Cells) -> Iterator[Subject]:
    pairs = cells["pairs"]
    for modifier in dict.fromkeys(cells["modifiers"].split()):
        for setting in dict.fromkeys(cells["settings"].split() or Setting.__members__):
            name = f"modifier {modifier} in {setting}" + (f" for {pairs}" if pairs else "")
            value = _values(cells, "column_1", "column_2", "condition")
            yield Subject((modifier, cells["program"], setting, pairs), name, value)


def _age_sex(cells: Cells) -> Iterator[Subject]:
    asked = _values(cells, "sex", "age_min", "age_max", "lifted_by_modifiers", "lifted_by_condition_codes")
    yield Subject((cells["kind"], *asked), f"{cells['kind']} codes", (), (cells["from_code"], cells["to_code"]))


def _sequence(cells: Cells) -> Iterator[Subject]:
    yield Subject((cells["reason"],), f"reason {cells['reason']}", (), (cells["from_code"], cells["to_code"]))


_READERS: Mapping[str, Callable[[Cells], Iterator[Subject]]] = {
    "switches": _switch,
    "adjustments": _adjustment,
    "code-families": _code_family,
    "aoc-notes": _note,
    "aoc-payer-primaries": _payer_primary,
    "modifier-families": _modifiers,
    "distinguishing-modifiers": _modifiers,
    "modifier-sides": _modifiers,
    "ptp-modifier-positions": _position,
    "age-sex": _age_sex,
    "diagnosis-sequence": _sequence,
}
"""One for every table of ``table_rules.TABLES``."""
