"""Reads Parquet and Arrow IPC files in batches of raw columns, after their types were held against the mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.claim_sources.column_fields import Kind
from claimedits.app.claim_sources.column_mapping import ColumnMapping, Source
from claimedits.app.claim_sources.csv_batches import RawBatch
from claimedits.model.problems import Problem

ROWS_A_BATCH = 65_536


def read_schema(path: Path) -> pa.Schema:
    """The columns of a Parquet file.

    Raises:
        pa.ArrowInvalid, OSError: it is no Parquet file, or a damaged one.
    """
    return pq.read_schema(path)


def read_parquet_batches(path: Path, wanted: Sequence[str]) -> Iterator[RawBatch]:
    """Batches of the wanted columns, one row group after another; rows are counted from 1."""
    with pq.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
        row = 1
        for batch in file.iter_batches(ROWS_A_BATCH, columns=list(dict.fromkeys(wanted)), use_threads=False):
            columns = {name: _plain(batch.column(name)) for name in batch.schema.names}
            yield RawBatch(columns, np.arange(row, row + batch.num_rows, dtype=np.int64))
            row += batch.num_rows


def _plain(column: pa.Array) -> pa.Array:
    """A column without dictionary, its texts as bytes: a file's texts need not be UTF-8."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.binary())
    return column


def check_types(mapping: ColumnMapping, schema: pa.Schema) -> list[Problem]:
    """Columns whose type cannot hold what the mapping takes them for, each told once."""
    problems = []
    for name, source in mapping.sources.items():
        for template in source.columns:
            for column in mapping.instances(template):
                index = schema.get_field_index(column)
                if index < 0:
                    continue
                mend = _mend_type(source, schema.field(index).type)
                if mend:
                    what = (
                        f"takes column {column}, which is {schema.field(index).type}, for {_WANTED[source.field.kind]}"
                    )
                    problems.append(Problem(f"{mapping.origin}: columns.{name}", what, mend))
    return problems


_WANTED = {
    Kind.TEXT: "a text",
    Kind.TEXTS: "a text or a list of texts",
    Kind.WORD: "a text",
    Kind.DATE: "a date",
    Kind.UNITS: "a number",
    Kind.CENTS: "an amount",
    Kind.WHOLE: "a whole number",
    Kind.WHOLES: "whole numbers",
    Kind.TRUTH: "true or false",
}


def _mend_type(source: Source, kind: pa.DataType) -> str:
    """How to mend a type that does not fit; empty where it fits."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_null(kind):
        return ""
    if types.is_list(kind) or types.is_large_list(kind):
        if source.field.kind in (Kind.TEXTS, Kind.WHOLES) and source.how == "columns":
            return _mend_type(Source(source.field, how="item", pad=source.pad), kind.value_type)
        return "name a column with one value a row"
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_string_view(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    match source.field.kind:
        case Kind.TEXT | Kind.TEXTS:
            if text or (types.is_integer(kind) and (not source.field.is_code or source.pad)):
                return ""
            if types.is_integer(kind):
                return "write codes as texts, since leading zeros count, or say how wide they are with pad"
            return "write it as a text"
        case Kind.WORD:
            return "" if text or (types.is_integer(kind) and source.values) else "write it as a text"
        case Kind.DATE:
            is_day = types.is_date(kind) or types.is_timestamp(kind)
            is_digits = types.is_integer(kind) and set(source.date_format) <= set("YMD") and len(source.date_format) > 6
            return "" if text or is_day or is_digits else "write days as dates, or as texts with date_format"
        case Kind.TRUTH:
            return "" if text or types.is_boolean(kind) or number else "write true or false"
        case _:
            return "" if text or number else "write it as a number"
