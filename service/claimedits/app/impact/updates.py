"""The impact of going from one release to another on the claims of a file, as commands ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from claimedits.app.comparing import CannotCompareError, Compared
from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.records import ChangedLinesFile
from claimedits.app.impact.running import (
    Chunk,
    InputClaim,
    Question,
    Refusal,
    measure_impact,
    settle_as_of,
)
from claimedits.app.impact.tally import ChangedClaim, Tally
from claimedits.model.dates import parse_day
from claimedits.model.terms import Family
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.store import Store

MOST_REFUSALS = 100
"""Refused claims that are kept with what is wrong with them; the rest is counted."""


@dataclass
class Impact:
    """What an update does to claims."""

    tally: Tally
    changed: list[ChangedClaim] = field(default_factory=list)
    """Every claim that is answered otherwise; those that only cite otherwise are counted, not kept."""
    refused: list[Refusal] = field(default_factory=list)
    as_of: str = ""


@dataclass(frozen=True)
class ImpactOptions:
    """How claims are evaluated."""

    as_of: str = ""
    """Empty = today (UTC)."""
    families: tuple[Family, ...] = ()
    jobs: int = 1
    every_claim: bool = False
    """Evaluate also what no change can touch: slower, and the same result."""
    changed_lines: Path | None = None
    """A Parquet file to write every changed line to, those that only cite otherwise too."""


def find_impact(
    store: Path,
    compared: Compared,
    claims: Iterable[InputClaim],
    options: ImpactOptions,
    progress: Callable[[int], None] = lambda claims: None,
) -> Impact:
    """Evaluate claims under both of two compared releases.

    Raises:
        CannotCompareError: revisions were compared, which no claim can be evaluated under.
        ClaimEditsError: as ``measure_impact``.
        OSError: the file of changed lines cannot be written.
    """
    if not isinstance(compared.old, ReleaseInfo) or not isinstance(compared.new, ReleaseInfo):
        raise CannotCompareError(
            "claims are evaluated under releases; name two releases to see what changes for claims"
        )
    as_of = settle_as_of(options.as_of)
    touched = None
    if not options.every_claim:
        touched = find_touched(Store.open(store), compared.old.id, compared.new.id, as_of=parse_day(as_of))
    question = Question(store, compared.old.id, compared.new.id, as_of, options.families, touched)
    impact = Impact(Tally(), as_of=as_of)

    def keep(chunk: Chunk) -> None:
        impact.changed += [claim for claim in chunk.changed if claim.kind is not ChangeKind.CITATION]
        impact.refused += chunk.refused[: max(0, MOST_REFUSALS - len(impact.refused))]
        progress(chunk.tally.claims + chunk.tally.refused)

    if options.changed_lines is None:
        impact.tally = measure_impact(question, claims, options.jobs, keep)
        return impact
    with ChangedLinesFile(options.changed_lines) as file:

        def write(chunk: Chunk) -> None:
            file.write(chunk.changed)
            keep(chunk)

        impact.tally = measure_impact(question, claims, options.jobs, write)
    return impact
