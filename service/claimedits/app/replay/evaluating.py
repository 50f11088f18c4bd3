"""Evaluates the claims of one partition: what every engine of replay, local or Spark, calls for the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from claimedits.app.claim_sources.history import attach_history
from claimedits.app.claim_sources.reading import claim_starts
from claimedits.app.replay.agreement import Expectations, compare_with_payer
from claimedits.app.replay.counting import part_of, sum_up
from claimedits.app.replay.release_changes import Baseline
from claimedits.app.replay.results import PartResult
from claimedits.app.replay.sums import Sums
from claimedits.engine.columnar.table import TableEvaluator, TableFindings
from claimedits.engine.engine import Engine
from claimedits.model.line_table import LINE_SCHEMA
from claimedits.model.terms import Family
from claimedits.rulesets.comparison.reach import Touched
from claimedits.rulesets.store import Store

ROWS = 131_072
"""Rows that are evaluated at once, about; a claim is never cut."""


@dataclass(frozen=True)
class Question:
    """Everything that the rows of a partition depend on but its claims. Pickled to the processes that answer."""

    store: Path
    against: str
    """Id of the release."""
    as_of: str
    """YYYY-MM-DD."""
    families: tuple[Family, ...] = ()
    """Empty = all."""
    history_window: int | None = None
    """Days; None = no history is joined."""
    earlier_only: bool = False
    """Only earlier claims are history."""
    baseline: str = ""
    """Id of the release to compare with; empty = none."""
    touched: Touched | None = None
    """What the difference between baseline and ``against`` can touch; None = evaluate every claim under both."""
    expected: Path | None = None
    """Directory of expectations (``expectations.write_expectations``)."""
    traces: int = 20
    """Disagreements of a partition that are given with a trace."""


class PartitionEvaluator:
    """Opens the releases of a question once, and evaluates any number of partitions. For one thread."""

    def __init__(self, question: Question) -> None:
        """
        Raises:
            NotFoundError, StoreError: a release cannot be opened.
            ClaimInvalidError: ``as_of`` is no day, or lies in the future.
        """
        self._question = question
        store = Store.open(question.store)
        self._engine = Engine.open(store, question.against)
        self._evaluator = TableEvaluator(self._engine, question.as_of, question.families)
        self._baseline = None
        if question.baseline:
            old = self._engine if question.baseline == question.against else Engine.open(store, question.baseline)
            self._baseline = Baseline(
                TableEvaluator(old, question.as_of, question.families), question.touched, question.as_of
            )
        self._expected = Expectations(question.expected, self._engine, question) if question.expected else None

    def evaluate(self, tables: Iterable[pa.Table]) -> Iterator[PartResult]:
        """The rows of one partition, in parts that follow each other; how they are cut changes no row.

        Args:
            tables: of ``LINE_SCHEMA``, or with ``history_window`` of ``claim_sources.partitions.PARTITION_SCHEMA``: whole
                claims, the rows of a claim together, no claim id twice. With ``history_window``, all claims of a patient
                that shall be history for each other are in this partition, and it is held in memory as a whole.
        """
        if self._expected is not None:
            self._expected.begin_partition()
        for table in _cut(self._with_history(tables)):
            yield self._evaluate(table)

    def _with_history(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        question = self._question
        if question.history_window is None:
            for table in tables:
                yield table.select([name for name in LINE_SCHEMA.names if name in table.column_names])
            return
        whole = list(tables)
        if whole:
            yield attach_history(pa.concat_tables(whole), question.history_window, question.earlier_only).table

    def _evaluate(self, table: pa.Table) -> PartResult:
        answer = _answer(self._evaluator, table)
        part = part_of(table, answer)
        sums = [sum_up(part)]
        changes = disagreements = matched = None
        if self._baseline is not None:
            changes, of_changes = self._baseline.compare(table, answer, part)
            sums.append(of_changes)
        if self._expected is not None:
            disagreements, matched, of_expected = compare_with_payer(self._expected, table, part)
            sums.append(of_expected)
        tables = {name: one for some in sums for name, one in some.tables.items()}
        counts = {name: number for some in sums for name, number in some.counts.items()}
        extra = {
            name: value
            for name, value in (("changes", changes), ("disagreements", disagreements), ("matched", matched))
            if value is not None
        }
        return PartResult(part.lines, answer.findings, part.refused, Sums(tables, counts), answer.lines, **extra)


def evaluate_partition(question: Question, tables: Iterable[pa.Table]) -> Iterator[PartResult]:
    """``PartitionEvaluator.evaluate`` for one partition alone. Whoever has several opens the evaluator once."""
    return PartitionEvaluator(question).evaluate(tables)


def _answer(evaluator: TableEvaluator, table: pa.Table) -> TableFindings:
    """The answer to a table as one part."""
    answers = list(evaluator.evaluate_batches([table], rows=table.num_rows + 1))
    return answers[0] if answers else evaluator.nothing()


def _cut(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Tables of about ``ROWS`` rows that hold whole claims, of such as do. Memory holds one of them and one of the input."""
    held: list[pa.Table] = []
    count = 0
    for table in tables:
        while count + table.num_rows >= ROWS:
            starts = claim_starts(table)
            fitting = starts[starts <= ROWS - count]
            end = int(fitting[-1]) if len(fitting) else 0
            if end == 0 and not held:  # a claim longer than a part
                end = int(starts[1]) if len(starts) > 1 else table.num_rows
            yield pa.concat_tables([*held, table.slice(0, end)])
            held, count, table = [], 0, table.slice(end)
        if table.num_rows:
            held.append(table)
            count += table.num_rows
    if held:
        yield pa.concat_tables(held)
