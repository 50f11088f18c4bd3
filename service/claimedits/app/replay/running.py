"""A replay from beginning to end: read, evaluate, sum up. It can be killed at any moment and be taken up again."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from claimedits.app.claim_sources.reading import ReadOptions
from claimedits.app.comparing import find
from claimedits.app.impact.running import settle_as_of
from claimedits.app.replay.evaluating import Question
from claimedits.app.replay.expectations import ExpectationOptions, ReadExpectations, read_expectations
from claimedits.app.replay.finishing import finish_run
from claimedits.app.replay.inputs import count_partitions, hash_file, list_inputs
from claimedits.app.replay.part_files import TABLES, publish_json, read_done, sweep
from claimedits.app.replay.plan import MANIFEST, PLAN, Plan, PlanDiffersError, check_same, find_run, reading_fields
from claimedits.app.replay.reading import ReadInput, partition_files, read_inputs
from claimedits.app.replay.workers import Evaluate, Job, evaluate_partitions
from claimedits.model.dates import parse_day
from claimedits.model.problems import ClaimEditsError
from claimedits.model.terms import FAMILIES_BY_NAME, Family
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.store import Store

Progress = Callable[[str, int, int], None]
"""Told of a stage (``read``, ``evaluate``, ``report``), what is done of it, and how much there is: bytes, then lines."""


@dataclass(frozen=True)
class ReplayOptions:
    """What a replay shall do."""

    store: Path
    claims: Sequence[str]
    """Files and directories."""
    out: Path
    """Directory of the results: new, empty, or that of a run to take up."""
    against: str = "active"
    """A release, as ``app.comparing.find`` takes it."""
    baseline: str = ""
    """A release to compare with; empty = none."""
    reading: ReadOptions = field(default_factory=lambda: ReadOptions())
    history_window: int | None = None
    """Days; None = no history is joined."""
    earlier_only: bool = False
    families: tuple[Family, ...] = ()
    """Empty = all."""
    as_of: str = ""
    """Empty = today (UTC), or the day of the run that is taken up."""
    expected: ExpectationOptions | None = None
    """What really happened; None = not known."""
    every_claim: bool = False
    """With a baseline: evaluate under both what no difference can touch, too: slower, and the same result."""
    jobs: int = 1
    evaluate: Evaluate | None = None
    """Evaluates partitions elsewhere than in ``jobs`` processes of this machine; the results are the same."""
    keep_work: bool = False


@dataclass(frozen=True)
class ReplayOutcome:
    """What a replay gave."""

    out: Path
    report: Mapping[str, Any]
    """The content of ``report.json``."""
    repeated: bool
    """Whether the directory held the finished run already, and nothing was done."""

    @property
    def rejected(self) -> int:
        """Records and claims that were not evaluated."""
        return int(self.report["input"]["rejected"]) + int(self.report["claims"]["refused"])


def replay(options: ReplayOptions, progress: Progress = lambda stage, done, total: None) -> ReplayOutcome:
    """Evaluate the claims of files under a release, and write what came of it to a directory.

    An interrupted run is taken up where it was: finished partitions are kept. A finished run is not repeated.

    Raises:
        PlanDiffersError: the directory holds something else.
        InputChangedError: a file changed while it was read, or since.
        SourceError, MappingError: a file cannot be read as claims.
        NotFoundError, AmbiguousIdError, StoreError: a release cannot be found or opened.
        DiskFullError, OSError: the disk refuses.
        ClaimEditsError: a process ended before its work was done, or ``as_of`` is no day.
    """
    out = options.out
    found = find_run(out)
    store = Store.open(options.store)
    plan = _plan(store, options, found)
    if found is not None:
        check_same(plan, found, out)
    if (out / MANIFEST).is_file():
        _check_inputs(plan, orjson.loads((out / MANIFEST).read_bytes())["claims"])
        if not options.keep_work:
            shutil.rmtree(out / "work", ignore_errors=True)
        return ReplayOutcome(out, orjson.loads((out / "report.json").read_bytes()), True)
    with _only_run(out):
        return _Run(options, store, plan, progress).run()


def _plan(store: Store, options: ReplayOptions, found: Mapping[str, Any] | None) -> Plan:
    files = list_inputs(options.claims)
    as_of = options.as_of or (found or {}).get("as_of", "")
    history = {}
    if options.history_window is not None:
        order = "earlier" if options.earlier_only else "each-other"
        history = {"window_days": options.history_window, "order": order}
    names = {family.name for family in options.families}
    return Plan(
        claims=tuple(files),
        bytes=tuple(Path(file).stat().st_size for file in files),
        partitions=count_partitions(files),
        against=_release(store, options.against).id,
        as_of=settle_as_of(as_of),
        families=tuple(family.name for family in FAMILIES_BY_NAME if family.name in names),
        baseline=_release(store, options.baseline).id if options.baseline else "",
        reading=reading_fields(options.reading),
        history=history,
        expected=options.expected.as_fields() if options.expected else {},
        every_claim=options.every_claim,
    )


def _release(store: Store, name: str) -> ReleaseInfo:
    found = find(store, name)
    if not isinstance(found, ReleaseInfo):
        raise ClaimEditsError(f"{name}: is a revision; claims are replayed under a release")
    return found


def _check_inputs(plan: Plan, known: Sequence[Mapping[str, Any]]) -> None:
    """Whether the files are those that were read."""
    for file, before in zip(plan.claims, known, strict=True):
        now = hash_file(file)
        if now.sha256 != before["sha256"]:
            raise PlanDiffersError(
                f"{file}: is not the file that the replay read; name another directory for the results"
            )


@contextmanager
def _only_run(out: Path) -> Iterator[None]:
    """Hold the lock of the directory, which the kernel drops when the process ends, however it ends."""
    work = out / "work"
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(mode=0o700, exist_ok=True)  # holds claims
    descriptor = os.open(work / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClaimEditsError(f"{out}: another process is writing this replay; wait until it ends") from None
        yield
    finally:
        os.close(descriptor)


class _Run:
    """One run, new or taken up."""

    def __init__(self, options: ReplayOptions, store: Store, plan: Plan, progress: Progress) -> None:
        self._options, self._store, self._plan, self._progress = options, store, plan, progress
        self._out = options.out
        self._work = options.out / "work"

    def run(self) -> ReplayOutcome:
        if not (self._out / PLAN).is_file():  # before all else: without it nobody knows what the rest is
            publish_json(self._out / PLAN, self._plan.as_fields())
        kept = (self._work / "done", self._work / "matched")
        for folder in kept:
            folder.mkdir(exist_ok=True)
        for folder in (self._out, self._work, *kept, self._out / "sums", *(self._out / name for name in TABLES)):
            sweep(folder)
        read, expected = self._read()
        jobs = [Job(number, path) for number, path in partition_files(self._work).items()]
        self._evaluate(jobs, read, expected)
        self._progress("report", 0, 1)
        report = finish_run(self._out, self._plan, read, expected, [job.number for job in jobs])
        if not self._options.keep_work:
            shutil.rmtree(self._work, ignore_errors=True)
        return ReplayOutcome(self._out, report, False)

    def _read(self) -> tuple[ReadInput, ReadExpectations | None]:
        read = ReadInput.load(self._work)
        if read is None:
            read = read_inputs(
                self._work,
                self._plan.claims,
                self._options.reading,
                self._plan.partitions,
                lambda lines, done, total: self._progress("read", done, total),
            )
        else:
            _check_inputs(self._plan, [{"sha256": one.sha256} for one in read.inputs])
        expected = None
        if self._options.expected is not None:
            expected = read_expectations(self._work, self._options.expected, self._options.reading.identifiers)
        return read, expected

    def _evaluate(self, jobs: list[Job], read: ReadInput, expected: ReadExpectations | None) -> None:
        total, done = int(read.counts["lines"]), 0
        waiting = []
        for job in jobs:
            finished = read_done(self._out, job.number)
            if finished is None:
                waiting.append(job)
            else:
                done += finished.lines
        self._progress("evaluate", done, total)

        def advance(lines: int, parts: int) -> None:
            nonlocal done
            done += lines
            self._progress("evaluate", done, total)

        if waiting:
            question = self._question(expected)
            if self._options.evaluate is not None:
                self._options.evaluate(question, waiting, self._out, advance)
            else:
                evaluate_partitions(question, waiting, self._out, self._options.jobs, advance)

    def _question(self, expected: ReadExpectations | None) -> Question:
        plan, options = self._plan, self._options
        question = Question(
            store=options.store,
            against=plan.against,
            as_of=plan.as_of,
            families=tuple(Family[name] for name in plan.families),
            history_window=options.history_window,
            earlier_only=options.earlier_only,
            baseline=plan.baseline,
        )
        if plan.baseline and not options.every_claim:
            touched = find_touched(self._store, plan.against, plan.baseline, as_of=parse_day(plan.as_of))
            question = replace(question, touched=touched)
        if expected is not None and options.expected is not None:
            question = replace(question, expected=expected.folder, traces=options.expected.traces)
        return question
