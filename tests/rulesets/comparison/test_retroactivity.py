"""Which differences reach back, and in one word what happened to a row."""

from __future__ import annotations

from typing import Any

import pytest
from made_revisions import header, mue, opened, ptp

from claimedits.rulesets.comparison.revisions import compare_tables
from claimedits.rulesets.comparison.table_comparison import RowChange

Q2 = "2024-04-01..2024-06-30"
Q3 = "2024-07-01..2024-09-30"
PTP, MUE, AOC = "medicare-ptp-practitioner", "medicare-mue-practitioner", "medicare-aoc"


def changes(
    kind: str, old: list[dict[str, Any]], new: list[dict[str, Any]], periods: tuple[str, str] = (Q2, Q3)
) -> list[RowChange]:
    rule_set = {"ptp": PTP, "mue": MUE, "aoc": AOC}.get(kind, kind)
    sides = [opened(header(rule_set, kind, f"e{i}", periods[i]), rows) for i, rows in enumerate((old, new))]
    return [change for table in compare_tables(*sides).tables for change in table.rows()]


@pytest.mark.parametrize(
    ("before", "after", "word", "retroactive"),
    [
        (None, {"effective_from": "2024-07-01"}, "ADDED", False),
        (None, {"effective_from": "2024-06-30"}, "ADDED", True),
        (None, {"effective_from": "2020-01-01", "effective_to": "2020-01-01"}, "ADDED_WITHDRAWN", False),
        (None, {"effective_from": "2020-01-01", "modifier_indicator": 9}, "ADDED_WITHDRAWN", False),
        ({"effective_to": ""}, None, "REMOVED", True),
        ({"effective_from": "2024-07-01"}, None, "REMOVED", False),
        ({}, {"effective_to": "2024-06-30"}, "ENDED", False),
        ({}, {"effective_to": "2024-06-29"}, "ENDED", True),
        ({"effective_to": "2024-06-30"}, {}, "REOPENED", False),
        ({"effective_to": "2024-03-31"}, {"effective_to": "2024-06-30"}, "REOPENED", True),
        ({}, {"effective_to": "2020-01-01"}, "WITHDRAWN", True),
        ({}, {"modifier_indicator": 9, "effective_to": "2020-01-01"}, "WITHDRAWN", True),
        ({"modifier_indicator": 9, "effective_to": "2020-01-01"}, {}, "REVIVED", True),
        ({}, {"modifier_indicator": 0}, "MODIFIER_INDICATOR_CHANGED", True),
        (
            {"effective_from": "2024-07-01"},
            {"effective_from": "2024-07-01", "modifier_indicator": 0},
            "MODIFIER_INDICATOR_CHANGED",
            False,
        ),
        ({}, {"effective_from": "2019-01-01"}, "FIRST_DAY_CHANGED", True),
        ({"effective_from": "2024-07-01"}, {"effective_from": "2024-07-02"}, "FIRST_DAY_CHANGED", False),
        ({}, {"rationale": "Standards"}, "RATIONALE_CHANGED", False),
        ({}, {"in_existence_prior_to_1996": True}, "IN_EXISTENCE_PRIOR_TO_1996_CHANGED", False),
        ({}, {"effective_to": "2024-06-30", "rationale": "Standards"}, "ENDED", False),
        ({}, {"effective_to": "2024-06-30", "modifier_indicator": 0}, "MODIFIER_INDICATOR_CHANGED", True),
    ],
)
def test_a_row_of_dated_edits(
    before: dict[str, Any] | None, after: dict[str, Any] | None, word: str, retroactive: bool
) -> None:
    old, new = ([] if row is None else [ptp("A0001+A0002", **row)] for row in (before, after))
    (change,) = changes("ptp", [*old, ptp("A0003+A0004")], [*new, ptp("A0003+A0004")])
    assert (change.change, change.retroactive) == (word, retroactive)


def test_a_deletion_date_is_a_change_and_not_a_row_lost_and_gained() -> None:
    (change,) = changes("ptp", [ptp("A0001+A0002")], [ptp("A0001+A0002", effective_to="2024-06-30")])
    assert change.key == (("column_1", "A0001"), ("column_2", "A0002"), ("effective_from", "2020-01-01"))
    assert (change.before, change.after) == ((("effective_to", ""),), (("effective_to", "2024-06-30"),))
    assert (change.old_source_file, change.old_source_row, change.new_source_file) == ("e0.txt", 2, "e1.txt")


def test_a_second_window_of_a_pair_is_a_row_of_its_own() -> None:
    first = ptp("A0001+A0002", effective_to="2021-12-31")
    (change,) = changes("ptp", [first], [first, ptp("A0001+A0002", effective_from="2024-07-01")])
    assert (change.change, dict(change.key)["effective_from"]) == ("ADDED", "2024-07-01")


