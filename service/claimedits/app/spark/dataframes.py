"""Data frames of claim lines in, data frames of findings out (library entry ``claimedits.spark``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimedits.app.comparing import ACTIVE
from claimedits.app.spark.distribution import place_releases
from claimedits.app.spark.worker import OUTPUTS, PARTS, PATIENT, Task, evaluate_rows
from claimedits.engine.columnar.column_types import check_columns
from claimedits.engine.engine import read_as_of, read_families
from claimedits.model.claim_reading import DEFAULT_LIMITS, ClaimLimits
from claimedits.model.dates import Day, format_day
from claimedits.model.line_table import LINE_SCHEMA, TableInvalidError
from claimedits.model.problems import ClaimInvalidError, NotFoundError, Problem
from claimedits.model.terms import FAMILIES_BY_NAME, Family
from claimedits.rulesets.store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

WAS_PAID = "was_paid"
"""A column that a data frame may have beside those of a line table when history is joined: the payer paid the line."""


def evaluate_dataframe(
    df: DataFrame,
    store: Store | Path | str,
    release: str = "",
    as_of: Day | str | None = None,
    families: Iterable[Family | str] = (),
    *,
    output: str = "findings",
    order_by: str | Sequence[str] = (),
    history_window: int | None = None,
    earlier_only: bool = False,
    partitions: int | None = None,
    distribute: bool = True,
    limits: ClaimLimits = DEFAULT_LIMITS,
) -> DataFrame:
    """Decide every claim of a data frame of claim lines (``claimedits.LINE_SCHEMA``); nothing runs until it is read.

    The findings are those of ``evaluate_table``. All rows with one ``claim_id`` are one claim, wherever they stand; they are
    brought together by a shuffle. Release and ``as_of`` are settled here, once, for the whole job.

    Args:
        df: one row a line; further columns are refused, but for those that ``order_by`` names.
        store: the directory of a store on this machine.
        release: id or unique prefix; empty = the one that is active now.
        as_of: only what was known on this day counts; None or empty = today (UTC).
        families: evaluate these only; empty = all.
        output: ``findings``; ``lines``: each line with its statuses; ``refused``: what is wrong with the claims that were
            not evaluated; ``all``: the three as struct columns ``finding``, ``line``, ``refusal``, one of which is not null
            on each row, for those who want more than one and evaluate once (``select_part``).
        order_by: columns that say in which order the lines of a claim stand, history lines after them; else they stand by
            line number. It matters to duplicates: of two equal lines the later one is denied.
        history_window: days; claims of one patient and provider are joined as history for each other (``was_paid`` may say
            which lines were paid). None = no history but what the rows bring.
        earlier_only: only claims that begin earlier are history; of claims that begin on one day, that with the smaller id.
        partitions: of the shuffle; None = Spark decides (``spark.sql.shuffle.partitions``, adaptive execution).
        distribute: send the release to each executor, once; else ``store`` is a path at which every machine sees it.
        limits: how large a claim may be.

    Raises:
        TableInvalidError: columns are missing, unknown or of another type; every one is named.
        ClaimInvalidError: ``as_of``, a family, ``output``, ``history_window`` or ``partitions`` is none.
        NotFoundError, StoreError: the release cannot be opened.
        ClaimEditsError: the release cannot be sent through this session.
    """
    order = [order_by] if isinstance(order_by, str) else list(order_by)
    _check_arguments(output, history_window, partitions)
    _check_columns(df, order, history_window is not None)
    wanted, day = read_families(families), format_day(read_as_of(as_of))
    opened = store if isinstance(store, Store) else Store.open(store)
    release_id = find_release(opened, release)
    task = Task(
        place=place_releases(df.sparkSession, opened, [release_id], distribute),
        release=release_id,
        as_of=day,
        families=tuple(family for family in FAMILIES_BY_NAME if family in wanted),
        limits=limits,
        output=output,
        history_window=history_window,
        earlier_only=earlier_only,
    )
    lines = _bring_together(df, order, history_window is not None, partitions)
    return lines.mapInArrow(_evaluator_of(task), spark_schema(OUTPUTS[output]))


def select_part(df: DataFrame, part: str) -> DataFrame:
    """The rows of one part of an answer with ``output="all"``: ``finding``, ``line`` or ``refusal``.

    Raises:
        KeyError: there is no such part.
    """
    if part not in PARTS:
        raise KeyError(part)
    return df.where(df[part].isNotNull()).select(f"{part}.*")


def find_release(store: Store, release: str) -> str:
    """The whole id of a release; empty or ``active`` = the active one.

    Raises:
        NotFoundError: there is no such release.
        StoreError: it is damaged.
    """
    found = store.release(release) if release and release != ACTIVE else store.active()
    if found is None:
        raise NotFoundError("no release is active; run 'claim-edits release activate'")
    return found.id


def spark_schema(schema: pa.Schema) -> Any:
    """The Spark type of rows of an Arrow schema."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def _evaluator_of(task: Task) -> Any:
    def evaluate(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return evaluate_rows(task, batches)

    return evaluate


def _check_arguments(output: str, history_window: int | None, partitions: int | None) -> None:
    problems = []
    if output not in OUTPUTS:
        problems.append(Problem("output", "is none", f"use one of {', '.join(OUTPUTS)}"))
    if history_window is not None and history_window < 0:
        problems.append(Problem("history_window", "is less than 0", "give days, 0 or more"))
    if partitions is not None and partitions < 1:
        problems.append(Problem("partitions", "is less than 1", "give 1 or more, or leave it out"))
    if problems:
        raise ClaimInvalidError(problems)


def _check_columns(df: DataFrame, order: Sequence[str], with_history: bool) -> None:
    import pyarrow as pa

    problems = [
        Problem(f"column {name}", "is missing", "order_by names it") for name in order if name not in df.columns
    ]
    fields = []
    for field in df.schema.fields:
        if field.name in order and field.name not in LINE_SCHEMA.names:
            continue
        found = _arrow_type(field.dataType)
        if field.name in LINE_SCHEMA.names and found is None:
            wanted = LINE_SCHEMA.field(field.name).type
            problems.append(
                Problem(f"column {field.name}", f"is {field.dataType.simpleString()}", f"wanted is {wanted}")
            )
            continue
        if with_history and field.name == WAS_PAID:
            if found != pa.bool_():
                problems.append(Problem(f"column {WAS_PAID}", f"is {field.dataType.simpleString()}", "wanted is bool"))
            continue
        fields.append(pa.field(field.name, found or pa.null()))
    try:
        check_columns(pa.schema(fields + [pa.field(name, pa.null()) for name in _named_by(problems)]))
    except TableInvalidError as error:
        problems += error.problems
    if problems:
        raise TableInvalidError(problems)


def _arrow_type(kind: Any) -> pa.DataType | None:
    """The Arrow type that Spark sends a type as; None for those that no column of a line table may have."""
    import pyarrow as pa
    from pyspark.sql import types

    if isinstance(kind, types.ArrayType):
        inner = _arrow_type(kind.elementType)
        return pa.list_(inner) if inner is not None else None
    if isinstance(kind, types.DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    plain = {
        types.StringType: pa.string(),
        types.BooleanType: pa.bool_(),
        types.ByteType: pa.int8(),
        types.ShortType: pa.int16(),
        types.IntegerType: pa.int32(),
        types.LongType: pa.int64(),
        types.FloatType: pa.float32(),
        types.DoubleType: pa.float64(),
        types.DateType: pa.date32(),
        types.NullType: pa.null(),
    }
    return next((found for known, found in plain.items() if isinstance(kind, known)), None)


def _named_by(problems: Sequence[Problem]) -> list[str]:
    """Columns that are there, and that something was said of."""
    names = [problem.where.removeprefix("column ") for problem in problems if problem.what != "is missing"]
    return [name for name in dict.fromkeys(names) if name in LINE_SCHEMA.names]


def _bring_together(df: DataFrame, order: Sequence[str], with_history: bool, partitions: int | None) -> DataFrame:
    """The rows of a claim side by side in one partition, its own lines first; with history, all claims of a patient.

    Columns that say nothing of the order stand at its end: where rows are equal in all that does, no two runs differ.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    columns = [name for name in LINE_SCHEMA.names if name in df.columns]
    if with_history:
        if "patient_id" in columns:
            # Of the claim, not of the row: rows of one claim that disagree stay together, and the claim is refused.
            patient = f.min(f.col("patient_id")).over(Window.partitionBy("claim_id"))
            df = df.withColumn(PATIENT, f.coalesce(patient, f.col("claim_id")))
        else:
            df = df.withColumn(PATIENT, f.col("claim_id"))
        columns += [PATIENT, *([WAS_PAID] if WAS_PAID in df.columns else [])]
    keys = [PATIENT] if with_history else ["claim_id"]
    sort = [*keys, *(["claim_id"] if with_history else [])]
    other_claim = [f.trim(f.coalesce(f.col("history_claim_id"), f.lit("")))] if "history_claim_id" in columns else []
    by = [f.col(name) for name in sort] + [one != "" for one in other_claim] + [f.col(name) for name in order]
    by += [*other_claim, f.col("line_number")]
    by += [f.col(name) for name in sorted(set(columns) - {*sort, *order, "line_number", "history_claim_id"})]
    moved = df.repartition(*keys) if partitions is None else df.repartition(partitions, *keys)
    return moved.sortWithinPartitions(*by).select(*columns)


__all__ = ["evaluate_dataframe", "find_release", "select_part"]
