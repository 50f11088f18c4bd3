"""Routes files of ``claim-edits import coverage`` to their readers and makes drafts of revisions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pyarrow as pa

from claimedits.model.dates import FOREVER, Day, format_day, parse_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.coverage.doubts import report_doubts
from claimedits.rulesets.coverage.tables import SCHEMAS, VALUE_SETS, build_table
from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger
from claimedits.rulesets.imports.coverage.document_list import read_document_list
from claimedits.rulesets.imports.coverage.laboratory import COLUMNS as LABORATORY_COLUMNS
from claimedits.rulesets.imports.coverage.laboratory import read_laboratory_lists
from claimedits.rulesets.imports.coverage.mcd import ARTICLE, LCD, Export, read_export
from claimedits.rulesets.imports.coverage.ncd import read_determinations
from claimedits.rulesets.imports.coverage.value_sets import COLUMNS as VALUE_SET_COLUMNS
from claimedits.rulesets.imports.coverage.value_sets import read_value_sets
from claimedits.rulesets.imports.finishing import refuse_many_rejects
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import head_of
from claimedits.rulesets.imports.recognition import recognise
from claimedits.rulesets.revision import DROPPED, LEFT_UNREAD, RevisionDraft, RevisionHeader
from claimedits.rulesets.sources.files import Limits, SourceFile

RULE_SET = "medicare-coverage"
AUTHORITY = "Medicare Coverage Database; IOM 100-08 ch. 13"
URL = "https://www.cms.gov/medicare-coverage-database"
NEVER_READ = re.compile(r"draft_contact_lookup", re.IGNORECASE)
"""Names and e-mail addresses of people (file-formats.md §7)."""
READ = re.compile(
    r"^(?:article|lcd)(?:_x_(?:hcpc_code|hcpc_code_group|icd10_(?:non)?covered(?:_group)?|hcpc_modifier|hcpc_modifier_group"
    r"|revenue_code|bill_code|contractor|primary_jurisdiction)|_future_retire)?$"
    r"|^contractor(?:_jurisdiction)?$|^state_lookup$|^ncd_trkg$"
)
"""Tables of an export that edits need; the others are left unread."""


def import_coverage(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft for each export, list or value set among ``files``.

    Raises:
        ImportRefusedError: with every problem found; nothing is to be kept.
    """
    drafts: list[RevisionDraft] = []
    problems: list[Problem] = []
    headlines: list[str] = []
    for group in _group_files(files):
        try:
            drafts += _import_group(group, options)
        except ImportRefusedError as error:
            problems += error.problems
            headlines += [error.headline] if error.headline else []
    if problems:
        raise ImportRefusedError(problems, "; ".join(headlines) or "nothing was kept")
    return drafts


def _group_files(files: Sequence[SourceFile]) -> list[list[SourceFile]]:
    """Tables of one archive belong together; so do bare tables of an export; other files stand alone."""
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        if NEVER_READ.search(file.name):
            continue
        is_export = READ.match(_stem(file)) is not None or "_x_" in file.name
        archive = file.archive.split("/")[0]
        groups.setdefault(archive or ("" if is_export else file.name), []).append(file)
    return list(groups.values())


def _stem(file: SourceFile) -> str:
    return PurePosixPath(file.name.lower()).stem


