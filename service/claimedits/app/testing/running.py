"""``run_tests``: finds the tests of paths, runs them in one process or several, and reports in the order of files and rows."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from claimedits.app.testing.case_tables import TABLES
from claimedits.app.testing.cases import Case
from claimedits.app.testing.deciding import Decider
from claimedits.app.testing.exercised import Exercise, exercise_of
from claimedits.app.testing.mutation.options import MutationOptions
from claimedits.app.testing.mutation.report import MutationReport
from claimedits.app.testing.recording import Marks
from claimedits.app.testing.report import TestReport, TestResult
from claimedits.app.testing.rule_sets import RuleSets, WrittenSet
from claimedits.app.testing.suites import AnyTest, Suite, find_heads, find_suites, id_of, read_suite
from claimedits.engine.authored import evaluators
from claimedits.engine.authored.rule_tests import untested_rules
from claimedits.engine.engine import Engine
from claimedits.model.problems import ClaimEditsError, ImportRefusedError, Problem

KINDS = frozenset(kind for kind, _ in TABLES.values())
"""Kinds of imported tables: their rows are counted by citation."""
_FEW = 400
"""Tests that one process runs before another is worth its start."""
Place = tuple[int, int]
"""A test: number of the suite in the plan, place in the suite."""
Progress = Callable[[str, int, int], None]
Found = tuple[list[TestResult], list[Marks]]
"""Results, and what each test looked up; nothing of that where the plan does not ask for it."""


@dataclass(frozen=True)
class Plan:
    """What a run needs to know in every process: all of it can be pickled."""

    suites: tuple[Suite, ...]
    store: Path | None = None
    release: str = ""
    evaluator: str = ""
    record: bool = False

    def open_kept(self) -> Engine:
        """The release of the store.

        Raises:
            NotFoundError, StoreError: there is no such release, or the store is damaged.
        """
        assert self.store is not None
        return _open_engine(self.store, self.release)


@lru_cache(maxsize=1)
def _open_engine(store: Path, release: str) -> Engine:
    return Engine.open(store, release)


class Runner:
    """Runs the tests of a plan in this process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._deciders: dict[Path | None, Decider] = {}
        self._tests: dict[int, list[AnyTest]] = {}

    def test(self, place: Place) -> AnyTest:
        """One test."""
        return self.tests(place[0])[place[1]]

    def tests(self, suite: int) -> list[AnyTest]:
        """The tests of the suite with that number, read once."""
        if suite not in self._tests:
            self._tests[suite] = read_suite(self.plan.suites[suite])
        return self._tests[suite]

    def decider(self, home: Path | None) -> Decider:
        """Decides tests of one home of rule sets."""
        if home not in self._deciders:
            kept = self.plan.open_kept if self.plan.store else None
            self._deciders[home] = Decider(RuleSets(home), kept)
        return self._deciders[home]

    def run(self, chosen: Sequence[Place]) -> Found:
        """The results of tests, and what each looked up where the plan asks for it."""
        marks: list[Marks] = []
        with evaluators.using(self.plan.evaluator or evaluators.current().name):
            results = [self._run(suite, place) for suite, place in chosen]
        if self.plan.record:
            with evaluators.using("plain"):
                marks = [self.record(suite, place) for suite, place in chosen]
        return results, marks

    def record(self, suite: int, place: int) -> Marks:
        """What one test looks up."""
        one = self.plan.suites[suite]
        return self.decider(one.home).record(one, self.tests(suite)[place])

    def _run(self, suite: int, place: int) -> TestResult:
        one = self.plan.suites[suite]
        return self.decider(one.home).run(one, self.tests(suite)[place])

    def close(self) -> None:
        """Remove what was written to the disk."""
        for decider in self._deciders.values():
            decider.releases.close()


_runner: list[Runner] = []


def start_worker(plan: Plan) -> None:
    """Called once in every process of a pool."""
    _runner.append(Runner(plan))


def _run_in_worker(chosen: Sequence[Place]) -> Found:
    return _runner[-1].run(chosen)


