"""NCCI add-on code files → revisions of kind ``aoc`` (file-formats.md §3)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from claimedits.model.dates import FOREVER, quarter_start
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.imports.cells import Array, BadCellError, Checker, as_dates, read_code, read_ordinal
from claimedits.rulesets.imports.editions import CMS, Edition, name_all, published_on, select_tables, settle, year_end
from claimedits.rulesets.imports.finishing import account_for, finish, show_some, warn_some
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import RawTable, read_raw
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.sources.files import Limits, SourceFile, source_of

CONTRACTOR_DEFINED = "CCCCC"
_NAME = re.compile(r"AOC_V(\d{4})Q(\d)-(MCR|MCD)", re.IGNORECASE)
_COLUMNS = {
    "edit_type": re.compile(r"^aoc_edit_type$"),
    "add_on_code": re.compile(r"^add-?on_code$"),
    "add_on_deleted_on": re.compile(r"^aoc_deldt( \(julian\))?$"),
    "primary_code": re.compile(r"^primary_code$"),
    "primary_deleted_on": re.compile(r"^primary_code_deldt( \(julian\))?$"),
    "effective": re.compile(r"^aoc_edit_effdt( \(julian\))?$"),
    "deletion": re.compile(r"^aoc_edit_deldt( \(julian\))?$"),
    "note": re.compile(r"^special_instruction_notes$"),
}
_NUMBERS = frozenset(("edit_type", "add_on_deleted_on", "primary_deleted_on", "effective", "deletion"))
_TYPES = {"1": 1, "2": 2, "3": 3, "I": 1, "II": 2, "III": 3}


def import_aoc(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft for each program and quarter among the files.

    Raises:
        ImportRefusedError: a key stands twice, too many rows are rejected, or name and flags contradict each other.
    """
    groups: dict[tuple[object, ...], list[tuple[SourceFile, Edition]]] = {}
    for file, edition in name_all(select_tables(files, _NAME), lambda file: _name(file, options)):
        groups.setdefault((edition.program, edition.year, edition.quarter), []).append((file, edition))
    return [_import_edition([file for file, _ in group], group[0][1], options) for group in groups.values()]


def _name(file: SourceFile, options: ImportOptions) -> Edition:
    if options.setting is not None:
        what = "is a table for all settings, --setting does not apply"
        raise ImportRefusedError([Problem(file.where, what, "leave --setting out", "E_CONTRADICTION")])
    named = _NAME.search(file.name)
    every = Setting.PRACTITIONER  # the table is for all settings; ``settle`` wants one
    if named is None:
        return settle(file, Edition(setting=every), options)
    year, quarter, program = named.groups()
    found = Edition(
        Program.MEDICAID if program.upper() == "MCD" else Program.MEDICARE,
        every,
        f"{year}Q{quarter}",
        int(year),
        int(quarter),
    )
    return settle(file, found, options)


def _import_edition(files: list[SourceFile], edition: Edition, options: ImportOptions) -> RevisionDraft:
    texts = [file for file in files if not file.is_workbook] or files
    if len(texts) > 1:
        names = ", ".join(file.where for file in texts)
        raise ImportRefusedError(
            [Problem(names, "hold the same table of the same quarter", "give one of them", "E_PART_TWICE")],
            "nothing was kept",
        )
    file = texts[0]
    options.tell(f"reading {file.name}", 0, 1)
    content = file.read(Limits(options.max_unpacked_bytes))
    raw = read_raw(file, content, _COLUMNS, _NUMBERS)
    checker = Checker(raw)
    columns = _check(checker)
    read, rejects = account_for(file.where, [checker], options)
    rows = _order(columns, checker)
    _refuse_twice(columns, rows, checker)
    warnings = [*_unknown_notes(columns, rows, checker, options), *_overlaps(columns, rows, checker)]
    source = source_of(file, content, raw.total_records, f"{CMS}/medicare-ncci-add-code-edits")
    options.tell("done", 1, 1)
    return finish(
        _header(file, source, edition, options), "edits", _as_table(columns, rows, raw), read, rejects, warnings
    )


class _Columns:
    """Checked columns of the file, one item a row."""

    add_on: Array
    primary: Array
    effective: Array
    deletion: Array
    edit_type: Array
    add_on_deleted: Array
    primary_deleted: Array
    note: list[str]


def _check(checker: Checker) -> _Columns:
    columns = _Columns()
    words, position = checker.read_words("add_on_code", read_code)
    columns.add_on = np.array(words, dtype=object)[position]
    words, position = checker.read_words("primary_code", read_code)
    columns.primary = np.array(words, dtype=object)[position]
    columns.effective = checker.read("effective", _read_effective, 0)
    columns.deletion = checker.read("deletion", _read_optional, FOREVER)
    columns.add_on_deleted = checker.read("add_on_deleted_on", _read_optional, FOREVER)
    columns.primary_deleted = checker.read("primary_deleted_on", _read_optional, FOREVER)
    columns.edit_type = checker.read("edit_type", _read_type, 0)
    columns.note = checker.table.columns["note"].to_pylist()
    contractor = (columns.primary == CONTRACTOR_DEFINED) & (columns.edit_type == 1)
    checker.reject(
        contractor,
        "primary_code",
        "CCCCC, contractor defined, stands with type 1",
        "CCCCC goes with type 2 or 3",
        "E_CONTRACTOR_TYPE",
    )
    before = columns.deletion < columns.effective
    checker.reject(
        before, "deletion", "lies before the effective date", "restore the dates as published", "E_DATE_ORDER"
    )
    return columns


