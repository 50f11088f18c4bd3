"""Cells of mapped columns become values of a line table: each distinct text is read once, the rest is Arrow's work."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.column_fields import Kind, MappedField
from claimedits.app.claim_sources.column_mapping import Source, date_pattern
from claimedits.model.dates import Day, day_of
from claimedits.model.field_reading import (
    CLAIM_NAME,
    EARLIEST,
    IDENTIFIER,
    LARGEST_CENTS,
    LATEST,
    FieldReader,
    FieldRule,
)
from claimedits.model.problems import Problem

_MOST_REMEMBERED = 65_536
_BIRTH_YEARS = 50_000
"""Days by which a birth may lie before Medicare's first day (``field_reading.FieldReader.day``)."""
_MONTHS = {
    name: i
    for i, name in enumerate(["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)
}
_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "Y": True, "N": False, "yes": True, "no": False}

_MEND_RANGE = "write a day from 1966-07-01 to 2099-12-31"
_PLAIN_NAME = r"^[!-~]([ -~]{0,98}[!-~])?$"
"""Printable ASCII of at most 100 characters, without outer blanks."""
_PLAIN_AMOUNT = r"^-?[0-9]{1,9}([.][0-9]{1,2})?$"

TYPES: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.WORD: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.UNITS: pa.decimal128(18, 4),
    Kind.CENTS: pa.int64(),
    Kind.WHOLE: pa.int32(),
    Kind.WHOLES: pa.list_(pa.int32()),
    Kind.TRUTH: pa.bool_(),
}

Mask = npt.NDArray[np.bool_]


class BadCells:
    """Which rows of a batch hold a cell that cannot be read, and what is wrong with it."""

    def __init__(self) -> None:
        self.problems: dict[int, list[Problem]] = {}

    def add(self, rows: npt.NDArray[np.int64], field: str, what: str, mend: str) -> None:
        """Note the same problem of several rows."""
        problem = Problem(field, what, mend)
        for row in rows.tolist():
            self.problems.setdefault(row, []).append(problem)


class _BadValueError(Exception):
    """A text that is no value of its field."""

    def __init__(self, what: str, mend: str) -> None:
        self.what = what
        self.mend = mend


