"""Runs one test: decides its claim, compares, and captures the trace of what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from claimedits.app.rendering import finding_fields
from claimedits.app.testing.case_releases import CaseBrokenError, CaseReleases, CaseSkippedError, Watch, stated_rows
from claimedits.app.testing.cases import BadCase, Case, locate
from claimedits.app.testing.explaining import explain_rule
from claimedits.app.testing.recording import Marks, Recording, mark_citations, mark_rules
from claimedits.app.testing.report import Outcome, TestResult
from claimedits.app.testing.rule_sets import CONVENTIONS, RuleSets, Tables, WrittenSet, open_tables, switched
from claimedits.app.testing.suites import Suite, id_of
from claimedits.engine import expectations
from claimedits.engine.authored.rule_tests import RuleTest, claim_of, evaluate_with, find_differences, select_rules
from claimedits.engine.engine import BUILT, Engine
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.expectations import CLEAN, Difference, Expected
from claimedits.model.claim_reading import read_claim
from claimedits.model.finding import Decision, Finding, TraceStep
from claimedits.model.problems import ClaimEditsError, ClaimInvalidError, Problem, ProblemsError
from claimedits.model.terms import DetailLevel, Family, Status
from claimedits.rulesets.authored.compiler import KIND as AUTHORED

NOT_LOADED = "RULE_SET_NOT_LOADED"
SILENT = (*CLEAN, Status.NOT_EVALUATED)
"""What a line may come out as for a family of which the case does not speak: its tables may not be there."""


class TestFailsError(Exception):
    """A test that cannot run; every problem at its place."""

    __test__ = False

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("a test cannot run")
        self.problems = tuple(problems)


class Decider:
    """Decides tests under one home of rule sets."""

    def __init__(self, sets: RuleSets, kept: Callable[[], Engine] | None) -> None:
        """
        Args:
            kept: opens the release of a store, for cases that name no tables; None = no store was given.
        """
        self.sets, self._kept = sets, kept
        self.releases = CaseReleases(sets)

    def run(self, suite: Suite, test: RuleTest | Case | BadCase) -> TestResult:
        """One test; never raises for what the test itself holds."""
        identifier = id_of(suite, test)
        if isinstance(test, BadCase):
            return TestResult(identifier, suite.name, test.where, "", "ERROR", problems=test.problems)
        where = f"{suite.name}/{test.where}" if isinstance(test, RuleTest) else test.where
        try:
            if isinstance(test, RuleTest):
                differences, trace = self._run_rule_test(suite, test)
            else:
                differences, trace = self._run_case(test)
        except CaseSkippedError as skipped:
            return TestResult(identifier, suite.name, where, test.why, "SKIPPED", reason=str(skipped))
        except TestFailsError as error:
            return TestResult(identifier, suite.name, where, test.why, "ERROR", problems=error.problems)
        except ProblemsError as error:
            return TestResult(identifier, suite.name, where, test.why, "ERROR", problems=tuple(error.problems))
        except ClaimEditsError as error:
            return TestResult(identifier, suite.name, where, test.why, "ERROR", problems=(Problem(where, str(error)),))
        except Exception as error:  # one test that breaks the engine must not keep the others from running
            problem = Problem(
                where, f"the engine stopped: {type(error).__name__}: {error}", "look at the fields of the test"
            )
            return TestResult(identifier, suite.name, where, test.why, "ERROR", problems=(problem,))
        outcome: Outcome = "FAIL" if differences else "PASS"
        return TestResult(identifier, suite.name, where, test.why, outcome, differences=differences, trace=trace)

    # tests beside authored rules -------------------------------------------------------------------------------------

    def _run_rule_test(self, suite: Suite, test: RuleTest) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
        if test.problems:
            raise TestFailsError(Problem(f"{suite.name}/{p.where}", p.what, p.mend) for p in test.problems)
        written = self.written(suite)
        try:
            evaluation = self._evaluate(test, written)
        except ClaimInvalidError as error:
            where = f"{suite.name}/{test.where}"
            raise TestFailsError(Problem(where, f"{p.where} {p.what}", p.mend) for p in error.problems) from None
        differences = tuple(find_differences(test, evaluation.findings, written.name))
        return differences, tuple(self._trace_rule_test(test, written, differences)) if differences else ()

    def written(self, suite: Suite) -> WrittenSet:
        """The rule set of a suite of tests beside rules.

        Raises:
            ImportRefusedError: it does not compile.
        """
        for name, directory in self.sets.directories.items():
            if directory.resolve() == suite.path.resolve():
                return self.sets.get(name)
        raise ClaimEditsError(f"{suite.name} is no rule set")

    def _evaluate(
        self,
        test: RuleTest,
        written: WrittenSet,
        watch: Watch | None = None,
        detail: DetailLevel = DetailLevel.FINDINGS,
    ) -> Evaluation:
        conventions = self.sets.get(CONVENTIONS)
        tables = self.switched(conventions, test)
        content = select_rules(written.authored, test.fields.get("rules"))
        if watch:
            content, opened = watch.open_authored(written, content), watch.open_tables(conventions, tables)
        else:
            opened = open_tables(conventions, tables)
        claim = claim_of(test.fields)
        return evaluate_with(test.fields, claim, written.draft.header, content, opened, detail)

    @staticmethod
    def switched(conventions: WrittenSet, test: RuleTest) -> Tables:
        """The tables of the conventions with the switches that a test sets; those of the rule set's own are not theirs."""
        stated = test.fields.get("switches", {})
        own = {
            name: value
            for name, value in stated.items()
            if any(r["name"] == name for r in conventions.tables["switches"])
        }
        try:
            return switched(conventions.tables, own)
        except LookupError as error:
            name, value = error.args
            raise ClaimInvalidError([Problem(f"switches.{name}", f"cannot be {value}", "see switches.csv")]) from None

    def _trace_rule_test(self, test: RuleTest, written: WrittenSet, differences: Sequence[Difference]) -> Iterable[str]:
        evaluation = self._evaluate(test, written, None, DetailLevel.TRACE)
        lines = {d.line_number for d in differences}
        yield from _trace(evaluation.trace or (), lines, {written.family})
        content = select_rules(written.authored, test.fields.get("rules"))
        for line, rule in sorted({(d.line_number, d.subject) for d in differences}):
            for sentence in explain_rule(evaluation, written.name, content, line, rule):
                yield f"line {line}: {sentence}"

    # what a test looks up ----------------------------------------------------------------------------------------------

    def record(self, suite: Suite, test: RuleTest | Case | BadCase) -> Marks:
        """What a test looks up in rule sets that people wrote, and which imported rows are behind its findings.

        The test is decided twice: once as always, for the rules, and once with everything opened anew and watched.
        """
        recording = Recording()
        try:
            if isinstance(test, RuleTest):
                if not test.problems:
                    written = self.written(suite)
                    evaluation = self._evaluate(test, written)
                    content = select_rules(written.authored, test.fields.get("rules"))
                    mark_rules(recording.marks, written, content, evaluation, evaluation.findings)
                    self._evaluate(test, written, recording)
            elif isinstance(test, Case):
                self._record_case(test, recording)
        except (CaseSkippedError, CaseBrokenError, TestFailsError, ClaimEditsError):
            pass  # the result of the test says why
        return recording.marks

    def _record_case(self, case: Case, recording: Recording) -> None:
        engine = self._engine(case)
        decision = self._decide(case, engine, DetailLevel.ALL)
        mark_citations(recording.marks, decision.findings, self.sets.directories, stated_rows(case, engine.release))
        if case.rules is None:
            return
        families = frozenset(case.families) or BUILT
        evaluation = Evaluation(read_claim(case.claim), engine.release, decision.as_of, families)
        for loaded in engine.release.rule_sets.values():
            if loaded.kind == AUTHORED:
                for content in loaded.index:
                    mark_rules(recording.marks, self.sets.get(loaded.name), content, evaluation, decision.findings)
        self._decide(case, Engine(self.releases.open(case, recording)), DetailLevel.ALL)

    # cases -----------------------------------------------------------------------------------------------------------

    def _run_case(self, case: Case) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
        engine = self._engine(case)
        decision = self._decide(case, engine, DetailLevel.ALL)
        differences = compare_case(case, decision)
        if not differences:
            return (), ()
        if case.rules is None:
            self._skip_if_not_loaded(case, decision, differences)
        traced = self._decide(case, engine, DetailLevel.TRACE)
        lines, families = {d.line_number for d in differences}, {Family[d.subject] for d in differences}
        trace = list(_trace(traced.trace, lines, families))
        trace += [
            f"line {f.line_number} {f.family.name}: the engine said {expectations.describe(f)}"
            for f in traced.findings
            if f.line_number in lines and f.family in families and f.status not in CLEAN
        ]
        return differences, tuple(trace)

    def _engine(self, case: Case) -> Engine:
        if case.rules is None:
            if self._kept is None:
                raise CaseSkippedError("names no tables, and no store was given to decide it with (--store)")
            return self._kept()
        try:
            return Engine(self.releases.open(case))
        except CaseBrokenError as error:
            where, what, mend = error.args
            raise TestFailsError([Problem(locate(case, where), f"{where} {what}", mend)]) from None

    def _decide(self, case: Case, engine: Engine, detail: DetailLevel) -> Decision:
        try:
            return engine.evaluate(case.claim, case.as_of, case.families, detail)
        except ClaimInvalidError as error:
            raise TestFailsError(
                Problem(locate(case, f"options.{p.where}"), f"{p.where} {p.what}", p.mend) for p in error.problems
            ) from None

    @staticmethod
    def _skip_if_not_loaded(case: Case, decision: Decision, differences: Sequence[Difference]) -> None:
        """A release of a store that does not hold what the case is about cannot judge it."""
        missing = {(f.line_number, f.family.name): f.rule_id for f in decision.findings if f.code == NOT_LOADED}
        needed = {missing.get((d.line_number, d.subject)) for d in differences}
        if None not in needed:
            names = ", ".join(sorted(name for name in needed if name))
            raise CaseSkippedError(f"needs {names}, which the release does not hold for the dates of the claim")


