"""The rows of one part of a line table as arrays of numbers, and which claims these arrays can speak for.

A value that is not plainly good makes its claim *unsure*: it is then read field by field, by ``model.claim_reading``, which
says what is wrong with it or finds that nothing is. What this module lets through, that reading would let through as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from claimedits.engine.columnar.texts import (
    UNREAD,
    Vocabulary,
    are_plain_names,
    differ_from_previous,
    lengths_and_items,
    lists_differ_from_previous,
)
from claimedits.engine.columnar.units import thousandths_of
from claimedits.model.claim_reading import MOST_DIAGNOSES, MOST_MODIFIERS, ClaimLimits
from claimedits.model.field_reading import (
    CLIA,
    CODE,
    CONDITION_CODE,
    CONTRACTOR,
    DIAGNOSIS,
    EARLIEST,
    IDENTIFIER,
    LARGEST_CENTS,
    LATEST,
    MODIFIER,
    PLACE,
    REVENUE,
    SEX,
    STATE,
    TYPE_OF_BILL,
    FieldRule,
)
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.mapped_arrays import Array

ABSENT_DAY = -(2**31)
MOST_CONDITIONS = 24

_LINE_TEXTS: dict[str, FieldRule] = {
    "procedure_code": CODE,
    "rendering_provider_id": IDENTIFIER,
    "rendering_specialty": IDENTIFIER,
    "place_of_service": PLACE,
    "revenue_code": REVENUE,
}
_CLAIM_TEXTS: dict[str, FieldRule] = {
    "state": STATE,
    "contractor_id": CONTRACTOR,
    "sex": SEX,
    "type_of_bill": TYPE_OF_BILL,
    "clia_certificate": CLIA,
    "payer_id": IDENTIFIER,
}
_CLAIM_NAMES = ("billing_provider_id", "patient_id", "prior_authorization_number")
"""Identifiers that differ from claim to claim: looked at, and fetched when they are needed, never numbered."""


class Vocabularies:
    """Every vocabulary of a run; they grow with the texts seen."""

    def __init__(self) -> None:
        self.of = {name: Vocabulary(rule) for name, rule in (*_LINE_TEXTS.items(), *_CLAIM_TEXTS.items())}
        self.modifiers = Vocabulary(MODIFIER)
        self.diagnoses = Vocabulary(DIAGNOSIS)
        self.conditions = Vocabulary(CONDITION_CODE)

    @property
    def size(self) -> int:
        return sum(map(len, (*self.of.values(), self.modifiers, self.diagnoses, self.conditions)))


@dataclass(slots=True)
class LineColumns:
    """``n`` rows of whole claims. Arrays of rows unless said otherwise; texts are numbers of ``vocabularies``."""

    columns: Mapping[str, pa.Array]
    vocabularies: Vocabularies
    n: int
    starts: Array
    """First row of each claim, and ``n`` at the end."""
    claim_of: Array
    """Claim of each row."""
    is_history: Array
    texts: dict[str, Array]
    """Line texts by column name."""
    line_number: Array
    first_day: Array
    last_day: Array
    units: Array
    """In thousandths."""
    modifiers: Array
    """``n`` × 4 numbers, without gaps; 0 = none."""
    pointer_counts: Array
    pointer_starts: Array
    pointers: Array
    program: Array
    """Of each claim."""
    setting: Array
    """Of each claim."""
    claim_texts: dict[str, Array]
    """Of each claim."""
    diagnosis_counts: Array
    """Of each claim."""
    diagnosis_starts: Array
    diagnoses: Array
    unsure: Array
    """Claims that have to be read field by field."""
    own_lines: Array = field(default_factory=lambda: np.zeros(0))
    """How many lines of its own each claim has."""


def read_lines(columns: Mapping[str, pa.Array], n: int, vocabularies: Vocabularies, limits: ClaimLimits) -> LineColumns:
    """The arrays of a part of a table. ``columns`` are those of ``columns_of``; claims are whole."""
    return _Reader(columns, n, vocabularies, limits).read()


def find_history(columns: Mapping[str, pa.Array], n: int) -> Array:
    """Rows that name another claim."""
    named = columns.get("history_claim_id")
    if named is None or named.null_count == n:
        return np.zeros(n, dtype=bool)
    texts = named.dictionary_decode() if types.is_dictionary(named.type) else named
    blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), True)
    return np.asarray(~blank.to_numpy(zero_copy_only=False))


class _Reader:
    def __init__(
        self, columns: Mapping[str, pa.Array], n: int, vocabularies: Vocabularies, limits: ClaimLimits
    ) -> None:
        self.columns, self.n, self.vocabularies, self.limits = columns, n, vocabularies, limits
        begins = differ_from_previous(columns["claim_id"]) if "claim_id" in columns else np.zeros(n, dtype=bool)
        if n:
            begins[0] = True
        self.begins = begins
        heads = np.flatnonzero(begins)
        self.heads = heads
        self.starts = np.append(heads, n)
        self.claim_of = np.cumsum(begins, dtype=np.int64) - 1
        self.unsure = np.zeros(len(heads), dtype=bool)

    def read(self) -> LineColumns:
        history = self._history()
        program, setting = self._words("program", Program), self._words("setting", Setting)
        claim_texts = self._claim_texts()
        diagnosis_counts, diagnosis_starts, diagnoses = self._claim_list("diagnoses", self.vocabularies.diagnoses)
        most = np.full(max(Setting) + 1, 12)
        for one, count in MOST_DIAGNOSES.items():
            most[one] = count
        self.unsure |= diagnosis_counts > most[setting]
        condition_counts, _, _ = self._claim_list("condition_codes", self.vocabularies.conditions)
        self.unsure |= condition_counts > MOST_CONDITIONS
        texts = {name: self._line_text(name) for name in _LINE_TEXTS}
        self._need_code(texts, setting)
        first, last = self._days()
        pointer_counts, pointer_starts, pointers = self._pointers(history, diagnosis_counts)
        number = self._line_numbers(history)
        self._amounts()
        return LineColumns(
            columns=self.columns, vocabularies=self.vocabularies, n=self.n, starts=self.starts, claim_of=self.claim_of,
            is_history=history, texts=texts, line_number=number, first_day=first, last_day=last,
            units=self._units(), modifiers=self._modifiers(), pointer_counts=pointer_counts,
            pointer_starts=pointer_starts, pointers=pointers, program=program, setting=setting, claim_texts=claim_texts,
            diagnosis_counts=diagnosis_counts, diagnosis_starts=diagnosis_starts, diagnoses=diagnoses,
            unsure=self.unsure, own_lines=self.own_lines,
        )  # fmt: skip

    # ---- whose row a row is ----

    def _history(self) -> Array:
        """Rows that name another claim. Counts lines against the limits, and looks at ``paid``, which only they may have."""
        history = find_history(self.columns, self.n)
        if history.any():
            self._doubt_rows(history & ~are_plain_names(self.columns["history_claim_id"]))
        lines = np.diff(self.starts)
        of_history = np.bincount(self.claim_of[history], minlength=len(self.heads))
        self.own_lines = lines - of_history
        over = (self.own_lines > self.limits.lines) | (of_history > self.limits.history_lines)
        self.unsure |= over | (self.own_lines == 0)
        paid = self.columns.get("paid")
        if paid is not None and paid.null_count < self.n:
            self._doubt_rows(paid.is_valid().to_numpy(zero_copy_only=False) & ~history)
        return history

    def _doubt_rows(self, rows: Array) -> None:
        if rows.any():
            self.unsure[self.claim_of[rows]] = True

    # ---- fields of the claim ----

    def _same_on_every_row(self, differ: Array) -> None:
        """The fields of a claim stand on each of its rows."""
        self._doubt_rows(differ & ~self.begins)

    def _claim_texts(self) -> dict[str, Array]:
        """Texts of the claims; those of ``_CLAIM_NAMES`` are only looked at."""
        texts = {}
        for name, rule in _CLAIM_TEXTS.items():
            column = self.columns.get(name)
            if column is None:
                texts[name] = np.zeros(len(self.heads), dtype=np.int32)
                continue
            assert rule
            self._same_on_every_row(differ_from_previous(column))
            texts[name] = self.vocabularies.of[name].encode(column.take(pa.array(self.heads)))
            self.unsure |= texts[name] == UNREAD
        for name in ("claim_id", *_CLAIM_NAMES):
            column = self.columns.get(name)
            if column is not None:
                if name != "claim_id":
                    self._same_on_every_row(differ_from_previous(column))
                self.unsure |= ~are_plain_names(column.take(pa.array(self.heads)))
        named = self.columns.get("claim_id")
        if named is None:
            self.unsure[:] = True
        else:
            heads = named.take(pa.array(self.heads))
            blank = pc.equal(heads.dictionary_decode() if types.is_dictionary(heads.type) else heads, "")
            self.unsure |= pc.fill_null(blank, True).to_numpy(zero_copy_only=False)
        birth = self.columns.get("birth_date")
        if birth is not None:
            self._same_on_every_row(differ_from_previous(birth))
            days = _days_of(birth.take(pa.array(self.heads)))
            wrong = (days != ABSENT_DAY) & ((days < EARLIEST - 50_000) | (days > LATEST))
            self.unsure |= wrong
        return texts

    def _words(self, name: str, words: type[Program] | type[Setting]) -> Array:
        """The numbers of closed words, a claim each; 0 where the word is none."""
        column = self.columns.get(name)
        if column is None:
            self.unsure[:] = True
            return np.zeros(len(self.heads), dtype=np.int64)
        self._same_on_every_row(differ_from_previous(column))
        encoded = column.take(pa.array(self.heads))
        encoded = encoded if types.is_dictionary(encoded.type) else encoded.dictionary_encode()
        sent = encoded.dictionary.to_pylist()
        numbers = [words.__members__.get((word or "").strip().upper(), 0) for word in sent]
        table = np.array([*map(int, numbers), 0], dtype=np.int64)
        found = np.asarray(table[encoded.indices.fill_null(len(sent)).to_numpy(zero_copy_only=False)])
        self.unsure |= found == 0
        return found

    def _claim_list(self, name: str, vocabulary: Vocabulary) -> tuple[Array, Array, Array]:
        """A list of texts: its length and first item for each claim, and the items of all rows."""
        column = self.columns.get(name)
        if column is None:
            return np.zeros(len(self.heads), dtype=np.int64), np.zeros(len(self.heads), dtype=np.int64), _NOTHING
        lengths, sent = lengths_and_items(column)
        items = vocabulary.encode(sent)
        starts = np.cumsum(lengths) - lengths
        differ = lists_differ_from_previous(lengths, items)
        if column.null_count and name == "condition_codes":  # null and empty are not the same: unknown, none
            known = column.is_valid().to_numpy(zero_copy_only=False)
            differ[1:] |= known[1:] != known[:-1]
        self._same_on_every_row(differ)
        bad = items <= 0 if name == "diagnoses" else items == UNREAD  # pointers count: a gap cannot be closed silently
        if bad.any():
            of_row = np.repeat(np.arange(self.n), lengths)
            self.unsure[self.claim_of[of_row[bad]]] = True
        return lengths[self.heads], starts[self.heads], items

    # ---- fields of the line ----

    def _line_text(self, name: str) -> Array:
        column = self.columns.get(name)
        if column is None:
            return np.zeros(self.n, dtype=np.int32)
        numbers = self.vocabularies.of[name].encode(column)
        self._doubt_rows(numbers == UNREAD)
        return numbers

    def _need_code(self, texts: Mapping[str, Array], setting: Array) -> None:
        """A facility line may have a revenue code alone."""
        bare = texts["procedure_code"] == 0
        if bare.any():
            facility = (setting == Setting.OUTPATIENT_HOSPITAL)[self.claim_of]
            self._doubt_rows(bare & ~(facility & (texts["revenue_code"] > 0)))

    def _days(self) -> tuple[Array, Array]:
        column = self.columns.get("service_date")
        first = np.full(self.n, ABSENT_DAY) if column is None else _days_of(column)
        column = self.columns.get("service_date_end")
        last = first
        if column is not None and column.null_count < self.n:
            last = _days_of(column)
            last = np.where(last == ABSENT_DAY, first, last)
        self._doubt_rows((first < EARLIEST) | (last > LATEST) | (last < first))
        return first, last

    def _line_numbers(self, history: Array) -> Array:
        """Each line of the claim's own is numbered once."""
        column = self.columns.get("line_number")
        number: Array = _whole_of(column, self.n, 0)
        self._doubt_rows((number < 1) | (number > 99_999))
        own = np.flatnonzero(~history)
        falls = number[own[1:]] <= number[own[:-1]]
        falls &= self.claim_of[own[1:]] == self.claim_of[own[:-1]]
        if falls.any():  # not in ascending order: only then can one come twice
            mixed = np.zeros(len(self.heads), dtype=bool)
            mixed[self.claim_of[own[1:][falls]]] = True
            rows = own[mixed[self.claim_of[own]]]
            order = rows[np.lexsort((number[rows], self.claim_of[rows]))]
            twice = (number[order[1:]] == number[order[:-1]]) & (self.claim_of[order[1:]] == self.claim_of[order[:-1]])
            self.unsure[self.claim_of[order[1:][twice]]] = True
        return number

    def _units(self) -> Array:
        column = self.columns.get("units")
        if column is None:
            self.unsure[:] = True
            return np.zeros(self.n, dtype=np.int64)
        units, good = thousandths_of(column)
        self._doubt_rows(~good)
        return units

    def _modifiers(self) -> Array:
        """Blank places are left out, as feeds pad with them."""
        places = np.zeros((self.n, MOST_MODIFIERS), dtype=np.int32)
        column = self.columns.get("modifiers")
        if column is None:
            return places
        lengths, sent = lengths_and_items(column)
        items = self.vocabularies.modifiers.encode(sent)
        if not len(items):
            return places
        of_row = np.repeat(np.arange(self.n), lengths)
        kept = items != 0
        if not kept.all():
            items, of_row = items[kept], of_row[kept]
            lengths = np.bincount(of_row, minlength=self.n)
        bad = items == UNREAD
        if bad.any():
            self.unsure[self.claim_of[of_row[bad]]] = True
        many = lengths > MOST_MODIFIERS
        place = np.arange(len(items)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        if many.any():
            self._doubt_rows(many)
            fits = place < MOST_MODIFIERS
            items, of_row, place = items[fits], of_row[fits], place[fits]
        places[of_row, place] = items
        return places

    def _pointers(self, history: Array, diagnosis_counts: Array) -> tuple[Array, Array, Array]:
        column = self.columns.get("diagnosis_pointers")
        if column is None:
            return np.zeros(self.n, dtype=np.int64), np.zeros(self.n, dtype=np.int64), _NOTHING
        lengths, sent = lengths_and_items(column)
        starts = np.cumsum(lengths) - lengths
        if types.is_null(sent.type) or sent.null_count:
            missing = sent.is_null().to_numpy(zero_copy_only=False)
            self.unsure[self.claim_of[np.repeat(np.arange(self.n), lengths)[missing]]] = True
            sent = sent.cast(pa.int64()).fill_null(0)
        items = sent.to_numpy(zero_copy_only=False)
        most = np.where(history, 2**62, diagnosis_counts[self.claim_of])
        bad = (items < 1) | (items > np.repeat(most, lengths))
        if bad.any():
            self.unsure[self.claim_of[np.repeat(np.arange(self.n), lengths)[bad]]] = True
        return lengths, starts, items

    def _amounts(self) -> None:
        for name in ("charge_cents", "non_covered_charge_cents"):
            column = self.columns.get(name)
            if column is not None:
                cents = _whole_of(column, self.n, 0)
                self._doubt_rows((cents > LARGEST_CENTS) | (cents < -LARGEST_CENTS))


_NOTHING = np.zeros(0, dtype=np.int64)


def _days_of(column: pa.Array) -> Array:
    days = column.view(pa.int32())
    if days.null_count:
        days = days.fill_null(ABSENT_DAY)
    return np.asarray(days.to_numpy(zero_copy_only=False).astype(np.int64))


def _whole_of(column: pa.Array | None, n: int, absent: int) -> Array:
    if column is None:
        return np.full(n, absent, dtype=np.int64)
    return np.asarray((column.fill_null(absent) if column.null_count else column).to_numpy(zero_copy_only=False))
