"""The envelopes of X12: where a segment stands, and whether control numbers and counts agree (X12.5, X12.6).

What does not agree is told as a problem of the file; the claims inside stay accounted for one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from claimedits.app.claim_sources.records import Position
from claimedits.app.claim_sources.x12_segments import Segment
from claimedits.model.problems import Problem

_MEND_COUNT = "send the file again, or mend the count; claims may be missing"
_MEND_NUMBER = "headers and trailers carry one control number"


@dataclass(slots=True)
class Envelope:
    """Steps through ISA, GS, ST and their trailers."""

    interchange: int = 0
    group: int = 0
    transaction: int = 0
    segment: int = 0
    in_interchange: bool = False
    in_group: bool = False
    in_transaction: bool = False
    problems: list[Problem] = field(default_factory=list)
    """What the last step found; emptied by the next one."""
    group_version: str = ""
    transaction_set: str = ""
    implementation: str = ""
    """ST03, else GS08: which implementation guide the transaction follows."""
    _controls: dict[str, str] = field(default_factory=dict)
    _transactions_of_file: int = 0
    _segments_of_file: int = 0

    def position(self, segment: Segment) -> Position:
        """Where a segment stands."""
        number = self.segment if self.in_transaction else self._segments_of_file
        return Position(self.interchange, self.group, self.transaction, number, byte=segment.byte)

    def step(self, segment: Segment) -> None:
        """Take the next segment of the file."""
        self.problems = []
        self._segments_of_file += 1
        if self.in_transaction:
            self.segment += 1
        handler = {
            "ISA": self._open_interchange,
            "IEA": self._close_interchange,
            "GS": self._open_group,
            "GE": self._close_group,
            "ST": self._open_transaction,
            "SE": self._close_transaction,
        }.get(segment.tag)
        if handler is not None:
            handler(segment)
        segment.number = self.segment if self.in_transaction or segment.tag == "SE" else self._segments_of_file

    def leave(self) -> None:
        """After a trailer: what it closed is no longer open."""
        self.in_transaction = False

    def end(self) -> list[Problem]:
        """At the end of the file: which envelopes nobody closed."""
        names = [
            (self.in_transaction, "transaction", "SE"),
            (self.in_group, "functional group", "GE"),
            (self.in_interchange, "interchange", "IEA"),
        ]
        return [
            Problem("", f"the {name} has no {trailer}", "send the whole file; its end is missing")
            for is_open, name, trailer in names
            if is_open
        ]

    def _add(self, where: str, what: str, mend: str) -> None:
        self.problems.append(Problem(where, what, mend))

    def _open_interchange(self, segment: Segment) -> None:
        if self.in_interchange:
            self._add("ISA", "begins an interchange before the one before it ended", "close each interchange with IEA")
        self.interchange += 1
        self.group = self.transaction = self.segment = 0
        self.in_interchange, self.in_group, self.in_transaction = not segment.flaw, False, False
        if segment.flaw:
            self._add("ISA", segment.flaw, "send the header as 106 bytes, as X12 asks")
            return
        self._controls["ISA"] = segment.get(13)

    def _close_interchange(self, segment: Segment) -> None:
        if not self.in_interchange:
            self._add("IEA", "closes no interchange", "each IEA needs its ISA")
            return
        if self.in_group or self.in_transaction:
            self._add("IEA", "closes an interchange whose group is open", "close the group with GE first")
        self._compare("IEA", segment, self.group, "groups", self._controls.get("ISA", ""))
        self.in_interchange = self.in_group = self.in_transaction = False

    def _open_group(self, segment: Segment) -> None:
        if self.in_group:
            self._add("GS", "begins a group before the one before it ended", "close each group with GE")
        self.group += 1
        self.transaction = self.segment = 0
        self.in_group, self.in_transaction = True, False
        self.group_version = segment.get(8)
        self._controls["GS"] = segment.get(6)

    def _close_group(self, segment: Segment) -> None:
        if not self.in_group:
            self._add("GE", "closes no group", "each GE needs its GS")
            return
        if self.in_transaction:
            self._add("GE", "closes a group whose transaction is open", "close the transaction with SE first")
        self._compare("GE", segment, self.transaction, "transactions", self._controls.get("GS", ""))
        self.in_group = self.in_transaction = False

    def _open_transaction(self, segment: Segment) -> None:
        if self.in_transaction:
            self._add("ST", "begins a transaction before the one before it ended", "close each transaction with SE")
        self.transaction += 1
        self.segment = 1
        self.in_transaction = True
        self.transaction_set = segment.get(1)
        self.implementation = segment.get(3) or (self.group_version if self.in_group else "")
        if segment.get(3) and self.in_group and self.group_version and segment.get(3) != self.group_version:
            self._add("ST03", "names another implementation guide than GS08", "name the same in both")
        self._controls["ST"] = segment.get(2)

    def _close_transaction(self, segment: Segment) -> None:
        if not self.in_transaction:
            self._add("SE", "closes no transaction", "each SE needs its ST")
            return
        self._compare("SE", segment, self.segment, "segments", self._controls.get("ST", ""))

    def _compare(self, tag: str, segment: Segment, counted: int, what: str, control: str) -> None:
        said = segment.get(1)
        if not (said.isascii() and said.isdigit() and len(said) <= 12 and int(said) == counted):
            number = said if said.isascii() and said.isdigit() and len(said) <= 12 else "no number"
            self._add(f"{tag}01", f"says {number} {what} where {counted} stand", _MEND_COUNT)
        if segment.get(2) != control:
            self._add(f"{tag}02", "is not the control number of the header", _MEND_NUMBER)
