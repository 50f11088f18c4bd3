"""Days that no edition of a rule set governs, or that two of them govern."""

from __future__ import annotations

import pytest

from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.periods import find_period_faults
from claimedits.rulesets.revision import RevisionHeader, RevisionInfo


def edition(label: str, first: str, last: str, rule_set: str = "medicare-ptp-practitioner") -> RevisionInfo:
    """An edition; ``last`` empty = open."""
    end = parse_day(last) if last else FOREVER
    header = RevisionHeader(rule_set, "ptp", label, parse_day(first), end, parse_day(first), ())
    return RevisionInfo(f"sha256:{rule_set} {label}", header, {}, 0, 0, 0)


Q2 = edition("v30.1", "2024-04-01", "2024-06-30")
Q3 = edition("v30.2", "2024-07-01", "2024-09-30")
Q1_2025 = edition("v31.0", "2025-01-01", "2025-03-31")


@pytest.mark.parametrize(
    "editions",
    [
        [Q3, Q2],
        [Q3, edition("v30.2 r1", "2024-07-01", "2024-09-30")],
        [Q3, edition("2024C revised", "2024-08-09", "2024-09-30")],
        [edition("FY2026", "2025-10-01", "2026-09-30"), edition("FY2026 April", "2026-04-01", "2026-09-30")],
        [edition("2024-01", "2024-01-01", ""), edition("2025-01", "2025-01-01", "")],
        [Q2, edition("2025", "2025-01-01", "2025-12-31", "another-rule-set")],
    ],
    ids=["neighbours", "replacement", "amid a quarter", "April", "open", "other rule set"],
)
def test_editions_that_follow_each_other(editions: list[RevisionInfo]) -> None:
    assert find_period_faults(editions) == []


def test_a_gap_names_both_editions_and_the_days() -> None:
    (fault,) = find_period_faults([Q1_2025, Q3, Q2])
    assert str(fault.as_problem()) == (
        "medicare-ptp-practitioner: no edition governs 2024-10-01 to 2024-12-31, between v30.2 and v31.0: "
        "lines of those days are not evaluated; import the editions between them"
    )
    assert [fault.concerns(info.id) for info in (Q2, Q3, Q1_2025)] == [False, True, True]


def test_a_gap_of_one_day() -> None:
    late = edition("v30.3", "2024-10-02", "2024-12-31")
    (fault,) = find_period_faults([Q3, late])
    assert "no edition governs 2024-10-01, between v30.2 and v30.3" in str(fault.as_problem())


def test_an_overlap_names_both_editions_and_the_days() -> None:
    early = edition("v30.3", "2024-09-30", "2024-12-31")
    (fault,) = find_period_faults([early, Q3])
    assert str(fault.as_problem()) == (
        "medicare-ptp-practitioner: v30.2 and v30.3 both govern 2024-09-30: the one published later answers; "
        "check the dates of both, or leave one out of the release"
    )


def test_a_gap_counts_from_the_edition_that_governs_longest() -> None:
    year = edition("2024", "2024-01-01", "2024-12-31")
    faults = find_period_faults([year, Q3, edition("2025Q2", "2025-04-01", "2025-06-30")])
    assert [(f.before.header.label, f.after.header.label, f.is_gap) for f in faults] == [
        ("2024", "v30.2", False),
        ("2024", "2025Q2", True),
    ]
