"""How far authored rules reach: which lines they could speak of, and what other findings they ask for."""

from __future__ import annotations

from collections.abc import Sequence

from claimedits.engine.authored.facts import Facts
from claimedits.engine.authored.matching import Matcher
from claimedits.engine.authored.program import program_of
from claimedits.engine.evaluation import Evaluation
from claimedits.model.terms import Family, Program
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet


def governing(release: LoadedRelease, family: Family, program: Program) -> Sequence[LoadedRuleSet]:
    """The rule sets of a family that speak of a program; those that do not say which speak of both."""
    return [
        loaded
        for loaded in release.authored.get(family, ())
        if program.name in loaded.editions.revisions[-1].header.attributes.get("programs", "MEDICARE MEDICAID")
    ]


def may_speak(evaluation: Evaluation, family: Family, index: int) -> bool:
    """Whether the family could do more than let a line pass, judged by that line alone; True where no revision governs it."""
    claim = evaluation.claim
    day, facts = claim.lines[index].service_date, Facts(evaluation)
    for loaded in governing(evaluation.release, family, claim.program):
        selection = evaluation.view(loaded, day, dated_rows=False).select(day)
        if selection is None:
            return True
        program = program_of(loaded.index[selection.in_force])
        if Matcher(facts, program, loaded.name).rules_of(index):
            return True
    return False


def reads_other_families(release: LoadedRelease, family: Family) -> bool:
    """Whether some rule of the family asks for findings of another one."""
    return any(
        block.what == "finding" and block.family is not family
        for loaded in release.authored.get(family, ())
        for revision in range(len(loaded.editions.revisions))
        for authored in loaded.index[revision].rules
        for block in authored.rule.blocks
    )
