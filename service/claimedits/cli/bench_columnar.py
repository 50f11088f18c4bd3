"""The tables' part of ``claim-edits bench``: lines a second on one core beside the single-claim engine, agreement, memory."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from claimedits.cli.bench_lines import LineMaker, claims_of
from claimedits.engine.columnar.batches import ROWS
from claimedits.engine.columnar.table import TableEvaluator
from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import read_claim
from claimedits.model.terms import Family

FAMILIES = frozenset((Family.PTP, Family.MUE, Family.ADD_ON_CODE))
_COMPARED = 2_000
"""Claims that the single-claim engine decides too."""
_MEMORY_BAR = 600e6


def measure_tables(
    engine: Engine, codes: Sequence[str], lines: int, as_of: str, row: Callable[..., Any]
) -> Iterator[Any]:
    """Rows for the rate, the agreement of findings, and what memory grows by over the whole input."""
    index = engine.release.rule_sets["medicare-ptp-practitioner"].index
    add_on_codes = engine.release.rule_sets["medicare-aoc"].index.add_on_codes
    plain = [code for code in codes if code not in add_on_codes]
    maker = LineMaker(index, plain or list(codes), [code for code in codes if code in add_on_codes])
    sample = pa.Table.from_batches(maker.batches(10 * _COMPARED))
    claims = [read_claim(claim) for claim in claims_of(sample)][:_COMPARED]
    ours = TableEvaluator(engine, as_of, FAMILIES)
    answer = next(ours.evaluate_batches([sample]))
    for claim in claims[:200]:
        engine.evaluate(claim, as_of, FAMILIES)
    start = time.process_time()
    decisions = [engine.evaluate(claim, as_of, FAMILIES) for claim in claims]
    alone = sum(len(claim.lines) for claim in claims) / (time.process_time() - start)

    gc.collect()
    before, spent, count, found = _resident(), 0.0, 0, 0
    for batch in maker.batches(lines, ROWS):
        start = time.process_time()
        for part in ours.evaluate_batches([batch]):
            count += part.lines
            found += part.findings.num_rows
        spent += time.process_time() - start
    grown = max(0, _resident() - before)
    rate = count / spent
    yield row(
        f"tables of lines, NCCI families, one core ({count:,} lines, {found / count * 7.5:.2f} findings a claim)",
        f"{rate:,.0f} lines/s", f"claim by claim: {alone:,.0f} lines/s", f"{rate / alone:.1f}", "≥ 400,000 lines/s", rate >= 400_000,
    )  # fmt: skip
    yield _agreement(answer.findings, decisions, row)
    yield row(
        "memory that tables take, whatever their size", f"{grown / 1e6:.0f} MB more", f"before: {before / 1e6:.0f} MB", f"{grown / before:.2f}",
        "≤ 600 MB", grown <= _MEMORY_BAR,
    )  # fmt: skip


def _agreement(findings: pa.Table, decisions: Sequence[Any], row: Callable[..., Any]) -> Any:
    """Findings of the sample that the two ways do not share, by claim, line, rule, status and message."""
    names = {decision.claim_id for decision in decisions}
    columns = ("claim_id", "line_number", "rule_id", "status", "code", "message")
    cells = zip(*(findings[name].to_pylist() for name in columns), strict=True)
    got = [cell for cell in cells if cell[0] in names]
    expected = [
        (decision.claim_id, f.line_number, f.rule_id, f.status.name, f.code, f.message)
        for decision in decisions
        for f in decision.findings
    ]
    differ = sum(one != other for one, other in zip(expected, got, strict=False)) + abs(len(expected) - len(got))
    return row(
        f"findings of {len(names):,} claims that differ", f"{differ}", f"claim by claim: {len(expected):,} findings",
        f"{differ / max(1, len(expected)):.0%}", "0", differ == 0,
    )  # fmt: skip


def _resident() -> int:
    """Most memory that the process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