def compare_case(case: Case, decision: Decision) -> tuple[Difference, ...]:
    """Expected against actual. What the case does not speak of, of the families it asks for, must say nothing against a line."""
    statuses = {(line.line_number, family): status for line in decision.lines for family, status in line.families}
    findings: dict[tuple[int, Family], list[tuple[Finding, Mapping[str, Any]]]] = {}
    for finding in decision.findings:
        findings.setdefault((finding.line_number, finding.family), []).append((finding, finding_fields(finding)))
    differences: list[Difference] = []
    spoken = {(e.line_number, e.family) for e in case.expect}
    for expected in case.expect:
        key = (expected.line_number, expected.family)
        differences += expectations.compare(expected, statuses[key], findings.get(key, ()))
    for key in sorted(statuses):
        if (
            key not in spoken
            and key[1] in (case.families or {e.family for e in case.expect})
            and statuses[key] not in SILENT
        ):
            silent = Expected(*key, CLEAN[0])
            differences += expectations.compare(silent, statuses[key], findings.get(key, ()))
    return tuple(sorted(differences, key=lambda d: (d.line_number, d.subject, d.kind, d.finding)))


def _trace(steps: Iterable[TraceStep], lines: set[int], families: set[Family]) -> Iterable[str]:
    for step in steps:
        if step.line_number in lines and step.family in families:
            yield f"line {step.line_number} {step.family.name}: {step.rule_set}: {step.looked_up}: {step.result}"
