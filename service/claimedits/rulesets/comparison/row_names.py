"""Which columns name a row, which tell its days, and which decide nothing: for every table of every kind of rule set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
import pyarrow as pa

PLACE = ("source", "source_row")
"""Where a row stood in the publisher's file. Rows are compared without it, so that their order is no difference."""


@dataclass(slots=True, frozen=True)
class RowNames:
    """How rows of one table are recognised in another edition of it."""

    fixed: tuple[str, ...]
    """Columns that name what a row is about: the pair, the code, the document."""
    moving: tuple[str, ...] = ()
    """Columns that tell several rows about one thing apart, and may themselves change: the first day, the version."""
    first_day: str = ""
    """Column of the first day; empty = rows of the table have no days of their own."""
    last_days: tuple[str, ...] = ()
    """Columns of last days, inclusive; the earliest counts."""
    describing: tuple[str, ...] = ()
    """Columns that explain a row and decide nothing."""

    @property
    def key(self) -> tuple[str, ...]:
        return (*self.fixed, *self.moving)


_FROM, _TO = ("effective_from",), ("effective_to",)


def _dated(*fixed: str, describing: tuple[str, ...] = ("authority",)) -> RowNames:
    return RowNames(fixed, _FROM, "effective_from", _TO, describing)


def _in_document(*fixed: str) -> RowNames:
    return RowNames(("document_id", *fixed), ("document_version",))


_SWITCHES = _dated("name", describing=("authority", "allowed"))
_NAMES: Mapping[tuple[str, str], RowNames] = {
    ("ptp", "edits"): _dated("column_1", "column_2", describing=("rationale", "in_existence_prior_to_1996")),
    ("mue", "values"): RowNames(("procedure_code",), describing=("rationale",)),
    ("aoc", "edits"): RowNames(
        ("add_on_code", "primary_code"), _FROM, "effective_from", ("effective_to", "add_on_deleted_on", "primary_deleted_on")
    ),
    ("pfs", "indicators"): RowNames(("procedure_code", "modifier")),
    ("procedure-codes", "codes"): _dated("procedure_code", describing=("title",)),
    ("modifiers", "modifiers"): _dated("modifier", describing=("title",)),
    ("icd10", "codes"): _dated("icd10_code", describing=("title",)),
    ("place-of-service", "codes"): _dated("place_of_service", describing=("title",)),
    ("adjustment-codes", "codes"): _dated("category", "adjustment_code", describing=("title",)),
    ("conventions", "switches"): _SWITCHES,
    ("conventions", "ptp-modifier-positions"): _dated("modifiers", "program", "settings", "pairs"),
    ("conventions", "code-families"): _dated("family", "first", "last"),
    ("conventions", "modifier-families"): _dated("family", "modifiers"),
    ("conventions", "modifier-sides"): RowNames(("modifiers",), describing=("authority",)),
    ("conventions", "adjustments"): _dated("name"),
    ("conventions", "aoc-notes"): _dated("note", "code"),
    ("conventions", "aoc-payer-primaries"): _dated("add_on_code", "primary_code"),
    ("duplicates", "switches"): _SWITCHES,
    ("duplicates", "distinguishing-modifiers"): _dated("modifiers"),
    ("code-edits", "age-sex"): _dated("kind", "from_code", "to_code", "sex"),
    ("code-edits", "diagnosis-sequence"): _dated("from_code", "to_code", "reason"),
    ("authored", "rules"): _dated("rule_id", describing=("authority", "title", "url")),
    ("authored", "lists"): _dated("list", "first", "last"),
    ("authored", "switches"): _SWITCHES,
    ("coverage", "documents"): RowNames(
        ("document_id",), ("document_version",), "effective_from", _TO, describing=("title", "url")
    ),
    ("coverage", "procedure_codes"): _in_document("group_number", "procedure_code"),
    ("coverage", "groups"): _in_document("list", "group_number"),
    ("coverage", "diagnoses"): _in_document("list", "group_number", "icd10_code"),
    ("coverage", "jurisdictions"): _in_document("contractor_number", "contractor_id", "state"),
    ("coverage", "limits"): _in_document("kind", "group_number", "code"),
    ("coverage", "roles"): _in_document("list", "group_number"),
    ("value-sets", "value_sets"): RowNames(("category", "determination", "value_set", "system", "code")),
}  # fmt: skip


def row_names(kind: str, table: str, columns: tuple[str, ...]) -> RowNames:
    """How rows of a table are named. A table of a kind not known here is named by all its columns: then nothing is changed,
    only added and removed."""
    names = _NAMES.get((kind, table))
    if kind == "icd10" and names is not None and not set(_FROM + _TO) & set(columns):
        names = RowNames(names.fixed, describing=names.describing)  # compared without the days of their edition
    if names is None or not set(names.key) <= set(columns):
        return RowNames(tuple(name for name in columns if name not in PLACE))
    return names


def comparable_tables(kind: str, name: str, tables: Sequence[pa.Table | None]) -> list[pa.Table | None]:
    """Editions of a table as they are compared: rules that people write are taken apart into their fields, every other table
    is as it is. A field that one edition's rules lack is empty there."""
    if (kind, name) != ("authored", "rules"):
        return list(tables)
    forms = [
        [orjson.loads(text) for text in table["rule"].to_pylist()] if table is not None else [] for table in tables
    ]
    fields = sorted({field for side in forms for form in side for field in form} - {"id", "effective_from", "stratum"})
    return [_with_fields(table, side, fields) for table, side in zip(tables, forms, strict=True)]


def _with_fields(table: pa.Table | None, forms: Sequence[dict[str, object]], fields: Sequence[str]) -> pa.Table | None:
    if table is None:
        return None
    plain = table.drop_columns(["rule"])
    for field in fields:
        plain = plain.append_column(field, pa.array([_as_text(form.get(field)) for form in forms], pa.string()))
    return plain


def _as_text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
