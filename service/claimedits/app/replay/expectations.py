"""What really happened to claims: remittances or a table, read once, the last answer to each claim kept, found by claim id."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.containers import ClaimFile, SourceError, open_claim_files
from claimedits.app.claim_sources.detection import detect_format
from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.records import Rejection
from claimedits.app.claim_sources.spill_files import SpillFiles
from claimedits.app.claim_sources.writing import write_rejection
from claimedits.app.replay.expected_tables import read_expected_csv, read_expected_parquet
from claimedits.app.replay.inputs import InputChangedError, InputFile, InputWatch, describe_change, list_inputs
from claimedits.app.replay.part_files import publish_json, say_full
from claimedits.app.replay.remittances import RealClaim, read_remittances

EXPECTED: pa.Schema = pa.schema(
    [
        pa.field("claim_id", pa.string()),
        pa.field("answer", pa.int64()),
        pa.field("service", pa.int32()),
        pa.field("line_number", pa.int32()),
        pa.field("procedure_code", pa.string()),
        pa.field("service_date", pa.date32()),
        pa.field("charge_cents", pa.int64()),
        pa.field("group", pa.string()),
        pa.field("carc", pa.string()),
        pa.field("amount_cents", pa.int64()),
        pa.field("is_reversal", pa.bool_()),
    ]
)
"""One row an adjustment; a service without one has a row with ``carc`` null. ``answer`` counts the answers of all files,
``service`` the services of an answer from 1, 0 = the claim as a whole. ``line_number`` is null where it is not told."""

KEPT: pa.Schema = EXPECTED.append(pa.field("hash", pa.uint64()))
"""Of the kept files: sorted by ``hash``, the hash of the claim id, and the order of the answer."""

_ROWS_A_FILE = 500_000
_MOST_FILES = 256
_BYTES_A_ROW = 40
_ROWS_A_BATCH = 65_536


@dataclass(frozen=True)
class ExpectationOptions:
    """What is known of what really happened."""

    files: Sequence[str]
    traces: int = 20
    """Disagreements of each partition that are listed with a trace."""

    def as_fields(self) -> dict[str, Any]:
        """For the plan."""
        files = list_inputs(self.files)
        return {"files": files, "bytes": [Path(file).stat().st_size for file in files], "traces": self.traces}


@dataclass(frozen=True)
class ReadExpectations:
    """What became of the files."""

    folder: Path
    inputs: tuple[InputFile, ...]
    counts: Mapping[str, int]
    """``records`` = ``answers`` + ``rejected``; ``claims`` with an answer that stands; ``replaced`` answers, by a later one;
    ``reversed`` claims, whose last answer took back the ones before."""

    @classmethod
    def load(cls, work: Path) -> ReadExpectations | None:
        """What the finished stage says; None where it is not finished."""
        folder = work / "expected"
        try:
            fields = orjson.loads((folder / "read.json").read_bytes())
        except FileNotFoundError:
            return None
        return cls(folder, tuple(InputFile(**one) for one in fields["inputs"]), fields["counts"])


def read_expectations(work: Path, options: ExpectationOptions, identifiers: IdentifierHash | None) -> ReadExpectations:
    """Read the files, or take what was read before an interruption.

    Raises:
        InputChangedError: a file changed while it was read, or since.
        SourceError: a file is no remittance and no table of adjustments.
        DiskFullError, OSError: the disk refuses.
    """
    files = list_inputs(options.files)
    before = ReadExpectations.load(work)
    watch = InputWatch(files)
    if before is not None:
        if [one.sha256 for one in watch.finish()] != [one.sha256 for one in before.inputs]:
            raise InputChangedError(f"{files[0]}: is not what the replay read; name another directory for the results")
        return before
    beside = work / "expected.unfinished"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        counts = _read(files, beside, identifiers)
        inputs = watch.finish()
        publish_json(beside / "read.json", {"inputs": [asdict(one) for one in inputs], "counts": counts})
        beside.rename(work / "expected")
    except BaseException as error:
        watch.stop()
        shutil.rmtree(beside, ignore_errors=True)
        if watch.changed() and isinstance(error, Exception) and not isinstance(error, InputChangedError):
            raise InputChangedError(describe_change(watch.changed())) from error
        if isinstance(error, OSError):
            raise say_full(error, work) from error
        raise
    return ReadExpectations(work / "expected", tuple(inputs), counts)


def _read(files: Sequence[str], folder: Path, identifiers: IdentifierHash | None) -> dict[str, int]:
    rows = sum(Path(file).stat().st_size for file in files) // _BYTES_A_ROW
    number = max(1, min(_MOST_FILES, -(-rows // _ROWS_A_FILE)))
    (folder / "spilt").mkdir()
    spill = SpillFiles(folder / "spilt", number, EXPECTED)
    counts = {"records": 0, "answers": 0, "rejected": 0}
    with (folder / "rejected.ndjson").open("wb") as rejected:
        reader = _Reader(rejected, counts)
        for table in reader.tables(files):
            if identifiers is not None:
                table = _hashed(table, identifiers)
            spill.write(table, (hash_texts(table["claim_id"]) % np.uint64(number)).astype(np.int64))
        rejected.flush()
        os.fsync(rejected.fileno())
    kept = {"claims": 0, "replaced": 0, "reversed": 0}
    spill.close()
    for place in range(number):
        _keep(folder, spill.path(place), place, kept)
    shutil.rmtree(folder / "spilt")
    return {**counts, **kept, "files": len(files), "parts": number}


def _hashed(table: pa.Table, identifiers: IdentifierHash) -> pa.Table:
    encoded = table["claim_id"].combine_chunks().dictionary_encode()
    digests = pa.array([identifiers.digest("claim", one) for one in encoded.dictionary.to_pylist()], pa.string())
    return table.set_column(0, EXPECTED.field("claim_id"), digests.take(encoded.indices))


def _keep(folder: Path, spilt: Path, place: int, counts: dict[str, int]) -> None:
    """Of each claim the last answer; sorted by the hash of the claim id."""
    if not spilt.is_file():
        return
    with pa.OSFile(str(spilt), "rb") as file:
        table = pa.ipc.open_file(file).read_all().combine_chunks()
    hashes = hash_texts(table["claim_id"])
    answers = np.asarray(table["answer"])
    order = np.lexsort((np.asarray(table["service"]), answers, hashes))
    hashes, answers = hashes[order], answers[order]
    # equal hashes are taken for one claim: see ClaimIds for how rarely that is wrong
    last = np.append(hashes[1:] != hashes[:-1], True)
    last_answer = np.repeat(answers[last], np.diff(np.flatnonzero(last), prepend=-1))
    stands = answers == last_answer
    reversal = np.asarray(table["is_reversal"])[order]
    of_answer = np.stack([hashes, answers.astype(np.uint64)])
    counts["replaced"] += np.unique(of_answer[:, ~stands], axis=1).shape[1]
    counts["reversed"] += len(np.unique(hashes[stands & reversal]))
    stands &= ~reversal
    counts["claims"] += len(np.unique(hashes[stands]))
    kept = table.take(pa.array(order[stands])).append_column("hash", pa.array(hashes[stands], pa.uint64()))
    with pa.OSFile(str(folder / f"part-{place:05}.arrow"), "wb") as sink, pa.ipc.new_file(sink, KEPT) as writer:
        writer.write_table(kept.cast(KEPT).combine_chunks())


class _Reader:
    """Answers of all files as tables of ``EXPECTED``."""

    def __init__(self, rejected: BinaryIO, counts: dict[str, int]) -> None:
        self._rejected = rejected
        self._counts = counts

    def tables(self, files: Sequence[str]) -> Iterator[pa.Table]:
        for path in files:
            for file in open_claim_files(path):
                yield from self._read_file(file)

    def _read_file(self, file: ClaimFile) -> Iterator[pa.Table]:
        kind = detect_format(file)
        if kind == "x12":
            yield from self._take_answers(read_remittances(file))
        elif kind in ("csv", "parquet"):
            read = read_expected_csv if kind == "csv" else read_expected_parquet
            for table, rejections in read(file):
                self._reject(rejections)
                self._counts["records"] += table.num_rows
                self._counts["answers"] += table.num_rows
                yield table.cast(EXPECTED)
        else:
            raise SourceError(
                f"{file.name}: is no X12 835 remittance, and no CSV or Parquet table of claim_id, line_number and carc"
            )

    def _reject(self, rejections: Iterable[Rejection]) -> None:
        for rejection in rejections:
            self._counts["records"] += 1
            self._counts["rejected"] += 1
            write_rejection(self._rejected, rejection)

    def _take_answers(self, answers: Iterable[RealClaim | Rejection]) -> Iterator[pa.Table]:
        rows: list[dict[str, Any]] = []
        for answer in answers:
            if isinstance(answer, Rejection):
                self._reject([answer])
                continue
            self._counts["records"] += 1
            self._counts["answers"] += 1
            rows += _rows(answer, self._counts["answers"])
            if len(rows) >= _ROWS_A_BATCH:
                yield pa.Table.from_pylist(rows, EXPECTED)
                rows = []
        if rows:
            yield pa.Table.from_pylist(rows, EXPECTED)


def _rows(claim: RealClaim, answer: int) -> Iterator[dict[str, Any]]:
    head = {"claim_id": claim.claim_id, "answer": answer, "is_reversal": claim.is_reversal}
    whole = [{"group": a.group, "carc": a.carc, "amount_cents": a.amount_cents} for a in claim.adjustments]
    for adjustment in whole or ([{}] if not claim.services else []):
        yield head | {"service": 0} | adjustment
    for number, service in enumerate(claim.services, 1):
        of_service = head | {
            "service": number,
            "line_number": service.line_number or None,
            "procedure_code": service.procedure_code or None,
            "service_date": service.service_date,
            "charge_cents": service.charge_cents,
        }
        for one in service.adjustments:
            yield of_service | {"group": one.group, "carc": one.carc, "amount_cents": one.amount_cents}
        if not service.adjustments:
            yield of_service


def not_in_input(folder: Path, matched: Sequence[Path], most: int) -> tuple[int, list[str]]:
    """How many claims with an answer no claim of the input matches, and the ids of the first ``most`` of them."""
    known = [np.load(path) for path in matched]
    hashes = np.unique(np.concatenate(known)) if known else np.zeros(0, np.uint64)
    number, first = 0, list[str]()
    for path in sorted(folder.glob("part-*.arrow")):
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
            found = np.asarray(table["hash"])
            begins = np.flatnonzero(np.diff(found, prepend=found[:1] + np.uint64(1)) != 0) if len(found) else found[:0]
            missing = begins[~np.isin(found[begins], hashes)]
            number += len(missing)
            some = missing[: max(0, most - len(first))]
            first += table["claim_id"].take(pa.array(some.astype(np.int64))).to_pylist()
    return number, first


def take_expected(folder: Path, ids: pa.Array) -> tuple[pa.Table, np.ndarray[Any, np.dtype[np.int64]]]:
    """The rows of ``KEPT`` about some claims, and for each of them the place of its claim in ``ids``."""
    hashes = hash_texts(ids)
    paths = sorted(folder.glob("part-*.arrow"))
    number = orjson.loads((folder / "read.json").read_bytes())["counts"]["parts"]
    pieces: list[pa.Table] = []
    owners: list[np.ndarray[Any, np.dtype[np.int64]]] = []
    for path in paths:
        place = int(path.stem[-5:])
        sought = np.flatnonzero(hashes % np.uint64(number) == place)
        if not len(sought):
            continue
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
            known = np.asarray(table["hash"])
            begin, end = (np.searchsorted(known, hashes[sought], side=side) for side in ("left", "right"))
            counts = end - begin
            total = int(counts.sum())
            rows = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begin, counts)
            pieces.append(table.take(pa.array(rows)))
            owners.append(np.repeat(sought, counts))
    if not pieces:
        return KEPT.empty_table(), np.zeros(0, dtype=np.int64)
    found, owner = pa.concat_tables(pieces).combine_chunks(), np.concatenate(owners)
    same = np.asarray(pc.equal(found["claim_id"], ids.take(pa.array(owner))))
    return found.filter(pa.array(same)), owner[same]
