"""What an executor's Python process does with the batches of a Spark partition, without a Spark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from line_tables import table_of
from made_release import random_claim

from claimedits.app.claim_sources.history import attach_history
from claimedits.app.claim_sources.partitions import PARTITION_SCHEMA
from claimedits.app.replay.results import LINES, REFUSED
from claimedits.app.spark import worker
from claimedits.app.spark.distribution import ReleasePlace
from claimedits.app.spark.worker import OUTPUTS, PATIENT, Task, cut_at_patients, evaluate_rows, line_rows
from claimedits.engine.columnar.table import TableFindings, evaluate_table
from claimedits.engine.engine import Engine
from claimedits.model.line_table import LINE_SCHEMA
from claimedits.model.problems import ClaimEditsError
from claimedits.model.terms import Family
from claimedits.rulesets.store import Store

AS_OF = "2024-08-10"


@pytest.fixture
def task(store: Store) -> Task:
    active = store.active()
    assert active is not None
    return Task(ReleasePlace(str(store.path), False), active.id, AS_OF)


@pytest.fixture(scope="module")
def lines() -> pa.Table:
    chance = Random(11)
    claims = [random_claim(chance, number) for number in range(200)]
    for number, claim in enumerate(claims):
        claim["patient"] = {**claim["patient"], "patient_id": f"P-{number // 4}"} if number % 7 else claim["patient"]
        if number % 40 == 0:
            claim["lines"][0]["procedure_code"] = "G01"
    return table_of(claims)


def answer_of(task: Task, table: pa.Table, rows: int) -> pa.Table:
    batches = evaluate_rows(task, table.to_batches(max_chunksize=rows))
    return pa.Table.from_batches(batches, OUTPUTS[task.output])


@pytest.mark.parametrize("rows", [5, 10_000])
@pytest.mark.parametrize("families", [(), (Family.PTP, Family.MUE)])
def test_answers_are_those_of_the_table_however_batches_cut_claims(
    task: Task, store: Store, lines: pa.Table, rows: int, families: tuple[Family, ...]
) -> None:
    expected = evaluate_table(lines, Engine.open(store), AS_OF, families)
    task = replace(task, families=families)
    assert answer_of(task, lines, rows).equals(expected.findings)
    assert answer_of(replace(task, output="refused"), lines, rows).equals(expected.refused.select(REFUSED.names))
    assert answer_of(replace(task, output="lines"), lines, rows).equals(line_rows(lines, expected))
    assert expected.refused_claims == 5


def test_all_parts_at_once(task: Task, store: Store, lines: pa.Table) -> None:
    expected = evaluate_table(lines, Engine.open(store), AS_OF)
    together = answer_of(replace(task, output="all"), lines, 1_000)
    assert together.num_rows == expected.findings.num_rows + expected.lines + expected.refused.num_rows
    found = [row for row in together.column("finding").to_pylist() if row]
    assert found == expected.findings.to_pylist()
    filled = sum(np.asarray(together.column(name).is_valid()).astype(int) for name in together.column_names)
    assert set(filled.tolist()) == {1}


def test_lines_say_each_family_and_the_worst(store: Store, lines: pa.Table) -> None:
    answer = evaluate_table(lines, Engine.open(store), AS_OF, [Family.PTP, Family.MUE])
    rows = line_rows(lines, answer)
    assert rows.schema == LINES
    assert rows.num_rows == answer.lines < lines.num_rows
    worst = {row["outcome"] for row in rows.to_pylist()}
    assert worst > {"FAIL", "PASS"}
    for row in rows.to_pylist():
        assert row["outcome"] in (row["ptp"], row["mue"])
        assert row["duplicate"] is None


def test_a_batch_without_rows_and_none_at_all(task: Task) -> None:
    assert list(evaluate_rows(task, [])) == []
    assert sum(batch.num_rows for batch in evaluate_rows(task, LINE_SCHEMA.empty_table().to_batches())) == 0


# History


def with_patients(table: pa.Table) -> pa.Table:
    """Sorted as a data frame is: by patient, else claim; then by claim."""
    claims, patients = table["claim_id"].to_pylist(), table["patient_id"].to_pylist()
    who = [patient or claim for patient, claim in zip(patients, claims, strict=True)]
    order = sorted(range(len(who)), key=lambda row: (who[row], claims[row], row))
    paid = pa.array([None if row % 3 == 0 else row % 2 == 0 for row in range(len(who))])
    return table.append_column(PATIENT, pa.array(who)).append_column("was_paid", paid).take(pa.array(order))


def joined_and_evaluated(table: pa.Table, store: Store, window: int) -> TableFindings:
    """The local way: refused claims are left out, the others joined as one partition."""
    refused = set(
        evaluate_table(table.select(LINE_SCHEMA.names), Engine.open(store), AS_OF).refused["claim_id"].to_pylist()
    )
    good = table.filter(pa.array([claim not in refused for claim in table["claim_id"].to_pylist()]))
    claims = good["claim_id"].to_pylist()
    order = pa.array([0, *np.cumsum([one != other for one, other in zip(claims, claims[1:], strict=False)]).tolist()])
    partition = good.append_column("input_order", order).select(PARTITION_SCHEMA.names).cast(PARTITION_SCHEMA)
    return evaluate_table(attach_history(partition, window).table, Engine.open(store), AS_OF)


@pytest.mark.parametrize("rows", [9, 5_000])
def test_history_is_joined_as_in_a_partition(
    task: Task, store: Store, lines: pa.Table, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ROWS", 40)
    table = with_patients(lines)
    expected = joined_and_evaluated(table, store, 30)
    task = replace(task, history_window=30)
    assert answer_of(task, table, rows).equals(expected.findings)
    assert answer_of(replace(task, output="lines"), table, rows).num_rows == expected.lines
    assert answer_of(replace(task, output="refused"), table, rows).num_rows == 5
    alone = answer_of(replace(task, history_window=None), table.select(LINE_SCHEMA.names), rows)
    assert not alone.equals(expected.findings), "history changes nothing: the test shows nothing"


@pytest.mark.parametrize("most", [1, 3, 10, 100])
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_patients_are_never_cut(most: int, size: int) -> None:
    patients = ["a", "b", "b", "b", "c", None, None, "d", "d", "d", "d", "e"]
    table = pa.table({PATIENT: patients, "row": range(len(patients))})
    parts = list(cut_at_patients(table.to_batches(max_chunksize=size), most))
    assert pa.concat_tables(parts).equals(table)
    owners = [set(part[PATIENT].to_pylist()) for part in parts]
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert max(part.num_rows for part in parts) < most + size + 4
    assert sum(part.num_rows == 0 for part in parts) == 0


# What a process keeps


def test_a_process_opens_a_release_once(task: Task, lines: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_engines", {})
    monkeypatch.setattr(worker, "_evaluators", {})
    opened = []
    open_engine = Engine.open
    monkeypatch.setattr(worker.Engine, "open", lambda *of: opened.append(of) or open_engine(*of))
    for output in ("findings", "lines", "findings"):
        list(evaluate_rows(replace(task, output=output), lines.to_batches()))
    list(evaluate_rows(replace(task, families=(Family.PTP,)), lines.to_batches()))
    assert len(opened) == 1
    assert len(worker._evaluators) == 2


def test_an_evaluator_that_failed_is_not_used_again(task: Task, lines: pa.Table) -> None:
    def broken() -> Iterator[Any]:
        yield lines.to_batches()[0]
        raise OSError("the stream broke")

    first = worker.find_evaluator(task)
    with pytest.raises(OSError, match="the stream broke"):
        list(evaluate_rows(task, broken()))
    assert worker.find_evaluator(task) is not first


def test_another_version_is_refused(task: Task) -> None:
    with pytest.raises(ClaimEditsError) as raised:
        list(evaluate_rows(replace(task, engine_version="0.0.0"), []))
    assert str(raised.value) == (
        f"the driver has claim-edits 0.0.0, this executor {worker.ENGINE_VERSION}; install the same on all machines"
    )


def test_a_store_that_the_executor_does_not_see(task: Task, tmp_path: Path) -> None:
    away = tmp_path / "away"
    with pytest.raises(ClaimEditsError) as raised:
        list(evaluate_rows(replace(task, place=ReleasePlace(str(away), False)), []))
    assert str(raised.value) == (
        f"{away}: this executor sees no such directory; name a store on a file system that all machines share, "
        "or let the release be sent to them (distribute=True)"
    )
