"""Rows of claim lines become claims: what belongs together is put together, and a claim is whole or refused (line tables).

The rules are those of ``model.claim_reading``, for whole tables at once; a test holds both to the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.column_fields import MAPPED_FIELDS
from claimedits.app.claim_sources.column_mapping import ColumnMapping
from claimedits.app.claim_sources.column_rows import RowBatch
from claimedits.app.claim_sources.records import Position, Rejection
from claimedits.model.claim_reading import DEFAULT_LIMITS, MOST_DIAGNOSES, MOST_MODIFIERS
from claimedits.model.line_table import LINE_SCHEMA
from claimedits.model.problems import Problem
from claimedits.model.terms import Setting

MOST_ROWS = DEFAULT_LIMITS.lines
_MOST_PROBLEMS = 20
"""Problems of one claim that are told; a claim of a thousand bad lines says the same a thousand times."""

Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class ClaimBatch:
    """Claims of some rows."""

    table: pa.Table
    """Of ``LINE_SCHEMA``: whole claims."""
    positions: Ints
    """Row of the file of each row of ``table``."""
    rejections: list[Rejection]


class ClaimAssembler:
    """Puts rows together to claims. Rows of a claim that goes on in the next batch wait for it, up to ``MOST_ROWS``."""

    def __init__(self, mapping: ColumnMapping, source: str, unit: str) -> None:
        self._mapping = mapping
        self._source = source
        self.unit = unit
        """What a position counts: ``line`` of a text file or ``row`` of a Parquet file."""
        self._waiting: RowBatch | None = None
        self._dropped = 0
        """Rows beyond ``MOST_ROWS`` of the claim that waits."""

    def position(self, row: int) -> Position:
        """A row of the file as a position."""
        return Position(line=row) if self.unit == "line" else Position(row=row)

    def add(self, batch: RowBatch, last: bool) -> ClaimBatch:
        """The claims that are complete now. ``last``: no rows follow."""
        batch = self._join(batch)
        table, problems = batch.table, batch.problems
        nameless = np.asarray(pc.is_null(table.column("claim_id")))
        rejections = [
            Rejection(self._source, self.position(table.column("position")[row].as_py()), tuple(problems[row]), 1)
            for row in np.flatnonzero(nameless).tolist()
        ]
        if nameless.any():
            kept = np.flatnonzero(~nameless)
            places = {row: place for place, row in enumerate(kept.tolist())}
            problems = {places[row]: said for row, said in problems.items() if row in places}
            table = table.take(pa.array(kept)).combine_chunks()
        starts = _starts(table)
        dropped = np.zeros(len(starts), dtype=np.int64)
        if len(starts):
            dropped[0], self._dropped = self._dropped, 0
        if not last and len(starts):
            table, starts, problems = self._hold_back(table, starts, problems, int(dropped[-1]))
            dropped = dropped[: len(starts)]
        if not len(starts):
            return ClaimBatch(LINE_SCHEMA.empty_table(), np.array([], dtype=np.int64), rejections)
        done = self._assemble(table, starts, problems, dropped)
        done.rejections[:0] = rejections
        return done

    def cut_off(self) -> list[Rejection]:
        """The input broke off: the claim that waits for more rows may miss some."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or not waiting.table.num_rows:
            return []
        row = waiting.table.column("position")[0].as_py()
        problem = Problem("", "the input ends before the claim does; rows may be missing", "send the whole file again")
        lines = waiting.table.num_rows + self._dropped
        return [Rejection(self._source, self.position(row), (problem,), lines)]

    def _join(self, batch: RowBatch) -> RowBatch:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return batch
        shift = waiting.table.num_rows
        table = pa.concat_tables([waiting.table, batch.table]).combine_chunks()
        return RowBatch(table, waiting.problems | {row + shift: said for row, said in batch.problems.items()})

    def _hold_back(
        self, table: pa.Table, starts: Ints, problems: dict[int, list[Problem]], dropped: int
    ) -> tuple[pa.Table, Ints, dict[int, list[Problem]]]:
        """The last claim may go on: it waits."""
        begin = int(starts[-1])
        rows = table.num_rows - begin
        self._dropped = dropped + max(rows - MOST_ROWS - 1, 0)
        kept = min(rows, MOST_ROWS + 1)
        self._waiting = RowBatch(
            table.slice(begin, kept),
            {row - begin: said for row, said in problems.items() if begin <= row < begin + kept},
        )
        return table.slice(0, begin), starts[:-1], {row: said for row, said in problems.items() if row < begin}

    def _assemble(self, table: pa.Table, starts: Ints, problems: dict[int, list[Problem]], dropped: Ints) -> ClaimBatch:
        owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, table.num_rows)))
        first = starts[owner]
        wrong = {row: list(said) for row, said in problems.items()}
        self._check_agreement(table, first, wrong)
        table = _take_first(table, self._mapping, first)
        table = _number_lines(table, starts, owner, wrong)
        table = _point(table, self._mapping, owner, starts)
        _check_claims(table, self._mapping, owner, starts, dropped, wrong)
        refused = np.zeros(len(starts), dtype=bool)
        by_claim: dict[int, list[int]] = {}
        for row in sorted(wrong):
            refused[owner[row]] = True
            by_claim.setdefault(int(owner[row]), []).append(row)
        positions = np.asarray(table.column("position"))
        sizes = np.bincount(owner, minlength=len(starts)) + dropped
        rejections = [
            self._reject(rows, wrong, positions, int(sizes[claim])) for claim, rows in sorted(by_claim.items())
        ]
        good = ~refused[owner]
        lines = table if good.all() else table.filter(pa.array(good))
        return ClaimBatch(_line_table(lines), positions[good], rejections)

    def _reject(self, rows: list[int], wrong: dict[int, list[Problem]], positions: Ints, lines: int) -> Rejection:
        said = [
            Problem(f"{self.unit} {positions[row]} {problem.where}", problem.what, problem.mend)
            for row in rows
            for problem in wrong[row]
        ]
        told = tuple(dict.fromkeys(said))
        if len(told) > _MOST_PROBLEMS:
            more = Problem("", f"and {len(told) - _MOST_PROBLEMS} more problems")
            told = (*told[:_MOST_PROBLEMS], more)
        return Rejection(self._source, self.position(int(positions[rows[0]])), told, lines)

    def _check_agreement(self, table: pa.Table, first: Ints, wrong: dict[int, list[Problem]]) -> None:
        """Fields of the claim stand on each of its rows, and say the same there."""
        for name, field in MAPPED_FIELDS.items():
            source = self._mapping.sources.get(name)
            if not field.of_claim or name == "claim_id" or source is None or source.take_first:
                continue
            if source.constant is not None or not source.columns:
                continue
            codes = _codes(table.column(name))
            for row in np.flatnonzero(codes != codes[first]).tolist():
                problem = Problem(name, "is not what the claim's first row says", "a claim has one; see differing")
                wrong.setdefault(row, []).append(problem)


