"""Changed claims as rows: one a changed line, for Parquet files and for lists that programs read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.impact.changes import Cause
from claimedits.app.impact.tally import ChangedClaim

CHANGED_LINES = pa.schema(
    [
        pa.field("claim_id", pa.string()),
        pa.field("position", pa.int64()),
        pa.field("billing_provider_id", pa.string()),
        pa.field("claim_kind", pa.string()),
        pa.field("claim_old", pa.string()),
        pa.field("claim_new", pa.string()),
        pa.field("line_number", pa.int32()),
        pa.field("procedure_code", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("old", pa.string()),
        pa.field("new", pa.string()),
        pa.field("not_evaluated_before", pa.bool_()),
        pa.field("charge_cents", pa.int64()),
        pa.field("gone", pa.list_(pa.string())),
        pa.field("come", pa.list_(pa.string())),
    ]
)
"""``position`` counts claims of the input from 1. ``gone`` and ``come`` are ids of rules whose findings only the old, or
only the new answer has. ``not_evaluated_before``: the line
fails newly, and every family that fails now was NOT_EVALUATED before. ``charge_cents`` is null where the claim gives none."""


def rows_of(claim: ChangedClaim) -> list[dict[str, Any]]:
    """One row a changed line, in the columns of ``CHANGED_LINES``."""
    head = {
        "claim_id": claim.claim_id,
        "position": claim.position,
        "billing_provider_id": claim.provider,
        "claim_kind": claim.kind.name,
        "claim_old": claim.old.name,
        "claim_new": claim.new.name,
    }
    return [
        head
        | {
            "line_number": line.line_number,
            "procedure_code": line.procedure_code,
            "kind": line.kind.name,
            "old": line.old.name,
            "new": line.new.name,
            "not_evaluated_before": line.undecided,
            "charge_cents": charge,
            "gone": _rules(line.gone),
            "come": _rules(line.come),
        }
        for line, charge in zip(claim.lines, claim.charges, strict=True)
    ]


def _rules(causes: Iterable[Cause]) -> list[str]:
    return [cause.rule_id for cause in causes]


class ChangedLinesFile:
    """A Parquet file of changed lines, written as the claims come; it appears whole under its name, or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.part")
        self._writer = pq.ParquetWriter(self._beside, CHANGED_LINES, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def write(self, claims: Iterable[ChangedClaim]) -> None:
        """Add claims, in order."""
        rows = [row for claim in claims for row in rows_of(claim)]
        if rows:
            self._writer.write_table(pa.Table.from_pylist(rows, CHANGED_LINES))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._writer.close()
            self._beside.replace(self._path)
        else:
            self._beside.unlink(missing_ok=True)
