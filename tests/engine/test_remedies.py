"""A remedy really clears its finding: applied to the claim and evaluated again, the rule does not FAIL (semantics.md §0.3)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from releases import aoc_row, claim, line, mue_row, open_engine, ptp_row

from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import MOST_MODIFIERS
from claimedits.model.finding import Finding, Remedy
from claimedits.model.terms import Status

CODES = ["11055", "11720", "99213", "96372", "77427", "80053", "82565", "29806", "29822", "63047", "63048", "J1100"]
MODIFIERS = [
    "59",
    "XS",
    "XE",
    "25",
    "24",
    "57",
    "58",
    "78",
    "91",
    "LT",
    "RT",
    "T5",
    "FA",
    "E1",
    "50",
    "76",
    "27",
    "GY",
    "LC",
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    rows = [
        ptp_row("11055", "11720"),
        ptp_row("96372", "99213"),
        ptp_row("77427", "99213"),
        ptp_row("80053", "82565"),
        ptp_row("29806", "29822"),
        ptp_row("99213", "77427", effective_to="2018-12-31"),
        ptp_row("63047", "11720", "0"),
        *(
            ptp_row(r["column_1"], r["column_2"], rule_set="medicare-ptp-outpatient-hospital")
            for r in [ptp_row("11055", "11720"), ptp_row("96372", "99213")]
        ),
        *(mue_row(code, 2, mai) for code, mai in zip(CODES, "123123123123", strict=True)),
        aoc_row("63048", "63047"),
    ]
    return open_engine(tmp_path_factory.mktemp("remedies"), rows)


lines_strategy = st.lists(
    st.builds(
        lambda code, modifiers, units, day: {"code": code, "modifiers": modifiers, "units": units, "day": day},
        st.sampled_from(CODES),
        st.lists(st.sampled_from(MODIFIERS), max_size=4, unique=True),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["2014-08-15", "2018-08-15", "2024-08-15"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines_strategy, st.sampled_from(["PRACTITIONER", "OUTPATIENT_HOSPITAL"]))
def test_every_remedy_clears_its_rule(engine: Engine, drawn: list[dict[str, Any]], setting: str) -> None:
    lines = [
        line(i, d["code"], *d["modifiers"], units=d["units"], service_date=d["day"]) for i, d in enumerate(drawn, 1)
    ]
    fields = claim(*lines, setting=setting)
    for finding in engine.evaluate(fields).findings:
        if finding.status is Status.FAIL:
            for remedy in finding.remedies:
                for mended in _apply(fields, remedy, finding):
                    after = engine.evaluate(mended).findings
                    assert not _still_fails(after, finding), (finding.code, remedy)


def _still_fails(findings: tuple[Finding, ...], before: Finding) -> bool:
    return any(
        f.status is Status.FAIL
        and f.rule_id == before.rule_id
        and f.line_number == before.line_number
        and f.related_line_numbers == before.related_line_numbers
        for f in findings
    )


def _apply(fields: dict[str, Any], remedy: Remedy, finding: Finding) -> list[dict[str, Any]]:
    """The claim with the remedy applied, once for each of its choices."""
    mended = []
    for choice in remedy.any_of if remedy.action == "ADD_MODIFIER" else ("",):
        trial = copy.deepcopy(fields)
        at = {item["line_number"]: item for item in trial["lines"]}
        if remedy.action == "ADD_MODIFIER":
            for number in remedy.line_numbers:
                at[number]["modifiers"].append(choice)
                assert len(at[number]["modifiers"]) <= MOST_MODIFIERS
        elif remedy.action == "REMOVE_LINE":
            trial["lines"] = [item for item in trial["lines"] if item["line_number"] not in remedy.line_numbers]
            if not trial["lines"]:
                continue
        elif remedy.action == "ADD_PRIMARY":
            trial["lines"].append(line(99, remedy.any_of[0], service_date=at[finding.line_number]["service_date"]))
        else:
            continue
        mended.append(trial)
    return mended


def test_no_modifier_is_offered_where_none_can_clear(engine: Engine) -> None:
    findings = engine.evaluate(claim(line(1, "63047"), line(2, "11720")), families=["PTP"]).findings
    assert [f.code for f in findings] == ["PTP_CONFLICT"]
    assert "ADD_MODIFIER" not in [remedy.action for remedy in findings[0].remedies]
    assert findings[0].overridable.name == "NEVER"


def test_an_em_service_is_offered_25(engine: Engine) -> None:
    findings = engine.evaluate(claim(line(1, "96372"), line(2, "99213")), families=["PTP"]).findings
    offered = [r.any_of for r in findings[0].remedies if r.action == "ADD_MODIFIER" and r.line_numbers == (2,)]
    assert len(offered) == 1
    assert {"25", "57"} <= set(offered[0])
    assert "59" not in offered[0]


def test_a_full_line_is_offered_no_fifth_modifier(engine: Engine) -> None:
    crowded = claim(line(1, "11055", "GC", "Q6", "33", "KX"), line(2, "11720", "GC", "Q6", "33", "KX"))
    findings = engine.evaluate(crowded, families=["PTP"]).findings
    assert [remedy.action for remedy in findings[0].remedies] == ["REMOVE_LINE"]


def test_a_line_is_split_with_modifiers_of_its_day(engine: Engine) -> None:
    """§B.1: the X modifiers begin on 2015-01-01 (I-20), LM and RI in 2013."""
    offered = {}
    for day in ("2012-12-31", "2014-12-31", "2015-01-01"):
        too_many = claim(line(1, "11055", units="3", service_date=day))
        (finding,) = engine.evaluate(too_many, families=["MUE"]).findings
        split = next(remedy for remedy in finding.remedies if remedy.action == "SPLIT_LINE")
        offered[day] = {"LM", "RI", "XE", "XS", "XP", "XU", "59", "91"} & {*split.any_of}
    assert offered == {
        "2012-12-31": {"59", "91"},
        "2014-12-31": {"LM", "RI", "59", "91"},
        "2015-01-01": {"LM", "RI", "XE", "XS", "XP", "XU", "59", "91"},
    }
