"""How much is mutated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MutationOptions:
    """How much is mutated."""

    run: str = ""
    """A regular expression searched for in the ids of mutants; empty = all."""
    limit: int | None = None
    """At most so many mutants, chosen at random with ``seed``; None = all."""
    seed: int = 0
    seconds: float | None = None
    """No mutant is begun after so many seconds; None = no end. What is reported then depends on the machine."""
    minimum: float = 100.0
