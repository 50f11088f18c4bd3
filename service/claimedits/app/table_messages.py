"""Line tables and findings as Arrow IPC streams: what callers of ``StreamEvaluateTable`` send and get.

Bytes from outside are held to limits before anything grows: a compressed body is refused (gRPC compresses), rows are
counted before a column is touched, and every offset is checked before it is followed.
"""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers.number_types as number_types
import flatbuffers.table as flat
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.engine.columnar.table import TableFindings
from claimedits.model.line_table import FINDING_SCHEMA
from claimedits.model.problems import ClaimEditsError, Problem, ProblemsError

LONGEST_TEXT = 1024
"""Bytes of one text; a dictionary lets a long one stand for many rows."""
_HEADER, _RECORD_BATCH, _DICTIONARY_BATCH, _DICTIONARY_DATA, _COMPRESSION = 8, 3, 2, 6, 10
"""Places in the flatbuffers of Arrow's Message.fbs: the header of a message, kinds of header, the batch of a dictionary, and
the compression of a batch (Arrow columnar format, "Serialization and Interprocess Communication")."""
_HEADER_TYPE = 6


class TooManyRowsError(ClaimEditsError):
    """A message holds more rows than it may."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        super().__init__(f"the table has {rows} rows")


class TableUnreadableError(ProblemsError):
    """The bytes are no line table in one Arrow IPC stream."""


def read_table(content: bytes, most_rows: int) -> pa.Table:
    """The table of one Arrow IPC stream: uncompressed, whole, every offset within its buffer.

    Raises:
        TableUnreadableError: it is none.
        TooManyRowsError: it has more than ``most_rows`` rows.
    """
    try:
        _refuse_compression(content)
        with pa.ipc.open_stream(content) as reader:
            batches, rows = [], 0
            for batch in reader:
                rows += batch.num_rows
                if rows > most_rows:
                    raise TooManyRowsError(rows)
                batch.validate(full=True)
                for column in batch.columns:
                    _validate_dictionary(column)
                batches.append(batch)
            "".join(reader.schema.names)  # names that are no UTF-8 are told here, not where they are used
            table = pa.Table.from_batches(batches, reader.schema)
    except (pa.ArrowException, OSError, ValueError, IndexError, EOFError, struct.error) as error:
        raise _unreadable(
            "is no Arrow IPC stream that can be read", "write the table with one pyarrow.ipc.new_stream"
        ) from error
    long = [name for name, column in zip(table.column_names, table.columns, strict=True) if _is_too_long(column)]
    if long:
        raise TableUnreadableError(
            Problem(f"column {name}", f"has a text of more than {LONGEST_TEXT} bytes", "a code, id or word is shorter")
            for name in long
        )
    return table


def _validate_dictionary(column: pa.Array) -> None:
    """What ``validate`` leaves out: the values of a dictionary."""
    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = column.values
    if pa.types.is_dictionary(column.type):
        column.dictionary.validate(full=True)


def _unreadable(what: str, mend: str) -> TableUnreadableError:
    return TableUnreadableError([Problem("arrow_stream", what, mend)])


def _refuse_compression(content: bytes) -> None:
    """Compressed buffers say themselves how far they unpack: what is not compressed cannot grow."""
    reader = pa.ipc.MessageReader.open_stream(content)
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        if _is_compressed(message.metadata):
            raise _unreadable("is compressed within Arrow", "write it without compression; gRPC can compress messages")


def _is_compressed(metadata: pa.Buffer) -> bool:
    content = bytearray(metadata.to_pybytes())
    message = _table(content, _number(content, 0))
    kind = message.Get(number_types.Uint8Flags, _field(message, _HEADER_TYPE)) if message.Offset(_HEADER_TYPE) else 0
    if kind not in (_RECORD_BATCH, _DICTIONARY_BATCH) or not message.Offset(_HEADER):
        return False
    batch = _child(message, _HEADER)
    if kind == _DICTIONARY_BATCH:
        if not batch.Offset(_DICTIONARY_DATA):
            return False
        batch = _child(batch, _DICTIONARY_DATA)
    return bool(batch.Offset(_COMPRESSION))


def _number(content: bytearray, place: int) -> int:
    return int.from_bytes(content[place : place + 4], "little")


def _table(content: bytearray, place: int) -> Any:
    return flat.Table(content, place)


def _field(table: Any, slot: int) -> int:
    return int(table.Offset(slot)) + int(table.Pos)


def _child(table: Any, slot: int) -> Any:
    return _table(table.Bytes, table.Indirect(_field(table, slot)))


def _is_too_long(column: pa.ChunkedArray) -> bool:
    for chunk in column.chunks:
        values = chunk
        while (
            pa.types.is_list(values.type) or pa.types.is_large_list(values.type) or pa.types.is_dictionary(values.type)
        ):
            values = values.dictionary if pa.types.is_dictionary(values.type) else values.values
        if (
            pa.types.is_string(values.type)
            or pa.types.is_large_string(values.type)
            or pa.types.is_string_view(values.type)
        ):
            longest = pc.max(pc.binary_length(values.cast(pa.large_string()))).as_py()
            if longest is not None and longest > LONGEST_TEXT:
                return True
    return False


def write_findings(answer: TableFindings) -> bytes:
    """The findings as one Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, FINDING_SCHEMA) as writer:
        writer.write_table(answer.findings.cast(FINDING_SCHEMA))
    return bytes(sink.getvalue().to_pybytes())
