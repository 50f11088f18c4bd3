"""Findings as columns. Findings that differ in nothing but line numbers, and the day, share one *template*.

A template is made of a finding whose lines have *slots* for numbers, and where all lines are of one day, a slot for that day;
an instance of it is a template, a row, and what fills the slots. Texts and JSON stand in pools: a repeated text costs a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from claimedits.model.dates import Day, format_day
from claimedits.model.finding import Citation, Finding
from claimedits.model.finding_fields import detail_fields, remedy_fields
from claimedits.model.line_table import FINDING_SCHEMA
from claimedits.model.problems import ClaimEditsError
from claimedits.model.terms import FAMILIES_BY_NAME, Family
from claimedits.rulesets.mapped_arrays import Array

SLOT = 180_265_847_139_200_000
"""Line numbers from here on are slots: the line with the k-th least number of its case has the number ``SLOT + k``. So long
that no code, amount or diagnosis on a line looks like one; names of other claims might, so cases with history have none."""
DAY_SLOT = -1
_MARK, _DIGITS = str(SLOT)[:-5], 5
"""How a slot begins in a text, and the digits of its rank that follow."""

_NAMES = tuple(name for name in FINDING_SCHEMA.names if name not in ("claim_id", "line_number"))
_RELATED, _DEPENDS = _NAMES.index("related_line_numbers"), _NAMES.index("depends_on")
_TEXTS_WITH_NUMBERS = tuple(map(_NAMES.index, ("message", "remedies", "detail")))
_RANK = {family: rank for rank, family in enumerate(FAMILIES_BY_NAME)}

Pieces = tuple[Any, ...]
"""A text cut at its slots: text, slot, text, slot, …, text. A slot is the rank of a line number, or DAY_SLOT."""


class FindingsTooLargeError(ClaimEditsError):
    """A part of a table has more findings than may be gathered."""

    def __init__(self, gathered: int) -> None:
        self.bytes = gathered
        super().__init__(f"the findings have {gathered} bytes or more")


class _Slots(NamedTuple):
    """The parts of a template that hold line numbers."""

    texts: tuple[tuple[int, Pieces], ...]
    """Column and pieces."""
    related: tuple[int, ...]
    """Slots of ``related_line_numbers``."""
    depends_on: tuple[Pieces, ...]


Filled = tuple[Any, Sequence[Any]]
"""Instances that have a value of their own in some column, and these values."""


class FindingPool:
    """Templates, and the pools of values that their columns point into."""

    def __init__(self) -> None:
        self._pools: list[dict[Any, int]] = [{} for _ in _NAMES]
        self._arrays: list[pa.Array] = [pa.array([], FINDING_SCHEMA.field(name).type) for name in _NAMES]
        self._templates: list[list[int]] = []
        self._table: Array = np.zeros((0, len(_NAMES)), dtype=np.int32)
        """The templates as an array."""
        self._slots: list[_Slots | None] = []
        self.bytes = 0
        """Of the texts of templates without slots, those of one with slots being counted where they are filled."""
        self.families: list[Family] = []

    @property
    def size(self) -> int:
        """How many values and templates are kept."""
        return len(self._templates) + sum(map(len, self._pools))

    def add(self, finding: Finding, day: str = "") -> int:
        """The number of a template made of ``finding``.

        Line numbers from SLOT on are slots. So is ``day`` in texts, unless it is empty.
        """
        values = _values_of(finding)
        slots = _find_slots(values, day) if finding.line_number >= SLOT else None
        if slots is None:
            self.bytes += sum(len(values[column] or "") for column in _TEXTS_WITH_NUMBERS)
        if slots is not None and slots.related:
            values[_RELATED] = ()  # each instance has its own
        self._templates.append([self._place(column, value) for column, value in enumerate(values)])
        self._slots.append(slots)
        self.families.append(finding.family)
        return len(self._templates) - 1

    def has_slots(self, template: int) -> bool:
        return self._slots[template] is not None

    def fill(self, template: int, numbers: Sequence[int], day: Day) -> list[tuple[int, Any]]:
        """Columns in which an instance differs from the template, and their values.

        ``numbers`` are the line numbers of the case in ascending order, ``day`` the first day of its first line.
        """
        slots = self._slots[template]
        if slots is None:
            return []
        text = format_day(day)
        filled: list[tuple[int, Any]] = [(column, _join(pieces, numbers, text)) for column, pieces in slots.texts]
        if slots.related:
            filled.append((_RELATED, [numbers[slot] for slot in slots.related]))
        if slots.depends_on:
            filled.append((_DEPENDS, sorted([_join(pieces, numbers, text) for pieces in slots.depends_on])))
        return filled

    def _place(self, column: int, value: Any) -> int:
        pool = self._pools[column]
        return pool.setdefault(value, len(pool))

    def columns(self, templates: Array, filled: Sequence[Filled]) -> list[pa.Array]:
        """The columns of instances, in the order of ``_NAMES``; ``filled`` has an item a column."""
        if len(self._table) < len(self._templates):
            new = np.array(self._templates[len(self._table) :], dtype=np.int32)
            self._table = np.concatenate([self._table, new])
        places = self._table[templates]
        columns = []
        for column, (instances, values) in enumerate(filled):
            pool = self._values(column)
            if values:
                places[instances, column] = len(pool) + np.arange(len(values))
                pool = pa.concat_arrays([pool, pa.array(values, pool.type)])
            columns.append(pool.take(pa.array(places[:, column])))
        return columns

    def _values(self, column: int) -> pa.Array:
        """The pool of a column as an Arrow array, longer by what came since the last time."""
        array, pool = self._arrays[column], self._pools[column]
        if len(array) < len(pool):
            new = list(pool)[len(array) :]
            array = self._arrays[column] = pa.concat_arrays([array, pa.array(new, array.type)])
        return array


def _values_of(finding: Finding) -> list[Any]:
    """The cells of a finding, in the order of ``_NAMES``."""
    citation: Citation | tuple[None, ...] = finding.citation or (None,) * len(Citation._fields)
    adjustment = finding.adjustment
    return [
        finding.family.name,
        finding.status.name,
        finding.rule_id,
        finding.code,
        finding.message,
        finding.related_line_numbers,
        finding.overridable.name,
        adjustment.group if adjustment else None,
        adjustment.carc if adjustment else None,
        adjustment.rarc if adjustment else None,
        *citation,
        _json([remedy_fields(remedy) for remedy in finding.remedies]) if finding.remedies else None,
        finding.depends_on,
        _json(detail_fields(finding.detail)) if finding.detail is not None else None,
    ]


def _json(content: Any) -> str:
    return orjson.dumps(content).decode()


def _find_slots(values: Sequence[Any], day: str) -> _Slots | None:
    texts = []
    for column in _TEXTS_WITH_NUMBERS:
        text = values[column]
        if text is not None and (_MARK in text or (day and day in text)):
            pieces = _cut(text, day)
            if len(pieces) > 1:
                texts.append((column, pieces))
    related = tuple(number - SLOT for number in values[_RELATED])
    depends_on = tuple([_cut(one, "") for one in values[_DEPENDS]])
    return _Slots(tuple(texts), related, depends_on) if texts or related or depends_on else None


@lru_cache(maxsize=4096)
def _cut(text: str, day: str) -> Pieces:
    """A text at its slots. Remembered, since many findings of a large case presume the same ones."""
    pieces: list[Any] = []
    for i, part in enumerate(text.split(day) if day else (text,)):
        if i:
            pieces.append(DAY_SLOT)
        head, *tails = part.split(_MARK)
        for tail in tails:
            rank = tail[:_DIGITS]
            if len(rank) == _DIGITS and rank.isdigit() and not tail[_DIGITS : _DIGITS + 1].isdigit():
                pieces += (head, int(rank))
                head = tail[_DIGITS:]
            else:  # a code that looks like the beginning of a slot
                head += _MARK + tail
        pieces.append(head)
    return tuple(pieces)


def _join(pieces: Pieces, numbers: Sequence[int], day: str) -> str:
    return "".join(
        [piece if type(piece) is str else day if piece == DAY_SLOT else str(numbers[piece]) for piece in pieces]
    )


class FindingColumns:
    """The findings of one part of a table, gathered in any order and written in the order of the answers."""

    def __init__(self, pool: FindingPool, most_bytes: int = 0) -> None:
        """``most_bytes`` of findings may be gathered, by a low estimate; 0 = any number."""
        self._pool = pool
        self._most, self._bytes = most_bytes, -pool.bytes
        self._rows: list[int] = []
        self._templates: list[int] = []
        self._filled: list[tuple[list[int], list[Any]]] = [([], []) for _ in _NAMES]
        self._many: list[tuple[Array, Array]] = []

    def add(self, row: int, template: int, numbers: Sequence[int], day: Day) -> None:
        """One finding about the line of ``row``; see ``FindingPool.fill``.

        Findings of one line and family are added in their order.

        Raises:
            FindingsTooLargeError: these are more than may be gathered.
        """
        for column, value in self._pool.fill(template, numbers, day):
            self._bytes += (
                len(value) if type(value) is str else sum(len(one) if type(one) is str else 4 for one in value)
            )
            instances, values = self._filled[column]
            instances.append(len(self._rows))
            values.append(value)
        self._rows.append(row)
        self._templates.append(template)
        gathered = self._bytes + self._pool.bytes
        if self._most and gathered > self._most:
            raise FindingsTooLargeError(gathered)

    def add_many(self, rows: Array, template: int) -> None:
        """A finding about each of ``rows``, of a template without slots."""
        self._many.append((rows, np.full(len(rows), template, dtype=np.int64)))

    def table(self, claim_ids: pa.Array, claim_of: Array, line_numbers: Array) -> pa.Table:
        """``FINDING_SCHEMA``: by claim, line number, family, then as they were added. ``claim_ids`` has an item a claim."""
        rows = np.concatenate([np.array(self._rows, dtype=np.int64), *(rows for rows, _ in self._many)])
        templates = np.concatenate([np.array(self._templates, dtype=np.int64), *(some for _, some in self._many)])
        if not len(rows):
            return FINDING_SCHEMA.empty_table()
        ranks = np.array([_RANK[family] for family in self._pool.families], dtype=np.int64)
        claims, numbers = claim_of[rows], line_numbers[rows]
        key = (claims * 131_072 + numbers) * len(FAMILIES_BY_NAME) + ranks[templates]
        order = np.argsort(key, kind="stable")
        place_of = np.empty(len(order), dtype=np.int64)
        place_of[order] = np.arange(len(order))
        filled = [(place_of[instances], values) for instances, values in self._filled]
        columns = iter(self._pool.columns(templates[order], filled))
        return pa.table(
            [
                claim_ids.take(pa.array(claims[order]))
                if name == "claim_id"
                else pa.array(numbers[order], pa.int32())
                if name == "line_number"
                else next(columns)
                for name in FINDING_SCHEMA.names
            ],
            schema=FINDING_SCHEMA,
        )
