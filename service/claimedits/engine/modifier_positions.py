"""Which modifiers bypass a PTP pair, and on which column (semantics.md §A.5, §A.5.1). The positions themselves are data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day
from claimedits.model.finding import Note
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.conventions import Conventions

_59_AND_X = frozenset(("59", "XE", "XS", "XP", "XU"))


class Pair(NamedTuple):
    """Two lines in row order, on one day."""

    column_1: ClaimLine
    column_2: ClaimLine
    day: Day
    program: Program
    setting: Setting


class Weighed(NamedTuple):
    """One modifier of one line, weighed."""

    line: ClaimLine
    column: int
    modifier: str
    verdict: str
    """``accept``, ``review`` or ``reject``."""
    why: str
    authority: str


class Weighing(NamedTuple):
    """Every modifier of both lines, and what they come to."""

    considered: tuple[Weighed, ...]
    verdict: str
    """``accept`` (bypassed), ``review`` or ``reject``."""
    because: tuple[Weighed, ...]
    """The modifiers that decided: the accepted ones, or those for review."""
    advisories: tuple[Note, ...]
    review_reason: str = ""


def weigh_modifiers(
    pair: Pair,
    conventions: Conventions,
    invalid: frozenset[tuple[int, str]] | set[tuple[int, str]] = frozenset(),
) -> Weighing:
    """Weigh every modifier position of both lines. ``invalid`` are (line number, modifier) that MODIFIER refused."""
    considered = tuple(
        _weigh(pair, conventions, line, column, modifier, invalid)
        for column, line in ((1, pair.column_1), (2, pair.column_2))
        for modifier in line.modifiers
    )
    accepted = tuple(w for w in considered if w.verdict == "accept")
    if not accepted:
        reviewed = tuple(w for w in considered if w.verdict == "review")
        if reviewed:
            return Weighing(considered, "review", reviewed, (), "the sources are at odds on this position")
        return Weighing(considered, "reject", (), ())
    reason = _column_1_59_for_em(pair, conventions, accepted)
    if reason:
        return Weighing(considered, "review", accepted, (), reason)
    advisories = []
    for note, switch in (
        (_same_side(pair, conventions, accepted), "ptp.same_side"),
        (_ipsilateral(pair, conventions), "ptp.ipsilateral_policy"),
    ):
        if note is not None:
            if conventions.switch(switch, pair.day) == "review":
                return Weighing(considered, "review", accepted, (note,), note.text)
            advisories.append(note)
    if all(w.modifier == "58" and w.column == 1 for w in accepted):
        advisories.append(
            Note(
                "MAC_POSITION_DIFFERS",
                "58 stands on column 1 only: the Manual accepts it there, some contractors ask for it on column 2",
            )
        )
    return Weighing(considered, "accept", accepted, tuple(advisories))


def _weigh(
    pair: Pair,
    conventions: Conventions,
    line: ClaimLine,
    column: int,
    modifier: str,
    invalid: frozenset[tuple[int, str]] | set[tuple[int, str]],
) -> Weighed:
    """One row of the position policy, then the conditions on the line that carries the modifier."""
    if modifier not in conventions.ptp_associated:
        return Weighed(line, column, modifier, "reject", "not a PTP-associated modifier", "NCCI Policy Manual I-14")
    codes = (pair.column_1.procedure_code, pair.column_2.procedure_code)
    position = conventions.position(modifier, pair.program, pair.setting, pair.day, codes)
    if position is None:
        return Weighed(
            line,
            column,
            modifier,
            "reject",
            "not valid for this program, setting or date",
            "NCCI Policy Manual I-14",
        )
    # An invalid modifier cannot bypass (§A.5): MODIFIER's word first, then the conditions of the policy row.
    if not line.claim_id and (line.line_number, modifier) in invalid:
        return Weighed(
            line,
            column,
            modifier,
            "reject",
            "invalid on this line; see its MODIFIER finding",
            position.authority,
        )
    for condition in position.conditions:
        refusal = _refusal(condition, pair, conventions, line, column, modifier)
        if refusal:
            return Weighed(line, column, modifier, "reject", refusal, position.authority)
    verdict = position.column_1 if column == 1 else position.column_2
    why = {
        "accept": f"honoured on column {column}",
        "review": f"on column {column} the sources are at odds",
        "reject": f"not honoured on column {column}",
    }[verdict]
    return Weighed(line, column, modifier, verdict, why, position.authority)


def _refusal(condition: str, pair: Pair, conventions: Conventions, line: ClaimLine, column: int, modifier: str) -> str:
    """Why the line does not meet a condition of the policy; empty where it does."""
    code, day = line.procedure_code, pair.day
    if condition == "em" and not conventions.in_family("em", code, day):
        return f"{modifier} is for evaluation and management codes"
    if condition == "not_em" and conventions.in_family("em", code, day):
        return f"{modifier} is not for evaluation and management codes"
    if condition == "not_never_59" and conventions.in_family("never_59", code, day):
        return f"{modifier} is not for {code}"
    if condition == "laboratory" and not conventions.in_family("laboratory", code, day):
        return f"{modifier} is for laboratory tests"
    if condition == "anatomic" and conventions.switch("ptp.same_anatomic_modifier", day) == "enforce":
        other = pair.column_1 if column == 2 else pair.column_2
        if modifier in other.modifiers:
            return f"both lines carry {modifier}: the same anatomic site"
    return ""


def _column_1_59_for_em(pair: Pair, conventions: Conventions, accepted: Sequence[Weighed]) -> str:
    """59/X only on a non-E/M column 1 while column 2 is the E/M (§A.5, switch ``ptp.column_1_59_for_em``).

    CR 11168 and I-17 are Medicare's; Medicaid accepts the whole list on either code.
    """
    if (
        pair.program is Program.MEDICARE
        and all(w.column == 1 and w.modifier in _59_AND_X for w in accepted)
        and conventions.in_family("em", pair.column_2.procedure_code, pair.day)
        and not conventions.in_family("em", pair.column_1.procedure_code, pair.day)
        and conventions.switch("ptp.column_1_59_for_em", pair.day) == "review"
    ):
        return "59 or X{EPSU} stands on column 1 alone while column 2 is the evaluation and management service; 25 on that service is the usual way"
    return ""


def _same_side(pair: Pair, conventions: Conventions, accepted: Sequence[Weighed]) -> Note | None:
    """Containment is not string equality: T5 and RT, FA and LT, E1 and LT, or 50 (§A.5.1)."""
    sides = conventions.sides
    for weighed in accepted:
        if weighed.modifier not in sides:
            return None  # something other than anatomy cleared the pair
        part, side = sides[weighed.modifier]
        other = pair.column_1 if weighed.column == 2 else pair.column_2
        if not any(_contains(part, side, *sides[m]) for m in other.modifiers if m in sides):
            return None
    return Note(
        "SAME_SIDE",
        "the anatomic modifiers differ but may name the same side; different sites must be documented",
    )


def _contains(part: str, side: str, other_part: str, other_side: str) -> bool:
    if "side" not in (part, other_part) or not side or not other_side:
        return False
    return side == other_side or "both" in (side, other_side)


def _ipsilateral(pair: Pair, conventions: Conventions) -> Note | None:
    """Curated pairs that are never separate on one side: two shoulder procedures (§A.5.1)."""
    codes = (pair.column_1.procedure_code, pair.column_2.procedure_code)
    if not all(conventions.in_family("shoulder_ipsilateral", code, pair.day) for code in codes):
        return None
    first, second = (
        {conventions.sides[m][1] for m in line.modifiers if m in conventions.sides}
        for line in (pair.column_1, pair.column_2)
    )
    if first & second or "both" in first | second:
        return Note(
            "IPSILATERAL_POLICY",
            "two procedures on one shoulder: the Manual does not let a modifier unbundle the same side",
        )
    return None
