"""One claim under one release, while its families are decided (semantics.md §0.2, §0.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.dates import Day, format_day
from claimedits.model.finding import Detail, Finding, Remedy, TraceStep
from claimedits.model.terms import DetailLevel, Family, Overridable, Status
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet
from claimedits.rulesets.versions import Selection, View

_STATUSES = (Status.PASS, *sorted(Status))
"""Statuses by number; 0, nothing said, is PASS."""


class EvaluationAbandonedError(Exception):
    """The caller has gone; nobody waits for the answer."""


class Evaluation:
    """What the families read and where they write. Lines are named by their position in ``claim.lines``."""

    __slots__ = (
        "_statuses",
        "_views",
        "abandoned",
        "as_of",
        "claim",
        "conventions",
        "families",
        "findings",
        "invalid_modifiers",
        "release",
        "spans",
        "trace",
        "wants_passes",
    )

    def __init__(
        self,
        claim: Claim,
        release: LoadedRelease,
        as_of: Day,
        families: frozenset[Family],
        detail: DetailLevel = DetailLevel.FINDINGS,
        abandoned: Callable[[], bool] | None = None,
    ) -> None:
        self.claim = claim
        self.release = release
        self.conventions: Conventions = release.conventions
        self.as_of = as_of
        self.families = families
        self.wants_passes = detail >= DetailLevel.ALL
        self.trace: list[TraceStep] | None = [] if detail >= DetailLevel.TRACE else None
        self.findings: list[Finding] = []
        self.invalid_modifiers: set[tuple[int, str]] = set()
        """(line number, modifier) that MODIFIER found invalid: such a modifier bypasses nothing (§0.4)."""
        self.abandoned = abandoned
        self.spans: dict[tuple[Day, Day], list[int]] = {}
        """Positions of lines by first and last day of service: most claims have one day."""
        for index, line in enumerate(claim.lines):
            self.spans.setdefault((line.service_date, line.service_date_end), []).append(index)
        self._views: dict[tuple[str, Day, bool], View] = {}
        self._statuses: dict[Family, list[int]] = {family: [0] * len(claim.lines) for family in families}

    def value_revision(self, selection: Selection, day: Day) -> int:
        """The revision whose values count (§G.3, step 4): the one in force on the service date, or the newest by switch."""
        newest = self.conventions.switch("version.value_source", day) == "newest"
        return selection.newest if newest else selection.in_force

    def stop_if_abandoned(self) -> None:
        """Asked within loops that grow with the square of the lines.

        Raises:
            EvaluationAbandonedError: the caller has gone.
        """
        if self.abandoned is not None and self.abandoned():
            raise EvaluationAbandonedError

    def add(self, index: int, finding: Finding) -> None:
        """Record a finding about line ``index``; the line's status for the family is the worst of its findings."""
        self.findings.append(finding)
        statuses = self._statuses[finding.family]
        if finding.status > statuses[index]:
            statuses[index] = finding.status

    def mark(self, index: int, family: Family, status: Status) -> None:
        """Record a status that has no finding code of its own, such as NOT_APPLICABLE for a code that is no add-on."""
        statuses = self._statuses[family]
        if status > statuses[index]:
            statuses[index] = status

    def statuses(self, family: Family) -> list[int]:
        """The statuses of all lines for a family, by number; 0 = nothing said yet."""
        return self._statuses[family]

    def status(self, index: int, family: Family) -> Status:
        """The status of a line for a family so far; PASS where nothing was said."""
        return _STATUSES[self._statuses[family][index]]

    def view(self, loaded: LoadedRuleSet, day: Day, *, dated_rows: bool) -> View:
        """The revisions of a rule set known on ``as_of``. ``dated_rows``: may be reconstructed from later ones (§G.3)."""
        key = (loaded.name, day, dated_rows)
        view = self._views.get(key)
        if view is None:
            switch = self.conventions.switch
            view = self._views[key] = loaded.editions.known(
                self.as_of,
                reconstruct=dated_rows and switch("version.reconstruct_dated_rows", day) == "true",
                stale=switch("version.after_last", day) == "evaluate_stale",
            )
        return view

    def takes_no_part(self, line: ClaimLine) -> bool:
        """GY, statutorily excluded: NCCI does not govern the line (§A.6, §B.2)."""
        return "GY" in line.modifiers and self.conventions.switch("ncci.skip_gy", line.service_date) == "true"

    def indicators(self, code: str, day: Day) -> Any:
        """The fee-schedule indicators of a code's global row on a day; None where no fee schedule says (§B.2, §C.2)."""
        loaded = self.release.rule_sets.get("medicare-pfs-indicators")
        selection = self.view(loaded, day, dated_rows=False).select(day) if loaded else None
        return loaded.index.indicators(code, "", selection) if loaded and selection else None

    def bilateral_indicator(self, code: str, day: Day) -> str | None:
        """The bilateral indicator of a code; empty where the fee schedule lacks the code, None where none governs the day."""
        row = self.indicators(code, day)
        if row is not None:
            return str(row.bilateral)
        loaded = self.release.rule_sets.get("medicare-pfs-indicators")
        governed = loaded is not None and self.view(loaded, day, dated_rows=False).select(day) is not None
        return "" if governed else None

    def global_days(self, code: str, day: Day) -> str:
        """The global period of a code (``000``, ``090``, ``ZZZ`` …); empty where no fee schedule says."""
        row = self.indicators(code, day)
        return str(row.global_days) if row is not None else ""

    def add_not_loaded(self, index: int, family: Family, rule_set: str, day: Day) -> None:
        """NOT_EVALUATED: no revision of ``rule_set`` governs ``day``. Never a pass (§0.2)."""
        loaded = self.release.rule_sets.get(rule_set)
        missing = "holds no revision that governs" if loaded else "does not hold the rule set for"
        self.add(
            index,
            Finding(
                rule_id=rule_set,
                family=family,
                status=Status.NOT_EVALUATED,
                line_number=self.claim.lines[index].line_number,
                code="RULE_SET_NOT_LOADED",
                message=f"{rule_set}: the release {missing} {format_day(day)}, as known on {format_day(self.as_of)}; "
                "the line was not checked",
                overridable=Overridable.NOT_APPLICABLE,
                remedies=(Remedy("NONE", condition=f"load the revision of {rule_set} for {format_day(day)}"),),
                detail=Detail(),
            ),
        )

    def add_pass(self, index: int, family: Family, rule_id: str, message: str, **parts: Any) -> None:
        """A plain pass, kept only where the caller asked to see passes (api.md, ``detail``)."""
        if self.wants_passes:
            line = self.claim.lines[index]
            self.add(index, Finding(rule_id, family, Status.PASS, line.line_number, "", message, **parts))
        else:
            self.mark(index, family, Status.PASS)

    def note(self, line_number: int, family: Family, rule_set: str, revision: str, looked_up: str, result: str) -> None:
        """Keep one look-up for the trace, as it was made."""
        if self.trace is not None:
            self.trace.append(TraceStep(line_number, family, rule_set, revision, looked_up, result))
