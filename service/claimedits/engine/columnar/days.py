"""Days by class: days that no table, view or convention tells apart get one number, so that one answer serves them all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from claimedits.engine.columnar.cases import Run
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mapped_arrays import Array

EXACT_BEFORE = 15_796
"""2013-04-01. Before it some decisions turn on days of their own (MUE by claim line, the OCE's late quarters): each such day
is a class of its own."""


class DayClasses:
    """Classes of days for decisions that read these rule sets and the conventions."""

    def __init__(self, run: Run, rule_sets: Iterable[LoadedRuleSet | None]) -> None:
        turns = set(run.release.conventions.turns)
        for loaded in rule_sets:
            if loaded is not None:
                turns.update(loaded.editions.known(run.as_of).boundaries)
        self._turns = np.array(sorted(turns), dtype=np.int64)

    def of(self, days: Array) -> Array:
        """The class of each day: the days of a class are neighbours, and classes are numbered in the order of days."""
        classes = np.searchsorted(self._turns, days, side="right") + EXACT_BEFORE
        return np.where(days < EXACT_BEFORE, days - EXACT_BEFORE, classes)


def first_uncovered(run: Run, loaded: LoadedRuleSet, first: Array, last: Array, rows: Array, *, dated: bool) -> Array:
    """Which of ``rows`` have a day that no revision of the rule set governs."""
    from claimedits.engine.columnar.cases import bare_claim
    from claimedits.model.terms import Program, Setting

    evaluation = run.evaluation(bare_claim(Program.MEDICARE, Setting.PRACTITIONER, ()), frozenset())
    spans = first[rows] * 2**20 + (last[rows] - first[rows])
    distinct, place = np.unique(spans, return_inverse=True)
    uncovered = np.zeros(len(distinct), dtype=bool)
    for i, (day, length) in enumerate(zip(*np.divmod(distinct, 2**20), strict=True)):
        view = evaluation.view(loaded, int(day), dated_rows=dated)
        uncovered[i] = any(selection is None for *_, selection in view.segments(int(day), int(day) + int(length)))
    return np.asarray(uncovered[place])