def _starts(table: pa.Table) -> Ints:
    """First row of each claim."""
    if table.num_rows == 0:
        return np.array([], dtype=np.int64)
    ids = table.column("claim_id").combine_chunks()
    changes = np.asarray(pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)))
    return np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.int64)


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Equal numbers for equal values; null is -1."""
    array = column.combine_chunks()
    if pa.types.is_list(array.type):
        array = pc.binary_join(array, "\x1f")
    return np.asarray(pc.fill_null(array.dictionary_encode().indices, -1)).astype(np.int64)


def _take_first(table: pa.Table, mapping: ColumnMapping, first: Ints) -> pa.Table:
    """Fields that may differ between rows: the first row's value on all of them."""
    for name, source in mapping.sources.items():
        if source.take_first:
            values = table.column(name).take(pa.array(first)).combine_chunks()
            table = table.set_column(table.column_names.index(name), name, values)
    return table


def _number_lines(table: pa.Table, starts: Ints, owner: Ints, wrong: dict[int, list[Problem]]) -> pa.Table:
    """Line numbers as given, else counted within the claim."""
    given = table.column("line_number")
    counted = np.arange(table.num_rows) - starts[owner] + 1
    if given.null_count == table.num_rows:
        index = table.column_names.index("line_number")
        return table.set_column(index, "line_number", pa.array(counted.astype(np.int32)))
    numbers = np.asarray(pc.fill_null(given, 0)).astype(np.int64)
    for row in np.flatnonzero(numbers == 0).tolist():
        if not any(problem.where == "line_number" for problem in wrong.get(row, ())):
            problem = Problem("line_number", "is missing", "number all lines of a claim, or leave the column out")
            wrong.setdefault(row, []).append(problem)
    keys = owner * 100_000 + numbers
    order = np.argsort(keys, kind="stable")
    again = order[1:][(keys[order][1:] == keys[order][:-1]) & (numbers[order][1:] > 0)]
    for row in again.tolist():
        problem = Problem("line_number", "is also the number of an earlier line of the claim", "number each line once")
        wrong.setdefault(row, []).append(problem)
    return table


