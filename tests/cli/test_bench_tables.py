"""The tables' part of ``claim-edits bench``: made-up lines, their rate beside the single-claim engine, agreement."""

from __future__ import annotations

import pyarrow as pa
import pytest

from claimedits.cli.bench import AS_OF, Measure
from claimedits.cli.bench_columnar import measure_tables
from claimedits.cli.bench_lines import LineMaker, claims_of
from claimedits.cli.bench_tables import build_store
from claimedits.engine.engine import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.open(build_store(tmp_path_factory.mktemp("bench") / "store", 0.01))


def test_made_lines_are_the_same_for_a_seed_and_claims_go_on_over_batches(engine: Engine) -> None:
    index = engine.release.rule_sets["medicare-ptp-practitioner"].index
    once, again = (list(LineMaker(index, index.codes, index.codes[:5], seed=1).batches(5000, 700)) for _ in range(2))
    assert once == again
    assert all(batch.num_rows == 700 for batch in once[:-1])
    lines = pa.Table.from_batches(once)
    assert 5000 <= lines.num_rows < 5020
    claims = claims_of(lines)
    assert {len(claim["lines"]) for claim in claims[:-1]} == {5, 6, 7, 8, 9, 10}
    assert sum(len(claim["lines"]) for claim in claims) == lines.num_rows


def test_figures_stand_beside_the_single_claim_engine(engine: Engine) -> None:
    codes = engine.release.rule_sets["medicare-ptp-practitioner"].index.codes
    rate, agreement, memory = measure_tables(engine, codes, 30_000, AS_OF, Measure)
    assert rate.what.startswith("tables of lines, NCCI families, one core (30,")
    assert rate.bar == "≥ 400,000 lines/s"
    assert float(rate.ratio) > 0
    assert (agreement.what, agreement.measured, agreement.met) == ("findings of 2,000 claims that differ", "0", True)
    assert not agreement.baseline.startswith("claim by claim: 0 ")
    assert memory.bar == "≤ 600 MB"
