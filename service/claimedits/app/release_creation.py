"""Makes a release of revisions, if the checks let it through: what ``check`` and ``test`` refuse does not go live unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from claimedits.app.building import build_rules, find_rule_sets
from claimedits.app.checking import Severity, check_rules
from claimedits.app.testing import run_tests
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.problems import ImportRefusedError, Problem, ProblemsError
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.check_records import CheckRecord
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.release import CheckOverride, ReleaseInfo, release_id
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store, now


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
    found = [finding for finding in check_rules(directory) if finding.severity > Severity.INFO]
    tests, problems = 0, [finding.as_problem() for finding in found]
    try:
        tests, failed = run_tests(directory)
        problems += failed
    except ImportRefusedError as error:  # its tests cannot be read, or there are none
        problems += [Problem(f"{directory.name}/{p.where}", p.what, p.mend, p.code) for p in error.problems]
    return CheckRecord(now(), ENGINE_VERSION, tests, tuple(problems))


def refusals(store: Store, revision_ids: Sequence[str]) -> list[Problem]:
    """Everything for which a release of these revisions is refused; empty when all is well."""
    return [problem for look in CHECKS for problem in look(store, revision_ids)]


def recorded_refusals(store: Store, revision_ids: Sequence[str]) -> list[Problem]:
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


CHECKS: tuple[Callable[[Store, Sequence[str]], list[Problem]], ...] = (recorded_refusals,)
"""What may refuse a release, each given the store and the whole ids of its revisions."""


def create_release(
    store: Store, revision_ids: Sequence[str], note: str = "", override: Override | None = None
) -> ReleaseInfo:
    """Check the revisions, open them together (which builds the indexes that are missing), then keep the release.

    Raises:
        ChecksRefusedError: with everything that was refused and not overridden; no release was created.
        NotFoundError: the store holds no such revision.
        StoreError: a file of a revision is damaged, or the disk is full; no release was created.
    """
    ids = sorted({store.revision(name).id for name in revision_ids})
    refused = refusals(store, ids)
    if refused and override is None:
        raise ChecksRefusedError(refused, f"{len(refused)} problems, no release was created; {_MEND}")
    decision = None
    if refused and override is not None:
        decision = CheckOverride(override.reason, override.who, now(), tuple(map(str, refused)))
    if ids:
        LoadedRelease.open_revisions(store, release_id(ids), ids)
    return store.create_release(ids, note, decision)


_MEND = (
    "mend them and build again, leave a revision out with --without ID, or give --override-checks REASON, which the "
    "release will show"
)


def _named(info: RevisionInfo) -> str:
    return f"{info.header.rule_set} {info.header.label}, {info.id[:19]}"
