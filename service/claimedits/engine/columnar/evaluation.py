"""Evaluates one part of a line table: screens every family, and lets the single-claim engine decide what is left.

Families are independent of each other but for this (semantics.md §0.4): an add-on falls with a primary that another family
denies; a PTP denial presumes that its column 1 is not denied; an invalid modifier bypasses nothing; authored rules see
whole claims. Lines on which that could matter are decided by these families together; a claim that an authored rule could
speak of is decided whole, with every family that has something to say of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.engine.authored.reach import reads_other_families
from claimedits.engine.columnar import screen_add_on, screen_codes, screen_duplicates, screen_pairs, screen_units
from claimedits.engine.columnar.cases import Outcome, Run
from claimedits.engine.columnar.claims import read_rows
from claimedits.engine.columnar.joint import decide_joint, find_joint, rows_of
from claimedits.engine.columnar.lines import LineColumns
from claimedits.engine.columnar.part import Part, Screening
from claimedits.engine.engine import decide
from claimedits.model.claim import Claim
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import Family, Status
from claimedits.rulesets.mapped_arrays import Array

Refusal = tuple[int, Sequence[Problem]]
"""Claim of the part, and what is wrong with it."""


def evaluate_part(run: Run, lines: LineColumns) -> tuple[Part, list[Refusal]]:
    """Every finding and status of a part, and its refused claims."""
    part = Part(run, lines)
    screenings = [_screen(part, family) for family in sorted(run.families)] if lines.n else []
    outcomes = {screening.family: part.decide_alone(screening) for screening in screenings}
    whole = np.zeros(len(part.kind), dtype=bool)
    for screening in screenings:
        if screening.whole is not None:
            whole |= screening.whole
    meeting = _find_meeting_rows(part, screenings, outcomes) & ~whole[lines.claim_of]
    joint = find_joint(part, screenings, meeting) if meeting.any() else {}
    kept = ~(whole[lines.claim_of] | rows_of(joint, lines.n))
    for screening in screenings:
        part.write_alone(screening, outcomes[screening.family], kept)
        part.decide_groups(screening, kept)
    decide_joint(part, joint)
    if whole.any():
        _decide_whole(part, screenings, np.flatnonzero(whole))
    refusals = []
    for claim in np.flatnonzero(lines.unsure).tolist():
        run.stop_if_abandoned()
        problems = _read_unsure(part, claim)
        if problems:
            refusals.append((claim, problems))
    return part, refusals


def _screen(part: Part, family: Family) -> Screening:
    if family in (Family.MODIFIER, Family.POLICY):
        return screen_codes.screen_authored(part, family)
    return _SCREENS[family](part)


_SCREENS = {
    Family.CODE_VALIDITY: screen_codes.screen_code_validity,
    Family.DUPLICATE: screen_duplicates.screen,
    Family.PTP: screen_pairs.screen,
    Family.MUE: screen_units.screen,
    Family.COVERAGE: screen_codes.screen_coverage,
    Family.ADD_ON_CODE: screen_add_on.screen,
}


def _find_meeting_rows(
    part: Part, screenings: Sequence[Screening], outcomes: dict[Family, tuple[Array, list[Outcome]]]
) -> Array:
    """Rows on which families meet of which one reads what another finds."""
    lines = part.lines
    pairs, add_ons, others = (np.zeros(lines.n, dtype=bool) for _ in range(3))
    of_family = {Family.PTP: pairs, Family.ADD_ON_CODE: add_ons}
    for screening in screenings:
        marked = of_family.get(screening.family, others)
        marked[screening.groups.rows] = True
        numbers, found = outcomes[screening.family]
        denies = np.array([_denies(outcome) for outcome in found], dtype=bool)
        if denies.any():
            marked[screening.alone[denies[numbers]]] = True
    return (pairs & add_ons) | ((pairs | add_ons) & others)


def _denies(outcome: Outcome) -> bool:
    return any(Status.FAIL in statuses for statuses in outcome.statuses.values())


def _decide_whole(part: Part, screenings: Sequence[Screening], claims: Array) -> None:
    """Claims with every family that has something to say of them; or all, where rules ask what another family found."""
    lines = part.lines
    concerned = {screening.family: _claims_of(part, screening) for screening in screenings}
    asking = [
        f for f in (Family.MODIFIER, Family.POLICY) if f in concerned and reads_other_families(part.run.release, f)
    ]
    for claim in claims.tolist():
        families = frozenset(family for family, marked in concerned.items() if marked[claim])
        if not families.isdisjoint(asking):
            families = part.run.families
        rows = np.arange(lines.starts[claim], lines.starts[claim + 1])
        made = part.maker.make_lines(rows)
        own = [line for line in made if not line.claim_id]
        history = [line for line in made if line.claim_id]
        _decide_claim(part, part.maker.make_claim(claim, own, history), rows[~lines.is_history[rows]], families)


def _claims_of(part: Part, screening: Screening) -> Array:
    """Claims of which a family has something to say."""
    marked = np.zeros(len(part.kind), dtype=bool) if screening.whole is None else screening.whole.copy()
    marked[part.lines.claim_of[screening.alone]] = True
    marked[part.lines.claim_of[screening.groups.firsts]] = True
    return marked


def _decide_claim(part: Part, claim: Claim, rows: Array, families: frozenset[Family]) -> None:
    evaluation = part.run.evaluation(claim, families)
    decide(evaluation)
    row_of = {line.line_number: int(row) for line, row in zip(claim.lines, rows, strict=True)}
    pool = part.run.pool
    for finding in evaluation.findings:
        part.findings.add(row_of[finding.line_number], pool.add(finding), (), 0)
    for family in families:
        part.statuses[family][rows] = [n or Status.PASS for n in evaluation.statuses(family)]


def _read_unsure(part: Part, claim: int) -> Sequence[Problem]:
    """Read a claim field by field, and decide it if it is good after all; else what is wrong with it."""
    lines = part.lines
    rows = np.arange(lines.starts[claim], lines.starts[claim + 1])
    history = lines.is_history[rows]
    counts = (int((~history).sum()), int(history.sum()))
    try:
        read = read_rows(lines.columns, rows.tolist(), lines.is_history, part.run.limits, counts)
    except ClaimInvalidError as error:
        return error.problems
    own = rows[~history]
    part.own[own] = True
    _decide_claim(part, read, own, part.run.families)
    return ()


def outcome_of(part: Part) -> Array:
    """The worst status of each row; 0 where there is none."""
    worst = np.zeros(part.lines.n, dtype=np.uint8)
    for statuses in part.statuses.values():
        np.maximum(worst, statuses, out=worst)
    return worst


def claim_names(lines: LineColumns) -> pa.Array:
    """The claim id of each claim, as its findings state it."""
    heads = pa.array(lines.starts[:-1])
    named = lines.columns["claim_id"].take(heads) if "claim_id" in lines.columns else pa.nulls(len(heads), pa.string())
    named = named.dictionary_decode() if pa.types.is_dictionary(named.type) else named
    return pc.utf8_trim_whitespace(named.cast(pa.string()))
