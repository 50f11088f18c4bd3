"""The engine: a release opened once, claims decided against it (library entry ``claimedits.Engine``)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import orjson

from claimedits.engine import add_on_code, code_validity, coverage, duplicate, modifier, mue, policy, ptp
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import Day, format_day, parse_day, today
from claimedits.model.finding import Decision, Detail, Finding, LineResult
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import FAMILIES_BY_NAME, DetailLevel, Family, Status
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.store import Store

ORDER: tuple[tuple[Family, Callable[[Evaluation], None]], ...] = (
    (Family.CODE_VALIDITY, code_validity.evaluate),
    (Family.DUPLICATE, duplicate.evaluate),
    (Family.MODIFIER, modifier.evaluate),
    (Family.PTP, ptp.evaluate),
    (Family.MUE, mue.evaluate),
    (Family.COVERAGE, coverage.evaluate),
    (Family.ADD_ON_CODE, add_on_code.evaluate),
    (Family.POLICY, policy.evaluate),
)
"""The order of evaluation (semantics.md §0.4)."""

BUILT: frozenset[Family] = frozenset(family for family, _ in ORDER)
"""Families that this engine version decides: what an empty list of families means."""


class Engine:
    """Decides claims under one release. Immutable after ``open``, safe for any number of threads."""

    def __init__(self, release: LoadedRelease) -> None:
        self._release = release

    @classmethod
    def open(cls, store: Store | Path | str, release: str = "") -> Self:
        """Open a release of a store, by id or unique prefix; empty = the active one.

        Raises:
            NotFoundError: the store has no such release, or none is active.
            StoreError: the store is damaged, or is none.
        """
        opened = store if isinstance(store, Store) else Store.open(Path(store))
        return cls(LoadedRelease.open(opened, release))

    @property
    def release_id(self) -> str:
        """``sha256:…`` of the release that answers."""
        return self._release.id

    @property
    def release(self) -> LoadedRelease:
        """The opened release, for look-ups."""
        return self._release

    def evaluate(
        self,
        claim: Claim | Mapping[str, Any],
        as_of: Day | str | None = None,
        families: Iterable[Family | str] = (),
        detail: DetailLevel | str = DetailLevel.FINDINGS,
        abandoned: Callable[[], bool] | None = None,
    ) -> Decision:
        """Decide one claim.

        Args:
            claim: a ``Claim``, or its JSON fields as in NDJSON files (api.md §2).
            as_of: only what was known on this day counts; None or empty = today (UTC).
            families: evaluate these only; empty = all that this engine decides.
            detail: ``FINDINGS`` (all but plain passes), ``ALL``, or ``TRACE`` (also what was looked up).
            abandoned: asked between families; True stops the work.

        Raises:
            ClaimInvalidError: the claim or an argument is malformed; every problem is named.
            EvaluationAbandonedError: ``abandoned`` said that nobody waits any more.
        """
        level = detail if isinstance(detail, DetailLevel) else _read_detail(detail)
        wanted = read_families(families)
        known_on = read_as_of(as_of)
        read = claim if isinstance(claim, Claim) else read_claim(claim)
        evaluation = Evaluation(read, self._release, known_on, wanted, level, abandoned)
        decide(evaluation)
        return _close(evaluation, level)


def decide(evaluation: Evaluation) -> None:
    """Every family that the evaluation asks for, in order; the findings stand in ``evaluation.findings``, sorted.

    Raises:
        EvaluationAbandonedError: nobody waits any more.
    """
    for family, evaluate in ORDER:
        if family in evaluation.families:
            evaluation.stop_if_abandoned()
            evaluate(evaluation)
    _mark_conditional(evaluation)
    if len(evaluation.findings) > 1:
        evaluation.findings.sort(key=_position)


def read_as_of(as_of: Day | str | None) -> Day:
    """The day of knowledge; None or empty = today (UTC).

    Raises:
        ClaimInvalidError: the text is no date, or the day lies in the future.
    """
    if isinstance(as_of, str):
        try:
            day = parse_day(as_of) if as_of else today()
        except ValueError:
            problem = Problem("as_of", "is not a date in the form YYYY-MM-DD", "write it like 2024-07-15")
            raise ClaimInvalidError([problem]) from None
    else:
        day = today() if as_of is None else as_of
    if day > _known_today() and day > today():
        problem = Problem(
            "as_of",
            f"{format_day(day)} lies in the future",
            "nothing later than today is known; leave it empty for today",
        )
        raise ClaimInvalidError([problem])
    return day


@lru_cache(maxsize=1)
def _known_today() -> Day:
    """The day on which this was first asked: no later day than today, without asking the clock."""
    return today()


def read_families(families: Iterable[Family | str]) -> frozenset[Family]:
    """Families by member or word; none = all that this engine decides.

    Raises:
        ClaimInvalidError: a word is no family.
    """
    wanted = set()
    for i, family in enumerate(families):
        if isinstance(family, str) and family not in Family.__members__:
            words = ", ".join(Family.__members__)
            raise ClaimInvalidError([Problem(f"families[{i}]", "is no family of edits", f"use one of {words}")])
        member = Family[family] if isinstance(family, str) else family
        if member not in BUILT:
            raise ClaimInvalidError(
                [
                    Problem(
                        f"families[{i}]",
                        f"{member.name} is not decided by this engine version",
                        "leave it out",
                    )
                ]
            )
        wanted.add(member)
    return frozenset(wanted) or BUILT


def _read_detail(detail: str) -> DetailLevel:
    if detail not in DetailLevel.__members__:
        raise ClaimInvalidError([Problem("detail", "is no level of detail", "use one of FINDINGS, ALL, TRACE")])
    return DetailLevel[detail]


def _mark_conditional(evaluation: Evaluation) -> None:
    """§A.6: a column 2 denied against a column 1 that is itself denied keeps its FAIL, and says what it presumes."""
    if not evaluation.findings:
        return
    failed: dict[int, list[str]] = {}
    for finding in evaluation.findings:
        if finding.status is Status.FAIL:
            failed.setdefault(finding.line_number, []).append(finding.finding_id)
    days = {line.line_number: line.service_date for line in evaluation.claim.lines}
    for finding in evaluation.findings:
        if finding.family is not Family.PTP or finding.status is not Status.FAIL:
            continue
        denials = [other for line in finding.related_line_numbers for other in failed.get(line, ())]
        if not denials:
            continue
        if evaluation.conventions.switch("ptp.column_1_denied", days[finding.line_number]) != "conditional":
            continue
        finding.depends_on = tuple(sorted({*finding.depends_on, *denials}))
        finding.detail = (finding.detail or Detail())._replace(conditional=True)


def _close(evaluation: Evaluation, level: DetailLevel) -> Decision:
    """Order the findings, sum up lines and claim, name the decision (api.md §2)."""
    claim = evaluation.claim
    families = _by_name(evaluation.families)
    lines = [
        LineResult(line.line_number, line.procedure_code_sent or line.procedure_code, *_sum_up(families, numbers))
        for line, numbers in zip(claim.lines, zip(*map(evaluation.statuses, families), strict=True), strict=True)
    ]
    return Decision(
        claim_id=claim.claim_id,
        decision_id=_name_decision(evaluation, level),
        release=evaluation.release.id,
        as_of=evaluation.as_of,
        engine_version=ENGINE_VERSION,
        outcome=max((line.outcome for line in lines), default=Status.NOT_APPLICABLE),
        lines=tuple(lines),
        findings=tuple(evaluation.findings),
        trace=tuple(evaluation.trace or ()),
    )


@lru_cache(maxsize=256)
def _by_name(families: frozenset[Family]) -> tuple[Family, ...]:
    return tuple(family for family in FAMILIES_BY_NAME if family in families)


@lru_cache(maxsize=65_536)
def _sum_up(families: tuple[Family, ...], numbers: tuple[int, ...]) -> tuple[Status, tuple[tuple[Family, Status], ...]]:
    """The outcome of a line, and its status for each family; 0, nothing said, is PASS."""
    statuses = tuple((family, Status(n or Status.PASS)) for family, n in zip(families, numbers, strict=True))
    return max(status for _, status in statuses), statuses


def _position(finding: Finding) -> tuple[object, ...]:
    """Line number, family, rule id (api.md §2); then what makes the order total."""
    return (
        finding.line_number,
        finding.family.name,
        finding.rule_id,
        -finding.status,
        finding.code,
        finding.related_line_numbers,
        finding.message,
    )


def _name_decision(evaluation: Evaluation, level: DetailLevel) -> str:
    """Derived from the claim, the release, ``as_of``, the engine version and what was asked; nothing random."""
    claim = evaluation.claim
    content = [
        evaluation.release.id,
        evaluation.as_of,
        ENGINE_VERSION,
        sorted(evaluation.families),
        level,
        tuple(claim._replace(lines=(), history_lines=())),
        [tuple(line) for line in claim.lines],
        [tuple(line) for line in claim.history_lines],
    ]
    return hashlib.sha256(orjson.dumps(content, default=_as_text)).hexdigest()[:32]


def _as_text(value: object) -> object:
    """What JSON has no form for: units as text, a patient as its fields."""
    return list(value) if isinstance(value, tuple) else str(value)
