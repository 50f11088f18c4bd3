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
A rule set that only one of two releases holds has no differences that reach back: nothing, or everything, answered before. Nor
have two rule sets that are compared with each other: neither takes the other's place.
"""

from __future__ import annotations

import numpy as np

from claimedits.model.dates import FOREVER, Day
from claimedits.rulesets.comparison.lifetimes import NEVER, Lifetimes
from claimedits.rulesets.comparison.row_matching import Array
from claimedits.rulesets.revision import RevisionHeader


def boundary(old: RevisionHeader, new: RevisionHeader) -> Day:
    """Differences that touch service days before this one are retroactive."""
    overlap = min(old.effective_to, new.effective_to)
    if new.effective_from > old.effective_from or overlap < old.effective_from:
        return new.effective_from
    return overlap + 1 if overlap != FOREVER else max(new.effective_from, new.published_on)


def first_disagreements(old: Lifetimes, new: Lifetimes, decides: Array) -> Array:
    """For each difference, the first service day on which the revisions disagree; NEVER = no day.

    ``decides``: whether a changed row differs in a column that decides something.
    """
    first = np.minimum(np.where(old.alive, old.first, NEVER), np.where(new.alive, new.first, NEVER))
    later = np.where(old.last != new.last, np.minimum(old.last, new.last) + 1, NEVER)
    same_start = old.alive & new.alive & ~decides & (old.first == new.first)
    return np.where(same_start, later, first)
