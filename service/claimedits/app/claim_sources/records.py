"""What reading a claim source gives: one answer a record, so that records = claims + rejections, always."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from claimedits.model.claim import Claim
from claimedits.model.problems import Problem


@dataclass(slots=True, frozen=True)
class Position:
    """Where a record stands in its file; 0 and empty text where the format has no such thing. All counts begin at 1."""

    interchange: int = 0
    group: int = 0
    transaction: int = 0
    """X12: the transaction set, counted in its group."""
    segment: int = 0
    """X12: the segment, counted in its transaction as SE01 counts (ST is 1); outside a transaction, in the file."""
    line: int = 0
    """Text files: the line of the file; a header is line 1."""
    row: int = 0
    """Parquet: the row of the file."""
    entry: int = 0
    """FHIR: the resource, counted in its bundle, array or file."""
    byte: int = -1
    """Offset of the record's first byte in the unpacked file, counted from 0; -1 where it is not known."""

    def __str__(self) -> str:
        return " ".join(f"{name} {value}" for name, value in self.as_fields().items()) or "file"

    def as_fields(self) -> dict[str, int]:
        """What is known, by name, the outermost first."""
        return {name: value for name, value in asdict(self).items() if (value >= 0 if name == "byte" else value > 0)}


WHOLE_FILE = Position()


@dataclass(slots=True, frozen=True)
class ReadClaim:
    """One claim, checked and normalised (``model.claim_reading``), without what the edits do not need."""

    claim: Claim
    source: str
    """The file, with the member of an archive after ``!``."""
    position: Position
    paid: tuple[bool | None, ...] = ()
    """Of each line, whether the payer paid it, where the source is an adjudicated claim; empty or None = unknown."""


@dataclass(slots=True, frozen=True)
class Rejection:
    """A record that could not be read, with everything that is wrong with it."""

    source: str
    position: Position
    problems: tuple[Problem, ...]
    lines: int = 0
    """Rows or service lines that went with it, where they are known."""

    @property
    def reason(self) -> str:
        """What is wrong, one problem after another."""
        return "; ".join(f"{p.where} {p.what}" if p.where else p.what for p in self.problems)

    @property
    def mend(self) -> str:
        """How to mend it, without repeating what mends several."""
        return "; ".join(dict.fromkeys(p.mend for p in self.problems if p.mend))

    def as_fields(self) -> dict[str, Any]:
        """For a file of rejections: no content of the claim, only places and reasons."""
        return {
            "file": self.source,
            "position": self.position.as_fields(),
            "reason": self.reason,
            "mend": self.mend,
            "problems": [{"where": p.where, "what": p.what, "mend": p.mend} for p in self.problems],
        }

    def __str__(self) -> str:
        return f"{self.source}: {self.position}: {self.reason}" + (f"; {self.mend}" if self.mend else "")


@dataclass(slots=True, frozen=True)
class Notice:
    """Something about a file that is no record of its own: an envelope that does not add up, a claim id seen twice."""

    source: str
    position: Position
    problem: Problem

    def as_fields(self) -> dict[str, Any]:
        """For a summary as JSON."""
        return {
            "file": self.source,
            "position": self.position.as_fields(),
            "what": self.problem.what,
            "mend": self.problem.mend,
        }

    def __str__(self) -> str:
        where = f"{self.problem.where} " if self.problem.where else ""
        return f"{self.source}: {self.position}: {where}{self.problem.what}" + (
            f"; {self.problem.mend}" if self.problem.mend else ""
        )


Record = ReadClaim | Rejection | Notice


def reject(source: str, position: Position, where: str, what: str, mend: str = "") -> Rejection:
    """A rejection for one reason."""
    return Rejection(source, position, (Problem(where, what, mend),))


@dataclass(slots=True)
class Counts:
    """How the records of an input add up."""

    files: int = 0
    records: int = 0
    claims: int = 0
    lines: int = 0
    """Service lines of the claims that were read."""
    rejected: int = 0
    notices: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    """Files by format."""

    def add_rejected(self, rejections: Iterable[Rejection]) -> None:
        """Count rejections, each of them one record."""
        number = sum(1 for _ in rejections)
        self.rejected += number
        self.records += number

    def add_claims(self, claims: int, lines: int) -> None:
        """Count claims, each of them one record."""
        self.claims += claims
        self.records += claims
        self.lines += lines
