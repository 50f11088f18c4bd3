"""Lints of each authored rule alone: what it asks, what it answers, what it cites, which codes it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from claimedits.model.terms import Status
from claimedits.rulesets.authored.checking import SCOPE_FIELDS, PlacedRule
from claimedits.rulesets.authored.contradictions import always_holds
from claimedits.rulesets.authored.rule import All, Condition, Test, tests_of
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES
from claimedits.rulesets.lints.adjustments import find_adjustment_faults
from claimedits.rulesets.lints.citations import find_address_fault, find_fault
from claimedits.rulesets.lints.code_books import MODIFIER, PLACE, STATE, Books
from claimedits.rulesets.lints.code_rows import check_code
from claimedits.rulesets.lints.remedies import find_remedy_faults
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.table_rows import check_period
from claimedits.rulesets.lints.wording import say

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_CODE_OPERATORS = ("text_in", "text_between", "texts_any", "texts_all", "texts_two", "texts_one", "texts_only")


@dataclass(slots=True, frozen=True)
class RuleSurroundings:
    """What the rules of a set are held against."""

    directory: str
    """How findings name the directory of the rule set."""
    head: Mapping[str, str]
    books: Books
    adjusted_codes: Collection[str]
    """Finding codes for which the conventions state adjustment codes."""


class _Rule:
    """One rule, and where findings about it stand."""

    def __init__(self, placed: PlacedRule, around: RuleSurroundings, report: Report) -> None:
        self.placed, self.rule, self._around, self._report = placed, placed.rule, around, report
        values = placed.file.values
        self.fields: Mapping[str, object] = values[str(placed.path[0])][placed.path[1]]

    def place(self, *path: str | int) -> tuple[str, int, int]:
        row, column = self.placed.file.place((*self.placed.path, *path))
        return f"{self._around.directory}/{self.placed.file.name}", row, column

    def add(self, lint_id: str, path: tuple[str | int, ...], what: str, mend: str) -> None:
        self._report.add(lint_id, self.place(*path), f"rule {self.rule.id}: {what}", mend, rule=self.rule.id)


def check_rule(placed: PlacedRule, around: RuleSurroundings, report: Report) -> None:
    """Everything odd in one rule."""
    looked = _Rule(placed, around, report)
    rule = placed.rule
    check_period(
        report, looked.place("effective_from"), around.head, (rule.effective_from, rule.effective_to), f"rule {rule.id}"
    )
    _check_conditions(looked)
    _check_citations(looked)
    _check_answer(looked, around)
    for field, number, what, mend in find_remedy_faults(rule):
        looked.add("CE119", (field,) if number is None else (field, number), what, mend)
    _check_codes(looked, around, report)
    _check_repeated(looked)
    _check_scope(looked, around.head)


def _check_conditions(looked: _Rule) -> None:
    rule = looked.rule
    window = (rule.effective_from, rule.effective_to)
    if not tests_in(rule.when) and not rule.blocks:
        return
    for part in _parts(rule.when):
        if always_holds(part, *window):
            what = f"every line meets the condition: {say(part)}"
            looked.add("CE110", ("when",), what, "correct it, or leave it out")
    seen: list[str] = []
    for said in map(say, _parts(rule.when)):
        if said in seen:
            looked.add("CE126", ("when",), f"the condition stands twice: {said}", "write it once")
        seen.append(said)
    present = [block for block in rule.blocks if not block.absent]
    for block in rule.blocks:
        name = "without" if block.absent else "with"
        number = [b for b in rule.blocks if b.absent == block.absent].index(block)
        for part in _parts(block.when):
            if always_holds(part, *window):
                what = f"everything meets the condition: {say(part)}"
                looked.add("CE110", (name, number, "when"), what, "correct it, or leave it out")
        if block.absent and any(_is_opposite(block, other) for other in present):
            what = "what [[rule.with]] wants to be there, [[rule.without]] wants not to be there"
            looked.add("CE109", (name, number), what, "leave one of the two")


def _is_opposite(absent: object, present: object) -> bool:
    names = (
        "what",
        "same",
        "days_before",
        "days_after",
        "at_least",
        "at_least_units",
        "when",
        "family",
        "rules",
        "about",
    )
    return all(getattr(absent, name) == getattr(present, name) for name in names)


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, All) else (condition,)


def tests_in(condition: Condition) -> bool:
    """Whether a condition asks anything at all."""
    return next(iter(tests_of(condition)), None) is not None


def _check_citations(looked: _Rule) -> None:
    rule = looked.rule
    if "authority" in looked.fields and (fault := find_fault(rule.authority)):
        looked.add(
            "CE116",
            ("authority",),
            f'the authority "{rule.authority}" {fault}',
            "name the document and the place in it",
        )
    if rule.url and (fault := find_address_fault(rule.url)):
        looked.add("CE116", ("url",), f'the url "{rule.url}" {fault}', "write it like https://www.cms.gov/…")


def _check_answer(looked: _Rule, around: RuleSurroundings) -> None:
    rule = looked.rule
    if "{modifiers}" in rule.message and not rule.modifiers and not rule.missing:
        mend = 'state the modifiers at fault (modifiers = ["…"]), or the missing ones, or leave it out'
        looked.add("CE127", ("message",), "{modifiers} has nothing to name", mend)
    if rule.adjustment is None:
        if rule.status is Status.FAIL and rule.code not in around.adjusted_codes:
            what = f"it denies ({rule.code}) and neither it nor the conventions name adjustment codes"
            looked.add("CE117", ("status",), what, 'write adjustment = { group = "CO", carc = "…" }')
        return
    if rule.status in (Status.NOT_APPLICABLE, Status.NOT_EVALUATED):
        what = f"it denies nothing ({rule.status.name}) and names adjustment codes"
        looked.add("CE118", ("adjustment",), what, "leave adjustment out, or write the status that denies")
    adjustment, window = rule.adjustment, (rule.effective_from, rule.effective_to)
    for field, lint_id, what, mend in find_adjustment_faults(
        adjustment.group, adjustment.carc, adjustment.rarc, around.books, window
    ):
        looked.add(lint_id, ("adjustment", field), what, mend)


def code_kind(test: Test) -> str:
    """Which kind of code a test asks for; empty = none."""
    attribute = ATTRIBUTES.get(test.attribute)
    if attribute is not None and attribute.code:
        return attribute.code
    return STATE if test.attribute == "claim.state" else PLACE if test.attribute.endswith("place_of_service") else ""


def _check_codes(looked: _Rule, around: RuleSurroundings, report: Report) -> None:
    rule = looked.rule
    window, about = (rule.effective_from, rule.effective_to), f"rule {rule.id}"
    for condition in (rule.when, *(block.when for block in rule.blocks)):
        for test in tests_of(condition):
            kind = code_kind(test)
            if not kind or test.operator not in _CODE_OPERATORS:
                continue
            ranges = [test.values] if test.operator == "text_between" else [(v, v) for v in test.values]
            for first, last in ranges:
                check_code(report, _place_of(looked, first), around.books, kind, (first, last), window, about, rule.id)
    for field in ("modifiers", "missing"):
        for i, code in enumerate(getattr(rule, field)):
            if code != "not_in_force":
                check_code(report, looked.place(field, i), around.books, MODIFIER, (code, code), window, about, rule.id)
    for i, remedy in enumerate(rule.remedies):
        for j, code in enumerate(remedy.any_of if "MODIFIER" in remedy.action else ()):
            place = looked.place("remedy", i, "any_of", j)
            check_code(report, place, around.books, MODIFIER, (code, code), window, about, rule.id)


def _sentences(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text below a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _sentences(item, (*path, i))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _sentences(item, (*path, name))


def _place_of(looked: _Rule, code: str) -> tuple[str, int, int]:
    """Where a code stands in the sentences of the rule; a diagnosis may have been written with its dot."""
    for name in ("when", "unless", "with", "without", *SCOPE_FIELDS):
        for path, text in _sentences(looked.fields.get(name), (name,)):
            for match in _QUOTED.finditer(text):
                if (match[1] or match[2] or "").replace(".", "") == code:
                    row, column = looked.placed.file.place_within((*looked.placed.path, *path), match.start())
                    return looked.place()[0], row, column
            if text == code:
                return looked.place(*path)
    return looked.place("when")


def _check_repeated(looked: _Rule) -> None:
    for name in ("when", "unless", "with", "without"):
        for path, text in _sentences(looked.fields.get(name), (name,)):
            for match in _BRACKETS.finditer(text):
                words = [one or two for one, two in _QUOTED.findall(match[1])]
                for word, count in Counter(words).items():
                    if count > 1:
                        looked.add(
                            "CE126", path, f'"{word}" stands {count} times in the same brackets', "write it once"
                        )
    for name in (*SCOPE_FIELDS, "modifiers", "missing"):
        value = looked.fields.get(name)
        for word, count in Counter(v for v in value if isinstance(v, str)).items() if isinstance(value, list) else ():
            if count > 1:
                looked.add("CE126", (name,), f'"{word}" stands {count} times in {name}', "write it once")


def _check_scope(looked: _Rule, head: Mapping[str, object]) -> None:
    for name in SCOPE_FIELDS:
        whole, own = head.get(name), looked.fields.get(name)
        whole, own = ([w] if isinstance(w, str) else w for w in (whole, own))
        if isinstance(whole, list) and isinstance(own, list) and whole and own:
            others = [word for word in own if word not in whole]
            if others:
                what = f"it is for {name} {', '.join(map(str, others))}, its rule set for {', '.join(map(str, whole))}"
                mend = f"correct {name}, or move the rule to a rule set of its own"
                looked.add("CE130", (name,), what, mend)


def check_head(head: Mapping[str, object], directory: str, report: Report) -> None:
    """What ``rule-set.toml`` says of the whole set: its citation, its address, its dates."""
    place = (f"{directory}/rule-set.toml", 1, 1)
    authority, url = head.get("authority"), head.get("url")
    if isinstance(authority, str) and authority and (fault := find_fault(authority)):
        mend = "name the document and the place in it"
        report.add("CE116", place, f'the authority "{authority}" of the rule set {fault}', mend)
    if isinstance(url, str) and url and (fault := find_address_fault(url)):
        report.add("CE116", place, f'the url "{url}" of the rule set {fault}', "write it like https://www.cms.gov/…")
    first, last = head.get("effective_from"), head.get("effective_to")
    if isinstance(first, str) and isinstance(last, str) and last and last < first:
        what = f"effective_to ({last}) of the rule set lies before effective_from ({first})"
        report.add("CE106", place, what, "the last day is inclusive")
