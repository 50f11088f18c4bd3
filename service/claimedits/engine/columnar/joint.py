"""Cases of several families that meet on a line: decided together, since one family may read what another one finds.

Such a joint case is the union of cases that share rows, directly or through others. A family finds about the lines of its own
cases what it would find in the whole claim; about the other lines of the union it has nothing to say, as its screening proved.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from claimedits.engine.columnar.cases import UNSEEN_HISTORY, Outcome
from claimedits.engine.columnar.part import Case, Part, Screening, contents_of
from claimedits.model.terms import Family
from claimedits.rulesets.mapped_arrays import Array

Member = tuple[Family, Hashable, tuple[int, ...], int]
"""A case of one family: what it reads, its rows, and the place of the row that is judged, -1 = every row."""


def find_joint(part: Part, screenings: Sequence[Screening], meeting: Array) -> dict[int, list[Member]]:
    """Cases that share rows with a row that ``meeting`` marks, by the first row of their union."""
    claims = np.zeros(len(part.kind), dtype=bool)
    claims[part.lines.claim_of[meeting]] = True
    members = [member for screening in screenings for member in _members(part, screening, claims)]
    root: dict[int, int] = {}

    def find(row: int) -> int:
        while root.setdefault(row, row) != row:
            row = root[row]
        return row

    for _, _, rows, _ in members:
        for row in rows[1:]:
            one, other = find(rows[0]), find(row)
            root[max(one, other)] = min(one, other)
    wanted = {find(row) for row in np.flatnonzero(meeting).tolist()}
    joint: dict[int, list[Member]] = {}
    for member in members:
        first = find(member[2][0])
        if first in wanted:
            joint.setdefault(first, []).append(member)
    return joint


def _members(part: Part, screening: Screening, claims: Array) -> list[Member]:
    family, groups, lines = screening.family, screening.groups, part.lines
    rows, ends = groups.rows.tolist(), groups.ends.tolist()
    members: list[Member] = []
    for i in np.flatnonzero(claims[lines.claim_of[groups.firsts]]).tolist():
        group = tuple(rows[ends[i - 1] if i else 0 : ends[i]])
        target = -1 if groups.targets is None else groups.targets[i]
        members.append((family, groups.keys[i], group, target))
    alone = screening.alone[claims[lines.claim_of[screening.alone]]]
    for row, key in zip(alone.tolist(), contents_of(screening.alone_by, alone), strict=True):
        members.append((family, ("alone", key), (row,), -1))
    return members


def rows_of(joint: dict[int, list[Member]], n: int) -> Array:
    """A mark for each of ``n`` rows that is in a joint case."""
    marked = np.zeros(n, dtype=bool)
    marked[[row for members in joint.values() for _, _, rows, _ in members for row in rows]] = True
    return marked


def decide_joint(part: Part, joint: dict[int, list[Member]]) -> None:
    """Decide joint cases, and write what each family says of the lines of its own cases."""
    lines, run = part.lines, part.run
    cases = []
    missing: dict[Hashable, tuple[Case, frozenset[Family]]] = {}
    for members in joint.values():
        rows = sorted({row for _, _, some, _ in members for row in some})
        place_of = {row: place for place, row in enumerate(rows)}
        case = Case(rows, lines.line_number[rows].tolist(), lines.is_history[rows].tolist())
        claim = int(lines.claim_of[rows[0]])
        families = frozenset(family for family, *_ in members)
        if not case.history:
            said = tuple([(f, key, tuple([place_of[r] for r in some]), t) for f, key, some, t in members])
            case.key = ("joint", int(part.kind[claim]), bool(part.has_history[claim]), said, case.ranks)
        cases.append((case, members))
        if case.key is None or case.key not in run.outcomes:
            missing.setdefault(id(case) if case.key is None else case.key, (case, families))
    _decide(part, list(missing.values()))
    for case, members in cases:
        part.run.stop_if_abandoned()
        _write(part, case, members, case.outcome or run.outcomes[case.key])


def _decide(part: Part, missing: Sequence[tuple[Case, frozenset[Family]]]) -> None:
    rows = np.array([row for case, _ in missing for row in case.rows], dtype=np.int64)
    made = part.maker.make_lines(rows, [number for case, _ in missing for number in case.numbers])
    end = 0
    for case, families in missing:
        start, end = end, end + len(case.rows)
        claim = int(part.lines.claim_of[case.rows[0]])
        own = [line for line in made[start:end] if not line.claim_id]
        others = [line for line in made[start:end] if line.claim_id]
        if not others and part.has_history[claim]:
            others = [UNSEEN_HISTORY]
        seen = part.maker.make_claim(claim, own, others)._replace(claim_id="")
        case.outcome = part.run.decide_case(seen, families, None, case.key)


def _write(part: Part, case: Case, members: Sequence[Member], outcome: Outcome) -> None:
    place_of = {row: place for place, row in enumerate(case.own)}
    judged: set[tuple[Family, int]] = set()
    for family, _, rows, target in members:
        own = [place_of[row] for row in rows if row in place_of]
        judged.update((family, place) for place in (own if target < 0 else own[target : target + 1]))
    for family, place in judged:
        part.statuses[family][case.own[place]] = outcome.statuses[family][place]
    families, day = part.run.pool.families, int(part.lines.first_day[case.rows[0]])
    for place, template in outcome.findings:
        if (families[template], place) in judged:
            part.findings.add(case.own[place], template, case.order, day)
