"""Medicare Coverage Database exports of articles and LCDs, as published (file-formats.md §7; semantics.md §D.2).

Rows are joined on id and version. Proposed documents are dropped and counted; what refers to a version that the export
does not hold is rejected. Documents whose base table is not in the export keep unknown dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from claimedits.model.dates import Day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.coverage.paragraphs import hash_paragraph
from claimedits.rulesets.coverage.readings import ListKind
from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger, Row, read_dates
from claimedits.rulesets.imports.coverage.jurisdictions import Jurisdictions, read_jurisdictions

Key = tuple[str, str]
PROCEDURE = re.compile(r"[0-9A-Z]{5}")
DIAGNOSIS = re.compile(r"[A-TV-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
SENTINEL = re.compile(r"XX?0+")
"""``XX000`` stands for "no code": the list is not applicable, or stands for every code not listed."""


@dataclass(frozen=True)
class Layout:
    """Where articles and LCDs differ."""

    prefix: str
    letter: str
    document_type: str
    starts: tuple[str, ...]
    """Columns of the day a version takes effect, the first filled one counts."""
    ends: tuple[str, ...]
    replaced: str
    """Column that says when a later version takes over."""
    original: str
    url: str


ARTICLE = Layout(
    "article",
    "A",
    "ARTICLE",
    ("article_eff_date",),
    ("article_end_date", "date_retired"),
    "article_rev_end_date",
    "",
    "https://www.cms.gov/medicare-coverage-database/view/article.aspx?articleid={id}&ver={version}",
)
LCD = Layout(
    "lcd",
    "L",
    "LCD",
    ("rev_eff_date", "orig_det_eff_date"),
    ("ent_det_end_date", "date_retired"),
    "rev_end_date",
    "orig_det_eff_date",
    "https://www.cms.gov/medicare-coverage-database/view/lcd.aspx?lcdid={id}&ver={version}",
)


@dataclass
class Export:
    """The rows of one export, by table of ``coverage.tables``."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def add(self, table: str, *row: Any) -> None:
        self.rows.setdefault(table, []).append(row)


@dataclass
class _Reader:
    layout: Layout
    tables: Mapping[str, CsvTable]
    ledger: Ledger
    documents: dict[Key, str] = field(default_factory=dict)
    """Key → ``enforced``, ``proposed`` or ``rejected``."""
    seen: dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]] = field(default_factory=dict)
    """Table and key of a row → its record, and what it says."""
    export: Export = field(default_factory=Export)

    def key(self, row: Row) -> Key:
        return f"{self.layout.letter}{row.cells[0]}", row.cells[1]

    def admits(self, row: Row) -> bool:
        """Whether a row belongs to an enforced document and version of the export; says why not."""
        key = self.key(row)
        standing = self.documents.get(key)
        if standing == "enforced":
            self.ledger.kept += 1
            return True
        if standing is not None:
            self.ledger.drop(f"rows of {standing} documents")
        else:
            what = f"belongs to {key[0]} version {key[1]}, which the export does not hold"
            self.ledger.reject(row.where, what, "import the export that holds that version", "E_VERSION_UNKNOWN")
        return False

    def is_new(self, table: str, row: Row, key: tuple[Any, ...], *content: Any) -> bool:
        """Whether an admitted row stands for the first time; a copy is dropped, a contradiction rejected."""
        record, said = self.seen.setdefault((table, *self.key(row), *key), (row.number, content))
        if record == row.number:
            return True
        self.ledger.kept -= 1
        if said == content:
            self.ledger.drop("identical copies")
        else:
            what = f"has the key of record {record} and says something else"
            self.ledger.reject(row.where, what, "keep one of the two rows", "E_KEY_TWICE")
        return False


def read_export(layout: Layout, tables: Mapping[str, CsvTable], ledger: Ledger) -> Export:
    """Every table of an export that edits need.

    Raises:
        ImportRefusedError: a table lacks a column, a document stands in two versions, or no document is there at all.
    """
    reader = _Reader(layout, tables, ledger)
    problems: list[Problem] = []
    for read in (
        _read_documents,
        _read_codes,
        _read_groups,
        _read_covered,
        _read_non_covered,
        _read_limits,
        _read_where,
    ):
        try:
            read(reader)
        except ImportRefusedError as error:  # what is wrong with the other tables is told too
            problems += error.problems
    if problems:
        raise ImportRefusedError(list(dict.fromkeys(problems)), "nothing was kept")
    return reader.export


