"""Lints of dated rows, whatever table they stand in: covered, doubled, overlapping and gapped rows.

A row answers for a subject (a switch, a list, a finding code), for codes from a first to a last one, on days from a first
to a last one. In some tables the first row that fits answers; in others a row only adds its codes to a set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.rulesets.authored.code_lists import stands_between
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.windows import BEGINNING


@dataclass(slots=True, frozen=True)
class DatedRow:
    """One row of a table, or one of several subjects that a row speaks of."""

    file: str
    row: int
    subject: tuple[str, ...]
    """What it answers for; rows of different subjects have nothing to do with each other."""
    name: str
    """The subject as people call it: ``switch ptp.date_span``, ``list drugs``."""
    first: str
    """First code; empty where the subject has no codes."""
    last: str
    effective_from: Day
    effective_to: Day
    value: tuple[str, ...] = ()
    """What it answers; empty in a table of sets."""
    date_column: int = 1
    noun: str = "row"

    @property
    def codes(self) -> str:
        return self.first if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def days(self) -> str:
        """The window in words."""
        if self.effective_from == BEGINNING and self.effective_to == FOREVER:
            return "on all days"
        start = "" if self.effective_from == BEGINNING else f"from {format_day(self.effective_from)}"
        end = "" if self.effective_to == FOREVER else f"to {format_day(self.effective_to)}"
        return " ".join(filter(None, (start, end or ("on" if start else ""))))

    def meets(self, other: DatedRow) -> bool:
        """Whether both answer on some day."""
        return self.effective_from <= other.effective_to and other.effective_from <= self.effective_to

    def spans(self, other: DatedRow) -> bool:
        """Whether this one answers on every day of the other."""
        return self.effective_from <= other.effective_from and other.effective_to <= self.effective_to


Holds = Callable[[DatedRow, DatedRow], bool]
"""Whether every code of the second row is a code of the first."""


def holds_codes(outer: DatedRow, inner: DatedRow) -> bool:
    """For ranges whose ends have one form (``code_lists.stands_between``)."""
    if outer.first == outer.last or not inner.first:
        return (outer.first, outer.last) == (inner.first, inner.last)
    return stands_between(inner.first, outer.first, outer.last) and stands_between(inner.last, outer.first, outer.last)


def holds_prefixes(outer: DatedRow, inner: DatedRow) -> bool:
    """For ranges of codes or their first letters (``code_edits.CodeRanges``)."""
    return outer.first <= inner.first and inner.last + "~" <= outer.last + "~"


def check_rows(
    rows: Sequence[DatedRow], report: Report, *, is_set: bool, gaps: bool = True, holds: Holds = holds_codes
) -> None:
    """Covered, doubled and overlapping rows, and days that are left out between two rows of one subject.

    Args:
        is_set: rows only add codes; else the first row that fits answers.
        gaps: whether a subject should be answered on every day between its first and its last.
    """
    groups: dict[tuple[str, ...], list[DatedRow]] = defaultdict(list)
    for row in rows:
        groups[row.subject].append(row)
    said: set[tuple[int, int, str]] = set()
    for group in groups.values():
        for outer, inner in _nested(group, holds):
            _weigh_pair(outer, inner, group, report, said, is_set=is_set)
        if gaps:
            find_gaps(group, report, said)


def _nested(group: Sequence[DatedRow], holds: Holds) -> Iterator[tuple[DatedRow, DatedRow]]:
    """Pairs of rows of which the first holds every code of the second; equal ranges once, the earlier row first."""
    ordered = sorted(group, key=lambda r: (r.first, _descending(r.last), r.row))
    open_rows: list[DatedRow] = []
    for row in ordered:
        open_rows = [outer for outer in open_rows if outer.last + "~" >= row.first]
        for outer in open_rows:
            if holds(outer, row):
                yield outer, row
        open_rows.append(row)


def _descending(text: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in text + "~")


def _makes_needless(covering: DatedRow, row: DatedRow, group: Sequence[DatedRow], *, is_set: bool) -> bool:
    """Whether a row that another one covers changes no answer."""
    if is_set or covering.row < row.row:
        return True
    # A later row answers the same only where none between them answers otherwise.
    between = (other for other in group if row.row < other.row < covering.row)
    return covering.value == row.value and not any(other.value != row.value and other.meets(row) for other in between)


def _weigh_pair(
    outer: DatedRow,
    inner: DatedRow,
    group: Sequence[DatedRow],
    report: Report,
    said: set[tuple[int, int, str]],
    *,
    is_set: bool,
) -> None:
    if not outer.meets(inner):
        return
    equal = (outer.first, outer.last) == (inner.first, inner.last)
    same_days = (outer.effective_from, outer.effective_to) == (inner.effective_from, inner.effective_to)
    early, late = sorted((outer, inner), key=lambda r: r.row)
    if (early.row, late.row, "pair") in said:
        return
    said.add((early.row, late.row, "pair"))
    about = f"{late.name}{f', {late.codes}' if late.first else ''}"
    if equal and same_days and outer.value == inner.value:
        what = f"row {late.row} says again what row {early.row} says ({about})"
        _add(report, "CE102", late, what, "leave one of the two rows")
    elif equal and same_days:
        what = f"rows {early.row} and {late.row} answer differently for {about} {late.days}"
        _add(report, "CE112", late, what, "leave the right one, or give them dates that do not overlap")
    elif outer.spans(inner) and _makes_needless(outer, inner, group, is_set=is_set):
        what = f"row {inner.row} never matches: row {outer.row} already covers it ({_covering(outer, inner)})"
        _add(report, "CE101", inner, what, f"remove row {inner.row}, or narrow row {outer.row}")
    elif equal and inner.spans(outer) and _makes_needless(inner, outer, group, is_set=is_set):
        what = f"row {outer.row} never matches: row {inner.row} already covers it ({_covering(inner, outer)})"
        _add(report, "CE101", outer, what, f"remove row {outer.row}, or narrow row {inner.row}")
    elif equal:
        first = max(outer.effective_from, inner.effective_from)
        last = min(outer.effective_to, inner.effective_to)
        days = f"from {format_day(first)}" + (f" to {format_day(last)}" if last != FOREVER else " on")
        what = f"rows {early.row} and {late.row} both answer for {about} {days}"
        begins = early if early.effective_from <= late.effective_from else late
        until = format_day(max(outer.effective_from, inner.effective_from) - 1)
        _add(
            report, "CE104", late, what, f"end row {begins.row} on {until}, the day before the other begins", date=True
        )


def _covering(outer: DatedRow, inner: DatedRow) -> str:
    """What the covering row holds."""
    codes = f"{outer.codes} " if outer.first else ""
    return f"{outer.name}, {codes}{outer.days}" if inner.first else f"{outer.name} {outer.days}"


def find_gaps(group: Sequence[DatedRow], report: Report, said: set[tuple[int, int, str]]) -> None:
    """Days between the first and the last of a subject that no row answers for; ``said`` keeps a pair from being named twice."""
    by_codes: dict[tuple[str, str], list[DatedRow]] = defaultdict(list)
    for row in group:
        by_codes[row.first, row.last].append(row)
    for rows in by_codes.values():
        ordered = sorted(rows, key=lambda r: (r.effective_from, r.effective_to))
        reach = ordered[0]
        for row in ordered[1:]:
            if reach.effective_to != FOREVER and row.effective_from > reach.effective_to + 1:
                first, last = format_day(reach.effective_to + 1), format_day(row.effective_from - 1)
                days = f"on {first}" if first == last else f"from {first} to {last}"
                about = f"{row.name}{f', {row.codes}' if row.first else ''}"
                what = f"no {row.noun} answers for {about} {days}, between rows {reach.row} and {row.row}"
                if (reach.row, row.row, "gap") not in said:
                    said.add((reach.row, row.row, "gap"))
                    mend = f"let row {row.row} begin on {first}, or say in a silence why nothing holds on these days"
                    _add(report, "CE105", row, what, mend, date=True)
            if row.effective_to > reach.effective_to:
                reach = row


def _add(report: Report, lint_id: str, row: DatedRow, what: str, mend: str, *, date: bool = False) -> None:
    subject = " ".join((*row.subject, row.codes, *row.value))
    report.add(lint_id, (row.file, row.row, row.date_column if date else 1), what, mend, subject=f"{lint_id} {subject}")
