"""What a look-up asks, and the edits it finds: each is made when it is asked for, so that one page of many costs one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

from claimedits.model.dates import Day
from claimedits.model.finding import Citation
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet
from claimedits.rulesets.versions import Selection

EVERY_CODE = "every code"
"""In the field ``concerns``: the edit does not ask for the code, so it may fire on any line."""


@dataclass(slots=True, frozen=True)
class Edit:
    """One edit, or one row that edits read, that touches the codes asked for."""

    family: Family
    rule_set: str
    rule_id: str
    citation: Citation
    active: bool
    """Whether it is in force on the date asked for; deleted and future edits are shown too."""
    fields: tuple[tuple[str, str], ...]
    """The row's values in the publisher's terms; no name stands twice."""

    @property
    def concerns_every_code(self) -> bool:
        return ("concerns", EVERY_CODE) in self.fields


@dataclass(slots=True, frozen=True)
class LookUp:
    """What is asked: a code, a pair, a diagnosis, or a code with a diagnosis, on a service date, as known on ``as_of``."""

    codes: tuple[str, ...]
    """At most two procedure codes or modifiers, upper case."""
    day: Day
    as_of: Day
    program: Program | None = None
    setting: Setting | None = None
    families: frozenset[Family] = field(default=frozenset())
    """Empty = all."""
    diagnosis: str = ""
    """Upper case, without the dot; empty = none."""

    @property
    def procedure_codes(self) -> tuple[str, ...]:
        return tuple(code for code in self.codes if len(code) == 5)

    @property
    def modifiers(self) -> tuple[str, ...]:
        return tuple(code for code in self.codes if len(code) == 2)

    @property
    def only_code(self) -> str:
        """The procedure code, where nothing else is asked for; else empty."""
        codes = self.procedure_codes
        return codes[0] if len(codes) == len(self.codes) == 1 and not self.diagnosis else ""

    @property
    def only_modifier(self) -> str:
        """The modifier, where nothing else is asked for; else empty."""
        modifiers = self.modifiers
        return modifiers[0] if len(modifiers) == len(self.codes) == 1 and not self.diagnosis else ""

    @property
    def only_diagnosis(self) -> str:
        """The diagnosis, where nothing else is asked for; else empty."""
        return "" if self.codes else self.diagnosis


class Found(NamedTuple):
    """What one rule set holds: places in order (rule id, first day), and how a place becomes an edit."""

    places: Sequence[Any]
    make: Callable[[Any], Edit]


def _make_nothing(place: Any) -> Edit:
    raise LookupError(place)


NOTHING = Found((), _make_nothing)


class EditList(Sequence[Edit]):
    """The edits of several rule sets, one after the other."""

    def __init__(self, found: Sequence[Found]) -> None:
        self._found = [part for part in found if part.places]
        self._length = sum(len(part.places) for part in self._found)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> Edit: ...
    @overload
    def __getitem__(self, at: slice) -> list[Edit]: ...
    def __getitem__(self, at: int | slice) -> Edit | list[Edit]:
        wanted = range(self._length)[at]
        return self._at(wanted) if isinstance(wanted, int) else [self._at(i) for i in wanted]

    def __iter__(self) -> Iterator[Edit]:
        for part in self._found:
            yield from map(part.make, part.places)

    def _at(self, position: int) -> Edit:
        for part in self._found:
            if position < len(part.places):
                return part.make(part.places[position])
            position -= len(part.places)
        raise IndexError(position)


class Search:
    """One look-up in one release: which revisions were known, which one answers, which one is cited."""

    def __init__(self, release: LoadedRelease, asked: LookUp) -> None:
        self.release = release
        self.asked = asked

    def switch(self, name: str) -> str:
        """A switch of the conventions on the date asked for."""
        return self.release.conventions.switch(name, self.asked.day)

    def known(self, loaded: LoadedRuleSet) -> int:
        """The revisions known on ``as_of``: bit ``i`` for revision ``i``."""
        revisions = enumerate(loaded.editions.revisions)
        return sum(1 << i for i, info in revisions if info.header.published_on <= self.asked.as_of)

    def selection(self, loaded: LoadedRuleSet, *, dated_rows: bool) -> Selection | None:
        """The revisions that answer for the date, as an evaluation would choose them (semantics.md §G.3)."""
        view = loaded.editions.known(
            self.asked.as_of,
            reconstruct=dated_rows and self.switch("version.reconstruct_dated_rows") == "true",
            stale=self.switch("version.after_last") == "evaluate_stale",
        )
        return view.select(self.asked.day)

    def cited_revision(self, loaded: LoadedRuleSet, revisions: int, selection: Selection | None) -> int:
        """The revision to cite for a row that stands in ``revisions`` (bits): the one in force, the newest, the last known."""
        for revision in (selection.in_force, selection.newest) if selection else ():
            if revisions >> revision & 1:
                return revision
        return (revisions & self.known(loaded)).bit_length() - 1

    def is_in_force(self, loaded: LoadedRuleSet, revision: int) -> bool:
        """Whether a revision answers for the date; for rows that carry no dates of their own."""
        selection = self.selection(loaded, dated_rows=False)
        return selection is not None and selection.in_force == revision