class CellReader:
    """Reads the cells of one field."""

    def __init__(self, source: Source, nulls: frozenset[str]) -> None:
        self.source = source
        self.field: MappedField = source.field
        self._nulls = nulls
        self._remembered: dict[object, Any] = {}
        rule = source.field.rule
        self._is_identifier = rule is CLAIM_NAME or rule is IDENTIFIER
        self._null_texts = pa.array(sorted(nulls), pa.string())
        pattern = date_pattern(source.date_format)
        assert pattern is not None  # the mapping was checked
        self._date_pattern = pattern
        self._convert: Callable[[str], Any] = {
            Kind.TEXT: self._text,
            Kind.TEXTS: self._text,
            Kind.WORD: self._word,
            Kind.DATE: self._date,
            Kind.UNITS: self._units,
            Kind.CENTS: self._cents,
            Kind.WHOLE: self._whole,
            Kind.WHOLES: self._whole,
            Kind.TRUTH: self._truth,
        }[source.field.kind]
        self._item_type = TYPES[source.field.kind]
        if pa.types.is_list(self._item_type):
            self._item_type = self._item_type.value_type

    def read(self, columns: Sequence[pa.Array], rows: int, bad: BadCells) -> pa.Array:
        """The values of ``rows`` rows from the columns of the source; what cannot be read is null and noted in ``bad``."""
        if self.source.constant is not None:
            constant = self._constant()
            return pa.repeat(pa.scalar(constant, TYPES[self.field.kind]), rows)
        if not columns:
            return pa.nulls(rows, TYPES[self.field.kind])
        if self.source.how == "join":
            texts = [_texts(column) for column in columns]
            return self._read_column(pc.binary_join_element_wise(*texts, ""), bad)
        if self.source.how == "first_of":
            return pc.coalesce(*(self._read_column(column, bad) for column in columns))
        if self.field.kind not in (Kind.TEXTS, Kind.WHOLES):
            return self._read_column(columns[0], bad)
        if len(columns) == 1 and (self.source.split or pa.types.is_list(columns[0].type)):
            return self._read_lists(columns[0], bad)
        return stack([self._read_column(column, bad) for column in columns])

    def _constant(self) -> Any:
        text = self.source.constant or ""
        value = self._convert(text) if text else None
        return [value] if pa.types.is_list(TYPES[self.field.kind]) and value is not None else value

    def _read_column(self, column: pa.Array, bad: BadCells) -> pa.Array:
        """One column, one value a cell."""
        if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            return self._read_days(column, bad)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.cast(pa.binary())  # what a file calls text need not be UTF-8
        quick = self._read_quickly(column)
        if quick is not None:
            return quick
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        meanings, wrong = [], {}
        for code, raw in enumerate(encoded.dictionary.to_pylist()):
            meaning = self._meaning(raw)
            if isinstance(meaning, _BadValueError):
                wrong[code] = meaning
                meaning = None
            meanings.append(meaning)
        values = pa.array(meanings, self._item_type)
        if self.source.blank is not None and encoded.null_count:
            values = pa.concat_arrays([values, pa.array([self._meaning("")], self._item_type)])
            indices = pc.fill_null(encoded.indices, len(meanings))
        else:
            indices = encoded.indices
        if wrong:
            codes = np.asarray(pc.fill_null(encoded.indices, -1))
            for code, error in wrong.items():
                bad.add(np.flatnonzero(codes == code), self.field.name, error.what, error.mend)
        return values.take(indices)

    def _read_days(self, column: pa.Array, bad: BadCells) -> pa.Array:
        """A column of the file's own dates or times; the time of the day is left out."""
        days = np.asarray(pc.fill_null(column.cast(pa.date32(), safe=False).cast(pa.int32()), EARLIEST)).astype(
            np.int64
        )
        earliest = EARLIEST - _BIRTH_YEARS if self.field.name == "birth_date" else EARLIEST
        good = (days >= earliest) & (days <= LATEST)
        bad.add(np.flatnonzero(~good), self.field.name, "is out of range", _MEND_RANGE)
        valid = pa.array(good & np.asarray(pc.is_valid(column)))
        return pc.if_else(valid, pa.array(days.astype(np.int32)), pa.scalar(None, pa.int32())).cast(pa.date32())

    def _read_quickly(self, column: pa.Array) -> pa.Array | None:
        """Identifiers and amounts, which have many distinct values, in Arrow alone; None where a value is not plain.

        Gives what reading each distinct value gives; what is not plain is left to that.
        """
        source = self.source
        if source.values or source.others is not None or source.blank is not None or source.pad:
            return None
        is_amount = self.field.kind is Kind.CENTS and source.in_dollars
        if not is_amount and not (self._is_identifier and self.field.kind is Kind.TEXT):
            return None
        if not (pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
            return None
        try:
            texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
        except pa.ArrowInvalid:  # not UTF-8
            return None
        texts = pc.if_else(pc.is_in(texts, value_set=self._null_texts), pa.scalar(None, pa.string()), texts)
        plain = pc.match_substring_regex(texts, _PLAIN_AMOUNT if is_amount else _PLAIN_NAME)
        if not pc.all(plain, skip_nulls=True).as_py() and texts.null_count < len(texts):
            return None
        if not is_amount:
            return texts
        return pc.multiply(texts.cast(pa.decimal128(14, 2)), pa.scalar(Decimal(100), pa.decimal128(3, 0))).cast(
            pa.int64()
        )

    def _read_lists(self, column: pa.Array, bad: BadCells) -> pa.Array:
        """One column, several values a cell: a list, or a text that is split."""
        if not pa.types.is_list(column.type):
            texts = _texts(column)
            texts = pc.if_else(pc.is_in(texts, value_set=self._null_texts), pa.scalar(None, pa.string()), texts)
            column = pc.split_pattern(texts, self.source.split)
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
        inner = BadCells()
        items = self._read_column(column.flatten(), inner)
        owners = np.repeat(np.arange(len(column), dtype=np.int64), lengths)
        for item, problems in inner.problems.items():
            for problem in problems:
                bad.add(owners[item : item + 1], self.field.name, problem.what, problem.mend)
        kept = np.asarray(pc.is_valid(items))
        counts = np.bincount(owners[kept], minlength=len(column))
        lists = _lists(counts, items.filter(pa.array(kept)))
        return pc.if_else(pc.is_valid(column), lists, pa.scalar(None, lists.type)) if column.null_count else lists

    def _meaning(self, raw: object) -> Any:
        known = self._remembered.get(raw, self)
        if known is not self:
            return known
        try:
            meaning = self._read(raw)
        except _BadValueError as error:
            meaning = error
        if not self._is_identifier:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[raw] = meaning
        return meaning

    def _read(self, raw: object) -> Any:
        if raw is None:
            return None
        text = text_of(raw).strip()
        source = self.source
        if text in self._nulls:
            text = source.blank or ""
        elif source.values or source.others is not None:
            text = source.values.get(text, text if source.others is None else source.others)
        if not text:
            return None
        if source.pad and text.isdigit():
            text = text.zfill(source.pad)
        return self._convert(text)

    def _text(self, text: str) -> Any:
        rule = self.field.rule
        assert rule is not None
        if self._is_identifier:
            if text.isprintable() and len(text) <= 100:
                return text
            raise _BadValueError(rule.what, rule.mend)
        return _ruled(text, rule)

    def _word(self, text: str) -> str:
        if text.upper() in self.field.words:
            return text.upper()
        raise _BadValueError("is not a known word", f"use one of {', '.join(self.field.words)}")

    def _date(self, text: str) -> Day:
        mend = f"write a day of the calendar as {self.source.date_format}"
        pattern = self._date_pattern
        found = pattern.fullmatch(text)
        day = _day(found.groupdict()) if found else None
        if day is None:
            raise _BadValueError("is not a date", mend)
        earliest = EARLIEST - _BIRTH_YEARS if self.field.name == "birth_date" else EARLIEST
        if not earliest <= day <= LATEST:
            raise _BadValueError("is out of range", _MEND_RANGE)
        return day

    def _units(self, text: str) -> Decimal:
        number = _number(text)
        if number is None or not 0 <= number < 10**8 or number != round(number, 3):
            raise _BadValueError("is not a number of units", "write a decimal from 0 to 99999999.999")
        return number

    def _cents(self, text: str) -> int:
        number = _number(text.replace("$", "").replace(",", ""))
        cents = None if number is None else number * 100 if self.source.in_dollars else number
        if cents is None or cents != cents.to_integral_value() or abs(cents) > LARGEST_CENTS:
            unit = "dollars and cents" if self.source.in_dollars else "cents"
            raise _BadValueError(f"is not an amount in {unit}", "leave it out where it is unknown")
        return int(cents)

    def _whole(self, text: str) -> int:
        number = _number(text)
        if number is None or number != number.to_integral_value() or not 1 <= number <= 99_999:
            raise _BadValueError("is not a whole number from 1 to 99999", "count from 1")
        return int(number)

    def _truth(self, text: str) -> bool:
        if self.source.positive:
            number = _number(text)
            if number is None:
                raise _BadValueError("is not an amount", "leave it out where it is unknown")
            return number > 0
        if text not in _TRUTHS and text.lower() not in _TRUTHS:
            raise _BadValueError("is neither true nor false", "leave it out where it is unknown")
        return _TRUTHS.get(text, _TRUTHS.get(text.lower(), False))


def text_of(raw: object) -> str:
    """A cell as text: numbers as they are written, without a fraction that is none.

    Raises:
        _BadValueError: bytes that are not UTF-8.
    """
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bytes):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise _BadValueError("is not UTF-8", "convert the file to UTF-8") from None
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float):
        if not math.isfinite(raw):
            return ""
        return str(int(raw)) if raw == int(raw) and abs(raw) < 1e15 else repr(raw)
    return str(raw)


