"""What an update changes in the answers: kinds of change, sums, skipped and refused claims, processes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from update import make_update

sys.path.insert(0, str(Path(__file__).parents[2] / "engine"))

from releases import aoc_row, claim, line, mue_row, ptp_row

from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.records import ChangedLinesFile
from claimedits.app.impact.running import Chunk, InputClaim, Question, measure_impact, settle_as_of
from claimedits.app.impact.summary import impact_fields, impact_lines
from claimedits.app.impact.tally import ChangedClaim, Tally
from claimedits.model.problems import ClaimEditsError, NotFoundError, Problem
from claimedits.model.terms import Family
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.store import Store

PAIR = claim(line(1, "11055", charge_cents=9000), line(2, "11720", charge_cents=4500))
MANY = claim(line(1, "11055", units="5"))


def measure(
    question: Question, *claims: dict[str, Any], jobs: int = 1, families: tuple[Family, ...] = (Family.PTP, Family.MUE)
) -> tuple[Tally, list[ChangedClaim]]:
    changed: list[ChangedClaim] = []

    def keep(chunk: Chunk) -> None:
        changed.extend(chunk.changed)

    entries = [InputClaim(i, fields) for i, fields in enumerate(claims, 1)]
    return measure_impact(question._replace(families=families), entries, jobs, keep), changed


BASE = [ptp_row("11055", "11720"), mue_row("11055", 3, "2"), mue_row("11720", 1, "3")]


@pytest.mark.parametrize(
    ("before", "after", "sent", "kind", "line_number"),
    [
        ([*BASE[1:], ptp_row("64633", "64484")], BASE, PAIR, ChangeKind.NEWLY_FAILING, 2),
        (BASE, [*BASE[1:], ptp_row("64633", "64484")], PAIR, ChangeKind.NEWLY_PASSING, 2),
        ([BASE[0], mue_row("11055", 3, "2")], [BASE[0], mue_row("11055", 3, "3")], MANY, ChangeKind.REASON, 1),
        ([BASE[0], mue_row("11055", 3, "2")], [BASE[0], mue_row("11055", 2, "2")], MANY, ChangeKind.PARTICULARS, 1),
        (BASE, [*BASE, ptp_row("64633", "64484")], PAIR, ChangeKind.CITATION, 2),
        (
            BASE,
            [ptp_row("11055", "11720", "0"), *BASE[1:]],
            claim(line(1, "11055"), line(2, "11720")),
            ChangeKind.REASON,
            2,
        ),
        (BASE, BASE[:1], claim(line(1, "11055")), ChangeKind.OUTCOME, 1),
    ],
)
def test_a_change_has_the_name_of_what_happened(
    before: list[Any], after: list[Any], sent: dict[str, Any], kind: ChangeKind, line_number: int, tmp_path: Path
) -> None:
    _, changed = measure(make_update(tmp_path, before, after), sent)
    found = {one.line_number: one.kind for entry in changed for one in entry.lines}
    assert found[line_number] is kind


def test_the_same_release_twice_changes_nothing(tmp_path: Path) -> None:
    question = make_update(tmp_path, BASE, BASE)
    tally, changed = measure(question._replace(new=question.old), PAIR, MANY)
    assert (tally.evaluated, tally.claims, tally.lines, changed) == (2, 2, 3, [])
    assert list(impact_lines(tally))[-1] == "no claim is answered otherwise"


def test_sums_name_rule_code_provider_and_money(tmp_path: Path) -> None:
    question = make_update(tmp_path, [*BASE[1:], ptp_row("64633", "64484")], BASE)
    other = {**PAIR, "claim_id": "T-2", "billing_provider_id": "", "lines": [line(1, "11055"), line(2, "11720")]}
    tally, changed = measure(question, PAIR, other, MANY)
    fields = impact_fields(tally, changed)
    assert fields["kinds"]["NEWLY_FAILING"] == {
        "lines": 2,
        "claims": 2,
        "charge_cents": 4500,
        "lines_without_charge": 1,
    }
    failing = {part: [row for row in fields[part] if row["kind"] == "NEWLY_FAILING"] for part in ("by_rule", "by_code")}
    assert [(row["name"], row["lines"]) for row in failing["by_rule"]] == [("medicare-ptp-practitioner/11055+11720", 2)]
    assert [(row["name"], row["lines"]) for row in failing["by_code"]] == [("11720", 2)]
    assert {(row["name"], row["lines"]) for row in fields["by_provider"] if row["kind"] == "NEWLY_FAILING"} == {
        ("1234567893", 1),
        ("", 1),
    }
    assert [
        (row["claim_id"], row["position"], row["come"])
        for row in fields["changed_lines"]
        if row["kind"] == "NEWLY_FAILING"
    ] == [
        ("T-1", 1, ["medicare-ptp-practitioner/11055+11720"]),
        ("T-2", 2, ["medicare-ptp-practitioner/11055+11720"]),
    ]
    assert fields["claims_by_worst_change"]["NEWLY_FAILING"] == 2
    text = "\n".join(impact_lines(tally))
    assert "newly failing                    2         2          $45.00" in text
    assert "(none given)" in text


def test_what_was_not_evaluated_before_is_told_apart(tmp_path: Path) -> None:
    revision = {
        "label": "Q3",
        "effective_from": "2024-08-15",
        "effective_to": "2024-08-15",
        "published_on": "2024-06-01",
    }
    question = make_update(tmp_path, [BASE[0], mue_row("11055", 3, "2", revision=revision)], BASE)
    over = claim(line(1, "11055", units="5", service_date="2024-08-16"))
    tally, changed = measure(question, over, PAIR)
    assert [(one.line_number, one.undecided) for one in changed[0].lines] == [(1, True)]
    assert (tally.undecided.lines, tally.undecided.claims, tally.undecided_only, tally.newly_failing) == (1, 1, 1, 0)


def test_skipped_and_refused_claims_are_counted_apart(tmp_path: Path) -> None:
    question = make_update(tmp_path, [*BASE[1:], ptp_row("64633", "64484")], BASE)
    question = question._replace(touched=find_touched(Store.open(question.store), question.old, question.new))
    entries = [
        InputClaim(1, PAIR),
        InputClaim(2, MANY),
        InputClaim(3, {"claim_id": "T-3"}),
        InputClaim(4, None, (Problem("column 1", "is not JSON", "one JSON object a line"),)),
    ]
    refused: list[tuple[int, str]] = []

    def keep(chunk: Chunk) -> None:
        refused.extend((entry.position, str(entry.problems[0])) for entry in chunk.refused)

    tally = measure_impact(question, entries, 1, keep)
    assert (tally.claims, tally.evaluated, tally.evaluated_once, tally.skipped, tally.refused) == (2, 2, 1, 0, 2)
    assert refused == [
        (3, "program: is missing; use one of MEDICARE, MEDICAID"),
        (4, "column 1: is not JSON; one JSON object a line"),
    ]


def test_the_result_does_not_depend_on_the_processes(tmp_path: Path) -> None:
    question = make_update(tmp_path, [*BASE[1:], ptp_row("64633", "64484")], BASE)
    claims = [{**(PAIR if i % 3 else MANY), "claim_id": f"T-{i}"} for i in range(600)]
    alone, together = measure(question, *claims), measure(question, *claims, jobs=2)
    assert impact_fields(*alone) == impact_fields(*together)
    assert alone[0].claims_with(ChangeKind.NEWLY_FAILING) == 400


def test_the_parquet_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    question = make_update(tmp_path, [*BASE[1:], ptp_row("64633", "64484")], BASE)
    _, changed = measure(question, PAIR)
    path = tmp_path / "changed.parquet"
    with pytest.raises(KeyError), ChangedLinesFile(path) as file:
        file.write(changed)
        raise KeyError
    assert not path.exists()
    with ChangedLinesFile(path) as file:
        file.write(changed)
    rows = pq.read_table(path).to_pylist()
    assert [(row["line_number"], row["kind"], row["old"], row["new"]) for row in rows if row["line_number"] == 2] == [
        (2, "NEWLY_FAILING", "PASS", "FAIL")
    ]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["changed.parquet", "store"]


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        ("2024-02-30", "as_of: is not a date in the form YYYY-MM-DD; write it like 2024-07-15"),
        ("2099-01-01", "as_of: lies in the future; nothing later than today is known"),
    ],
)
def test_a_day_that_cannot_be_asked_about(as_of: str, message: str) -> None:
    with pytest.raises(ClaimEditsError) as caught:
        settle_as_of(as_of)
    assert str(caught.value) == message


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_release_that_cannot_be_opened_is_told_before_a_claim_is_read(jobs: int, tmp_path: Path) -> None:
    question = make_update(tmp_path, BASE, BASE)._replace(new="sha256:" + "0" * 64)
    read: Callable[[], InputClaim] = lambda: pytest.fail("a claim was read")  # noqa: E731
    with pytest.raises(NotFoundError):
        measure_impact(question, iter(read, InputClaim(0, None)), jobs)


NCCI = (Family.PTP, Family.MUE, Family.ADD_ON_CODE)
CODES = ("11055", "11720", "64633", "64484", "G0463", "J1100")
CODE = st.sampled_from(CODES)
WINDOW = st.tuples(st.sampled_from(["2010-01-01", "2024-07-01"]), st.sampled_from(["", "2024-06-30", "2024-08-10"]))


@st.composite
def table_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of two quarters, the second sometimes missing: what a release may hold of PTP, MUE and add-on codes."""
    rows = []
    for label, first, last, known in (
        ("v1", "2024-04-01", "2024-06-30", "2024-03-01"),
        ("v2", "2024-07-01", draw(st.sampled_from(["2024-09-30", ""])), "2024-06-01"),
    ):
        if label == "v2" and draw(st.booleans()):
            continue
        revision = {"label": label, "effective_from": first, "effective_to": last, "published_on": known}
        for a, b in draw(st.lists(st.tuples(CODE, CODE), max_size=3, unique=True)):
            start, end = draw(WINDOW)
            if a != b:
                indicator = draw(st.sampled_from(["0", "1"]))
                rows.append(ptp_row(a, b, indicator, effective_from=start, effective_to=end, revision=revision))
        for code in draw(st.lists(CODE, max_size=2, unique=True)):
            rows.append(mue_row(code, draw(st.integers(1, 2)), draw(st.sampled_from("123")), revision=revision))
        for a, b in draw(st.lists(st.tuples(CODE, CODE), max_size=2, unique=True)):
            rows.append(aoc_row(a, b, draw(st.sampled_from("12")), revision=revision))
    return rows or [ptp_row("11055", "11720")]


@st.composite
def sent_claims(draw: st.DrawFn) -> dict[str, Any]:
    days = st.sampled_from(["2024-03-15", "2024-06-30", "2024-07-01", "2024-08-15", "2024-10-02"])
    lines = [
        line(
            n,
            draw(CODE),
            *draw(st.sampled_from([(), ("59",)])),
            service_date=draw(days),
            units=draw(st.sampled_from("13")),
        )
        for n in range(1, draw(st.integers(1, 4)) + 1)
    ]
    return claim(*lines)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=table_rows(), after=table_rows(), claims=st.lists(sent_claims(), min_size=1, max_size=8))
def test_what_is_skipped_has_the_same_answer(
    before: list[Any], after: list[Any], claims: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    question = make_update(tmp_path_factory.mktemp("update"), before, after)
    whole, changed = measure(question, *claims, families=NCCI)
    touched = find_touched(Store.open(question.store), question.old, question.new)
    some, also_changed = measure(question._replace(touched=touched), *claims, families=NCCI)
    assert also_changed == changed
    assert (some.kinds, some.parts) == (whole.kinds, whole.parts)
    assert some.evaluated + some.skipped == whole.evaluated
