"""Which revision answers for a service date, as known on ``as_of`` (semantics.md §G.3).

Time has two axes: the service date selects the revision, ``as_of`` selects what was known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from claimedits.model.dates import Day
from claimedits.rulesets.revision import RevisionInfo


@dataclass(slots=True, frozen=True)
class Selection:
    """The revisions that answer for one service date. Positions count in ``Editions.revisions``."""

    in_force: int
    newest: int
    """The newest known revision, which tells of retroactive changes (§G.3, step 3)."""
    reconstructed: bool = False
    """No revision governs the date; its dated rows are read from the earliest later one (§G.3, step 5)."""
    stale: bool = False
    """The date lies after the last governed day and ``version.after_last`` is ``evaluate_stale``."""


class View:
    """The revisions of one rule set known on one day."""

    def __init__(
        self, revisions: Sequence[RevisionInfo], known: Sequence[int], *, reconstruct: bool, stale: bool
    ) -> None:
        self._revisions = revisions
        self._known = known
        self._reconstruct = reconstruct
        self._stale = stale
        self._newest = max(known, key=self._publication) if known else -1
        starts = {revisions[i].header.effective_from for i in known}
        ends = {revisions[i].header.effective_to + 1 for i in known}
        # Between two neighbours of these days the selection cannot change.
        self._boundaries = sorted(starts | ends)
        days = [self._boundaries[0] - 1, *self._boundaries] if self._boundaries else [0]
        self._by_segment: list[Selection | None] = [self._select(day) for day in days]

    @property
    def boundaries(self) -> list[Day]:
        """Ascending days; between two neighbours ``select`` gives the same."""
        return self._boundaries

    def _publication(self, position: int) -> tuple[Day, Day, int]:
        header = self._revisions[position].header
        return header.published_on, header.effective_from, position

    def select(self, day: Day) -> Selection | None:
        """The revisions that answer for ``day``; None where no data covers it."""
        return self._by_segment[bisect_right(self._boundaries, day)]

    def segments(self, first: Day, last: Day) -> list[tuple[Day, Day, Selection | None]]:
        """``first`` to ``last``, both inclusive, cut where another revision takes over."""
        low, high = bisect_right(self._boundaries, first), bisect_right(self._boundaries, last)
        cuts = [first, *self._boundaries[low:high], last + 1]
        return [(cuts[i], cuts[i + 1] - 1, self.select(cuts[i])) for i in range(len(cuts) - 1)]

    def _select(self, day: Day) -> Selection | None:
        headers = [(position, self._revisions[position].header) for position in self._known]
        governing = [i for i, header in headers if header.effective_from <= day <= header.effective_to]
        if governing:
            return Selection(max(governing, key=self._publication), self._newest)
        later = [i for i, header in headers if header.effective_from > day]
        if later:
            if not self._reconstruct:
                return None
            start = min(self._revisions[i].header.effective_from for i in later)
            first = [i for i in later if self._revisions[i].header.effective_from == start]
            return Selection(max(first, key=self._publication), self._newest, reconstructed=True)
        if self._stale and headers:
            end = max(header.effective_to for _, header in headers)
            last = [i for i, header in headers if header.effective_to == end]
            return Selection(max(last, key=self._publication), self._newest, stale=True)
        return None


class Editions:
    """All revisions of one rule set in a release, ordered by governed period, then publication."""

    def __init__(self, revisions: Sequence[RevisionInfo]) -> None:
        self.revisions: tuple[RevisionInfo, ...] = tuple(
            sorted(revisions, key=lambda r: (r.header.effective_from, r.header.published_on, r.id))
        )
        self._views: dict[tuple[Day, bool, bool], View] = {}

    @property
    def newest(self) -> int:
        """Position of the revision published last, whatever ``as_of``: for rule sets that read every quarter's tables."""
        return max(range(len(self.revisions)), key=lambda i: (self.revisions[i].header.published_on, i))

    def known(self, as_of: Day, *, reconstruct: bool = False, stale: bool = False) -> View:
        """What was known on ``as_of``: revisions with ``published_on <= as_of``.

        ``reconstruct`` lets dated rows be read from the earliest later revision; ``stale`` lets the last revision
        answer for dates after it.
        """
        key = (as_of, reconstruct, stale)
        view = self._views.get(key)
        if view is None:
            known = [i for i, r in enumerate(self.revisions) if r.header.published_on <= as_of]
            view = View(self.revisions, known, reconstruct=reconstruct, stale=stale)
            if len(self._views) >= 4096:  # as_of is the caller's: bounded, so that no caller can fill the memory
                self._views.clear()
            self._views[key] = view
        return view