def _read_covered(reader: _Reader) -> None:
    _read_diagnoses(reader, ListKind.COVERED)


def _read_non_covered(reader: _Reader) -> None:
    _read_diagnoses(reader, ListKind.NON_COVERED)


def _read_where(reader: _Reader) -> None:
    _read_contractors(reader, read_jurisdictions(reader.tables, reader.ledger))


def _read_documents(reader: _Reader) -> None:
    layout, ledger = reader.layout, reader.ledger
    base = reader.tables.get(layout.prefix)
    if base is None:
        _documents_without_dates(reader)
        return
    retires = _read_future_retirements(reader)
    ends = (*layout.ends, layout.replaced)
    columns = ("title", "display_id", "status", *layout.starts, *ends)
    identity = (f"{layout.prefix}_id", f"{layout.prefix}_version")
    versions: dict[str, str] = {}
    twice: list[Problem] = []
    for row in base.rows(identity, columns):
        key = reader.key(row)
        title, display_id, status, *dates = row.cells[2:]
        if key[0] in versions:
            what = f"{key[0]} stands in versions {versions[key[0]]} and {key[1]}; an export holds one version of each"
            twice.append(Problem(row.where, what, "give one export at a time", "E_VERSIONS"))
            continue
        versions[key[0]] = key[1]
        if display_id or status.upper() == "P":
            reader.documents[key] = "proposed"
            ledger.drop("proposed documents")
            continue
        days = read_dates(row, dict(zip((*layout.starts, *ends), dates, strict=True)), ledger)
        if days is None:
            reader.documents[key] = "rejected"
            continue
        starts, stops = days[: len(layout.starts)], days[len(layout.starts) :]
        if key[0] in retires:
            stops.insert(0, retires[key[0]])
        _add_document(reader, row, key, title, next((d for d in starts if d is not None), None), stops)
    if twice:
        raise ImportRefusedError(twice, "nothing was kept")


def _add_document(reader: _Reader, row: Row, key: Key, title: str, start: Day | None, stops: list[Day | None]) -> None:
    layout = reader.layout
    known = [day for day in stops if day is not None]
    end = min(known, default=None)
    if start is None:
        reader.ledger.warn(row.where, f"{key[0]} version {key[1]} has no effective date; its lines are not evaluated")
    if start is not None and end is not None and end < start:
        reader.ledger.warn(row.where, f"{key[0]} version {key[1]} ends before it takes effect; it governs no day")
    reader.documents[key] = "enforced"
    reader.ledger.kept += 1
    replaced = stops[-1] is not None and stops[-1] == end
    url = layout.url.format(id=key[0][1:], version=key[1])
    reader.export.add(
        "documents", *key, layout.document_type, title, start, end, None, replaced, False, "", url, *row.place
    )


def _documents_without_dates(reader: _Reader) -> None:
    """The base table is not in the export: documents are known by their rows alone."""
    prefix = reader.layout.prefix
    found: dict[Key, Row] = {}
    for name in (f"{prefix}_x_hcpc_code", f"{prefix}_x_contractor"):
        if name in reader.tables:
            for row in reader.tables[name].peek((f"{prefix}_id", f"{prefix}_version")):
                found.setdefault(reader.key(row), row)
    if not found:
        raise ImportRefusedError(
            [
                Problem(
                    f"{prefix}.csv",
                    "is missing, and no table names a document",
                    "give the export as published",
                    "E_TABLE_MISSING",
                )
            ]
        )
    reader.ledger.warn(
        f"{prefix}.csv", f"is not in the export: the dates of {len(found)} documents are unknown, their lines are not evaluated",
        f"import an export with {prefix}.csv", "W_NO_DATES",
    )  # fmt: skip
    for key, row in sorted(found.items()):
        reader.documents[key] = "enforced"
        url = reader.layout.url.format(id=key[0][1:], version=key[1])
        reader.export.add(
            "documents", *key, reader.layout.document_type, "", None, None, None, False, False, "", url, *row.place
        )