def test_a_pair_that_turns_round() -> None:
    old = [ptp("A0001+A0002"), ptp("A0005+A0006")]
    new = [
        ptp("A0001+A0002", effective_to="2024-06-30"),
        ptp("A0002+A0001", effective_from="2024-07-01"),
        ptp("A0005+A0006"),
        ptp("A0006+A0007", effective_from="2024-07-01"),
    ]
    assert [(change.change, change.key[0][1]) for change in changes("ptp", old, new)] == [
        ("ENDED", "A0001"),
        ("REVERSED", "A0002"),
        ("ADDED", "A0006"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (None, mue("A0001"), "ADDED"),
        (mue("A0001"), None, "REMOVED"),
        (mue("A0001", 1), mue("A0001", 2), "VALUE_RAISED"),
        (mue("A0001", 2, mai=2), mue("A0001", 0, mai=3), "VALUE_LOWERED"),
        (mue("A0001", mai=2), mue("A0001", mai=3), "MAI_CHANGED"),
        (mue("A0001"), mue("A0001", rationale="CMS Policy"), "RATIONALE_CHANGED"),
        (mue("A0001", 1, confidential=True), mue("A0001", 2, confidential=True), "VALUE_CONFIDENTIAL"),
        (mue("A0001", 1), mue("A0001", 2, confidential=True), "VALUE_CONFIDENTIAL"),
        (mue("A0001", 1), mue("A0001", 1, confidential=True), "VALUE_CONFIDENTIAL"),
    ],
)
def test_a_value_reaches_back_only_where_its_revision_does(before: Any, after: Any, word: str) -> None:
    old, new = ([] if row is None else [row] for row in (before, after))
    (change,) = changes("mue", [*old, mue("E0100")], [*new, mue("E0100")])
    assert (change.change, change.retroactive) == (word, False)
    (change,) = changes("mue", [*old, mue("E0100")], [*new, mue("E0100")], (Q3, Q3))
    assert (change.change, change.retroactive) == (word, word != "RATIONALE_CHANGED")


def test_a_confidential_value_is_not_shown() -> None:
    old, new = mue("A0001", 4711, confidential=True), mue("A0001", 4712, confidential=True)
    for change in (*changes("mue", [old], [new]), *changes("mue", [], [new]), *changes("mue", [old], [])):
        assert "471" not in repr(change)
        assert {dict(side).get("value", "confidential") for side in (change.before, change.after)} == {"confidential"}


@pytest.mark.parametrize(
    ("parts", "word", "retroactive"),
    [
        ({"effective_to": "2024-06-30"}, "ENDED", False),
        ({"primary_deleted_on": "2023-12-31"}, "ENDED", True),
        ({"effective_to": "2020-01-01"}, "WITHDRAWN", True),
        ({"edit_type": 3}, "EDIT_TYPE_CHANGED", True),
        ({"settings": "ASC"}, "SETTINGS_CHANGED", True),
    ],
)
def test_an_add_on_ends_with_the_first_of_its_three_dates(parts: dict[str, Any], word: str, retroactive: bool) -> None:
    row = {"add_on_code": "A0001", "primary_code": "A0002"}
    (change,) = changes("aoc", [row], [{**row, **parts}])
    assert (change.change, change.retroactive) == (word, retroactive)


@pytest.mark.parametrize(
    ("periods", "effective_from", "retroactive"),
    [
        ((Q3, Q3), "2024-07-01", True),  # a re-issue takes the place of answers for its own days
        ((Q3, Q3), "2024-09-30", True),
        ((Q3, Q3), "2024-10-01", False),
        (("2024-04-01..", "2024-07-01.."), "2024-07-01", False),  # both open: the later one takes over on its first day
        (("2024-04-01..", "2024-07-01.."), "2024-06-30", True),
        (("2024-07-01..2024-12-31", "2024-10-01..2024-12-31"), "2024-10-01", False),
        ((Q3, Q2), "2024-04-01", False),  # compared backwards
        ((Q3, Q2), "2024-03-31", True),
    ],
)
def test_the_day_before_which_a_difference_is_retroactive(
    periods: tuple[str, str], effective_from: str, retroactive: bool
) -> None:
    (change,) = changes("ptp", [], [ptp("A0001+A0002", effective_from=effective_from)], periods)
    assert change.retroactive is retroactive


def test_an_open_re_issue_reaches_back_before_its_publication() -> None:
    heads = [
        header(PTP, "ptp", f"e{i}", "2020-01-01..", published)
        for i, published in ((0, "2024-01-01"), (1, "2024-05-10"))
    ]
    rows = [ptp("A0001+A0002", effective_from="2024-05-10"), ptp("A0001+A0003", effective_from="2024-05-09")]
    (table,) = compare_tables(opened(heads[0], []), opened(heads[1], rows)).tables
    assert [change.retroactive for change in table.rows()] == [False, True]


def test_a_rule_set_of_one_side_only_reaches_nowhere() -> None:
    side = opened(header(PTP, "ptp", "e"), [ptp("A0001+A0002")])
    assert compare_tables(None, side).retroactive == 0
    assert compare_tables(side, None).retroactive == 0
    other = opened(header("medicare-ptp-outpatient-hospital", "ptp", "e"), [])
    assert (compare_tables(other, side).differences, compare_tables(other, side).retroactive) == (1, 0)
