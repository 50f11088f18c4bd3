"""Which claims of a table the difference between two releases can touch: ``Reach.touches`` for many claims at a time.

What this says of a claim is what ``Reach.touches`` says, or, for claims with very many lines, that it is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.reading import claim_starts
from claimedits.app.replay.counting import column_of
from claimedits.app.replay.sums import Ints, Words, words_of
from claimedits.model.dates import FOREVER
from claimedits.rulesets.comparison.reach import Reach
from claimedits.rulesets.windows import BEGINNING

Marks = npt.NDArray[np.bool_]
_MOST_PAIRED = 64
"""Lines of a claim whose pairs are looked at; a claim with more of them counts as touched."""


class ClaimTraits:
    """What reaches ask of the claims of a line table. History lines count as lines do."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.starts = claim_starts(table)
        self.claims = len(self.starts)
        self.owner: Ints = np.repeat(np.arange(self.claims), np.diff(np.append(self.starts, table.num_rows)))

    def touched(self, reach: Reach) -> Marks:
        """For each claim, whether the reach touches it."""
        marks = self._of_program(reach) & self._on_days(reach)
        if not marks.any() or reach.everything:
            return marks
        return marks & self._carries(reach)

    def _of_program(self, reach: Reach) -> Marks:
        programs = {program.name for program in reach.programs}
        settings = {setting.name for setting in reach.settings}
        return _among(self._program, programs.__contains__) & _among(self._setting, settings.__contains__)

    def _on_days(self, reach: Reach) -> Marks:
        if (reach.first, reach.last) == (BEGINNING, FOREVER):
            return np.ones(self.claims, dtype=bool)
        return self._any((self._first_day <= reach.last) & (self._last_day >= reach.first))

    def _carries(self, reach: Reach) -> Marks:
        marks = np.zeros(self.claims, dtype=bool)
        if reach.contractors:
            marks |= _among(self._contractor, reach.contractors.__contains__)
        if reach.procedure_codes or reach.procedure_ranges:
            marks |= self._any(_among(self._codes, lambda code: _is_in(code, reach)))
        if reach.pairs:
            marks |= self._holds_pair(reach)
        if reach.modifiers:
            marks |= self._any_of_list(self._modifiers, reach.modifiers.__contains__)
        if reach.diagnoses:
            marks |= self._any_of_list(self._diagnoses, reach._touches_diagnosis)
        return marks

    def _any(self, rows: Marks) -> Marks:
        marks = np.zeros(self.claims, dtype=bool)
        marks[self.owner[rows]] = True
        return marks

    def _any_of_list(self, listed: tuple[Ints, Words], holds: Callable[[str], bool]) -> Marks:
        owner, words = listed
        marks = np.zeros(self.claims, dtype=bool)
        marks[owner[_among(words, holds)]] = True
        return marks

    def _holds_pair(self, reach: Reach) -> Marks:
        """Claims with both codes of a pair."""
        codes, words = self._codes
        known = {word: number for number, word in enumerate(words)}
        pairs = np.array(
            sorted(known[a] * len(words) + known[b] for a, b in reach.pairs if a in known and b in known),
            dtype=np.int64,
        )
        marks = np.zeros(self.claims, dtype=bool)
        if not len(pairs):
            return marks
        concerned = np.zeros(len(words), dtype=bool)
        concerned[np.concatenate([pairs // len(words), pairs % len(words)])] = True
        once = np.unique(self.owner[concerned[codes]] * len(words) + codes[concerned[codes]])
        owner, code = np.divmod(once, len(words))
        sizes = np.bincount(owner, minlength=self.claims)
        marks |= sizes > _MOST_PAIRED
        for distance in range(1, min(int(sizes.max(initial=1)), _MOST_PAIRED)):
            same = np.flatnonzero(owner[distance:] == owner[:-distance])
            one, other = code[same], code[same + distance]
            met = np.isin(one * len(words) + other, pairs) | np.isin(other * len(words) + one, pairs)
            marks[owner[same[met]]] = True
        return marks

    # ---- Columns, read when first asked for ----

    def _of_claims(self, name: str) -> Words:
        return words_of(column_of(self._table.take(pa.array(self.starts)), name))

    @cached_property
    def _program(self) -> Words:
        return self._of_claims("program")

    @cached_property
    def _setting(self) -> Words:
        return self._of_claims("setting")

    @cached_property
    def _contractor(self) -> Words:
        return self._of_claims("contractor_id")

    @cached_property
    def _codes(self) -> Words:
        return _merged(words_of(column_of(self._table, "procedure_code")), lambda code: code.strip().upper())

    @cached_property
    def _modifiers(self) -> tuple[Ints, Words]:
        return self._listed(self._table, "modifiers", self.owner)

    @cached_property
    def _diagnoses(self) -> tuple[Ints, Words]:
        return self._listed(self._table.take(pa.array(self.starts)), "diagnoses", np.arange(self.claims))

    def _listed(self, table: pa.Table, name: str, owner: Ints) -> tuple[Ints, Words]:
        column = column_of(table, name)
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
        parents = np.asarray(pc.list_parent_indices(column)).astype(np.int64)
        words = _merged(words_of(pc.list_flatten(column)), lambda word: word.strip().upper())
        return owner[parents], words

    @cached_property
    def _first_day(self) -> Ints:
        return np.asarray(column_of(self._table, "service_date").cast(pa.int32())).astype(np.int64)

    @cached_property
    def _last_day(self) -> Ints:
        last = column_of(self._table, "service_date_end")
        first = column_of(self._table, "service_date")
        return np.asarray(pc.coalesce(last, first).cast(pa.int32())).astype(np.int64)


def _among(words: Words, holds: Callable[[str], bool]) -> Marks:
    codes, texts = words
    return (
        np.array([holds(text) for text in texts], dtype=bool)[codes] if len(texts) else np.zeros(len(codes), dtype=bool)
    )


def _merged(words: Words, spell: Callable[[str], str]) -> Words:
    """Texts spelt alike get one number."""
    codes, texts = words
    spelt: dict[str, int] = {}
    numbers = np.array([spelt.setdefault(spell(text), len(spelt)) for text in texts], dtype=np.int64)
    return (numbers[codes] if len(texts) else codes), list(spelt)


def _is_in(code: str, reach: Reach) -> bool:
    return code in reach.procedure_codes or any(low <= code <= high for low, high in reach.procedure_ranges)


def find_touched_claims(traits: ClaimTraits, reaches: Sequence[Reach], cites: Callable[[str], Marks]) -> Marks:
    """Claims whose answers may differ.

    Args:
        cites: for the name of a rule set, the claims of which an answer under the one release cites it (``Reach.only_where_cited``).
    """
    marks = np.zeros(traits.claims, dtype=bool)
    for reach in reaches:
        touched = traits.touched(reach)
        if reach.only_where_cited and touched.any():
            touched &= cites(reach.rule_set)
        marks |= touched
    return marks
