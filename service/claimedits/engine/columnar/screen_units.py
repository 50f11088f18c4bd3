"""Screens MUE: which lines have more units, alone or with others of their code, than plainly pass (semantics.md §B)."""

from __future__ import annotations

import numpy as np

from claimedits.engine.candidates import plain_limit
from claimedits.engine.columnar.cases import bare_claim
from claimedits.engine.columnar.days import DayClasses
from claimedits.engine.columnar.lines import UNIT
from claimedits.engine.columnar.part import Part, Screening
from claimedits.engine.mue import table_for
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mapped_arrays import Array

_UNKNOWN, _NONE = -2, -1
_MOST = 2**62


def screen(part: Part) -> Screening:
    """Units within the value, summed over every line of the code on the claim whatever its day, pass whatever the MAI."""
    lines = part.lines
    code = lines.texts["procedure_code"].astype(np.int64)
    statuses = part.start(Family.MUE, Status.PASS)
    uncounted = _uncounted(part)
    limits = np.full(lines.n, _NONE, dtype=np.int64)
    unloaded = np.zeros(lines.n, dtype=bool)
    for program, setting, rows in part.kinds():
        loaded = part.run.loaded(table_for(Program(program), Setting(setting)))
        if loaded is None:
            unloaded |= rows
        else:
            _look_up_limits(part, loaded, np.flatnonzero(rows & ~uncounted), limits)
    statuses[part.own & (code == 0) & ~uncounted] = Status.NOT_APPLICABLE
    judged = part.own & (code > 0) & ~uncounted & ~unloaded
    groups, grouped = _groups(part, code, judged, uncounted, limits)
    single = lines.first_day == lines.last_day
    plain = judged & single & (lines.units <= limits)
    alone = (judged & ~plain & ~grouped) | (part.own & ((uncounted) | (unloaded & (code > 0))))
    free = unloaded & ~uncounted
    return Screening(
        Family.MUE,
        np.flatnonzero(alone),
        (
            part.row_kind,
            np.where(free, 1, code),
            np.where(free, 0, part.modifier_sets),
            np.where(free, 0, lines.units),
            lines.first_day,
            np.where(free, 0, lines.last_day),
        ),
        groups,
        group_by=(
            code,
            part.modifier_sets,
            lines.units,
            lines.first_day,
            lines.last_day,
            lines.texts["rendering_provider_id"],
            lines.texts["rendering_specialty"],
        ),
    )


def _uncounted(part: Part) -> Array:
    """Lines whose modifiers take their units out of the count; asked of the conventions for each era of days."""
    conventions, lines = part.run.release.conventions, part.lines
    turns = np.array(conventions.turns, dtype=np.int64)
    eras = np.searchsorted(turns, lines.first_day, side="right")
    found = np.zeros(lines.n, dtype=bool)
    if not lines.modifiers.any():
        return found
    for era in np.unique(eras).tolist():
        day = int(turns[era - 1]) if era else int(turns[0]) - 1 if len(turns) else 0
        found |= part.has_modifier(conventions.uncounted_modifiers(day)) & (eras == era)
    return found


def _look_up_limits(part: Part, loaded: LoadedRuleSet, rows: Array, limits: Array) -> None:
    """Write the thousandths that plainly pass for each of ``rows``; _NONE where the family has to look."""
    run, lines = part.run, part.lines
    classes = DayClasses(run, (loaded,)).of(lines.first_day[rows])
    codes = lines.texts["procedure_code"][rows]
    for number in np.unique(classes).tolist():
        here = rows[classes == number] if number != classes.min() or number != classes.max() else rows
        key = ("limits", loaded.name, number)
        kept = run.kept.get(key)
        known = kept if isinstance(kept, np.ndarray) else np.zeros(0, dtype=np.int64)
        words = lines.vocabularies.of["procedure_code"].values
        if len(known) < len(words):
            known = np.append(known, np.full(len(words) - len(known), _UNKNOWN, dtype=np.int64))
            run.kept[key] = known
        used = codes if len(here) == len(rows) else lines.texts["procedure_code"][here]
        wanted = known[used]
        unknown = wanted == _UNKNOWN
        if unknown.any():
            evaluation = run.evaluation(bare_claim(Program.MEDICARE, Setting.PRACTITIONER, ()), frozenset())
            day = int(lines.first_day[here[0]])
            for one in np.unique(used[unknown]).tolist():
                limit = plain_limit(evaluation, loaded, words[one], day)
                known[one] = limit * UNIT if limit >= 0 else _NONE
            wanted = known[used]
        limits[here] = wanted


def _groups(part: Part, code: Array, judged: Array, uncounted: Array, limits: Array) -> tuple[list[list[int]], Array]:
    """Counted rows of one code on one claim, where there are several and their units do not plainly pass together.

    Also a mark for each row that shares its code with another one: it does not stand alone.
    """
    lines = part.lines
    counted = judged.copy()
    paid = lines.columns.get("paid")
    if paid is not None and lines.is_history.any():
        is_paid = paid.fill_null(False).to_numpy(zero_copy_only=False)
        counted |= part.sure & lines.is_history & is_paid & ~uncounted & (code > 0)
    rows = np.flatnonzero(counted)
    key = lines.claim_of[rows] * (int(code.max(initial=0)) + 1) + code[rows]
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    sizes = np.diff(np.append(begins, len(rows)))
    several = np.repeat(sizes > 1, sizes)
    any_of = np.zeros(lines.n, dtype=bool)
    any_of[rows[several]] = True
    if not len(begins):
        return [], any_of
    single = lines.first_day[rows] == lines.last_day[rows]
    total = np.add.reduceat(lines.units[rows], begins)
    least = np.minimum.reduceat(np.where(judged[rows], limits[rows], _MOST), begins)
    plain = np.logical_and.reduceat(single, begins) & (total <= least)
    of_own = np.logical_or.reduceat(judged[rows], begins)
    wanted = np.flatnonzero((sizes > 1) & ~plain & of_own).tolist()
    return [rows[begins[i] : begins[i] + sizes[i]].tolist() for i in wanted], any_of
