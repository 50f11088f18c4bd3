"""Joins the claims of one patient and one provider as history for each other (semantics.md §A.7, §B.1, §C.2, §F.5).

What edits look for in history: the other code of a pair on the same day (PTP), paid units of the day (MUE), a paid primary
on the day, for 99292 also the day before or after (ADD_ON_CODE), the same service again (DUPLICATE), frequencies (POLICY).
All of them mean the same beneficiary and, but for a payer's own rules, the same provider. So a claim's history is lines of
other claims of the same patient, billing provider, program and setting, on a day at most ``window`` days from one of its
own. Where patient or provider is not known, nothing is joined: unknown is not the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.model.claim_reading import DEFAULT_LIMITS
from claimedits.model.line_table import CLAIM_FIELDS, LINE_FIELDS, LINE_SCHEMA

Ints = npt.NDArray[np.int64]

_BLOCK = 4_000_000
"""Candidate pairs of claims, or rows, that are looked at together."""


@dataclass(slots=True)
class JoinedHistory:
    """Claims with their history."""

    table: pa.Table
    """Of ``LINE_SCHEMA``, claims in the order of the input."""
    lines: int
    """History lines that were joined."""
    left_out: int
    """History lines beyond what a claim may have (``ClaimLimits.history_lines``): the farthest in time."""


def attach_history(partition: pa.Table, window: int, earlier_only: bool = False) -> JoinedHistory:
    """Give each claim of a partition the lines of other claims around its days.

    Args:
        partition: of ``PARTITION_SCHEMA``; all claims of its patients.
        window: days between a line and a history line, 0 or more; 0 = they share a day.
        earlier_only: only claims that begin earlier, or on the same day and stand earlier in the input, are history, as
            for a payer who decides them one after another. Otherwise claims are history for each other: a duplicate is
            found on both.
    """
    if partition.num_rows == 0:
        return JoinedHistory(LINE_SCHEMA.empty_table(), 0, 0)
    order = np.asarray(pc.sort_indices(partition, [("input_order", "ascending")]))
    table = partition.take(pa.array(order)).combine_chunks()  # a stable order: rows of a claim stay as they were
    claims = _Claims(table, window, earlier_only)
    taker, taken = claims.history_rows()
    return claims.join(taker, taken)


class _Claims:
    """The claims of a partition as numbers."""

    def __init__(self, table: pa.Table, window: int, earlier_only: bool) -> None:
        self.table = table
        self.window = window
        self.earlier_only = earlier_only
        numbers = np.asarray(table.column("input_order"))
        begins = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        self.starts: Ints = begins.astype(np.int64)
        self.owner: Ints = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, table.num_rows)))
        self.own = np.asarray(pc.is_null(table.column("history_claim_id")))
        self.first_day: Ints = np.asarray(table.column("service_date").cast(pa.int32())).astype(np.int64)
        ends = pc.coalesce(table.column("service_date_end"), table.column("service_date")).cast(pa.int32())
        self.last_day: Ints = np.asarray(ends).astype(np.int64)

    def _groups(self) -> Ints:
        """One number for each patient, provider, program and setting; -1 where patient or provider is not known."""
        rows = self.table.take(pa.array(self.starts))
        known = np.asarray(
            pc.and_(pc.is_valid(rows.column("patient_id")), pc.is_valid(rows.column("billing_provider_id")))
        )
        keys = [
            rows.column(name).cast(pa.string()) for name in ("patient_id", "billing_provider_id", "program", "setting")
        ]
        joined = pc.binary_join_element_wise(*(pc.fill_null(key, "") for key in keys), "\x1f")
        groups = np.asarray(joined.combine_chunks().dictionary_encode().indices).astype(np.int64)
        return np.where(known, groups, -1)

    def history_rows(self) -> tuple[Ints, Ints]:
        """Pairs (claim, row of another claim that is its history), ordered by claim and row."""
        groups = self._groups()
        count = len(self.starts)
        first = np.full(count, np.iinfo(np.int64).max)
        last = np.full(count, np.iinfo(np.int64).min)
        np.minimum.at(first, self.owner[self.own], self.first_day[self.own])
        np.maximum.at(last, self.owner[self.own], self.last_day[self.own])
        known = np.flatnonzero(groups >= 0)
        order = known[np.lexsort((known, first[known], groups[known]))]
        base = groups[order] * (1 << 33) + (1 << 20)
        key = base + first[order]
        # claims that begin not later than this one ends, and a window more: with those that did the same to it, all that meet
        until = np.searchsorted(key, base + last[order] + self.window, side="right")
        reach = until - np.arange(len(order)) - 1
        takers: list[Ints] = []
        rows: list[Ints] = []
        begin = 0
        ahead = np.cumsum(reach)
        while begin < len(order):
            done = ahead[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ahead, done + _BLOCK, side="right")))
            left = np.repeat(np.arange(begin, end), reach[begin:end])
            within = np.arange(len(left)) - np.repeat(np.cumsum(reach[begin:end]) - reach[begin:end], reach[begin:end])
            a, b = order[left], order[left + 1 + within]
            pairs = [(b, a)] if self.earlier_only else [(a, b), (b, a)]
            for claim, other in pairs:
                self._rows_of_pairs(claim, other, takers, rows)
            begin = end
        taker = np.concatenate(takers) if takers else np.zeros(0, dtype=np.int64)
        row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        placed = np.lexsort((row, taker))
        return taker[placed], row[placed]

    def _rows_of_pairs(self, claim: Ints, other: Ints, takers: list[Ints], rows: list[Ints]) -> None:
        """Own rows of the other claim that lie within the window of a row of the claim."""
        sizes = np.diff(np.append(self.starts, self.table.num_rows))
        counts = sizes[other]
        total = int(counts.sum())
        if not total:
            return
        taker = np.repeat(claim, counts)
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        row = np.repeat(self.starts[other], counts) + within
        near = self.own[row] & self._is_near(taker, row)
        takers.append(taker[near])
        rows.append(row[near])

    def _is_near(self, taker: Ints, row: Ints) -> npt.NDArray[np.bool_]:
        """Whether some own line of the claim is at most ``window`` days from the row."""
        near = np.zeros(len(row), dtype=bool)
        sizes = np.diff(np.append(self.starts, self.table.num_rows))
        place = 0
        open_pairs = np.arange(len(row))
        while len(open_pairs):
            open_pairs = open_pairs[place < sizes[taker[open_pairs]]]
            line = self.starts[taker[open_pairs]] + place
            meets = self.own[line] & (self.first_day[row[open_pairs]] <= self.last_day[line] + self.window)
            meets &= self.last_day[row[open_pairs]] >= self.first_day[line] - self.window
            near[open_pairs[meets]] = True
            open_pairs = open_pairs[~meets]
            place += 1
        return near

    def join(self, taker: Ints, row: Ints) -> JoinedHistory:
        """Each claim's own rows, the history it came with, and the rows that were found."""
        taker, row = self._without_known(taker, row)
        taker, row, left_out = self._within_limit(taker, row)
        rows = self.table.num_rows
        joined_as = np.concatenate([self.owner, taker])
        source = np.concatenate([np.arange(rows), row])
        is_joined = np.concatenate([np.zeros(rows, dtype=bool), np.ones(len(row), dtype=bool)])
        order = np.lexsort((np.arange(len(source)), joined_as))
        source, is_joined, joined_as = source[order], is_joined[order], joined_as[order]
        of_line, of_claim = pa.array(source), pa.array(self.starts[joined_as])
        joined = pa.array(is_joined)
        columns = []
        for field in CLAIM_FIELDS:
            columns.append(self.table.column(field.name).take(of_claim))
        for field in LINE_FIELDS:
            column = self.table.column(field.name).take(of_line)
            if field.name == "history_claim_id":
                column = pc.if_else(joined, self.table.column("claim_id").take(of_line), column)
            elif field.name == "paid":
                column = pc.if_else(joined, self.table.column("was_paid").take(of_line), column)
            elif field.name == "diagnosis_pointers":  # they point into the other claim's diagnoses
                column = pc.if_else(joined, pa.scalar([], field.type), column)
            columns.append(column)
        return JoinedHistory(pa.Table.from_arrays(columns, schema=LINE_SCHEMA), len(row), left_out)

    def _without_known(self, taker: Ints, row: Ints) -> tuple[Ints, Ints]:
        """Leave out what a claim already brought as history of its own."""
        if self.own.all() or not len(row):
            return taker, row
        brought = np.flatnonzero(~self.own)
        names = hash_texts(self.table.column("claim_id"))
        said = hash_texts(self.table.column("history_claim_id"))
        mixed = np.uint64(0x9E3779B97F4A7C15)
        known = self.owner[brought].astype(np.uint64) * mixed + said[brought]
        again = np.isin(taker.astype(np.uint64) * mixed + names[row], known)
        return taker[~again], row[~again]

    def _within_limit(self, taker: Ints, row: Ints) -> tuple[Ints, Ints, int]:
        most = DEFAULT_LIMITS.history_lines - np.bincount(self.owner[~self.own], minlength=len(self.starts))
        counts = np.bincount(taker, minlength=len(self.starts))
        if not (counts > most).any():
            return taker, row, 0
        first = np.full(len(self.starts), np.iinfo(np.int64).max)
        np.minimum.at(first, self.owner[self.own], self.first_day[self.own])
        distance = np.abs(self.first_day[row] - first[taker])
        order = np.lexsort((row, distance, taker))
        starts = np.cumsum(counts) - counts
        rank = np.empty(len(row), dtype=np.int64)
        rank[order] = np.arange(len(row)) - starts[taker[order]]
        kept = rank < most[taker]
        return taker[kept], row[kept], int(np.count_nonzero(~kept))
