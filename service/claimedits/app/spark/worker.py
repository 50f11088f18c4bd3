"""What the Python processes of executors run: Arrow batches of claim lines in, batches of findings out.

A process opens a release once and keeps it for all tasks that it is given; its tables are mapped, and so shared by all
processes of a machine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.history import join_history
from claimedits.app.claim_sources.partitions import PARTITION_SCHEMA
from claimedits.app.replay.results import FINDINGS, LINES, REFUSED, STATUS_COLUMNS
from claimedits.app.spark.distribution import ReleasePlace
from claimedits.engine.columnar.batches import ROWS
from claimedits.engine.columnar.table import TableEvaluator, TableFindings
from claimedits.engine.engine import Engine
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.claim_reading import DEFAULT_LIMITS, ClaimLimits
from claimedits.model.line_table import LINE_SCHEMA, OUTCOME
from claimedits.model.problems import ClaimEditsError
from claimedits.model.terms import Family, Status
from claimedits.rulesets.store import Store

PARTS: dict[str, pa.Schema] = {"finding": FINDINGS, "line": LINES, "refusal": REFUSED}
"""What an answer consists of, and the columns of each."""
OUTPUTS: dict[str, pa.Schema] = {
    "findings": FINDINGS,
    "lines": LINES,
    "refused": REFUSED,
    "all": pa.schema([pa.field(name, pa.struct(list(schema))) for name, schema in PARTS.items()]),
}
"""What can be asked for. ``all``: one struct column for each of ``PARTS``; on each row one of them is not null."""
PATIENT = "history_patient"
"""With history: the column by which rows are sorted first, equal for all claims that may be history for each other."""
_ROWS_OUT = 65_536
_MOST_EVALUATORS = 4
_STATUS_TEXTS = pa.array([None, *(status.name for status in sorted(Status))], pa.string())


@dataclass(frozen=True)
class Task:
    """Everything that an answer depends on but the lines. Pickled to the processes."""

    place: ReleasePlace
    release: str
    """Whole id."""
    as_of: str
    """YYYY-MM-DD: settled once, so that a job that runs over midnight answers for one day."""
    families: tuple[Family, ...] = ()
    """Empty = all."""
    limits: ClaimLimits = DEFAULT_LIMITS
    output: str = "findings"
    """One of ``OUTPUTS``."""
    history_window: int | None = None
    earlier_only: bool = False
    engine_version: str = ENGINE_VERSION


_engines: dict[tuple[ReleasePlace, str], Engine] = {}
_evaluators: dict[Task, TableEvaluator] = {}


def evaluate_rows(task: Task, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The answer to one Spark partition, in batches of ``OUTPUTS[task.output]``.

    Args:
        batches: of line tables, the rows of a claim together; a claim may begin in one and end in another. With
            ``history_window`` also with ``PATIENT``, sorted by it, and the claims of a patient in the order that counts.

    Raises:
        NotFoundError, StoreError: the release cannot be opened.
        ClaimEditsError: the executor has another version of the engine, or does not see the store.
    """
    evaluator = find_evaluator(task)
    try:
        answers = (
            _with_history(task, evaluator, batches) if task.history_window is not None else _plain(evaluator, batches)
        )
        for table, answer in answers:
            yield from _rows_out(task.output, table, answer)
    except Exception:
        _evaluators.pop(_key(task), None)  # what it remembers may be half written
        raise


def find_evaluator(task: Task) -> TableEvaluator:
    """The evaluator that this process keeps for tasks of this kind.

    Raises:
        As ``evaluate_rows``.
    """
    check_version(task.engine_version)
    key = _key(task)
    found = _evaluators.get(key)
    if found is None:
        pa.set_cpu_count(1)  # a process has one core of the executor
        while len(_evaluators) >= _MOST_EVALUATORS:
            del _evaluators[next(iter(_evaluators))]
        found = TableEvaluator(_engine(task.place, task.release), task.as_of, task.families, task.limits)
        _evaluators[key] = found
    return found


def check_version(driver: str) -> None:
    """
    Raises:
        ClaimEditsError: the driver has another version of the engine than this process.
    """
    if driver != ENGINE_VERSION:
        raise ClaimEditsError(
            f"the driver has claim-edits {driver}, this executor {ENGINE_VERSION}; install the same on all machines"
        )


def _key(task: Task) -> Task:
    return replace(task, output="findings", history_window=None, earlier_only=False)


def _engine(place: ReleasePlace, release: str) -> Engine:
    known = (place, release)
    if known not in _engines:
        while len(_engines) >= _MOST_EVALUATORS:
            del _engines[next(iter(_engines))]
        _engines[known] = Engine.open(Store.open(place.find()), release)
    return _engines[known]


def _plain(evaluator: TableEvaluator, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[pa.Table, TableFindings]]:
    """Answers with the rows they speak of. Rows are held until they are answered: a part, and the batch being read."""
    held: deque[pa.Table] = deque()

    def passing() -> Iterator[pa.Table]:
        for batch in batches:
            table = pa.Table.from_batches([batch])
            held.append(table)
            yield table

    for answer in evaluator.evaluate_batches(passing()):
        yield _take(held, answer.statuses.num_rows), answer


def _take(held: deque[pa.Table], rows: int) -> pa.Table:
    taken: list[pa.Table] = []
    while rows:
        first = held.popleft()
        taken.append(first.slice(0, rows))
        if first.num_rows > rows:
            held.appendleft(first.slice(rows))
        rows -= taken[-1].num_rows
    return pa.concat_tables(taken) if taken else LINE_SCHEMA.empty_table()


