"""Joins the claims of one patient and one provider as history for each other (semantics.md §A.7, §B.1, §C.2, §F.5).

What edits look for in history: the other code of a pair on the same day (PTP), paid units of the day (MUE), a paid primary
on the day, for 99292 also the day before or after (ADD_ON_CODE), the same service again (DUPLICATE), frequencies (POLICY).
All of them mean the same beneficiary and, but for a payer's own rules, the same provider. So a claim's history is lines of
other claims of the same patient, billing provider, program and setting, on a day at most ``window`` days from one of its
own. Where patient or provider is not known, nothing is joined: unknown is not the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.model.claim_reading import DEFAULT_LIMITS
from claimedits.model.line_table import CLAIM_FIELDS, LINE_FIELDS, LINE_SCHEMA

Ints = npt.NDArray[np.int64]

MOST_CLAIMS = 1_000
"""Other claims that are looked at for one claim, the nearest by their first day: a patient number that stands for many
people, or for none, would else be joined with itself without end."""
MOST_LINES = DEFAULT_LIMITS.history_lines
"""History lines that one claim may have."""
_BLOCK = 2_000_000
"""Rows of other claims that are looked at together."""


@dataclass(slots=True)
class JoinedHistory:
    """Some claims with their history."""

    table: pa.Table
    """Of ``LINE_SCHEMA``, claims in the order of the input."""
    lines: int
    """History lines that were joined."""
    cut: int
    """Claims that had more history than ``MOST_CLAIMS`` or ``MOST_LINES`` let them keep."""


def attach_history(partition: pa.Table, window: int, earlier_only: bool = False) -> JoinedHistory:
    """As ``join_history``, in one table, which may be many times as long as the partition."""
    parts = list(join_history(partition, window, earlier_only))
    tables = [part.table for part in parts] or [LINE_SCHEMA.empty_table()]
    return JoinedHistory(pa.concat_tables(tables), sum(part.lines for part in parts), sum(part.cut for part in parts))


def join_history(partition: pa.Table, window: int, earlier_only: bool = False) -> Iterator[JoinedHistory]:
    """Give each claim of a partition the lines of other claims around its days; in parts of bounded size.

    Args:
        partition: of ``PARTITION_SCHEMA``; all claims of its patients.
        window: days between a line and a history line, 0 or more; 0 = they share a day.
        earlier_only: only claims that begin earlier, or on the same day and stand earlier in the input, are history, as
            for a payer who decides them one after another. Otherwise claims are history for each other: a duplicate is
            found on both.
    """
    if partition.num_rows == 0:
        return
    order = np.argsort(np.asarray(partition.column("input_order")), kind="stable")
    claims = _Claims(partition.take(pa.array(order)).combine_chunks(), window, earlier_only)
    for begin, end in claims.blocks():
        yield claims.join(begin, end)


class _Claims:
    """The claims of a partition as numbers, in the order of the input."""

    def __init__(self, table: pa.Table, window: int, earlier_only: bool) -> None:
        self.table = table
        self.window = window
        numbers = np.asarray(table.column("input_order"))
        self.starts: Ints = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1)).astype(np.int64)
        self.sizes: Ints = np.diff(np.append(self.starts, table.num_rows))
        self.owner: Ints = np.repeat(np.arange(len(self.starts)), self.sizes)
        self.own = np.asarray(pc.is_null(table.column("history_claim_id")))
        self.first_day: Ints = np.asarray(table.column("service_date").cast(pa.int32())).astype(np.int64)
        ends = pc.coalesce(table.column("service_date_end"), table.column("service_date")).cast(pa.int32())
        self.last_day: Ints = np.asarray(ends).astype(np.int64)
        self._find_candidates(earlier_only)

    def _groups(self) -> Ints:
        """One number for each patient, provider, program and setting; -1 where patient or provider is not known."""
        rows = self.table.take(pa.array(self.starts))
        names = ("patient_id", "billing_provider_id", "program", "setting")
        known = np.asarray(pc.and_(pc.is_valid(rows.column(names[0])), pc.is_valid(rows.column(names[1]))))
        keys = [pc.fill_null(rows.column(name).cast(pa.string()), "") for name in names]
        joined = pc.binary_join_element_wise(*keys, "\x1f").combine_chunks()
        groups = np.asarray(joined.dictionary_encode().indices).astype(np.int64)
        return np.where(known, groups, -1)

    def _find_candidates(self, earlier_only: bool) -> None:
        """For each claim a run of ``by_day``, claims of its group by their first day, that may lie near enough."""
        groups, count = self._groups(), len(self.starts)
        first = np.full(count, np.iinfo(np.int64).max)
        last = np.full(count, np.iinfo(np.int64).min)
        np.minimum.at(first, self.owner[self.own], self.first_day[self.own])
        np.maximum.at(last, self.owner[self.own], self.last_day[self.own])
        self.begins = first
        known = np.flatnonzero(groups >= 0)
        self.by_day: Ints = known[np.lexsort((known, first[known], groups[known]))]
        begin, end = first[self.by_day], last[self.by_day]
        longest = np.zeros(int(groups.max()) + 1 if len(known) else 0, dtype=np.int64)
        np.maximum.at(longest, groups[self.by_day], end - begin)
        base = groups[self.by_day] * (1 << 33) + (1 << 32)
        key = base + begin
        here = np.arange(len(self.by_day))
        low = np.searchsorted(key, base + begin - self.window - longest[groups[self.by_day]], side="left")
        high = here if earlier_only else np.searchsorted(key, base + end + self.window, side="right")
        wide = high - low > MOST_CLAIMS
        self.was_wide = np.zeros(count, dtype=bool)
        self.was_wide[self.by_day[wide]] = True
        low = np.where(wide, np.maximum(low, np.minimum(here - MOST_CLAIMS // 2, high - MOST_CLAIMS)), low)
        high = np.where(wide, np.minimum(high, low + MOST_CLAIMS), high)
        self.low = np.zeros(count, dtype=np.int64)
        self.high = np.zeros(count, dtype=np.int64)
        self.low[self.by_day], self.high[self.by_day] = low, high

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Claims that are joined together: first, and one past the last."""
        ahead = np.append(0, np.cumsum(self.sizes[self.by_day]))
        work = np.cumsum(ahead[self.high] - ahead[self.low] + self.sizes)
        begin = 0
        while begin < len(self.starts):
            done = int(work[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(work, done + _BLOCK, side="right")))
            yield begin, end
            begin = end

    def _history_rows(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """Pairs (claim, row of another claim that is its history), ordered by claim and row."""
        claims = np.arange(begin, end)
        counts = self.high[begin:end] - self.low[begin:end]
        taker = np.repeat(claims, counts)
        other = self.by_day[_runs(self.low[begin:end], counts)]
        differ = taker != other
        taker, other = taker[differ], other[differ]
        row = _runs(self.starts[other], self.sizes[other])
        taker = np.repeat(taker, self.sizes[other])
        near = self.own[row]
        near[near] = self._is_near(taker[near], row[near])
        taker, row = taker[near], row[near]
        placed = np.lexsort((row, taker))
        return taker[placed], row[placed]

    def _is_near(self, taker: Ints, row: Ints) -> npt.NDArray[np.bool_]:
        """Whether some own line of the claim is at most ``window`` days from the row."""
        near = np.zeros(len(row), dtype=bool)
        place = 0
        left = np.arange(len(row))
        while len(left):
            left = left[place < self.sizes[taker[left]]]
            line = self.starts[taker[left]] + place
            meets = self.own[line] & (self.first_day[row[left]] <= self.last_day[line] + self.window)
            meets &= self.last_day[row[left]] >= self.first_day[line] - self.window
            near[left[meets]] = True
            left = left[~meets]
            place += 1
        return near

    def join(self, begin: int, end: int) -> JoinedHistory:
        """Own rows of each claim, the history it came with, and the rows that were found."""
        taker, row = self._without_brought(*self._history_rows(begin, end))
        taker, row, over = self._within_limit(taker, row)
        first = int(self.starts[begin])
        rows = np.arange(first, first + int(self.sizes[begin:end].sum()))
        joined_as = np.concatenate([self.owner[rows], taker])
        source = np.concatenate([rows, row])
        is_joined = np.concatenate([np.zeros(len(rows), dtype=bool), np.ones(len(row), dtype=bool)])
        order = np.argsort(joined_as, kind="stable")
        of_line, of_claim = pa.array(source[order]), pa.array(self.starts[joined_as[order]])
        joined = pa.array(is_joined[order])
        columns = [self.table.column(field.name).take(of_claim) for field in CLAIM_FIELDS]
        for field in LINE_FIELDS:
            column = self.table.column(field.name).take(of_line)
            if field.name == "history_claim_id":
                column = pc.if_else(joined, self.table.column("claim_id").take(of_line), column)
            elif field.name == "paid":
                column = pc.if_else(joined, self.table.column("was_paid").take(of_line), column)
            elif field.name == "diagnosis_pointers":  # they point into the other claim's diagnoses
                column = pc.if_else(joined, pa.scalar([], field.type), column)
            columns.append(column)
        cut = int(np.count_nonzero(self.was_wide[begin:end] | over[begin:end]))
        return JoinedHistory(pa.Table.from_arrays(columns, schema=LINE_SCHEMA), len(row), cut)

    def _without_brought(self, taker: Ints, row: Ints) -> tuple[Ints, Ints]:
        """Leave out claims that a claim already brought as history of its own."""
        if self.own.all() or not len(row):
            return taker, row
        brought = np.flatnonzero(~self.own)
        names = hash_texts(self.table.column("claim_id"))
        said = hash_texts(self.table.column("history_claim_id"))
        mixed = np.uint64(0x9E3779B97F4A7C15)
        known = self.owner[brought].astype(np.uint64) * mixed + said[brought]
        again = np.isin(taker.astype(np.uint64) * mixed + names[row], known)
        return taker[~again], row[~again]

    def _within_limit(self, taker: Ints, row: Ints) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
        """At most ``MOST_LINES`` history lines a claim, the nearest in time; and which claims had more."""
        most = MOST_LINES - np.bincount(self.owner[~self.own], minlength=len(self.starts))
        counts = np.bincount(taker, minlength=len(self.starts))
        over = counts > most
        if not over.any():
            return taker, row, over
        distance = np.abs(self.first_day[row] - self.begins[taker])
        order = np.lexsort((row, distance, taker))
        rank = np.empty(len(row), dtype=np.int64)
        rank[order] = np.arange(len(row)) - (np.cumsum(counts) - counts)[taker[order]]
        kept = rank < most[taker]
        return taker[kept], row[kept], over


def _runs(starts: Ints, counts: Ints) -> Ints:
    """The numbers from each start on, as many as its count says, one run after another."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts) + np.repeat(starts, counts)
