"""Screens ADD_ON_CODE: lines whose code is an add-on, each with the lines that its decision may turn on (semantics.md §C)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from claimedits.engine.add_on_code import SETTINGS, table_for
from claimedits.engine.candidates import may_be_add_on
from claimedits.engine.columnar.cases import bare_claim
from claimedits.engine.columnar.days import DayClasses, first_uncovered
from claimedits.engine.columnar.part import Part, Screening
from claimedits.model.dates import Day
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.add_on_index import AddOnIndex
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mapped_arrays import Array

_UNKNOWN = 2


def screen(part: Part) -> Screening:
    """A code that is no add-on on its day is NOT_APPLICABLE; days that no revision governs stand alone."""
    lines = part.lines
    code = lines.texts["procedure_code"]
    part.start(Family.ADD_ON_CODE, Status.NOT_APPLICABLE)
    odd = np.zeros(lines.n, dtype=bool)
    cases = _Cases([], [], [])
    for program, setting, rows in part.kinds():
        if Setting(setting) not in SETTINGS:
            continue
        loaded = part.run.loaded(table_for(Program(program)))
        if loaded is None:
            odd |= rows
            continue
        chosen = np.flatnonzero(rows)
        bare = first_uncovered(part.run, loaded, lines.first_day, lines.last_day, chosen, dated=True)
        odd[chosen[bare]] = True
        classes = DayClasses(part.run, (loaded, part.run.loaded("medicare-pfs-indicators")))
        listed = _listed(part, loaded, classes, chosen[~bare])
        _gather(part, loaded, classes, listed, cases)
    excluded = part.has_modifier({"GY"})
    return Screening(
        Family.ADD_ON_CODE,
        np.flatnonzero(odd),
        (part.row_kind, excluded, lines.first_day, lines.last_day, code > 0),
        cases.groups,
        targets=cases.targets,
        group_keys=cases.keys,
    )


@dataclass(slots=True)
class _Cases:
    groups: list[list[int]]
    targets: list[tuple[int, ...]]
    keys: list[Hashable]


def _listed(part: Part, loaded: LoadedRuleSet, classes: DayClasses, rows: Array) -> Array:
    """Those of ``rows`` whose code is an add-on in some row of the table, or by its global period."""
    run, lines = part.run, part.lines
    days = classes.of(lines.first_day[rows])
    code = lines.texts["procedure_code"][rows]
    words = lines.vocabularies.of["procedure_code"].values
    found = np.zeros(len(rows), dtype=bool)
    for number in np.unique(days).tolist():
        key = ("add-on", loaded.name, number)
        kept = run.kept.get(key)
        known = kept if isinstance(kept, np.ndarray) else np.zeros(0, dtype=np.int8)
        if len(known) < len(words):
            known = np.append(known, np.full(len(words) - len(known), _UNKNOWN, dtype=np.int8))
            run.kept[key] = known
        here = np.flatnonzero(days == number)
        answers = known[code[here]]
        unknown = answers == _UNKNOWN
        if unknown.any():
            evaluation = run.evaluation(bare_claim(Program.MEDICARE, Setting.PRACTITIONER, ()), frozenset())
            day = int(lines.first_day[rows[here[0]]])
            for one in np.unique(code[here][unknown]).tolist():
                known[one] = may_be_add_on(evaluation, loaded, words[one], day)
            answers = known[code[here]]
        found[here] = answers == 1
    return rows[found]


def _gather(part: Part, loaded: LoadedRuleSet, classes: DayClasses, listed: Array, cases: _Cases) -> None:
    """For each add-on line the lines that could be its primary, and a witness that another service was given that day."""
    lines, run = part.lines, part.run
    index = loaded.index
    assert isinstance(index, AddOnIndex)
    words = lines.vocabularies.of["procedure_code"].values
    code = lines.texts["procedure_code"].tolist() if len(listed) * 20 > lines.n else lines.texts["procedure_code"]
    provider, speciality = lines.texts["rendering_provider_id"], lines.texts["rendering_specialty"]
    first, last, sets = lines.first_day, lines.last_day, part.modifier_sets
    day_class = classes.of(first[listed]).tolist()
    starts = lines.starts
    claims = lines.claim_of[listed].tolist()
    for row, number, claim in zip(listed.tolist(), day_class, claims, strict=True):
        primaries = _primaries(run.kept, part, index, words[code[row]])
        group, key = [row], []
        witness = -1
        unsure: list[int] = []
        day, span = first[row], last[row]
        for other in range(starts[claim], starts[claim + 1]):
            if other == row:
                continue
            if words[code[other]] in primaries:
                group.append(other)
            elif witness < 0:
                is_other_service = (
                    words[code[other]] not in index.add_on_codes
                    and first[other] == day == last[other] == span
                    and provider[other] == provider[row]
                    and not lines.is_history[other]
                )
                if is_other_service:
                    witness = other
                elif first[other] <= span and last[other] >= day:
                    unsure.append(other)
        if witness < 0:
            group += unsure
        alone = len(group) == 1
        if witness >= 0:
            group.append(witness)
        group.sort()
        target = group.index(row)
        if alone and day == span:
            window = bisect_right(_turns(run.kept, index, words[code[row]]), day)
            key = [int(code[row]), number, window, witness >= 0, int(sets[row])]
        else:
            key = [
                (int(code[r]), int(sets[r]), int(first[r]), int(last[r]), int(provider[r]), int(speciality[r]))
                for r in group
            ]
        cases.groups.append(group)
        cases.targets.append((sum(1 for r in group[:target] if not lines.is_history[r]),))
        cases.keys.append(tuple(key))


def _turns(kept: dict[Hashable, object], index: AddOnIndex, code: str) -> list[Day]:
    """Days on which a row of an add-on code begins or ends, whether its last day counts or not."""
    key = ("turns", id(index), code)
    found = kept.get(key)
    if not isinstance(found, list):
        days = set[Day]()
        for row in index.rows(code):
            for last in (row.effective_to, row.add_on_deleted_on, row.primary_deleted_on):
                days |= {row.effective_from, last, last + 1}
        found = kept[key] = sorted(days)
    return found


def _primaries(kept: dict[Hashable, object], part: Part, index: AddOnIndex, code: str) -> frozenset[str]:
    """Every code that any row, or the payer's own list on any day, names as a primary of an add-on code."""
    key = ("primaries", id(index), code)
    found = kept.get(key)
    if not isinstance(found, frozenset):
        conventions = part.run.release.conventions
        named = {row.primary_code for row in index.rows(code)}
        found = frozenset(named | conventions.payer_primaries_ever(code))
        kept[key] = found
    return found