def count_jobs(jobs: int, work: int, few: int = _FEW) -> int:
    """How many processes: as many as asked, or for 0 as many as the machine gives and the work is worth."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(jobs or min(processors, -(-work // few)), work))


def run_tests(
    paths: Iterable[Path | str],
    *,
    store: Path | None = None,
    release: str = "",
    run: str = "",
    jobs: int = 1,
    evaluator: str = "",
    coverage: bool = False,
    coverage_minimum: float | None = None,
    mutation: MutationOptions | None = None,
    progress: Progress | None = None,
) -> TestReport:
    """Run the tests beside rules, and the cases of ``*.jsonl`` files, that stand in ``paths``.

    Args:
        store: decides the cases that name no tables, with ``release`` (id or unique prefix; empty = the active one).
        run: a regular expression that is searched for in the id of a test; empty = every test. With it, rules
            without a test are not reported.
        jobs: processes; 0 = as many as the machine gives and the work is worth. The report does not depend on it.
        evaluator: ``durable``, ``plain``, or empty for the process's own.
        coverage: say which rules and rows of the rule sets in ``paths`` no test exercises.
        coverage_minimum: percent of outcomes that must be shown; implies ``coverage``.
        mutation: make mutants of the rule sets and cases in ``paths`` and say which no test notices; None = none.
        progress: called with (stage, done, total).

    Raises:
        FileNotFoundError: there is no such path.
        ClaimEditsError: ``run`` is no regular expression, or the release of the store cannot be opened.
    """
    coverage = coverage or coverage_minimum is not None
    given = [Path(path) for path in paths]
    plan = Plan(tuple(find_suites(given)), store, release, evaluator, coverage or mutation is not None)
    if store is not None:
        plan.open_kept()
    runner = Runner(plan)
    try:
        chosen = choose(runner, run)
        results, marks = run_chosen(runner, chosen, jobs, progress)
        exercise = _exercise(runner, given, chosen, marks, coverage_minimum) if coverage else None
        mutated = _mutate(runner, given, chosen, results, marks, mutation, jobs, progress) if mutation else None
    finally:
        runner.close()
    results = _say_once(results)
    untested = () if run else tuple(p for suite in plan.suites for p in _untested(suite, results))
    return TestReport(tuple(results), untested, exercise, mutated)


def choose(runner: Runner, run: str) -> list[Place]:
    """Every test whose id matches, by (suite, place).

    Raises:
        ClaimEditsError: ``run`` is no regular expression.
    """
    try:
        pattern = re.compile(run)
    except re.error as error:
        raise ClaimEditsError(f"--run: {run!r} is no regular expression: {error}") from None
    suites = runner.plan.suites
    return [
        (number, place)
        for number, suite in enumerate(suites)
        for place, test in enumerate(runner.tests(number))
        if pattern.search(id_of(suite, test))
    ]


def run_chosen(runner: Runner, chosen: Sequence[Place], jobs: int, progress: Progress | None) -> Found:
    """The results in the order of ``chosen``, however many processes work, and what was looked up."""
    processes = count_jobs(jobs, len(chosen))
    size = max(1, min(100, -(-len(chosen) // (processes * 4))))
    chunks = [chosen[i : i + size] for i in range(0, len(chosen), size)]
    results: list[TestResult] = []
    marks: list[Marks] = []

    def take(found: Found) -> None:
        results.extend(found[0])
        marks.extend(found[1])
        if progress:
            progress("tests", len(results), len(chosen))

    if processes == 1:
        for chunk in chunks:
            take(runner.run(chunk))
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context, start_worker, (runner.plan,)) as pool:
            for found in pool.map(_run_in_worker, chunks):
                take(found)
    return results, marks


def _mutate(
    runner: Runner,
    given: Sequence[Path],
    chosen: Sequence[Place],
    results: Sequence[TestResult],
    marks: Sequence[Marks],
    options: MutationOptions,
    jobs: int,
    progress: Progress | None,
) -> MutationReport:
    from claimedits.app.testing.mutation.running import Field, run_mutants  # imports this module

    passing = tuple(place for place, result in zip(chosen, results, strict=True) if result.outcome == "PASS")
    touched = {place: frozenset(one.of) for place, one in zip(chosen, marks, strict=True)}
    return run_mutants(runner, Field(runner.plan, tuple(given), passing, touched), options, jobs, progress)


def _exercise(
    runner: Runner, given: Sequence[Path], chosen: Sequence[Place], marks: Sequence[Marks], minimum: float | None
) -> Exercise:
    """What the tests exercise of the rule sets that were given, and of the tables that cases state or a store holds."""
    stated: dict[str, set[str]] = {}
    for suite, place in chosen:
        test = runner.tests(suite)[place]
        for row in (test.rules or ()) if isinstance(test, Case) else ():
            if row["rule_set"] in TABLES and not row.get("loaded"):
                stated.setdefault(row["rule_set"], set()).add(json.dumps(row, sort_keys=True))
    counts = {name: len(rows) for name, rows in stated.items()}
    if runner.plan.store is not None:
        for name, loaded in runner.plan.open_kept().release.rule_sets.items():
            if loaded.kind in KINDS:
                counts[name] = counts.get(name, 0) + sum(sum(r.rows.values()) for r in loaded.editions.revisions)
    together = Marks()
    for one in marks:
        together.merge(one)
    return exercise_of(written_in(runner, given), together, counts, minimum)


def written_in(runner: Runner, given: Sequence[Path]) -> list[WrittenSet]:
    """The rule sets of authored rules and of tables below the paths given, those left out that do not compile."""
    found: dict[Path, WrittenSet] = {}
    for path in given:
        for head in find_heads(path):
            sets = runner.decider(head.parent.parent).sets
            for name, directory in sets.directories.items():
                if directory.resolve() == head.parent.resolve():
                    try:
                        found.setdefault(directory.resolve(), sets.get(name))
                    except ImportRefusedError:
                        continue  # its tests are in error, and say why
    return list(found.values())


def _say_once(results: Sequence[TestResult]) -> list[TestResult]:
    """What keeps every test of a suite from running is said with the first of them."""
    said: set[tuple[str, tuple[Problem, ...]]] = set()
    once = []
    for result in results:
        key = (result.suite, result.problems)
        if result.problems and key in said:
            short = Problem(result.where, "cannot run, for the reason that the first test of the rule set tells")
            result = replace(result, problems=(short,))
        said.add(key)
        once.append(result)
    return once


def _untested(suite: Suite, results: Sequence[TestResult]) -> list[Problem]:
    """Authored rules of a suite that no test makes fire; nothing where the rules do not compile."""
    if suite.kind != "authored":
        return []
    try:
        rules = untested_rules(suite.path)
    except ImportRefusedError:
        return []
    return [Problem(f"{suite.name}/{rule}", "no test makes the rule fire", "write one in tests.toml") for rule in rules]
