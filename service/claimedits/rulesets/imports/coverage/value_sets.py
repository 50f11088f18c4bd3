"""Value sets that third parties read out of determinations: kept for look-up, never enforced."""

from __future__ import annotations

from typing import Any

from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger

COLUMNS = ("category", "determination", "valueset", "system", "code", "path")


def read_value_sets(table: CsvTable, ledger: Ledger) -> list[tuple[Any, ...]]:
    """Rows of value sets; identical copies are dropped and counted, a row without a code is rejected."""
    rows: list[tuple[Any, ...]] = []
    seen: set[tuple[str, ...]] = set()
    for row in table.rows(COLUMNS):
        if not row.cells[4]:
            ledger.reject(f"{row.where}:code", "holds no code", "report it to the publisher", "E_CODE")
        elif row.cells in seen:
            ledger.drop("identical copies")
        else:
            seen.add(row.cells)
            rows.append((*row.cells, *row.place))
            ledger.kept += 1
    return rows
