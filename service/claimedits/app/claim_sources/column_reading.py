"""Reads claims from CSV and Parquet by a column mapping, as line tables: whole columns at once, rejects told one by one."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from claimedits.app.claim_sources.claim_grouping import group_rows
from claimedits.app.claim_sources.column_claims import ClaimAssembler
from claimedits.app.claim_sources.column_mapping import ColumnMapping, MappingError, load_mapping, shipped_mappings
from claimedits.app.claim_sources.column_rows import ROW_SCHEMA, RowBatch, RowReader
from claimedits.app.claim_sources.containers import READ_ERRORS, ClaimFile, SourceError, explain
from claimedits.app.claim_sources.csv_batches import CsvReader, HeaderError, RawBatch, read_header
from claimedits.app.claim_sources.parquet_batches import check_types, read_parquet_batches, read_schema
from claimedits.app.claim_sources.records import WHOLE_FILE, Notice, Rejection, reject
from claimedits.model.line_table import LINE_SCHEMA
from claimedits.model.problems import Problem

_LONGEST_HEADER = 1 << 20
_CUT_OFF = "send the whole file again"


@dataclass(slots=True)
class TableBatch:
    """Some claims of a table, with what was not read beside them."""

    table: pa.Table
    """Of ``LINE_SCHEMA``; whole claims."""
    positions: npt.NDArray[np.int64]
    """Line or row of the file of each row of ``table``."""
    rejections: list[Rejection] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    left_out: int = 0
    """Rows that the mapping leaves out: no service lines."""
    unit: str = "line"
    """What ``positions`` count: ``line`` or ``row``."""


def read_csv_claims(file: ClaimFile, mapping_name: str = "") -> Iterator[TableBatch]:
    """The claims of a delimited text file. Without a mapping, the shipped one that fits the header is taken.

    Raises:
        MappingError: no mapping fits, or a column is missing; before any row is read.
        SourceError: the header cannot be read.
    """
    try:
        line = file.stream.readline(_LONGEST_HEADER)
    except READ_ERRORS as error:
        raise SourceError(f"{file.name}: cannot be read: {explain(error)}") from None
    mapping, names = _fit_header(file.name, line, mapping_name)
    wanted = [column for column, _, _ in mapping.columns() if column in names]
    reader = CsvReader(names, mapping.delimiter, wanted)
    return _read(file.name, mapping, frozenset(names), reader.batches(file.stream), "line")


def read_parquet_claims(file: ClaimFile, mapping_name: str = "") -> Iterator[TableBatch]:
    """The claims of a Parquet file. Without a mapping, the shipped one whose columns it has is taken.

    Raises:
        MappingError: no mapping fits, a column is missing or of another type; before any row is read.
        SourceError: it is no Parquet file, or a damaged one.
    """
    if file.path is None:
        return _read_unpacked_parquet(file, mapping_name)
    try:
        schema = read_schema(file.path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file.name}: is no Parquet file, or a damaged one: {_first_line(error)}") from None
    mapping = _choose(file.name, schema.names, mapping_name)
    problems = [*check_columns(mapping, schema.names, file.name), *check_types(mapping, schema)]
    if problems:
        raise MappingError(problems, f"{mapping.origin} does not fit {file.name}")
    wanted = [column for column, _, _ in mapping.columns() if column in schema.names]
    batches = read_parquet_batches(file.path, wanted)
    return _read(file.name, mapping, frozenset(schema.names), batches, "row")


def _read_unpacked_parquet(file: ClaimFile, mapping_name: str) -> Iterator[TableBatch]:
    """Parquet out of an archive: its reader has to seek, so it is unpacked to a file first."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as unpacked:
        try:
            while chunk := file.stream.read(1 << 20):
                unpacked.write(chunk)
        except READ_ERRORS as error:
            raise SourceError(f"{file.name}: cannot be read: {explain(error)}") from None
        unpacked.flush()
        yield from read_parquet_claims(ClaimFile(file.name, file.stream, path=Path(unpacked.name)), mapping_name)


def _fit_header(name: str, line: bytes, mapping_name: str) -> tuple[ColumnMapping, list[str]]:
    try:
        if mapping_name:
            mapping = load_mapping(mapping_name)
            names = read_header(line, mapping.delimiter)
        else:
            delimiter = max([",", "|", "\t", ";"], key=lambda sign: line.count(sign.encode()))
            names = read_header(line, delimiter)
            mapping = _choose(name, names, "")
            names = read_header(line, mapping.delimiter)
    except HeaderError as error:
        raise SourceError(f"{name}: {error}; the first line names the columns") from None
    problems = check_columns(mapping, names, name)
    if problems:
        raise MappingError(problems, f"{mapping.origin} does not fit {name}")
    return mapping, names


