"""Screens MUE: which lines have more units, alone or with others of their code, than plainly pass (semantics.md §B)."""

from __future__ import annotations

import numpy as np

from claimedits.engine.candidates import plain_limit
from claimedits.engine.columnar.cases import bare_claim
from claimedits.engine.columnar.days import DayClasses, distinct
from claimedits.engine.columnar.keys import group_keys
from claimedits.engine.columnar.part import Groups, Part, Screening
from claimedits.engine.columnar.searches import find_repeats, gather
from claimedits.engine.columnar.units import UNIT
from claimedits.engine.mue import CONFIDENTIAL, table_for
from claimedits.model.claim_reading import MOST_MODIFIERS
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
    for program, setting, rows in part.kinds:
        loaded = part.run.loaded(table_for(Program(program), Setting(setting)))
        if loaded is None:
            unloaded |= rows
        else:
            _look_up_limits(part, loaded, np.flatnonzero(rows & ~uncounted), limits)
    statuses[part.own & (code == 0) & ~uncounted] = Status.NOT_APPLICABLE
    judged = part.own & (code > 0) & ~uncounted & ~unloaded
    rows, ends, grouped = _groups(part, code, judged, uncounted, limits)
    single = lines.first_day == lines.last_day
    plain = judged & single & (lines.units <= limits)
    alone = (judged & ~plain & ~grouped) | (part.own & (uncounted | (unloaded & (code > 0))))
    free = unloaded & ~uncounted  # nothing but the day is read
    classes = _classes(part, np.append(np.flatnonzero(alone), rows))
    # Of the modifiers of a counted line only their number is read, by the remedies.
    full = (lines.modifiers[:, MOST_MODIFIERS - 1] > 0).astype(np.int64)
    by = (code, np.where(uncounted, part.modifier_sets, full), lines.units)
    providers = lines.texts["rendering_provider_id"], lines.texts["rendering_specialty"]
    return Screening(
        Family.MUE,
        np.flatnonzero(alone),
        (
            part.row_kind,
            *(np.where(free, 0, column) for column in by),
            np.where(free, lines.first_day, 0),
            np.where(free | single, 0, lines.first_day),
            np.where(free | single, 0, lines.last_day),
            np.where(free | ~single, 0, classes),
        ),
        Groups(rows, ends, group_keys(lines, by, providers, classes, rows, ends)),
        classed=~free & single,
    )


def _classes(part: Part, rows: Array) -> Array:
    """The class of the first day of ``rows``, 0 for others."""
    run, lines = part.run, part.lines
    classes = np.zeros(lines.n, dtype=np.int64)
    for program, setting, own in part.kinds:
        name = table_for(Program(program), Setting(setting))
        loaded = [run.loaded(rule_set) for rule_set in (name, f"{name}{CONFIDENTIAL}", "medicare-pfs-indicators")]
        here = rows[own[rows] | (lines.is_history[rows] & (part.row_kind[rows] == program * 16 + setting))]
        classes[here] = DayClasses(run, loaded).of(lines.first_day[here])
    return classes


def _uncounted(part: Part) -> Array:
    """Lines whose modifiers take their units out of the count; asked of the conventions for each era of days."""
    conventions, lines = part.run.release.conventions, part.lines
    turns = np.array(conventions.turns, dtype=np.int64)
    found = np.zeros(lines.n, dtype=bool)
    if not part.modifier_sets.any():
        return found
    eras = np.searchsorted(turns, lines.first_day, side="right")
    for era in distinct(eras):
        day = int(turns[era - 1]) if era else int(turns[0]) - 1 if len(turns) else 0
        found |= part.has_modifier(conventions.uncounted_modifiers(day)) & (eras == era)
    return found


def _look_up_limits(part: Part, loaded: LoadedRuleSet, rows: Array, limits: Array) -> None:
    """Write the thousandths that plainly pass for each of ``rows``; _NONE where the family has to look."""
    run, lines = part.run, part.lines
    classes = DayClasses(run, (loaded,)).of(lines.first_day[rows])
    codes = lines.texts["procedure_code"][rows]
    numbers = distinct(classes)
    several = len(numbers) > 1
    for number in numbers:
        here = rows[classes == number] if several else rows
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


def _groups(part: Part, code: Array, judged: Array, uncounted: Array, limits: Array) -> tuple[Array, Array, Array]:
    """Counted rows of one code on one claim, where there are several and their units do not plainly pass together.

    Gives the rows of all groups, where each ends, and a mark for each row that shares its code with another one: it does not stand alone.
    """
    lines = part.lines
    counted = judged.copy()
    paid = lines.columns.get("paid")
    if paid is not None and lines.is_history.any():
        is_paid = paid.fill_null(False).to_numpy(zero_copy_only=False)
        counted |= part.sure & lines.is_history & is_paid & ~uncounted & (code > 0)
    repeated = find_repeats(lines.claim_of, np.flatnonzero(counted), (code,))
    any_of = np.zeros(lines.n, dtype=bool)
    any_of[repeated] = True
    rows, ends = gather(repeated, (lines.claim_of, code))
    if not len(ends):
        return rows, ends, any_of
    sizes = np.diff(ends, prepend=0)
    begins = ends - sizes
    single = lines.first_day[rows] == lines.last_day[rows]
    total = np.add.reduceat(lines.units[rows], begins)
    least = np.minimum.reduceat(np.where(judged[rows], limits[rows], _MOST), begins)
    plain = np.logical_and.reduceat(single, begins) & (total <= least)
    wanted = ~plain & np.logical_or.reduceat(judged[rows], begins)
    return rows[np.repeat(wanted, sizes)], np.cumsum(sizes[wanted]), any_of
