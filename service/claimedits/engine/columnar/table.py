"""Arrow tables of claim lines in, Arrow tables of findings out: the single-claim engine's answers, many claims at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from claimedits.engine.columnar.batches import ROWS, Oversized, Passed, Slice, cut_at_claims
from claimedits.engine.columnar.cases import Run
from claimedits.engine.columnar.claims import read_rows
from claimedits.engine.columnar.column_types import check_columns, columns_of
from claimedits.engine.columnar.evaluation import claim_names, evaluate_part, outcome_of
from claimedits.engine.columnar.lines import find_history, read_lines
from claimedits.engine.engine import Engine, read_as_of, read_families
from claimedits.model.claim_reading import DEFAULT_LIMITS, ClaimLimits
from claimedits.model.dates import Day
from claimedits.model.line_table import FINDING_SCHEMA, OUTCOME, REFUSAL_SCHEMA, TableInvalidError
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import FAMILIES_BY_NAME, Family
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.store import Store

Release = Engine | LoadedRelease | tuple[Store | Path | str, str]
"""What answers: an engine, an opened release, or a store and a release in it (empty = the active one)."""
Batches = Iterable[pa.RecordBatch | pa.Table]
"""Record batches or tables of one schema; a ``pyarrow.RecordBatchReader`` is one."""


@dataclass(frozen=True)
class TableFindings:
    """The answer to a table of claim lines, or to one part of it."""

    findings: pa.Table
    """``FINDING_SCHEMA``; in the order of claims, and within a claim in the order of its answer."""
    refused: pa.Table
    """``REFUSAL_SCHEMA``: what is wrong with the claims that were not evaluated."""
    statuses: pa.Table
    """One row for each row of the input: for each family asked, and for ``OUTCOME``, the number of ``terms.Status`` as uint8;
    0 on history lines and on lines of refused claims."""
    first_row: int
    """Row of the whole input that the first row of ``statuses`` speaks of."""
    claims: int
    """Claims evaluated."""
    lines: int
    """Lines evaluated, history lines not counted."""
    refused_claims: int


class TableEvaluator:
    """Evaluates tables under one release, and remembers from one to the next what it found out. For one thread."""

    def __init__(
        self,
        release: Release,
        as_of: Day | str | None = None,
        families: Iterable[Family | str] = (),
        limits: ClaimLimits = DEFAULT_LIMITS,
        abandoned: Callable[[], bool] | None = None,
        most_bytes: int = 0,
    ) -> None:
        """As ``Engine.evaluate``: ``as_of`` None or empty = today, no families = all.

        ``abandoned`` is asked while answers are made; True stops the work with ``EvaluationAbandonedError``. Findings of one
        answer beyond ``most_bytes`` stop it with ``FindingsTooLargeError``; 0 = whatever there is.

        Raises:
            ClaimInvalidError: ``as_of`` or a family is none.
            NotFoundError, StoreError: the release cannot be opened.
        """
        self._families = read_families(families)
        self._run = Run(_open(release), read_as_of(as_of), self._families, limits)
        self._run.abandoned, self._run.most_bytes = abandoned, most_bytes

    def evaluate_batches(self, batches: Batches, rows: int = ROWS) -> Iterator[TableFindings]:
        """An answer for every ``rows`` rows or so, each for whole claims, in order; nothing is read ahead of the answers.

        Raises:
            TableInvalidError: the columns of a batch are not those of a line table.
        """
        for part in cut_at_claims(_checked(batches), rows, self._run.limits):
            if isinstance(part, Slice):
                yield self._evaluate(part)
            elif isinstance(part, Passed):
                yield self._without_answer(part.first_row, part.rows)
            else:
                yield self._refuse(part)

    def _evaluate(self, part: Slice) -> TableFindings:
        run = self._run
        run.trim()
        columns = columns_of(part.table)
        lines = read_lines(columns, part.table.num_rows, run.vocabularies, run.limits)
        evaluated, refusals = evaluate_part(run, lines)
        names = claim_names(lines)
        refused = [
            _refusal(names[claim].as_py(), part.first_row + int(lines.starts[claim]), problem)
            for claim, problems in refusals
            for problem in problems
        ]
        statuses = {family.name: evaluated.statuses[family] for family in FAMILIES_BY_NAME if family in run.families}
        return TableFindings(
            findings=evaluated.findings.table(names, lines.claim_of, lines.line_number),
            refused=pa.Table.from_pylist(refused, REFUSAL_SCHEMA),
            statuses=pa.table({**statuses, OUTCOME: outcome_of(evaluated)}),
            first_row=part.first_row,
            claims=len(lines.starts) - 1 - len(refusals),
            lines=int(evaluated.own.sum()),
            refused_claims=len(refusals),
        )

    def _refuse(self, claim: Oversized) -> TableFindings:
        """A claim over a limit: ``kept`` holds all that is needed to say what else is wrong with it."""
        columns, n = columns_of(claim.kept), claim.kept.num_rows
        history = find_history(columns, n)
        answer = self._without_answer(claim.first_row, 0)
        try:
            read_rows(columns, range(n), history, self._run.limits, (claim.lines, claim.history_lines))
        except ClaimInvalidError as error:
            name = columns["claim_id"][0].as_py() if "claim_id" in columns else None
            refused = [_refusal(name and name.strip(), claim.first_row, problem) for problem in error.problems]
            return replace(answer, refused=pa.Table.from_pylist(refused, REFUSAL_SCHEMA), refused_claims=1)
        raise AssertionError("a claim over the limits cannot be read")

    def _without_answer(self, first_row: int, rows: int) -> TableFindings:
        """Rows that have no status."""
        names = [*(family.name for family in FAMILIES_BY_NAME if family in self._families), OUTCOME]
        statuses = pa.table({name: pa.array(np.zeros(rows, dtype=np.uint8)) for name in names})
        return TableFindings(FINDING_SCHEMA.empty_table(), REFUSAL_SCHEMA.empty_table(), statuses, first_row, 0, 0, 0)

    def nothing(self) -> TableFindings:
        """The answer to a table without rows."""
        return self._without_answer(0, 0)


def _refusal(name: str | None, row: int, problem: Problem) -> dict[str, object]:
    said = {"where": problem.where, "what": problem.what, "mend": problem.mend, "code": problem.code}
    return {"claim_id": name, "row": row, **said}


def evaluate_table(
    table: pa.Table | pa.RecordBatch,
    release: Release,
    as_of: Day | str | None = None,
    families: Iterable[Family | str] = (),
    limits: ClaimLimits = DEFAULT_LIMITS,
) -> TableFindings:
    """Decide every claim of a table of claim lines (``model.line_table.LINE_SCHEMA``).

    The findings are those of ``Engine.evaluate``, claim by claim, field by field, in the same order. A run of rows with one
    ``claim_id`` is a claim; one that appears again later is another claim.

    Args:
        table: lines; the rows of a claim stand together.
        release: an engine, an opened release, or (store, release id).
        as_of: only what was known on this day counts; None or empty = today (UTC).
        families: evaluate these only; empty = all.
        limits: how large a claim may be.

    Raises:
        TableInvalidError: columns are missing, unknown or of another type; every one is named.
        ClaimInvalidError: ``as_of`` or a family is none.
        NotFoundError, StoreError: the release cannot be opened.
    """
    evaluator = TableEvaluator(release, as_of, families, limits)
    parts = list(evaluator.evaluate_batches([table] if table.num_rows else _no_rows(table)))
    return join_parts(parts) if parts else evaluator.nothing()


def evaluate_batches(
    batches: Batches,
    release: Release,
    as_of: Day | str | None = None,
    families: Iterable[Family | str] = (),
    limits: ClaimLimits = DEFAULT_LIMITS,
) -> Iterator[TableFindings]:
    """``evaluate_table`` for input of any size: answers come in parts, and memory does not grow with the input.

    A claim may begin in one batch and end in another.

    Raises:
        As ``evaluate_table``: at once for arguments, and while the answers are taken for batches.
    """
    return TableEvaluator(release, as_of, families, limits).evaluate_batches(batches)


def join_parts(parts: list[TableFindings]) -> TableFindings:
    """The answers to neighbouring parts as one."""
    return TableFindings(
        pa.concat_tables([part.findings for part in parts]),
        pa.concat_tables([part.refused for part in parts]),
        pa.concat_tables([part.statuses for part in parts]),
        parts[0].first_row,
        sum(part.claims for part in parts),
        sum(part.lines for part in parts),
        sum(part.refused_claims for part in parts),
    )


def _open(release: Release) -> LoadedRelease:
    if isinstance(release, Engine):
        return release.release
    if isinstance(release, LoadedRelease):
        return release
    store, release_id = release
    return Engine.open(store, release_id).release


def _checked(batches: Batches) -> Iterator[pa.RecordBatch | pa.Table]:
    first: pa.Schema | None = None
    for batch in batches:
        if first is None or not batch.schema.equals(first):
            check_columns(batch.schema)
            if first is not None:
                problem = Problem("columns", "differ from those of the batches before", "send batches of one schema")
                raise TableInvalidError([problem])
            first = batch.schema
        yield batch


def _no_rows(table: pa.Table | pa.RecordBatch) -> list[pa.Table]:
    check_columns(table.schema)
    return []
