"""Makes a release of revisions, if the checks let it through: what ``check`` and ``test`` refuse does not go live unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from claimedits.app.building import build_rules, find_rule_sets
from claimedits.app.checking import LintSettings, Severity, check_revisions, check_rules
from claimedits.app.testing import run_tests
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.problems import Problem, ProblemsError, StoreError
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.check_records import CheckRecord
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.release import CheckOverride, ReleaseInfo, release_id
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store, now

REFUSED = Severity.WARNING
"""What ``check`` fails for, and everything worse."""

MOST_RECORDED = 100
"""Problems that an override records one by one; the rest is counted."""


class ChecksRefusedError(ProblemsError):
    """A release that was not created, because its checks refused it."""


class Override(NamedTuple):
    """Who lets through what the checks refuse, and why."""

    reason: str
    who: str


class BuiltRuleSet(NamedTuple):
    """A rule set that was compiled and kept."""

    revision: RevisionInfo
    is_new: bool
    record: CheckRecord


def build_and_check(directory: Path, store: Store) -> list[BuiltRuleSet]:
    """Compile the rule sets of a directory, keep them, and record what check and test say of each.

    A revision that fails them is kept: what it lacks is known, and ``create_release`` refuses it.

    Raises:
        ImportRefusedError: a rule set does not compile; nothing was kept.
    """
    built = []
    for path, (info, is_new) in zip(find_rule_sets(directory), build_rules(directory, store), strict=True):
        record = check_rule_set(path)
        store.record_checks(info.id, record)
        built.append(BuiltRuleSet(info, is_new, record))
    return built


def check_rule_set(directory: Path) -> CheckRecord:
    """What check and test say of one rule set."""
    found = [finding for finding in check_rules(directory) if finding.severity >= REFUSED]
    report = run_tests([directory])
    problems = [*(finding.as_problem() for finding in found), *report.untested]
    for result in report.failed:
        problems += result.problems
        problems += [Problem(result.where, f"{result.why}: {difference}") for difference in result.differences]
    return CheckRecord(now(), ENGINE_VERSION, len(report.results), tuple(problems))


def refusals(store: Store, revision_ids: Sequence[str], settings: LintSettings | None = None) -> list[Problem]:
    """Everything for which a release of these revisions is refused; empty when all is well.

    Args:
        revision_ids: whole ids.
        settings: which findings of ``check`` stand, and why; None = none of them.

    Raises:
        StoreError: a table is damaged.
    """
    return [problem for look in CHECKS for problem in look(store, revision_ids, settings)]


def odd_revisions(store: Store, revision_ids: Sequence[str], settings: LintSettings | None) -> list[Problem]:
    """What check says of imported revisions, each against the one it follows. Those of the active release have been let in."""
    try:
        active = store.active()
    except StoreError:  # damaged: all the more a release is needed that can take its place
        active = None
    known = frozenset(active.revisions if active else ())
    new = [name for name in revision_ids if name not in known and store.check_record(name) is None]
    found = check_revisions(store, new, None, settings) if new else []
    return [finding.as_problem() for finding in found if finding.severity >= REFUSED]


def recorded_refusals(store: Store, revision_ids: Sequence[str], settings: LintSettings | None) -> list[Problem]:
    """What was recorded when the revisions were built. Rules that people write need a record."""
    problems = []
    for revision_id in revision_ids:
        info, record = store.revision(revision_id), store.check_record(revision_id)
        if record is not None:
            problems += [Problem(p.where, f"{p.what} ({_named(info)})", p.mend, p.code) for p in record.problems]
        elif info.header.kind == AUTHORED:
            problems.append(
                Problem(
                    _named(info),
                    "was never checked or tested",
                    f"build it again: claim-edits build RULES --store {store.path}",
                )
            )
    return problems


CHECKS: tuple[Callable[[Store, Sequence[str], LintSettings | None], list[Problem]], ...] = (
    recorded_refusals,
    odd_revisions,
)
"""What may refuse a release."""


def create_release(
    store: Store,
    revision_ids: Sequence[str],
    note: str = "",
    override: Override | None = None,
    settings: LintSettings | None = None,
) -> ReleaseInfo:
    """Check the revisions, open them together (which builds the indexes that are missing), then keep the release.

    Raises:
        ChecksRefusedError: with everything that was refused and not overridden; no release was created.
        NotFoundError: the store holds no such revision.
        StoreError: a file of a revision is damaged, or the disk is full; no release was created.
    """
    ids = sorted({store.revision(name).id for name in revision_ids})
    refused = refusals(store, ids, settings)
    if refused and override is None:
        raise ChecksRefusedError(refused, f"{len(refused)} problems, no release was created; {_MEND}")
    decision = None
    if refused and override is not None:
        said = [*map(str, refused[:MOST_RECORDED])]
        if len(refused) > MOST_RECORDED:
            said.append(f"and {len(refused) - MOST_RECORDED} more")
        decision = CheckOverride(override.reason, override.who, now(), tuple(said))
    if ids:
        LoadedRelease.open_revisions(store, release_id(ids), ids)
    return store.create_release(ids, note, decision)


_MEND = (
    "mend them and build again, leave a revision out with --without ID, or give --override-checks REASON, which the "
    "release will show"
)


def _named(info: RevisionInfo) -> str:
    return f"{info.header.rule_set} {info.header.label}, {info.id[:19]}"
