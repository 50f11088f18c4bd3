"""Turns the tables of a rule file into rules, with every problem named at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal

from claimedits.model.dates import FOREVER
from claimedits.model.finding import Adjustment, Remedy
from claimedits.model.terms import Family, Overridable, Program, Setting, Status
from claimedits.rulesets.authored.contradictions import find_contradiction
from claimedits.rulesets.authored.fields import Fields, RuleFile
from claimedits.rulesets.authored.rule import All, Any_, Block, Condition, Rule, Test, join_all, negate, tests_of
from claimedits.rulesets.authored.sentences import Scope, SentenceError, read_sentence, suggest
from claimedits.rulesets.authored.vocabulary import (
    ACTIONS,
    CODE_FORMS,
    FINDING_CODES,
    IF_UNKNOWN,
    JOINS,
    OUTCOMES,
    OVERRIDABLE,
    PLACEHOLDERS,
    POLICY_CODE,
    RULE_ID,
    WHAT,
)
from claimedits.rulesets.windows import BEGINNING

SCOPE_FIELDS = {
    "programs": "claim.program",
    "settings": "claim.setting",
    "payers": "claim.payer",
    "states": "claim.state",
    "billing_providers": "claim.billing_provider",
    "places_of_service": "line.place_of_service",
}
_SCOPE_WORDS = {"programs": tuple(Program.__members__), "settings": tuple(Setting.__members__)}
RULE_FIELDS = (
    "id", "title", "effective_from", "effective_to", *SCOPE_FIELDS, "when", "unless", "status", "code", "message", "if_unknown",
    "modifiers", "missing", "authority", "url", "overridable", "adjustment", "with", "without", "remedy",
)  # fmt: skip
LINE_BLOCK_FIELDS = ("what", "same", "days_before", "days_after", "at_least", "at_least_units", "when")
FINDING_BLOCK_FIELDS = ("what", "family", "rules", "about", "when")
REMEDY_FIELDS = ("action", "any_of", "condition")
MOST_BLOCKS = 5
"""A rule engine joins at most six facts in one rule: the line, and one for each block (durable-rules.md)."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(slots=True, frozen=True)
class Surroundings:
    """What a rule may refer to."""

    family: Family
    lists: Collection[str]
    code_families: Collection[str] | None
    is_switch: Callable[[str], bool]
    scope: dict[str, tuple[str, ...]]
    """Scope of the whole rule set, by field of ``SCOPE_FIELDS``."""
    authority: str


@dataclass(slots=True, frozen=True)
class PlacedRule:
    """A rule and where it stands."""

    rule: Rule
    file: RuleFile
    path: tuple[str | int, ...]
    source: int
    row: int
    exceptions: int = 0
    """How many parts of the condition, the last ones, come from ``unless``, turned over."""


def check_rules(file: RuleFile, source: int, around: Surroundings) -> list[PlacedRule]:
    """The rules of one file that could be understood."""
    top = Fields(file, (), file.values, "a rule file")
    top.refuse_unknown(("rule",))
    placed = []
    for fields in top.tables("rule"):
        before = file.problem_count
        reader = _RuleReader(Fields(file, fields.path, file.values["rule"][fields.path[1]], "[[rule]]"), around)
        rule = reader.read()
        if file.problem_count == before:
            row = file.place(fields.path).row
            placed.append(PlacedRule(rule, file, fields.path, source, row, reader.exceptions))
    return placed


