"""Batches of a table's raw columns become rows of claim lines: mapped, normalised, and marked where they cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.column_fields import MAPPED_FIELDS
from claimedits.app.claim_sources.column_mapping import ColumnMapping, Source
from claimedits.app.claim_sources.column_values import TYPES, BadCells, CellReader
from claimedits.model.problems import Problem

ROW_SCHEMA: pa.Schema = pa.schema(
    [*(pa.field(field.name, TYPES[field.kind]) for field in MAPPED_FIELDS.values()), pa.field("position", pa.int64())]
)
"""One row a claim line: every field a mapping can fill, and the row of the file it came from."""


@dataclass(slots=True)
class RowBatch:
    """Rows of a table, read."""

    table: pa.Table
    """Of ``ROW_SCHEMA``."""
    problems: dict[int, list[Problem]]
    """By row of ``table``: what cannot be read."""
    left_out: int = 0
    """Rows of the file that are no service lines, as the mapping says."""


class RowReader:
    """Applies a mapping to batches of raw columns; ``present`` are the columns that the file has."""

    def __init__(self, mapping: ColumnMapping, present: frozenset[str]) -> None:
        self._mapping = mapping
        self._present = present
        self._readers = {
            name: CellReader(mapping.sources.get(name, Source(field)), mapping.nulls)
            for name, field in MAPPED_FIELDS.items()
        }

    def read(self, raw: Mapping[str, pa.Array], positions: npt.NDArray[np.int64]) -> RowBatch:
        """The rows of one batch. ``positions`` are the rows of the file, counted as it counts them."""
        rows = len(positions)
        keep = self._kept(raw, rows)
        if not keep.all():
            mask = pa.array(keep)
            raw = {name: column.filter(mask) for name, column in raw.items()}
            positions = positions[keep]
        left_out = rows - len(positions)
        bad = BadCells()
        shared: dict[str, pa.Array] = {}
        if self._mapping.repeat == 1:
            columns = [self._read(name, raw, 1, len(positions), bad, shared) for name in MAPPED_FIELDS]
            table = pa.Table.from_arrays([*columns, pa.array(positions)], schema=ROW_SCHEMA)
        else:
            table = self._read_repeated(raw, positions, bad, shared)
        self._require(table, bad)
        return RowBatch(table, bad.problems, left_out)

    def _kept(self, raw: Mapping[str, pa.Array], rows: int) -> npt.NDArray[np.bool_]:
        """Rows that are service lines: not left out by the mapping, and not blank all over."""
        keep = np.ones(rows, dtype=bool)
        blank = np.ones(rows, dtype=bool)
        for column in raw.values():
            blank &= _empty(column)
            if not blank.any():
                break
        keep &= ~blank
        for rule in self._mapping.leave_out:
            if rule.column not in raw:
                continue
            column = raw[rule.column]
            out = ~self._blank(column)
            if rule.equals:
                wanted = pa.array([_typed(text, column.type) for text in rule.equals])
                trimmed = _trimmed(column)
                out &= np.asarray(pc.fill_null(pc.is_in(trimmed, value_set=wanted.cast(trimmed.type)), False))
            for other in rule.blank:
                out &= self._blank(raw[other])
            keep &= ~out
        return keep

    def _blank(self, column: pa.Array) -> npt.NDArray[np.bool_]:
        nothing = np.asarray(pc.is_null(column))
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            trimmed = _trimmed(column)
            nulls = pa.array([text.encode() for text in self._mapping.nulls], pa.binary()).cast(trimmed.type)
            nothing |= np.asarray(pc.fill_null(pc.is_in(trimmed, value_set=nulls), True))
        return nothing

    def _read(
        self, name: str, raw: Mapping[str, pa.Array], n: int, rows: int, bad: BadCells, shared: dict[str, pa.Array]
    ) -> pa.Array:
        """One field of the n-th line of each row; fields that do not repeat are read once."""
        if name in shared:
            return shared[name]
        reader = self._readers[name]
        templates = reader.source.columns
        wanted = [template.replace("{n}", str(n)) for template in templates]
        columns = [raw[column] for column in wanted if column in raw]
        values = reader.read(columns, rows, bad)
        if not any("{n}" in template for template in templates):
            shared[name] = values
        return values

    def _read_repeated(
        self, raw: Mapping[str, pa.Array], positions: npt.NDArray[np.int64], bad: BadCells, shared: dict[str, pa.Array]
    ) -> pa.Table:
        """Lines that stand side by side, one after another; a row without any stays, and is refused for that."""
        mapping, rows = self._mapping, len(positions)
        of_rows = BadCells()
        for name in MAPPED_FIELDS:
            if not any("{n}" in template for template in self._readers[name].source.columns):
                self._read(name, raw, 1, rows, of_rows, shared)
        there = np.stack(
            [~self._blank(raw[mapping.present.replace("{n}", str(n))]) for n in range(1, mapping.repeat + 1)]
        )
        there[-1] |= ~there.any(axis=0)
        tables, owners = [], []
        problems: dict[tuple[int, int], list[Problem]] = {}
        for n in range(1, mapping.repeat + 1):
            of_line = BadCells()
            columns = [self._read(name, raw, n, rows, of_line, shared) for name in MAPPED_FIELDS]
            table = pa.Table.from_arrays([*columns, pa.array(positions)], schema=ROW_SCHEMA)
            tables.append(table.filter(pa.array(there[n - 1])))
            owners.append(np.flatnonzero(there[n - 1]))
            for row in of_line.problems.keys() | of_rows.problems.keys():
                if there[n - 1, row]:
                    problems[n, row] = [*of_rows.problems.get(row, ()), *of_line.problems.get(row, ())]
        numbers = np.repeat(np.arange(1, mapping.repeat + 1), [len(owner) for owner in owners])
        owner = np.concatenate(owners)
        order = np.argsort(owner, kind="stable")
        places = {(int(numbers[i]), int(owner[i])): place for place, i in enumerate(order.tolist())} if problems else {}
        bad.problems = {places[key]: said for key, said in problems.items()}
        return pa.concat_tables(tables).take(pa.array(order)).combine_chunks()

    def _require(self, table: pa.Table, bad: BadCells) -> None:
        """Fields that a line cannot be without."""
        for name, field in MAPPED_FIELDS.items():
            if field.required:
                column = table.column(name)
                if column.null_count:
                    missing = np.flatnonzero(np.asarray(pc.is_null(column)))
                    missing = np.array([row for row in missing.tolist() if not _said(bad, row, name)], dtype=np.int64)
                    bad.add(missing, name, "is missing", "every claim line needs it")
        code, revenue = table.column("procedure_code"), table.column("revenue_code")
        hospital = pc.fill_null(pc.equal(table.column("setting"), "OUTPATIENT_HOSPITAL"), False)
        excused = np.asarray(pc.and_(hospital, pc.is_valid(revenue)))
        missing = np.flatnonzero(np.asarray(pc.is_null(code)) & ~excused)
        missing = np.array([row for row in missing.tolist() if not _said(bad, row, "procedure_code")], dtype=np.int64)
        mend = "send a HCPCS or CPT code; facility lines may send a revenue code alone"
        bad.add(missing, "procedure_code", "is missing", mend)


def _empty(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Cells without any content."""
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        return np.asarray(pc.fill_null(pc.equal(pc.binary_length(column), 0), True))
    return np.asarray(pc.is_null(column))


def _said(bad: BadCells, row: int, field: str) -> bool:
    return any(problem.where == field for problem in bad.problems.get(row, ()))


def _typed(text: str, kind: pa.DataType) -> object:
    return text.encode() if pa.types.is_binary(kind) else text


def _trimmed(column: pa.Array) -> pa.Array:
    if pa.types.is_binary(column.type):
        return column if column.null_count == len(column) else _strip_binary(column)
    return pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column.cast(pa.string())


def _strip_binary(column: pa.Array) -> pa.Array:
    """Bytes without outer blanks, each distinct one once."""
    encoded = column.dictionary_encode()
    stripped = [None if raw is None else raw.strip() for raw in encoded.dictionary.to_pylist()]
    return pa.array(stripped, pa.binary()).take(encoded.indices)
