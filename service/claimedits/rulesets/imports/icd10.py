"""ICD-10-CM order files → revisions of kind ``icd10`` (file-formats.md §6).

A fiscal year's edition governs from October 1 of the year before to September 30; an April package from April 1 on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.model.dates import Day, format_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.imports.cells import BadCellError, Checker
from claimedits.rulesets.imports.code_tables import (
    account,
    date_in,
    in_domain,
    refuse_contradiction,
    refuse_twice,
    sorted_table,
    words_of,
    year_of,
)
from claimedits.rulesets.imports.editions import published_on
from claimedits.rulesets.imports.finishing import finish, warn_some
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import RawTable, head_of, read_raw
from claimedits.rulesets.imports.recognition import recognise
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader
from claimedits.rulesets.sources.files import Content, Limits, SourceFile, refuse, source_of

RULE_SET = "icd10cm"
_URL = "https://www.cms.gov/medicare/coding-billing/icd-10-codes"
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_APRIL = re.compile(r"april", re.IGNORECASE)
_ORDER_LINE = re.compile(r"\d{5} [A-Z0-9]{3,7} +[01] ")
_CODE = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")
_PLAIN = {"icd10_code": re.compile(r"^(icd-?10(-?cm)?[ _])?code$"), "billable": re.compile(r"^billable$")}
_COLUMNS = {
    "icd10_code": pa.string(),
    "effective_from": pa.date32(),
    "effective_to": pa.date32(),
    "billable": pa.bool_(),
    "title": pa.string(),
}


def import_icd10(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft for each order file, or list of codes with their billable flag, among the files.

    Raises:
        ImportRefusedError: no such table, codes that are not unique or not in order, a billable code above another code,
            too many rejects, or name and flags contradict each other.
    """
    drafts, others = [], []
    for file in files:
        content = file.read(Limits(options.max_unpacked_bytes))
        raw = _read_order(file, content) if _is_order(content) else _read_plain(file, content)
        if raw is None:
            others.append(file)
        else:
            drafts.append(_import_edition(file, content, raw, options))
    what = "is no ICD-10-CM order file: order number, code, billable flag and titles at fixed places"
    if not drafts:
        mend = "give icd10cm_order_….txt; a list with chapter and block lines, or the addenda, is none"
        problems = [
            Problem(file.where, what, recognise(head_of(file), file.name, "icd10") or mend, "E_NO_ORDER_FILE")
            for file in others
        ]
        raise ImportRefusedError(problems, "nothing was kept")
    drafts[0].warnings += [Problem(file.where, f"passed over: {what}", "", "W_PASSED_OVER") for file in others]
    return drafts


def _is_order(content: Content) -> bool:
    lines = content.data[:4096].decode("utf-8", "replace").splitlines()[:20]
    return any(map(_ORDER_LINE.match, lines))


def _read_order(file: SourceFile, content: Content) -> RawTable:
    """Order 1–5, code 7–13, billable flag 15, long title from 78 (1-based, inclusive)."""
    lines = content.data.decode("utf-8").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    odd = [
        Problem(f"{file.name}:{number}", "is shorter than an order record", "restore the line as published", "E_RECORD")
        for number, line in enumerate(lines, 1)
        if len(line) < 15
    ]
    rows = [(number, line) for number, line in enumerate(lines, 1) if len(line) >= 15]
    cells = {
        "order": [line[:5].strip() for _, line in rows],
        "icd10_code": [line[6:13].strip() for _, line in rows],
        "billable": [line[14] for _, line in rows],
        "title": [line[77:].strip() or line[16:76].strip() for _, line in rows],
    }
    columns = {name: pa.array(column, pa.string()) for name, column in cells.items()}
    return RawTable(file, content, columns, np.array([number for number, _ in rows], dtype=np.int64), len(lines), odd)


def _read_plain(file: SourceFile, content: Content) -> RawTable | None:
    """A table with the columns ``code`` and ``billable``; None where the file is none."""
    try:
        return read_raw(file, content, _PLAIN, family="icd10")
    except ImportRefusedError as error:
        if any(problem.code in ("E_COLUMN_MISSING", "E_COLUMN_TWICE", "E_DELIMITER") for problem in error.problems):
            raise
        return None


def _import_edition(file: SourceFile, content: Content, raw: RawTable, options: ImportOptions) -> RevisionDraft:
    options.tell(f"reading {file.name}", 0, 1)
    header = _header(file, content, raw, options)
    checker = Checker(raw)
    codes = words_of(checker, "icd10_code", _read_code)
    billable = words_of(checker, "billable", in_domain(("0", "1"), "billable flag"))
    if "order" in raw.columns:
        _refuse_disorder(checker)
    read, rejects = account(checker, options)
    titles = raw.columns["title"].to_pylist() if "title" in raw.columns else [""] * len(raw)
    first, last = header.effective_from, header.effective_to
    rows = [
        (code, first, last, billable[i] == "1", titles[i], 0, int(raw.records[i]))
        for i, code in enumerate(codes)
        if not checker.bad[i]
    ]
    refuse_twice(((row[0], f"{file.name}:{row[-1]}:icd10_code") for row in rows), "the same code")
    table = sorted_table(_COLUMNS, rows)
    warnings = [*_check_levels(file, table), *_compare(file, table, options, first)]
    options.tell("done", 1, 1)
    return finish(header, "codes", table, read, rejects, warnings)


