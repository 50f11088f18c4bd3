"""Which Arrow types a column of a line table may have, and how they become the one that the reading works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from claimedits.model.line_table import LINE_SCHEMA, REQUIRED_COLUMNS, TableInvalidError
from claimedits.model.problems import Problem

Columns = Mapping[str, pa.Array]
"""The columns of one part of a table, without those that hold nothing but nulls by their type."""


def check_columns(schema: pa.Schema) -> None:
    """Hold the columns of a table to ``LINE_SCHEMA``.

    Texts may be of any Arrow text type, dictionary-encoded or not; lists of any list type; whole numbers of any width; units
    a decimal of up to 38 digits, a whole number or a float; dates ``date32`` or ``date64``. A column of type null is taken as
    left out.

    Raises:
        TableInvalidError: with every column that is missing, unknown, doubled, or of a type that is none of these.
    """
    problems = []
    names = schema.names
    for name in REQUIRED_COLUMNS:
        if name not in names:
            problems.append(Problem(f"column {name}", "is missing", f"add it as {LINE_SCHEMA.field(name).type}"))
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            problems.append(Problem(f"column {name}", f"stands {names.count(name)} times", "keep one of them"))
            continue
        found = schema.field(name).type
        if name not in LINE_SCHEMA.names:
            problems.append(
                Problem(f"column {name}", "is no column of a line table", "check its spelling, or leave it out")
            )
        elif not _is_accepted(name, found):
            wanted = LINE_SCHEMA.field(name).type
            problems.append(Problem(f"column {name}", f"is {found}", f"wanted is {wanted}{_alternatives(name)}"))
    if problems:
        raise TableInvalidError(problems)


def _alternatives(name: str) -> str:
    return ", or whole numbers or floats" if name == "units" else ""


def _is_accepted(name: str, found: pa.DataType) -> bool:
    return types.is_null(found) or _ACCEPTED[LINE_SCHEMA.field(name).type if name != "units" else "units"](found)


def _is_text(found: pa.DataType) -> bool:
    if types.is_dictionary(found):
        return _is_text(found.value_type) and not types.is_dictionary(found.value_type)
    return bool(types.is_string(found) or types.is_large_string(found) or types.is_string_view(found))


def _is_list_of(holds: Callable[[pa.DataType], bool]) -> Callable[[pa.DataType], bool]:
    def is_list(found: pa.DataType) -> bool:
        listed = types.is_list(found) or types.is_large_list(found) or types.is_fixed_size_list(found)
        return bool(listed and (types.is_null(found.value_type) or holds(found.value_type)))

    return is_list


def _is_units(found: pa.DataType) -> bool:
    decimal = types.is_decimal128(found) or (hasattr(types, "is_decimal64") and types.is_decimal64(found))
    decimal = decimal or (hasattr(types, "is_decimal32") and types.is_decimal32(found))
    decimal = decimal and 0 <= found.scale <= found.precision  # a file may say otherwise, and then cannot be read
    return bool(decimal or types.is_integer(found) or types.is_float32(found) or types.is_float64(found))


def _is_date(found: pa.DataType) -> bool:
    return bool(types.is_date32(found) or types.is_date64(found))


_ACCEPTED: dict[pa.DataType | str, Callable[[pa.DataType], bool]] = {
    pa.string(): _is_text,
    pa.list_(pa.string()): _is_list_of(_is_text),
    pa.date32(): _is_date,
    pa.int32(): types.is_integer,
    pa.int64(): types.is_integer,
    pa.list_(pa.int32()): _is_list_of(types.is_integer),
    pa.bool_(): types.is_boolean,
    "units": _is_units,
}


def columns_of(table: pa.Table) -> dict[str, pa.Array]:
    """The columns of a table that passed ``check_columns``, each in one piece, in the types that the reading knows:

    text or dictionary of text with ``int32`` numbers, ``large_list`` of these or of ``int64``, ``date32``, ``int64``,
    ``decimal128``, ``float64``, ``bool``.
    """
    columns = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        if types.is_null(column.type):
            continue
        wanted = LINE_SCHEMA.field(name).type
        if wanted == pa.string():
            columns[name] = _text(column)
        elif wanted == pa.list_(pa.string()):
            columns[name] = _list(column, None)
        elif wanted == pa.list_(pa.int32()):
            columns[name] = _list(column, pa.int64())
        elif wanted == pa.date32():
            columns[name] = _joined(column.cast(pa.date32()))
        elif wanted == pa.bool_():
            columns[name] = _joined(column)
        elif name == "units" and not types.is_integer(column.type):
            columns[name] = _joined(column.cast(pa.float64()) if types.is_floating(column.type) else _decimal(column))
        else:
            columns[name] = _joined(_whole(column))
    return columns


def _joined(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) and joined.num_chunks else joined


def _text(column: pa.ChunkedArray) -> pa.Array:
    found = column.type
    if types.is_dictionary(found):
        plain = pa.dictionary(pa.int32(), _plain_text(found.value_type))
        column = column.cast(plain) if found != plain else column
        return _joined(column.unify_dictionaries())
    plain = _plain_text(found)
    return _joined(column.cast(plain) if found != plain else column)


def _plain_text(found: pa.DataType) -> pa.DataType:
    return pa.string() if types.is_string_view(found) else found


def _list(column: pa.ChunkedArray, values: pa.DataType | None) -> pa.Array:
    found = column.type.value_type
    if values is None:
        values = found.value_type if types.is_dictionary(found) else found
        values = pa.string() if types.is_null(values) or types.is_string_view(values) else values
    wanted = pa.large_list(values)
    return _joined(column.cast(wanted) if column.type != wanted else column)


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As ``int64``; a ``uint64`` too large for it becomes 2**62, which no field takes either."""
    if types.is_uint64(column.type):
        column = pc.min_element_wise(column, pa.scalar(2**62, pa.uint64()), skip_nulls=False)
    return column if column.type == pa.int64() else column.cast(pa.int64())


def _decimal(column: pa.ChunkedArray) -> pa.ChunkedArray:
    found = column.type
    return column if types.is_decimal128(found) else column.cast(pa.decimal128(found.precision, found.scale))
