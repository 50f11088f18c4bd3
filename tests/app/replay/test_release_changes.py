"""With a baseline: changes are those that ``claim-edits diff --claims`` finds claim by claim, with and without skipping."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from made_replays import AS_OF, CODES, MadeStore, make_claims, write_ndjson

from claimedits.app.claim_sources.line_batches import table_of
from claimedits.app.impact.records import rows_of
from claimedits.app.impact.running import Chunk, InputClaim, Question, measure_impact
from claimedits.app.impact.summary import impact_fields
from claimedits.app.replay import evaluating, inputs
from claimedits.app.replay.evaluating import PartitionEvaluator
from claimedits.app.replay.evaluating import Question as PartitionQuestion
from claimedits.app.replay.reaching import ClaimTraits
from claimedits.app.replay.running import ReplayOptions, replay
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import parse_day
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.comparison.reach import Reach
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MadeStore:
    return MadeStore(tmp_path_factory.mktemp("store"))


def single_claim_impact(store: MadeStore, claims: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the single-claim engine says, every claim under both releases."""
    rows: list[dict[str, Any]] = []

    def keep(chunk: Chunk) -> None:
        rows.extend(row for changed in chunk.changed for row in rows_of(changed))

    question = Question(store.path, store.old, store.new, AS_OF, (), None)
    tally = measure_impact(question, [InputClaim(i, one) for i, one in enumerate(claims, 1)], 1, keep)
    return impact_fields(tally, ()), rows


@pytest.mark.parametrize("every_claim", [True, False])
@pytest.mark.parametrize("rows", [7, 1_000])
def test_changes_are_those_of_the_single_claim_engine(
    every_claim: bool, rows: int, store: MadeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "LINES_A_PARTITION", 100)
    monkeypatch.setattr(evaluating, "ROWS", rows)
    claims = make_claims(200, seed=9)
    written = write_ndjson(tmp_path / "c.ndjson", claims)
    options = ReplayOptions(
        store.path, [str(written)], tmp_path / "out", store.new, store.old, as_of=AS_OF, every_claim=every_claim
    )
    report = replay(options).report["changes"]
    wanted, changed = single_claim_impact(store, claims)
    paths = sorted((tmp_path / "out" / "changes").glob("*.parquet"))
    found = [row for path in paths for row in pq.read_table(path).to_pylist()]
    for row in changed:
        del row["position"]
    key = lambda row: (row["claim_id"], row["line_number"])  # noqa: E731
    assert sorted(found, key=key) == sorted(changed, key=key)
    assert changed
    for name in ("kinds", "by_rule", "by_code", "by_provider", "by_family", "by_rule_set", "claims", "lines"):
        assert report[name] == wanted[name], name
    for name in ("newly_failing_decided_before", "newly_failing_not_evaluated_before", "no_longer_evaluated"):
        assert report[name] == wanted[name], name
    assert report["evaluated"] + report["skipped"] == len(claims)
    if every_claim:
        assert report["claims_by_worst_change"] == wanted["claims_by_worst_change"]
        assert report["outcomes"] == wanted["outcomes"]


def test_claims_that_nothing_touches_are_skipped(store: MadeStore, tmp_path: Path) -> None:
    one = make_claims(1)[0]
    untouched = [one | {"claim_id": "U", "lines": [one["lines"][0] | {"procedure_code": "77002"}]}]
    written = write_ndjson(tmp_path / "c.ndjson", untouched)
    options = ReplayOptions(store.path, [str(written)], tmp_path / "out", store.new, store.old, as_of=AS_OF)
    report = replay(replace(options, families=(Family.PTP,)))
    assert (report.report["changes"]["skipped"], report.report["changes"]["evaluated"]) == (1, 0)
    assert report.report["changes"]["kinds"]["NEWLY_FAILING"]["lines"] == 0


def test_the_same_release_twice_changes_nothing(store: MadeStore, tmp_path: Path) -> None:
    written = write_ndjson(tmp_path / "c.ndjson", make_claims(30))
    options = ReplayOptions(store.path, [str(written)], tmp_path / "out", store.new, store.new, as_of=AS_OF)
    changes = replay(options).report["changes"]
    assert (changes["evaluated"], changes["skipped"]) == (0, 30)
    again = replay(replace(options, out=tmp_path / "every", every_claim=True)).report["changes"]
    assert (again["evaluated"], again["claims_by_worst_change"]["SAME"]) == (30, 30)


