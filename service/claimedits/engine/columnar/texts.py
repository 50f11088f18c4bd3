"""Text columns as numbers: each different text is read once, by the rule of its field, and remembered under a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.field_reading import FieldReader, FieldRule
from claimedits.rulesets.mapped_arrays import Array

UNREAD = -1
"""The number of a text that the field's rule refuses."""


class Vocabulary:
    """The normalised texts of one kind of field, numbered in the order of appearance; number 0 is the empty text."""

    def __init__(self, rule: FieldRule) -> None:
        self._rule = rule
        self.values: list[str] = [""]
        self._number_of: dict[str, int] = {"": 0}
        self._by_sent: dict[str, int] = {"": 0}

    def __len__(self) -> int:
        return max(len(self.values), len(self._by_sent))

    def number(self, sent: str) -> int:
        """The number of the text that ``sent`` means; UNREAD where the rule refuses it."""
        number = self._by_sent.get(sent)
        if number is None:
            reader = FieldReader()
            text = reader.text("", sent, self._rule)
            number = UNREAD if reader.problems else self.number_of(text)
            self._by_sent[sent] = number
        return number

    def number_of(self, text: str) -> int:
        """The number of a normalised text."""
        number = self._number_of.setdefault(text, len(self.values))
        if number == len(self.values):
            self.values.append(text)
        return number

    def encode(self, array: pa.Array) -> Array:
        """The numbers of a text column, as int32; null is the empty text."""
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        words = encoded.dictionary.to_pylist()
        numbers = np.array([0 if w is None else self.number(w) for w in words] + [0], dtype=np.int32)
        indices = encoded.indices
        if indices.null_count:
            indices = indices.fill_null(len(words))
        return np.asarray(numbers[indices.to_numpy(zero_copy_only=False)])


def are_plain_names(array: pa.Array) -> Array:
    """Which texts are plainly identifiers: null, or at most 100 printable ASCII letters without blanks around them.

    The rest may still be one; whoever asks reads it in full.
    """
    texts = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    plain = pc.and_(pc.string_is_ascii(texts), pc.ascii_is_printable(texts))
    plain = pc.and_(plain, pc.less_equal(pc.binary_length(texts), 100))
    plain = pc.and_not(plain, pc.or_(pc.starts_with(texts, " "), pc.ends_with(texts, " ")))
    return np.asarray(pc.fill_null(plain, True).to_numpy(zero_copy_only=False))


def differ_from_previous(array: pa.Array) -> Array:
    """For every row whether its value differs from the row before; the first row does not. Null equals the empty text."""
    differ = np.zeros(len(array), dtype=bool)
    if len(array) < 2:
        return differ
    if pa.types.is_dictionary(array.type):
        indices = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        differ[1:] = indices[1:] != indices[:-1]
        return differ
    if array.null_count:
        array = array.fill_null(_EMPTY[array.type] if array.type in _EMPTY else pa.scalar("", array.type))
    differ[1:] = pc.not_equal(array.slice(1), array.slice(0, len(array) - 1)).to_numpy(zero_copy_only=False)
    return differ


_EMPTY: dict[pa.DataType, Any] = {pa.date32(): pa.scalar(-(2**31), pa.int32()).cast(pa.date32())}


def lengths_and_items(array: pa.Array) -> tuple[Array, pa.Array]:
    """Of a list column: the length of every list, a null one being empty, and the items of all lists in one array."""
    lengths = array.value_lengths()
    if lengths.null_count:
        lengths = lengths.fill_null(0)
    return lengths.to_numpy(zero_copy_only=False).astype(np.int64), array.flatten()


def lists_differ_from_previous(lengths: Array, items: Array) -> Array:
    """For every row whether its list differs from that of the row before; the first row does not."""
    n = len(lengths)
    differ = np.zeros(n, dtype=bool)
    if n < 2:
        return differ
    differ[1:] = lengths[1:] != lengths[:-1]
    alike = ~differ
    alike[0] = False
    of_row = np.repeat(np.arange(n), lengths)
    compared = np.flatnonzero(alike[of_row])
    unlike = compared[items[compared] != items[compared - lengths[of_row[compared]]]]
    differ[of_row[unlike]] = True
    return differ
