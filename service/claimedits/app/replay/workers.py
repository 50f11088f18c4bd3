"""Processes that evaluate partitions: spawned, each opens the releases once, and none outlives the run.

Which process takes which partition changes nothing: every partition is written to files of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from pickle import PicklingError, dumps, loads

import pyarrow as pa

from claimedits.app.replay.evaluating import PartitionEvaluator, Question
from claimedits.app.replay.part_files import write_part
from claimedits.model.problems import ClaimEditsError

Progress = Callable[[int, int], None]
"""Told of lines that were evaluated, and of partitions that were finished, since the last time."""


@dataclass(frozen=True)
class Job:
    """One partition."""

    number: int
    path: Path


Evaluate = Callable[[Question, Sequence[Job], Path, Progress], None]
"""Another way than ``evaluate_partitions`` to do the same: on the machines of a cluster."""


def evaluate_partitions(question: Question, jobs: Sequence[Job], out: Path, processes: int, progress: Progress) -> None:
    """Evaluate partitions and write their tables.

    Args:
        processes: 1 = this one.

    Raises:
        DiskFullError, OSError: the disk refuses.
        ClaimEditsError: a release cannot be opened, or a process ended before its work was done.
    """
    if not jobs:
        return
    if processes == 1:
        evaluator = PartitionEvaluator(question)
        for job in jobs:
            _evaluate(evaluator, job, out, lambda lines: progress(lines, 0))
            progress(0, 1)
        return
    with _processes(question, out, min(processes, len(jobs))) as team:
        _deal(team, list(reversed(jobs)), progress)


def _evaluate(evaluator: PartitionEvaluator, job: Job, out: Path, advance: Callable[[int], None]) -> None:
    write_part(out, job.number, evaluator.evaluate(read_batches(job.path)), advance)


def read_batches(path: Path) -> Iterator[pa.Table]:
    """The tables of a partition in the order of the input; each holds whole claims."""
    with pa.OSFile(str(path), "rb") as file:
        opened = pa.ipc.open_file(file)
        for place in range(opened.num_record_batches):
            yield pa.Table.from_batches([opened.get_batch(place)])


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    line: Connection


@contextmanager
def _processes(question: Question, out: Path, number: int) -> Iterator[list[_Worker]]:
    # Spawned, not forked: the durable evaluator and Arrow have threads that a fork would break.
    context = multiprocessing.get_context("spawn")
    team: list[_Worker] = []
    try:
        for _ in range(number):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(question, out, there), daemon=True)
            process.start()
            there.close()
            team.append(_Worker(process, here))
        yield team
    finally:
        for worker in team:
            worker.line.close()
            worker.process.kill()  # idle, or its work is thrown away: files get their names when they are whole
        for worker in team:
            worker.process.join()


def _deal(team: list[_Worker], waiting: list[Job], progress: Progress) -> None:
    """Hand out partitions one by one; the last of ``waiting`` first."""
    busy = {worker.line: worker for worker in team}
    for worker in team:
        worker.line.send(waiting.pop())
    while busy:
        for line in wait(list(busy)):
            assert isinstance(line, Connection)
            try:
                message = line.recv()
            except (EOFError, ConnectionResetError):
                raise ClaimEditsError(
                    "a process that evaluated claims ended before its work was done; is there memory for "
                    f"{len(team)} of them? Give the same command again, with fewer --jobs: what is finished is kept"
                ) from None
            if isinstance(message, BaseException):
                raise message
            if isinstance(message, int):
                progress(message, 0)
                continue
            progress(0, 1)
            if waiting:
                line.send(waiting.pop())
            else:
                del busy[line]


def _work(question: Question, out: Path, line: Connection) -> None:
    """The life of a process: partitions until nobody sends any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the process that deals decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        pa.set_cpu_count(1)  # each process is one core's worth
        evaluator = PartitionEvaluator(question)
        while True:
            job = line.recv()
            _evaluate(evaluator, job, out, line.send)
            line.send(job)
    except EOFError:
        return
    except (ClaimEditsError, OSError) as error:
        line.send(_portable(error))


def _portable(error: Exception) -> Exception:
    """An error that another process can read: its words, where its own form cannot be sent."""
    try:
        survives = str(loads(dumps(error))) == str(error)
    except (PicklingError, TypeError, AttributeError):
        survives = False
    return error if survives else ClaimEditsError(str(error))


def _end_with_parent() -> None:
    """End at once when the process that deals is gone, however it ended: nobody would stop this one."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
