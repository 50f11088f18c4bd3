"""What a run of tests found: one result a test, in the order of files and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from claimedits.engine.expectations import Difference
from claimedits.model.problems import Problem

if TYPE_CHECKING:
    from claimedits.app.testing.exercised import Exercise
    from claimedits.app.testing.mutation.report import MutationReport

Outcome = Literal["PASS", "FAIL", "ERROR", "SKIPPED"]
OUTCOMES: tuple[Outcome, ...] = ("PASS", "FAIL", "ERROR", "SKIPPED")


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test: what came of it, and why."""

    __test__ = False

    id: str
    suite: str
    """The rule set's directory, or the file of cases."""
    where: str
    """``file:row:column`` of the test."""
    why: str
    outcome: Outcome
    reason: str = ""
    """Why it was skipped."""
    problems: tuple[Problem, ...] = ()
    """ERROR: what keeps the test from running, each at its ``file:row:column``."""
    differences: tuple[Difference, ...] = ()
    """FAIL: expected against actual, finding by finding."""
    trace: tuple[str, ...] = ()
    """FAIL: what was looked up for the lines that differ, and what was found."""


@dataclass(frozen=True, slots=True)
class TestReport:
    """Everything that one run found. ``ok`` is what a gate asks."""

    __test__ = False

    results: tuple[TestResult, ...]
    untested: tuple[Problem, ...] = ()
    """Authored rules that no test makes fire."""
    exercise: Exercise | None = None
    mutation: MutationReport | None = None

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many tests had each outcome; every outcome is there."""
        counted = Counter(result.outcome for result in self.results)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def nothing_ran(self) -> bool:
        """Whether no test said anything: none was selected, or all were skipped."""
        return all(result.outcome == "SKIPPED" for result in self.results)

    @property
    def failed(self) -> Sequence[TestResult]:
        """The tests that are no good: FAIL and ERROR."""
        return [result for result in self.results if result.outcome in ("FAIL", "ERROR")]

    @property
    def holds(self) -> bool:
        """Whether no test failed or could not run, every authored rule has a test that makes it fire, and what was asked of
        coverage and mutation is met."""
        parts = [part for part in (self.exercise, self.mutation) if part is not None]
        return not self.failed and not self.untested and all(part.ok for part in parts)

    @property
    def ok(self) -> bool:
        """Whether it holds, and some test ran at all."""
        return self.holds and not self.nothing_ran


def summarise(report: TestReport) -> str:
    """One line: ``211 tests: 209 passed, 1 failed, 1 skipped``."""
    words = {"PASS": "passed", "FAIL": "failed", "ERROR": "in error", "SKIPPED": "skipped"}
    parts = [f"{count} {words[outcome]}" for outcome, count in report.counts.items() if count]
    number = len(report.results)
    return f"{number} {'test' if number == 1 else 'tests'}: {', '.join(parts) or 'none selected'}"
