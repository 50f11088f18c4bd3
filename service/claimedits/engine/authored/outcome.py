"""A verdict becomes a finding: message, citation, modifiers at fault, related lines, what it presumes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from claimedits.engine.authored.conditions import TRUE, modifiers_not_in_force, unknown_attributes
from claimedits.engine.authored.facts import READERS, Facts
from claimedits.engine.authored.matching import Verdict, is_finding
from claimedits.engine.authored.program import CompiledRule, Program
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import format_day
from claimedits.model.finding import Citation, Detail, Finding, HistoryLine, ModifierDetail, PolicyDetail, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.authored.rule import Rule
from claimedits.rulesets.authored.vocabulary import ATTRIBUTES
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.windows import BEGINNING

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
NOT_IN_FORCE_LIST = "modifiers"
"""The list that ``modifiers = ["not_in_force"]`` reads where no list of modifiers is loaded."""


class Outcome:
    """Makes the findings of one revision of one rule set about one claim."""

    def __init__(self, facts: Facts, loaded: LoadedRuleSet, revision: int, program: Program) -> None:
        self._facts, self._loaded, self._revision, self._program = facts, loaded, revision, program
        self._content = program.content

    def finding(self, verdict: Verdict) -> Finding | None:
        """The finding of a verdict; None where the rule asks for nothing when it cannot be decided."""
        rule, line = verdict.candidate.compiled.rule, verdict.candidate.line
        if verdict.value == TRUE:
            return self._fired(verdict, rule, line)
        return None if rule.if_unknown == "NOTHING" else self._undecided(verdict, rule, line)

    def _fired(self, verdict: Verdict, rule: Rule, line: ClaimLine) -> Finding:
        modifiers = self.modifiers(rule, line)
        adjustment = rule.adjustment or self._facts.conventions.adjustment(rule.code, line.service_date)
        return self._build(
            verdict,
            rule,
            line,
            status=rule.status,
            code=rule.code,
            message=self._message(rule.message, verdict, line, modifiers or rule.missing),
            adjustment=adjustment if rule.status is Status.FAIL else None,
            overridable=rule.overridable,
            remedies=tuple(remedy._replace(line_numbers=(line.line_number,)) for remedy in rule.remedies),
            modifiers=modifiers or rule.missing,
        )

    def _undecided(self, verdict: Verdict, rule: Rule, line: ClaimLine) -> Finding:
        unknown = sorted(self._unknown(verdict, rule, line))
        missing = sorted({ATTRIBUTES[name].rule_set for name in unknown if name in ATTRIBUTES} - {""})
        missing = [name for name in missing if self._is_missing(name, line)]
        what = ", ".join(unknown) or "the provider of the other line"
        if missing:
            status, code = Status.NOT_EVALUATED, "RULE_SET_NOT_LOADED"
            remedy = Remedy("NONE", condition=f"load {', '.join(missing)} for {format_day(line.service_date)}")
            message = f"{rule.title}: not checked, {', '.join(missing)} is not loaded for the date of service"
        else:
            status, code = Status[rule.if_unknown], rule.code
            remedy = Remedy("DOCUMENT", (line.line_number,), condition=f"send {what} with the claim")
            message = f"{rule.title}: cannot be decided, {what} is unknown"
        return self._build(
            verdict, rule, line, status=status, code=code, message=message, adjustment=None,
            overridable=Overridable.NOT_APPLICABLE, remedies=(remedy,), modifiers=(),
        )  # fmt: skip

    def _build(
        self, verdict: Verdict, rule: Rule, line: ClaimLine, *, modifiers: tuple[str, ...], **parts: Any
    ) -> Finding:
        others, compiled = _other_lines(verdict), verdict.candidate.compiled
        citation = self._program.citations.get(compiled.number)
        if citation is None:
            citation = self._program.citations[compiled.number] = self._cite(compiled)
        is_modifier = rule.family is Family.MODIFIER
        return Finding(
            rule_id=f"{self._loaded.name}/{rule.id}",
            family=rule.family,
            line_number=line.line_number,
            related_line_numbers=tuple(sorted(o.line_number for o in others if not o.claim_id)),
            citation=citation,
            depends_on=tuple(sorted({thing.finding_id for thing in verdict.related if is_finding(thing)})),
            detail=Detail(
                history=tuple(HistoryLine(o.claim_id, o.line_number) for o in others if o.claim_id),
                modifier=ModifierDetail(rule.id, modifiers) if is_modifier else None,
                policy=None if is_modifier else PolicyDetail(rule.id, self._values(compiled, line)),
            ),
            **parts,
        )

    def _cite(self, compiled: CompiledRule) -> Citation:
        rule = compiled.rule
        starts = "" if rule.effective_from == BEGINNING else format_day(rule.effective_from)
        citation = self._loaded.cite(self._revision, compiled.place, starts, format_day(rule.effective_to))
        return citation._replace(authority=rule.authority or citation.authority, url=rule.url or citation.url)

    def modifiers(self, rule: Rule, line: ClaimLine) -> tuple[str, ...]:
        """The modifiers of the line that are at fault, in the order sent, each once."""
        if not rule.modifiers:
            return ()
        sent = tuple(dict.fromkeys(line.modifiers))
        if rule.modifiers == ("not_in_force",):
            return modifiers_not_in_force(self._facts, line, sent, self._content.lists[NOT_IN_FORCE_LIST])
        return tuple(modifier for modifier in sent if modifier in rule.modifiers)

    def _message(self, text: str, verdict: Verdict, line: ClaimLine, modifiers: Sequence[str]) -> str:
        others = _other_lines(verdict)
        findings = [thing for thing in verdict.related if is_finding(thing)]

        def say(match: re.Match[str]) -> str:
            name = match[1]
            if name == "modifiers":
                return " ".join(modifiers)
            if name == "other.lines":
                return ", ".join(str(o.line_number) for o in others)
            if name == "other.codes":
                return ", ".join(dict.fromkeys(o.procedure_code for o in others))
            if name == "finding.rules":
                return ", ".join(finding.rule_id for finding in findings)
            return _as_text(name, READERS[name](self._facts, line))

        return _PLACEHOLDER.sub(say, text)

    def _values(self, compiled: CompiledRule, line: ClaimLine) -> tuple[tuple[str, str], ...]:
        """The facts that the rule asked for about the line itself, by attribute name."""
        return tuple((name, _as_text(name, READERS[name](self._facts, line))) for name in compiled.shown)

    def _unknown(self, verdict: Verdict, rule: Rule, line: ClaimLine) -> set[str]:
        names = unknown_attributes(rule.when, self._content, self._facts, line)
        candidate = verdict.candidate
        compiled = (*candidate.compiled.joining, *candidate.compiled.counted)
        for block, matches in zip(compiled, (*candidate.joined, *candidate.counted), strict=True):
            for other, sure in matches:
                if sure < TRUE:
                    names |= unknown_attributes(block.block.when, self._content, self._facts, other)
        return names

    def _is_missing(self, rule_set: str, line: ClaimLine) -> bool:
        evaluation = self._facts.evaluation
        loaded = evaluation.release.rule_sets.get(rule_set)
        return (
            loaded is None
            or evaluation.view(loaded, line.service_date, dated_rows=False).select(line.service_date) is None
        )


def _other_lines(verdict: Verdict) -> list[ClaimLine]:
    """The other lines that took part: those of the claim first, by number."""
    others = [thing for thing in verdict.related if not is_finding(thing)]
    return sorted(others, key=lambda line: (line.claim_id, line.line_number))


def _as_text(name: str, value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return format_day(value) if "date" in name else str(value)
