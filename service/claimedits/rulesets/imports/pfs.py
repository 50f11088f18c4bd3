"""Physician fee schedule files (PPRRVU) → revisions of kind ``pfs``: the payment policy indicators (file-formats.md §4)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from claimedits.model.dates import Day, format_day, quarter_end, quarter_start
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.imports.cells import Checker, read_code
from claimedits.rulesets.imports.code_tables import (
    account,
    date_in,
    in_domain,
    read_modifier,
    refuse_contradiction,
    refuse_twice,
    sorted_table,
    warn_count,
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

RULE_SET = "medicare-pfs-indicators"
_URL = "https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files"
_NAME = re.compile(r"PPRRVU(\d{4}|\d{2})_?(JAN|APR|JUL|OCT|[A-D](?![A-Z]))?", re.IGNORECASE)
_ARCHIVE = re.compile(r"rvu(\d{2})([a-d])", re.IGNORECASE)
_REPLACED = re.compile(r"updated-(\d\d)-(\d\d)-(\d{4})", re.IGNORECASE)
_QUARTERS = {"jan": 1, "apr": 2, "jul": 3, "oct": 4, "a": 1, "b": 2, "c": 3, "d": 4}
_RELEASED = re.compile(rb"RELEASED\s+(\d\d)/(\d\d)/(\d{4})", re.IGNORECASE)
_COLUMNS = {
    "procedure_code": re.compile(r"^hcpcs$"),
    "modifier": re.compile(r"^mod$"),
    "status": re.compile(r"^status code$"),
    "pctc": re.compile(r"^pctc ind$"),
    "global_days": re.compile(r"^glob days$"),
    "multiple_procedure": re.compile(r"^mult proc$"),
    "bilateral": re.compile(r"^bilat surg$"),
    "assistant": re.compile(r"^asst surg$"),
    "co_surgeon": re.compile(r"^co- ?surg$"),
    "team_surgeon": re.compile(r"^team surg$"),
}
_MAY_BE_NUMBERS = frozenset(
    ("modifier", "pctc", "multiple_procedure", "bilateral", "assistant", "co_surgeon", "team_surgeon")
)
_DOMAINS = {
    "status": (["A", "B", "C", "E", "I", "J", "M", "N", "P", "R", "T", "X"], "status code"),
    "pctc": (tuple("0123456789"), "PC/TC indicator"),
    "global_days": (["000", "010", "090", "MMM", "XXX", "YYY", "ZZZ"], "global period"),
    "multiple_procedure": (tuple("0123456789"), "multiple procedure indicator"),
    "bilateral": (["0", "1", "2", "3", "9"], "bilateral indicator"),
    "assistant": (["0", "1", "2", "9"], "assistant at surgery indicator"),
    "co_surgeon": (["0", "1", "2", "9"], "co-surgeon indicator"),
    "team_surgeon": (["0", "1", "2", "9"], "team surgeon indicator"),
}
COVERS = "CPT_I CPT_II CPT_III"
"""Classes of codes that the file holds in full, payable or not; it lacks laboratory and vaccine codes of other classes."""


def import_pfs(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft for each release among the files. Members other than the relative value table are passed over.

    Raises:
        ImportRefusedError: no table, a key twice, too many rows rejected, or name and flags contradict each other.
    """
    tables = [file for file in files if _is_table(file)]
    if not tables:
        what = "holds no relative value table (PPRRVU…csv or .xlsx)"
        guess = recognise(head_of(files[0]), files[0].name, "pfs")
        raise refuse(files[0].where, what, guess or "give the rvu… archive as published", "E_NO_TABLE")
    releases: dict[tuple[str, str], list[SourceFile]] = {}
    for file in tables:
        releases.setdefault((file.archive, _label(file, options)), []).append(file)
    return [_import_release(_choose(group), options) for group in releases.values()]


def _is_table(file: SourceFile) -> bool:
    return bool(_NAME.search(file.name)) and not file.name.lower().endswith(".txt")


def _choose(files: list[SourceFile]) -> SourceFile:
    """One of the same table: nonQPP before QPP (they carry the same indicators), text before workbook."""
    return min(files, key=lambda file: ("nonqpp" not in file.name.lower(), file.is_workbook, file.name))


def _quarter(file: SourceFile, options: ImportOptions) -> tuple[int, int]:
    """Year and quarter, by the file's name, its archive's, or the flag."""
    named, archive = _NAME.search(file.name), _ARCHIVE.search(file.archive)
    year = quarter = 0
    if named:
        year, quarter = int(named[1]), _QUARTERS.get((named[2] or "").lower(), 0)
    if archive and not quarter:
        year, quarter = int(archive[1]), _QUARTERS[archive[2].lower()]
    year += 2000 if 0 < year < 100 else 0
    if options.effective_from is not None:
        told = (year_of(options.effective_from), _quarter_of(options.effective_from))
        if quarter and told != (year, quarter):
            refuse_contradiction(
                file, f"quarter {quarter} of {year}", "--effective-from", format_day(options.effective_from)
            )
        return told
    if not quarter:
        raise refuse(file.where, "its name does not say the quarter", "say it with --effective-from", "E_EDITION")
    return year, quarter


