"""What a replay counts: small tables that are summed up partition by partition, and do not depend on their order.

Every table has its names first and its figures after them. Charges are of lines, in cents; a line counts once in each row
of a table, however many findings it has there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.terms import FAMILIES_BY_NAME

FIGURES = ("lines", "claims", "charge_cents", "lines_without_charge")
_FIGURES: list[pa.Field] = [pa.field(name, pa.int64()) for name in FIGURES]
STATUS_COLUMNS: Mapping[str, str] = {family.name: family.name.lower() for family in FAMILIES_BY_NAME}
"""The column of a line table that holds a family's status."""


def _schema(*names: str) -> pa.Schema:
    return pa.schema([*(pa.field(name, pa.string()) for name in names), *_FIGURES])


OUTCOMES = _schema("month", "outcome")
FAMILIES = _schema("month", "family", "status")
RULES = _schema("family", "rule_set", "rule_id", "code", "status")
LABELS = _schema("quarter", "rule_set", "label", "status")
BYPASSES = _schema("modifier", "billing_provider_id")
CONFLICTS = _schema("billing_provider_id", "status")
SCHEMAS: Mapping[str, pa.Schema] = {
    "outcomes": OUTCOMES,
    "families": FAMILIES,
    "rules": RULES,
    "labels": LABELS,
    "bypasses": BYPASSES,
    "conflicts": CONFLICTS,
}
"""``outcomes``: lines by month and outcome. ``families``: by month, family and status. ``rules``: by the rule that spoke.
``labels``: by quarter and the revision that answered. ``bypasses``: PTP conflicts that a modifier bypassed, by the modifier
and the billing provider. ``conflicts``: lines with a PTP conflict, by billing provider and status."""


@dataclass(frozen=True)
class Sums:
    """Tables by the names of ``SCHEMAS``, each sorted by its names."""

    tables: Mapping[str, pa.Table]

    @classmethod
    def empty(cls) -> Sums:
        """Of no claims."""
        return cls({name: schema.empty_table() for name, schema in SCHEMAS.items()})


def merge_sums(parts: Sequence[Sums]) -> Sums:
    """The sums of all parts."""
    merged = {}
    for name, schema in SCHEMAS.items():
        whole = pa.concat_tables([schema.empty_table(), *(part.tables[name] for part in parts)])
        merged[name] = _sum_up(whole, schema)
    return Sums(merged)


def sum_results(lines: pa.Table, findings: pa.Table, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Sums:
    """The sums of some claims.

    Args:
        lines: one row a line: ``claim`` (number of the claim, int64), ``billing_provider_id``, ``service_date``,
            ``charge_cents``, ``outcome``, and a status column a family.
        findings: as ``model.line_table.FINDING_SCHEMA``.
        rows: for each finding, the row of its line in ``lines``.
    """
    months = pc.strftime(lines["service_date"], format="%Y-%m")
    base = pa.table(
        {
            "claim": lines["claim"],
            "row": pa.array(np.arange(lines.num_rows, dtype=np.int64)),
            "charge_cents": lines["charge_cents"],
            "month": months,
            "quarter": _quarters(lines["service_date"]),
            "outcome": lines["outcome"],
            "billing_provider_id": pc.fill_null(lines["billing_provider_id"].cast(pa.string()), ""),
            **{column: lines[column] for column in STATUS_COLUMNS.values() if column in lines.column_names},
        }
    )
    found = _join(findings, base, rows)
    ptp = found.filter(pc.equal(found["family"], "PTP"))
    bypassed = ptp.filter(pc.equal(ptp["status"], "BYPASSED"))
    bypassed = bypassed.append_column(
        "modifier", pa.array(map(_bypassing_modifier, bypassed["detail"].to_pylist()), pa.string())
    )
    return Sums(
        {
            "outcomes": _count(base, OUTCOMES),
            "families": pa.concat_tables([FAMILIES.empty_table(), *_by_family(base)]),
            "rules": _count(found, RULES),
            "labels": _count(found, LABELS),
            "bypasses": _count(bypassed, BYPASSES),
            "conflicts": _count(ptp, CONFLICTS),
        }
    )


def _join(findings: pa.Table, base: pa.Table, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
    """Each finding beside what is counted of its line."""
    of_line = base.take(pa.array(rows))
    names = ("family", "status", "rule_id", "code", "rule_set", "label", "detail")
    columns = {name: pc.fill_null(findings[name].cast(pa.string()), "") for name in names}
    line_columns = ("claim", "row", "charge_cents", "quarter", "billing_provider_id")
    return pa.table({**columns, **{name: of_line[name] for name in line_columns}})


def _by_family(base: pa.Table) -> list[pa.Table]:
    return [
        _count(
            base.rename_columns({column: "status"}).append_column(
                "family", pa.array([family] * base.num_rows, pa.string())
            ),
            FAMILIES,
        )
        for family, column in STATUS_COLUMNS.items()
        if column in base.column_names
    ]


def _count(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Figures of the lines of ``table``, by the names of ``schema``; a line counts once in a row of the result."""
    names = [name for name in schema.names if name not in FIGURES]
    flat = pa.table(
        {
            **{name: table[name].cast(pa.string()) for name in names},
            **{n: table[n] for n in ("claim", "row", "charge_cents")},
        }
    )
    once = flat.group_by([*names, "claim", "row"], use_threads=False).aggregate([("charge_cents", "max")])
    by_line = once.group_by(names, use_threads=False).aggregate(
        [("row", "count"), ("claim", "count_distinct"), ("charge_cents_max", "sum"), ("charge_cents_max", "count")]
    )
    figures = {
        "lines": by_line["row_count"],
        "claims": by_line["claim_count_distinct"],
        "charge_cents": pc.fill_null(by_line["charge_cents_max_sum"], 0),
        "lines_without_charge": pc.subtract(by_line["row_count"], by_line["charge_cents_max_count"]),
    }
    return _sorted(pa.table({**{name: by_line[name] for name in names}, **figures}).cast(schema), names)


def _sum_up(table: pa.Table, schema: pa.Schema) -> pa.Table:
    names = [name for name in schema.names if name not in FIGURES]
    summed = table.group_by(names, use_threads=False).aggregate([(figure, "sum") for figure in FIGURES])
    renamed = summed.rename_columns([*names, *FIGURES]) if summed.column_names[: len(names)] == names else summed
    return _sorted(renamed.select(schema.names).cast(schema), names)


def _sorted(table: pa.Table, names: Sequence[str]) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in names]).combine_chunks()


def _quarters(days: pa.ChunkedArray) -> pa.ChunkedArray:
    """``2024Q3``."""
    years = pc.year(days).cast(pa.string())
    return pc.binary_join_element_wise(years, pc.quarter(days).cast(pa.string()), "Q")


def _bypassing_modifier(detail: str) -> str:
    """The modifier that a bypassed conflict was bypassed by, from the finding's particulars; several joined by a comma."""
    considered = orjson.loads(detail).get("ptp", {}).get("modifiers_considered", []) if detail else []
    return ",".join(sorted({entry["modifier"] for entry in considered if entry["honoured"]}))
