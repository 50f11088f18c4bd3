"""Reads 837P and 837I files: every CLM becomes one claim or one rejection, whatever stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claimedits.app.claim_sources.containers import READ_ERRORS, ClaimFile, explain
from claimedits.app.claim_sources.records import Notice, Position, ReadClaim, Record, Rejection, reject
from claimedits.app.claim_sources.x12_claim import ClaimBuilder, ClaimSegments
from claimedits.app.claim_sources.x12_codes import x12_codes
from claimedits.app.claim_sources.x12_envelopes import Envelope
from claimedits.app.claim_sources.x12_loops import Loops
from claimedits.app.claim_sources.x12_segments import Segment, read_segments
from claimedits.model.claim_reading import read_claim
from claimedits.model.problems import ClaimInvalidError, Problem

_CLAIM_ENDS = frozenset(["CLM", "HL", "SE", "ST", "GS", "GE", "ISA", "IEA"])
_LINE_PATH = re.compile(r"lines\[(\d+)\]\.(\w+)")
_CUT_OFF = "the input ends or changes before the claim does; lines may be missing"
_MEND_CUT_OFF = "send the whole file again"


@dataclass(slots=True)
class _Open:
    """A claim whose end has not come."""

    segments: ClaimSegments
    position: Position


class X12Reader:
    """Walks the segments of one file. ``program`` and ``setting`` stand in where the file does not say."""

    def __init__(self, file: ClaimFile, program: str = "", setting: str = "") -> None:
        self._file = file
        self._envelope = Envelope()
        self._loops = Loops()
        self._builder = ClaimBuilder(self._loops, program, setting)
        self._open: _Open | None = None
        self._guide = ""
        self._refused = ""
        """Why the claims of this transaction cannot be read; empty = they can."""
        self._claims = 0

    def records(self) -> Iterator[Record]:
        """Claims, rejections and notices in the order of the file."""
        last: Segment | None = None
        try:
            for segment in read_segments(self._file.stream):
                last = segment
                yield from self._step(segment)
        except READ_ERRORS as error:
            yield from self._close_claim(_CUT_OFF)
            position = self._envelope.position(last) if last is not None else Position(byte=0)
            yield reject(
                self._file.name, position, "", f"the file cannot be read further: {explain(error)}", _MEND_CUT_OFF
            )
            return
        yield from self._end(last)

    def _end(self, last: Segment | None) -> Iterator[Record]:
        yield from self._close_claim(_CUT_OFF)
        if last is None:
            yield reject(self._file.name, Position(byte=0), "", "the file is empty", "send an X12 837 interchange")
            return
        position = self._envelope.position(last)
        for problem in self._envelope.end():
            yield Notice(self._file.name, position, problem)
        if not self._envelope.interchange and not self._claims:
            yield reject(
                self._file.name, Position(byte=0), "", "is no X12 interchange", "an interchange begins with ISA"
            )

    def _step(self, segment: Segment) -> Iterator[Record]:
        if segment.tag in _CLAIM_ENDS or segment.flaw:
            yield from self._end_claim(segment)
        envelope = self._envelope
        envelope.step(segment)
        for problem in envelope.problems:
            yield Notice(self._file.name, envelope.position(segment), problem)
        tag = segment.tag
        if tag == "CLM":
            self._claims += 1
            yield from self._begin_claim(segment)
        elif tag == "ST":
            yield from self._begin_transaction(segment)
        elif tag == "HL":
            self._loops.open_level(segment)
        elif tag == "SE":
            envelope.leave()
            self._loops.clear()
        elif self._open is not None:
            self._open.segments.take(segment)
            if not segment.terminated and segment.tag:
                self._open.segments.add(segment, "has no terminator", _MEND_CUT_OFF)
        elif envelope.in_transaction:
            if segment.flaw:
                problem = Problem("segment", segment.flaw, "end each segment with the terminator that ISA names")
                yield Notice(self._file.name, envelope.position(segment), problem)
            self._loops.take(segment)
        elif tag not in _CLAIM_ENDS and envelope.interchange and tag not in ("TA1",):
            problem = Problem("segment", "stands outside a transaction", "put it between ST and SE, or take it out")
            yield Notice(self._file.name, envelope.position(segment), problem)

    def _end_claim(self, segment: Segment) -> Iterator[Record]:
        if self._open is None or (segment.flaw and segment.tag not in _CLAIM_ENDS):
            return
        whole = segment.tag in ("CLM", "HL", "SE")
        yield from self._close_claim("" if whole else _CUT_OFF)

    def _begin_transaction(self, segment: Segment) -> Iterator[Record]:
        envelope, codes = self._envelope, x12_codes()
        self._loops.clear()
        self._guide = self._refused = ""
        guide = envelope.implementation
        if not envelope.in_interchange:
            self._refused = "stands outside an interchange: no ISA names its delimiters"
        elif not envelope.in_group:
            self._refused = "stands outside a functional group"
        elif envelope.transaction_set != "837":
            problem = Problem("ST01", "is no 837; its transaction holds no claims", "leave it out")
            yield Notice(self._file.name, envelope.position(segment), problem)
            self._refused = "stands in a transaction that is no 837"
        elif guide.startswith((codes.professional, codes.institutional)):
            self._guide = codes.professional if guide.startswith(codes.professional) else codes.institutional
        else:
            shown = guide if re.fullmatch(r"\d{6}X\d{3}\w{0,3}", guide) else "not named"
            self._refused = (
                f"follows an implementation guide other than {codes.professional} and {codes.institutional} ({shown})"
            )

    def _begin_claim(self, segment: Segment) -> Iterator[Record]:
        envelope = self._envelope
        position = envelope.position(segment)
        if not envelope.in_transaction or self._refused:
            what = self._refused or "stands outside a transaction"
            mend = "send it in an 837 of version 5010, with all its envelopes"
            yield reject(self._file.name, position, f"segment {segment.number} CLM", what, mend)
            return
        segments = ClaimSegments(segment, self._guide == x12_codes().institutional)
        self._open = _Open(segments, position)
        if not segment.terminated or segment.flaw:
            segments.add(segment, segment.flaw or "has no terminator", _MEND_CUT_OFF)

    def _close_claim(self, cut_off: str) -> Iterator[ReadClaim | Rejection]:
        if self._open is None:
            return
        opened, self._open = self._open, None
        fields, problems = self._builder.build(opened.segments)
        if cut_off:
            problems.append(Problem("", cut_off, _MEND_CUT_OFF))
        if not opened.segments.lines:
            opened.segments.add(opened.segments.clm, "has no service line", "send at least one LX")
        claim = None
        try:
            claim = read_claim(fields)
        except ClaimInvalidError as error:
            problems.extend(self._place(opened.segments, error.problems))
        if claim is not None and not problems:
            yield ReadClaim(claim, self._file.name, opened.position)
        else:
            count = len(opened.segments.lines)
            yield Rejection(self._file.name, opened.position, tuple(dict.fromkeys(problems)), count)

    @staticmethod
    def _place(segments: ClaimSegments, problems: Sequence[Problem]) -> Iterator[Problem]:
        """Problems of fields, with the segment that the field came from; not those that were told with their segment."""
        for problem in problems:
            found = _LINE_PATH.match(problem.where)
            segment = segments.clm
            if found:
                line = segments.lines[int(found[1])]
                segment = line.service or line.lx
                if line.told & {"*", found[2]}:
                    continue
            if problem.where == "lines" and problem.what == "is empty":
                continue
            yield Problem(f"segment {segment.number} {segment.tag} ({problem.where})", problem.what, problem.mend)


def read_x12(file: ClaimFile, program: str = "", setting: str = "") -> Iterator[Record]:
    """The records of one X12 file; ``program`` and ``setting`` are short words or empty."""
    return X12Reader(file, program, setting).records()
