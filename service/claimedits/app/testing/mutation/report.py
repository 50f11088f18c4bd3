"""What became of the mutants of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from claimedits.app.testing.exercised import percent
from claimedits.app.testing.mutation.mutant import MutantResult
from claimedits.model.problems import Problem


@dataclass(frozen=True, slots=True)
class MutationReport:
    """Every mutant that was chosen, in the order of files and rows."""

    mutants: tuple[MutantResult, ...]
    total: int
    """Mutants that there are; more than were chosen where a limit was given."""
    problems: tuple[Problem, ...] = ()
    """Silences that cannot be read, or that silence nothing."""
    minimum: float = 100.0
    """Percent of mutants that the tests must kill."""

    def having(self, fate: str) -> Sequence[MutantResult]:
        return [m for m in self.mutants if m.fate == fate]

    @property
    def counts(self) -> Counter[str]:
        return Counter(m.fate for m in self.mutants)

    @property
    def percent(self) -> float:
        """Killed of killed and surviving; 100 where there are none."""
        return percent(self.counts["killed"], self.counts["killed"] + self.counts["survived"])

    @property
    def ok(self) -> bool:
        return self.percent >= self.minimum and not self.problems

    def lines(self) -> Iterator[str]:
        """For people: every mutant that no test kills, then the sum."""
        yield from map(str, self.problems)
        yield from (f"SURVIVED {m}" for m in self.having("survived"))
        counts = self.counts
        tried = counts["killed"] + counts["survived"]
        rest = [f"{counts[fate]} {fate}" for fate in ("refused", "silenced", "not tried") if counts[fate]]
        chosen = f"{len(self.mutants)} of {self.total} chosen" if len(self.mutants) < self.total else ""
        more = "; ".join(part for part in (", ".join(rest), chosen) if part)
        yield f"mutation: {self.percent:.1f} % killed ({counts['killed']} of {tried}{f'; {more}' if more else ''})"

    def concerns(self) -> Iterator[tuple[str, str, str]]:
        """(place, title, text) of what is wrong."""
        for problem in self.problems:
            yield problem.where, "silence", str(problem)
        if self.percent < self.minimum:
            for m in self.having("survived"):
                yield m.where, "surviving mutant", f"no test notices: {m}"

    def fields(self) -> dict[str, Any]:
        """For programs."""
        by_operator = {
            operator: dict(sorted(Counter(m.fate for m in self.mutants if m.operator == operator).items()))
            for operator in sorted({m.operator for m in self.mutants})
        }
        shown = [m for m in self.mutants if m.fate not in ("killed", "refused")]
        return {
            "percent": round(self.percent, 2),
            "minimum": self.minimum,
            "ok": self.ok,
            "total": self.total,
            "counts": dict(sorted(self.counts.items())),
            "by_operator": by_operator,
            "problems": [{"where": p.where, "what": p.what, "mend": p.mend} for p in self.problems],
            "mutants": [
                {
                    "id": m.id,
                    "where": m.where,
                    "operator": m.operator,
                    "before": m.before,
                    "after": m.after,
                    "fate": m.fate,
                    "why": m.why,
                }
                for m in shown
            ],
        }
