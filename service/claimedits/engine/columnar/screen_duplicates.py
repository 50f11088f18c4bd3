"""Screens DUPLICATE: lines of one claim, history included, that share code and first day (semantics.md §F.5)."""

from __future__ import annotations

import numpy as np

from claimedits.engine.columnar.days import DayClasses
from claimedits.engine.columnar.keys import group_keys
from claimedits.engine.columnar.part import NO_GROUPS, NO_ROWS, Groups, Part, Screening
from claimedits.engine.columnar.searches import find_repeats, gather
from claimedits.model.terms import Family, Status
from claimedits.rulesets.mapped_arrays import Array


def screen(part: Part) -> Screening:
    """Without another line of the same service and day nothing can be a duplicate."""
    lines = part.lines
    part.start(Family.DUPLICATE, Status.PASS)
    if part.run.release.duplicates is None:
        return Screening(Family.DUPLICATE, np.flatnonzero(part.own), (lines.first_day,), NO_GROUPS)
    code = lines.texts["procedure_code"].astype(np.int64)
    service = np.where(code > 0, code, -lines.texts["revenue_code"].astype(np.int64) - 1)
    repeated = find_repeats(lines.claim_of, np.flatnonzero(part.sure), (service, lines.first_day))
    rows, ends = gather(repeated, (lines.claim_of, service, lines.first_day))
    if lines.is_history.any():  # lines of other claims alone are not ours to judge
        member = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        with_own = np.zeros(len(ends), dtype=bool)
        with_own[member[~lines.is_history[rows]]] = True
        rows, ends = rows[with_own[member]], np.cumsum(np.diff(ends, prepend=0)[with_own])
    columns = (service, part.modifier_sets, lines.texts["place_of_service"])
    provider = _with_billing(part, rows, ends)
    classes = DayClasses(part.run, (), (part.run.release.duplicates,))
    keys = group_keys(lines, columns, (provider, provider), classes, rows, ends)
    return Screening(Family.DUPLICATE, NO_ROWS, (), Groups(rows, ends, keys))


def _with_billing(part: Part, rows: Array, ends: Array) -> Array:
    """The rendering provider, else the billing one where another line of the group names a rendering one.

    The same text has the same number.
    """
    provider = part.lines.texts["rendering_provider_id"]
    named = provider[rows] > 0
    if not named.any():
        return provider
    member = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    mixed = np.zeros(len(ends), dtype=bool)
    mixed[member[named]] = True
    provider = provider.copy()
    vocabulary = part.lines.vocabularies.of["rendering_provider_id"]
    for row in rows[mixed[member] & ~named].tolist():
        provider[row] = vocabulary.number_of(part.maker.billing_provider(int(part.lines.claim_of[row])))
    return provider