def _read_future_retirements(reader: _Reader) -> dict[str, Day]:
    table = reader.tables.get(f"{reader.layout.prefix}_future_retire")
    found: dict[str, Day] = {}
    if table is not None:
        for row in table.rows((f"{reader.layout.prefix}_id", "retire_dt")):
            days = read_dates(row, {"retire_dt": row.cells[1]}, reader.ledger)
            if days is None:
                continue
            if days[0] is not None:
                found[f"{reader.layout.letter}{row.cells[0]}"] = days[0]
            reader.ledger.kept += 1
    return found


def _read_codes(reader: _Reader) -> None:
    prefix = reader.layout.prefix
    table = reader.tables.get(f"{prefix}_x_hcpc_code")
    if table is None:
        return
    for row in table.rows((f"{prefix}_id", f"{prefix}_version", "hcpc_code_id", "hcpc_code_group")):
        code = row.cells[2].upper()
        if not PROCEDURE.fullmatch(code):
            what = "is no procedure code of five letters and digits"
            reader.ledger.reject(f"{row.where}:hcpc_code_id", what, "a leading zero may be lost", "E_CODE")
        elif (number := _number(reader, row, row.cells[3], "hcpc_code_group")) is not None and reader.admits(row):
            if reader.is_new("procedure_codes", row, (number, code)):
                reader.export.add("procedure_codes", *reader.key(row), number, code, *row.place)


def _read_groups(reader: _Reader) -> None:
    prefix = reader.layout.prefix
    for kind, name, column in (
        (ListKind.PROCEDURE, "hcpc_code_group", "hcpc_code_group"),
        (ListKind.COVERED, "icd10_covered_group", "icd10_covered_group"),
        (ListKind.NON_COVERED, "icd10_noncovered_group", "icd10_noncovered_group"),
    ):
        table = reader.tables.get(f"{prefix}_x_{name}")
        if table is None:
            continue
        for row in table.rows((f"{prefix}_id", f"{prefix}_version", column, "paragraph"), ("icd10_covered_ast",)):
            _, _, text, paragraph, asterisk = row.cells
            number = _number(reader, row, text, column)
            if number is None or not reader.admits(row):
                continue
            if reader.is_new("groups", row, (kind, number), paragraph, asterisk):
                reader.export.add(
                    "groups", *reader.key(row), kind.value, number, "", "", "",
                    paragraph, hash_paragraph(paragraph), asterisk, *row.place,
                )  # fmt: skip


def _read_diagnoses(reader: _Reader, kind: ListKind) -> None:
    prefix = reader.layout.prefix
    name = "icd10_covered" if kind is ListKind.COVERED else "icd10_noncovered"
    table = reader.tables.get(f"{prefix}_x_{name}")
    if table is None:
        return
    for row in table.rows((f"{prefix}_id", f"{prefix}_version", "icd10_code_id", f"{name}_group"), ("asterisk",)):
        code = row.cells[2].upper()
        if SENTINEL.fullmatch(code):
            reader.ledger.drop("codes that stand for no code (XX000)")
        elif not DIAGNOSIS.fullmatch(code):
            reader.ledger.reject(f"{row.where}:icd10_code_id", "is no ICD-10-CM code", "report it", "E_DIAGNOSIS")
        elif (number := _number(reader, row, row.cells[3], f"{name}_group")) is not None and reader.admits(row):
            starred = row.cells[4].upper() in ("Y", "TRUE", "1", "*")
            plain = code.replace(".", "")
            if reader.is_new("diagnoses", row, (kind, number, plain, starred)):
                reader.export.add("diagnoses", *reader.key(row), kind.value, number, plain, starred, *row.place)


