"""Any claims in, line tables out: files, archives and formats made one, with every record counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.claim_ids import ClaimIds
from claimedits.app.claim_sources.column_mapping import MappingError
from claimedits.app.claim_sources.column_reading import TableBatch, read_csv_claims, read_parquet_claims
from claimedits.app.claim_sources.containers import ClaimFile, SourceError, open_claim_files
from claimedits.app.claim_sources.detection import FORMATS, detect_format
from claimedits.app.claim_sources.fhir_reading import read_fhir
from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.line_batches import LineBatchBuilder
from claimedits.app.claim_sources.ndjson_reading import read_ndjson
from claimedits.app.claim_sources.records import (
    Counts,
    Notice,
    Position,
    ReadClaim,
    Record,
    Rejection,
    reject,
)
from claimedits.app.claim_sources.x12_reading import read_x12
from claimedits.model.line_table import LINE_SCHEMA

READ_SCHEMA: pa.Schema = LINE_SCHEMA.append(pa.field("was_paid", pa.bool_()))
"""A line table with one column more: whether the payer paid the line, where the source is an adjudicated claim. On the
line table itself only history lines may say so; ``history.attach_history`` moves it there."""

CLAIMS_A_BATCH = 8_192
_RECORD_READERS = {"x12": read_x12, "fhir": read_fhir, "ndjson": read_ndjson}
SEEN_BEFORE = "has the claim id of a claim that was read before"
_MEND_SEEN = "give each claim an id of its own, or leave the second one out"


@dataclass(slots=True, frozen=True)
class ReadOptions:
    """How to read."""

    format: str = ""
    """One of ``FORMATS``; empty = by content and extension."""
    mapping: str = ""
    """CSV and Parquet: a shipped mapping or a mapping file; empty = the shipped one that fits."""
    program: str = ""
    """Short word that stands in where a claim does not say who pays."""
    setting: str = ""
    """Short word that stands in for PRACTITIONER where a professional claim does not say more."""
    identifiers: IdentifierHash | None = None
    """Replaces every identifier; None = they stay, but for member numbers, which are always digests."""


@dataclass(slots=True)
class ReadBatch:
    """Some claims, and what was not read beside them."""

    table: pa.Table
    """Of ``READ_SCHEMA``: whole claims, rows of a claim together, no claim id twice."""
    rejections: list[Rejection] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


class ClaimInput:
    """The claims of several files as batches. ``counts`` grow while they are taken, and add up at every moment."""

    def __init__(self, paths: Sequence[str], options: ReadOptions) -> None:
        self._paths = paths
        self._options = options
        self._ids = ClaimIds()
        self.counts = Counts()
        self.left_out = 0
        """Rows of tables that their mapping leaves out."""
        self.bytes_known = sum(Path(path).stat().st_size for path in paths if path != "-" and Path(path).is_file())
        """Packed bytes of the files that are named, for progress."""
        self._bytes_done = 0
        self._stream: BinaryIO | None = None

    def batches(self) -> Iterator[ReadBatch]:
        """Every batch, in the order of the files.

        Raises:
            MappingError: a mapping is wrong or does not fit; before any row of that file is read.
            SourceError: a file that was named cannot be opened, or has no format that is known.
        """
        try:
            for path in self._paths:
                for file in open_claim_files(path):
                    self._stream = file.stream if file.path is not None else None
                    yield from self._read_file(file, "!" in file.name and path != file.name)
                    if _has_shrunk(file):
                        what = "the file became shorter while it was read; records may be missing"
                        shrunk = reject(file.name, Position(), "", what, "read it when nobody writes to it")
                        yield self._batch(_no_rows(), [shrunk])
                    self._stream = None
                    self._bytes_done += file.size
        finally:
            self._ids.close()

    @property
    def bytes_read(self) -> int:
        """Packed bytes that were read so far, about."""
        here = self._stream.tell() if self._stream is not None and not self._stream.closed else 0
        return self._bytes_done + here

    def _read_file(self, file: ClaimFile, is_member: bool) -> Iterator[ReadBatch]:
        kind = self._options.format or detect_format(file)
        if kind not in FORMATS:
            what = "has no format that is known"
            if not is_member:
                raise SourceError(f"{file.name}: {what}; name one with --from: {', '.join(FORMATS)}")
            yield self._batch(_no_rows(), [reject(file.name, Position(), "", what, "leave it out of the archive")])
            return
        self.counts.files += 1
        self.counts.formats[kind] = self.counts.formats.get(kind, 0) + 1
        if kind in _RECORD_READERS:
            records = _RECORD_READERS[kind](file, self._options.program, self._options.setting)
            yield from self._collect(records)
            return
        read = read_csv_claims if kind == "csv" else read_parquet_claims
        try:
            for batch in read(file, self._options.mapping):
                yield self._take_table(file.name, batch)
        except (SourceError, MappingError) as error:
            if not is_member or (self._options.mapping and isinstance(error, MappingError)):
                raise
            what = str(error).removeprefix(f"{file.name}: ").replace("\n", "; ")
            yield self._batch(_no_rows(), [reject(file.name, Position(), "", what, "leave it out of the archive")])

    def _collect(self, records: Iterable[Record]) -> Iterator[ReadBatch]:
        claims: list[ReadClaim] = []
        rejections: list[Rejection] = []
        notices: list[Notice] = []
        for record in records:
            if isinstance(record, ReadClaim):
                claims.append(record)
            elif isinstance(record, Rejection):
                rejections.append(record)
            else:
                notices.append(record)
            if len(claims) + len(rejections) + len(notices) >= CLAIMS_A_BATCH:
                yield self._take_claims(claims, rejections, notices)
                claims, rejections, notices = [], [], []
        if claims or rejections or notices:
            yield self._take_claims(claims, rejections, notices)

    def _take_claims(self, claims: list[ReadClaim], rejections: list[Rejection], notices: list[Notice]) -> ReadBatch:
        again = self._ids.seen(hash_texts(pa.array([record.claim.claim_id for record in claims], pa.string())))
        builder = LineBatchBuilder()
        for record, is_again in zip(claims, again.tolist(), strict=True):
            if is_again:
                rejections.append(reject(record.source, record.position, "claim_id", SEEN_BEFORE, _MEND_SEEN))
            else:
                builder.add(record.claim, record.paid)
        return self._batch(_with_payment(builder.take()), rejections, notices)

    def _take_table(self, name: str, batch: TableBatch) -> ReadBatch:
        table = batch.table
        self.left_out += batch.left_out
        rejections = list(batch.rejections)
        if table.num_rows:
            starts = claim_starts(table)
            ids = table.column("claim_id").combine_chunks().take(pa.array(starts))
            again = self._ids.seen(hash_texts(ids))
            if again.any():
                sizes = np.diff(np.append(starts, table.num_rows))
                for claim in np.flatnonzero(again).tolist():
                    row = int(batch.positions[starts[claim]])
                    position = Position(row=row) if batch.unit == "row" else Position(line=row)
                    rejections.append(reject(name, position, "claim_id", SEEN_BEFORE, _MEND_SEEN))
                table = table.filter(pa.array(np.repeat(~again, sizes)))
        return self._batch(_with_payment(table), rejections, batch.notices)

    def _batch(self, table: pa.Table, rejections: list[Rejection], notices: Sequence[Notice] = ()) -> ReadBatch:
        self.counts.add_claims(len(claim_starts(table)), table.column("history_claim_id").null_count)
        self.counts.add_rejected(rejections)
        self.counts.notices += len(notices)
        if self._options.identifiers is not None:
            table = self._options.identifiers.table(table)
        return ReadBatch(table, rejections, list(notices))


def read_records(paths: Sequence[str], options: ReadOptions) -> Iterator[Record]:
    """Claims, rejections and notices one by one, from the formats that come so: X12, FHIR, NDJSON.

    Raises:
        SourceError: a file cannot be opened, or is a table.
    """
    for path in paths:
        for file in open_claim_files(path):
            kind = options.format or detect_format(file)
            if kind not in _RECORD_READERS:
                raise SourceError(f"{file.name}: is no X12, FHIR or NDJSON file; read it as a table")
            for record in _RECORD_READERS[kind](file, options.program, options.setting):
                if isinstance(record, ReadClaim) and options.identifiers is not None:
                    claim = options.identifiers.claim(record.claim)
                    yield ReadClaim(claim, record.source, record.position, record.paid)
                else:
                    yield record


def _has_shrunk(file: ClaimFile) -> bool:
    """A plain file that ended before the size it had when it was opened. Parquet says so itself."""
    return file.path is not None and not file.stream.closed and 0 < file.stream.tell() < file.size


def claim_starts(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The first row of each claim of a line table."""
    if table.num_rows == 0:
        return np.zeros(0, dtype=np.int64)
    ids = table.column("claim_id").combine_chunks()
    changes = np.asarray(pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)))
    return np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.int64)


def _no_rows() -> pa.Table:
    return READ_SCHEMA.empty_table()


def _with_payment(table: pa.Table) -> pa.Table:
    """``READ_SCHEMA``: what is said of own lines moves to a column of its own."""
    paid = table.column("paid")
    is_own = table.column("history_claim_id").is_null()
    nothing = pa.scalar(None, pa.bool_())
    own = pc.if_else(is_own, paid, nothing)
    index = table.column_names.index("paid")
    return table.set_column(index, "paid", pc.if_else(is_own, nothing, paid)).append_column("was_paid", own)
