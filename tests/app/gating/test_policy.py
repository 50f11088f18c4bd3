"""gate.toml: what may be written in it, and every mistake at its place."""

from __future__ import annotations

import pytest

from claimedits.app.checking import Severity
from claimedits.app.gating.policy import PolicyError, default_policy, parse_policy, read_policy


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy("gate.toml", text.encode())
    return [str(problem) for problem in caught.value.problems]


def test_the_default_policy() -> None:
    policy = default_policy()
    assert policy == read_policy(None)
    assert (policy.fail_on, policy.tests_required, policy.claims_required) == (Severity.WARNING, False, True)
    assert {name: str(limit) for name, limit in policy.limits.items()} == {
        "rows.retroactive": "0",
        "rows.rule_sets_lost": "0",
        "claims.newly_failing": "0.5 %",
        "claims.newly_passing": "2 %",
        "claims.no_longer_evaluated": "0",
        "claims.refused": "1 %",
    }
    assert policy.slower_than == 1.2


@pytest.mark.parametrize(
    ("written", "number", "whole", "allowed"),
    [
        ("0", 0, 0, True),
        ("0", 1, 1000, False),
        ("10", 10, 10, True),
        ("10", 11, 1000, False),
        ('"0.5 %"', 5, 1000, True),
        ('"0.5 %"', 6, 1000, False),
        ('"0.5%"', 0, 0, True),
        ('"0 %"', 1, 1_000_000, False),
        ('"29 %"', 29, 100, True),  # 0.29 * 100 is less than 29 in binary
        ('"29 %"', 30, 100, False),
        ('"100 %"', 7, 7, True),
    ],
)
def test_a_limit_is_inclusive_and_exact(written: str, number: int, whole: int, allowed: bool) -> None:
    limit = parse_policy("gate.toml", f"[claims]\nnewly_failing = {written}\n".encode()).limits["claims.newly_failing"]
    assert limit.allows(number, whole) is allowed


def test_every_mistake_is_named_at_its_place() -> None:
    assert problems(
        """[check]
fail_on = "fatal"
[test]
required = "yes"
coverage_minimum = 0
[rows]
retroactiv = 1
[claims]
newly_failing = "0,5 %"
newly_passing = -1
refused = "101 %"
[speed]
slower_than = "1.2"
[colour]
"""
    ) == [
        "gate.toml:2:11: fatal is no fail_on; use one of error, info, warning",
        "gate.toml:4:12: required is neither true nor false; write true or false, without quotes",
        "gate.toml:5:20: coverage_minimum is no number above 0; write it without quotes, such as 1.2",
        "gate.toml:7:1: rows has no field retroactiv; did you mean retroactive?",
        'gate.toml:9:17: newly_failing is no limit; write a number of them, such as 10, or a share, such as "0.5 %"',
        'gate.toml:10:17: newly_passing is no limit; write a number of them, such as 10, or a share, such as "0.5 %"',
        'gate.toml:11:11: refused is no limit; write a number of them, such as 10, or a share, such as "0.5 %"',
        "gate.toml:13:15: slower_than is no number above 0; write it without quotes, such as 1.2",
        "gate.toml:14:1: the policy has no field colour; use one of approval, check, claims, rows, speed, test",
    ]


def test_an_approval_says_who_why_how_much_and_of_what() -> None:
    assert problems(
        """[[approval]]
limit = "claims.refused"
most = 0
[[approval]]
"""
    ) == [
        'gate.toml:1:1: [[approval]] has no by; write by = "…"',
        'gate.toml:1:1: [[approval]] has no reason; write reason = "…"',
        "gate.toml:2:9: claims.refused is no limit that can be approved; use one of claims.changed_reason, claims.newly_failing, claims.newly_passing, claims.no_longer_evaluated, rows.removed, rows.retroactive, rows.rule_sets_lost",
        "gate.toml:3:8: most is not a whole number of at least 1; write it without quotes, such as 1",
        'gate.toml:4:1: [[approval]] has no limit; write limit = "…"',
        "gate.toml:4:1: [[approval]] has no most; write most = and how many rows or claims it covers",
        'gate.toml:4:1: [[approval]] has no by; write by = "…"',
        'gate.toml:4:1: [[approval]] has no reason; write reason = "…"',
    ]


BY = 'most = 1\nby = "J. Doe"\nreason = "seen"\n'


def test_an_approval_names_what_the_limit_is_about() -> None:
    assert problems(
        f"""[[approval]]
limit = "rows.retroactive"
{BY}[[approval]]
limit = "rows.rule_sets_lost"
{BY}[[approval]]
limit = "claims.newly_failing"
rule_set = "medicare-ptp-practitioner"
revision = "sha256:…"
release = "334f7"
{BY}"""
    ) == [
        "gate.toml:1:1: [[approval]] names neither a revision nor a release; write the id of what was looked at: an approval holds for nothing else",
        "gate.toml:6:1: [[approval]] names no release; write the id of what was looked at: an approval holds for nothing else",
        "gate.toml:13:12: claims.newly_failing is about the whole release, and rule_set names a part of it; write release = and the id of the release instead",
        "gate.toml:14:12: revision is no id; write it as the gate shows it, at least six digits: sha256:6a1821ff",
        "gate.toml:14:12: claims.newly_failing is about the whole release, and revision names a part of it; write release = and the id of the release instead",
        "gate.toml:15:11: release is no id; write it as the gate shows it, at least six digits: sha256:6a1821ff",
    ]


def test_what_is_no_toml() -> None:
    assert problems("[check\n") == [
        "gate.toml:1:7: is not TOML: expected ']' at the end of a table declaration; mend the file there; what follows was not read"
    ]
    assert problems("approval = 3\n") == [
        "gate.toml:1:12: approval is not a list of tables; write [[approval]] above its fields"
    ]