def _read_code(text: str) -> str:
    code = text.upper()
    if not _CODE.fullmatch(code):
        raise BadCellError("is no ICD-10-CM code without a dot", "restore the code as published", "E_CODE")
    return code


def _refuse_disorder(checker: Checker) -> None:
    """Order numbers ascend.

    Raises:
        ImportRefusedError: with every record whose number does not.
    """
    numbers = checker.read("order", _read_order_number, -1)
    good = np.nonzero(~checker.bad)[0]
    behind = good[1:][np.diff(numbers[good]) <= 0]
    if len(behind):
        what = "the order number does not follow the one before"
        shown = [
            Problem(checker.where(int(row), "order"), what, "download the file again", "E_ORDER") for row in behind
        ]
        raise ImportRefusedError(shown[:100], "nothing was kept")


def _read_order_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadCellError("is no order number", "restore the line as published", "E_ORDER")
    return int(text)


def _check_levels(file: SourceFile, table: pa.Table) -> list[Problem]:
    """No billable code is a strict prefix of another; every header has a descendant. Codes stand in order of text.

    Raises:
        ImportRefusedError: a billable code has codes below it.
    """
    codes, billable = table["icd10_code"].to_pylist(), table["billable"].to_pylist()
    places = table["source_row"].to_pylist()
    stops, warnings = [], []
    for i, code in enumerate(codes):
        has_child = i + 1 < len(codes) and codes[i + 1].startswith(code)
        where = f"{file.name}:{places[i]}:billable"
        if billable[i] and has_child:
            what = f"{code} is billable, but {codes[i + 1]} stands below it"
            stops.append(Problem(where, what, "download the file again", "E_BILLABLE_PREFIX"))
        elif not billable[i] and not has_child:
            warnings.append(Problem(where, f"{code} is a header without a code below it", "", "W_EMPTY_HEADER"))
    if stops:
        raise ImportRefusedError(stops[:100], "nothing was kept")
    return warn_some(warnings)


def _compare(file: SourceFile, table: pa.Table, options: ImportOptions, first: Day) -> list[Problem]:
    before = options.previous_table(RULE_SET, first, "codes")
    if before is None:
        return []
    now, then = (pc.sum(t["billable"].cast(pa.int64())).as_py() or 0 for t in (table, before))
    if abs(now - then) <= then * 0.03:
        return []
    what = f"holds {now:,} billable codes, the edition before held {then:,}: more than 3% apart"
    return [Problem(file.where, what, "make sure that the file is whole", "W_ROW_COUNT")]


def _header(file: SourceFile, content: Content, raw: RawTable, options: ImportOptions) -> RevisionHeader:
    first, last, label = _period(file, options)
    return RevisionHeader(
        rule_set=RULE_SET,
        kind="icd10",
        label=label,
        effective_from=first,
        effective_to=last,
        published_on=published_on([file], options),
        sources=(source_of(file, content, raw.total_records, _URL),),
        attributes={"authority": "ICD-10-CM order file (CMS, NCHS)", "url": _URL},
    )


def _period(file: SourceFile, options: ImportOptions) -> tuple[Day, Day, str]:
    """First and last governed day and the label: ``FY2025``, ``FY2026 April``."""
    named = _YEAR.search(file.name) or _YEAR.search(file.archive)
    # The April package's name may begin with its date, 1 April of the fiscal year itself.
    april = bool(_APRIL.search(file.name) or _APRIL.search(file.archive))
    told = options.effective_from
    if told is not None:
        year, day = year_of(told), format_day(told)[5:]
        if day not in ("10-01", "04-01"):
            what = f"--effective-from {format_day(told)} is no first day of an edition"
            raise refuse(file.where, what, "editions begin on October 1 or April 1", "E_EDITION")
        fiscal_year, is_april = (year + 1, False) if day == "10-01" else (year, True)
        if named and (int(named[1]), april) != (fiscal_year, is_april) and (april or int(named[1]) != fiscal_year):
            said = f"fiscal year {named[1]}{', April' if april else ''}"
            refuse_contradiction(file, said, "--effective-from", format_day(told))
    elif named:
        fiscal_year, is_april = int(named[1]), april
    else:
        raise refuse(file.where, "its name does not say the fiscal year", "say it with --effective-from", "E_EDITION")
    label = f"FY{fiscal_year}{' April' if is_april else ''}"
    if options.label is not None and not options.label.startswith(label):
        refuse_contradiction(file, label, "--label", options.label)
    first = date_in(fiscal_year, 4, 1) if is_april else date_in(fiscal_year - 1, 10, 1)
    return first, date_in(fiscal_year, 9, 30), options.label or label
