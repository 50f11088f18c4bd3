"""Which dated rows are there on a service date, as known on ``as_of`` (semantics.md §G.3, steps 2 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeVar

from claimedits.model.dates import Day
from claimedits.rulesets.versions import Selection


class DatedRow(Protocol):
    """A row of a cumulative table."""

    @property
    def revisions(self) -> int:
        """Bit ``i`` is set where the row stands in revision ``i``."""
        ...


R = TypeVar("R", bound=DatedRow)


def present_rows(
    rows: Sequence[R],
    day: Day,
    selection: Selection,
    alive: Callable[[R, Day], bool],
    identity: Callable[[R], Hashable],
) -> list[R]:
    """The rows active on ``day`` in the revision in force, corrected by retroactive changes of the newest known one.

    ``identity`` names the pair and effective date of a row. The newest revision overrides presence, never values:
    a row is gone where the newest holds the same pair and effective date only as withdrawn or deleted before ``day``;
    a row is there where the newest holds it alive on ``day`` and the revision in force lacks its pair and effective date.
    """
    in_force, newest = 1 << selection.in_force, 1 << selection.newest
    active = [row for row in rows if row.revisions & in_force and alive(row, day)]
    if selection.in_force == selection.newest:
        return active
    known = [row for row in rows if row.revisions & newest]
    held = {identity(row) for row in rows if row.revisions & in_force}
    gone = {identity(row) for row in known} - {identity(row) for row in known if alive(row, day)}
    kept = [row for row in active if identity(row) not in gone]
    return kept + [row for row in known if alive(row, day) and identity(row) not in held]
