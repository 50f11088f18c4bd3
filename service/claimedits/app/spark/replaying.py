"""The engine ``spark`` of a replay: partitions of claims evaluated by executors, as the local processes do it.

Executors and driver see the directory of the run at one path. An executor writes a partition into a directory of its own and
gives it its name by one rename, which only the first of several tries can do; the driver moves finished partitions to their
places. So a lost executor, a try that was given up and still goes on, or a killed driver neither loses nor doubles anything.
"""

from __future__ import annotations

import errno
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import dumps
from typing import Any

import pyarrow as pa

from claimedits.app.replay.evaluating import PartitionEvaluator, Question
from claimedits.app.replay.part_files import done_path, read_done, write_part
from claimedits.app.replay.plan import PLAN
from claimedits.app.replay.workers import Job, Progress, read_batches
from claimedits.app.spark.distribution import ReleasePlace, place_releases
from claimedits.app.spark.sessions import check_installed, first_line, open_session
from claimedits.app.spark.worker import check_version
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store

_ANSWER = pa.schema([pa.field("number", pa.int32()), pa.field("error", pa.string())])
_SECONDS_BETWEEN_LOOKS = 0.5


class SparkPartitions:
    """Evaluates partitions on Spark; ``evaluate`` is what ``running.ReplayOptions.evaluate`` takes."""

    def __init__(self, master: str = "", settings: Mapping[str, str] | None = None, distribute: bool = True) -> None:
        """
        Args:
            master, settings: as ``sessions.open_session``.
            distribute: send the release to each executor; else they see the store at its path.

        Raises:
            ClaimEditsError: Spark is not installed.
        """
        check_installed()
        self._settings = dict(settings or {})
        self._master = master
        self._distribute = distribute

    def evaluate(self, question: Question, jobs: Sequence[Job], out: Path, progress: Progress) -> None:
        """As ``workers.evaluate_partitions``; a session is opened for it, and stopped afterwards.

        Raises:
            ClaimEditsError: Spark cannot be started, an executor does not see the directory, or the job failed.
            DiskFullError, OSError: the disk refuses.
        """
        opened: AbstractContextManager[Any] = open_session(self._master, self._settings)
        with opened as session:
            evaluate_on(session, question, jobs, out, progress, self._distribute)


def evaluate_on(
    session: Any, question: Question, jobs: Sequence[Job], out: Path, progress: Progress, distribute: bool = True
) -> None:
    """Evaluate partitions in a session that is open."""
    out = out.resolve()
    gather(out, progress)
    for given_up in (out / "work" / "spark").glob(".part-*"):
        shutil.rmtree(given_up, ignore_errors=True)
    waiting = [Job(job.number, job.path.resolve()) for job in jobs if not done_path(out, job.number).exists()]
    if not waiting:
        return
    releases = [question.against, *([question.baseline] if question.baseline not in ("", question.against) else [])]
    place = place_releases(session, Store.open(question.store), releases, distribute)
    asked = replace(question, expected=question.expected.resolve() if question.expected else None)
    work = Work(place, asked, tuple(waiting), out, (out / PLAN).read_bytes())
    rows = session.range(0, len(waiting), 1, len(waiting)).mapInArrow(make_task(work), _answer_type())
    with ThreadPoolExecutor(1, "spark job") as pool:
        running: Future[list[Any]] = pool.submit(rows.collect)
        try:
            while not running.done():
                wait([running], _SECONDS_BETWEEN_LOOKS)
                gather(out, progress)
            errors = [row.error for row in _result(running) if row.error]
        except BaseException:
            session.interruptAll()
            raise
    gather(out, progress)
    if errors:
        raise ClaimEditsError(errors[0])


def _answer_type() -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(_ANSWER)


def _result(running: Future[list[Any]]) -> list[Any]:
    from pyspark.errors import PySparkException

    try:
        return running.result()
    except PySparkException as error:
        raise ClaimEditsError(
            f"Spark did not finish the job: {first_line(error)}. Give the same command again: what is finished is kept"
        ) from error


@dataclass(frozen=True)
class Work:
    """What the tasks of a job do. Pickled to the executors."""

    place: ReleasePlace
    question: Question
    jobs: tuple[Job, ...]
    out: Path
    plan: bytes
    """Content of the run's plan, by which an executor knows that it sees the same directory."""
    engine_version: str = ENGINE_VERSION


def make_task(work: Work) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What Spark runs for each partition: numbers of jobs in, numbers and errors out."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                yield run_job(work, work.jobs[place])

    return run


def run_job(work: Work, job: Job) -> pa.RecordBatch:
    """Evaluate one partition on an executor. What trying again cannot mend is told, not raised: nothing is tried again."""
    error = None
    try:
        check_version(work.engine_version)
        _check_directory(work)
        _evaluate(work, job)
    except ClaimEditsError as told:
        error = f"executor on {socket.gethostname()}: {told}"
    return pa.RecordBatch.from_pylist([{"number": job.number, "error": error}], schema=_ANSWER)


def _check_directory(work: Work) -> None:
    try:
        same = (work.out / PLAN).read_bytes() == work.plan
    except OSError:
        same = False
    if not same:
        raise ClaimEditsError(
            f"{work.out}: is not the directory that the driver sees there; give --out on a file system that all "
            "machines share, at one path"
        )


_evaluators: dict[bytes, PartitionEvaluator] = {}


def _evaluate(work: Work, job: Job) -> None:
    finished = finished_path(work.out, job.number)
    if finished.exists() or done_path(work.out, job.number).exists():
        return
    attempt = finished.with_name(f".{finished.name}.{uuid.uuid4().hex}")
    done_path(attempt, job.number).parent.mkdir(parents=True)
    key = dumps((work.place, work.question))
    try:
        if key not in _evaluators:
            pa.set_cpu_count(1)  # a process has one core of the executor
            _evaluators.clear()
            _evaluators[key] = PartitionEvaluator(replace(work.question, store=work.place.find()))
        write_part(attempt, job.number, _evaluators[key].evaluate(read_batches(job.path)))
        attempt.rename(finished)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another try of this partition was faster
            raise
    except Exception:
        _evaluators.clear()  # what they remember may be half written
        raise
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def finished_path(out: Path, number: int) -> Path:
    """The directory that a finished partition waits in until the driver takes it."""
    return out / "work" / "spark" / f"part-{number:05}"


def gather(out: Path, progress: Progress) -> None:
    """Move finished partitions to their places; what says that they are done comes last."""
    for finished in sorted((out / "work" / "spark").glob("part-*")):
        number = int(finished.name[-5:])
        done = done_path(finished, number)
        if done.exists() and not done_path(out, number).exists():
            for path in sorted(path for path in finished.rglob("*") if path.is_file() and path != done):
                target = out / path.relative_to(finished)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
            done.replace(done_path(out, number))
            told = read_done(out, number)
            progress(told.lines if told else 0, 1)
        shutil.rmtree(finished)