def _with_history(
    task: Task, evaluator: TableEvaluator, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[pa.Table, TableFindings]]:
    """Claims are read without history first: those that are refused are nobody's history. Then they are joined."""
    reader = find_evaluator(replace(task, families=(Family.MODIFIER,)))
    assert task.history_window is not None
    for patients in cut_at_patients(batches):
        good, offset = [], 0
        lines = patients.select([name for name in patients.column_names if name in LINE_SCHEMA.names])
        for table, answer in _plain(reader, lines.to_batches()):
            yield table.slice(0, 0), _refusals_only(answer)
            rows = patients.slice(offset, table.num_rows)
            good.append(rows.filter(pa.array(_rows_of_good_claims(table, answer))))
            offset += table.num_rows
        partition = _as_partition(pa.concat_tables(good))
        for joined in join_history(partition, task.history_window, task.earlier_only):
            yield from _plain(evaluator, joined.table.to_batches())


def _refusals_only(answer: TableFindings) -> TableFindings:
    return replace(answer, findings=answer.findings.slice(0, 0), statuses=answer.statuses.slice(0, 0))


def cut_at_patients(batches: Iterable[pa.RecordBatch], rows: int = ROWS) -> Iterator[pa.Table]:
    """Tables of about ``rows`` rows that end where ``PATIENT`` changes; longer where one patient, or a batch, has more."""
    held: list[pa.Table] = []
    count = end = 0  # rows that are held, and how many of them are of patients that are whole
    for batch in batches:
        if batch.num_rows == 0:
            continue
        table = pa.Table.from_batches([batch])
        before = [held[-1].slice(held[-1].num_rows - 1)] if held else []
        runs = _runs(pa.concat_tables([*before, table]).column(PATIENT))
        begin = int(np.searchsorted(runs, runs[-1]))
        held.append(table)
        if begin:
            end = count + begin - len(before)
        count += table.num_rows
        if count >= rows and end:
            joined = pa.concat_tables(held)
            yield joined.slice(0, end)
            held, count, end = [joined.slice(end)], count - end, 0
    if held:
        yield pa.concat_tables(held)


def _runs(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each row the number of its run of equal values; null equals null."""
    if len(column) == 0:
        return np.zeros(0, dtype=np.int64)
    before, after = column.slice(0, len(column) - 1), column.slice(1)
    same = pc.fill_null(pc.equal(before, after), False)
    same = np.asarray(pc.or_(same, pc.and_(pc.is_null(before), pc.is_null(after))))
    return np.concatenate([[0], np.cumsum(~same)]).astype(np.int64)


def _rows_of_good_claims(table: pa.Table, answer: TableFindings) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    owner = _runs(table.column("claim_id"))
    good = np.zeros(len(owner), dtype=bool)
    good[owner[np.asarray(answer.statuses[OUTCOME]) != 0]] = True
    return good[owner]


def _as_partition(table: pa.Table) -> pa.Table:
    """As ``join_history`` takes it; claims are numbered as they stand."""
    columns = []
    for field in PARTITION_SCHEMA:
        if field.name == "input_order":
            columns.append(pa.array(_runs(table.column("claim_id"))))
        elif field.name in table.column_names:
            columns.append(_plain_column(table, field.name).cast(field.type))
        else:
            columns.append(pa.nulls(table.num_rows, field.type))
    return pa.Table.from_arrays(columns, schema=PARTITION_SCHEMA)


def _plain_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = table.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _rows_out(output: str, table: pa.Table, answer: TableFindings) -> Iterator[pa.RecordBatch]:
    wanted = {"findings": ("finding",), "lines": ("line",), "refused": ("refusal",)}.get(output, tuple(PARTS))
    for part in wanted:
        if part == "finding":
            rows = answer.findings
        elif part == "line":
            rows = line_rows(table, answer)
        else:
            rows = answer.refused.select(REFUSED.names).cast(REFUSED)
        if output == "all":
            rows = _as_struct(part, rows)
        yield from rows.combine_chunks().to_batches(max_chunksize=_ROWS_OUT)


def _as_struct(part: str, rows: pa.Table) -> pa.Table:
    schema = OUTPUTS["all"]
    columns = [
        pa.chunked_array(rows.to_struct_array().chunks, field.type)
        if field.name == part
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def line_rows(table: pa.Table, answer: TableFindings) -> pa.Table:
    """The lines that were evaluated, with the status of each family; history lines and refused claims are left out.

    Args:
        table: the rows that ``answer`` speaks of.

    Returns: ``replay.results.LINES``.
    """
    numbers = {name: np.asarray(answer.statuses[name]) for name in answer.statuses.column_names}
    rows = pa.array(np.flatnonzero(numbers[OUTCOME]))
    family_of = {column: family for family, column in STATUS_COLUMNS.items()} | {"outcome": OUTCOME}
    columns = []
    for field in LINES:
        family = family_of.get(field.name)
        if family in numbers:
            columns.append(_STATUS_TEXTS.take(pa.array(numbers[family])).take(rows))
        elif family is None and field.name in table.column_names:
            columns.append(_plain_column(table, field.name).cast(field.type).take(rows))
        else:
            columns.append(pa.nulls(len(rows), field.type))
    return pa.Table.from_arrays(columns, schema=LINES)
