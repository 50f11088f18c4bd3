"""What a gate found: one result a step, and whether the update may go live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Verdict(Enum):
    """What a step says of the update."""

    PASSED = "passed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    """It could not be asked; the step says why."""


@dataclass(frozen=True)
class Measure:
    """One figure beside what the policy allows."""

    name: str
    """``claims.newly_failing``."""
    value: str
    limit: str
    """Empty = not asked."""
    verdict: Verdict
    note: str = ""
    """Whose approval lifted the limit, or what the figure means."""


@dataclass(frozen=True)
class Step:
    """One step of the gate."""

    name: str
    """``check``, ``test``, ``rows``, ``claims``, ``speed``."""
    verdict: Verdict
    headline: str
    measures: Sequence[Measure] = ()
    problems: Sequence[str] = ()
    """What has to be mended or approved, each in a sentence."""
    detail: dict[str, Any] = field(default_factory=dict)
    """For programs."""


@dataclass(frozen=True)
class GateReport:
    """The whole gate."""

    old: str
    """Id of the release before."""
    new: str
    as_of: str
    policy: str
    steps: Sequence[Step]

    @property
    def verdict(self) -> Verdict:
        """STOPPED where any step is; a skipped step stops nothing."""
        stopped = any(step.verdict is Verdict.STOPPED for step in self.steps)
        return Verdict.STOPPED if stopped else Verdict.PASSED

    def as_fields(self) -> dict[str, Any]:
        """For programs."""
        return {
            "verdict": self.verdict.value,
            "old": self.old,
            "new": self.new,
            "as_of": self.as_of,
            "policy": self.policy,
            "steps": [
                {
                    "name": step.name,
                    "verdict": step.verdict.value,
                    "headline": step.headline,
                    "measures": [
                        {
                            "name": measure.name,
                            "value": measure.value,
                            "limit": measure.limit,
                            "verdict": measure.verdict.value,
                            "note": measure.note,
                        }
                        for measure in step.measures
                    ],
                    "problems": list(step.problems),
                    **step.detail,
                }
                for step in self.steps
            ],
        }
