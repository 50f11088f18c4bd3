"""Cases: the least part of a claim that a family has to see to say all that it says about some of its lines.

A case is decided by the single-claim engine, as a claim of these lines alone. Cases alike in everything that the family reads
are decided once: their findings are kept as templates with slots for the line numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from claimedits.engine.columnar.finding_columns import SLOT as SLOT
from claimedits.engine.columnar.finding_columns import FindingPool
from claimedits.engine.columnar.lines import Vocabularies
from claimedits.engine.engine import decide
from claimedits.engine.evaluation import Evaluation, EvaluationAbandonedError
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.claim_reading import ClaimLimits
from claimedits.model.dates import Day, format_day
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet

PASSED = int(Status.PASS)
MOST_KEPT = 200_000
"""Texts, templates and outcomes kept in all; beyond it everything is forgotten between two parts of a table."""

UNSEEN_HISTORY = ClaimLine(0, "", (), 0, -(2**30), -(2**30), claim_id="(history)")  # type: ignore[arg-type]
"""Stands for history lines that take no part in a case: all that is read of them is that there are some."""


class Outcome(NamedTuple):
    """What one or more families say about the target lines of a case."""

    findings: tuple[tuple[int, int], ...]
    """Position of the line in the case, and template; in the order of the answer."""
    statuses: Mapping[Family, tuple[int, ...]]
    """For each family the status of every line of the case."""


class Run:
    """What is kept from part to part while a table is evaluated: one release, one ``as_of``, one choice of families."""

    def __init__(self, release: LoadedRelease, as_of: Day, families: frozenset[Family], limits: ClaimLimits) -> None:
        self.release = release
        self.as_of = as_of
        self.families = families
        self.limits = limits
        self.most_bytes = 0
        """Of the findings of one part; 0 = whatever there is."""
        self.abandoned: Callable[[], bool] | None = None
        """Asked while cases are decided and written; True stops the work."""
        self.forget()

    def stop_if_abandoned(self) -> None:
        """Asked case by case.

        Raises:
            EvaluationAbandonedError: nobody waits any more.
        """
        if self.abandoned is not None and self.abandoned():
            raise EvaluationAbandonedError

    def forget(self) -> None:
        """Begin anew with nothing kept."""
        self.vocabularies = Vocabularies()
        self.pool = FindingPool()
        self.outcomes: dict[Hashable, Outcome] = {}
        self.turns: dict[Hashable, list[Day]] = {}
        """Days on which rows of codes begin or end, by whatever screening likes."""
        self.kept: dict[Hashable, object] = {}
        """What screening has found out about codes and days, by whatever it likes."""

    def trim(self) -> None:
        """Forget when too much is kept. Called between two parts, since numbers of texts and templates lose their meaning."""
        if self.pool.size + self.vocabularies.size + len(self.outcomes) + len(self.turns) > MOST_KEPT:
            self.forget()

    def loaded(self, rule_set: str) -> LoadedRuleSet | None:
        return self.release.rule_sets.get(rule_set)

    def evaluation(self, claim: Claim, families: frozenset[Family]) -> Evaluation:
        """The evaluation of a claim, not begun."""
        return Evaluation(claim, self.release, self.as_of, families, abandoned=self.abandoned)

    def decide_case(
        self,
        claim: Claim,
        families: frozenset[Family],
        target: int | None,
        key: Hashable | None,
        *,
        has_day_slot: bool = True,
    ) -> Outcome:
        """Decide a claim whose lines are numbered by slots, and keep the outcome under ``key``; None as key keeps nothing.

        ``target`` is the position of the line whose findings are wanted; None = of every line. ``has_day_slot``: whether the
        outcome may serve another day, where all lines are of one day.
        """
        evaluation = self.evaluation(claim, families)
        decide(evaluation)
        lines, add = claim.lines, self.pool.add
        day = _common_day(lines) if has_day_slot else ""
        place_of = {line.line_number: place for place, line in enumerate(lines) if target in (None, place)}
        outcome = Outcome(
            tuple([(place_of[f.line_number], add(f, day)) for f in evaluation.findings if f.line_number in place_of]),
            {family: tuple([n or PASSED for n in evaluation.statuses(family)]) for family in families},
        )
        if key is not None:
            self.outcomes[key] = outcome
        return outcome


def _common_day(lines: Sequence[ClaimLine]) -> str:
    """The one day of all lines; empty where there are several, or a span."""
    day = lines[0].service_date if lines else None
    same = day is not None and all(line.service_date == day == line.service_date_end for line in lines)
    return format_day(day) if same and day is not None else ""


def bare_claim(
    program: int,
    setting: int,
    lines: Sequence[ClaimLine],
    history: Sequence[ClaimLine] = (),
    billing_provider_id: str = "",
) -> Claim:
    """A claim with nothing but what PTP, MUE, add-on codes and duplicates read."""
    return Claim(
        "", Program(program), Setting(setting), tuple(lines), billing_provider_id, history_lines=tuple(history)
    )
