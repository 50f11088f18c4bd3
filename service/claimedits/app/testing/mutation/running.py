"""Makes the mutants of a run one at a time, and runs the tests that can notice until one does."""

from __future__ import annotations

import multiprocessing
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimedits.app.testing.cases import Case
from claimedits.app.testing.mutation.cases import StatedChange, mutate_cases
from claimedits.app.testing.mutation.judging import Judge
from claimedits.app.testing.mutation.mutant import Fate, Mutant, MutantResult, number_repeated
from claimedits.app.testing.mutation.options import MutationOptions
from claimedits.app.testing.mutation.report import MutationReport
from claimedits.app.testing.mutation.rules import mutate_rules
from claimedits.app.testing.mutation.silences import Silence, read_silences, unused
from claimedits.app.testing.mutation.tables import mutate_tables
from claimedits.app.testing.recording import Key
from claimedits.app.testing.rule_sets import WrittenSet
from claimedits.app.testing.running import Place, Plan, Progress, Runner, count_jobs, written_in
from claimedits.engine.authored import evaluators
from claimedits.model.problems import ClaimEditsError

_CHUNK = 20
"""Mutants that a process takes at a time."""
_FEW = 150
"""Mutants that one process tries before another is worth its start."""


@dataclass(frozen=True)
class Field:
    """What every process needs to make and judge mutants: all of it can be pickled."""

    plan: Plan
    given: tuple[Path, ...]
    passing: tuple[Place, ...]
    """Tests that pass without a mutant: only they can notice one."""
    touched: Mapping[Place, frozenset[Key]]
    """What each test looked up in rule sets that people wrote."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A mutant, and the rule set that it is of; None = rows of cases."""

    mutant: Mutant
    written: WrittenSet | None


class Workshop:
    """Enumerates and judges the mutants of a field in one process."""

    def __init__(self, field: Field, runner: Runner | None = None) -> None:
        self.field, self.runner = field, runner or Runner(field.plan)
        self.planned = list(self._plan())
        self._judge = Judge(self.runner, field.passing, field.touched)

    def _plan(self) -> Iterator[Planned]:
        """Every mutant of the rule sets and cases given; the order is that of files and rows, in every process the same."""
        for written in written_in(self.runner, self.field.given):
            name = written.directory.as_posix()
            mutants: list[Mutant] = []
            if written.kind == "authored":
                mutants += mutate_rules(written.directory, name)
            mutants += mutate_tables(written, name)
            yield from (Planned(m, written) for m in number_repeated(mutants))
        cases = [(place, test) for place in self.field.passing if isinstance(test := self.runner.test(place), Case)]
        yield from (Planned(m, None) for m in number_repeated(mutate_cases(cases)))

    def judge(self, numbers: Sequence[int]) -> list[tuple[Fate, str]]:
        """The fate of mutants, and the test that killed each."""
        with evaluators.using("plain"):
            return [self._fate(self.planned[number]) for number in numbers]

    def _fate(self, planned: Planned) -> tuple[Fate, str]:
        change = planned.mutant.make()
        if change is None:
            return "refused", ""
        if isinstance(change, StatedChange):
            killer = self._judge.of_cases(change)
        else:
            assert planned.written is not None
            killer = self._judge.of_rule_set(planned.written, change)
        return ("survived", "") if killer is None else ("killed", killer)


_workshop: list[Workshop] = []


def _start(field: Field) -> None:
    _workshop.append(Workshop(field))


def _judge_in_worker(numbers: Sequence[int]) -> list[tuple[Fate, str]]:
    return _workshop[-1].judge(numbers)


def run_mutants(
    runner: Runner, field: Field, options: MutationOptions, jobs: int, progress: Progress | None
) -> MutationReport:
    """Judge the mutants of a field.

    Raises:
        ClaimEditsError: ``options.run`` is no regular expression.
    """
    began = time.monotonic()
    workshop = Workshop(field, runner)
    silences, problems = read_silences(field.plan.suites)
    silenced = {n: s for n, p in enumerate(workshop.planned) if (s := _silence_of(p, silences, runner, field))}
    chosen = _choose(workshop.planned, options)
    tried = [n for n in chosen if n not in silenced]
    fates: dict[int, tuple[Fate, str]] = {n: ("silenced", silenced[n].why) for n in chosen if n in silenced}
    deadline = None if options.seconds is None else began + options.seconds
    fates |= _judge_all(workshop, tried, count_jobs(jobs, len(tried), _FEW), deadline, progress)
    results = []
    for n in chosen:
        m, (fate, why) = workshop.planned[n].mutant, fates.get(n, ("not tried", ""))
        results.append(MutantResult(m.id, m.where, m.operator, m.before, m.after, fate, why))
    compiled = {p.written.directory.resolve() for p in workshop.planned if p.written}
    suites = field.plan.suites
    spoken = [s for s in silences if suites[s.suite].kind == "cases" or suites[s.suite].path.resolve() in compiled]
    problems += unused(spoken)
    return MutationReport(tuple(results), len(workshop.planned), tuple(problems), options.minimum)


def _silence_of(planned: Planned, silences: Sequence[Silence], runner: Runner, field: Field) -> Silence | None:
    for silence in silences:
        suite = field.plan.suites[silence.suite]
        if planned.written is None:
            ours = suite.kind == "cases" and planned.mutant.where.startswith(f"{suite.name}:")
        else:
            ours = suite.kind != "cases" and suite.path.resolve() == planned.written.directory.resolve()
        if ours and silence.matches(planned.mutant.id):
            return silence
    return None


def _choose(planned: Sequence[Planned], options: MutationOptions) -> list[int]:
    try:
        pattern = re.compile(options.run)
    except re.error as error:
        raise ClaimEditsError(f"{options.run!r} is no regular expression: {error}") from None
    numbers = [n for n, p in enumerate(planned) if pattern.search(p.mutant.id)]
    if options.limit is not None and options.limit < len(numbers):
        numbers = sorted(random.Random(options.seed).sample(numbers, options.limit))
    return numbers


def _judge_all(
    workshop: Workshop, numbers: Sequence[int], processes: int, deadline: float | None, progress: Progress | None
) -> dict[int, tuple[Fate, str]]:
    """Fates by number; those for which there was no time left are missing."""
    chunks = [numbers[i : i + _CHUNK] for i in range(0, len(numbers), _CHUNK)]
    fates: dict[int, tuple[Fate, str]] = {}

    def take(chunk: Sequence[int], found: Sequence[tuple[Fate, str]]) -> None:
        fates.update(zip(chunk, found, strict=True))
        if progress:
            progress("mutants", len(fates), len(numbers))

    def late() -> bool:
        return deadline is not None and time.monotonic() >= deadline

    if processes == 1:
        for chunk in chunks:
            if late():
                break
            take(chunk, workshop.judge(chunk))
        return fates
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start, (workshop.field,)) as pool:
        waiting: list[tuple[Sequence[int], Future[Any]]] = [(c, pool.submit(_judge_in_worker, c)) for c in chunks]
        for chunk, future in waiting:
            if late() and future.cancel():
                continue
            take(chunk, future.result())
    return fates