def _texts(column: pa.Array) -> pa.Array:
    """A column as strings, whatever it holds."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.binary())
    if pa.types.is_binary(column.type):
        try:
            return pc.utf8_trim_whitespace(column.cast(pa.string()))
        except pa.ArrowInvalid:
            pass  # each distinct value shows which ones are not UTF-8
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = []
    for raw in encoded.dictionary.to_pylist():
        try:
            texts.append(None if raw is None else text_of(raw).strip())
        except _BadValueError:
            texts.append("\N{REPLACEMENT CHARACTER}")  # refused later, by the rule of the field
    return pa.array(texts, pa.string()).take(encoded.indices)


def _ruled(text: str, rule: FieldRule) -> str:
    reader = FieldReader()
    value = reader.text("", text, rule)
    if reader.problems:
        raise _BadValueError(reader.problems[0].what, reader.problems[0].mend)
    return value


def _number(text: str) -> Decimal | None:
    if len(text) > 40 or not text.isascii():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 20 else None


def _day(parts: dict[str, str | None]) -> Day | None:
    try:
        year = int(parts["year"] or 0)
        if parts.get("ordinal"):
            start = datetime.date(year, 1, 1)
            day = start + datetime.timedelta(int(parts["ordinal"] or 0) - 1)
            return day_of(day) if day.year == year else None
        month = _MONTHS.get((parts.get("name") or "").upper()) or int(parts.get("month") or 0)
        return day_of(datetime.date(year, month, int(parts["day"] or 0)))
    except (ValueError, OverflowError):
        return None


def stack(columns: Sequence[pa.Array]) -> pa.Array:
    """Columns side by side as one column of lists, without the nulls."""
    rows = len(columns[0])
    filled = np.stack([np.asarray(pc.is_valid(column)) for column in columns], axis=1)
    places = np.arange(len(columns) * rows, dtype=np.int64).reshape(len(columns), rows).T
    values = pa.concat_arrays(list(columns)).take(pa.array(places[filled]))
    return _lists(filled.sum(axis=1), values)


def _lists(counts: npt.NDArray[Any], values: pa.Array) -> pa.Array:
    offsets = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
