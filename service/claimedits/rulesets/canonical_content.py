"""The canonical content of a revision, and the id that is its SHA-256 (api.md §1).

Every table becomes text: one line a row, cells parted by tabs, in the order of the table; dates as YYYY-MM-DD, an open
date as an empty cell, truth as ``true`` and ``false``. In text cells ``\\`` stands before a backslash, and ``\\t``,
``\\n``, ``\\r`` and ``\\q`` stand for tab, line feed, carriage return and quotation mark. The id is the SHA-256 of a JSON
document of the header and, for each table, its columns, its row count and the SHA-256 of its text. Nothing of it
depends on the machine, the columnar library, how a table is split into batches, or how its text columns are encoded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from claimedits.model.dates import format_day
from claimedits.model.problems import StoreError
from claimedits.rulesets.revision import RevisionHeader

_BATCH_ROWS = 65_536
_AS_TEXT = {"include_header": False, "delimiter": "\t", "quoting_style": "none", "batch_size": _BATCH_ROWS}
_SPECIAL = r'[\\\t\n\r"]'
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ('"', "\\q"))


@dataclass(slots=True, frozen=True)
class TableContent:
    """What the id of a revision says of one table."""

    columns: tuple[tuple[str, str], ...]
    """Name and type of each column; a dictionary-encoded text column is a ``string`` like any other."""
    rows: int
    sha256: str
    """Hexadecimal digest of the table's canonical text."""


def header_fields(header: RevisionHeader, sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A header as JSON writes it, with as much of its sources as the caller tells."""
    return {
        "rule_set": header.rule_set,
        "kind": header.kind,
        "label": header.label,
        "effective_from": format_day(header.effective_from),
        "effective_to": format_day(header.effective_to),
        "published_on": format_day(header.published_on),
        "sources": list(sources),
        "attributes": dict(header.attributes),
    }


def revision_id(header: RevisionHeader, tables: Mapping[str, TableContent]) -> str:
    """``sha256:`` and 64 hexadecimal digits.

    Where a source was found (archive, address) and how it was read (size, encoding) are not content: the same member
    gives the same id, zipped or not.
    """
    document = {
        "format": 1,
        "header": header_fields(
            header, [{"file": s.file, "sha256": s.sha256, "records": s.records} for s in header.sources]
        ),
        "tables": {
            name: {"columns": content.columns, "rows": content.rows, "sha256": content.sha256}
            for name, content in tables.items()
        },
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def digest_table(name: str, table: pa.Table) -> TableContent:
    """The content of one table, digested batch by batch.

    Raises:
        StoreError: a column has a type other than text, date, whole number or truth, or a null where none may be.
    """
    columns = tuple((field.name, _type_name(name, field)) for field in table.schema)
    for column, kind in columns:
        if kind != "date32" and _has_nulls(table[column]):
            raise StoreError(f"table {name!r}, column {column!r}: holds a null; only a date may be open")
    options = pa_csv.WriteOptions(**_AS_TEXT)
    digest = hashlib.sha256()
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        arrays = [_as_text(array) for array in batch.columns]
        sink = pa.BufferOutputStream()
        pa_csv.write_csv(pa.RecordBatch.from_arrays(arrays, names=batch.schema.names), sink, options)
        digest.update(sink.getvalue())
    return TableContent(columns, table.num_rows, digest.hexdigest())


def _type_name(table: str, field: pa.Field) -> str:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_string(kind):
        return "string"
    if pa.types.is_date32(kind):
        return "date32"
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return str(kind)
    raise StoreError(f"table {table!r}, column {field.name!r}: has the type {kind}, which a revision cannot hold")


def _has_nulls(column: pa.ChunkedArray) -> bool:
    if column.null_count:
        return True
    return any(pa.types.is_dictionary(chunk.type) and chunk.dictionary.null_count > 0 for chunk in column.chunks)


def _as_text(array: Any) -> Any:
    if pa.types.is_dictionary(array.type):
        return _escaped(array.dictionary).take(array.indices)
    return _escaped(array)


def _escaped(array: Any) -> Any:
    if not pa.types.is_string(array.type) or not pc.any(pc.match_substring_regex(array, _SPECIAL)).as_py():
        return array
    for special, written in _ESCAPES:
        array = pc.replace_substring(array, special, written)
    return array
