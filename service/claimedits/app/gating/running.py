"""Runs the gate: check, test, rows, claims, speed. Every step runs, so that all that stops an update is known at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claimedits.app.checking import LintSettings
from claimedits.app.comparing import CannotCompareError, Compared, compare
from claimedits.app.gating.policy import Policy
from claimedits.app.gating.report import GateReport, Step
from claimedits.app.gating.steps import check_step, claims_step, rows_step, speed_step, test_step
from claimedits.app.impact.input import read_input
from claimedits.app.impact.running import settle_as_of
from claimedits.app.impact.updates import Impact, ImpactOptions, find_impact
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.problems import ClaimInvalidError
from claimedits.model.terms import Family
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.store import Store

Progress = Callable[[str, int], None]
"""Told the step, and how many claims are done in it."""


@dataclass(frozen=True)
class GateOptions:
    """What is gated, and with what."""

    store: Path
    old: str
    new: str
    claims: Path | None = None
    rules: Sequence[Path] = ()
    """Directories of rules to check and to test."""
    tests: Sequence[Path] = ()
    """Further tests: files of cases, or directories of them."""
    as_of: str = ""
    families: tuple[Family, ...] = ()
    jobs: int = 1
    changed_lines: Path | None = None
    settings: LintSettings | None = None
    """Of ``lints.toml``; None = that of the rules, or none."""


@dataclass(frozen=True)
class Gated:
    """The verdicts, and what they rest on."""

    report: GateReport
    compared: Compared
    impact: Impact | None = field(default=None)


def run_gate(options: GateOptions, policy: Policy, progress: Progress = lambda step, claims: None) -> Gated:
    """Run every step.

    Raises:
        NotFoundError: the store holds no such release.
        CannotCompareError: OLD or NEW is a revision.
        ClaimEditsError, OSError: a file or the store cannot be read.
    """
    store = Store.open(options.store)
    as_of = settle_as_of(options.as_of)
    progress("rows", 0)
    compared = compare(store, options.old, options.new)
    if not isinstance(compared.old, ReleaseInfo) or not isinstance(compared.new, ReleaseInfo):
        raise CannotCompareError("the gate stands between two releases; name releases, not revisions")
    progress("check", 0)
    check = check_step(store, compared.old, compared.new, options.rules, options.settings, policy)
    progress("test", 0)
    test = test_step([*options.rules, *options.tests], options.store, compared.new, options.jobs, policy)
    rows = rows_step(compared, policy, as_of)
    impact = None
    if options.claims is not None:
        done = 0

        def count(claims: int) -> None:
            nonlocal done
            done += claims
            progress("claims", done)

        asked = ImpactOptions(as_of, options.families, options.jobs, changed_lines=options.changed_lines)
        impact = find_impact(options.store, compared, read_input(str(options.claims)), asked, count)
    claims = claims_step(impact, compared.new, policy, as_of)
    progress("speed", 0)
    sample = _sample(options.claims) if options.claims else iter(())
    speed = speed_step(store, compared.old, compared.new, sample, as_of, options.families, policy)
    steps: tuple[Step, ...] = (check, test, rows, claims, speed)
    return Gated(GateReport(compared.old.id, compared.new.id, as_of, policy.source, steps), compared, impact)


def _sample(path: Path) -> Iterator[Claim]:
    """The valid claims of a file, in its order."""
    for entry in read_input(str(path)):
        if entry.fields is not None:
            try:
                yield read_claim(entry.fields)
            except ClaimInvalidError:
                continue
