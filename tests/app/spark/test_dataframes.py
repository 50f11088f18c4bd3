"""What a caller may give to ``evaluate_dataframe``: everything that is wrong is said at once, before Spark does anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from spark_cluster import need_spark

from claimedits.app.spark.dataframes import evaluate_dataframe, find_release, select_part
from claimedits.app.spark.distribution import place_releases
from claimedits.model.line_table import TableInvalidError
from claimedits.model.problems import ClaimEditsError, ClaimInvalidError, NotFoundError
from claimedits.rulesets.store import Store


def frame(text: str) -> Any:
    """What is looked at of a data frame of these columns, without a Spark."""
    need_spark()
    from pyspark.sql.types import StructField, StructType

    fields = []
    for column in text.split(", "):
        name, _, kind = column.partition(" ")
        fields.append(StructField(name, _type(kind)))
    return SimpleNamespace(columns=[field.name for field in fields], schema=StructType(fields), sparkSession=None)


def _type(kind: str) -> Any:
    from pyspark.sql import types

    return {
        "string": types.StringType(),
        "int": types.IntegerType(),
        "date": types.DateType(),
        "timestamp": types.TimestampType(),
        "bool": types.BooleanType(),
        "strings": types.ArrayType(types.StringType()),
        "variant": types.VariantType(),
    }[kind]


GOOD = "claim_id string, program string, setting string, line_number int, procedure_code string, units int, service_date date"


def problems_of(df: Any, store: Any = "nowhere", **arguments: Any) -> list[str]:
    with pytest.raises(TableInvalidError) as raised:
        evaluate_dataframe(df, store, **arguments)
    return [f"{problem.where}: {problem.what}; {problem.mend}" for problem in raised.value.problems]


def test_every_wrong_column_is_named() -> None:
    df = frame(
        "claim_id string, program string, setting string, line_number string, units int, service_date timestamp, "
        "modifiers variant, chargecents int, was_paid bool"
    )
    assert problems_of(df, order_by=["place", "chargecents"]) == [
        "column place: is missing; order_by names it",
        "column service_date: is timestamp; wanted is date32[day]",
        "column modifiers: is variant; wanted is list<item: string>",
        "column procedure_code: is missing; add it as string",
        "column line_number: is string; wanted is int32",
        "column was_paid: is no column of a line table; check its spelling, or leave it out",
    ]


def test_was_paid_goes_with_history() -> None:
    assert problems_of(frame(GOOD + ", was_paid string"), history_window=3) == [
        "column was_paid: is string; wanted is bool"
    ]


def test_arguments() -> None:
    with pytest.raises(ClaimInvalidError) as raised:
        evaluate_dataframe(frame(GOOD), "nowhere", output="rows", history_window=-1, partitions=0)
    assert [f"{p.where}: {p.what}; {p.mend}" for p in raised.value.problems] == [
        "output: is none; use one of findings, lines, refused, all",
        "history_window: is less than 0; give days, 0 or more",
        "partitions: is less than 1; give 1 or more, or leave it out",
    ]


def test_as_of_and_families_are_read_before_anything_is_sent(store: Store) -> None:
    with pytest.raises(ClaimInvalidError, match="families"):
        evaluate_dataframe(frame(GOOD), store, families=["PTTP"])
    with pytest.raises(ClaimInvalidError, match="as_of"):
        evaluate_dataframe(frame(GOOD), store, as_of="2024-13-01")


def test_a_release_is_settled_once(store: Store, tmp_path: Path) -> None:
    active = store.active()
    assert active is not None
    assert find_release(store, "") == find_release(store, "active") == find_release(store, active.id[:14]) == active.id
    with pytest.raises(NotFoundError, match="no release is active; run 'claim-edits release activate'"):
        find_release(Store.open(tmp_path / "empty", create=True), "")


def test_a_session_that_cannot_be_sent_to(store: Store) -> None:
    class Connect:
        @property
        def sparkContext(self) -> Any:  # noqa: N802
            raise RuntimeError("not supported in Spark Connect")

    with pytest.raises(ClaimEditsError) as raised:
        place_releases(Connect(), store, [find_release(store, "")], distribute=True)
    assert str(raised.value) == (
        "a release cannot be sent through Spark Connect; put the store, or a copy of it, on a file system that all "
        "machines share, and give distribute=False"
    )
    assert place_releases(Connect(), store, [], distribute=False).find() == store.path.resolve()


def test_a_part_that_is_none() -> None:
    with pytest.raises(KeyError, match="findings"):
        select_part(frame(GOOD), "findings")
