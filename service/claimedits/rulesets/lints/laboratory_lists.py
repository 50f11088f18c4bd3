"""Lints of the CSV lists of laboratory determinations (``rules/lab-ncd/README.md``), before they are imported."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.imports.coverage.laboratory import COLUMNS, EVERY, LISTS, SECTION
from claimedits.rulesets.imports.coverage.mcd import DIAGNOSIS as DIAGNOSIS_FORM
from claimedits.rulesets.lints.citations import find_fault
from claimedits.rulesets.lints.code_books import DIAGNOSIS, PROCEDURE, Books
from claimedits.rulesets.lints.code_rows import check_code
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.windows import BEGINNING


class _Row(NamedTuple):
    number: int
    cells: dict[str, str]


def is_laboratory_list(path: Path) -> bool:
    """Whether a CSV file has the columns of the lists, in any order."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return set(COLUMNS) <= {cell.strip() for cell in next(csv.reader(file), [])}


def check_laboratory_list(path: Path, shown: str, books: Books, report: Report) -> None:
    """Rows that say nothing, the same twice, or the opposite of another; ``shown`` names the file in findings."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        report.add("CE100", (shown, 1, 1), "is not UTF-8", "save the file as UTF-8")
        return
    rows = list(_read(text))
    header = [cell.strip() for cell in next(csv.reader(io.StringIO(text, newline="")), [])]
    for row in rows:
        _check_row(row, shown, header, books, report)
    _check_policies(rows, shown, header, report)
    first: dict[tuple[str, ...], _Row] = {}
    listed: dict[tuple[str, str, str], _Row] = {}
    for row in rows:
        c = row.cells
        key = (c["ncd"], c["edition"], c["list"], c["code"].replace(".", ""))
        before = first.setdefault(key, row)
        if before is not row:
            what = (
                f"row {row.number} says again what row {before.number} says ({c['list']} {c['code']} of NCD {c['ncd']})"
            )
            report.add("CE102", (shown, row.number, 1), what, "leave one of the two rows", subject=" ".join(key))
        if c["list"] == "procedure":
            continue
        other = listed.setdefault((c["ncd"], c["edition"], key[3]), row)
        if other.cells["list"] != c["list"]:
            what = f"row {row.number} lists {c['code']} as {c['list']}, row {other.number} as {other.cells['list']}"
            mend = "leave the one that the determination says"
            report.add("CE112", (shown, row.number, 1), what, mend, subject=" ".join(key))


def _check_policies(rows: Sequence[_Row], shown: str, header: list[str], report: Report) -> None:
    """Rows of one edition of one policy that disagree, and policies that lack a list, or have one too many."""
    policies: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        policies.setdefault((row.cells["ncd"], row.cells["edition"]), []).append(row)

    def add(row: _Row, column: str, what: str, mend: str) -> None:
        place = (shown, row.number, header.index(column) + 1)
        report.add("CE112", place, f"row {row.number}: {what}", mend)

    for (ncd, edition), own in policies.items():
        name = f"NCD {ncd} of {edition}"
        for column in ("policy", "effective_from", "effective_to"):
            usual = Counter(row.cells[column] for row in own).most_common(1)[0][0]
            for row in own:
                if row.cells[column] != usual:
                    what = f"{column} is {row.cells[column] or 'empty'}, and {usual or 'empty'} in the other rows of {name}"
                    add(row, column, what, "make them the same, or name the edition that the row belongs to")
        if ncd == EVERY:
            continue
        together = [*own, *policies.get((EVERY, edition), ())]
        lists = {row.cells["list"] for row in together}
        if "procedure" not in lists:
            what, mend = (
                f"{name} governs no procedure code",
                "add rows of list procedure, or correct the edition of the row",
            )
            add(own[0], "list", what, mend)
        covered = [row for row in together if row.cells["list"] == "covered"]
        if own[0].cells["policy"] == "inclusion" and not covered:
            add(own[0], "policy", f"{name} is of inclusion type and has no covered list", "add its covered diagnoses")
        if own[0].cells["policy"] == "exclusion" and covered:
            what = f"{name} is of exclusion type and lists {covered[0].cells['code']} as covered"
            add(covered[0], "list", what, "remove the row: every diagnosis that is not listed supports the code")


def _read(text: str) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for number, row in enumerate(reader, 2):
        cells = {(name or "").strip(): (cell or "").strip() for name, cell in row.items() if isinstance(cell, str)}
        yield _Row(number, {name: cells.get(name, "") for name in COLUMNS})


def _check_row(row: _Row, shown: str, header: list[str], books: Books, report: Report) -> None:
    c = row.cells

    def add(lint_id: str, column: str, what: str, mend: str) -> None:
        report.add(lint_id, (shown, row.number, header.index(column) + 1), f"row {row.number}: {what}", mend)

    if c["list"] not in LISTS:
        add("CE100", "list", f"{c['list'] or 'nothing'} is no list", f"use one of {', '.join(LISTS)}")
    if c["policy"] not in ("inclusion", "exclusion") and not (c["ncd"] == EVERY and not c["policy"]):
        add("CE100", "policy", f"{c['policy'] or 'nothing'} is no policy", "write inclusion or exclusion")
    if not SECTION.fullmatch(c["ncd"]):
        add("CE100", "ncd", f"{c['ncd'] or 'nothing'} is no laboratory policy", "write 190.12 to 190.34, or all")
    if not c["edition"]:
        add("CE100", "edition", "the edition is empty", "name the quarterly edition, such as 2024Q3")
    if c["list"] in LISTS and c["list"] != "procedure" and not DIAGNOSIS_FORM.fullmatch(c["code"]):
        add("CE100", "code", f"{c['code'] or 'nothing'} is no diagnosis", "write it like E78.5 or E785")
        return
    if not c["source"]:
        add("CE115", "source", "names no source", "name the transmittal or file the row comes from")
    elif fault := find_fault(c["source"]):
        add("CE116", "source", f'the source "{c["source"]}" {fault}', "name the transmittal or file the row comes from")
    try:
        first = parse_day(c["effective_from"]) if c["effective_from"] else BEGINNING
        last = parse_day(c["effective_to"]) if c["effective_to"] else FOREVER
    except ValueError:
        add("CE100", "effective_from", "a date is not understood", "write it like 2024-07-01")
        return
    if last < first:
        add("CE106", "effective_to", "effective_to lies before effective_from", "the last day is inclusive")
        return
    kind = PROCEDURE if c["list"] == "procedure" else DIAGNOSIS
    place = (shown, row.number, header.index("code") + 1)
    check_code(report, place, books, kind, (c["code"],) * 2, (first, last), f"row {row.number}")
