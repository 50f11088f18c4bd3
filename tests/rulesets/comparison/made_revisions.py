"""Made-up revisions from rows as dictionaries: days as text, everything else as the tables hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, RevisionInfo, Source

WORD = pa.dictionary(pa.int32(), pa.string())
PLACE = {"source": pa.uint16(), "source_row": pa.uint32()}
COLUMNS: Mapping[str, Mapping[str, Mapping[str, pa.DataType]]] = {
    "ptp": {
        "edits": {
            "column_1": WORD,
            "column_2": WORD,
            "effective_from": pa.date32(),
            "effective_to": pa.date32(),
            "modifier_indicator": pa.uint8(),
            "in_existence_prior_to_1996": pa.bool_(),
            "rationale": WORD,
        }
    },
    "mue": {
        "values": {
            "procedure_code": pa.string(),
            "value": pa.int32(),
            "mai": pa.uint8(),
            "rationale": pa.string(),
            "confidential": pa.bool_(),
        }
    },
    "aoc": {
        "edits": {
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
    },
    "pfs": {
        "indicators": dict.fromkeys(
            (
                "procedure_code", "modifier", "status", "pctc", "global_days", "multiple_procedure", "bilateral", "assistant",
                "co_surgeon", "team_surgeon",
            ),
            pa.string(),
        )
    },
    "procedure-codes": {
        "codes": {
            "procedure_code": pa.string(),
            "effective_from": pa.date32(),
            "effective_to": pa.date32(),
            "title": pa.string(),
        }
    },
    "modifiers": {
        "modifiers": {
            "modifier": pa.string(),
            "effective_from": pa.date32(),
            "effective_to": pa.date32(),
            "title": pa.string(),
        }
    },
    "icd10": {
        "codes": {
            "icd10_code": pa.string(),
            "billable": pa.bool_(),
            "effective_from": pa.date32(),
            "effective_to": pa.date32(),
            "title": pa.string(),
        }
    },
}  # fmt: skip
DEFAULTS: Mapping[str, Any] = {
    "effective_from": "2020-01-01",
    "effective_to": "",
    "modifier_indicator": 1,
    "in_existence_prior_to_1996": False,
    "rationale": "",
    "confidential": False,
    "mai": 2,
    "value": 1,
    "edit_type": 1,
    "add_on_deleted_on": "",
    "primary_deleted_on": "",
    "billable": True,
}
Rows = Sequence[Mapping[str, Any]]


def table_of(columns: Mapping[str, pa.DataType], rows: Rows) -> pa.Table:
    """Rows in the order given, numbered from 2 as a file with a header."""
    cells = [{**row, "source": 0, "source_row": row.get("source_row", n)} for n, row in enumerate(rows, 2)]
    schema = {**columns, **PLACE}
    return pa.table({name: pa.array([_cell(name, row, kind) for row in cells], kind) for name, kind in schema.items()})


def _cell(name: str, row: Mapping[str, Any], kind: pa.DataType) -> Any:
    cell = row.get(name, DEFAULTS.get(name, ""))
    return (parse_day(cell) if cell else None) if kind == pa.date32() else cell


def ptp(pair: str, **parts: Any) -> dict[str, Any]:
    """``A0001+A0002`` and what differs from an edit since 2020, indicator 1."""
    column_1, column_2 = pair.split("+")
    return {"column_1": column_1, "column_2": column_2, **parts}


def mue(code: str, value: int = 1, **parts: Any) -> dict[str, Any]:
    return {"procedure_code": code, "value": value, **parts}


def header(
    rule_set: str, kind: str, label: str, period: str = "2024-07-01..2024-09-30", published_on: str = "", **parts: Any
) -> RevisionHeader:
    first, _, last = period.partition("..")
    return RevisionHeader(
        rule_set=rule_set,
        kind=kind,
        label=label,
        effective_from=parse_day(first),
        effective_to=parse_day(last) if last else FOREVER,
        published_on=parse_day(published_on or first),
        sources=(Source(f"{label}.txt", label.encode().hex().ljust(64, "0")[:64], 1, 1, "utf-8"),),
        attributes=parts,
    )


def draft(head: RevisionHeader, rows: Rows) -> RevisionDraft:
    """The revision of a kind with one table."""
    ((name, columns),) = COLUMNS[head.kind].items()
    return RevisionDraft(head, {name: table_of(columns, rows)}, len(rows), len(rows))


def opened(head: RevisionHeader, rows: Rows, number: int = 0) -> tuple[RevisionInfo, dict[str, pa.Table]]:
    """A revision as the store would open it, without a store."""
    made = draft(head, rows)
    counts = {name: table.num_rows for name, table in made.tables.items()}
    return RevisionInfo(f"sha256:{number:064d}", head, counts, made.read, 0, 0), dict(made.tables)
