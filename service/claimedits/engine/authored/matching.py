"""Candidates: a rule, a line that it could match, and the answers of its leaves. Both evaluators start from them.

Here stands what is about one line or one pair of lines alone; how answers combine is the evaluators' part (``plain``, ``durable``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from claimedits.engine.authored.conditions import FALSE, TRUE, UNKNOWN
from claimedits.engine.authored.facts import Facts
from claimedits.engine.authored.program import CompiledBlock, CompiledRule, Program
from claimedits.engine.provider_scope import Scope, compare_providers
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day
from claimedits.model.finding import Finding
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.rule import Block
from claimedits.rulesets.loaded import LoadedRelease

_MOST_REMEMBERED = 65_536
MOST_RELATED = 50
"""Other lines or findings that one block of one finding names, the first in claim order."""

Match = tuple[Any, int]
"""Another line or a finding, and UNKNOWN or TRUE: how surely it is what the block asks for."""


@dataclass(slots=True)
class Candidate:
    """One rule about one line. No leaf that must hold is FALSE, and no block is without a match."""

    compiled: CompiledRule
    index: int
    """Position of the line in ``claim.lines``."""
    line: ClaimLine
    leaves: tuple[int, ...]
    joined: tuple[Sequence[Match], ...]
    """The matches of each joining block."""
    counted: tuple[Sequence[Match], ...]
    """What each counting block counted; for the finding's related lines."""


@dataclass(slots=True)
class Verdict:
    """What an evaluator says of a candidate: TRUE fires the rule, UNKNOWN says that it cannot be decided."""

    candidate: Candidate
    value: int
    related: list[Any]
    """Other lines and findings that took part, each once, in claim order."""


@dataclass(slots=True)
class _Memory:
    """What one release said of lines under one program. The answers are the release's: its fee schedule, lists and switches."""

    rules: dict[tuple[object, ...], tuple[CompiledRule, ...]]
    """Rules that could match lines alike in what ``steady`` guards ask for."""
    alike: dict[tuple[CompiledRule, ...], tuple[CompiledRule, ...]]
    """One object for all equal values of ``rules``."""


def _memory_of(release: LoadedRelease, program: Program) -> _Memory:
    memory: _Memory | None = release.rules_remembered.get(program)
    return memory or release.rules_remembered.setdefault(program, _Memory({}, {}))