def _choose(name: str, names: Sequence[str], mapping_name: str) -> ColumnMapping:
    """The mapping that was named, or the only shipped one whose columns are all there."""
    if mapping_name:
        return load_mapping(mapping_name)
    present = set(names)
    fitting = []
    for shipped in shipped_mappings():
        mapping = load_mapping(shipped)
        if all(column in present or optional for column, _, optional in mapping.columns()):
            fitting.append((sum(column in present for column, _, _ in mapping.columns()), mapping))
    if not fitting:
        known = ", ".join(shipped_mappings())
        problem = Problem(
            name, "has columns that no shipped mapping fits", f"name one with --mapping: {known}, or a file"
        )
        raise MappingError([problem])
    return max(fitting, key=lambda entry: entry[0])[1]


def check_columns(mapping: ColumnMapping, names: Sequence[str], file: str) -> list[Problem]:
    """Columns that the mapping takes and the file lacks, with the likeliest that was meant."""
    problems = []
    for column, where, optional in dict.fromkeys(mapping.columns()):
        if column not in names and not optional:
            close = difflib.get_close_matches(column, names, 1)
            mend = f"did you mean {close[0]}?" if close else f"compare it with the header of {file}"
            problems.append(Problem(f"{mapping.origin}: {where}", f"names column {column}, which is missing", mend))
    return problems


def _read(
    name: str, mapping: ColumnMapping, present: frozenset[str], batches: Iterator[RawBatch], unit: str
) -> Iterator[TableBatch]:
    reader = RowReader(mapping, present)
    assembler = ClaimAssembler(mapping, name, unit)
    seen = False
    if not mapping.adjacent:
        yield from _read_anywhere(name, mapping, reader, batches, unit)
        return
    try:
        for raw in batches:
            seen = seen or bool(len(raw.positions)) or bool(raw.refused)
            yield _assemble(name, assembler, reader, raw)
    except (*READ_ERRORS, pa.ArrowException) as error:
        seen = True
        yield _empty([_cut_off(name, error), *assembler.cut_off()])
    rows = RowBatch(ROW_SCHEMA.empty_table(), {})
    done = assembler.add(rows, last=True)
    notices = [] if seen else [Notice(name, assembler.position(1), Problem("", "has no row below its header"))]
    yield TableBatch(done.table, done.positions, done.rejections, notices, unit=unit)


def _cut_off(name: str, error: BaseException) -> Rejection:
    return reject(name, WHOLE_FILE, "", f"the file cannot be read further: {_first_line(error)}", _CUT_OFF)


def _first_line(error: BaseException) -> str:
    return explain(error).split("\n", 1)[0][:200]


def _empty(rejections: list[Rejection]) -> TableBatch:
    return TableBatch(LINE_SCHEMA.empty_table(), np.array([], dtype=np.int64), rejections)


def _refused(name: str, assembler: ClaimAssembler, raw: RawBatch) -> list[Rejection]:
    return [Rejection(name, assembler.position(number), (problem,), 1) for number, problem in raw.refused]


def _assemble(name: str, assembler: ClaimAssembler, reader: RowReader, raw: RawBatch) -> TableBatch:
    rejections = _refused(name, assembler, raw)
    if not raw.columns or not len(raw.positions):
        return _empty(rejections)
    rows = reader.read(raw.columns, raw.positions)
    done = assembler.add(rows, last=False)
    found = [*rejections, *done.rejections]
    return TableBatch(done.table, done.positions, found, [], rows.left_out, assembler.unit)


def _read_anywhere(
    name: str, mapping: ColumnMapping, reader: RowReader, batches: Iterator[RawBatch], unit: str
) -> Iterator[TableBatch]:
    """Rows of a claim may stand anywhere: they are sorted together on disk first, then read as if they were adjacent."""
    pending = _empty([])

    def rows() -> Iterator[RowBatch]:
        try:
            for raw in batches:
                pending.rejections.extend(_refused(name, assembler, raw))
                if raw.columns and len(raw.positions):
                    read = reader.read(raw.columns, raw.positions)
                    pending.left_out += read.left_out
                    yield read
        except (*READ_ERRORS, pa.ArrowException) as error:
            pending.rejections.append(_cut_off(name, error))

    assembler = ClaimAssembler(mapping, name, unit)
    for group in group_rows(rows()):
        done = assembler.add(group, last=True)
        yield TableBatch(done.table, done.positions, done.rejections, unit=unit)
    yield pending
