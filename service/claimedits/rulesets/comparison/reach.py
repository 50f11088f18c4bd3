"""What a difference between two releases can touch, and whether a claim is touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from claimedits.model.claim import Claim
from claimedits.model.dates import FOREVER, Day
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.windows import BEGINNING

T = TypeVar("T")
Pair = tuple[str, str]
"""Two procedure codes, the lesser first."""
_SHORTEST_DIAGNOSIS = 3


@dataclass(frozen=True)
class Reach:
    """Claims whose answers one difference of one rule set may change.

    A claim is touched where it has a line or history line on a day of the window, is of the programs and settings, and carries,
    on any of its lines or history lines, one of the codes, both codes of a pair, one of the modifiers, or a diagnosis; or,
    with ``everything``, whatever it carries.
    """

    rule_set: str
    reason: str
    first: Day = BEGINNING
    """First service day, inclusive."""
    last: Day = FOREVER
    """Last service day, inclusive."""
    programs: frozenset[Program] = frozenset(Program)
    settings: frozenset[Setting] = frozenset(Setting)
    everything: bool = False
    only_where_cited: bool = False
    """The rows of all codes are equal, but another revision states them: an answer changes only where, under the old release, a
    finding of the claim cites this rule set or its ``rule_id`` begins with the rule set's name, and then in its citation only.
    Whoever has the old answer need not ask for the new one where no finding does."""
    procedure_codes: frozenset[str] = frozenset()
    procedure_ranges: tuple[tuple[str, str], ...] = ()
    """First and last code, both inclusive, in the order of text."""
    pairs: frozenset[Pair] = frozenset()
    modifiers: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    """Without the dot. A diagnosis is touched by these codes, those above them and those below: findings name both."""
    contractors: frozenset[str] = frozenset()
    """Contractor ids on the claim."""

    @property
    def is_empty(self) -> bool:
        """Whether no claim can be touched."""
        return self.last < self.first or not (
            self.everything
            or self.procedure_codes
            or self.procedure_ranges
            or self.pairs
            or self.modifiers
            or self.diagnoses
            or self.contractors
        )

    def touches(self, claim: Claim) -> bool:
        """Whether the answer for the claim may differ. Never False where it does."""
        if claim.program not in self.programs or claim.setting not in self.settings:
            return False
        lines = (*claim.lines, *claim.history_lines)
        first, last = self.first, self.last
        if not any(line.service_date <= last and line.service_date_end >= first for line in lines):
            return False
        if self.everything or claim.contractor_id in self.contractors:
            return True
        codes = {line.procedure_code for line in lines}
        return (
            not codes.isdisjoint(self.procedure_codes)
            or any(low <= code <= high for low, high in self.procedure_ranges for code in codes)
            or bool(self.pairs and self._holds_pair(codes))
            or bool(self.modifiers and any(not self.modifiers.isdisjoint(line.modifiers) for line in lines))
            or bool(self.diagnoses and any(map(self._touches_diagnosis, claim.diagnoses)))
        )

    def _holds_pair(self, codes: set[str]) -> bool:
        partners = self._partners
        return any(not codes.isdisjoint(partners[code]) for code in codes if code in partners)

    @cached_property
    def _partners(self) -> dict[str, set[str]]:
        partners: dict[str, set[str]] = {}
        for a, b in self.pairs:
            partners.setdefault(a, set()).add(b)
            partners.setdefault(b, set()).add(a)
        return partners

    def _touches_diagnosis(self, code: str) -> bool:
        code = code.replace(".", "")
        return code in self._stems or any(
            code[:length] in self.diagnoses for length in range(_SHORTEST_DIAGNOSIS, len(code) + 1)
        )

    @cached_property
    def _stems(self) -> set[str]:
        return {code[:n] for code in self.diagnoses for n in range(_SHORTEST_DIAGNOSIS, len(code) + 1)}


@dataclass(frozen=True)
class Touched:
    """Everything that the differences of two releases can touch. A claim that no reach touches has the same answer under both."""

    reaches: tuple[Reach, ...] = field(default=())

    def touching(self, claim: Claim) -> tuple[Reach, ...]:
        """The reaches that touch a claim; empty = its answer is the same under both releases, but for the release's own id."""
        return tuple(reach for reach in self.reaches if reach.touches(claim))

    def touches(self, claim: Claim) -> bool:
        """Whether any reach touches the claim."""
        return any(reach.touches(claim) for reach in self.reaches)

    @property
    def everything(self) -> bool:
        """Whether claims of some program and setting are touched whatever they carry and whenever they were."""
        return bool(self.everything_because)

    @property
    def everything_because(self) -> tuple[str, ...]:
        """Why, if so."""
        return tuple(
            f"{reach.rule_set}: {reach.reason}"
            for reach in self.reaches
            if reach.everything and not reach.only_where_cited and (reach.first, reach.last) == (BEGINNING, FOREVER)
        )

    @property
    def procedure_codes(self) -> frozenset[str]:
        """Codes of all reaches; those of pairs are not among them."""
        return _union(reach.procedure_codes for reach in self.reaches)

    @property
    def pairs(self) -> frozenset[Pair]:
        """Pairs of all reaches."""
        return _union(reach.pairs for reach in self.reaches)

    @property
    def diagnoses(self) -> frozenset[str]:
        """Diagnoses of all reaches."""
        return _union(reach.diagnoses for reach in self.reaches)

    @property
    def modifiers(self) -> frozenset[str]:
        """Modifiers of all reaches."""
        return _union(reach.modifiers for reach in self.reaches)


def _union(sets: Iterable[frozenset[T]]) -> frozenset[T]:
    return frozenset(item for one in sets for item in one)
