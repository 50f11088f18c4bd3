"""Tables, claim lines and the two time axes of the reference (semantics.md §A.1, §A.4, §G.3), in plain lists and dicts.

Written from the semantics alone: nothing here is imported from the product, so that agreement means something.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Date = datetime.date
Row = dict[str, Any]
ONE_DAY = datetime.timedelta(days=1)
WORST_FIRST = ["FAIL", "REVIEW", "NOT_EVALUATED", "BYPASSED", "PASS", "NOT_APPLICABLE"]


def date(text: str) -> Date | None:
    """A date; None for the empty text."""
    return Date.fromisoformat(text) if text else None


@dataclass
class Revision:
    """One revision of one rule set. Both ends of its period are governed; ``effective_to`` None is open-ended.

    ``rows`` have the field names of the known answers (§H), dates as ``datetime.date``, None = no date.
    """

    rule_set: str
    label: str
    effective_from: Date
    effective_to: Date | None
    published_on: Date
    rows: list[Row]
    by_codes: dict[Any, list[Row]] = field(default_factory=dict)

    def governs(self, day: Date) -> bool:
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def rows_of(self, *codes: str) -> list[Row]:
        """Rows by their code fields: (column 1, column 2), (procedure code) or (add-on code)."""
        if not self.by_codes:
            for row in self.rows:
                self.by_codes.setdefault(code_key(row), []).append(row)
        return self.by_codes.get(codes, [])


def code_key(row: Row) -> tuple[str, ...]:
    if "column_1" in row:
        return (row["column_1"], row["column_2"])
    return (row["add_on_code"],) if "add_on_code" in row else (row["procedure_code"],)


class Tables:
    """Every revision that is loaded, seen from one ``as_of`` (published on or before it, §G.3)."""

    def __init__(self, revisions: list[Revision], as_of: Date) -> None:
        self.known = [revision for revision in revisions if revision.published_on <= as_of]

    def in_force(self, rule_set: str, day: Date, dated_rows: bool) -> Revision | None:
        """§G.3 steps 1 and 5."""
        known = [revision for revision in self.known if revision.rule_set == rule_set]
        governing = [revision for revision in known if revision.governs(day)]
        if governing:
            return max(governing, key=lambda revision: revision.published_on)
        later = [revision for revision in known if revision.effective_from > day]
        if dated_rows and later:
            return min(later, key=lambda revision: revision.effective_from)
        return None

    def newest(self, rule_set: str) -> Revision:
        known = [revision for revision in self.known if revision.rule_set == rule_set]
        return max(known, key=lambda revision: (revision.published_on, revision.effective_from))

    def active_rows(self, rule_set: str, day: Date, *codes: str) -> list[Row] | None:
        """Rows of the codes that stand on the day (§G.3 steps 1, 2, 3 and 5); None when no revision is loaded for it."""
        base = self.in_force(rule_set, day, dated_rows=True)
        if base is None:
            return None
        old, new = base.rows_of(*codes), self.newest(rule_set).rows_of(*codes)
        rows = []
        for row in old:
            if not is_active(row, day):
                continue
            same = [other for other in new if row_key(other) == row_key(row)]
            withdrawn = same and not any(is_active(other, day) for other in same)
            if not withdrawn:
                rows.append(row)
        held = [row_key(row) for row in old if not is_tombstone(row)]
        return rows + [row for row in new if is_active(row, day) and row_key(row) not in held]


def row_key(row: Row) -> tuple[Any, ...]:
    """The same pair and effective date (§G.3 step 3)."""
    return (*code_key(row), row.get("primary_code"), row["effective_from"])


def is_tombstone(row: Row) -> bool:
    """§A.4; for add-on rows §C.3."""
    return row.get("modifier_indicator") == "9" or row["effective_to"] == row["effective_from"]


def is_active(row: Row, day: Date) -> bool:
    """§A.4: the deletion date is the last active day. Add-on and primary code must be undeleted, too (§C.3)."""
    if is_tombstone(row) or row["effective_from"] > day:
        return False
    ends = [row["effective_to"], row.get("add_on_deleted_on"), row.get("primary_deleted_on")]
    return all(end is None or day <= end for end in ends)


@dataclass
class Line:
    """A line of the claim, or of its history."""

    number: int
    code: str
    modifiers: list[str]
    units: Decimal
    first: Date
    last: Date
    rendering: str
    specialty: str
    place: str
    history: bool
    paid: bool

    @property
    def days(self) -> list[Date]:
        return [self.first + n * ONE_DAY for n in range((self.last - self.first).days + 1)]

    @property
    def is_span(self) -> bool:
        return self.first != self.last

    @property
    def statutorily_excluded(self) -> bool:
        return "GY" in self.modifiers


def read_line(fields: Row, history: bool) -> Line:
    first = Date.fromisoformat(fields["service_date"])
    return Line(
        number=fields["line_number"],
        code=fields["procedure_code"].strip().upper(),
        modifiers=[modifier.strip().upper() for modifier in fields.get("modifiers", [])],
        units=Decimal(fields["units"]),
        first=first,
        last=date(fields.get("service_date_end", "")) or first,
        rendering=fields.get("rendering_provider_id", ""),
        specialty=fields.get("rendering_specialty", ""),
        place=fields.get("place_of_service", ""),
        history=history,
        paid=fields.get("paid") is True,
    )


@dataclass
class Case:
    """A claim with the tables known on ``as_of``."""

    program: str
    setting: str
    billing_provider: str
    lines: list[Line]
    history: list[Line]
    tables: Tables

    def scope(self, a: Line, b: Line) -> str:
        """§A.1, ``ptp.same_provider`` = group_specialty: ``same`` or ``undecided``."""
        if self.setting in ("OUTPATIENT_HOSPITAL", "DME_SUPPLIER"):
            return "same"
        if a.rendering == b.rendering or not a.rendering or not b.rendering:
            return "same"
        if a.specialty and a.specialty == b.specialty:
            return "same"
        return "undecided"


@dataclass(frozen=True)
class Finding:
    line: int
    family: str
    status: str
    code: str = ""
    related: tuple[int, ...] = ()
    """Other lines of the claim; lines of the history are not numbered among them."""


@dataclass(frozen=True)
class Answer:
    """What the reference says of one line and family."""

    status: str
    codes: frozenset[str]
    """Of all findings."""
    worst_codes: frozenset[str]
    """Of the findings that have the worst status."""
    related: frozenset[int]


def worst(statuses: list[str]) -> str:
    """§0.2; PASS when nothing was said."""
    return min(statuses, key=WORST_FIRST.index) if statuses else "PASS"
