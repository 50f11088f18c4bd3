"""Jobs on a real Spark of several executors, one of which is killed in the middle: what they give is what one machine gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pyarrow as pa
import pytest
from line_tables import table_of
from made_release import random_claim
from spark_cluster import Trap, make_trapped, need_spark, spark_cluster

from claimedits.app.spark import dataframes
from claimedits.app.spark.worker import OUTPUTS, line_rows
from claimedits.engine.columnar.table import TableFindings, evaluate_table
from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store
from claimedits.spark import evaluate_dataframe

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
    claims = [random_claim(chance, number) for number in range(1_500)]
    for claim in claims[::40]:
        claim["lines"][0]["procedure_code"] = "G01"
    return table_of(claims)


def collect_while_killing(session: Any, made: Any, trap: Trap) -> pa.Table:
    """The rows of a data frame, one of whose executors is killed while a task is held in the trap."""
    with ThreadPoolExecutor(1) as pool:
        collected = pool.submit(made.toArrow)
        collected.add_done_callback(lambda _: trap.give_up())
        try:
            trap.kill_executor(session)
        except AssertionError:
            session.sparkContext.cancelAllJobs()
            collected.result()
            raise
        return collected.result()


def test_jobs_that_lose_an_executor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store, lines: pa.Table
) -> None:
    need_spark()
    engine = Engine.open(store)
    placed = lines.append_column("place", pa.array(range(lines.num_rows)))
    with spark_cluster(tmp_path) as session:
        session.createDataFrame(placed).repartition(5, "procedure_code", "place").write.parquet(str(tmp_path / "lines"))
        scattered = session.read.parquet(str(tmp_path / "lines"))
        trap = Trap(tmp_path / "trap")
        evaluator_of = dataframes._evaluator_of
        monkeypatch.setattr(
            dataframes, "_evaluator_of", lambda task: make_trapped(evaluator_of(task), trap.path, partition=2)
        )
        made = evaluate_dataframe(scattered, store, as_of=AS_OF, output="all", order_by="place", partitions=6)
        answer = collect_while_killing(session, made, trap)
        expected = bytes_of_parts(lines, evaluate_table(lines, engine, AS_OF))
        monkeypatch.undo()
        got = {name: sorted_bytes(_part(answer, name)) for name in expected}
        assert got == expected
        assert min(map(len, expected.values())) > 1_000
        trap.close()


def _part(answer: pa.Table, name: str) -> pa.Table:
    rows = answer.filter(answer[name].is_valid())
    return pa.Table.from_pylist(
        [row[name] for row in rows.to_pylist()], schema=pa.schema(list(OUTPUTS["all"].field(name).type))
    )
