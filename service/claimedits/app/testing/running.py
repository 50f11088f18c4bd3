"""``run_tests``: finds the tests of paths, runs them in one process or several, and reports in the order of files and rows."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from claimedits.app.testing.deciding import Decider
from claimedits.app.testing.report import TestReport, TestResult
from claimedits.app.testing.rule_sets import RuleSets
from claimedits.app.testing.suites import AnyTest, Suite, find_suites, id_of, read_suite
from claimedits.engine.authored import evaluators
from claimedits.engine.authored.rule_tests import untested_rules
from claimedits.engine.engine import Engine
from claimedits.model.problems import ClaimEditsError, ImportRefusedError, Problem

_FEW = 400
"""Tests that one process runs before another is worth its start."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What a run needs to know in every process: all of it can be pickled."""

    suites: tuple[Suite, ...]
    store: Path | None = None
    release: str = ""
    evaluator: str = ""

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

    def run(self, chosen: Sequence[tuple[int, int]]) -> list[TestResult]:
        """Tests by (suite, place in the suite)."""
        with evaluators.using(self.plan.evaluator or evaluators.current().name):
            return [self._run(suite, place) for suite, place in chosen]

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


def _run_in_worker(chosen: Sequence[tuple[int, int]]) -> list[TestResult]:
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
    progress: Progress | None = None,
) -> TestReport:
    """Run the tests beside rules, and the cases of ``*.jsonl`` files, that stand in ``paths``.

    Args:
        store: decides the cases that name no tables, with ``release`` (id or unique prefix; empty = the active one).
        run: a regular expression that is searched for in the id of a test; empty = every test. With it, rules
            without a test are not reported.
        jobs: processes; 0 = as many as the machine gives and the work is worth. The report does not depend on it.
        evaluator: ``durable``, ``plain``, or empty for the process's own.
        progress: called with (stage, done, total).

    Raises:
        FileNotFoundError: there is no such path.
        ClaimEditsError: ``run`` is no regular expression, or the release of the store cannot be opened.
    """
    plan = Plan(tuple(find_suites(map(Path, paths))), store, release, evaluator)
    if store is not None:
        plan.open_kept()
    runner = Runner(plan)
    try:
        chosen = choose(runner, run)
        results = run_chosen(runner, chosen, jobs, progress)
    finally:
        runner.close()
    untested = () if run else tuple(p for suite in plan.suites for p in _untested(suite, results))
    return TestReport(tuple(results), untested)


def choose(runner: Runner, run: str) -> list[tuple[int, int]]:
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


def run_chosen(
    runner: Runner, chosen: Sequence[tuple[int, int]], jobs: int, progress: Progress | None
) -> list[TestResult]:
    """The results in the order of ``chosen``, however many processes work."""
    processes = count_jobs(jobs, len(chosen))
    size = max(1, min(100, -(-len(chosen) // (processes * 4))))
    chunks = [chosen[i : i + size] for i in range(0, len(chosen), size)]
    results: list[TestResult] = []
    if processes == 1:
        for chunk in chunks:
            results += runner.run(chunk)
            if progress:
                progress("tests", len(results), len(chosen))
        return results
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, start_worker, (runner.plan,)) as pool:
        for found in pool.map(_run_in_worker, chunks):
            results += found
            if progress:
                progress("tests", len(results), len(chosen))
    return results


def _untested(suite: Suite, results: Sequence[TestResult]) -> list[Problem]:
    """Authored rules of a suite that no test makes fire; nothing where the rules do not compile."""
    if suite.kind != "authored":
        return []
    try:
        rules = untested_rules(suite.path)
    except ImportRefusedError:
        return []
    return [Problem(f"{suite.name}/{rule}", "no test makes the rule fire", "write one in tests.toml") for rule in rules]
