"""Decides one family of authored rules: every rule set of the family in the release, line by line, stratum by stratum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from weakref import WeakSet

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.conditions import TRUE
from claimedits.engine.authored.evaluators import Evaluator
from claimedits.engine.authored.facts import Facts
from claimedits.engine.authored.matching import Matcher
from claimedits.engine.authored.outcome import Outcome
from claimedits.engine.authored.program import CompiledRule, Program, program_of
from claimedits.engine.evaluation import Evaluation
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.finding import Finding
from claimedits.model.terms import Family, Status
from claimedits.rulesets.loaded import LoadedRuleSet

EVER = parse_day("1900-01-01")
"""First day that a claim may have: a revision from it on governs every line."""
_prepared: WeakSet[Program] = WeakSet()
INVALIDATING = ("MOD_INVALID", "MOD_NOT_ALLOWED")
"""Codes of FAIL findings whose modifiers bypass nothing afterwards (semantics.md §0.4, §A.5)."""


def evaluate_family(evaluation: Evaluation, family: Family, expected: str = "") -> None:
    """Every authored rule of ``family``.

    ``expected`` names the rule set that a Medicare claim needs: without it the family is NOT_EVALUATED. A claim that no rule
    set of the family governs is NOT_APPLICABLE.
    """
    governing = [
        loaded
        for loaded in evaluation.release.authored.get(family, ())
        if evaluation.claim.program.name in _programs(loaded)
    ]
    if not governing:
        for index, line in enumerate(evaluation.claim.lines):
            if expected and evaluation.claim.program.name == "MEDICARE":
                evaluation.add_not_loaded(index, family, expected, line.service_date)
            else:
                evaluation.mark(index, family, Status.NOT_APPLICABLE)
        return
    facts, evaluator = Facts(evaluation), evaluators.current()
    for loaded in governing:
        for revision, indices in _by_revision(evaluation, loaded, family).items():
            _RuleSetRun(evaluation, facts, evaluator, loaded, revision).decide(indices, family)


def _programs(loaded: LoadedRuleSet) -> str:
    """The programs a rule set speaks of; both where it does not say."""
    return loaded.editions.revisions[-1].header.attributes.get("programs", "MEDICARE MEDICAID")


def _by_revision(evaluation: Evaluation, loaded: LoadedRuleSet, family: Family) -> dict[int, list[int]]:
    """Lines by the revision of the rule set that governs their date; a line that none governs is NOT_EVALUATED."""
    only = loaded.editions.revisions[0].header if len(loaded.editions.revisions) == 1 else None
    if only and only.published_on <= evaluation.as_of and only.effective_from == EVER and only.effective_to == FOREVER:
        return {0: list(range(len(evaluation.claim.lines)))}
    lines: dict[int, list[int]] = defaultdict(list)
    for (day, _), indices in evaluation.spans.items():  # most claims have one day
        selection = evaluation.view(loaded, day, dated_rows=False).select(day)
        if selection is not None:
            lines[selection.in_force].extend(indices)
            continue
        for index in indices:
            evaluation.add_not_loaded(index, family, loaded.name, day)
    return {revision: sorted(indices) for revision, indices in lines.items()}


class _RuleSetRun:
    """One revision of one rule set over the lines that it governs."""

    def __init__(
        self, evaluation: Evaluation, facts: Facts, evaluator: Evaluator, loaded: LoadedRuleSet, revision: int
    ) -> None:
        content = loaded.index[revision]
        self._evaluation, self._evaluator, self._loaded = evaluation, evaluator, loaded
        self._program = program_of(content)
        self._matcher = Matcher(facts, self._program, loaded.name)
        self._outcome = Outcome(facts, loaded, revision, self._program)
        self._revision_id = loaded.editions.revisions[revision].id

    def decide(self, indices: Sequence[int], family: Family) -> None:
        """Adds the findings of every stratum, the lower strata first."""
        possible = {index: rules for index in indices if (rules := self._matcher.rules_of(index))}
        if possible:
            if self._program not in _prepared:
                self._evaluator.prepare(self._program)
                _prepared.add(self._program)
            lines: dict[int, list[tuple[int, list[CompiledRule]]]] = {}
            for index, rules in possible.items():
                for stratum, some in self._matcher.by_stratum(rules).items():
                    lines.setdefault(stratum, []).append((index, some))
            for stratum in sorted(lines):
                self._decide_stratum(lines[stratum])
        if self._evaluation.wants_passes:
            self._report(indices, family, possible)

    def _decide_stratum(self, lines: Sequence[tuple[int, list[CompiledRule]]]) -> None:
        self._matcher.hear()
        candidates = [candidate for index, rules in lines for candidate in self._matcher.candidates(index, rules)]
        if not candidates:
            return
        for verdict in self._evaluator.decide(candidates):
            finding = self._outcome.finding(verdict)
            if finding is not None:
                self._evaluation.add(verdict.candidate.index, finding)
                if verdict.value == TRUE:
                    self._invalidate(finding)

    def _invalidate(self, finding: Finding) -> None:
        """An invalid modifier found here must not bypass PTP."""
        if (
            finding.status is Status.FAIL
            and finding.code in INVALIDATING
            and finding.detail
            and finding.detail.modifier
        ):
            for modifier in finding.detail.modifier.modifiers:
                self._evaluation.invalid_modifiers.add((finding.line_number, modifier))

    def _report(self, indices: Sequence[int], family: Family, possible: dict[int, list[CompiledRule]]) -> None:
        """Passes, and for the trace which rules were asked."""
        name = self._loaded.name
        prefix = f"{name}/"
        spoken = {f.line_number for f in self._evaluation.findings if f.rule_id.startswith(prefix)}
        for index in indices:
            line = self._evaluation.claim.lines[index]
            asked = [compiled.rule.id for compiled in possible.get(index, ())]
            looked_up = f"{line.procedure_code} {' '.join(line.modifiers)}".rstrip()
            self._evaluation.note(
                line.line_number,
                family,
                name,
                self._revision_id,
                looked_up,
                f"rules that could match: {', '.join(asked) or 'none'}",
            )
            if line.line_number not in spoken:
                self._evaluation.add_pass(index, family, name, f"no rule of {name} fires ({len(asked)} could match)")
