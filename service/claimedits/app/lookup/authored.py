"""Look-ups in authored rules: which could concern a code, a modifier or a diagnosis (families MODIFIER and POLICY)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from claimedits.app.lookup.edits import EVERY_CODE, Edit, Found, Search
from claimedits.app.lookup.rule_sentences import describe_rule
from claimedits.engine.authored.conditions import FALSE, TRUE, UNKNOWN, compile_test
from claimedits.engine.authored.facts import Facts
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.dates import format_day
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.authored.rule import All, Condition, Rule, Test, tests_of
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.windows import BEGINNING

_OF_CODE = ("procedure_code", "fee_schedule")
"""Attributes of a line, or their first word, that its procedure code alone decides, on a day, in a release."""
_IN_LIST = ("text_in_list", "texts_any_in_list", "texts_two_in_list")


class Concern(NamedTuple):
    """What of a look-up a rule concerns."""

    words: str
    on_the_day: bool = True
    """False where a list of codes that the rule reads holds the code on other days only."""


class _Place(NamedTuple):
    """A rule as it stands in one or more revisions."""

    rule: Rule
    revisions: int
    sources: dict[int, tuple[int, int]]
    concern: Concern


def family_of(loaded: LoadedRuleSet) -> Family:
    """MODIFIER or POLICY."""
    return Family[loaded.editions.revisions[-1].header.attributes["family"]]


def find_rules(search: Search, loaded: LoadedRuleSet) -> Found:
    """Rules that could concern what is asked, by id, then first day."""
    readers = [_Reader(search, content) for content in loaded.index]
    return gather_rules(search, loaded, lambda rule, revision: readers[revision].concern(rule))


def find_rules_by_id(search: Search, loaded: LoadedRuleSet, rule_id: str) -> Found:
    """Every known version of one rule."""
    return gather_rules(search, loaded, lambda rule, revision: Concern("") if rule.id == rule_id else None)


def gather_rules(search: Search, loaded: LoadedRuleSet, concern: Callable[[Rule, int], Concern | None]) -> Found:
    """Known rules for which ``concern`` says what they concern; None leaves one out. The same rule is shown once."""
    known = search.known(loaded)
    gathered: dict[str, list[_Place]] = {}
    for revision, content in enumerate(loaded.index):
        for authored in content.rules if known >> revision & 1 else ():
            rule, source = authored.rule, (authored.source, authored.source_row)
            same = gathered.setdefault(rule.id, [])
            for i, place in enumerate(same):
                if place.rule == rule:
                    bits, sources = place.revisions | 1 << revision, {**place.sources, revision: source}
                    same[i] = place._replace(revisions=bits, sources=sources)
                    break
            else:
                said = concern(rule, revision)
                if said is not None:
                    same.append(_Place(rule, 1 << revision, {revision: source}, said))
    places = [place for same in gathered.values() for place in same]
    places.sort(key=lambda place: (place.rule.id, place.rule.effective_from, place.revisions))
    return Found(places, partial(_make_rule, search, loaded))


def _make_rule(search: Search, loaded: LoadedRuleSet, place: _Place) -> Edit:
    rule, selection = place.rule, search.selection(loaded, dated_rows=False)
    revision = search.cited_revision(loaded, place.revisions, selection)
    first = "" if rule.effective_from == BEGINNING else format_day(rule.effective_from)
    last = format_day(rule.effective_to)
    cited = loaded.cite(revision, place.sources[revision], first, last)
    in_force = selection is not None and bool(place.revisions >> selection.in_force & 1)
    adjustment = rule.adjustment
    return Edit(
        family_of(loaded),
        loaded.name,
        f"{loaded.name}/{rule.id}",
        cited._replace(authority=rule.authority or cited.authority, url=rule.url or cited.url),
        in_force and place.concern.on_the_day and rule.effective_from <= search.asked.day <= rule.effective_to,
        (
            ("title", rule.title),
            ("concerns", place.concern.words),
            ("effective_from", first),
            ("effective_to", last),
            *describe_rule(rule),
            ("adjustment", f"{adjustment.group} {adjustment.carc}" if adjustment else ""),
        ),
    )


class _Answer(NamedTuple):
    """What a condition says of a line of which only the procedure code is known."""

    value: int
    """FALSE, UNKNOWN or TRUE."""
    names_code: bool = False
    """Whether some test holds because of the code."""


class _Reader:
    """Reads the rules of one revision for what they could concern.

    A test that the procedure code decides is asked of a line that has the code, by the engine's own readers and operators; every
    other test is unknown. A modifier or a diagnosis is concerned where a rule names it, be it that it must be missing.
    """

    def __init__(self, search: Search, content: AuthoredRules) -> None:
        self._search, self._content = search, content
        asked = search.asked
        self._scope = {
            name: word.name
            for name, word in (("claim.program", asked.program), ("claim.setting", asked.setting))
            if word is not None
        }
        self._lines: dict[str, tuple[Facts, ClaimLine]] = {}

    def concern(self, rule: Rule) -> Concern | None:
        """What the rule concerns; None = nothing of what is asked."""
        asked = self._search.asked
        if self._answer(rule.when, "", True).value == FALSE:
            return None  # another program or setting
        codes = asked.procedure_codes
        if len(codes) == 2:
            return self._concern_pair(rule, codes[0], codes[1]) or self._concern_pair(rule, codes[1], codes[0])
        named = next(iter(asked.modifiers), "") or asked.diagnosis
        if named and not self._names(rule, named):
            return None
        if not codes:
            return Concern(named)
        return self._concern_code(rule, codes[0], named)

    def _concern_code(self, rule: Rule, code: str, named: str) -> Concern | None:
        answer = self._answer(rule.when, code, True)
        on_the_day = self._answer(rule.when, code, False).value != FALSE
        beside = f" with {named}" if named else ""
        if answer.value != FALSE and answer.names_code:
            return Concern(f"{code}{beside}", on_the_day)
        if self._asks_of_other_lines(rule, code):
            return Concern(f"{code} on another line{beside}")
        if answer.value == FALSE:
            return None
        return Concern(f"{EVERY_CODE}{beside}", on_the_day)

    def _concern_pair(self, rule: Rule, here: str, there: str) -> Concern | None:
        answer = self._answer(rule.when, here, True)
        if answer.value == FALSE or not answer.names_code or not self._asks_of_other_lines(rule, there):
            return None
        return Concern(f"{here}, with {there} on another line", self._answer(rule.when, here, False).value != FALSE)

    def _asks_of_other_lines(self, rule: Rule, code: str) -> bool:
        answers = (self._answer(block.when, code, True) for block in rule.blocks)
        return any(answer.value != FALSE and answer.names_code for answer in answers)

    def _answer(self, condition: Condition, code: str, any_day: bool) -> _Answer:
        if isinstance(condition, Test):
            return self._test(condition, code, any_day)
        answers = [self._answer(part, code, any_day) for part in condition.parts]
        values = [answer.value for answer in answers]
        value = min(values, default=TRUE) if isinstance(condition, All) else max(values, default=FALSE)
        return _Answer(value, value != FALSE and any(answer.names_code for answer in answers))

    def _test(self, test: Test, code: str, any_day: bool) -> _Answer:
        if test.attribute in self._scope:
            return _Answer(TRUE if (self._scope[test.attribute] in test.values) is not test.negated else FALSE)
        subject, name, *_ = test.attribute.split(".")
        if not code or subject not in ("line", "other") or name not in _OF_CODE:
            return _Answer(UNKNOWN)
        if any_day and test.operator == "text_in_list" and not test.negated:
            value = TRUE if self._content.lists[test.values[0]].windows(code) else FALSE
        else:
            facts, line = self._line(code)
            value = compile_test(test, self._content)(facts, line)
        return _Answer(value, value == TRUE and not test.negated)

    def _line(self, code: str) -> tuple[Facts, ClaimLine]:
        """A line that has the code, on the date asked for."""
        if code not in self._lines:
            asked = self._search.asked
            line = ClaimLine(1, code, (), Decimal(1), asked.day, asked.day)
            claim = Claim("", asked.program or Program.MEDICARE, asked.setting or Setting.PRACTITIONER, (line,))
            facts = Facts(Evaluation(claim, self._search.release, asked.as_of, frozenset()))
            self._lines[code] = facts, line
        return self._lines[code]

    def _names(self, rule: Rule, code: str) -> bool:
        """Whether a rule names a modifier or a diagnosis."""
        attributes = ("diagnoses",) if self._search.asked.diagnosis else ("modifiers", "first_modifier")
        if code in rule.modifiers or code in rule.missing:
            return True
        return any(
            test.attribute.partition(".")[2] in attributes and self._speaks_of(test, code) for test in _tests(rule)
        )

    def _speaks_of(self, test: Test, code: str) -> bool:
        if test.operator in _IN_LIST:
            return bool(self._content.lists[test.values[0]].windows(code))
        if test.operator in ("texts_starts", "text_starts"):
            return code.startswith(test.values[0].replace(".", ""))
        if test.operator == "text_between":
            return len(code) == len(test.values[0]) and test.values[0] <= code <= test.values[1]
        return test.operator == "texts_not_in_force" or code in (value.replace(".", "") for value in test.values)


def _tests(rule: Rule) -> Iterator[Test]:
    for condition in (rule.when, *(block.when for block in rule.blocks)):
        yield from tests_of(condition)
