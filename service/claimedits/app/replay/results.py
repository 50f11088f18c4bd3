"""The rows that a replay writes: findings, lines, and claims that were refused. Public schemas (docs/replay.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from claimedits.app.impact.records import CHANGED_LINES
from claimedits.app.replay.sums import Sums
from claimedits.model.line_table import FINDING_SCHEMA
from claimedits.model.terms import FAMILIES_BY_NAME

STATUS_COLUMNS: dict[str, str] = {family.name: family.name.lower() for family in FAMILIES_BY_NAME}
"""The column of ``LINES`` that holds a family's status, by the family's name."""

FINDINGS: pa.Schema = FINDING_SCHEMA
"""One row a finding, as ``evaluate_table`` gives them."""

LINES: pa.Schema = pa.schema(
    [
        pa.field("claim_id", pa.string()),
        pa.field("line_number", pa.int32()),
        pa.field("program", pa.string()),
        pa.field("setting", pa.string()),
        pa.field("billing_provider_id", pa.string()),
        pa.field("service_date", pa.date32()),
        pa.field("procedure_code", pa.string()),
        pa.field("charge_cents", pa.int64()),
        pa.field("outcome", pa.string()),
        *(pa.field(column, pa.string()) for column in STATUS_COLUMNS.values()),
    ]
)
"""One row a claim line that was evaluated; history lines are no rows. ``outcome`` is the worst status, the columns after it
the status of each family, null where the family was not asked. ``charge_cents`` is null where the claim gives none."""

REFUSED: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in ("claim_id", "where", "what", "mend", "code")])
"""One row a problem of a claim that was read and yet not evaluated."""

CHANGES: pa.Schema = pa.schema([one for one in CHANGED_LINES if one.name != "position"])
"""With a baseline: one row a line that is answered otherwise, as ``claim-edits diff --changed-lines`` writes them; old is
under the baseline, new under the release replayed against."""

DISAGREEMENTS: pa.Schema = pa.schema(
    [
        pa.field("claim_id", pa.string()),
        pa.field("line_number", pa.int32()),
        pa.field("procedure_code", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("real_carcs", pa.list_(pa.string())),
        pa.field("amount_cents", pa.int64()),
        pa.field("outcome", pa.string()),
        pa.field("found_carcs", pa.list_(pa.string())),
        pa.field("found_rules", pa.list_(pa.string())),
        pa.field("trace", pa.string()),
    ]
)
"""With expectations: one row a line on which payer and engine differ. ``kind``: ``PAYER_ONLY`` (denied for an edit's reason, no
FAIL found), ``ENGINE_ONLY`` (a FAIL, and the payer denied for no edit's reason), ``OTHER_REASON`` (both, no CARC in common).
``trace`` is the decision at detail TRACE as JSON, for the first ones of each part; null for the rest."""


@dataclass(frozen=True)
class PartResult:
    """The answer to some claims of a partition: whole claims, in the order of the partition."""

    lines: pa.Table
    """``LINES``."""
    findings: pa.Table
    """``FINDINGS``."""
    refused: pa.Table
    """``REFUSED``."""
    sums: Sums
    rows: int
    """Lines evaluated."""
    changes: pa.Table = field(default_factory=CHANGES.empty_table)
    disagreements: pa.Table = field(default_factory=DISAGREEMENTS.empty_table)
    matched: pa.Array = field(default_factory=lambda: pa.array([], pa.uint64()))
    """Hashes of the ids of claims that expectations are known of."""
