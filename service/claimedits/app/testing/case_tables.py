"""Builds the tables that a case states (semantics.md §H): one draft a rule set and revision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimedits.app.testing.case_documents import coverage_tables_from_cases
from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source

Row = Mapping[str, Any]
ALWAYS = {"label": "case", "effective_from": "1900-01-01", "effective_to": "", "published_on": "1900-01-01"}
"""Rows without a revision share one open-ended revision known since 1900."""


def group_rows(rules: Sequence[Row]) -> dict[tuple[str, str], list[tuple[int, Row]]]:
    """Rows with their places in the case, by rule set and revision (as JSON), in the order of first appearance."""
    grouped: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for i, row in enumerate(rules):
        revision = json.dumps({**ALWAYS, **(row.get("revision") or {})}, sort_keys=True)
        grouped.setdefault((row["rule_set"], revision), []).append((i, row))
    return grouped


def table_draft(rule_set: str, revision: str, rows: Sequence[tuple[int, Row]]) -> RevisionDraft:
    """The revision that the rows of one rule set of ``TABLES`` state."""
    kind, build = TABLES[rule_set]
    content = [row for _, row in rows if not row.get("loaded")]
    return RevisionDraft(
        header_of_rows(rule_set, kind, revision, rows), build(content), read=len(content), kept=len(content)
    )


def header_of_rows(
    rule_set: str,
    kind: str,
    revision: str,
    rows: Sequence[tuple[int, Row]],
    attributes: Mapping[str, str] | None = None,
    sources: Sequence[Source] = (),
) -> RevisionHeader:
    """The header of a revision whose last source is the case itself. Its label holds a digest of the rows: many cases may
    share one store, which knows an edition by its label."""
    stated = json.loads(revision)
    content = json.dumps([stated, [row for _, row in rows]], sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    return RevisionHeader(
        rule_set=rule_set,
        kind=kind,
        label=f"{stated['label']} of {digest[:12]}",
        effective_from=parse_day(stated["effective_from"] or "1900-01-01"),
        effective_to=parse_day(stated["effective_to"]) if stated["effective_to"] else FOREVER,
        published_on=parse_day(stated["published_on"] or "1900-01-01"),
        sources=(*sources, Source("case.jsonl", digest, len(content), len(rows), "utf-8")),
        attributes=attributes or {},
    )


def table(rows: Sequence[tuple[Any, ...]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Rows in canonical order, each citing its place in the case."""
    placed = sorted(((*row, 0, i) for i, row in enumerate(rows, 1)), key=lambda row: tuple(str(cell) for cell in row))
    schema = pa.schema([*columns.items(), ("source", pa.uint16()), ("source_row", pa.uint32())])
    arrays = [pa.array([row[i] for row in placed], field.type) for i, field in enumerate(schema)]
    return pa.table(arrays, schema=schema)


def day(text: str | None) -> int | None:
    """A date as Arrow's date32 counts; None for an empty text."""
    return parse_day(text) if text else None


_WORD = pa.dictionary(pa.int32(), pa.string())


def ptp(rows: Sequence[Row]) -> Mapping[str, pa.Table]:
    columns = {
        "column_1": _WORD,
        "column_2": _WORD,
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "modifier_indicator": pa.uint8(),
        "in_existence_prior_to_1996": pa.bool_(),
        "rationale": _WORD,
    }
    cells = [
        (
            r["column_1"],
            r["column_2"],
            day(r.get("effective_from")),
            day(r.get("effective_to")),
            int(r["modifier_indicator"]),
            False,
            "",
        )
        for r in rows
    ]
    return {"edits": table(cells, columns)}


def mue(rows: Sequence[Row]) -> Mapping[str, pa.Table]:
    columns = {
        "procedure_code": pa.string(),
        "value": pa.int32(),
        "mai": pa.uint8(),
        "rationale": pa.string(),
        "confidential": pa.bool_(),
    }
    cells = [(r["procedure_code"], int(r["value"]), int(r["mai"] or 0), "", bool(r.get("confidential"))) for r in rows]
    return {"values": table(cells, columns)}


def add_on(rows: Sequence[Row]) -> Mapping[str, pa.Table]:
    columns = {
        "add_on_code": pa.string(),
        "primary_code": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "edit_type": pa.uint8(),
        "add_on_deleted_on": pa.date32(),
        "primary_deleted_on": pa.date32(),
        "note": pa.string(),
        "settings": pa.string(),
    }
    cells = [
        (
            r["add_on_code"],
            r["primary_code"],
            day(r.get("effective_from")),
            day(r.get("effective_to")),
            int(r["edit_type"]),
            None,
            None,
            r.get("note", ""),
            ",".join(r.get("settings") or []),
        )
        for r in rows
    ]
    return {"edits": table(cells, columns)}


def procedure_codes(rows: Sequence[Row]) -> Mapping[str, pa.Table]:
    columns = {
        "procedure_code": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "title": pa.string(),
    }
    cells = [(r["procedure_code"], day(r.get("effective_from")), day(r.get("effective_to")), "") for r in rows]
    return {"codes": table(cells, columns)}


def diagnosis_codes(rows: Sequence[Row]) -> Mapping[str, pa.Table]:
    columns = {
        "icd10_code": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "billable": pa.bool_(),
        "title": pa.string(),
    }
    cells = [
        (
            r["icd10_code"].replace(".", ""),
            day(r.get("effective_from")),
            day(r.get("effective_to")),
            bool(r["billable"]),
            "",
        )
        for r in rows
    ]
    return {"codes": table(cells, columns)}


def fee_schedule(rows: Sequence[Row]) -> Mapping[str, pa.Table]:
    """A case states some indicators of a code's global row; the others are empty."""
    columns = {name: pa.string() for name in ("procedure_code", "modifier", *Indicators._fields)}
    cells = [
        (
            r["procedure_code"],
            r.get("modifier", ""),
            *(str(r.get(name, r.get(f"{name}_indicator", ""))) for name in Indicators._fields),
        )
        for r in rows
    ]
    return {"indicators": table(cells, columns)}


TABLES: dict[str, tuple[str, Callable[[Sequence[Row]], Mapping[str, pa.Table]]]] = {
    "medicare-ptp-practitioner": ("ptp", ptp),
    "medicare-ptp-outpatient-hospital": ("ptp", ptp),
    "medicaid-ptp-practitioner": ("ptp", ptp),
    "medicaid-ptp-outpatient-hospital": ("ptp", ptp),
    "medicaid-ptp-dme": ("ptp", ptp),
    "medicare-mue-practitioner": ("mue", mue),
    "medicare-mue-outpatient-hospital": ("mue", mue),
    "medicare-mue-dme": ("mue", mue),
    "medicaid-mue-practitioner": ("mue", mue),
    "medicaid-mue-outpatient-hospital": ("mue", mue),
    "medicaid-mue-dme": ("mue", mue),
    "medicare-aoc": ("aoc", add_on),
    "medicaid-aoc": ("aoc", add_on),
    "procedure-codes": ("procedure-codes", procedure_codes),
    "icd10cm": ("icd10", diagnosis_codes),
    "medicare-pfs-indicators": ("pfs", fee_schedule),
    "medicare-coverage": ("coverage", coverage_tables_from_cases),
}
"""How the rows of each rule set become tables: the kind of its revisions, and the builder."""
