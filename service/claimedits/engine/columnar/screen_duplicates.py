"""Screens DUPLICATE: lines of one claim, history included, that share code and first day (semantics.md §F.5)."""

from __future__ import annotations

import numpy as np

from claimedits.engine.columnar.part import Part, Screening
from claimedits.model.terms import Family, Status


def screen(part: Part) -> Screening:
    """Without another line of the same service and day nothing can be a duplicate."""
    lines = part.lines
    part.start(Family.DUPLICATE, Status.PASS)
    if part.run.release.duplicates is None:
        return Screening(Family.DUPLICATE, np.flatnonzero(part.own), (lines.first_day,))
    code = lines.texts["procedure_code"].astype(np.int64)
    service = np.where(code > 0, code, -lines.texts["revenue_code"].astype(np.int64) - 1)
    rows = np.flatnonzero(part.sure)
    order = rows[np.lexsort((lines.first_day[rows], service[rows], lines.claim_of[rows]))]
    same = np.zeros(len(order) + 1, dtype=bool)
    if len(order) > 1:
        same[1:-1] = (
            (lines.claim_of[order[1:]] == lines.claim_of[order[:-1]])
            & (service[order[1:]] == service[order[:-1]])
            & (lines.first_day[order[1:]] == lines.first_day[order[:-1]])
        )
    begins = np.flatnonzero(~same[:-1] & same[1:])
    ends = np.flatnonzero(same[:-1] & ~same[1:]) + 1
    groups = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        group = sorted(order[begin:end].tolist())
        if not lines.is_history[group].all():
            groups.append(group)
    provider = lines.texts["rendering_provider_id"].astype(np.int64)
    if groups:
        provider = _with_billing(part, groups, provider)
    return Screening(
        Family.DUPLICATE,
        np.zeros(0, dtype=np.int64),
        (),
        groups,
        group_by=(
            service,
            part.modifier_sets,
            lines.first_day,
            lines.last_day,
            provider,
            lines.texts["place_of_service"],
        ),
    )


def _with_billing(part: Part, groups: list[list[int]], provider: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """The rendering provider, else the billing one: the same text has the same number."""
    provider = provider.copy()
    vocabulary = part.lines.vocabularies.of["rendering_provider_id"]
    for group in groups:
        if any(provider[row] == 0 for row in group) and any(provider[row] for row in group):
            billing = vocabulary.number_of(part.maker.billing_provider(int(part.lines.claim_of[group[0]])))
            for row in group:
                provider[row] = provider[row] or billing
    return provider
