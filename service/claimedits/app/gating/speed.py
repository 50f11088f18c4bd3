"""How long the new release takes to decide a claim, over how long the old one takes: a ratio of one run.

Claims are decided under both in turn, several rounds long; of each claim the shortest time counts, which what else the
machine does disturbs least. Claims of which one release evaluates more than the other would compare different work, and are
left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from claimedits.engine.engine import Engine
from claimedits.model.claim import Claim
from claimedits.model.finding import Decision
from claimedits.model.terms import Family, Status

MOST = 1000
"""Claims that are timed."""
FEWEST = 20
"""Claims without which there is no ratio."""
ROUNDS = 7


class Speed(NamedTuple):
    """The ratio, and what it rests on."""

    ratio: float | None
    """None = too few claims that both releases evaluate alike."""
    claims: int
    old_us: float
    """Microseconds a claim under the old release."""
    new_us: float


def compare_speed(
    old: Engine,
    new: Engine,
    claims: Iterable[Claim],
    as_of: str,
    families: Sequence[Family] = (),
    clock: Callable[[], float] = time.perf_counter,
) -> Speed:
    """Time claims under both releases."""
    alike = []
    for claim in claims:
        if _evaluated(old.evaluate(claim, as_of, families)) == _evaluated(new.evaluate(claim, as_of, families)):
            alike.append(claim)
            if len(alike) == MOST:
                break
    if len(alike) < FEWEST:
        return Speed(None, len(alike), 0.0, 0.0)
    shortest = [[float("inf"), float("inf")] for _ in alike]
    for turn in range(ROUNDS):
        order = ((0, old), (1, new)) if turn % 2 == 0 else ((1, new), (0, old))
        for claim, times in zip(alike, shortest, strict=True):
            for side, engine in order:
                began = clock()
                engine.evaluate(claim, as_of, families)
                times[side] = min(times[side], clock() - began)
    totals = [sum(times[side] for times in shortest) for side in (0, 1)]
    each = [1e6 * total / len(alike) for total in totals]
    return Speed(totals[1] / totals[0] if totals[0] else None, len(alike), each[0], each[1])


def _evaluated(decision: Decision) -> list[tuple[bool, ...]]:
    return [tuple(status is Status.NOT_EVALUATED for _, status in line.families) for line in decision.lines]