def _read_effective(text: str) -> int:
    if not text:
        raise BadCellError("is blank", "every edit has an effective date", "E_DATE")
    return read_ordinal(text)


def _read_optional(text: str) -> int:
    return read_ordinal(text) if text else FOREVER


def _read_type(text: str) -> int:
    kind = _TYPES.get(text.upper())
    if kind is None:
        raise BadCellError("is no type of add-on edit", "a type is 1, 2 or 3", "E_TYPE")
    return kind


def _order(columns: _Columns, checker: Checker) -> list[int]:
    """Good rows in canonical order."""
    good = [int(row) for row in np.nonzero(~checker.bad)[0]]
    return sorted(
        good,
        key=lambda i: (
            columns.add_on[i], columns.primary[i], columns.effective[i], columns.deletion[i], columns.edit_type[i],
            columns.add_on_deleted[i], columns.primary_deleted[i], columns.note[i], i,
        ),
    )  # fmt: skip


def _key(columns: _Columns, row: int) -> tuple[str, str, int]:
    return columns.add_on[row], columns.primary[row], int(columns.effective[row])


def _refuse_twice(columns: _Columns, rows: list[int], checker: Checker) -> None:
    problems = [
        Problem(
            checker.where(row),
            f"add-on, primary and effective date stand at {checker.where(before)} too",
            "keep one row a key",
            "E_KEY_TWICE",
        )
        for before, row in zip(rows, rows[1:], strict=False)
        if _key(columns, before) == _key(columns, row)
    ]
    if problems:
        raise ImportRefusedError(show_some(problems), "nothing was kept")


def _unknown_notes(columns: _Columns, rows: list[int], checker: Checker, options: ImportOptions) -> list[Problem]:
    if options.known_notes is None:
        return []
    return warn_some(
        [
            Problem(
                checker.where(row, "note"),
                "nobody has read this note yet; its rule is not applied",
                "curate it in aoc-notes.csv",
                "W_NOTE",
            )
            for row in rows
            if columns.note[row] and columns.note[row] not in options.known_notes
        ]
    )


def _overlaps(columns: _Columns, rows: list[int], checker: Checker) -> list[Problem]:
    """Windows of one pair that overlap with different types."""
    return warn_some(
        [
            Problem(
                checker.where(row),
                f"its window overlaps {checker.where(before)}, which has another type",
                "",
                "W_OVERLAP",
            )
            for before, row in zip(rows, rows[1:], strict=False)
            if _key(columns, before)[:2] == _key(columns, row)[:2]
            and columns.effective[row] <= columns.deletion[before]
            and columns.deletion[before] != columns.effective[before]
            and columns.edit_type[row] != columns.edit_type[before]
        ]
    )


def _header(file: SourceFile, source: Source, edition: Edition, options: ImportOptions) -> RevisionHeader:
    """In force until superseded, at the latest to the year's end (semantics.md §C.3)."""
    assert edition.program is not None and edition.year is not None and edition.quarter is not None
    return RevisionHeader(
        rule_set=f"{edition.program.name.lower()}-aoc",
        kind="aoc",
        label=edition.label or f"{edition.year}Q{edition.quarter}",
        effective_from=quarter_start(edition.year, edition.quarter),
        effective_to=year_end(edition.year),
        published_on=published_on([file], options),
        sources=(source,),
        attributes={
            "program": edition.program.name,
            "authority": "NCCI Policy Manual, ch. I §R",
            "url": f"{CMS}/medicare-ncci-add-code-edits",
        },
    )


def _as_table(columns: _Columns, rows: list[int], raw: RawTable) -> pa.Table:
    at = np.array(rows, dtype=np.int64)
    return pa.table(
        {
            "add_on_code": pa.array(columns.add_on[at], pa.string()),
            "primary_code": pa.array(columns.primary[at], pa.string()),
            "effective_from": as_dates(columns.effective[at]),
            "effective_to": as_dates(columns.deletion[at]),
            "edit_type": pa.array(columns.edit_type[at].astype(np.uint8)),
            "add_on_deleted_on": as_dates(columns.add_on_deleted[at]),
            "primary_deleted_on": as_dates(columns.primary_deleted[at]),
            "note": pa.array([columns.note[row] for row in rows], pa.string()),
            "settings": pa.array([""] * len(rows), pa.string()),
            "source": pa.array(np.zeros(len(rows), np.uint16)),
            "source_row": pa.array(raw.records[at].astype(np.uint32)),
        }
    )
