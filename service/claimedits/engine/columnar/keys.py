"""Keys of groups: all that a family reads of the lines of a group, so written that groups decided alike have one key."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from claimedits.engine.columnar.days import DayClasses
from claimedits.engine.columnar.lines import LineColumns
from claimedits.rulesets.mapped_arrays import Array


def group_keys(
    lines: LineColumns,
    columns: Sequence[Array],
    providers: tuple[Array, Array],
    classes: DayClasses | Array,
    rows: Array,
    ends: Array,
) -> list[Hashable]:
    """For each group of ``rows`` the values of ``columns``, who gave the services, and the days.

    ``providers`` are rendering providers and their specialties: what is read is which of them are alike or empty
    (semantics.md §A.1). Where all lines are of one day, its class stands for it.
    """
    contents = list(zip(*[column[rows].tolist() for column in columns], strict=True))
    named, specialties = providers[0][rows].tolist(), providers[1][rows].tolist()
    of_row = classes.of(lines.first_day[rows]) if isinstance(classes, DayClasses) else classes[rows]
    firsts, lasts, of_class = lines.first_day[rows].tolist(), lines.last_day[rows].tolist(), of_row.tolist()
    keys: list[Hashable] = []
    start = 0
    for end in ends.tolist():
        day, group = firsts[start], slice(start, end)
        one_day = firsts[group] == lasts[group] == [day] * (end - start)
        days = of_class[start] if one_day else (*firsts[group], *lasts[group])
        keys.append((days, tell_apart(named[group], specialties[group]), *contents[group]))
        start = end
    return keys


def tell_apart(providers: Sequence[int], specialties: Sequence[int]) -> Hashable:
    """Which lines have the same provider and specialty, and which name none; None where all have the same provider."""
    first = providers[0]
    if all(provider == first for provider in providers):
        return None
    return _numbered(providers), _numbered(specialties)


def _numbered(values: Sequence[int]) -> tuple[int, ...]:
    """Values by the order of their first appearance; 0 stays 0."""
    number_of = {0: 0}
    return tuple([number_of.setdefault(value, len(number_of)) for value in values])
