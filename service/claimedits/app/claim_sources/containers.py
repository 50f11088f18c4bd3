"""Opens what claims come in: plain files, gzip, zip with any number of members, standard input. Always a stream of bytes."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from claimedits.model.problems import ClaimEditsError

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
PARQUET_MAGIC = b"PAR1"
_BUFFER = 1 << 20

READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What the libraries raise while a damaged, encrypted or shrinking file is read."""


class SourceError(ClaimEditsError):
    """A file that cannot be opened, or not as what it was said to be."""


@dataclass(slots=True)
class ClaimFile:
    """One stream of claims: a file, or one member of an archive."""

    name: str
    """The path as it was given, with the member after ``!``."""
    stream: BinaryIO
    size: int = 0
    """Packed size in bytes, for progress; 0 = unknown."""
    path: Path | None = None
    """The plain file on disk, where the stream is one: Parquet needs to seek."""
    suffix: str = field(default="")
    """The last extension before the packing, lower case: ``.csv`` of ``claims.csv.gz``."""


def _suffix(name: str) -> str:
    path = Path(name)
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


@contextmanager
def _plain(path: Path) -> Iterator[ClaimFile]:
    with io.BufferedReader(io.FileIO(path), _BUFFER) as file:
        name = str(path)
        if file.peek(2)[:2] == GZIP_MAGIC:
            with gzip.open(file, "rb") as unpacked:
                yield ClaimFile(name, _stepwise(unpacked), path.stat().st_size, None, _suffix(name))
        else:
            yield ClaimFile(name, cast(BinaryIO, file), path.stat().st_size, path, _suffix(name))


def open_claim_files(path: str) -> Iterator[ClaimFile]:
    """Each stream of a path, one after another; ``-`` is standard input. Members of a zip come in the archive's order.

    Raises:
        SourceError: the file is not there, is a directory, or is an archive that cannot be listed.
    """
    if path == "-":
        stream = cast(io.BufferedReader, sys.stdin.buffer)
        if stream.peek(2)[:2] == GZIP_MAGIC:
            with gzip.open(stream, "rb") as unpacked:
                yield ClaimFile("-", _stepwise(unpacked))
        else:
            yield ClaimFile("-", cast(BinaryIO, stream))
        return
    try:
        with Path(path).open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {error.strerror}") from None
    if magic != ZIP_MAGIC:
        with _plain(Path(path)) as opened:
            yield opened
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{path}: is a damaged zip file: {error}; unpack it with another program") from None
    with archive:
        for member in archive.infolist():
            if member.is_dir() or member.filename.startswith("__MACOSX/"):
                continue
            yield _open_member(path, archive, member)


def _open_member(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ClaimFile:
    name = f"{path}!{member.filename}"
    try:
        stream = io.BufferedReader(cast(io.RawIOBase, archive.open(member)), _BUFFER)
        if stream.peek(2)[:2] == GZIP_MAGIC:
            unpacked = gzip.open(stream, "rb")  # noqa: SIM115 - closed with the archive
            return ClaimFile(name, _stepwise(unpacked), member.compress_size, None, _suffix(name))
    except READ_ERRORS as error:
        return ClaimFile(name, cast(BinaryIO, _Unreadable(error)), member.compress_size, None, _suffix(name))
    return ClaimFile(name, cast(BinaryIO, stream), member.compress_size, None, _suffix(name))


class _Steps(io.RawIOBase):
    """Unpacked data as it comes: what stands before a damaged place is given before the error is raised."""

    def __init__(self, unpacked: gzip.GzipFile) -> None:
        self._unpacked = unpacked

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._unpacked.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _stepwise(unpacked: gzip.GzipFile) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Steps(unpacked), _BUFFER))


def read_some(stream: BinaryIO, most: int) -> bytes:
    """The next bytes of a stream, at most so many and none only at its end; with one read of what lies below, if it can."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read(most)


class _Unreadable(io.BufferedReader):
    """A member that cannot be opened: the first read says why, where the reader of the format reports it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(io.BytesIO())
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(str(self._error))

    def read1(self, size: int = -1, /) -> bytes:
        raise OSError(str(self._error))

    def peek(self, size: int = 0, /) -> bytes:
        raise OSError(str(self._error))

    def readline(self, size: int | None = -1, /) -> bytes:
        raise OSError(str(self._error))


def explain(error: BaseException) -> str:
    """A read error in words, without its class."""
    if isinstance(error, EOFError):
        return "it ends in the middle of the packed data"
    return str(error) or type(error).__name__
