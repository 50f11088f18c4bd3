"""Jobs on a real Spark of several executors, one of which is killed in the middle: what they give is what one machine gives."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "replay"))

from line_tables import table_of
from made_release import random_claim
from made_replays import MadeStore, bytes_of, make_claims, write_ndjson
from spark_cluster import Trap, make_trapped, need_spark, spark_cluster

from claimedits.app.replay import inputs
from claimedits.app.replay.evaluating import Question
from claimedits.app.replay.running import ReplayOptions, replay
from claimedits.app.replay.workers import Job, Progress
from claimedits.app.spark import dataframes, replaying
from claimedits.app.spark.worker import OUTPUTS, line_rows
from claimedits.engine.columnar.table import TableFindings, evaluate_table
from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store
from claimedits.spark import evaluate_dataframe

PAGE = Path(__file__).parents[3] / "docs" / "spark.md"
AS_OF = "2024-08-10"


def sorted_bytes(table: pa.Table) -> bytes:
    """The rows of a table as NDJSON, sorted."""
    return b"\n".join(sorted(orjson.dumps(row) for row in table.to_pylist()))


def bytes_of_parts(table: pa.Table, answer: TableFindings) -> dict[str, bytes]:
    parts = {
        "finding": answer.findings,
        "line": line_rows(table, answer),
        "refusal": answer.refused.drop_columns("row"),
    }
    return {name: sorted_bytes(rows) for name, rows in parts.items()}


@pytest.fixture(scope="module")
def lines() -> pa.Table:
    """Claims of every kind; some of them are refused."""
    chance = Random(7)
    claims = [random_claim(chance, number) for number in range(800)]
    for claim in claims[::40]:
        claim["lines"][0]["procedure_code"] = "G01"
    return table_of(claims)


def run_while_killing(session: Any, run: Callable[[], Any], trap: Trap) -> Any:
    """What ``run`` returns, one of whose executors is killed while a task is held in the trap."""
    with ThreadPoolExecutor(1) as pool:
        collected = pool.submit(run)
        collected.add_done_callback(lambda _: trap.give_up())
        try:
            trap.kill_executor(session)
        except AssertionError:
            session.sparkContext.cancelAllJobs()
            collected.result()
            raise
        return collected.result()


def test_jobs_that_lose_an_executor(
    tmp_path: Path, store: Store, lines: pa.Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """One test, for a cluster takes long to start."""
    need_spark()
    with spark_cluster(tmp_path / "cluster") as session:
        _check_data_frames(session, tmp_path, store, lines)
        _check_replay(session, tmp_path)
        _check_example(tmp_path, store, capsys)


def _check_data_frames(session: Any, folder: Path, store: Store, lines: pa.Table) -> None:
    placed = lines.append_column("place", pa.array(range(lines.num_rows)))
    (folder / "lines").mkdir()
    for part in range(5):  # the rows of a claim in several files
        rows = pa.array([row for row in range(lines.num_rows) if row * 7 % 5 == part])
        pq.write_table(placed.take(rows), folder / "lines" / f"part-{part}.parquet")
    scattered = session.read.parquet(str(folder / "lines"))
    trap = Trap(folder / "trap-of-frames")
    evaluator_of = dataframes._evaluator_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataframes, "_evaluator_of", lambda task: make_trapped(evaluator_of(task), trap.path, 2))
        made = evaluate_dataframe(scattered, store, as_of=AS_OF, output="all", order_by="place", partitions=6)
    answer = run_while_killing(session, made.toArrow, trap)
    expected = bytes_of_parts(lines, evaluate_table(lines, Engine.open(store), AS_OF))
    assert {name: sorted_bytes(_part(answer, name)) for name in expected} == expected
    assert min(map(len, expected.values())) > 1_000


def _check_replay(session: Any, folder: Path) -> None:
    made = MadeStore(folder / "updates")
    claims = write_ndjson(folder / "claims.ndjson", make_claims(400))
    trap = Trap(folder / "trap-of-replay")
    make_task = replaying.make_task

    def run_on_spark(question: Question, jobs: Sequence[Job], out: Path, progress: Progress) -> None:
        run_while_killing(session, lambda: replaying.evaluate_on(session, question, jobs, out, progress), trap)

    options = ReplayOptions(
        made.path, [str(claims)], folder / "local", made.new, made.old, history_window=30, as_of="2026-11-01"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "LINES_A_PARTITION", 100)
        replay(options)
        patch.setattr(replaying, "make_task", lambda work: make_trapped(make_task(work), trap.path, 2))
        replay(replace(options, out=folder / "spark", evaluate=run_on_spark))
    expected = bytes_of(folder / "local")
    assert sum(name.startswith("findings/") for name in expected) > 5
    assert bytes_of(folder / "spark") == expected


def _check_example(folder: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The example of docs/spark.md, on the lines that were written for the data frames."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    example = example.replace('read.parquet("lines")', 'read.parquet("lines").drop("place")')
    (folder / "store").symlink_to(store.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        example = example.replace('"lines"', repr(str(folder / "lines")))
        exec(compile(example, str(PAGE), "exec"), {})
    shown = capsys.readouterr().out
    assert re.search(r"\| *PTP\| *FAIL\| *[1-9]\d*\|", shown), shown
    assert "|lines[0].procedure_code|is not a procedure code|" in shown


def _part(answer: pa.Table, name: str) -> pa.Table:
    rows = answer.filter(answer[name].is_valid())
    return pa.Table.from_pylist(
        [row[name] for row in rows.to_pylist()], schema=pa.schema(list(OUTPUTS["all"].field(name).type))
    )
