"""The days on which the rows of two editions are alive, and what their differences change for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.rulesets.comparison.row_matching import Array, Matching
from claimedits.rulesets.comparison.row_names import RowNames

Tables = Mapping[str, pa.Table]
NEVER: Day = 2**40
"""Later than every day, FOREVER included."""


class Lifetimes(NamedTuple):
    """First and last day of the rows that differ, on one side; both inclusive. A row that is not there, or never lived (a
    tombstone), ends before it begins."""

    first: Array
    last: Array

    @property
    def alive(self) -> Array:
        """Whether a row ever lives."""
        return np.asarray(self.first <= self.last)


def find_lifetimes(names: RowNames, table: str, tables: Tables, rows: Array, undated: Day) -> Lifetimes:
    """Lifetimes of the rows at these positions of a table, -1 = no row. ``undated``: the first day of rows that state none."""
    held = rows >= 0
    first = np.full(len(rows), NEVER, dtype=np.int64)
    last = np.full(len(rows), -NEVER, dtype=np.int64)
    if not held.any():
        return Lifetimes(first, last)
    found = tables[table].take(pa.array(rows[held]))
    begins = _first_days(names, tables, found, undated)
    ends = np.full(len(begins), FOREVER, dtype=np.int64)
    withdrawn = np.zeros(len(begins), dtype=bool)
    for place, name in enumerate(names.last_days):
        days = _days(found[name], FOREVER)
        ends = np.minimum(ends, days)
        if place == 0 and table == "edits":  # a tombstone: deleted with the day it began (§A.4, §C.3)
            withdrawn |= days == begins
    if "modifier_indicator" in found.column_names:
        withdrawn |= found["modifier_indicator"].to_numpy() == 9
    first[held], last[held] = begins, np.where(withdrawn, -NEVER, ends)
    return Lifetimes(first, last)


def _first_days(names: RowNames, tables: Tables, found: pa.Table, undated: Day) -> Array:
    if names.first_day:
        return _days(found[names.first_day], undated)
    if (
        "document_version" in found.column_names and "documents" in tables
    ):  # a row of a document lives from its version on
        documents = tables["documents"]
        keys = zip(documents["document_id"].to_pylist(), documents["document_version"].to_pylist(), strict=True)
        begins = dict(zip(keys, _days(documents["effective_from"], undated).tolist(), strict=True))
        wanted = zip(found["document_id"].to_pylist(), found["document_version"].to_pylist(), strict=True)
        return np.array([begins.get(key, undated) for key in wanted], dtype=np.int64)
    return np.full(found.num_rows, undated, dtype=np.int64)


def _days(column: pa.ChunkedArray, missing: Day) -> Array:
    """Days of a column of dates, or of texts YYYY-MM-DD; null and empty are ``missing``."""
    if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
        texts = column.cast(pa.string()).to_pylist()
        return np.array([parse_day(text) if text else missing for text in texts], dtype=np.int64)
    days = pc.fill_null(column.cast(pa.int32()), missing)
    return np.asarray(days.to_numpy()).astype(np.int64)


def decides(names: RowNames, matching: Matching) -> Array:
    """Whether a changed row differs in a column that decides something, its days aside."""
    differs = np.zeros(len(matching.old_rows), dtype=bool)
    for name, differing in matching.differing.items():
        if name not in (*names.moving, *names.last_days, *names.describing):
            differs |= differing
    return differs
