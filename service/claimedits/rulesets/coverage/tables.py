"""Tables of a revision of kind ``coverage``: every version of every document side by side, as published.

Nothing here is interpreted: paragraphs are text, and their reading is derived when an index is built. Rows that state a role
(curated roles, laboratory lists) say so in ``role``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

_WORD = pa.dictionary(pa.int32(), pa.string())
_KEY = {"document_id": _WORD, "document_version": _WORD}
_PLACE = {"source": pa.uint16(), "source_row": pa.uint32()}

SCHEMAS: Mapping[str, pa.Schema] = {
    "documents": pa.schema(
        {
            **_KEY,
            "document_type": pa.string(),  # ARTICLE, LCD, NCD, LIST
            "title": pa.string(),
            "effective_from": pa.date32(),  # null = not in the export
            "effective_to": pa.date32(),  # last day, inclusive; null = open
            "first_effective_from": pa.date32(),  # of the first version; null = not in the export
            "is_replaced": pa.bool_(),  # it ends because a later version takes over
            "is_national": pa.bool_(),
            "claim_kind": pa.string(),  # dme: DME contractors only; part-a-b; empty = not known
            "url": pa.string(),
            **_PLACE,
        }
    ),
    "procedure_codes": pa.schema({**_KEY, "group_number": pa.int32(), "procedure_code": _WORD, **_PLACE}),
    "groups": pa.schema(
        {
            **_KEY,
            "list": pa.string(),  # procedure, covered, non_covered
            "group_number": pa.int32(),
            "role": pa.string(),  # as stated; empty = as the paragraph says
            "procedure_codes": pa.string(),  # as stated, separated by blanks; empty = as the paragraph says
            "waived_by_modifiers": pa.string(),
            "paragraph": pa.string(),
            "paragraph_sha256": pa.string(),
            "asterisk_text": pa.string(),
            **_PLACE,
        }
    ),
    "diagnoses": pa.schema(
        {
            **_KEY,
            "list": _WORD,
            "group_number": pa.int32(),
            "icd10_code": _WORD,  # without the dot
            "asterisk": pa.bool_(),
            **_PLACE,
        }
    ),
    "jurisdictions": pa.schema(
        {
            **_KEY,
            "contractor_number": pa.string(),
            "contractor_id": pa.string(),
            "state": pa.string(),
            "effective_from": pa.date32(),  # null = always
            "effective_to": pa.date32(),
            **_PLACE,
        }
    ),
    "limits": pa.schema(
        {
            **_KEY,
            "kind": pa.string(),  # modifier, bill_type, revenue_code
            "group_number": pa.int32(),
            "code": pa.string(),
            "paragraph": pa.string(),
            **_PLACE,
        }
    ),
    "roles": pa.schema(
        {
            **_KEY,
            "list": pa.string(),
            "group_number": pa.int32(),
            "role": pa.string(),
            "procedure_codes": pa.string(),
            "waived_by_modifiers": pa.string(),
            "diagnoses": pa.string(),  # without the dot, separated by blanks; empty = the whole group
            "asterisks": pa.bool_(),  # about the diagnoses with an asterisk
            "paragraph_sha256": pa.string(),
            "why": pa.string(),
            "reviewer": pa.string(),
            "reviewed_on": pa.date32(),
            "citation": pa.string(),
            **_PLACE,
        }
    ),
}
"""Columns of every table. A revision holds those it has rows for, and always ``documents``."""

VALUE_SETS = pa.schema(
    {
        "category": pa.string(),
        "determination": pa.string(),
        "value_set": pa.string(),
        "system": pa.string(),
        "code": pa.string(),
        "path": pa.string(),
        **_PLACE,
    }
)
"""Kind ``value-sets``: sets of codes that others read out of determinations; for look-up, never for a decision."""

Rows = Sequence[Sequence[Any]]


def build_table(schema: pa.Schema, rows: Rows) -> pa.Table:
    """Rows, in any order, as a table in canonical order: by its columns from left to right."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [() for _ in schema]
    return sort_table(
        pa.table([_as_array(cells, field.type) for cells, field in zip(columns, schema, strict=True)], schema=schema)
    )


def _as_array(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(cells, pa.string()).dictionary_encode().cast(kind)
    return pa.array(cells, kind)


def sort_table(table: pa.Table) -> pa.Table:
    """A table in canonical order; nulls before values."""
    keys = [_rank(table.column(i).combine_chunks()) for i in range(table.num_columns)]
    return table.take(pa.array(np.lexsort(keys[::-1]))) if table.num_rows > 1 else table


def _rank(column: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, Any]:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_string(array.type):
        array = array.dictionary_encode()
    if pa.types.is_dictionary(array.type):
        words = array.dictionary.to_pylist()
        order = {word: rank for rank, word in enumerate(sorted(set(words)))}
        ranks = np.array([order[word] for word in words] or [0], dtype=np.int64)
        return ranks[array.indices.to_numpy(zero_copy_only=False)] if len(array) else np.empty(0, dtype=np.int64)
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32()).cast(pa.int64()).fill_null(-(2**40))
    elif pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    return np.asarray(array.to_numpy(zero_copy_only=False))
