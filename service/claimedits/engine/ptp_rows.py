"""Rows of the PTP table by themselves: which are dead, which are alive on a day, which are one edit (semantics.md §A.3, §A.4)."""

from __future__ import annotations

from collections.abc import Sequence

from claimedits.model.dates import FOREVER, Day
from claimedits.rulesets.ptp_index import PtpRow


def is_tombstone(row: PtpRow) -> bool:
    """Deleted retroactively, as if it had never existed (§A.4)."""
    return row.modifier_indicator == 9 or row.effective_to == row.effective_from


def is_alive(row: PtpRow, day: Day, inclusive: bool = True) -> bool:
    """§A.4: active on ``day``; the deletion date is the last active day unless ``ptp.deletion_date`` says otherwise."""
    last = row.effective_to if inclusive or row.effective_to == FOREVER else row.effective_to - 1
    return not is_tombstone(row) and row.effective_from <= day <= last


def identify(row: PtpRow) -> tuple[str, Day]:
    """What makes rows of one pair of codes the same edit: direction and effective date (§G.3, step 3)."""
    return row.column_1, row.effective_from


def find_indicator(rows: Sequence[PtpRow], row: PtpRow, revision: int) -> int | None:
    """The indicator that a revision gives to the edit of ``row``; None where it has no live row of it.

    ``rows`` are all rows of the pair, as ``PtpIndex.rows`` gives them.
    """
    for other in rows:
        if other.revisions >> revision & 1 and identify(other) == identify(row) and not is_tombstone(other):
            return other.modifier_indicator
    return None
