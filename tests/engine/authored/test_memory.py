"""What is remembered from claim to claim, and what is skipped before an evaluator is asked, changes no answer.

The measure is a matcher that remembers nothing and skips nothing: every rule in force on a line's day is asked, from its first guard on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

import pytest
from random_rules import (
    DAY,
    DIAGNOSES,
    MODIFIERS,
    RULE_SET,
    random_claim,
    random_content,
    suppose_findings,
)

from claimedits.engine.authored import evaluators, family
from claimedits.engine.authored.conditions import UNKNOWN
from claimedits.engine.authored.facts import FEE_SCHEDULE
from claimedits.engine.authored.facts import MODIFIERS as MODIFIER_LIST
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.authored.matching import Candidate, Matcher
from claimedits.engine.authored.program import CompiledRule
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim
from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.model.finding import Finding
from claimedits.model.terms import DetailLevel, Family, Program, Setting, Status
from claimedits.rulesets.authored.authored_index import AuthoredRule, AuthoredRules
from claimedits.rulesets.authored.code_lists import CodeList
from claimedits.rulesets.authored.rule import All, Block, Rule, Test
from claimedits.rulesets.code_sets import CodeRow
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.loaded import CONVENTIONS, LoadedRelease, LoadedRuleSet
from claimedits.rulesets.revision import RevisionHeader, RevisionInfo
from claimedits.rulesets.versions import Editions, Selection
from claimedits.rulesets.windows import Window

RANDOM_RELEASES = 12
CLAIMS_A_RELEASE = 60
DAYS = range(DAY - 2, DAY + 3)


class ForgetfulMatcher(Matcher):
    """Asks every rule in force of every line, and every guard of it, each time."""

    def rules_of(self, index: int) -> list[CompiledRule]:
        day = self._facts.claim.lines[index].service_date
        return [
            replace(compiled, least=UNKNOWN, reacts_to=frozenset())
            for compiled in self._program.rules
            if compiled.rule.effective_from <= day <= compiled.rule.effective_to
        ]

    def candidates(self, index: int, rules: Iterable[CompiledRule]) -> Iterator[Candidate]:
        self._own_matches.clear()  # they are known by the id of a block
        return super().candidates(index, rules)


class _Fees:
    """Indicators that differ from edition to edition."""

    def indicators(self, code: str, modifier: str, selection: Selection) -> Indicators | None:
        if code == "99213":
            return None
        return Indicators("A", "0", "000", "0", str((len(code.strip("0")) + selection.in_force) % 3), "0", "0", "0")


class _Modifiers:
    """A list of modifiers in editions; rows of one edition begin and end within it."""

    def __init__(self, random: Random, editions: int) -> None:
        self._rows: dict[str, tuple[CodeRow, ...]] = {}
        for modifier in random.sample(MODIFIERS, 5):
            rows = []
            for edition in range(editions):
                first = random.choice((-30_000, *DAYS))
                last = random.choice((FOREVER, first + 1))
                rows.append(CodeRow(1 << edition, first, last, True, "", "", 0, 1))
            self._rows[modifier] = tuple(random.sample(rows, random.randint(1, len(rows))))

    def windows(self, code: str) -> tuple[CodeRow, ...]:
        return self._rows.get(code, ())

    def turns(self) -> set[Day]:
        return {day for rows in self._rows.values() for r in rows for day in (r.effective_from, r.effective_to + 1)}


def _loaded(name: str, kind: str, index: object, periods: Iterable[tuple[Day, Day, Day]]) -> LoadedRuleSet:
    """``periods``: first and last day governed, and the day of publication, of each revision."""
    infos = [
        RevisionInfo(
            f"sha256:{name}{i}", RevisionHeader(name, kind, str(i), *dates, (), {"family": "POLICY"}), {}, 0, 0, 0
        )
        for i, dates in enumerate(periods)
    ]
    return LoadedRuleSet(name, kind, Editions(infos), index)


ALWAYS = ((-30_000, FOREVER, -30_000),)


def _periods(random: Random) -> tuple[tuple[Day, Day, Day], ...]:
    """One or two editions that meet within the claims' days, perhaps with a gap; the second perhaps published late."""
    cut, gap = random.choice(DAYS), random.choice((0, 0, 1))
    late = random.choice((-30_000, DAY + 40))
    return random.choice((ALWAYS, ((-30_000, cut - 1 - gap, -30_000), (cut, FOREVER, late))))


def _dated_content(random: Random) -> AuthoredRules:
    """Random rules with dates, over dated lists and a dated switch; some ask dated lists about the claim."""
    content = random_content(random, 8)
    starts, ends = format_day(random.choice(DAYS)), format_day(random.choice(DAYS))
    lists = {
        "some": CodeList([("11055", "11720", starts, ""), ("J9271", "J9271", "", ends)]),
        "trials": CodeList([(code, code, "", ends) for code in random.sample(DIAGNOSES, 2)]),
        "modifiers": CodeList([(m, m, starts, "") for m in random.sample(MODIFIERS, 4)]),
    }
    more = (
        Test("claim.diagnoses", "texts_any_in_list", ("trials",), random.random() < 0.5),
        Test("line.modifiers", "texts_not_in_force", ("modifiers",)),
        Test("line.modifiers", "texts_two_in_list", ("modifiers",)),
        Test("line.procedure_code", "text_in_list", ("some",), random.random() < 0.5),
        Test("line.procedure_code", "text_in_family", ("em",), random.random() < 0.5),
        Test("line.first_modifier", "text_in", ("25", "LT"), random.random() < 0.5),
        Test("switch.pilot", "text_in", ("on",)),
        Test("line.fee_schedule.bilateral", "text_in", ("1", "2")),
    )
    rules = []
    for row in content.rules:
        first = random.choice((-30_000, random.choice(DAYS)))
        rule = replace(
            row.rule,
            when=All((*random.sample(more, random.randint(1, 2)), row.rule.when)),
            effective_from=first,
            effective_to=random.choice((FOREVER, first + 1)),
        )
        rules.append(replace(row, rule=rule))
    cut = random.choice(DAYS)
    switches = {"pilot": (Window(-30_000, cut - 1, "off"), Window(cut, FOREVER, "on"))}
    return AuthoredRules(tuple(rules), lists, switches)


