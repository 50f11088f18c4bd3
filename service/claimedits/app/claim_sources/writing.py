"""Writes claims that were read: NDJSON of the contract or Parquet line tables, whole files or none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.claim_sources.line_batches import claims_of, fields_of
from claimedits.app.claim_sources.records import Rejection
from claimedits.model.line_table import LINE_SCHEMA

ROWS_A_GROUP = 131_072
"""Rows of one Parquet row group, about."""


class ClaimWriter(Protocol):
    """Takes line tables."""

    def write(self, table: pa.Table) -> None:
        """Append claims; ``table`` is of ``LINE_SCHEMA``."""


class NdjsonWriter:
    """One claim a line, in the spelling of the contract."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, table: pa.Table) -> None:
        """Append claims."""
        for claim in claims_of(table):
            self._file.write(orjson.dumps(fields_of(claim), option=orjson.OPT_APPEND_NEWLINE))


class ParquetWriter:
    """A line table, compressed."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Append claims."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one row group."""
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0


@contextmanager
def open_claim_writer(kind: str, path: str) -> Iterator[ClaimWriter]:
    """A writer of ``ndjson`` or ``parquet``; ``-`` is standard output, for NDJSON. The file appears when all is written.

    Raises:
        OSError: it cannot be written.
    """
    if path == "-":
        yield NdjsonWriter(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with _whole_file(Path(path)) as unfinished:
        if kind == "ndjson":
            with unfinished.open("wb") as file:
                yield NdjsonWriter(file)
        else:
            with pq.ParquetWriter(unfinished, LINE_SCHEMA, compression="zstd") as writer:
                parquet = ParquetWriter(writer)
                yield parquet
                parquet.flush()


@contextmanager
def open_rejection_file(path: str) -> Iterator[BinaryIO]:
    """A file of rejections, one JSON object a line; it appears when all is written."""
    with _whole_file(Path(path)) as unfinished, unfinished.open("wb") as file:
        yield file


def write_rejection(file: BinaryIO, rejection: Rejection) -> None:
    """One rejection as a line."""
    file.write(orjson.dumps(rejection.as_fields(), option=orjson.OPT_APPEND_NEWLINE))


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
