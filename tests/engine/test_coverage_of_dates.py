"""A date that no revision governs is NOT_EVALUATED in every family that needs one, never a pass (semantics.md §0.2, §G.3)."""

from __future__ import annotations

import pytest
from releases import aoc_row, claim, line, mue_row, open_engine, ptp_row

from claimedits.engine.engine import Engine

QUARTER = {"label": "v30.2", "effective_from": "2024-07-01", "effective_to": "2024-09-30", "published_on": "2024-06-01"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    rows = [
        ptp_row("G0247", "G0127", revision=QUARTER),
        mue_row("G0127", 1, "2", revision=QUARTER),
        aoc_row("G2211", "G0463", revision=QUARTER),
    ]
    return open_engine(tmp_path_factory.mktemp("dates"), rows)


def statuses(engine: Engine, detail: str, **parts: str) -> dict[str, str]:
    decision = engine.evaluate(claim(line(1, "G0127", **parts)), "2024-12-01", ["PTP", "MUE", "ADD_ON_CODE"], detail)
    return {family.name: status.name for family, status in decision.lines[0].families}


@pytest.mark.parametrize("detail", ["FINDINGS", "ALL", "TRACE"])
def test_after_the_last_governed_day_nothing_passes(engine: Engine, detail: str) -> None:
    found = statuses(engine, detail, service_date="2024-10-01")
    assert found == {"ADD_ON_CODE": "NOT_EVALUATED", "MUE": "NOT_EVALUATED", "PTP": "NOT_EVALUATED"}


@pytest.mark.parametrize("detail", ["FINDINGS", "ALL", "TRACE"])
def test_before_the_first_revision_dated_rows_are_reconstructed_and_values_are_not(engine: Engine, detail: str) -> None:
    found = statuses(engine, detail, service_date="2024-06-30")
    assert found == {"ADD_ON_CODE": "NOT_APPLICABLE", "MUE": "NOT_EVALUATED", "PTP": "PASS"}


@pytest.mark.parametrize("detail", ["FINDINGS", "ALL", "TRACE"])
def test_a_span_that_leaves_the_governed_days_is_not_evaluated(engine: Engine, detail: str) -> None:
    found = statuses(engine, detail, service_date="2024-09-29", service_date_end="2024-10-02")
    assert found == {"ADD_ON_CODE": "NOT_EVALUATED", "MUE": "NOT_EVALUATED", "PTP": "NOT_EVALUATED"}


def test_what_was_not_published_yet_is_not_known(engine: Engine) -> None:
    decision = engine.evaluate(claim(line(1, "G0127")), "2024-05-31", ["PTP"])
    assert [f.code for f in decision.findings] == ["RULE_SET_NOT_LOADED"]


def test_every_detail_level_gives_the_same_statuses(engine: Engine) -> None:
    fields = claim(line(1, "G0247"), line(2, "G0127", units="2"), line(3, "G2211"), line(4, "G0463", "GY"))
    levels = [engine.evaluate(fields, "2024-12-01", (), detail) for detail in ("FINDINGS", "ALL", "TRACE")]
    assert levels[0].lines == levels[1].lines == levels[2].lines
    assert {f.finding_id for f in levels[0].findings} <= {f.finding_id for f in levels[1].findings}
