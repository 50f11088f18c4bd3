"""COVERAGE rows of known answers (semantics.md §H) as tables of kind ``coverage``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimedits.model.dates import parse_day
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table

Row = Mapping[str, Any]


def coverage_tables_from_cases(rows: Sequence[Row]) -> dict[str, pa.Table]:
    """The tables that the rows state. Proposed documents (``display_id``) are dropped, as every import drops them."""
    cells: dict[str, list[tuple[Any, ...]]] = {}
    for place, row in enumerate(rows, 1):
        if not row.get("display_id"):
            for name, line in _rows_of(row, (0, place)):
                cells.setdefault(name, []).append(line)
    tables = {name: build_table(SCHEMAS[name], lines) for name, lines in cells.items()}
    tables.setdefault("documents", build_table(SCHEMAS["documents"], []))
    return tables


def _rows_of(row: Row, place: tuple[int, int]) -> list[tuple[str, tuple[Any, ...]]]:
    document = row["document_id"]
    key = (document, str(row.get("version") or ""))
    national = bool(row.get("national")) or not row.get("states", ())
    kind = "NCD" if document.startswith("NCD") else "LCD" if document.startswith("L") else "ARTICLE"
    dates = (_day(row.get("effective_from")), _day(row.get("effective_to")))
    found: list[tuple[str, tuple[Any, ...]]] = [
        ("documents", (*key, kind, "", *dates, None, False, national, "", "", *place))
    ]
    found += [("procedure_codes", (*key, 1, code, *place)) for code in row["procedure_codes"]]
    found += [("jurisdictions", (*key, "", "", state, None, None, *place)) for state in row.get("states", ())]
    waived = " ".join(row.get("waived_by_modifiers") or ())
    for group in row["groups"]:
        name = "non_covered" if group["role"] == "non_covered" else "covered"
        scope = " ".join(group.get("procedure_codes") or ())
        found.append(("groups", (*key, name, group["group"], group["role"], scope, waived, "", "", "", *place)))
        found += [
            ("diagnoses", (*key, name, group["group"], code.replace(".", ""), False, *place))
            for code in group["icd10_codes"]
        ]
    return found


def _day(text: str | None) -> int | None:
    return parse_day(text) if text else None
