"""Which rows differ between two tables: held against a plain comparison of multisets, whatever the tables hold."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_revisions import COLUMNS, WORD, header, opened, table_of

from claimedits.rulesets.comparison.revisions import compare_tables
from claimedits.rulesets.comparison.row_matching import match_rows
from claimedits.rulesets.comparison.table_comparison import ChangeKind, RowChange, TableComparison, as_text

CODES = st.sampled_from(("A0001", "A0002", "E0100"))
DAYS = st.sampled_from(("2020-01-01", "2024-01-01", "2024-07-01"))
PTP_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "column_1": CODES,
            "column_2": CODES,
            "effective_from": DAYS,
            "effective_to": st.sampled_from(("", "2024-01-01", "2024-06-30")),
            "modifier_indicator": st.sampled_from((0, 1, 9)),
            "rationale": st.sampled_from(("", "Standards")),
        }
    ),
    max_size=12,
)
PTP_COLUMNS = tuple(COLUMNS["ptp"]["edits"])


def compare(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> TableComparison:
    sides = [
        opened(header("medicare-ptp-practitioner", "ptp", label), rows) for label, rows in (("a", old), ("b", new))
    ]
    (table,) = compare_tables(*sides).tables
    return table


def as_texts(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(as_text(row[name]) for name in PTP_COLUMNS)


def rows_of(table: TableComparison, *, old: bool) -> dict[int, tuple[str, ...]]:
    """The rows of one side as text, by their place in the file."""
    side = table.old if old else table.new
    return {row["source_row"]: as_texts(row) for row in side.table.to_pylist()}


def apply(table: TableComparison) -> Counter[tuple[str, ...]]:
    """The old rows with every difference applied to them as the comparison states it."""
    rows = rows_of(table, old=True)
    added: list[tuple[str, ...]] = []
    for change in table.rows():
        stated = {**dict(change.key), **dict(change.before)}
        if change.kind is not ChangeKind.ADDED:
            before = dict(zip(PTP_COLUMNS, rows.pop(change.old_source_row), strict=True))
            assert {name: before[name] for name in stated} == stated
        else:
            before = stated
        if change.kind is not ChangeKind.REMOVED:
            after = {**before, **dict(change.after)}
            added.append(tuple(after[name] for name in PTP_COLUMNS))
    return Counter([*rows.values(), *added])


@given(old=PTP_ROWS, new=PTP_ROWS)
def test_the_differences_applied_to_the_old_rows_give_the_new_ones(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    table = compare(old, new)
    assert apply(table) == Counter(rows_of(table, old=False).values())


@given(old=PTP_ROWS, new=PTP_ROWS)
def test_the_counts_are_those_of_a_plain_comparison(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    table = compare(old, new)
    sides = [Counter(rows_of(table, old=side).values()) for side in (True, False)]
    common = sides[0] & sides[1]
    assert table.unchanged == common.total()
    assert table.removed + table.changed == len(old) - common.total()
    assert table.added + table.changed == len(new) - common.total()
    left = [Counter(key_of(row) for row in (side - common).elements()) for side in sides]
    by_key = (left[0] & left[1]).total()
    moved = [Counter(key[:2] for key in (one - other).elements()) for one, other in (left, left[::-1])]
    by_pair = sum(1 for pair, n in moved[0].items() if n == 1 and moved[1][pair] == 1)
    assert table.changed == by_key + by_pair


def key_of(row: tuple[str, ...]) -> tuple[str, ...]:
    return row[:3]


@given(old=PTP_ROWS, new=PTP_ROWS, seed=st.integers(0, 1000))
def test_the_order_of_the_rows_is_no_difference(
    old: list[dict[str, Any]], new: list[dict[str, Any]], seed: int
) -> None:
    shuffled = [random.Random(seed).sample(rows, len(rows)) for rows in (old, new)]

    def plain(change: RowChange) -> RowChange:
        return change._replace(old_source_row=0, new_source_row=0)

    assert list(map(plain, compare(old, new).rows())) == list(map(plain, compare(*shuffled).rows()))


@given(rows=PTP_ROWS)
def test_a_table_does_not_differ_from_itself(rows: list[dict[str, Any]]) -> None:
    table = compare(rows, rows[::-1])
    assert (table.differences, table.unchanged) == (0, len(rows))


@given(old=PTP_ROWS, new=PTP_ROWS)
def test_there_and_back_are_mirror_images(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    there, back = compare(old, new), compare(new, old)
    assert (there.added, there.removed, there.changed) == (back.removed, back.added, back.changed)
    assert there.changed_columns == back.changed_columns


def test_how_columns_are_encoded_is_no_difference() -> None:
    words, plain = ({"code": WORD, "day": pa.date32()}, {"code": pa.string(), "day": pa.date32()})
    rows = [{"code": "A0001", "day": "2024-01-01"}, {"code": "A0002", "day": ""}]
    chunked = pa.concat_tables([table_of(words, rows[:1]), table_of(words, rows[1:])])
    matching = match_rows(chunked, table_of(plain, rows), ["code"], [], ["day"])
    assert (len(matching.old_rows), matching.unchanged) == (0, 2)


def test_a_null_differs_from_every_day_and_word() -> None:
    columns = {"code": pa.string(), "day": pa.date32()}
    old, new = (
        table_of(columns, [{"code": "A0001", "day": ""}]),
        table_of(columns, [{"code": "A0001", "day": "1970-01-01"}]),
    )
    matching = match_rows(old, new, ["code"], [], ["day"])
    assert matching.differing["day"].tolist() == [True]


@pytest.mark.parametrize("spread", [2**20, 2**40])
def test_numbers_far_apart_and_many_columns_stay_exact(spread: int) -> None:
    """Their ranks do not fit one whole number at once; they are ranked anew on the way."""
    dice = random.Random(5)
    columns = [f"c{i}" for i in range(12)]

    def made() -> list[list[int]]:
        return [[dice.randrange(-spread, spread) for _ in columns] for _ in range(400)]

    common, only_old, only_new = made(), made(), made()
    tables = [
        pa.table({name: pa.array([row[i] for row in rows], pa.int64()) for i, name in enumerate(columns)})
        for rows in (common + only_old, only_new + common)
    ]
    matching = match_rows(tables[0], tables[1], columns[:1], [], columns[1:])
    assert matching.unchanged == 400
    assert sorted(matching.old_rows[matching.old_rows >= 0]) == list(range(400, 800))
    assert sorted(matching.new_rows[matching.new_rows >= 0]) == list(range(400))


def test_an_empty_table_gains_and_loses_everything() -> None:
    rows = [{"column_1": "A0002", "column_2": "A0001"}, {"column_1": "A0001", "column_2": "A0002"}]
    there, back, nothing = compare([], rows), compare(rows, []), compare([], [])
    assert [change.key[0] for change in there.rows()] == [("column_1", "A0001"), ("column_1", "A0002")]
    assert (there.added, back.removed, nothing.differences) == (2, 2, 0)
    assert (there.changed_columns, there.unchanged) == ({}, 0)
