"""Screens PTP: which lines stand with another one in a row that is alive on a day of both (semantics.md §A)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable

import numpy as np

from claimedits.engine.columnar.days import DayClasses, find_uncovered
from claimedits.engine.columnar.keys import group_keys
from claimedits.engine.columnar.part import NO_ROWS, Groups, Part, Screening
from claimedits.engine.columnar.searches import find_pairs
from claimedits.engine.ptp import table_for
from claimedits.model.dates import Day
from claimedits.model.terms import Family, Program, Setting, Status
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.mapped_arrays import Array
from claimedits.rulesets.ptp_index import PtpIndex


def screen(part: Part) -> Screening:
    """A line without a pair has the status PASS; GY, no code and no table stand alone."""
    lines = part.lines
    code = lines.texts["procedure_code"]
    part.start(Family.PTP, Status.PASS)
    excluded = part.has_modifier({"GY"})
    odd = part.own & (excluded | (code == 0))  # the switch ``ncci.skip_gy`` is the engine's to ask
    pairs = [(NO_ROWS, NO_ROWS)]
    classes = np.zeros(lines.n, dtype=np.int64)
    tables: dict[int, PtpIndex] = {}
    for program, setting, rows in part.kinds:
        rule_set = table_for(Program(program), Setting(setting))
        loaded = part.run.loaded(rule_set) if rule_set else None
        if loaded is None:
            odd |= rows
            continue
        assert isinstance(loaded.index, PtpIndex)
        tables[program * 16 + setting] = loaded.index
        chosen = np.flatnonzero(rows)
        odd[find_uncovered(part.run, loaded, lines.first_day, lines.last_day, chosen, dated=True)] = True
        found = _pairs(part, loaded, program * 16 + setting)
        pairs.append(found)
        for paired in found:
            classes[paired] = DayClasses(part.run, (loaded,)).of(lines.first_day[paired])
    one, other = (np.concatenate(rows) for rows in zip(*pairs, strict=True))
    rows, ends = _components(one, other)
    paired = np.zeros(lines.n, dtype=bool)
    paired[rows] = True
    return Screening(
        Family.PTP,
        np.flatnonzero(odd & ~paired),
        (part.row_kind, code > 0, excluded, lines.first_day, lines.last_day),
        Groups(rows, ends, _keys(part, tables, classes, (one, other), rows, ends)),
    )


def _pairs(part: Part, loaded: LoadedRuleSet, kind: int) -> tuple[Array, Array]:
    """Rows (a, b) of claims of one kind that stand together in the table."""
    index = loaded.index
    assert isinstance(index, PtpIndex)
    numbers = code_numbers(part, loaded)[part.lines.texts["procedure_code"]]
    usable = part.sure if len(part.kinds) == 1 else part.sure & (part.row_kind == kind)
    return find_pairs(index, part.lines, np.where(usable, numbers, -1))


def code_numbers(part: Part, loaded: LoadedRuleSet) -> Array:
    """The number in the table of every procedure code of the vocabulary; -1 = the table does not hold it."""
    words = part.lines.vocabularies.of["procedure_code"].values
    known = part.run.kept.get(("codes", loaded.name))
    done = known if isinstance(known, np.ndarray) else np.zeros(0, dtype=np.int32)
    if len(done) < len(words):
        get = loaded.index.number_of.get
        done = np.append(done, np.array([get(word, -1) for word in words[len(done) :]], dtype=np.int32))
        part.run.kept["codes", loaded.name] = done
    return done


def _components(one: Array, other: Array) -> tuple[Array, Array]:
    """Rows joined by pairs, directly or through others: group by group, each in claim order, and where each ends."""
    root: dict[int, int] = {}

    def find(row: int) -> int:
        while root[row] != row:
            root[row] = root[root[row]]
            row = root[row]
        return row

    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        a, b = find(root.setdefault(a, a)), find(root.setdefault(b, b))
        root[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for row in sorted(root):
        groups.setdefault(find(row), []).append(row)
    rows = np.array([row for group in groups.values() for row in group], dtype=np.int64)
    return rows, np.cumsum([len(group) for group in groups.values()], dtype=np.int64)


def _keys(
    part: Part, tables: dict[int, PtpIndex], classes: Array, pairs: tuple[Array, Array], rows: Array, ends: Array
) -> list[Hashable]:
    """What PTP reads of the lines, and where their day stands among those on which rows of their pairs begin or end."""
    lines = part.lines
    texts = lines.texts
    providers = texts["rendering_provider_id"], texts["rendering_specialty"]
    keys = group_keys(lines, (texts["procedure_code"], part.modifier_sets), providers, classes, rows, ends)
    group_of = dict(zip(rows.tolist(), np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)).tolist(), strict=True))
    turns: dict[Hashable, list[Day]] = part.run.turns
    windows: list[list[Hashable]] = [[] for _ in keys]
    one, other = pairs
    code, kinds = texts["procedure_code"], part.kind[lines.claim_of[one]].tolist()
    cells = zip(
        one.tolist(), code[one].tolist(), code[other].tolist(), lines.first_day[one].tolist(), kinds, strict=True
    )
    for row, a, b, day, kind in cells:
        key = (kind, a, b)
        known = turns.get(key)
        if known is None:
            words = lines.vocabularies.of["procedure_code"].values
            known = turns[key] = _turns(tables[kind], words[a], words[b])
        windows[group_of[row]].append((a, b, bisect_right(known, day)))
    return [(key, tuple(said)) for key, said in zip(keys, windows, strict=True)]


def _turns(index: PtpIndex, a: str, b: str) -> list[Day]:
    """Days on which a row of two codes begins or ends, whether its last day counts or not.

    Findings name these days; so each is told apart from those after it.
    """
    rows = index.rows(index.number_of[a], index.number_of[b])
    named = {day for row in rows for day in (row.effective_from, row.effective_to)}
    return sorted(named | {day + 1 for day in named})
