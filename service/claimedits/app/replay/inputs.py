"""The files that a replay reads: which they are, what their bytes are, and whether they stayed the same while they were read."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.claim_sources.containers import GZIP_MAGIC, PARQUET_MAGIC, ZIP_MAGIC
from claimedits.model.problems import ClaimEditsError

LINES_A_PARTITION = 200_000
"""Claim lines that a partition should have, by estimate: what is lost by a kill is at most so many lines a process."""
MOST_PARTITIONS = 512
"""Each is an open file while the input is read, and processes may have but 1024."""
_BYTES_A_LINE = 220
"""Of text formats, unpacked."""
_PACKED = 6
"""How much longer gzip and zip files are when they are unpacked."""
_BLOCK = 1 << 20


class InputChangedError(ClaimEditsError):
    """A file changed while it was read, or since an interrupted run read it."""


@dataclass(frozen=True)
class InputFile:
    """A file as it was read."""

    file: str
    """The path as it was given."""
    bytes: int
    sha256: str


def list_inputs(paths: Sequence[str]) -> list[str]:
    """The files that are named; of a directory, all files in it and below, in the order of their names.

    Files and directories whose names begin with a dot or an underscore are left out, as Spark and Hadoop do.

    Raises:
        ClaimEditsError: something is not there, is no file, or is named twice.
    """
    files = [file for path in paths for file in _files_of(path)]
    places: dict[str, str] = {}
    for file in files:
        real = os.path.realpath(file)
        if real in places:
            raise ClaimEditsError(f"{file}: is given twice; every claim in it would be read twice. Name it once")
        places[real] = file
    return files


def _files_of(path: str) -> list[str]:
    try:
        kind = Path(path).stat().st_mode
    except OSError as error:
        raise ClaimEditsError(f"{path}: cannot be opened: {error.strerror}") from None
    if stat.S_ISREG(kind):
        return [path]
    if not stat.S_ISDIR(kind):
        raise ClaimEditsError(f"{path}: is no file that can be read twice; write it to a file first")
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        found += [str(Path(folder) / name) for name in names if name[0] not in "._"]
    if not found:
        raise ClaimEditsError(f"{path}: holds no file; name the files or the directory that holds them")
    return sorted(found)


def count_partitions(files: Sequence[str]) -> int:
    """Into how many partitions claims are dealt: by the size of the input alone, so that every machine deals them alike."""
    return max(1, min(MOST_PARTITIONS, -(-sum(map(_estimate_lines, files)) // LINES_A_PARTITION)))


def _estimate_lines(file: str) -> int:
    size = Path(file).stat().st_size
    with Path(file).open("rb") as opened:
        magic = opened.read(4)
    if magic == PARQUET_MAGIC:
        try:
            return int(pq.read_metadata(file).num_rows)
        except (pa.ArrowException, OSError):
            return size // _BYTES_A_LINE  # the reader says what is wrong with it
    if magic == ZIP_MAGIC or magic.startswith(GZIP_MAGIC):
        size *= _PACKED
    return size // _BYTES_A_LINE


def hash_file(file: str) -> InputFile:
    """A file's size and SHA-256.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    with Path(file).open("rb", buffering=0) as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return InputFile(file, size, digest.hexdigest())


class InputWatch:
    """Hashes files in the background while they are read, and says afterwards whether they stayed as they were."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._before = {file: _signs(file) for file in files}
        self._hashed: dict[str, InputFile] = {}
        self._failed: OSError | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._hash, name="hash inputs", daemon=True)
        self._thread.start()

    def _hash(self) -> None:
        try:
            for file in self._files:
                if self._stopped.is_set():
                    return
                self._hashed[file] = hash_file(file)
        except OSError as error:
            self._failed = error

    def stop(self) -> None:
        """Hash no further file: the reading failed."""
        self._stopped.set()

    def changed(self) -> str:
        """The first file that is not as it was when the watch began; empty = none."""
        for file, signs in self._before.items():
            try:
                if _signs(file) != signs:
                    return file
            except OSError:
                return file
        return ""

    def finish(self) -> list[InputFile]:
        """The files as they were read.

        Raises:
            InputChangedError: one of them changed meanwhile.
        """
        self._thread.join()
        changed = self.changed()
        if not changed:
            lost = [
                f for f in self._files if f not in self._hashed or self._hashed[f].bytes != self._before[f]["bytes"]
            ]
            changed = lost[0] if lost else ""
        if changed:
            raise InputChangedError(describe_change(changed))
        return [self._hashed[file] for file in self._files]


def describe_change(file: str) -> str:
    """What is said of a file that changed."""
    return (
        f"{file}: changed while it was read; nothing of it was kept. "
        "Run the replay again when nobody writes to the file any more"
    )


def _signs(file: str) -> Mapping[str, int]:
    found = Path(file).stat()
    return {"bytes": found.st_size, "modified": found.st_mtime_ns, "file": found.st_ino, "device": found.st_dev}
