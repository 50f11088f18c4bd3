"""Partitions of a replay as executors evaluate them: several tries, tries that were given up, a driver that was killed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "replay"))

from made_replays import MadeStore, bytes_of, make_claims, write_ndjson

from claimedits.app.replay import inputs
from claimedits.app.replay.evaluating import Question
from claimedits.app.replay.plan import PLAN
from claimedits.app.replay.running import ReplayOptions, replay
from claimedits.app.replay.workers import Job, Progress
from claimedits.app.spark import replaying
from claimedits.app.spark.distribution import ReleasePlace
from claimedits.app.spark.replaying import Work, finished_path, gather, run_job

AS_OF = "2026-11-01"
Order = Callable[[Work, Progress], None]
"""In which order things happen to the partitions of a run."""


InOrder = Callable[[Order], ReplayOptions]


class Killed(BaseException):
    """What stands for a driver's death."""


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LINES_A_PARTITION", 20)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> ReplayOptions:
    """A run on this machine, done."""
    folder = tmp_path_factory.mktemp("local")
    store = MadeStore(folder / "made")
    claims = write_ndjson(folder / "claims.ndjson", make_claims(60))
    options = ReplayOptions(
        store.path, [str(claims)], folder / "here", store.new, store.old, history_window=10, as_of=AS_OF
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "LINES_A_PARTITION", 20)
        replay(options)
    return options


@pytest.fixture
def in_order(local: ReplayOptions, tmp_path: Path) -> Callable[[Order], ReplayOptions]:
    """The same run in another directory, by executors that are this process."""

    def options_of(order: Order) -> ReplayOptions:
        def evaluate(question: Question, jobs: Sequence[Job], out: Path, progress: Progress) -> None:
            place = ReleasePlace(str(question.store), False)
            order(Work(place, question, tuple(jobs), out.resolve(), (out / PLAN).read_bytes()), progress)

        return replace(local, out=tmp_path / "there", evaluate=evaluate)

    return options_of


def error_of(work: Work, job: Job) -> str | None:
    (row,) = run_job(work, job).to_pylist()
    assert row["number"] == job.number
    found: str | None = row["error"]
    return found


def test_executors_give_the_bytes_of_this_machine(local: ReplayOptions, in_order: InOrder) -> None:
    told: list[tuple[int, int]] = []

    def order(work: Work, progress: Progress) -> None:
        assert len(work.jobs) > 4
        for job in reversed(work.jobs):
            assert error_of(work, job) is None
        gather(work.out, lambda lines, parts: told.append((lines, parts)))

    options = in_order(order)
    replay(options)
    assert bytes_of(options.out) == bytes_of(local.out)
    assert sum(lines for lines, _ in told) == sum(
        pq.read_metadata(path).num_rows for path in (options.out / "lines").iterdir()
    )
    assert {parts for _, parts in told} == {1}


def test_a_second_try_changes_nothing(local: ReplayOptions, in_order: InOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    def order(work: Work, progress: Progress) -> None:
        first, second = work.jobs[0], work.jobs[1]
        error_of(work, first)
        written = bytes_of(finished_path(work.out, first.number))
        with monkeypatch.context() as patch:  # both tries began before one was finished
            exists = Path.exists
            patch.setattr(Path, "exists", lambda path: path.name != finished_path(work.out, 0).name and exists(path))
            assert error_of(work, replace(first)) is None
        assert bytes_of(finished_path(work.out, first.number)) == written
        gather(work.out, progress)
        assert error_of(work, first) is None
        assert not finished_path(work.out, first.number).exists(), "what was done was done again"
        given_up = finished_path(work.out, second.number).with_name(".part-00001.given-up")
        (given_up / "lines").mkdir(parents=True)
        (given_up / "lines" / "part-00001.parquet").write_bytes(b"half")
        for job in work.jobs[1:]:
            error_of(work, job)
        gather(work.out, progress)

    options = in_order(order)
    replay(options)
    assert bytes_of(options.out) == bytes_of(local.out)


def test_a_partition_that_comes_late_is_thrown_away(local: ReplayOptions, in_order: InOrder) -> None:
    """A machine that was thought lost finishes a partition that another one had finished, with other bytes."""

    def order(work: Work, progress: Progress) -> None:
        for job in work.jobs:
            error_of(work, job)
        gather(work.out, progress)
        late = finished_path(work.out, work.jobs[0].number)
        (late / "work" / "done").mkdir(parents=True)
        (late / "work" / "done" / f"{late.name}.json").write_bytes(b"{}")
        (late / "lines").mkdir()
        (late / "lines" / f"{late.name}.parquet").write_bytes(b"other")
        gather(work.out, progress)
        assert not late.exists()

    options = in_order(order)
    replay(options)
    assert bytes_of(options.out) == bytes_of(local.out)


@pytest.mark.parametrize("moves", [0, 2, 7])
def test_a_driver_that_dies_while_it_moves_files(
    local: ReplayOptions, in_order: InOrder, moves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def order(work: Work, progress: Progress) -> None:
        left = moves
        move = Path.replace

        def move_some(path: Path, target: Path) -> Path:
            nonlocal left
            if "spark" in path.parts:
                if left == 0:
                    raise Killed
                left -= 1
            return move(path, target)

        for job in work.jobs[:4]:
            error_of(work, job)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", move_some)
            gather(work.out, progress)

    options = in_order(order)
    with pytest.raises(Killed):
        replay(options)

    def rest(work: Work, progress: Progress) -> None:
        gather(work.out, progress)
        for job in work.jobs:
            error_of(work, job)
        gather(work.out, progress)

    replay(in_order(rest))
    assert bytes_of(options.out) == bytes_of(local.out)


def test_a_directory_that_only_the_driver_sees(local: ReplayOptions, in_order: InOrder, tmp_path: Path) -> None:
    def order(work: Work, progress: Progress) -> None:
        away = tmp_path / "away"
        told = error_of(replace(work, out=away), work.jobs[0])
        assert told is not None
        assert told.partition(": ")[2] == (
            f"{away}: is not the directory that the driver sees there; give --out on a file system that all machines "
            "share, at one path"
        )
        (away / PLAN).parent.mkdir(parents=True)
        (away / PLAN).write_bytes(b"another run")
        assert error_of(replace(work, out=away), work.jobs[0]) == told
        raise Killed

    with pytest.raises(Killed):
        replay(in_order(order))


def test_a_damaged_release_is_told(local: ReplayOptions, in_order: InOrder, tmp_path: Path) -> None:
    def order(work: Work, progress: Progress) -> None:
        (tmp_path / "empty").mkdir()
        told = error_of(replace(work, place=ReleasePlace(str(tmp_path / "empty"), False)), work.jobs[0])
        assert told is not None
        assert "no store is there" in told
        assert list((work.out / "work" / "spark").iterdir()) == []
        raise Killed

    with pytest.raises(Killed):
        replay(in_order(order))


def test_a_failure_that_another_try_may_mend_is_raised(
    local: ReplayOptions, in_order: InOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def order(work: Work, progress: Progress) -> None:
        missing = replace(work.jobs[0], path=work.jobs[0].path.with_name("missing.arrow"))
        with pytest.raises(FileNotFoundError):
            run_job(work, missing)
        assert list((work.out / "work" / "spark").iterdir()) == []
        raise Killed

    monkeypatch.setattr(replaying, "_evaluators", {})
    with pytest.raises(Killed):
        replay(in_order(order))
