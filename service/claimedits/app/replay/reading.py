"""The first stage: every input file is read once, and its claims are dealt into partitions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa

from claimedits.app.claim_sources.partitions import partition_by_patient
from claimedits.app.claim_sources.reading import SEEN_BEFORE, ClaimInput, ReadOptions
from claimedits.app.claim_sources.records import Rejection
from claimedits.app.claim_sources.writing import write_rejection
from claimedits.app.replay.inputs import InputChangedError, InputFile, InputWatch, describe_change
from claimedits.app.replay.part_files import publish_json, say_full

SHOWN = 20
"""Rejections and notices that are kept for the report; all rejections stand in ``rejected.ndjson``."""
Advance = Callable[[int, int, int], None]
"""Told of lines read, bytes read, bytes in all."""


@dataclass(frozen=True)
class ReadInput:
    """What became of the records of the input. records = claims + rejected."""

    inputs: tuple[InputFile, ...]
    counts: dict[str, Any]
    """``files``, ``records``, ``claims``, ``lines``, ``rejected``, ``duplicate_claim_ids`` (of the rejected ones),
    ``notices``, ``rows_left_out``, ``formats``."""
    first_rejections: tuple[dict[str, Any], ...]
    first_notices: tuple[dict[str, Any], ...]

    @classmethod
    def load(cls, work: Path) -> ReadInput | None:
        """What the finished stage says; None where it is not finished."""
        try:
            fields = orjson.loads((reading_folder(work) / "read.json").read_bytes())
        except FileNotFoundError:
            return None
        return cls(
            tuple(InputFile(**one) for one in fields["inputs"]),
            fields["counts"],
            tuple(fields["first_rejections"]),
            tuple(fields["first_notices"]),
        )


def reading_folder(work: Path) -> Path:
    """The directory of the finished stage; it appears by one rename."""
    return work / "reading"


def partition_files(work: Path) -> dict[int, Path]:
    """The partitions that hold claims, by number."""
    return {int(path.stem[-5:]): path for path in sorted((reading_folder(work) / "partitions").glob("part-*.arrow"))}


def read_inputs(work: Path, files: Sequence[str], options: ReadOptions, partitions: int, advance: Advance) -> ReadInput:
    """Read every file, and publish partitions, rejections and counts together, or nothing.

    Raises:
        InputChangedError: a file changed while it was read.
        MappingError, SourceError: as ``ClaimInput.batches``.
        DiskFullError, OSError: the disk refuses.
    """
    folder = reading_folder(work)
    beside = folder.with_name("reading.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    watch = InputWatch(files)
    try:
        read = _Reading(ClaimInput(files, options), advance)
        with (beside / "rejected.ndjson").open("wb") as rejected:
            partition_by_patient(read.tables(rejected), beside / "partitions", partitions)
            rejected.flush()
            os.fsync(rejected.fileno())
        done = read.outcome(watch.finish())
        publish_json(beside / "read.json", asdict(done))
        beside.rename(folder)
        return done
    except BaseException as error:
        watch.stop()
        shutil.rmtree(beside, ignore_errors=True)
        changed = watch.changed()
        if changed and isinstance(error, Exception) and not isinstance(error, InputChangedError):
            raise InputChangedError(describe_change(changed)) from error
        if isinstance(error, OSError):
            raise say_full(error, work) from error
        raise


class _Reading:
    """The records of the input, counted while they pass."""

    def __init__(self, claims: ClaimInput, advance: Advance) -> None:
        self._claims = claims
        self._advance = advance
        self._rejections: list[dict[str, Any]] = []
        self._notices: list[dict[str, Any]] = []
        self._seen_before = 0

    def tables(self, rejected: BinaryIO) -> Iterator[pa.Table]:
        """Line tables; rejections go into the file."""
        claims = self._claims
        for batch in claims.batches():
            for rejection in batch.rejections:
                write_rejection(rejected, rejection)
                self._seen_before += _is_seen_before(rejection)
            self._rejections += [one.as_fields() for one in batch.rejections[: SHOWN - len(self._rejections)]]
            self._notices += [one.as_fields() for one in batch.notices[: SHOWN - len(self._notices)]]
            yield batch.table
            self._advance(claims.counts.lines, claims.bytes_read, claims.bytes_known)

    def outcome(self, inputs: Sequence[InputFile]) -> ReadInput:
        counts = self._claims.counts
        fields = {
            "files": counts.files,
            "records": counts.records,
            "claims": counts.claims,
            "lines": counts.lines,
            "rejected": counts.rejected,
            "duplicate_claim_ids": self._seen_before,
            "notices": counts.notices,
            "rows_left_out": self._claims.left_out,
            "formats": dict(sorted(counts.formats.items())),
        }
        return ReadInput(tuple(inputs), fields, tuple(self._rejections), tuple(self._notices))


def _is_seen_before(rejection: Rejection) -> bool:
    return any(problem.where == "claim_id" and problem.what == SEEN_BEFORE for problem in rejection.problems)
