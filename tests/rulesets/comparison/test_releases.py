"""Which revisions of two releases stand beside each other, and which days another revision answers for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_revisions import draft, header, mue, opened, ptp

from claimedits.model.dates import FOREVER, format_day, parse_day
from claimedits.model.problems import NotFoundError
from claimedits.rulesets.comparison.releases import ReleaseComparison, compare_releases, pair_revisions
from claimedits.rulesets.comparison.revisions import IncomparableError, compare_revisions, compare_tables
from claimedits.rulesets.revision import RevisionDraft, RevisionInfo
from claimedits.rulesets.store import Store

PTP, MUE = "medicare-ptp-practitioner", "medicare-mue-practitioner"
QUARTERS = {
    "Q1": "2024-01-01..2024-03-31",
    "Q2": "2024-04-01..2024-06-30",
    "Q3": "2024-07-01..2024-09-30",
    "Q4": "2024-10-01..2024-12-31",
}


def revision(label: str) -> RevisionInfo:
    """``Q3r1`` is published a month after ``Q3``."""
    period = QUARTERS[label[:2]]
    first = period.partition("..")[0]
    published = first.replace("-01", "-20") if "r" in label else first
    return opened(header(PTP, "ptp", label, period, published), [], hash(label) % 10**9)[0]


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        ("Q2", "Q2 Q3", [("Q2", "Q3")]),
        ("Q2", "Q3", [("Q2", "Q3")]),
        ("Q2 Q3", "Q2 Q3r1", [("Q3", "Q3r1")]),
        ("Q2", "Q2 Q2r1", [("Q2", "Q2r1")]),
        ("Q1", "Q1 Q2 Q3", [("Q1", "Q2"), ("Q2", "Q3")]),
        ("Q2", "Q1 Q2", [("Q2", "Q1")]),
        ("Q1 Q2", "Q2 Q3", [("Q2", "Q3"), ("Q1", "Q2")]),
        ("Q2 Q3", "Q2", [("Q3", "Q2")]),
        ("Q2", "", [("Q2", None)]),
        ("", "Q2 Q3", [(None, "Q2"), ("Q2", "Q3")]),
        ("Q1 Q4", "Q1 Q3 Q4", [("Q1", "Q3")]),
        ("Q2", "Q2", []),
    ],
)
def test_a_revision_stands_beside_the_one_it_takes_over_from(old: str, new: str, pairs: list[Any]) -> None:
    infos = {label: revision(label) for label in f"{old} {new}".split()}
    found = pair_revisions([infos[label] for label in old.split()], [infos[label] for label in new.split()])
    assert [tuple(info.header.label if info else None for info in pair) for pair in found] == pairs


def compare(path: Path, old: list[RevisionDraft], new: list[RevisionDraft], **parts: Any) -> ReleaseComparison:
    store = Store.open(path / "store", create=True)
    releases = [store.create_release([store.add_revision(made)[0].id for made in side]).id for side in (old, new)]
    return compare_releases(store, *releases, **parts)


def edits(label: str, *pairs: str) -> RevisionDraft:
    return draft(header(PTP, "ptp", label, QUARTERS[label[:2]]), [ptp(pair) for pair in pairs])


def values(label: str, value: int) -> RevisionDraft:
    return draft(header(MUE, "mue", label, QUARTERS[label[:2]]), [mue("A0001", value)])


def test_rule_sets_that_came_went_changed_and_stayed(tmp_path: Path) -> None:
    other = draft(header("medicare-mue-dme", "mue", "Q2", QUARTERS["Q2"]), [mue("A0001")])
    again = draft(header("medicaid-ptp-practitioner", "ptp", "Q2", QUARTERS["Q2"]), [ptp("A0001+A0002")])
    compared = compare(
        tmp_path,
        [edits("Q2", "A0001+A0002"), values("Q2", 1), other],
        [edits("Q2", "A0001+A0002"), edits("Q3", "A0001+A0002", "A0001+A0003"), values("Q2", 1), again],
    )
    assert (compared.unchanged, compared.added, compared.removed) == (
        (MUE,),
        ("medicaid-ptp-practitioner",),
        ("medicare-mue-dme",),
    )
    assert [(c.rule_set, c.differences, c.retroactive) for c in compared.rule_sets] == [
        ("medicaid-ptp-practitioner", 1, 0),
        ("medicare-mue-dme", 1, 0),
        (PTP, 1, 1),
    ]
    assert [info.header.rule_set for info in compared.revisions_added] == ["medicaid-ptp-practitioner", PTP]
    assert [info.header.rule_set for info in compared.revisions_removed] == ["medicare-mue-dme"]
    assert not compared.is_empty


def test_days_that_another_revision_answers_for(tmp_path: Path) -> None:
    open_ended = draft(header(PTP, "ptp", "open", "2024-07-15.."), [])
    compared = compare(tmp_path, [edits("Q2"), edits("Q3")], [edits("Q3"), open_ended])
    said = [
        (format_day(g.first), format_day(g.last), g.old and g.old.header.label, g.new and g.new.header.label)
        for g in compared.governance
    ]
    assert said == [
        ("2024-04-01", "2024-06-30", "Q2", None),
        ("2024-07-15", "2024-09-30", "Q3", "open"),
        ("2024-10-01", "", None, "open"),
    ]
    assert (compared.governance[2].last, compared.governance[0].first) == (FOREVER, parse_day("2024-04-01"))


def test_a_new_quarter_with_the_same_rows_still_answers_for_other_days(tmp_path: Path) -> None:
    compared = compare(tmp_path, [edits("Q2", "A0001+A0002")], [edits("Q2", "A0001+A0002"), edits("Q3", "A0001+A0002")])
    assert [c.differences for c in compared.rule_sets] == [0]
    assert [g.new and g.new.header.label for g in compared.governance] == ["Q3"]
    assert not compared.is_empty


def test_the_same_release_does_not_differ(tmp_path: Path) -> None:
    compared = compare(tmp_path, [edits("Q2", "A0001+A0002")], [edits("Q2", "A0001+A0002")])
    assert compared.is_empty and not compared.rule_sets and not compared.governance


def test_exports_that_serve_together_have_editions_of_their_own(tmp_path: Path) -> None:
    def export(label: str, content: str, first: str) -> RevisionDraft:
        return draft(header(MUE, "mue", label, f"{first}..", content=content), [mue("A0001")])

    compared = compare(
        tmp_path,
        [export("lcd 1", "lcd", "2024-01-01"), export("article 1", "article", "2024-02-01")],
        [
            export("lcd 2", "lcd", "2024-03-01"),
            export("article 1", "article", "2024-02-01"),
            export("ncd", "ncd", "2024-01-01"),
        ],
    )
    pairs = [(c.old and c.old.header.label, c.new and c.new.header.label) for c in compared.rule_sets]
    assert pairs == [("lcd 1", "lcd 2"), (None, "ncd")]


def test_only_the_rule_sets_asked_for(tmp_path: Path) -> None:
    compared = compare(tmp_path, [edits("Q2"), values("Q2", 1)], [edits("Q3"), values("Q3", 2)], rule_sets=[MUE])
    assert {c.rule_set for c in compared.rule_sets} == {g.rule_set for g in compared.governance} == {MUE}


def test_revisions_of_two_rule_sets_are_refused_unless_asked_for(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    one, other, pairs = (
        store.add_revision(made)[0].id
        for made in (values("Q2", 1), draft(header("medicare-mue-dme", "mue", "Q2"), [mue("A0001", 2)]), edits("Q2"))
    )
    with pytest.raises(IncomparableError, match="different rule sets; name two of one rule set"):
        compare_revisions(store, one, other)
    assert compare_revisions(store, one, other, across_rule_sets=True).differences == 1
    with pytest.raises(IncomparableError, match="of kind mue, medicare-ptp-practitioner Q2 of kind ptp; compare"):
        compare_revisions(store, one, pairs, across_rule_sets=True)
    with pytest.raises(NotFoundError):
        compare_revisions(store, one, "0" * 12)
    with pytest.raises(ValueError, match="nothing to compare"):
        compare_tables(None, None)


def test_a_column_that_one_revision_lacks_is_said_and_not_compared() -> None:
    sides = [opened(header(PTP, "ptp", label), [ptp("A0001+A0002", rationale="Standards")]) for label in ("a", "b")]
    sides[1][1]["edits"] = sides[1][1]["edits"].drop_columns(["rationale"])
    comparison = compare_tables(*sides)
    (table,) = comparison.tables
    assert (table.columns_lost, table.columns_gained, table.differences) == (("rationale",), (), 0)
    assert not comparison.is_empty
    back = compare_tables(*sides[::-1]).table("edits")
    assert (back.columns_lost, back.columns_gained) == ((), ("rationale",))
