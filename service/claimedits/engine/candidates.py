"""Finds the lines that a family has to decide, so that lines which plainly pass cost next to nothing.

Nothing is decided here but the plainest pass; whatever is not plain is a candidate, and the family's module decides it.
With a trace, or where passes are wanted too, every line is a candidate, so that each look-up is seen.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.dates import Day
from claimedits.model.terms import Family, Setting, Status
from claimedits.rulesets.loaded import LoadedRuleSet

T = TypeVar("T")


def find_uncovered(evaluation: Evaluation, loaded: LoadedRuleSet, *, dated_rows: bool) -> dict[int, Day]:
    """Lines with a day that no revision of the rule set governs, and the first such day."""
    uncovered: dict[int, Day] = {}
    for (first, last), indices in evaluation.spans.items():
        view = evaluation.view(loaded, first, dated_rows=dated_rows)
        if first == last and view.select(first) is not None:
            continue
        day = next((start for start, _, selection in view.segments(first, last) if selection is None), None)
        if day is not None:
            uncovered |= dict.fromkeys(indices, day)
    return uncovered


def find_mue_candidates(evaluation: Evaluation, loaded: LoadedRuleSet) -> list[tuple[int, ClaimLine]]:
    """Lines whose units are not plainly within their value.

    Plain: the only line of its code on the claim and in history, one day, no more units than the value allows.
    """
    lines = list(enumerate(evaluation.claim.lines))
    if evaluation.wants_passes or evaluation.claim.setting is Setting.ASC:
        return lines
    limits, statuses = _plain_limits(evaluation, loaded), evaluation.statuses(Family.MUE)
    repeated = _repeated_codes(evaluation.claim)
    uncounted: frozenset[str] = frozenset()
    asked_for: Day | None = None
    candidates = []
    for index, line in lines:
        day = line.service_date
        key = (line.procedure_code, day)
        limit = limits.get(key)
        if limit is None:
            limit = limits[key] = plain_limit(evaluation, loaded, line.procedure_code, day)
        if line.modifiers and asked_for != day:
            uncounted, asked_for = evaluation.conventions.uncounted_modifiers(day), day
        if line.modifiers and not uncounted.isdisjoint(line.modifiers):
            candidates.append((index, line))
        elif line.units <= limit and day == line.service_date_end and line.procedure_code not in repeated:
            statuses[index] = Status.PASS
        else:
            candidates.append((index, line))
    return candidates


def _repeated_codes(claim: Claim) -> frozenset[str]:
    """Codes that stand on several lines, history included."""
    codes = [line.procedure_code for line in (*claim.lines, *claim.history_lines)]
    if len(set(codes)) == len(codes):
        return frozenset()
    return frozenset(code for code, count in Counter(codes).items() if count > 1)


def _plain_limits(evaluation: Evaluation, loaded: LoadedRuleSet) -> dict[tuple[str, Day], int]:
    """Limits found so far for this rule set as known on ``as_of``."""
    return _remembered(evaluation.release.limits, (loaded.name, evaluation.as_of))


def _remembered(
    kept: dict[tuple[str, Day], dict[tuple[str, Day], T]], key: tuple[str, Day]
) -> dict[tuple[str, Day], T]:
    """Answers by code and day, for a rule set as known on a day; bounded, since codes and days are the caller's."""
    answers = kept.setdefault(key, {})
    if len(answers) >= 65_536:
        answers.clear()
    if len(kept) > 64:
        kept.clear()
    return answers


def plain_limit(evaluation: Evaluation, loaded: LoadedRuleSet, code: str, day: Day) -> int:
    """Units of one line that are within the value whatever the MAI; -1 where the family has to look."""
    selection = evaluation.view(loaded, day, dated_rows=False).select(day)
    if selection is None or evaluation.conventions.in_family("anesthesia", code, day):
        return -1
    row = loaded.index.row(code, evaluation.value_revision(selection, day))
    return -1 if row is None or row.value == 0 else int(row.value)


def find_add_on_candidates(evaluation: Evaluation, loaded: LoadedRuleSet) -> list[tuple[int, ClaimLine]]:
    """Lines whose code is an add-on code in some row, or by its global period; all others are NOT_APPLICABLE."""
    lines = list(enumerate(evaluation.claim.lines))
    if evaluation.trace is not None:
        return lines
    statuses = evaluation.statuses(Family.ADD_ON_CODE)
    known = _remembered(evaluation.release.add_ons, (loaded.name, evaluation.as_of))
    candidates = []
    for index, line in lines:
        key = (line.procedure_code, line.service_date)
        may_be = known.get(key)
        if may_be is None:
            may_be = known[key] = may_be_add_on(evaluation, loaded, *key)
        if may_be:
            candidates.append((index, line))
        elif not statuses[index]:  # a line that no revision covers keeps its NOT_EVALUATED
            statuses[index] = Status.NOT_APPLICABLE
    return candidates


def may_be_add_on(evaluation: Evaluation, loaded: LoadedRuleSet, code: str, day: Day) -> bool:
    """Whether a code is an add-on code in some row of the table, whatever its dates, or by its global period on the day."""
    return code in loaded.index.add_on_codes or (
        "medicare-pfs-indicators" in evaluation.release.rule_sets and evaluation.global_days(code, day) == "ZZZ"
    )


def has_repeated_service(evaluation: Evaluation) -> bool:
    """Whether any two lines, history included, share code and first day: without that nothing can be a duplicate."""
    claim = evaluation.claim
    lines = (*claim.lines, *claim.history_lines)
    return len({(line.procedure_code or line.revenue_code, line.service_date) for line in lines}) < len(lines)