class Matcher:
    """Finds the candidates of one program among the lines of one claim."""

    def __init__(self, facts: Facts, program: Program, rule_set: str) -> None:
        self._facts, self._program, self._rule_set = facts, program, rule_set
        self._memory = _memory_of(facts.evaluation.release, program)
        self._own_matches: dict[int, list[Match]] = {}
        self._eras: dict[Day, tuple[object, ...]] = {}
        self._suiting: dict[tuple[int, Day], tuple[tuple[CompiledRule, ...], list[CompiledRule]]] = {}
        self._strata: dict[int, dict[int, list[CompiledRule]]] = {}
        self._spoken: set[Family] = set()
        self.hear()

    def rules_of(self, index: int) -> list[CompiledRule]:
        """The rules in force that could match a line, by number."""
        facts = self._facts
        claim, line = facts.claim, facts.claim.lines[index]
        day, remembered = line.service_date, self._memory.rules
        era = self._eras.get(day)
        if era is None:
            era = self._eras[day] = self._era(day)
        key = (era, line.procedure_code, line.modifiers, line.place_of_service, claim.program, claim.setting)
        rules = remembered.get(key)
        if rules is None:
            if len(remembered) >= _MOST_REMEMBERED:  # codes are the caller's: bounded
                remembered.clear()
                self._memory.alike.clear()
            rules = self._possible_rules(line)
            rules = remembered[key] = self._memory.alike.setdefault(rules, rules)
        # One object for all lines with the same rules. It is held, or another one might come to have its id; and what is asked
        # of the claim may be asked of a list as it stands on the line's day.
        suiting = self._suiting.get((id(rules), day))
        if suiting is None:
            suits = [rule for rule in rules if self._suits_claim(rule, line)]
            suiting = self._suiting[id(rules), day] = (rules, suits)
        return suiting[1]

    def _era(self, day: Day) -> tuple[object, ...]:
        """Names the stretch of days, known on ``as_of``, within which no table of the release says anything else to a steady guard."""
        facts = self._facts
        return (
            facts.as_of,
            facts.conventions.era(day),
            bisect_right(self._program.turns, day),
            bisect_right(facts.evaluation.release.reference_turns, day),
        )

    def _possible_rules(self, line: ClaimLine) -> tuple[CompiledRule, ...]:
        families = self._facts.conventions.traits(line.procedure_code, line.service_date)
        rules = [self._program.rules[n] for n in sorted(self._program.triggers.rules_for(line, families))]
        return tuple(
            compiled
            for compiled in rules
            if compiled.rule.effective_from <= line.service_date <= compiled.rule.effective_to
            and all(ask(self._facts, line) >= compiled.least for ask in compiled.steady)
        )

    def _suits_claim(self, compiled: CompiledRule, line: ClaimLine) -> bool:
        """Whether what is asked of the claim alone lets the rule speak: its guards about the claim, and families that spoke."""
        heard = compiled.reacts_to <= self._spoken | {compiled.rule.family}
        return heard and all(ask(self._facts, line) >= compiled.least for ask in compiled.of_claim)

    def hear(self) -> None:
        """Note which families have said something so far; before the candidates of each stratum."""
        self._spoken = {finding.family for finding in self._facts.evaluation.findings}

    def by_stratum(self, rules: list[CompiledRule]) -> dict[int, list[CompiledRule]]:
        """What ``rules_of`` gave, by stratum."""
        strata = self._strata.get(id(rules))
        if strata is None:
            strata = self._strata[id(rules)] = {}
            for compiled in rules:
                strata.setdefault(compiled.rule.stratum, []).append(compiled)
        return strata

    def candidates(self, index: int, rules: Iterable[CompiledRule]) -> Iterator[Candidate]:
        """The candidates of one line among ``rules``."""
        facts, line = self._facts, self._facts.claim.lines[index]
        for compiled in rules:
            if compiled.reacts_to and not compiled.reacts_to <= self._spoken:
                continue
            leaves = []
            for ask in compiled.guards:
                value = ask(facts, line)
                if value < compiled.least:
                    break
                leaves.append(value)
            else:
                candidate = self._with_blocks(compiled, index, line, leaves)
                if candidate is not None:
                    yield candidate

    def _with_blocks(self, compiled: CompiledRule, index: int, line: ClaimLine, leaves: list[int]) -> Candidate | None:
        leaves.extend(ask(self._facts, line) for ask in compiled.rest)
        joined, counted = [], []
        for block in compiled.joining:
            matches = self._matches(block, line, index, MOST_RELATED)
            if not matches:
                return None
            joined.append(matches)
        for block in compiled.counted:
            matches = self._matches(block, line, index, None)
            value = _count(block.block, matches)
            if value == FALSE:
                return None
            leaves.append(value)
            counted.append(() if block.block.absent else matches[:MOST_RELATED])
        return Candidate(compiled, index, line, tuple(leaves), tuple(joined), tuple(counted))

    def _matches(self, block: CompiledBlock, line: ClaimLine, index: int, most: int | None) -> list[Match]:
        if block.block.what == "finding":
            return self._matching_findings(block, line)[:most]
        matches: list[Match] = []
        sure = 0
        for other, value in self._matching_alone(block):
            if other is line:
                continue
            value = min(value, self._join(block.block, line, other))
            if value == FALSE or (most is not None and value == UNKNOWN and len(matches) - sure >= most):
                continue
            matches.append((other, value))
            sure += value == TRUE
            if sure == most:
                break
        return matches

    def _matching_alone(self, block: CompiledBlock) -> list[Match]:
        """The other lines that meet the block's own conditions, whatever line they stand beside; made once a claim."""
        found = self._own_matches.get(id(block))
        if found is None:
            claim, ask, facts = self._facts.claim, block.ask, self._facts
            others: tuple[ClaimLine, ...] = () if block.block.what == "history line" else claim.lines
            if "history line" in block.block.what:
                others = (*others, *claim.history_lines)
            found = [(other, value) for other in others if (value := ask(facts, other)) != FALSE]
            self._own_matches[id(block)] = found
        return found

    def _join(self, block: Block, line: ClaimLine, other: ClaimLine) -> int:
        """How surely ``other`` stands to ``line`` as the block asks."""
        value, days = TRUE, line.service_date - other.service_date
        if (block.days_before is not None or block.days_after is not None) and not (
            -(block.days_after or 0) <= days <= (block.days_before or 0)
        ):
            return FALSE
        for same in block.same:
            if same == "day":
                value = min(value, TRUE if days == 0 else FALSE)
            elif same == "code":
                value = min(value, TRUE if line.procedure_code == other.procedure_code else FALSE)
            elif same == "place_of_service":
                value = min(value, _same_place(line, other))
            elif value:
                scope = compare_providers(line, other, self._facts.claim.setting, self._facts.conventions)
                value = min(value, _SCOPES[scope])
        return value

    def _matching_findings(self, block: CompiledBlock, line: ClaimLine) -> list[Match]:
        asked = block.block
        wanted = {f"{self._rule_set}/{rule}" for rule in asked.rules}
        matches = []
        for finding in self._facts.evaluation.findings:
            if finding.family is not asked.family or (wanted and finding.rule_id not in wanted):
                continue
            if (
                finding.status is Status.PASS
            ):  # there only where the caller asked to see passes: no answer may turn on that
                continue
            if asked.about == "this line" and finding.line_number != line.line_number:
                continue
            value = block.ask(self._facts, finding)
            if value != FALSE:
                matches.append((finding, value))
        return matches


_SCOPES = {Scope.SAME: TRUE, Scope.UNDECIDED: UNKNOWN, Scope.DIFFERENT: FALSE}


def _same_place(line: ClaimLine, other: ClaimLine) -> int:
    if not line.place_of_service or not other.place_of_service:
        return UNKNOWN
    return TRUE if line.place_of_service == other.place_of_service else FALSE


def _count(block: Block, matches: Sequence[Match]) -> int:
    """Absence, or enough lines, or enough units: as surely as the matches are sure."""
    sure = [other for other, value in matches if value == TRUE]
    if block.absent:
        possible = _reaches(block, [other for other, _ in matches])
        return FALSE if _reaches(block, sure) else UNKNOWN if possible else TRUE
    if _reaches(block, sure):
        return TRUE
    return UNKNOWN if _reaches(block, [other for other, _ in matches]) else FALSE


def _reaches(block: Block, others: Sequence[Any]) -> bool:
    if len(others) < block.at_least:
        return False
    return block.at_least_units is None or sum((other.units for other in others), Decimal(0)) >= block.at_least_units


def related_of(candidate: Candidate, value: int) -> list[Any]:
    """The things that took part in a verdict of ``value``: the surely matching for TRUE, all for UNKNOWN."""
    blocks = (*candidate.joined, *candidate.counted)
    return unique(other for matches in blocks for other, sure in matches if sure >= value)


def unique(things: Iterable[Any]) -> list[Any]:
    """Each thing once, in the order of first appearance: lines that are equal are still two lines."""
    return list({id(thing): thing for thing in things}.values())


def is_finding(thing: Any) -> bool:
    return isinstance(thing, Finding)
