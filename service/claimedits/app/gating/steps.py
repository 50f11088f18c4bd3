"""The steps of the gate: each asks one question, measures, and holds the figures to the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from claimedits.app.building import find_rule_sets
from claimedits.app.checking import LintFinding, LintSettings, check_revisions, check_rules
from claimedits.app.comparing import Compared
from claimedits.app.gating.policy import Approval, Policy
from claimedits.app.gating.report import Measure, Step, Verdict
from claimedits.app.gating.speed import FEWEST, compare_speed
from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.tally import Figures, Tally
from claimedits.app.impact.updates import Impact
from claimedits.app.release_creation import recorded_refusals
from claimedits.app.testing import run_tests
from claimedits.app.testing.report import summarise
from claimedits.engine.engine import Engine
from claimedits.model.claim import Claim
from claimedits.model.dates import format_day, parse_day
from claimedits.model.terms import Family
from claimedits.rulesets.comparison.table_comparison import ChangeKind as RowKind
from claimedits.rulesets.lints.settings import FILE as SETTINGS_FILE
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.store import Store

MOST_PROBLEMS = 20
"""Problems that a step tells in full; the rest is counted."""


def check_step(
    store: Store,
    old: ReleaseInfo,
    new: ReleaseInfo,
    rules: Sequence[Path],
    settings: LintSettings | None,
    policy: Policy,
) -> Step:
    """What ``claim-edits check`` says of the rules, and of the revisions that the new release brings."""
    brought = [revision for revision in new.revisions if revision not in old.revisions]
    found: list[LintFinding] = []
    for directory in rules:
        own = any((path / SETTINGS_FILE).exists() for path in (directory, *find_rule_sets(directory)))
        found += check_rules(directory, None if own else settings, store)
    if brought:
        found += check_revisions(store, brought, None, settings)
    stopping = [finding for finding in found if finding.severity >= policy.fail_on]
    said = {(finding.where, finding.lint.id) for finding in stopping}
    recorded = [
        problem for problem in recorded_refusals(store, brought, settings) if (problem.where, problem.code) not in said
    ]
    problems = [*map(str, stopping), *map(str, recorded)]
    counts = f"{_counted(len(brought), 'new revision')}, {_counted(len(rules), 'directory', 'directories')} of rules"
    headline = f"{counts}: " + (_counted(len(problems), "problem") if problems else "nothing odd")
    return Step("check", _verdict(not problems), headline, problems=_first(problems))


def test_step(paths: Sequence[Path], store: Path, new: ReleaseInfo, jobs: int, policy: Policy) -> Step:
    """The tests beside the rules, and cases that the new release decides."""
    if not paths:
        what = "no rules or cases were named, so nothing was tested"
        return Step("test", Verdict.STOPPED if policy.tests_required else Verdict.SKIPPED, what)
    report = run_tests(paths, store=store, release=new.id, jobs=jobs, coverage_minimum=policy.coverage_minimum)
    problems = [str(problem) for result in report.failed for problem in result.problems]
    problems += [f"{r.where}: {r.why}: {difference}" for r in report.failed for difference in r.differences]
    problems += map(str, report.untested)
    if report.nothing_ran:
        problems.append("no test ran at all")
    elif not report.ok and not problems:
        problems.append(f"the tests exercise less than {policy.coverage_minimum:g} %")
    counts = {str(outcome): number for outcome, number in report.counts.items()}
    return Step("test", _verdict(report.ok), summarise(report), problems=_first(problems), detail={"tests": counts})


def rows_step(compared: Compared, policy: Policy, as_of: str) -> Step:
    """What the tables say otherwise: retroactive changes, rows without a successor, rule sets that are gone."""
    measures = []
    problems: list[str] = []
    for name, kind in (("rows.retroactive", None), ("rows.removed", RowKind.REMOVED)):
        limit = policy.limits.get(name)
        if limit is None:
            continue
        by_set = []
        for one in compared.rule_sets:
            rows = one.retroactive if kind is None else sum(table.removed for table in one.tables)
            whole = sum(table.old_rows for table in one.tables)
            if rows and not limit.allows(rows, whole):
                revision = one.new.id if one.new else ""
                by_set.append((one.rule_set, revision, rows))
        total = _row_total(compared, kind)
        unapproved, notes = _approve(policy, name, by_set, compared, as_of)
        problems += [
            f"{rule_set}: {_counted(rows, _WHAT[name])}; {why or 'look at them, and approve them in the policy'} "
            f"(claim-edits diff shows them; revision {revision[:19] or 'none'})"
            for rule_set, revision, rows, why in unapproved
        ]
        measures.append(Measure(name, f"{total:,}", str(limit), _verdict(not unapproved), notes))
    limit = policy.limits.get("rows.rule_sets_lost")
    if limit is not None and compared.release is not None:
        lost = compared.release.removed
        gone = [(name, "", 1) for name in lost] if not limit.allows(len(lost), 1) else []
        unapproved, notes = _approve(policy, "rows.rule_sets_lost", gone, compared, as_of)
        problems += [
            f"{name}: the new release lacks the rule set; what it held is no longer evaluated{f'; {why}' if why else ''}"
            for name, _, _, why in unapproved
        ]
        measures.append(Measure("rows.rule_sets_lost", f"{len(lost)}", str(limit), _verdict(not unapproved), notes))
    headline = f"{_counted(compared.differences, 'row')} differ, {compared.retroactive:,} retroactively"
    return Step("rows", _verdict(not problems), headline, measures, _first(problems))


_WHAT = {"rows.retroactive": "retroactive change", "rows.removed": "removed row"}


def _row_total(compared: Compared, kind: RowKind | None) -> int:
    if kind is None:
        return compared.retroactive
    return sum(table.removed for one in compared.rule_sets for table in one.tables)


def claims_step(impact: Impact | None, new: ReleaseInfo, policy: Policy, as_of: str) -> Step:
    """What happens to real claims."""
    if impact is None:
        what = "no claims were given, so nobody knows which of them the update hits"
        return Step("claims", Verdict.STOPPED if policy.claims_required else Verdict.SKIPPED, what)
    tally = impact.tally
    if not tally.claims:
        return Step("claims", Verdict.STOPPED, "no claim could be read", problems=list(_refusals(impact)))
    measures, problems = [], []
    for name, what, number in _figures(tally):
        limit = policy.limits.get(name)
        if limit is None:
            continue
        whole = tally.claims + (tally.refused if name == "claims.refused" else 0)
        over = not limit.allows(number, whole)
        approval, why = _approval(policy, name, "", "", new, as_of, number) if over else (None, "")
        share = f"{number:,} ({100 * number / whole:.2f} %)"
        note = f"approved by {approval.by}: {approval.reason}" if approval else ""
        if over and approval is None:
            problems.append(f"{share} of {whole:,} claims {what}; the policy allows {limit}{f'; {why}' if why else ''}")
        measures.append(Measure(name, share, str(limit), _verdict(not over or approval is not None), note))
    if tally.undecided.lines:
        note = "lines that fail now and were not evaluated before: data came, no rule changed"
        measures.append(Measure("not evaluated before", _figure(tally.undecided), "", Verdict.PASSED, note))
    headline = (
        f"{_counted(tally.claims, 'claim')}: {tally.claims_with(ChangeKind.NEWLY_FAILING):,} newly failing, "
        f"{tally.claims_with(ChangeKind.NEWLY_PASSING):,} newly passing"
    )
    return Step("claims", _verdict(not problems), headline, measures, [*problems, *_refusals(impact)])


def _figures(tally: Tally) -> Iterator[tuple[str, str, int]]:
    yield "claims.newly_failing", "fail newly", tally.newly_failing
    yield "claims.newly_passing", "pass newly", tally.claims_with(ChangeKind.NEWLY_PASSING)
    yield "claims.no_longer_evaluated", "have a line that is no longer evaluated", tally.no_longer_evaluated.claims
    yield "claims.changed_reason", "fail for another reason", tally.claims_with(ChangeKind.REASON)
    yield "claims.refused", "could not be read", tally.refused


def _refusals(impact: Impact) -> Iterator[str]:
    for refusal in impact.refused[:MOST_PROBLEMS]:
        yield from (f"claim {refusal.position}: {problem}" for problem in refusal.problems[:1])


def _figure(figures: Figures) -> str:
    return f"{_counted(figures.claims, 'claim')}, {_counted(figures.lines, 'line')}"


def speed_step(
    store: Store,
    old: ReleaseInfo,
    new: ReleaseInfo,
    claims: Iterable[Claim],
    as_of: str,
    families: Sequence[Family],
    policy: Policy,
) -> Step:
    """Whether the new release takes longer to decide."""
    if policy.slower_than is None:
        return Step("speed", Verdict.SKIPPED, "the policy does not ask")
    speed = compare_speed(Engine.open(store, old.id), Engine.open(store, new.id), claims, as_of, families)
    if speed.ratio is None:
        what = f"{speed.claims} claims that both releases evaluate alike; {FEWEST} are needed for a ratio"
        return Step("speed", Verdict.SKIPPED, what)
    good = speed.ratio <= policy.slower_than
    headline = f"{speed.ratio:.2f} times as long a claim ({speed.new_us:.0f} against {speed.old_us:.0f} µs)"
    problems = (
        [] if good else [f"deciding takes {speed.ratio:.2f} times as long; the policy allows {policy.slower_than:g}"]
    )
    measure = Measure("speed.slower_than", f"{speed.ratio:.2f}", f"{policy.slower_than:g}", _verdict(good))
    return Step("speed", _verdict(good), headline, [measure], problems, {"timed_claims": speed.claims})


# ---- Approvals ----


def _approve(
    policy: Policy, limit: str, found: Sequence[tuple[str, str, int]], compared: Compared, as_of: str
) -> tuple[list[tuple[str, str, int, str]], str]:
    """What nobody approved of (rule set, new revision, rows, why an approval does not hold), and who approved the rest."""
    assert isinstance(compared.new, ReleaseInfo)
    unapproved, notes = [], []
    for rule_set, revision, rows in found:
        approval, why = _approval(policy, limit, rule_set, revision, compared.new, as_of, rows)
        if approval is None:
            unapproved.append((rule_set, revision, rows, why))
        else:
            notes.append(f"{rule_set} approved by {approval.by}: {approval.reason}")
    return unapproved, "; ".join(notes)


def _approval(
    policy: Policy, limit: str, rule_set: str, revision: str, new: ReleaseInfo, as_of: str, number: int
) -> tuple[Approval | None, str]:
    """The approval that holds; where none does, why the last one that is about this does not."""
    why = ""
    for approval in policy.approvals:
        if approval.limit != limit or (approval.rule_set and approval.rule_set != rule_set):
            continue
        if approval.revision and not _begins(approval.revision, revision):
            why = f"what {approval.by} approved is another revision, {approval.revision}"
        elif approval.release and not _begins(approval.release, new.id):
            why = f"what {approval.by} approved is another release, {approval.release}"
        elif approval.until < parse_day(as_of):
            why = f"the approval of {approval.by} ended on {format_day(approval.until)}"
        elif number > approval.most:
            why = f"{approval.by} approved {approval.most:,} of them"
        else:
            return approval, ""
    return None, why


def _begins(prefix: str, whole: str) -> bool:
    return bool(whole) and whole.removeprefix("sha256:").startswith(prefix.removeprefix("sha256:").rstrip("…"))


def _verdict(good: bool) -> Verdict:
    return Verdict.PASSED if good else Verdict.STOPPED


def _first(problems: Sequence[str]) -> list[str]:
    rest = len(problems) - MOST_PROBLEMS
    return [*problems[:MOST_PROBLEMS], *([f"… and {rest:,} more"] if rest > 0 else [])]


def _counted(number: int, noun: str, several: str = "") -> str:
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
