"""Whether some test notices a mutant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from claimedits.app.testing.cases import Case
from claimedits.app.testing.deciding import Decider, compare_case
from claimedits.app.testing.mutation.cases import StatedChange, with_row
from claimedits.app.testing.mutation.rules import RuleChange
from claimedits.app.testing.mutation.slices import Slice, Slicer
from claimedits.app.testing.mutation.tables import RowChange, changed_tables
from claimedits.app.testing.recording import Key
from claimedits.app.testing.rule_sets import CONVENTIONS, RuleSets, WrittenSet, open_tables, switched
from claimedits.app.testing.running import Place, Runner
from claimedits.app.testing.suites import id_of
from claimedits.engine.authored.rule_tests import RuleTest, claim_of, evaluate_with, select_rules
from claimedits.engine.engine import Engine
from claimedits.model.terms import DetailLevel
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX, AuthoredRules
from claimedits.rulesets.authored.code_lists import open_lists
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.conventions import Conventions

Fired = frozenset[tuple[int, str, str]]
"""(line, rule id, status) of what fires."""


class Judge:
    """Runs the tests that can notice a mutant until one does. Tests that fail without a mutant are not asked."""

    def __init__(self, runner: Runner, passing: Sequence[Place], touched: Mapping[Place, frozenset[Key]]) -> None:
        self._runner, self._passing, self._touched = runner, passing, touched
        self._baselines: dict[tuple[Place, int], Fired] = {}
        self._slicers: dict[int, Slicer] = {}

    # mutants of rule sets --------------------------------------------------------------------------------------------

    def of_rule_set(self, written: WrittenSet, change: RuleChange | RowChange) -> str | None:
        """The id of a test that notices; None = no test does."""
        if isinstance(change, RuleChange):
            return self._of_rule(written, change)
        touching = [place for place in self._tests_of_home(written) if change.key in self._touched.get(place, ())]
        if written.kind != AUTHORED:
            return self._of_tables(written, change, touching)
        part = self._slice_of_row(written, change)
        content = AuthoredRules(written.authored.rules, part.content.lists, part.content.switches)
        return self._by_rule_tests(written, part, touching) or self._by_cases(written.with_authored(content), touching)

    def _of_rule(self, written: WrittenSet, change: RuleChange) -> str | None:
        old = next(r for r in written.authored.rules if (r.source, r.source_row) == (change.source, change.row))
        part = self._slicer(written).of_rule(change, old.rule.id)
        tests = self._tests_of_home(written)
        key = Key(written.name, change.source, change.row)
        tests.sort(key=lambda place: key not in self._touched.get(place, ()))
        killer = self._by_rule_tests(written, part, tests)
        if killer is not None:
            return killer
        rules = [r for r in written.authored.rules if (r.source, r.source_row) != (change.source, change.row)]
        whole = AuthoredRules(
            tuple((*rules, change.rule) if change.rule else rules), written.authored.lists, written.authored.switches
        )
        asking = [
            p for p in tests if isinstance(test := self._runner.test(p), Case) and _asks(test, written, old.rule.id)
        ]
        return self._by_cases(written.with_authored(whole), asking)

    def _slicer(self, written: WrittenSet) -> Slicer:
        if id(written) not in self._slicers:
            self._slicers[id(written)] = Slicer(written.authored)
        return self._slicers[id(written)]

    def _slice_of_row(self, written: WrittenSet, change: RowChange) -> Slice:
        tables = changed_tables(written, change)
        if change.table == "lists":
            name = next(r["list"] for r in written.tables["lists"] if (r["source"], r["source_row"]) == change.key[1:])
            lists = open_lists(r for r in tables["lists"] if r["list"] == name)
            empty = open_lists([{"list": name, "first": "", "last": "", "effective_from": "", "effective_to": ""}])
            return self._slicer(written).of_list(name, lists.get(name) or empty[name])
        row = next(r for r in written.tables["switches"] if (r["source"], r["source_row"]) == change.key[1:])
        return self._slicer(written).of_switches(AUTHORED_INDEX.open_tables(tables), row["name"])

    def _tests_of_home(self, written: WrittenSet) -> list[Place]:
        """The passing tests that are decided with this rule set's home."""
        home = written.directory.parent.resolve()
        suites = [i for i, s in enumerate(self._runner.plan.suites) if s.home and s.home.resolve() == home]
        return [place for place in self._passing if place[0] in suites]

    def _of_tables(self, written: WrittenSet, change: RowChange, touching: Iterable[Place]) -> str | None:
        mutated = written.with_tables(changed_tables(written, change))
        killer = self._by_cases(mutated, touching)
        if killer is not None or written.name != CONVENTIONS:
            return killer
        for place in touching:
            test = self._runner.test(place)
            if isinstance(test, RuleTest) and self._rule_test_notices(place, test, mutated):
                return self._name(place)
        return None

    def _rule_test_notices(self, place: Place, test: RuleTest, conventions: WrittenSet) -> bool:
        """Whether a test beside authored rules comes out otherwise under other conventions."""
        written = self._written_of(place)
        before = self._baseline(place, test, written)
        try:
            opened = open_tables(conventions, self._decider(place).switched(conventions, test))
            return before != self._fired(test, written, written.authored, opened)
        except Exception:  # an engine that stops is noticed
            return True

    # tests -----------------------------------------------------------------------------------------------------------

    def _by_rule_tests(self, written: WrittenSet, part: Slice, tests: Iterable[Place]) -> str | None:
        for place in tests:
            test = self._runner.test(place)
            if not isinstance(test, RuleTest) or self._written_of(place).name != written.name:
                continue
            before = {fired for fired in self._baseline(place, test, written) if fired[1] in part.affected}
            try:
                opened = self._conventions(place, test)
                after = {f for f in self._fired(test, written, part.content, opened) if f[1] in part.affected}
            except Exception:  # an engine that stops is noticed
                return self._name(place)
            if before != after:
                return self._name(place)
        return None

    def _baseline(self, place: Place, test: RuleTest, written: WrittenSet) -> Fired:
        key = (place, id(written))
        if key not in self._baselines:
            self._baselines[key] = self._fired(test, written, written.authored, self._conventions(place, test))
        return self._baselines[key]

    @staticmethod
    def _fired(test: RuleTest, written: WrittenSet, content: AuthoredRules, conventions: Any) -> Fired:
        chosen = select_rules(content, test.fields.get("rules"))
        evaluation = evaluate_with(test.fields, claim_of(test.fields), written.draft.header, chosen, conventions)
        prefix = f"{written.name}/"
        return frozenset(
            (f.line_number, f.rule_id.removeprefix(prefix), f.status.name)
            for f in evaluation.findings
            if f.rule_id.startswith(prefix)
        )

    def _by_cases(self, mutated: WrittenSet, places: Iterable[Place]) -> str | None:
        """The first case that comes out otherwise with a mutated rule set."""
        releases: dict[int, Any] = {}
        for place in places:
            case = self._runner.test(place)
            if not isinstance(case, Case) or case.rules is None:
                continue
            decider = self._decider(place)
            if id(decider) not in releases:
                releases[id(decider)] = decider.releases.with_sets(decider.sets.replace(mutated))
            if self._case_notices(case, releases[id(decider)]):
                return self._name(place)
        return None

    @staticmethod
    def _case_notices(case: Case, releases: Any) -> bool:
        try:
            decision = Engine(releases.open(case)).evaluate(case.claim, case.as_of, case.families, DetailLevel.ALL)
            return bool(compare_case(case, decision))
        except Exception:  # an engine that stops is noticed
            return True

    # mutants of the rows of cases ------------------------------------------------------------------------------------

    def of_cases(self, change: StatedChange) -> str | None:
        """The id of a case that notices a change of a row it states."""
        for place, number in change.rows:
            case = self._runner.test(place)
            assert isinstance(case, Case)
            if self._case_notices(with_row(case, number, change.row), self._decider(place).releases):
                return case.id
        return None

    # what belongs to a place -----------------------------------------------------------------------------------------

    def _decider(self, place: Place) -> Decider:
        return self._runner.decider(self._runner.plan.suites[place[0]].home)

    def _written_of(self, place: Place) -> WrittenSet:
        return self._decider(place).written(self._runner.plan.suites[place[0]])

    def _name(self, place: Place) -> str:
        return id_of(self._runner.plan.suites[place[0]], self._runner.test(place))

    def _conventions(self, place: Place, test: RuleTest) -> Any:
        sets = self._decider(place).sets
        switches = tuple(sorted(test.fields.get("switches", {}).items()))
        return _open_conventions(sets, switches)


@lru_cache(maxsize=64)
def _open_conventions(sets: RuleSets, switches: tuple[tuple[str, str], ...]) -> Conventions:
    """The conventions of a home with some switches set, opened once: tests share what they remember."""
    written = sets.get(CONVENTIONS)
    known = {row["name"] for row in written.tables["switches"]}
    opened = open_tables(written, switched(written.tables, {n: v for n, v in switches if n in known}))
    assert isinstance(opened, Conventions)
    return opened


def _asks(case: Case, written: WrittenSet, rule: str) -> bool:
    """Whether a case has a rule of a rule set decided."""
    rows = [row for row in case.rules or () if row["rule_set"] == written.name]
    named = [str(row["rule"]) for row in rows if row.get("kind") == "built_in"]
    whole = bool(rows) and all(row.get("loaded") for row in rows)
    return whole or any(rule == name or rule.startswith(f"{name}.") for name in named)
