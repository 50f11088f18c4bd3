"""A comparison for programs: as JSON, and every row that differs as a Parquet file. docs/diff.md describes both."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.comparing import Compared, family_of
from claimedits.model.dates import format_day
from claimedits.rulesets.comparison.governance import GovernanceChange
from claimedits.rulesets.comparison.revisions import RevisionComparison
from claimedits.rulesets.comparison.table_comparison import ChangeKind, RowChange, TableComparison
from claimedits.rulesets.comparison.tallies import group, tally
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.windows import BEGINNING

FORMAT = 1
"""Rises when a field changes its meaning or goes; new fields may come at any time."""
_FIELDS = pa.map_(pa.string(), pa.string())
ROWS = pa.schema(
    {
        "rule_set": pa.string(),
        "old_revision": pa.string(),
        "new_revision": pa.string(),
        "table": pa.string(),
        "kind": pa.string(),
        "change": pa.string(),
        "retroactive": pa.bool_(),
        "key": _FIELDS,
        "before": _FIELDS,
        "after": _FIELDS,
        "old_source_file": pa.string(),
        "old_source_row": pa.int64(),
        "new_source_file": pa.string(),
        "new_source_row": pa.int64(),
    }
)
"""Columns of the Parquet file."""
_ROWS_AT_ONCE = 20_000


def comparison_fields(compared: Compared, limit: int) -> dict[str, Any]:
    """The comparison as JSON fields; of each table at most ``limit`` rows, retroactive ones first."""
    release = compared.release
    return {
        "format": FORMAT,
        "compared": "releases" if release else "revisions",
        "old": _name(compared.old),
        "new": _name(compared.new),
        "is_empty": compared.is_empty,
        "differences": compared.differences,
        "retroactive": compared.retroactive,
        "by_family": [
            {"family": family, "rows": rows, "retroactive": retroactive}
            for family, rows, retroactive in compared.by_family
        ],
        "rule_sets": [_comparison(comparison, limit) for comparison in compared.rule_sets],
        "unchanged": list(release.unchanged) if release else [],
        "added": list(release.added) if release else [],
        "removed": list(release.removed) if release else [],
        "governance": [_governance(change) for change in compared.governance],
    }


def _name(named: RevisionInfo | ReleaseInfo) -> dict[str, Any]:
    if isinstance(named, ReleaseInfo):
        return {"id": named.id, "created_at": named.created_at, "note": named.note}
    return revision_fields(named)


def revision_fields(info: RevisionInfo) -> dict[str, Any]:
    """Which edition a revision is."""
    header = info.header
    return {
        "id": info.id,
        "rule_set": header.rule_set,
        "label": header.label,
        "effective_from": format_day(header.effective_from),
        "effective_to": format_day(header.effective_to),
        "published_on": format_day(header.published_on),
    }


def _comparison(comparison: RevisionComparison, limit: int) -> dict[str, Any]:
    present = comparison.new or comparison.old
    family = family_of(present) if present else None
    return {
        "rule_set": comparison.rule_set,
        "kind": comparison.kind,
        "family": family.name if family else "",
        "old": revision_fields(comparison.old) if comparison.old else None,
        "new": revision_fields(comparison.new) if comparison.new else None,
        "differences": comparison.differences,
        "retroactive": comparison.retroactive,
        "tables": [_table(table, limit) for table in comparison.tables],
    }


def _table(table: TableComparison, limit: int) -> dict[str, Any]:
    tallies = tally(table)
    return {
        "table": table.table,
        "key": list(table.key),
        "old_rows": table.old_rows,
        "new_rows": table.new_rows,
        "added": table.added,
        "removed": table.removed,
        "changed": table.changed,
        "unchanged": table.unchanged,
        "retroactive": table.retroactive,
        "changed_columns": dict(table.changed_columns),
        "columns_lost": list(table.columns_lost),
        "columns_gained": list(table.columns_gained),
        **{
            f"by_{field}": [
                {field: value, "rows": rows, "retroactive": retroactive}
                for value, rows, retroactive in group(tallies, field)
                if value
            ]
            for field in ("change", "section", "rationale")
        },
        "rows": [change_fields(change) for change in first_rows(table, limit)],
        "rows_left_out": max(0, table.differences - limit),
    }


def first_rows(table: TableComparison, limit: int) -> Iterator[RowChange]:
    """The first differences of a table: retroactive ones first, then by key."""
    order = np.argsort(~table.is_retroactive, kind="stable")[:limit]
    return table.rows(order)


def change_fields(change: RowChange) -> dict[str, Any]:
    """One difference as JSON fields."""
    return {
        "kind": change.kind.name,
        "change": change.change,
        "retroactive": change.retroactive,
        "key": dict(change.key),
        "before": dict(change.before),
        "after": dict(change.after),
        "old_source_file": change.old_source_file,
        "old_source_row": change.old_source_row,
        "new_source_file": change.new_source_file,
        "new_source_row": change.new_source_row,
    }


def _governance(change: GovernanceChange) -> dict[str, Any]:
    return {
        "rule_set": change.rule_set,
        "first_day": "" if change.first == BEGINNING else format_day(change.first),
        "last_day": format_day(change.last),
        "old": revision_fields(change.old) if change.old else None,
        "new": revision_fields(change.new) if change.new else None,
    }


# ---- Parquet ----


def write_parquet(compared: Compared, path: Path) -> int:
    """Write every row that differs, and give their number. The file appears whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(number)
    written = Path(name)
    try:
        with pq.ParquetWriter(written, ROWS, compression="zstd") as writer:
            count = 0
            for comparison in compared.rule_sets:
                for batch in _batches(comparison):
                    writer.write_table(batch)
                    count += batch.num_rows
        written.chmod(0o644)
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)
    return count


def _batches(comparison: RevisionComparison) -> Iterator[pa.Table]:
    ids = [info.id if info else "" for info in (comparison.old, comparison.new)]
    for table in comparison.tables:
        rows = table.rows()
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            same: dict[str, object] = {
                "rule_set": comparison.rule_set,
                "old_revision": ids[0],
                "new_revision": ids[1],
            }
            columns = {
                name: [same[name] if name in same else _cell(getattr(change, name)) for change in batch]
                for name in ROWS.names
            }
            yield pa.table({name: pa.array(columns[name], ROWS.field(name).type) for name in ROWS.names}, schema=ROWS)


def _cell(value: object) -> object:
    if isinstance(value, ChangeKind):
        return value.name
    return list(value) if isinstance(value, tuple) else value
