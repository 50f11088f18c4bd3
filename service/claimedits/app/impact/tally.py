"""Changes summed up: lines, claims and charges by kind, and by rule, code, provider and family.

Figures are exact counts over every claim read. A line counts once under its own kind; a claim counts once under each kind
that one of its lines shows, and once under its worst.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from claimedits.app.impact.changes import ChangeKind, LineChange
from claimedits.model.claim import Claim
from claimedits.model.terms import Status

K = TypeVar("K")

PARTS = ("rule", "code", "provider", "family", "rule_set")
"""What changed lines are summed by."""


@dataclass(slots=True)
class Figures:
    """Lines of one kind of change."""

    lines: int = 0
    claims: int = 0
    charge_cents: int = 0
    """Of the lines that give a charge."""
    lines_without_charge: int = 0

    def add(self, other: Figures) -> None:
        """Sum up the figures of other claims."""
        self.lines += other.lines
        self.claims += other.claims
        self.charge_cents += other.charge_cents
        self.lines_without_charge += other.lines_without_charge


class ChangedClaim(NamedTuple):
    """One claim whose answer differs."""

    claim_id: str
    position: int
    """1-based position in the input."""
    provider: str
    old: Status
    new: Status
    kind: ChangeKind
    """The worst of its lines."""
    lines: tuple[LineChange, ...]
    charges: tuple[int | None, ...]
    """Of ``lines``, in cents; None = not given."""


@dataclass(slots=True)
class Tally:
    """The sum over claims; two tallies of different claims add up to the tally of all."""

    claims: int = 0
    """Read and valid."""
    lines: int = 0
    charge_cents: int = 0
    evaluated: int = 0
    """Under both releases, or under the old one where its answer shows that the new one's is equal."""
    evaluated_once: int = 0
    """Of these, under the old one only."""
    skipped: int = 0
    """Not evaluated, because no changed row can touch them."""
    refused: int = 0
    """Could not be read as a claim."""
    outcomes: Counter[tuple[Status, Status]] = field(default_factory=Counter)
    """Evaluated claims by outcome before and after."""
    worst: Counter[ChangeKind] = field(default_factory=Counter)
    """Evaluated claims by their worst change."""
    undecided: Figures = field(default_factory=Figures)
    """Of the newly failing lines, those that were NOT_EVALUATED before: data came, no rule changed."""
    undecided_only: int = 0
    """Claims all of whose newly failing lines are such."""
    no_longer_evaluated: Figures = field(default_factory=Figures)
    """Lines that were decided before and are NOT_EVALUATED now."""
    kinds: dict[ChangeKind, Figures] = field(default_factory=dict)
    parts: dict[str, dict[tuple[str, ChangeKind], Figures]] = field(
        default_factory=lambda: {part: {} for part in PARTS}
    )

    def count(self, claim: Claim, changed: ChangedClaim | None, outcome: Status, once: bool = False) -> None:
        """Count one evaluated claim; ``outcome`` is the old one, ``once``: the new one was not asked for."""
        self.read(claim)
        self.evaluated += 1
        self.evaluated_once += once
        if changed is None:
            self.outcomes[outcome, outcome] += 1
            self.worst[ChangeKind.SAME] += 1
            return
        self.outcomes[changed.old, changed.new] += 1
        self.worst[changed.kind] += 1
        failing = [line.undecided for line in changed.lines if line.kind is ChangeKind.NEWLY_FAILING]
        self.undecided_only += bool(failing) and all(failing)
        kinds_seen: set[ChangeKind] = set()
        undecided_seen: set[bool] = set()
        lost_seen: set[bool] = set()
        parts_seen: dict[str, set[tuple[str, ChangeKind]]] = {part: set() for part in PARTS}
        for line, charge in zip(changed.lines, changed.charges, strict=True):
            one = Figures(1, 0, charge or 0, int(charge is None))
            _add(self.kinds, line.kind, one, kinds_seen)
            if line.undecided:
                _add({True: self.undecided}, True, one, undecided_seen)
            if line.new is Status.NOT_EVALUATED and line.old is not Status.NOT_EVALUATED:
                _add({True: self.no_longer_evaluated}, True, one, lost_seen)
            for part in PARTS:
                for name in _names(part, changed, line):
                    _add(self.parts[part], (name, line.kind), one, parts_seen[part])

    def skip(self, claim: Claim) -> None:
        """Count a claim that no changed row can touch."""
        self.read(claim)
        self.skipped += 1

    def read(self, claim: Claim) -> None:
        """Count what was read of a claim."""
        self.claims += 1
        self.lines += len(claim.lines)
        self.charge_cents += sum(line.charge_cents or 0 for line in claim.lines)

    def merge(self, other: Tally) -> None:
        """Add the tally of other claims."""
        self.claims += other.claims
        self.lines += other.lines
        self.charge_cents += other.charge_cents
        self.evaluated += other.evaluated
        self.evaluated_once += other.evaluated_once
        self.skipped += other.skipped
        self.refused += other.refused
        self.outcomes += other.outcomes
        self.worst += other.worst
        self.undecided.add(other.undecided)
        self.undecided_only += other.undecided_only
        self.no_longer_evaluated.add(other.no_longer_evaluated)
        for kind, figures in other.kinds.items():
            self.kinds.setdefault(kind, Figures()).add(figures)
        for part in PARTS:
            for key, figures in other.parts[part].items():
                self.parts[part].setdefault(key, Figures()).add(figures)

    @property
    def newly_failing(self) -> int:
        """Claims with a line that fails newly though it was decided before: what a change of rules did."""
        return self.claims_with(ChangeKind.NEWLY_FAILING) - self.undecided_only

    def claims_with(self, kind: ChangeKind) -> int:
        """Claims with at least one line of this kind."""
        figures = self.kinds.get(kind)
        return figures.claims if figures else 0


def _add(table: dict[K, Figures], key: K, one: Figures, seen: set[K]) -> None:
    figures = table.setdefault(key, Figures())
    figures.add(one)
    if key not in seen:
        seen.add(key)
        figures.claims += 1


def _names(part: str, changed: ChangedClaim, line: LineChange) -> tuple[str, ...]:
    if part == "code":
        return (line.procedure_code,)
    if part == "provider":
        return (changed.provider,)
    if part == "rule":
        return tuple(sorted({cause.rule_id for cause in line.causes}))
    if part == "rule_set":
        return tuple(sorted({cause.rule_set for cause in line.causes}))
    return tuple(sorted({cause.family.name for cause in line.causes}))