def _release(random: Random, contents: tuple[AuthoredRules, ...], conventions: Conventions) -> LoadedRelease:
    periods = ALWAYS if len(contents) == 1 else ((-30_000, DAY, -30_000), (DAY + 1, FOREVER, -30_000))
    sets = [
        _loaded(RULE_SET, "authored", contents, periods),
        _loaded(CONVENTIONS, "conventions", (conventions,), ALWAYS),
    ]
    if random.random() < 0.8:
        sets.append(_loaded(FEE_SCHEDULE, "pfs", _Fees(), _periods(random)))
    if random.random() < 0.8:
        editions = _periods(random)
        sets.append(_loaded(MODIFIER_LIST, "modifiers", _Modifiers(random, len(editions)), editions))
    return LoadedRelease("random", {loaded.name: loaded for loaded in sets})


def _findings(release: LoadedRelease, claim: Claim, as_of: Day, seed: int, detail: DetailLevel) -> list[Finding]:
    evaluation = Evaluation(claim, release, as_of, frozenset(Family), detail)
    suppose_findings(Random(seed), evaluation)
    if detail >= DetailLevel.ALL:
        for index in range(len(claim.lines)):
            evaluation.add_pass(index, Family.PTP, "x", "passes")
    with evaluators.using("plain"):
        evaluate_family(evaluation, Family.POLICY, RULE_SET)
    return [f for f in evaluation.findings if f.family is Family.POLICY and f.status is not Status.PASS]


@pytest.mark.parametrize("part", range(4))
def test_memory_changes_no_answer(part: int, conventions: Conventions, monkeypatch: pytest.MonkeyPatch) -> None:
    fired = 0
    for number in range(part, RANDOM_RELEASES, 4):
        random = Random(number)
        contents = tuple(_dated_content(random) for _ in range(random.choice((1, 2))))
        # Two releases of one process share rules and conventions, and differ in what stands beside them.
        releases = [_release(random, contents, conventions) for _ in range(2)]
        for seed in range(CLAIMS_A_RELEASE):
            claim = random_claim(random, random.randint(1, 6))
            as_of = random.choice((DAY + 30, DAY + 50))
            for release in releases:
                remembered = _findings(release, claim, as_of, seed, DetailLevel.FINDINGS)
                assert _findings(release, claim, as_of, seed, DetailLevel.ALL) == remembered, (
                    f"release {number}: passes"
                )
                with monkeypatch.context() as patch:
                    patch.setattr(family, "Matcher", ForgetfulMatcher)
                    fresh = _findings(release, claim, as_of, seed, DetailLevel.FINDINGS)
                assert remembered == fresh, f"release {number}, claim {seed}"
                fired += len(fresh)
    assert fired > 200, "the sample shows too little"


def _rule(*parts: Test, blocks: tuple[Block, ...] = ()) -> AuthoredRule:
    rule = Rule("r", "T", Family.POLICY, All(parts), Status.FAIL, "POLICY_T", "m", blocks=blocks, authority="T")
    return AuthoredRule(rule, 0, 1)


def _claim_of_days(random: Random, *days: Day) -> Claim:
    line = random_claim(random, 1).lines[0]._replace(procedure_code="11055", modifiers=())
    lines = tuple(line._replace(line_number=n, service_date=day, service_date_end=day) for n, day in enumerate(days, 1))
    return Claim("C", Program.MEDICARE, Setting.PRACTITIONER, lines, diagnoses=("Z006",))


@pytest.mark.parametrize("days", [(DAY, DAY + 1), (DAY + 1, DAY)])
def test_a_dated_list_asked_about_the_claim_is_asked_for_each_day(
    days: tuple[Day, Day], conventions: Conventions
) -> None:
    listed = {"trials": CodeList([("Z006", "Z006", "", format_day(DAY))])}
    rules = (_rule(Test("claim.diagnoses", "texts_any_in_list", ("trials",))),)
    release = _release(Random(0), (AuthoredRules(rules, listed, {}),), conventions)
    found = _findings(release, _claim_of_days(Random(0), *days), DAY + 30, 0, DetailLevel.FINDINGS)
    assert [f.line_number for f in found] == [days.index(DAY) + 1]


def test_rules_do_not_react_to_plain_passes(conventions: Conventions) -> None:
    """They are findings only where the caller asked for them: the detail asked for must not change an answer."""
    status = Test("finding.status", "text_in", ("FAIL",), True)
    reacting = _rule(
        Test("line.procedure_code", "text_in", ("11055",)),
        blocks=(Block("finding", False, when=status, family=Family.PTP),),
    )
    release = _release(Random(0), (AuthoredRules((reacting,), {}, {}),), conventions)
    evaluation = Evaluation(_claim_of_days(Random(0), DAY), release, DAY + 30, frozenset(Family), DetailLevel.ALL)
    evaluation.add_pass(0, Family.PTP, "x", "passes")
    evaluate_family(evaluation, Family.POLICY, RULE_SET)
    assert [f.status for f in evaluation.findings if f.family is Family.POLICY] == [Status.PASS]
