"""Screens PTP: which lines stand with another one in a row that is alive on a day of both (semantics.md §A)."""

from __future__ import annotations

import numpy as np

from claimedits.engine.columnar.days import first_uncovered
from claimedits.engine.columnar.kernel import find_pairs
from claimedits.engine.columnar.part import Part, Screening
from claimedits.engine.ptp import table_for
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
    pairs: list[tuple[Array, Array]] = []
    for program, setting, rows in part.kinds():
        rule_set = table_for(Program(program), Setting(setting))
        loaded = part.run.loaded(rule_set) if rule_set else None
        if loaded is None:
            odd |= rows
            continue
        chosen = np.flatnonzero(rows)
        bare = first_uncovered(part.run, loaded, lines.first_day, lines.last_day, chosen, dated=True)
        odd[chosen[bare]] = True
        pairs.append(_pairs(part, loaded, program * 16 + setting))
    groups, paired = _components(pairs, lines.n)
    return Screening(
        Family.PTP,
        np.flatnonzero(odd & ~paired),
        (part.row_kind, code > 0, excluded, lines.first_day, lines.last_day),
        groups,
        group_by=(
            code,
            part.modifier_sets,
            lines.first_day,
            lines.last_day,
            lines.texts["rendering_provider_id"],
            lines.texts["rendering_specialty"],
        ),
    )


def _pairs(part: Part, loaded: LoadedRuleSet, kind: int) -> tuple[Array, Array]:
    """Rows (a, b) of claims of one kind that stand together in the table."""
    index = loaded.index
    assert isinstance(index, PtpIndex)
    numbers = code_numbers(part, loaded)[part.lines.texts["procedure_code"]]
    usable = part.sure if len(part.kinds()) == 1 else part.sure & (part.row_kind == kind)
    numbers = np.where(usable, numbers, -1)
    return find_pairs(index, part.lines, numbers)


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


def _components(pairs: list[tuple[Array, Array]], n: int) -> tuple[list[list[int]], Array]:
    """Rows joined by pairs, directly or through others, in claim order; and a mark for each row that is."""
    paired = np.zeros(n, dtype=bool)
    root: dict[int, int] = {}

    def find(row: int) -> int:
        while root[row] != row:
            root[row] = root[root[row]]
            row = root[row]
        return row

    for one, other in pairs:
        paired[one] = paired[other] = True
        for a, b in zip(one.tolist(), other.tolist(), strict=True):
            root.setdefault(a, a)
            root.setdefault(b, b)
            a, b = find(a), find(b)
            root[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for row in sorted(root):
        groups.setdefault(find(row), []).append(row)
    return list(groups.values()), paired
