"""Which differences reach back: they change what holds on service days before the new revision's own (semantics.md §G.2).

For a row that is added, removed or changed there is a first service day on which the two revisions disagree about it:

* a row that only one revision holds alive: its first day;
* a row whose first day moved: the earlier of the two;
* a row whose last day moved (a deletion date was added, taken back or moved): the day after the earlier of the two, since the last
  day is inclusive; so an edit that ended with the old quarter is not retroactive;
* a row that says something else (indicator, value, type): its first day, for the publisher has overwritten it;
* a row that never lived, in either (a tombstone), and a difference in what only explains: no day.

The difference is retroactive where that day lies before the *boundary*: the first day that the new revision governs. Rows
without days of their own (MUE values, fee schedules) hold from the first day of their revision, so they never reach back before it.

A *re-issue*, which governs days that the old revision governs from their first on, takes the place of answers already given:
then the boundary is the day after the last day that both govern, or, where neither ends, the day on which it was published.
A rule set that only one of two releases holds has no differences that reach back: nothing, or everything, answered before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.rulesets.comparison.row_matching import Array, Matching
from claimedits.rulesets.comparison.row_names import RowNames
from claimedits.rulesets.revision import RevisionHeader

Tables = Mapping[str, pa.Table]
_NEVER = 2**40
"""Later than every day, FOREVER included."""


def boundary(old: RevisionHeader, new: RevisionHeader) -> Day:
    """Differences that touch service days before this one are retroactive."""
    overlap = min(old.effective_to, new.effective_to)
    if new.effective_from > old.effective_from or overlap < old.effective_from:
        return new.effective_from
    return overlap + 1 if overlap != FOREVER else max(new.effective_from, new.published_on)


def find_retroactive(
    names: RowNames,
    table: str,
    matching: Matching,
    old: tuple[RevisionHeader, Tables],
    new: tuple[RevisionHeader, Tables],
) -> Array:
    """For each difference, whether it is retroactive."""
    since = boundary(old[0], new[0])
    starts, ends = [], []
    for (_, tables), rows in ((old, matching.old_rows), (new, matching.new_rows)):
        first, last = _lifetimes(names, tables, table, rows, new[0].effective_from)
        starts.append(first)
        ends.append(last)
    alive = [first <= last for first, last in zip(starts, ends, strict=True)]
    decides = np.zeros(len(matching.old_rows), dtype=bool)
    for name, differs in matching.differing.items():
        if name not in (*names.moving, *names.last_days, *names.describing):
            decides |= differs
    both = alive[0] & alive[1]
    first = np.minimum(np.where(alive[0], starts[0], _NEVER), np.where(alive[1], starts[1], _NEVER))
    later = np.where(ends[0] != ends[1], np.minimum(ends[0], ends[1]) + 1, _NEVER)
    return np.where(both & ~decides & (starts[0] == starts[1]), later, first) < since


def _lifetimes(names: RowNames, tables: Tables, table: str, rows: Array, undated: Day) -> tuple[Array, Array]:
    """First and last day of each row, inclusive; a row that is not there, or never lived, ends before it begins."""
    held = rows >= 0
    first = np.full(len(rows), _NEVER, dtype=np.int64)
    last = np.full(len(rows), -_NEVER, dtype=np.int64)
    if not held.any():
        return first, last
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
    first[held], last[held] = begins, np.where(withdrawn, -_NEVER, ends)
    return first, last


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