CLAIMS = st.lists(
    st.fixed_dictionaries(
        {
            "setting": st.sampled_from(["PRACTITIONER", "OUTPATIENT_HOSPITAL"]),
            "contractor_id": st.sampled_from(["", "12502"]),
            "diagnoses": st.lists(st.sampled_from(["E11.42", "E11", "I10", "M54.50"]), max_size=2, unique=True),
            "lines": st.lists(
                st.tuples(
                    st.sampled_from(CODES), st.integers(0, 40), st.integers(0, 3), st.sampled_from([[], ["59"], ["LT"]])
                ),
                min_size=1,
                max_size=4,
            ),
        }
    ),
    min_size=1,
    max_size=6,
)
FIRST = parse_day("2024-06-01")
REACHES = st.builds(
    Reach,
    st.just("medicare-ptp-practitioner"),
    st.just("made up"),
    first=st.integers(FIRST - 10, FIRST + 30),
    last=st.integers(FIRST, FIRST + 60),
    settings=st.sampled_from([frozenset(Setting), frozenset([Setting.PRACTITIONER])]),
    programs=st.sampled_from([frozenset(Program), frozenset([Program.MEDICAID])]),
    everything=st.booleans(),
    procedure_codes=st.frozensets(st.sampled_from(CODES), max_size=2),
    procedure_ranges=st.sampled_from([(), (("11000", "11100"),)]),
    pairs=st.frozensets(st.sampled_from([("11055", "11720"), ("64484", "64633"), ("11720", "99213")]), max_size=2),
    modifiers=st.frozensets(st.sampled_from(["59", "LT"]), max_size=1),
    diagnoses=st.frozensets(st.sampled_from(["E1142", "E11", "M54", "I10"]), max_size=1),
    contractors=st.sampled_from([frozenset(), frozenset(["12502"])]),
)


def claims_from(drawn: list[dict[str, Any]]) -> list[Claim]:
    made = []
    for i, one in enumerate(drawn):
        lines = [
            {
                "line_number": n,
                "procedure_code": code,
                "units": "1",
                "modifiers": modifiers,
                "service_date": str(_day(first)),
                "service_date_end": str(_day(first + more)),
            }
            for n, (code, first, more, modifiers) in enumerate(one["lines"], 1)
        ]
        cut = max(1, len(lines) - 1)
        history = [line | {"claim_id": "H", "paid": True} for line in lines[cut:]]
        fields = {**one, "claim_id": f"C{i}", "program": "MEDICARE", "lines": lines[:cut], "history_lines": history}
        made.append(read_claim(fields))
    return made


def _day(offset: int) -> Any:
    import datetime

    return datetime.date(2024, 6, 1) + datetime.timedelta(days=offset)


@given(drawn=CLAIMS, reach=REACHES)
@settings(max_examples=300, deadline=None)
def test_a_reach_touches_the_claims_that_it_touches_one_by_one(drawn: list[dict[str, Any]], reach: Reach) -> None:
    claims = claims_from(drawn)
    traits = ClaimTraits(table_of(claims))
    assert traits.touched(reach).tolist() == [reach.touches(claim) for claim in claims]


def test_a_claim_of_very_many_lines_counts_as_touched_by_pairs() -> None:
    lines: list[Any] = [(CODES[n % 2] if n < 2 else "11720", 0, 0, []) for n in range(4)]
    claims = claims_from([{"setting": "PRACTITIONER", "contractor_id": "", "diagnoses": [], "lines": lines}])
    assert ClaimTraits(table_of(claims)).touched(Reach("r", "", pairs=frozenset({("11055", "11720")}))).tolist() == [
        True
    ]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_skipping_claims_loses_no_change(seed: int, store: MadeStore) -> None:
    table = table_of(map(read_claim, make_claims(40, seed=seed)))
    touched = find_touched(Store.open(store.path), store.new, store.old, as_of=parse_day(AS_OF))
    question = PartitionQuestion(store.path, store.new, AS_OF, baseline=store.old)
    every = [part.changes for part in PartitionEvaluator(question).evaluate([table])]
    some = [part.changes for part in PartitionEvaluator(replace(question, touched=touched)).evaluate([table])]
    assert every == some
