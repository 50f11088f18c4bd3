"""Days by class: days that no table, view or convention tells apart get one number, so that one answer serves them all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from claimedits.engine.columnar.cases import Run, bare_claim
from claimedits.engine.mue import MAI_FROM
from claimedits.engine.ptp_findings import HISTORICAL_TURNS
from claimedits.model.dates import Day, parse_day
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mapped_arrays import Array

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class DayClasses:
    """Classes of days for decisions that read these rule sets and the conventions.

    A day that a finding may name for another reason than being the day of service is alone in its class: ``as_of``, and the
    days that labels of revisions contain. Its text would be taken for the day of service.
    """

    def __init__(
        self, run: Run, rule_sets: Iterable[LoadedRuleSet | None], conventions: Iterable[Conventions] = ()
    ) -> None:
        turns = {
            MAI_FROM,
            *HISTORICAL_TURNS,
            run.as_of,
            run.as_of + 1,
            *run.release.conventions.turns,
        }
        for others in conventions:
            turns.update(others.turns)
        for loaded in rule_sets:
            if loaded is not None:
                turns.update(loaded.editions.known(run.as_of).boundaries)
                for revision in loaded.editions.revisions:
                    turns.update(turn for day in _days_in(revision.header.label) for turn in (day, day + 1))
        self._turns = np.array(sorted(turns), dtype=np.int64)

    def of(self, days: Array) -> Array:
        """The class of each day: the days of a class are neighbours, and classes are numbered in the order of days."""
        return np.searchsorted(self._turns, days, side="right")


def _days_in(text: str) -> Iterator[Day]:
    for found in _DAY.findall(text):
        try:
            yield parse_day(found)
        except ValueError:  # looks like a day, and is none: no line has it
            continue


def distinct(days: Array) -> list[int]:
    """The different days, ascending."""
    if not len(days):
        return []
    least = int(days.min())
    return [least + int(day) for day in np.flatnonzero(np.bincount(days - least))]


def find_uncovered(run: Run, loaded: LoadedRuleSet, first: Array, last: Array, rows: Array, *, dated: bool) -> Array:
    """Those of ``rows`` that have a day which no revision of the rule set governs; ``dated`` as ``Evaluation.view`` has it."""
    evaluation = run.evaluation(bare_claim(Program.MEDICARE, Setting.PRACTITIONER, ()), frozenset())

    def lacks(day: int, end: int) -> bool:
        view = evaluation.view(loaded, day, dated_rows=dated)
        return any(selection is None for *_, selection in view.segments(day, end))

    begins = first[rows]
    uncovered = np.isin(begins, [day for day in distinct(begins) if lacks(day, day)])
    for i in np.flatnonzero(last[rows] > begins).tolist():
        uncovered[i] = lacks(int(begins[i]), int(last[rows[i]]))
    return np.asarray(rows[uncovered])