class _RuleReader:
    def __init__(self, fields: Fields, around: Surroundings) -> None:
        self._fields, self._around = fields, around
        self.exceptions = 0

    def read(self) -> Rule:
        fields = self._fields
        fields.refuse_unknown(RULE_FIELDS)
        identifier = fields.text("id", required=True)
        if identifier and not RULE_ID.fullmatch(identifier):
            fields.add("id", f"{identifier} is no rule id", "use letters, digits, points, - and _")
        starts, ends = fields.day("effective_from", BEGINNING), fields.day("effective_to", FOREVER)
        if ends < starts:
            what = "effective_to lies before effective_from"
            fields.add("effective_to", what, "the last day is inclusive", "reversed-dates")
        before = fields.file.problem_count
        when = self._when()
        blocks = (*self._blocks("with"), *self._blocks("without"))
        if len(blocks) > MOST_BLOCKS:
            what = f"a rule has at most {MOST_BLOCKS} [[rule.with]] and [[rule.without]]"
            fields.file.add(fields.path, what, "split the rule", key=True)
        if fields.file.problem_count == before:
            self._refuse_contradiction(when, blocks, starts, ends)
        modifiers = self._modifiers("modifiers")
        missing = self._modifiers("missing")
        adjustment = self._adjustment()
        return Rule(
            id=identifier,
            title=fields.text("title", required=True),
            family=self._around.family,
            when=when,
            status=Status[fields.word("status", OUTCOMES)],
            code=self._code(),
            message=self._message(
                has_findings=any(b.family for b in blocks), has_lines=any(not b.family for b in blocks if not b.absent)
            ),
            effective_from=starts,
            effective_to=ends,
            blocks=blocks,
            if_unknown=fields.word("if_unknown", IF_UNKNOWN, "NOT_EVALUATED"),
            modifiers=modifiers,
            missing=missing,
            authority=fields.text("authority", required=not self._around.authority, code="missing-citation"),
            url=fields.text("url"),
            adjustment=adjustment,
            overridable=Overridable[fields.word("overridable", OVERRIDABLE, "CORRECTION")],
            remedies=tuple(self._remedies()),
        )

    def _scope(self, subjects: tuple[str, ...]) -> Scope:
        around = self._around
        return Scope(subjects, around.lists, around.code_families, around.is_switch)

    def _when(self) -> Condition:
        """Scope of the rule set, scope of the rule, every sentence of ``when``, and none of ``unless``."""
        fields, parts = self._fields, []
        for name, attribute in SCOPE_FIELDS.items():
            before = fields.file.problem_count
            words = fields.texts(name, _SCOPE_WORDS.get(name)) if name in fields else self._around.scope.get(name, ())
            if name in fields and not words and fields.file.problem_count == before:
                mend = "name at least one, or leave the field out for all"
                fields.add(name, f"{name} is empty", mend, "empty-list")
            if words and set(words) != set(_SCOPE_WORDS.get(name, ())):
                parts.append(Test(attribute, "text_in", words))
        if "when" not in fields and not any(name in fields for name in ("with", "without", *SCOPE_FIELDS)):
            fields.file.add(
                fields.path, "[[rule]] has no when", "a rule without conditions would speak of every line", key=True
            )
        subjects = ("line", "claim", "patient", "switch")
        sentences = [*parts, *self._sentences(fields, "when", subjects)]
        exceptions = self._sentences(fields, "unless", subjects)
        if exceptions:
            excepted = negate(Any_(tuple(exceptions)) if len(exceptions) > 1 else exceptions[0])
            sentences.append(excepted)
            self.exceptions = len(excepted.parts) if isinstance(excepted, All) else 1
        return join_all(sentences)

    def _sentences(self, fields: Fields, name: str, subjects: tuple[str, ...]) -> list[Condition]:
        conditions: list[Condition] = []
        for path, sentence in fields.placed_texts(name):
            try:
                conditions.append(read_sentence(sentence, self._scope(subjects)))
            except SentenceError as error:
                fields.file.add(path, error.what, error.mend, error.offset)
        return conditions

    def _blocks(self, name: str) -> list[Block]:
        return [self._block(fields, absent=name == "without") for fields in self._fields.tables(name)]

    def _block(self, fields: Fields, *, absent: bool) -> Block:
        what = fields.word("what", WHAT)
        if what == "finding":
            return self._finding_block(fields, absent=absent)
        fields.refuse_unknown(LINE_BLOCK_FIELDS)
        same = fields.texts("same", JOINS)
        before, after = fields.count("days_before", None, 0), fields.count("days_after", None, 0)
        if "day" in same and (before is not None or after is not None):
            fields.add("same", "the same day and a number of days exclude each other", 'leave "day" out of same')
        units = fields.count("at_least_units", None, 1)
        return Block(
            what=what,
            absent=absent,
            same=same,
            days_before=before,
            days_after=after,
            at_least=fields.count("at_least", 1, 1) or 1,
            at_least_units=Decimal(units) if units is not None else None,
            when=join_all(self._sentences(fields, "when", ("other",))),
        )

    def _finding_block(self, fields: Fields, *, absent: bool) -> Block:
        fields.refuse_unknown(FINDING_BLOCK_FIELDS)
        own = self._around.family
        readable = [family.name for family in Family if family <= own]
        family = fields.word("family", [f.name for f in Family])
        if family not in readable:
            fields.add(
                "family",
                f"{family} is decided after {own.name}, so its findings cannot be read",
                f"use one of {', '.join(readable)}",
            )
        return Block(
            what="finding",
            absent=absent,
            when=join_all(self._sentences(fields, "when", ("finding",))),
            family=Family[family],
            rules=fields.texts("rules"),
            about=fields.word("about", ("this line", "any line"), "this line"),
        )

    def _refuse_contradiction(self, when: Condition, blocks: tuple[Block, ...], starts: int, ends: int) -> None:
        conditions = [("when", when), *(("without" if b.absent else "with", b.when) for b in blocks)]
        for name, condition in conditions:
            why = find_contradiction(
                condition, starts if name == "when" else BEGINNING, ends if name == "when" else FOREVER
            )
            if why:
                mend = "correct the condition, or remove the rule"
                self._fields.add(name, f"the rule can never match: {why}", mend, "condition-never-true")

    def _modifiers(self, name: str) -> tuple[str, ...]:
        words = self._fields.texts(name)
        pattern, form = CODE_FORMS["modifier"]
        for word in words:
            if not pattern.fullmatch(word) and not (name == "modifiers" and word == "not_in_force"):
                self._fields.add(name, f"{word} is no modifier", form)
        return words

    def _code(self) -> str:
        code, family = self._fields.text("code", required=True), self._around.family
        if family is Family.POLICY:
            if code and not POLICY_CODE.fullmatch(code):
                self._fields.add(
                    "code",
                    f"{code} is no finding code of a payer's rule",
                    "write POLICY_ and capital letters, such as POLICY_FREQUENCY",
                )
        elif code and code not in FINDING_CODES[family]:
            self._fields.add(
                "code", f"{code} is no finding code of {family.name}", suggest(code, FINDING_CODES[family])
            )
        return code

    def _message(self, *, has_findings: bool, has_lines: bool) -> str:
        message = self._fields.text("message", required=True)

        def refuse(match: re.Match[str], what: str, mend: str) -> None:
            path = (*self._fields.path, "message")
            self._fields.file.add(path, f"{{{match[1]}}} {what}", mend, match.start(), code="unknown-placeholder")

        for match in _PLACEHOLDER.finditer(message):
            name = match[1]
            if name not in PLACEHOLDERS:
                refuse(match, "is no placeholder", suggest(name, PLACEHOLDERS) or "see the list in rules/README.md")
            elif name.startswith("other.") and not has_lines:
                refuse(match, "has nothing to name", "it needs a [[rule.with]] of another line")
            elif name.startswith("finding.") and not has_findings:
                refuse(match, "has nothing to name", "it needs a [[rule.with]] of a finding")
        rest = _PLACEHOLDER.sub("", message)
        if "{" in rest or "}" in rest:
            mend = "write placeholders like {line.procedure_code}"
            self._fields.add("message", "a brace is not closed", mend, "unknown-placeholder")
        return message

    def _adjustment(self) -> Adjustment | None:
        fields = self._fields.table("adjustment")
        if fields is None:
            return None
        fields.refuse_unknown(("group", "carc", "rarc"))
        return Adjustment(
            fields.word("group", ("CO", "OA", "PI", "PR")), fields.text("carc", required=True), fields.texts("rarc")
        )

    def _remedies(self) -> list[Remedy]:
        remedies = []
        for fields in self._fields.tables("remedy"):
            fields.refuse_unknown(REMEDY_FIELDS)
            remedies.append(
                Remedy(fields.word("action", ACTIONS), (), fields.texts("any_of"), fields.text("condition"))
            )
        return remedies


def attributes_of(rule: Rule) -> set[str]:
    """Every attribute that a rule asks for."""
    return {test.attribute for condition in (rule.when, *(b.when for b in rule.blocks)) for test in tests_of(condition)}
