"""What is known of codes: the code lists of a store, and the numbers that lists have given out (``rules/lints/code-forms.toml``)."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pyarrow as pa

from claimedits.model.dates import FOREVER, Day
from claimedits.model.problems import StoreError
from claimedits.rulesets.authored.code_lists import ListRow, stands_between
from claimedits.rulesets.code_sets import class_of_modifier, class_of_procedure
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store
from claimedits.rulesets.windows import BEGINNING, read_window

PROCEDURE, MODIFIER, DIAGNOSIS, PLACE, CARC, RARC, STATE = (
    "procedure", "modifier", "diagnosis", "place-of-service", "carc", "rarc", "state",
)  # fmt: skip
_TABLES: Mapping[str, tuple[str, str, str]] = {
    "procedure-codes": (PROCEDURE, "codes", "procedure_code"),
    "modifiers": (MODIFIER, "modifiers", "modifier"),
    "icd10": (DIAGNOSIS, "codes", "icd10_code"),
    "place-of-service": (PLACE, "codes", "place_of_service"),
    "adjustment-codes": ("", "codes", "adjustment_code"),
    "pfs": (PROCEDURE, "indicators", "procedure_code"),
    "mue": (PROCEDURE, "values", "procedure_code"),
}
"""Kind of rule set → kind of code, table, column."""
_UNDATED = ("pfs", "mue")
"""Tables that know codes and say nothing of their end."""
_COMPLETE = ("pfs",)
"""Those that list every code of a class that they list any of; the others say nothing of a code that they lack."""
_RANGE = re.compile(r"([A-Z]*)(\d+)(?:-\1(\d+))?")
Span = tuple[Day, Day]


def _class_of(kind: str, code: str) -> str:
    """Whose list a code belongs to, told from its form."""
    if kind == MODIFIER:  # HCPCS files hold the letters of CPT's physical status, and none of its numbers
        return "numbers" if code.isdigit() else class_of_modifier(code)
    return class_of_procedure(code) if kind == PROCEDURE else kind


class Known(Enum):
    """What a book says of a code on some days."""

    VALID = "valid"
    UNKNOWN = "unknown"
    """On no list, though there is one that should hold it."""
    ENDED = "ended"
    """Valid on none of the days."""
    ENDS_EARLY = "ends early"
    """Valid on some of the days, and ended before the last of them."""
    UNJUDGED = "unjudged"
    """No list is at hand that could know."""


@dataclass(slots=True)
class CodeBook:
    """Codes of one kind."""

    kind: str
    names: list[str] = field(default_factory=list)
    """Which lists, as people call them."""
    spans: dict[str, list[Span]] = field(default_factory=dict)
    """Days of each code, both ends inclusive."""
    classes: dict[str, Day] = field(default_factory=dict)
    """Which classes of codes the lists hold (CPT codes and HCPCS Level II stand on different ones), and since which day they
    hold every one: a list without last days has forgotten what ended before it."""
    forms: list[tuple[str, int, int, int]] = field(default_factory=list)
    """Prefix, first and last number, digits (0 = any): what is not loaded but given out."""
    _ordered: list[str] = field(default_factory=list)

    def judge(self, first: str, last: str, span: Span) -> tuple[Known, Day]:
        """What is known of a code, or of a range of codes, on the days of ``span``; the last valid day where it ended.

        A range is unknown when no code of it is known, and never ended.
        """
        if not self._can_know(first, span):
            return Known.UNJUDGED, FOREVER
        if first != last:
            return (Known.VALID if self._some_between(first, last) else Known.UNKNOWN), FOREVER
        if not self.spans:
            return (Known.VALID if self._was_given_out(first) else Known.UNKNOWN), FOREVER
        spans = self.spans.get(first)
        if spans is None:
            return Known.UNKNOWN, FOREVER
        end = max(last_day for _, last_day in spans)
        if not any(start <= span[1] and span[0] <= stop for start, stop in spans):
            return Known.ENDED, end
        return (Known.ENDS_EARLY if end < span[1] and end != FOREVER else Known.VALID), end

    def _can_know(self, code: str, span: Span) -> bool:
        if not self.spans:
            return bool(self.forms)
        since = self.classes.get(_class_of(self.kind, code))
        return code in self.spans or (since is not None and span[1] >= since)

    def holds_class(self, code: str, since: Day) -> None:
        """Record that a list holds the codes of the class of ``code`` that were valid on ``since`` or later."""
        name = _class_of(self.kind, code)
        self.classes[name] = min(since, self.classes.get(name, since))

    def _was_given_out(self, code: str) -> bool:
        match = _RANGE.fullmatch(code)
        if match is None or match[3]:
            return False
        number = int(match[2])
        return any(
            prefix == match[1] and low <= number <= high and digits in (0, len(match[2]))
            for prefix, low, high, digits in self.forms
        )

    def _some_between(self, first: str, last: str) -> bool:
        if not self.spans:
            return self._was_given_out(first) and self._was_given_out(last)
        if len(self._ordered) != len(self.spans):
            self._ordered = sorted(self.spans)
        for code in self._ordered[bisect_left(self._ordered, first) :]:
            if code > last:
                return False
            if stands_between(code, first, last):
                return True
        return False


Books = Mapping[str, CodeBook]


def read_forms(path: Path) -> dict[str, CodeBook]:
    """Books of the numbers that code lists have given out.

    Raises:
        StoreError: the file is missing or malformed; the message names it.
    """
    books: dict[str, CodeBook] = {}
    try:
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["form"]:
            book = CodeBook(row["kind"], [row["source"]])
            for word in row.get("words", ()):
                book.spans[word] = [(BEGINNING, FOREVER)]
                book.holds_class(word, BEGINNING)
            for text in row.get("ranges", ()):
                match = _RANGE.fullmatch(text)
                if match is None:
                    raise ValueError(f"{text} is no range")
                digits = len(match[2]) if match[2].startswith("0") or row["kind"] == PLACE else 0
                book.forms.append((match[1], int(match[2]), int(match[3] or match[2]), digits))
            books[book.kind] = book
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); restore it as shipped") from error
    return books


def read_books(store: Store | None, forms: Books) -> dict[str, CodeBook]:
    """Books of the code lists of a store; where it has none of a kind, the numbers given out.

    Raises:
        StoreError: a table is damaged.
    """
    books: dict[str, CodeBook] = dict(forms)
    if store is None:
        return books
    loaded: dict[str, CodeBook] = {}
    by_set: dict[str, list[RevisionInfo]] = {}
    for info in store.revisions():
        if info.header.kind in _TABLES:
            by_set.setdefault(info.header.rule_set, []).append(info)
    dated = [infos for infos in by_set.values() if infos[0].header.kind not in _UNDATED]
    undated = [infos for infos in by_set.values() if infos[0].header.kind in _UNDATED]
    for infos in dated:
        _add_editions(store, infos, loaded)
    for infos in undated:
        _add_undated(store, infos, loaded)
    return books | loaded


def read_modifier_list(rows: Iterable[ListRow]) -> CodeBook:
    """A book of the rows of a code list of modifiers, ranges spelled out."""
    book = CodeBook(MODIFIER)
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for row in rows:
        window = read_window(row.effective_from, row.effective_to, row.first)
        for code in (a + b for a in letters for b in letters) if row.first != row.last else (row.first,):
            if code == row.first or stands_between(code, row.first, row.last):
                book.spans.setdefault(code, []).append((window.effective_from, window.effective_to))
                book.holds_class(code, BEGINNING)
        book.names = [f"list {row.list_name}"]
    return book


def _book(loaded: dict[str, CodeBook], kind: str) -> CodeBook:
    return loaded.setdefault(kind, CodeBook(kind))


def _add_editions(store: Store, infos: Sequence[RevisionInfo], loaded: dict[str, CodeBook]) -> None:
    """Rows with days of their own have these; others the days that their editions govern, the first and last ones open."""
    infos = sorted(infos, key=lambda info: (info.header.effective_from, info.header.published_on))
    kind, table, column = _TABLES[infos[0].header.kind]
    for number, info in enumerate(infos):
        rows = store.tables(info.id)[table]
        starts = BEGINNING if number == 0 else info.header.effective_from
        ends = FOREVER if number == len(infos) - 1 else info.header.effective_to
        names = rows.column_names
        ends_are_stated = _days(rows, "effective_to").count(None) < rows.num_rows
        categories = rows["category"].to_pylist() if not kind and "category" in names else [kind] * rows.num_rows
        for category, code, first, last in zip(
            categories,
            rows[column].to_pylist(),
            _days(rows, "effective_from"),
            _days(rows, "effective_to"),
            strict=True,
        ):
            book = _book(loaded, kind or str(category).lower())
            span = (starts if first is None else first, ends if last is None else last)
            if number == len(infos) - 1 or first is None or code not in book.spans:
                book.spans.setdefault(code, []).append(span)
            book.holds_class(code, BEGINNING if ends_are_stated else infos[0].header.effective_from)
        for book in loaded.values():
            if book.kind in (kind, CARC, RARC) and info is infos[-1] and (kind or book.kind in (CARC, RARC)):
                book.names.append(f"{info.header.rule_set} {info.header.label}")


def _add_undated(store: Store, infos: Iterable[RevisionInfo], loaded: dict[str, CodeBook]) -> None:
    book = _book(loaded, PROCEDURE)
    for info in infos:
        _, table, column = _TABLES[info.header.kind]
        for code in store.tables(info.id)[table][column].to_pylist():
            # A list that states the days of the class comes first; these only add what it does not hold.
            if code not in book.spans:
                book.spans[code] = [(BEGINNING, FOREVER)]
            if info.header.kind in _COMPLETE:
                book.holds_class(code, info.header.effective_from)
        if info.header.kind in _COMPLETE:
            book.names.append(f"{info.header.rule_set} {info.header.label}")


def _days(rows: pa.Table, name: str) -> list[Day | None]:
    if name not in rows.column_names:
        return [None] * rows.num_rows
    days: list[Day | None] = rows[name].cast(pa.int32()).to_pylist()
    return days
