"""What a mutant is, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Fate = Literal["killed", "survived", "refused", "silenced", "not tried"]
"""``refused``: the compiler does not take it, so that it could never go live; ``silenced``: somebody says that it changes nothing."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one value, not yet made."""

    id: str
    """What stands in a silence: subject, field and change; it names no row, so that it outlives edits elsewhere."""
    where: str
    """``file:row:column`` of the value that is changed."""
    operator: str
    """``date``, ``condition``, ``negation``, ``boundary``, ``code``, ``outcome``, ``flip``, ``removal`` …"""
    before: str
    after: str
    """The mutated text; empty where something is removed."""
    make: Callable[[], Any] = field(repr=False, compare=False)
    """Makes the change: a mutated rule, table or case, as the runner of its kind takes it; None = refused."""

    def __str__(self) -> str:
        change = f"{self.before} → {self.after}" if self.after else f"without {self.before}"
        return f"{self.where}: {self.id}: {change}"


@dataclass(frozen=True, slots=True)
class MutantResult:
    """What became of one mutant."""

    id: str
    where: str
    operator: str
    before: str
    after: str
    fate: Fate
    why: str = ""
    """The test that killed it, or the reason of its silence."""

    def __str__(self) -> str:
        change = f"{self.before} → {self.after}" if self.after else f"without {self.before}"
        return f"{self.where}: {self.id}: {change}"


def number_repeated(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The same mutants with ids that are unique: the second of one id ends in ``#2``."""
    seen: dict[str, int] = {}
    for m in mutants:
        count = seen[m.id] = seen.get(m.id, 0) + 1
        yield m if count == 1 else Mutant(f"{m.id}#{count}", m.where, m.operator, m.before, m.after, m.make)
