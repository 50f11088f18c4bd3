"""Reads delimited text in batches of raw columns: Arrow's reader on whole lines, one piece of the file at a time.

A row is a line. Whatever is wrong with one line, a width, an unclosed quote, gigabytes without an end, costs that line:
the piece it stands in is then read line by line, and the rest of the file goes on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from claimedits.app.claim_sources.containers import READ_ERRORS, read_some
from claimedits.model.problems import Problem

PIECE = 1 << 24
"""Bytes that are parsed at once."""
LONGEST_ROW = PIECE
"""A line of more bytes is skipped to its end and refused; one of more than half as many may be."""
_READ = PIECE // 2
_MOST_FIELDS = 10_000


@dataclass(slots=True)
class RawBatch:
    """Columns as the file holds them, with the line each row stands on."""

    columns: dict[str, pa.Array]
    positions: npt.NDArray[np.int64]
    refused: list[tuple[int, Problem]] = field(default_factory=list)
    """Lines that are no rows of this table."""


class HeaderError(Exception):
    """The first line is no header."""


def read_header(line: bytes, delimiter: str) -> list[str]:
    """The names of the columns.

    Raises:
        HeaderError: it is not UTF-8, or a name is empty or comes twice.
    """
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise HeaderError(f"the header cannot be read: {error}") from None
    while names and not names[-1]:  # feeds end their lines with a delimiter
        names.pop()
    if not names or len(names) > _MOST_FIELDS:
        raise HeaderError("the first line is no header")
    if len(set(names)) < len(names):
        raise HeaderError("the header names a column twice")
    return names


@dataclass(slots=True)
class _Piece:
    """Whole lines."""

    data: bytes
    line: int
    """Line of the file that begins it."""


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in chunks of ``_READ`` bytes; what comes before a read error is given before it is raised."""
    ended = False
    while not ended:
        parts: list[bytes] = []
        size = 0
        failure: Exception | None = None
        while size < _READ:
            try:
                part = read_some(stream, _READ - size)
            except READ_ERRORS as error:
                failure = error
                break
            if not part:
                ended = True
                break
            parts.append(part)
            size += len(part)
        if parts:
            yield b"".join(parts)
        if failure is not None:
            raise failure


def _pieces(stream: BinaryIO, line: int) -> Iterator[_Piece | int]:
    """Pieces of whole lines, and the numbers of lines that are too long. A read error is raised after what came before."""
    tail = b""
    skipping = False
    for chunk in _chunks(stream):
        end = chunk.rfind(b"\n")
        if end < 0:
            if skipping or len(tail) + len(chunk) > LONGEST_ROW:
                tail, skipping = b"", True
            else:
                tail += chunk
            continue
        if skipping:
            begin = chunk.find(b"\n") + 1
            yield line
            line += 1
            skipping = False
            data = chunk[begin : end + 1]
        else:
            data = tail + chunk[: end + 1]
        tail = chunk[end + 1 :]
        if data:
            yield _Piece(data, line)
            line += data.count(b"\n")
    if skipping:
        yield line
    elif tail:
        yield _Piece(tail + b"\n", line)


class CsvReader:
    """Reads the rows below a header."""

    def __init__(self, names: Sequence[str], delimiter: str, wanted: Sequence[str]) -> None:
        self._names = list(names)
        self._delimiter = delimiter
        self._wanted = list(dict.fromkeys(wanted))

    def batches(self, stream: BinaryIO, first_line: int = 2) -> Iterator[RawBatch]:
        """Each piece of the stream as a batch."""
        for piece in _pieces(stream, first_line):
            if isinstance(piece, int):
                problem = Problem("row", f"is longer than {_READ} bytes", "end each row with a line break")
                yield RawBatch({}, np.array([], dtype=np.int64), [(piece, problem)])
            else:
                yield self._parse(piece) or self._parse_lines(piece)

    def _parse(self, piece: _Piece) -> RawBatch | None:
        """The piece at once; None where a line of it needs a closer look."""
        lines = piece.data.count(b"\n")
        read = pa.csv.ReadOptions(use_threads=False, column_names=self._names, block_size=len(piece.data) + 1)
        parse = pa.csv.ParseOptions(delimiter=self._delimiter, ignore_empty_lines=False, newlines_in_values=False)
        convert = pa.csv.ConvertOptions(
            column_types=dict.fromkeys(self._wanted, pa.binary()),
            include_columns=self._wanted,
            strings_can_be_null=False,
        )
        try:
            table = pa.csv.read_csv(pa.BufferReader(piece.data), read, parse, convert)
        except pa.ArrowInvalid:  # a row of another width, among others
            return None
        if table.num_rows != lines:
            return None
        positions = np.arange(piece.line, piece.line + lines, dtype=np.int64)
        return RawBatch({name: table.column(name).combine_chunks() for name in self._wanted}, positions)

    def _parse_lines(self, piece: _Piece) -> RawBatch:
        """Line by line; a delimiter too many at the end of a line is no column."""
        columns: dict[str, list[bytes]] = {name: [] for name in self._wanted}
        places = {name: self._names.index(name) for name in self._wanted}
        positions: list[int] = []
        refused: list[tuple[int, Problem]] = []
        for number, raw in enumerate(piece.data.split(b"\n")[:-1], piece.line):
            if not raw.strip():
                continue
            try:
                cells = _cells(raw, self._delimiter)
            except csv.Error:
                refused.append((number, Problem("row", "has an unclosed quote", "a row is one line; close its quotes")))
                continue
            if len(cells) == len(self._names) + 1 and not cells[-1].strip():
                cells.pop()
            if len(cells) != len(self._names):
                what = f"has {len(cells)} columns where the header has {len(self._names)}"
                refused.append((number, Problem("row", what, "quote texts that hold the delimiter")))
                continue
            positions.append(number)
            for name, place in places.items():
                columns[name].append(cells[place].encode("utf-8", "surrogateescape"))
        arrays = {name: pa.array(cells, pa.binary()) for name, cells in columns.items()}
        return RawBatch(arrays, np.array(positions, dtype=np.int64), refused)


def _cells(raw: bytes, delimiter: str) -> list[str]:
    """The cells of one line; bytes that are not UTF-8 come through as they are."""
    text = raw.decode("utf-8", "surrogateescape").rstrip("\r")
    if "\r" in text or "\x00" in text:
        raise csv.Error("a line break or a null character within the line")
    if '"' not in text:
        return text.split(delimiter)
    return next(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
