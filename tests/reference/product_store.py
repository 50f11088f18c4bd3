"""The revisions of the reference as a store of the product, so that both judge the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from reference_tables import Revision, Row

from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[2] / "rules"
_WORD = pa.dictionary(pa.int32(), pa.string())
_INDICATORS = (
    "procedure_code modifier status pctc global_days multiple_procedure bilateral assistant co_surgeon team_surgeon"
)
COLUMNS: dict[str, tuple[str, dict[str, pa.DataType]]] = {
    "ptp": (
        "edits",
        {
            "column_1": _WORD,
            "column_2": _WORD,
            "effective_from": pa.date32(),
            "effective_to": pa.date32(),
            "modifier_indicator": pa.uint8(),
            "in_existence_prior_to_1996": pa.bool_(),
            "rationale": _WORD,
        },
    ),
    "mue": (
        "values",
        {
            "procedure_code": pa.string(),
            "value": pa.int32(),
            "mai": pa.uint8(),
            "rationale": pa.string(),
            "confidential": pa.bool_(),
        },
    ),
    "aoc": (
        "edits",
        {
            "add_on_code": pa.string(),
            "primary_code": pa.string(),
            "effective_from": pa.date32(),
            "effective_to": pa.date32(),
            "edit_type": pa.uint8(),
            "add_on_deleted_on": pa.date32(),
            "primary_deleted_on": pa.date32(),
            "note": pa.string(),
            "settings": pa.string(),
        },
    ),
    "pfs": ("indicators", {name: pa.string() for name in _INDICATORS.split()}),
}


def ptp_cells(row: Row) -> Row:
    return {
        **row,
        "modifier_indicator": int(row["modifier_indicator"]),
        "in_existence_prior_to_1996": False,
        "rationale": "",
    }


def mue_cells(row: Row) -> Row:
    return {**row, "mai": int(row["mai"] or 0), "rationale": "", "confidential": False}


def aoc_cells(row: Row) -> Row:
    return {**row, "edit_type": int(row["edit_type"]), "note": "", "settings": ",".join(row["settings"])}


def pfs_cells(row: Row) -> Row:
    blank = dict.fromkeys(_INDICATORS.split(), "")
    return {**blank, **row, "bilateral": row["bilateral_indicator"], "status": "A"}


CELLS: Mapping[str, Callable[[Row], Row]] = {"ptp": ptp_cells, "mue": mue_cells, "aoc": aoc_cells, "pfs": pfs_cells}


def build_store(directory: Path, revisions: list[Revision]) -> Store:
    """A store whose active release holds these revisions and the shipped conventions."""
    store = Store.open(directory, create=True)
    drafts = [draft(revision) for revision in revisions if revision.rule_set != "duplicates"]
    drafts += [compile_table_rules(RULES / "ncci-conventions"), compile_table_rules(RULES / "duplicates")]
    release = store.create_release([store.add_revision(made)[0].id for made in drafts])
    store.activate(release.id, "reference")
    return store


def draft(revision: Revision) -> RevisionDraft:
    kind = next(kind for kind in COLUMNS if f"-{kind}" in revision.rule_set)
    name, columns = COLUMNS[kind]
    rows = [{**CELLS[kind](row), "source": 0, "source_row": n} for n, row in enumerate(revision.rows, 1)]
    keys = [*columns, "source", "source_row"]
    rows.sort(key=lambda row: [(row[key] is not None, row[key] if row[key] is not None else 0) for key in keys])
    schema = pa.schema([*columns.items(), ("source", pa.uint16()), ("source_row", pa.uint32())])
    cells: dict[str, list[Any]] = {key: [row[key] for row in rows] for key in keys}
    table = pa.table({key: pa.array(cells[key], schema.field(key).type) for key in keys}, schema=schema)
    digest = hashlib.sha256(f"{revision.rule_set} {revision.label} {cells}".encode()).hexdigest()
    header = RevisionHeader(
        rule_set=revision.rule_set,
        kind=kind,
        label=revision.label,
        effective_from=parse_day(revision.effective_from.isoformat()),
        effective_to=parse_day(revision.effective_to.isoformat()) if revision.effective_to else FOREVER,
        published_on=parse_day(revision.published_on.isoformat()),
        sources=(Source("made.txt", digest, len(rows), len(rows), "utf-8"),),
    )
    return RevisionDraft(header, {name: table}, read=len(rows), kept=len(rows))
