"""Files of an unfinished and of a finished run. Every one appears whole under its name, by one rename, or not at all."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.replay.results import CHANGES, DISAGREEMENTS, FINDINGS, LINES, REFUSED, PartResult
from claimedits.app.replay.sums import SCHEMAS, Sums, merge_sums
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.durable_files import DigestingFile

TABLES: Mapping[str, pa.Schema] = {
    "lines": LINES,
    "findings": FINDINGS,
    "refused": REFUSED,
    "changes": CHANGES,
    "disagreements": DISAGREEMENTS,
}
"""Directories of a run, and what their files hold."""
ALWAYS = ("lines", "findings")
"""Tables that have a file for each partition; of the others only partitions that have rows of them do."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNFINISHED = re.compile(r"^\..*\.(\d+)\.unfinished$")


class DiskFullError(ClaimEditsError):
    """The disk took no more. What was finished is kept, and the run can be taken up again."""


def say_full(error: OSError, path: Path) -> OSError | DiskFullError:
    """An error of writing, in words where the disk is full."""
    if error.errno in _FULL or "No space left" in str(error) or "File too large" in str(error):
        return DiskFullError(
            f"{path}: the disk is full; make room and give the same command again: what is finished is kept"
        )
    return error


def unfinished(path: Path) -> Path:
    """Where a file is written before it gets its name; of this process."""
    return path.with_name(f".{path.name}.{os.getpid()}.unfinished")


def publish(path: Path, content: bytes) -> None:
    """Write a small file, forced to the disk.

    Raises:
        DiskFullError, OSError: it cannot be written; then nothing of it is there.
    """
    beside = unfinished(path)
    beside.unlink(missing_ok=True)
    try:
        with DigestingFile(beside) as file:
            file.write(content)
            file.sync()
        beside.replace(path)
    except OSError as error:
        raise say_full(error, path) from error
    finally:
        beside.unlink(missing_ok=True)


def publish_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document."""
    publish(path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def sweep(folder: Path) -> None:
    """Remove what an earlier run left unfinished in a folder; nobody else may be writing there."""
    for path in folder.glob(".*.unfinished"):
        if _UNFINISHED.match(path.name):
            path.unlink(missing_ok=True)


class _TableFile:
    """One Parquet file that grows part by part."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.beside = path, unfinished(path)
        self.beside.unlink(missing_ok=True)
        self.rows = 0
        self._file = DigestingFile(self.beside)
        try:
            self._sink = pa.PythonFile(self._file, mode="w")
            self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd", compression_level=1)
        except BaseException:
            self.abandon()
            raise

    def write(self, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)
            self.rows += table.num_rows

    def finish(self) -> dict[str, Any]:
        self._writer.close()
        self._file.sync()
        self._file.close()
        self.beside.replace(self.path)
        return {"rows": self.rows, "bytes": self._file.size, "sha256": self._file.sha256}

    def abandon(self) -> None:
        if not self._file.closed:
            with suppress(OSError, pa.ArrowException, AttributeError):  # what it still holds back belongs to nobody
                self._writer.close()
            self._file.close()
        self.beside.unlink(missing_ok=True)


@dataclass(frozen=True)
class PartDone:
    """What is kept of a finished partition beside its tables."""

    files: Mapping[str, Mapping[str, Any]]
    """By path in the run's directory: rows, bytes, sha256."""
    sums: Sums
    lines: int


def done_path(out: Path, number: int) -> Path:
    """The file whose presence says that a partition is finished."""
    return out / "work" / "done" / f"part-{number:05}.json"


def matched_path(out: Path, number: int) -> Path:
    """Hashes of the claims of a partition that expectations are known of."""
    return out / "work" / "matched" / f"part-{number:05}.npy"


def write_part(
    out: Path, number: int, results: Iterable[PartResult], advance: Callable[[int], None] = lambda lines: None
) -> None:
    """Write the tables of a partition, and last of all the file that says so.

    Raises:
        DiskFullError, OSError: the disk refuses; then the partition counts as not done.
    """
    files: dict[str, _TableFile] = {}
    sums: list[Sums] = []
    matched: list[pa.Array] = []
    name = f"part-{number:05}.parquet"
    try:
        with ExitStack() as stack:
            for kind in ALWAYS:
                files[kind] = _opened(stack, out / kind / name, TABLES[kind])
            for result in results:
                for kind, schema in TABLES.items():
                    table: pa.Table = getattr(result, kind)
                    if table.num_rows and kind not in files:
                        files[kind] = _opened(stack, out / kind / name, schema)
                    if kind in files:
                        files[kind].write(table)
                sums = [merge_sums([*sums, result.sums])]
                matched.append(result.matched)
                advance(result.rows)
            written = {f"{kind}/{name}": files[kind].finish() for kind in TABLES if kind in files}
        _write_matched(matched_path(out, number), matched)
        publish(done_path(out, number), _document(written, merge_sums(sums)))
    except OSError as error:
        raise say_full(error, out) from error


def _opened(stack: ExitStack, path: Path, schema: pa.Schema) -> _TableFile:
    file = _TableFile(path, schema)
    stack.callback(file.abandon)
    return file


def _write_matched(path: Path, matched: list[pa.Array]) -> None:
    hashes = np.concatenate([np.zeros(0, np.uint64), *(np.asarray(one) for one in matched)])
    if len(hashes):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = unfinished(path)
        with beside.open("wb") as file:
            np.save(file, np.sort(hashes))
        beside.replace(path)


def _document(files: Mapping[str, Any], sums: Sums) -> bytes:
    tables = {
        name: {column: table[column].to_pylist() for column in table.column_names}
        for name, table in sums.tables.items()
        if table.num_rows
    }
    return orjson.dumps({"files": files, "counts": dict(sums.counts), "sums": tables})


def read_done(out: Path, number: int) -> PartDone | None:
    """What is known of a finished partition; None where it is not finished.

    Raises:
        ClaimEditsError: one of its files is missing or has another size: somebody else changed the directory.
    """
    try:
        content = done_path(out, number).read_bytes()
    except FileNotFoundError:
        return None
    document = orjson.loads(content)
    for name, about in document["files"].items():
        path = out / name
        if not path.is_file() or path.stat().st_size != about["bytes"]:
            raise ClaimEditsError(
                f"{path}: is not the file that this run wrote; put it back, or remove {out} and begin again"
            )
    tables = {name: pa.table(columns, SCHEMAS[name]) for name, columns in document["sums"].items()}
    return PartDone(document["files"], Sums(tables, document["counts"]), document["counts"].get("lines", 0))
