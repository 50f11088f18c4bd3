"""Gaps and overlaps between the editions of one rule set (file-formats.md §10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.model.problems import Problem
from claimedits.rulesets.revision import RevisionInfo


class PeriodFault(NamedTuple):
    """Days that no edition of a rule set governs, or that two of them govern."""

    before: RevisionInfo
    after: RevisionInfo
    first: Day
    last: Day
    """Both inclusive."""
    is_gap: bool

    def concerns(self, revision_id: str) -> bool:
        """Whether a revision is one of the two."""
        return revision_id in (self.before.id, self.after.id)

    def as_problem(self) -> Problem:
        """The warning, which names both editions and the days."""
        days = (
            format_day(self.first)
            if self.first == self.last
            else f"{format_day(self.first)} to {format_day(self.last)}"
        )
        editions = f"{self.before.header.label} and {self.after.header.label}"
        if self.is_gap:
            what = f"no edition governs {days}, between {editions}: lines of those days are not evaluated"
            return Problem(self.after.header.rule_set, what, "import the editions between them", "W_PERIOD_GAP")
        what = f"{editions} both govern {days}: the one published later answers"
        mend = "check the dates of both, or leave one out of the release"
        return Problem(self.after.header.rule_set, what, mend, "W_PERIOD_OVERLAP")


def find_period_faults(revisions: Iterable[RevisionInfo]) -> list[PeriodFault]:
    """Gaps and overlaps of editions, by rule set and day.

    An edition may replace another of the same period (``r1`` over ``r0``), take over within one and end with it (a release
    amid a quarter, an April edition), or follow an open one: these are no faults.
    """
    by_rule_set: dict[str, list[RevisionInfo]] = {}
    for info in revisions:
        by_rule_set.setdefault(info.header.rule_set, []).append(info)
    return [fault for _, editions in sorted(by_rule_set.items()) for fault in _faults_of(editions)]


def _faults_of(editions: list[RevisionInfo]) -> Iterator[PeriodFault]:
    ordered = sorted(editions, key=lambda i: (i.header.effective_from, i.header.effective_to, i.header.published_on))
    reaching: RevisionInfo | None = None  # of those before, the one that governs longest
    for info in ordered:
        if reaching is not None and reaching.header.effective_to != FOREVER:
            end, start = reaching.header.effective_to, info.header.effective_from
            if start > end + 1:
                yield PeriodFault(reaching, info, end + 1, start - 1, is_gap=True)
            elif start <= end and info.header.effective_to != end:
                yield PeriodFault(reaching, info, start, min(end, info.header.effective_to), is_gap=False)
        if reaching is None or info.header.effective_to >= reaching.header.effective_to:
            reaching = info
