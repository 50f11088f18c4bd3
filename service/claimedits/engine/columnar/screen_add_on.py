"""Screens ADD_ON_CODE: lines whose code is an add-on, each with the lines that its decision may turn on (semantics.md §C)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from claimedits.engine.add_on_code import SETTINGS, table_for
from claimedits.engine.candidates import may_be_add_on
from claimedits.engine.columnar.cases import bare_claim
from claimedits.engine.columnar.days import DayClasses, distinct, find_uncovered
from claimedits.engine.columnar.keys import tell_apart
from claimedits.engine.columnar.part import Groups, Part, Screening, contents_of
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
    cases = _Cases([], [], [], [])
    for program, setting, rows in part.kinds:
        if Setting(setting) not in SETTINGS:
            continue
        loaded = part.run.loaded(table_for(Program(program)))
        if loaded is None:
            odd |= rows
            continue
        chosen = np.flatnonzero(rows)
        bare = find_uncovered(part.run, loaded, lines.first_day, lines.last_day, chosen, dated=True)
        odd[bare] = True
        classes = DayClasses(part.run, (loaded, part.run.loaded("medicare-pfs-indicators")))
        listed = _listed(part, loaded, classes, chosen[~odd[chosen]])
        _gather(part, loaded, classes, listed, odd, cases)
    excluded = part.has_modifier({"GY"})
    return Screening(
        Family.ADD_ON_CODE,
        np.flatnonzero(odd),
        (part.row_kind, excluded, lines.first_day, lines.last_day, code > 0),
        Groups(np.array(cases.rows, dtype=np.int64), np.array(cases.ends, dtype=np.int64), cases.keys, cases.targets),
    )


@dataclass(slots=True)
class _Cases:
    rows: list[int]
    ends: list[int]
    targets: list[int]
    keys: list[Hashable]


def _listed(part: Part, loaded: LoadedRuleSet, classes: DayClasses, rows: Array) -> Array:
    """Those of ``rows`` whose code is an add-on in some row of the table, or by its global period."""
    run, lines = part.run, part.lines
    days = classes.of(lines.first_day[rows])
    code = lines.texts["procedure_code"][rows]
    words = lines.vocabularies.of["procedure_code"].values
    found = np.zeros(len(rows), dtype=bool)
    for number in distinct(days):
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


def _gather(part: Part, loaded: LoadedRuleSet, classes: DayClasses, listed: Array, odd: Array, cases: _Cases) -> None:
    """For each add-on line the lines that could be its primary, and a witness that another service was given that day.

    Without a witness every line of that day is seen, since the engine may find that one is a service.
    """
    lines, run = part.lines, part.run
    index = loaded.index
    assert isinstance(index, AddOnIndex)
    words = lines.vocabularies.of["procedure_code"].values
    code, first, last = lines.texts["procedure_code"], lines.first_day, lines.last_day
    line, other = _beside(part, listed)
    marks = _marks(part, index, code[listed])
    numbers = np.searchsorted(listed, line)
    is_primary = marks.primaries[marks.place_of[numbers], code[other]]
    same_day = ~is_primary & (first[other] <= last[line]) & (last[other] >= first[line])
    provider = lines.texts["rendering_provider_id"]
    surely = same_day & (provider[other] == provider[line]) & (first[other] == last[other])
    surely &= ~marks.add_ons[code[other]] & ~lines.is_history[other]
    has_witness = np.zeros(len(listed), dtype=bool)
    has_witness[numbers[surely]] = True
    witness = np.zeros(len(listed), dtype=np.int64)
    witness[numbers[surely][::-1]] = other[surely][::-1]  # the first of them
    crowded = _crowded_claims(part, listed, numbers[same_day], has_witness)
    _add_crowded(part, crowded, odd, cases)
    seen = is_primary | (same_day & ~has_witness[numbers])
    beside: dict[int, list[int]] = {}
    for number, row in zip(numbers[seen].tolist(), other[seen].tolist(), strict=True):
        beside.setdefault(number, []).append(row)
    excluded, specialty = part.has_modifier({"GY"}), lines.texts["rendering_specialty"]
    of_line = zip(
        listed.tolist(), classes.of(first[listed]).tolist(), has_witness.tolist(), witness.tolist(),
        first[listed].tolist(), last[listed].tolist(), code[listed].tolist(), excluded[listed].tolist(),
        strict=True,
    )  # fmt: skip
    for number, (row, day_class, witnessed, witness_row, begins, ends, code_number, is_excluded) in enumerate(of_line):
        if crowded[lines.claim_of[row]]:
            continue
        group = sorted([row, *beside.get(number, ())])
        key: Hashable
        if len(group) == 1 and begins == ends:
            window = bisect_right(_turns(run.turns, index, words[code_number]), begins)
            key = (code_number, is_excluded, day_class, window, witnessed)
        else:
            who = tell_apart(provider[group].tolist(), specialty[group].tolist())
            key = (who, witnessed, *contents_of((code, excluded, first, last), np.array(group)))
        if witnessed:
            group = sorted([*group, witness_row])
        cases.rows.extend(group)
        cases.ends.append(len(cases.rows))
        cases.targets.append(sum(1 for other_row in group if other_row < row and not lines.is_history[other_row]))
        cases.keys.append(key)


def _crowded_claims(part: Part, listed: Array, beside: Array, has_witness: Array) -> Array:
    """Claims of several add-on lines of which one has others beside it, and no witness among them.

    ``beside`` are places in ``listed``. Each line of such a claim would have to be seen with all the others, again and again.
    """
    lines = part.lines
    unwitnessed = np.zeros(len(listed), dtype=bool)
    unwitnessed[beside] = True
    unwitnessed &= ~has_witness
    crowded = np.zeros(len(part.kind), dtype=bool)
    crowded[lines.claim_of[listed[unwitnessed]]] = True
    return crowded & (np.bincount(lines.claim_of[listed], minlength=len(crowded)) > 1)


def _add_crowded(part: Part, crowded: Array, odd: Array, cases: _Cases) -> None:
    """Such a claim is one case, of all its lines."""
    lines = part.lines
    texts = (lines.texts["procedure_code"], part.has_modifier({"GY"}), lines.first_day, lines.last_day)
    providers = lines.texts["rendering_provider_id"], lines.texts["rendering_specialty"]
    for claim in np.flatnonzero(crowded).tolist():
        rows = np.arange(lines.starts[claim], lines.starts[claim + 1])
        odd[rows] = False
        cases.rows.extend(rows.tolist())
        cases.ends.append(len(cases.rows))
        cases.targets.append(-1)
        cases.keys.append(
            ("all", tell_apart(*(column[rows].tolist() for column in providers)), *contents_of(texts, rows))
        )


def _beside(part: Part, listed: Array) -> tuple[Array, Array]:
    """Each of ``listed`` with every other row of its claim."""
    lines = part.lines
    starts = lines.starts[lines.claim_of[listed]]
    sizes = lines.starts[lines.claim_of[listed] + 1] - starts
    ends = np.cumsum(sizes)
    line = np.repeat(listed, sizes)
    other = np.repeat(starts - ends + sizes, sizes) + np.arange(len(line))
    return line[line != other], other[line != other]


class _Marks(NamedTuple):
    place_of: Array
    """For each add-on line its row in ``primaries``."""
    primaries: Array
    """For each different add-on code, whether a code of the vocabulary may be its primary, whatever the day."""
    add_ons: Array
    """Whether a code of the vocabulary is an add-on code in some row."""


def _marks(part: Part, index: AddOnIndex, codes: Array) -> _Marks:
    vocabulary = part.lines.vocabularies.of["procedure_code"]
    used, place_of = np.unique(codes, return_inverse=True)
    named = [_primaries(part, index, number) for number in used.tolist()]  # these may lengthen the vocabulary
    primaries = np.zeros((len(used), len(vocabulary.values)), dtype=bool)
    for i, numbers in enumerate(named):
        primaries[i, numbers] = True
    key = ("add-ons", id(index), len(vocabulary.values))
    add_ons = part.run.kept.get(key)
    if not isinstance(add_ons, np.ndarray):
        add_ons = part.run.kept[key] = np.array([word in index.add_on_codes for word in vocabulary.values], dtype=bool)
    return _Marks(place_of, primaries, add_ons)


def _turns(kept: dict[Hashable, list[Day]], index: AddOnIndex, code: str) -> list[Day]:
    """Days on which a row of an add-on code begins or ends, whether its last day counts or not, each told apart."""
    key = ("turns", id(index), code)
    found = kept.get(key)
    if found is None:
        days = set[Day]()
        for row in index.rows(code):
            for day in (row.effective_from, row.effective_to, row.add_on_deleted_on, row.primary_deleted_on):
                days |= {day, day + 1}
        found = kept[key] = sorted(days)
    return found


def _primaries(part: Part, index: AddOnIndex, number: int) -> list[int]:
    """Numbers of every code that any row, or the payer's own list on any day, names as a primary of an add-on code."""
    vocabulary = part.lines.vocabularies.of["procedure_code"]
    key = ("primaries", id(index), number)
    found = part.run.kept.get(key)
    if not isinstance(found, list):
        code = vocabulary.values[number]
        named = {row.primary_code for row in index.rows(code)}
        named |= part.run.release.conventions.payer_primaries_ever(code)
        found = part.run.kept[key] = sorted(map(vocabulary.number_of, named))
    return found