def _import_group(files: list[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    names = {_stem(file): file for file in files}
    limits = Limits(options.max_unpacked_bytes)
    for layout in (ARTICLE, LCD):
        if any(name == layout.prefix or name.startswith(f"{layout.prefix}_x_") for name in names):
            ledger = Ledger()
            tables = _open_tables({n: f for n, f in sorted(names.items()) if READ.match(n)}, limits, ledger)
            export = read_export(layout, tables, ledger)
            return [_draft(files, f"mcd-{layout.prefix}", _coverage_tables(export), ledger, options)]
    if "ncd_trkg" in names:
        ledger = Ledger()
        export = read_determinations(CsvTable(names["ncd_trkg"], limits, ledger), ledger)
        return [_draft(files, "mcd-ncd", _coverage_tables(export), ledger, options)]
    singles = [file for file in files if _is_table(file)]
    excerpts = [file for file in files if not _is_table(file)]
    return [_import_single(file, excerpts, limits, options) for file in singles] or _refuse(files)


def _open_tables(files: Mapping[str, SourceFile], limits: Limits, ledger: Ledger) -> dict[str, CsvTable]:
    """The tables of one export by name.

    Raises:
        ImportRefusedError: with every one that is empty, damaged or no CSV.
    """
    tables: dict[str, CsvTable] = {}
    problems: list[Problem] = []
    for name, file in files.items():
        try:
            tables[name] = CsvTable(file, limits, ledger)
        except ImportRefusedError as error:
            problems += error.problems
    if problems:
        raise ImportRefusedError(problems, "nothing was kept")
    return tables


def _is_table(file: SourceFile) -> bool:
    return ".excerpt" not in file.name and file.name.lower().endswith(".csv")


def _refuse(files: list[SourceFile]) -> list[RevisionDraft]:
    raise ImportRefusedError([_unknown(file) for file in files])


def _unknown(file: SourceFile) -> Problem:
    mend = "give an export of the Medicare Coverage Database as published, a laboratory list (rules/lab-ncd/README.md) or a value set"
    guess = recognise(head_of(file), file.name, "coverage")
    return Problem(file.where, "is no table of coverage that this import knows", guess or mend, "E_NOT_COVERAGE")


def _import_single(file: SourceFile, beside: list[SourceFile], limits: Limits, options: ImportOptions) -> RevisionDraft:
    """The one table of ``file``; the files beside it in its archive are named as left unread."""
    ledger = Ledger()
    table = CsvTable(file, limits, ledger)
    columns = set(table.columns)
    if columns >= set(LABORATORY_COLUMNS):
        return _draft(
            [file, *beside], "laboratory-ncd", _coverage_tables(read_laboratory_lists(table, ledger)), ledger, options
        )
    if columns >= set(VALUE_SET_COLUMNS):
        tables = {"value_sets": build_table(VALUE_SETS, read_value_sets(table, ledger))}
        return _draft([file, *beside], "value-sets", tables, ledger, options, "coverage-value-sets", "value-sets")
    if {"document_id", "document_display_id", "document_version", "document_type"} <= columns:
        export = read_document_list(table, ledger)
        return _draft([file, *beside], "documents", _coverage_tables(export), ledger, options, "coverage-documents")
    raise ImportRefusedError([_unknown(file)])


def _coverage_tables(export: Export) -> dict[str, pa.Table]:
    tables = {name: build_table(SCHEMAS[name], rows) for name, rows in export.rows.items() if rows}
    tables.setdefault("documents", build_table(SCHEMAS["documents"], []))
    return tables


def _draft(
    files: list[SourceFile],
    what: str,
    tables: Mapping[str, pa.Table],
    ledger: Ledger,
    options: ImportOptions,
    rule_set: str = RULE_SET,
    kind: str = "coverage",
) -> RevisionDraft:
    refuse_many_rejects(ledger.read, len(ledger.rejects), ledger.rejects, options)
    unread = sorted({file.name for file in files} - {source.file for source in ledger.sources})
    published = _published_on(files, options)
    starts = options.effective_from
    if starts is None:
        starts = parse_day("1900-01-01")  # rows carry the dates of their documents
    edition = files[0].archive.split("/")[0] or files[0].name
    header = RevisionHeader(
        rule_set=rule_set,
        kind=kind,
        label=options.label or f"{PurePosixPath(edition).stem} {format_day(published)}",
        effective_from=starts,
        effective_to=FOREVER,
        published_on=published,
        sources=tuple(ledger.sources),
        attributes={
            "program": "MEDICARE",
            "content": what,
            "authority": AUTHORITY,
            "url": URL,
            **{f"{DROPPED}{reason}": str(rows) for reason, rows in sorted(ledger.dropped.items())},
            **({LEFT_UNREAD: "/".join(unread)} if unread else {}),
        },
    )
    warnings = (
        [*ledger.warnings, *report_doubts(tables, options.curated_roles)] if kind == "coverage" else ledger.warnings
    )
    return RevisionDraft(header, tables, read=ledger.read, kept=ledger.kept, rejects=ledger.rejects, warnings=warnings)


_DATE = re.compile(r"(20\d\d)-(\d\d)(?:-(\d\d))?")


def _published_on(files: list[SourceFile], options: ImportOptions) -> Day:
    """The flag; else the date in the file's name; else the date of the members within their archive.

    Raises:
        ImportRefusedError: none of them says it.
    """
    if options.published_on is not None:
        return options.published_on
    named = _DATE.search(files[0].archive.split("/")[0]) or _DATE.search(files[0].name)
    if named:
        return parse_day(f"{named[1]}-{named[2]}-{named[3] or '01'}")
    dates = [file.dated for file in files if file.dated is not None]
    if not dates:
        where = files[0].where
        mend = "say it with --published-on, the day it was posted"
        raise ImportRefusedError([Problem(where, "does not say when it was published", mend, "E_PUBLISHED_ON")])
    return max(dates)