def _quarter_of(day: Day) -> int:
    year = year_of(day)
    return next(quarter for quarter in (1, 2, 3, 4) if day <= quarter_end(year, quarter))


def _label(file: SourceFile, options: ImportOptions) -> str:
    """``2024C``; a replaced release adds the day of its replacement, a mid-quarter one its first day."""
    year, quarter = _quarter(file, options)
    label = f"{year}{'ABCD'[quarter - 1]}"
    replaced = _REPLACED.search(file.archive)
    if replaced:
        label += f" of {replaced[3]}-{replaced[1]}-{replaced[2]}"
    elif options.effective_from not in (None, quarter_start(year, quarter)):
        assert options.effective_from is not None
        label += f" from {format_day(options.effective_from)}"
    if options.label is not None and options.label != label and not options.label.startswith(label):
        refuse_contradiction(file, label, "--label", options.label)
    return options.label or label


def _import_release(file: SourceFile, options: ImportOptions) -> RevisionDraft:
    options.tell(f"reading {file.name}", 0, 1)
    content = file.read(Limits(options.max_unpacked_bytes))
    raw = read_raw(file, content, _COLUMNS, _MAY_BE_NUMBERS)
    checker = Checker(raw)
    codes = words_of(checker, "procedure_code", read_code)
    modifiers = words_of(checker, "modifier", lambda text: read_modifier(text) if text else "")
    indicators = [words_of(checker, name, in_domain(*_DOMAINS[name])) for name in Indicators._fields]
    read, rejects = account(checker, options)
    rows = [
        (code, modifier, *words, 0, int(raw.records[i]))
        for i, (code, modifier, *words) in enumerate(zip(codes, modifiers, *indicators, strict=True))
        if not checker.bad[i]
    ]
    refuse_twice(((row[:2], f"{file.name}:{row[-1]}:procedure_code") for row in rows), "the same code and modifier")
    header = _header(file, content, raw, options)
    table = sorted_table(dict.fromkeys(("procedure_code", "modifier", *Indicators._fields), pa.string()), rows)
    before = options.previous_table(RULE_SET, header.effective_from, "indicators")
    warnings = [
        *_check_components(file, rows),
        *(warn_count(file, len(rows), before.num_rows, 0.05) if before is not None else ()),
    ]
    options.tell("done", 1, 1)
    return finish(header, "indicators", table, read, rejects, warnings)


def _check_components(file: SourceFile, rows: list[tuple[object, ...]]) -> list[Problem]:
    """26 and TC stand only where the PC/TC indicator is 1 and the code has its global row."""
    pctc = 2 + Indicators._fields.index("pctc")
    whole = {row[0] for row in rows if not row[1]}
    problems = []
    for row in rows:
        where = f"{file.name}:{row[-1]}:modifier"
        if row[1] in ("26", "TC") and row[pctc] != "1":
            problems.append(
                Problem(where, f"{row[1]} stands with PC/TC indicator {row[pctc]}, not 1", "", "W_COMPONENT")
            )
        elif row[1] in ("26", "TC") and row[0] not in whole:
            problems.append(Problem(where, f"{row[1]} stands without the global row of its code", "", "W_COMPONENT"))
    return warn_some(problems, 3)


def _header(file: SourceFile, content: Content, raw: RawTable, options: ImportOptions) -> RevisionHeader:
    year, quarter = _quarter(file, options)
    first = quarter_start(year, quarter) if options.effective_from is None else options.effective_from
    return RevisionHeader(
        rule_set=RULE_SET,
        kind="pfs",
        label=_label(file, options),
        effective_from=first,
        effective_to=quarter_end(year, quarter),
        published_on=_published(file, content, options),
        sources=(source_of(file, content, raw.total_records, _URL),),
        attributes={
            "program": "MEDICARE",
            "authority": "Medicare Physician Fee Schedule, relative value file",
            "url": _URL,
            "covers": COVERS,
        },
    )


def _published(file: SourceFile, content: Content, options: ImportOptions) -> Day:
    """The flag, else ``RELEASED mm/dd/yyyy`` of the file's head, else the member's date.

    Raises:
        ImportRefusedError: none of them says it.
    """
    released = _RELEASED.search(content.data[:8192]) if options.published_on is None else None
    if released is None:
        return published_on([file], options)
    month, day, year = map(int, released.groups())
    try:
        return date_in(year, month, day)
    except ValueError:
        problem = Problem(
            file.where, "its RELEASED date is no date of the calendar", "say it with --published-on", "E_DATE"
        )
        raise ImportRefusedError([problem], "nothing was kept") from None