def _read_limits(reader: _Reader) -> None:
    """Modifiers, bill types and revenue codes: for look-up; no edit is made of them."""
    prefix = reader.layout.prefix
    for kind, name, code, group in (
        ("modifier", "hcpc_modifier", "hcpc_modifier_code_id", "hcpc_modifier_group"),
        ("bill_type", "bill_code", "bill_code_id", ""),
        ("revenue_code", "revenue_code", "revenue_code_id", ""),
    ):
        table = reader.tables.get(f"{prefix}_x_{name}")
        if table is None:
            continue
        candidates = [
            c for c in table.columns if c.endswith(("_code_id", "modifier_id", "_code")) and "version" not in c
        ]
        chosen = code if code in table.columns else next(iter(candidates), code)
        for row in table.rows((f"{prefix}_id", f"{prefix}_version", chosen), (group or "group", "paragraph")):
            if reader.admits(row):
                number = int(row.cells[3]) if row.cells[3].isdigit() else 0
                reader.export.add("limits", *reader.key(row), kind, number, row.cells[2], row.cells[4], *row.place)


def _read_contractors(reader: _Reader, jurisdictions: Jurisdictions) -> None:
    """§D.2, step 4: with more than one contractor their jurisdictions count, with exactly one the document's own."""
    prefix = reader.layout.prefix
    table = reader.tables.get(f"{prefix}_x_contractor")
    linked: dict[Key, list[tuple[Row, tuple[str, str, str]]]] = {}
    if table is not None:
        names = (f"{prefix}_id", f"{prefix}_version", "contractor_id", "contractor_type_id", "contractor_version")
        for row in table.rows(names):
            if reader.admits(row):
                linked.setdefault(reader.key(row), []).append((row, (row.cells[2], row.cells[3], row.cells[4])))
    primary = _read_primary(reader, jurisdictions)
    for key, links in sorted(linked.items()):
        if len(links) == 1 and key in primary:
            row, contractor = links[0]
            number = jurisdictions.number(contractor)
            for state, place in primary[key]:
                reader.export.add("jurisdictions", *key, number, contractor[0], state, None, None, *place)
            continue
        for row, contractor in links:
            if not jurisdictions.knows(contractor):
                what = f"names contractor {'/'.join(contractor)}, which the export does not hold"
                reader.ledger.kept -= 1
                reader.ledger.reject(row.where, what, "report it to the publisher", "E_CONTRACTOR_UNKNOWN")
                continue
            number = jurisdictions.number(contractor)
            windows = jurisdictions.states(contractor) or [("", None, None)]
            for state, first, last in windows:
                reader.export.add("jurisdictions", *key, number, contractor[0], state, first, last, *row.place)
    _set_claim_kinds(reader, linked, jurisdictions)


def _read_primary(reader: _Reader, jurisdictions: Jurisdictions) -> dict[Key, list[tuple[str, tuple[int, int]]]]:
    prefix = reader.layout.prefix
    table = reader.tables.get(f"{prefix}_x_primary_jurisdiction")
    found: dict[Key, list[tuple[str, tuple[int, int]]]] = {}
    if table is not None:
        for row in table.rows((f"{prefix}_id", f"{prefix}_version", "state_id")):
            state = jurisdictions.state(row.cells[2])
            if not state:
                what = f"names state {row.cells[2]}, which the export does not hold"
                reader.ledger.reject(row.where, what, "report it to the publisher", "E_STATE_UNKNOWN")
            elif reader.admits(row):
                found.setdefault(reader.key(row), []).append((state, row.place))
    return found


def _set_claim_kinds(
    reader: _Reader, linked: Mapping[Key, list[tuple[Row, tuple[str, str, str]]]], jurisdictions: Jurisdictions
) -> None:
    """DME contractors see the claims of DME suppliers and no others."""
    rows = reader.export.rows.get("documents", [])
    for i, row in enumerate(rows):
        contractors = [contractor for _, contractor in linked.get((row[0], row[1]), ())]
        if contractors:
            dme = {jurisdictions.is_dme(contractor) for contractor in contractors}
            kind = "" if len(dme) > 1 else "dme" if True in dme else "part-a-b"
            rows[i] = (*row[:9], kind, *row[10:])


def _number(reader: _Reader, row: Row, text: str, column: str) -> int | None:
    """The number of a group; None, and a reject, where it is none."""
    if text.isascii() and text.isdigit():
        return int(text)
    reader.ledger.reject(f"{row.where}:{column}", "is no number of a group", "restore it as published", "E_GROUP")
    return None