def _point(table: pa.Table, mapping: ColumnMapping, owner: Ints, starts: Ints) -> pa.Table:
    """Diagnoses of the claim, each once, those of its lines after them; and pointers from each line to its own.

    Where a table has pointers of its own, diagnoses stay in their places.
    """
    if "diagnosis_pointers" in mapping.sources or not (
        "line_diagnoses" in mapping.sources or "diagnoses" in mapping.sources
    ):
        return table
    header = table.column("diagnoses").combine_chunks().take(pa.array(starts))
    lines = table.column("line_diagnoses").combine_chunks()
    of_header = np.asarray(pc.fill_null(pc.list_value_length(header), 0)).astype(np.int64)
    of_lines = np.asarray(pc.fill_null(pc.list_value_length(lines), 0)).astype(np.int64)
    encoded = pa.concat_arrays([header.flatten(), lines.flatten()]).dictionary_encode()
    codes = np.asarray(encoded.indices).astype(np.int64)
    claims = np.concatenate([np.repeat(np.arange(len(starts)), of_header), np.repeat(owner, of_lines)])
    keys = claims * max(len(encoded.dictionary), 1) + codes
    distinct, earliest = np.unique(keys, return_index=True)
    order = np.lexsort((earliest, claims[earliest]))
    counts = np.bincount(claims[earliest], minlength=len(starts))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    places = np.empty(len(distinct), dtype=np.int64)
    places[order] = np.arange(len(distinct)) - offsets[claims[earliest][order]] + 1
    values = encoded.dictionary.take(pa.array(codes[earliest][order]))
    diagnoses = pa.ListArray.from_arrays(pa.array(offsets), values).take(pa.array(owner))
    pointed = places[np.searchsorted(distinct, keys[int(of_header.sum()) :])].astype(np.int32)
    ends = np.concatenate([[0], np.cumsum(of_lines)]).astype(np.int32)
    pointers = pa.ListArray.from_arrays(pa.array(ends), pa.array(pointed))
    names = table.column_names
    table = table.set_column(names.index("diagnoses"), "diagnoses", diagnoses)
    return table.set_column(names.index("diagnosis_pointers"), "diagnosis_pointers", pointers)


def _check_claims(
    table: pa.Table, mapping: ColumnMapping, owner: Ints, starts: Ints, dropped: Ints, wrong: dict[int, list[Problem]]
) -> None:
    """What only whole lines and whole claims show (``model.claim_reading``)."""

    def refuse(rows: npt.NDArray[np.bool_], field: str, what: str, mend: str) -> None:
        for row in np.flatnonzero(rows).tolist():
            wrong.setdefault(row, []).append(Problem(field, what, mend))

    sizes = np.bincount(owner, minlength=len(starts)) + dropped
    first = np.zeros(table.num_rows, dtype=bool)
    first[starts[sizes > MOST_ROWS]] = True
    refuse(first, "claim_id", f"has more than {MOST_ROWS} lines", "split the claim")
    begin, end = table.column("service_date"), table.column("service_date_end")
    early = np.asarray(pc.fill_null(pc.less(end, begin), False))
    refuse(early, "service_date_end", "lies before service_date", "the last day is on or after the first")
    modifiers = np.asarray(pc.fill_null(pc.list_value_length(table.column("modifiers")), 0))
    refuse(modifiers > MOST_MODIFIERS, "modifiers", f"has more than {MOST_MODIFIERS} entries", "leave out the rest")
    diagnoses = np.asarray(pc.fill_null(pc.list_value_length(table.column("diagnoses")), 0))
    hospital = np.asarray(pc.fill_null(pc.equal(table.column("setting"), "OUTPATIENT_HOSPITAL"), False))
    most = np.where(hospital, MOST_DIAGNOSES[Setting.OUTPATIENT_HOSPITAL], 12)
    is_first = np.zeros(table.num_rows, dtype=bool)
    is_first[starts] = True
    over = is_first & (diagnoses > most)
    refuse(over, "diagnoses", "has more entries than a claim of its setting may have", "leave out the rest")
    if "diagnosis_pointers" in mapping.sources:
        pointers = table.column("diagnosis_pointers").combine_chunks()
        lengths = np.asarray(pc.fill_null(pc.list_value_length(pointers), 0)).astype(np.int64)
        owners = np.repeat(np.arange(table.num_rows), lengths)
        beyond = np.asarray(pointers.flatten()).astype(np.int64) > diagnoses[owners]
        rows = np.zeros(table.num_rows, dtype=bool)
        rows[owners[beyond]] = True
        refuse(rows, "diagnosis_pointers", "points at no diagnosis", "pointers count the diagnoses of the claim from 1")


def _line_table(table: pa.Table) -> pa.Table:
    """Only the columns of a line table; days of one-day lines said once."""
    end = table.column("service_date_end")
    same = pc.equal(end, table.column("service_date"))
    columns = []
    for field in LINE_SCHEMA:
        if field.name == "service_date_end":
            columns.append(pc.if_else(pc.fill_null(same, False), pa.scalar(None, field.type), end))
        elif field.name in table.column_names:
            columns.append(table.column(field.name).cast(field.type))
        else:
            columns.append(pa.nulls(table.num_rows, field.type))
    return pa.Table.from_arrays(columns, schema=LINE_SCHEMA)
