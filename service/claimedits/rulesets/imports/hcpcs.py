"""HCPCS Level II files → revisions of kind ``procedure-codes`` and ``modifiers`` (file-formats.md §5).

The fixed-width text and the workbook say the same; where an archive holds both, the text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from claimedits.model.dates import Day, quarter_end, quarter_start
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.model.terms import Setting
from claimedits.rulesets.code_sets import class_of_modifier
from claimedits.rulesets.imports.cells import BadCellError, Checker, read_code
from claimedits.rulesets.imports.code_tables import (
    any_text,
    as_day,
    in_domain,
    read_list_day,
    read_list_end,
    read_modifier,
    refuse_contradiction,
    refuse_twice,
    sorted_table,
    warn_lost,
    words_of,
)
from claimedits.rulesets.imports.editions import Edition, published_on, settle
from claimedits.rulesets.imports.finishing import finish, refuse_many_rejects, refuse_other_count
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import RawTable, head_of, read_raw
from claimedits.rulesets.imports.recognition import recognise
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader
from claimedits.rulesets.sources.files import Content, Limits, SourceFile, refuse, source_of

_URL = "https://www.cms.gov/medicare/coding-billing/healthcare-common-procedure-system/quarterly-update"
_NAME = re.compile(r"HCPC(\d{4})_(JAN|APR|JUL|OCT)_ANWEB", re.IGNORECASE)
_QUARTERS = {"jan": 1, "apr": 2, "jul": 3, "oct": 4}
_ACTIONS = ["A", "B", "C", "D", "F", "N", "P", "R", "S", "T"]
_SHORTEST = 292
"""A record without its trailing blanks still reaches its dates; continuation records may be shorter."""
_CONTINUES = {"4": "3", "8": "7"}
_COLUMNS = {
    "code": re.compile(r"^hcpcs?( code)?$"),
    "record": re.compile(r"^rec ?id$|^record id.*"),
    "title": re.compile(r"^long description$"),
    "added": re.compile(r"^add dt$|^add date$"),
    "terminated": re.compile(r"^term dt$|^termination date$"),
    "action": re.compile(r"^action cd$|^action code$"),
}
_NUMBERS = frozenset(("record", "added", "terminated"))


@dataclass(slots=True)
class _Kind:
    """Procedure codes or modifiers: one of the two tables that a file gives."""

    record: str
    rule_set: str
    table: str
    column: str


_KINDS = (
    _Kind("3", "procedure-codes", "codes", "procedure_code"),
    _Kind("7", "modifiers", "modifiers", "modifier"),
)


@dataclass(slots=True)
class _Records:
    """Code records of the fixed-width text, continuations joined."""

    cells: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})
    numbers: list[int] = field(default_factory=list)

    def add(self, line: str, number: int) -> None:
        code = line[3:5] if line[10] == "7" else line[:5]
        for name, text in (
            ("code", code),
            ("record", line[10]),
            ("title", line[11:91]),
            ("added", line[268:276]),
            ("terminated", line[284:292]),
            ("action", line[292:293]),
        ):
            self.cells[name].append(text.strip())
        self.numbers.append(number)

    def extend(self, line: str) -> None:
        title = self.cells["title"][-1]
        glue = (
            "" if title.endswith("-") and not title.endswith(" -") else " "
        )  # a compound word may break at its hyphen
        self.cells["title"][-1] = f"{title}{glue}{line[11:91].strip()}".strip()


def import_hcpcs(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """Two drafts for each quarter among the files: its procedure codes and its modifiers.

    Raises:
        ImportRefusedError: no HCPCS table, a continuation without its code, a code twice, too many rejects, or name and
            flags contradict each other.
    """
    quarters: dict[tuple[int, int], list[SourceFile]] = {}
    for file in files:
        if _NAME.search(file.name) or len(files) == 1:
            quarters.setdefault(_quarter(file, options), []).append(file)
    if not quarters:
        what = "holds no HCPCS table (HCPC…_ANWEB.txt or .xlsx)"
        guess = recognise(head_of(files[0]), files[0].name, "hcpcs")
        raise refuse(files[0].where, what, guess or "give the alpha-numeric HCPCS archive as published", "E_NO_TABLE")
    return [draft for group in quarters.values() for draft in _import_quarter(_choose(group), options)]


def _quarter(file: SourceFile, options: ImportOptions) -> tuple[int, int]:
    named = _NAME.search(file.name)
    edition = Edition(year=int(named[1]), quarter=_QUARTERS[named[2].lower()]) if named else Edition()
    settled = settle(
        file,
        Edition(setting=options.setting or Setting.PRACTITIONER, year=edition.year, quarter=edition.quarter),
        options,
    )
    assert settled.year is not None and settled.quarter is not None
    label = f"{settled.year}Q{settled.quarter}"
    if options.label is not None and not options.label.startswith(label):
        refuse_contradiction(file, label, "--label", options.label)
    return settled.year, settled.quarter


def _choose(files: list[SourceFile]) -> SourceFile:
    """Text before workbook."""
    return min(files, key=lambda file: (file.is_workbook, file.name))


def _import_quarter(file: SourceFile, options: ImportOptions) -> Iterator[RevisionDraft]:
    options.tell(f"reading {file.name}", 0, 1)
    content = file.read(Limits(options.max_unpacked_bytes))
    raw = read_raw(file, content, _COLUMNS, _NUMBERS) if file.is_workbook else _read_fixed(file, content)
    read, rejected = 0, 0
    problems: list[Problem] = list(raw.odd)
    drafts = []
    for kind in _KINDS:
        draft, checker = _import_kind(kind, file, content, _of_kind(raw, kind), options)
        read += draft.read
        rejected += int(checker.bad.sum())
        problems += checker.problems
        drafts.append(draft)
    unknown = _other_records(raw)
    read, rejected, problems = (
        read + len(unknown) + len(raw.odd),
        rejected + len(unknown) + len(raw.odd),
        problems + unknown,
    )
    refuse_many_rejects(read, rejected, problems, options)
    refuse_other_count(file.where, read, options)
    # What belongs to neither table is accounted for with the codes.
    drafts[0].read += len(unknown) + len(raw.odd)
    drafts[0].rejects += [*raw.odd, *unknown]
    options.tell("done", 1, 1)
    for kind, draft in zip(_KINDS, drafts, strict=True):
        if not draft.kept:  # an empty edition would say that no code of the kind is valid
            what = f"holds no {kind.rule_set} (record id {kind.record}): no edition of them was made"
            drafts[0].warnings.append(Problem(file.where, what, "give the whole file as published", "W_NO_RECORDS"))
    yield from (draft for draft in drafts if draft.kept or draft is drafts[0])


def _read_fixed(file: SourceFile, content: Content) -> RawTable:
    """The 320-character records.

    Raises:
        ImportRefusedError: a record that is none, or a continuation that follows no code of its kind.
    """
    lines = content.data.decode("utf-8").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    records, before, problems = _Records(), ("", ""), []
    for number, line in enumerate(lines, 1):
        record = line[10:11]
        where = f"{file.name}:{number}"
        if record in _CONTINUES:
            if before != (line[:5], _CONTINUES[record]):
                what = f"a continuation (record id {record}) follows no record {_CONTINUES[record]} of its code"
                problems.append(Problem(where, what, "download the file again", "E_CONTINUATION"))
            else:
                records.extend(line)
            continue
        if len(line) < _SHORTEST or record not in ("3", "7"):
            what = "is no HCPCS record: fixed width, with record id 3, 4, 7 or 8 in column 11"
            problems.append(Problem(where, what, "give the ANWEB text or workbook as published", "E_RECORD"))
            if len(problems) > 100:
                break
            continue
        records.add(line, number)
        before = (line[:5], record)
    if problems and not records.numbers:
        what = "holds no HCPCS record: fixed width, with record id 3, 4, 7 or 8 in column 11"
        guess = recognise("\n".join(lines[:20]), file.name, "hcpcs")
        raise refuse(file.where, what, guess or "give the ANWEB text or workbook as published", "E_RECORD")
    if problems:
        raise ImportRefusedError(problems, "nothing was kept")
    columns = {name: pa.array(cells, pa.string()) for name, cells in records.cells.items()}
    return RawTable(file, content, columns, np.array(records.numbers, dtype=np.int64), len(lines))


def _of_kind(raw: RawTable, kind: _Kind) -> RawTable:
    mask = np.array([any_text(text) == kind.record for text in raw.columns["record"].to_pylist()], dtype=bool)
    columns = {name: column.filter(pa.array(mask)) for name, column in raw.columns.items()}
    return RawTable(raw.file, raw.content, columns, raw.records[mask], raw.total_records)


def _other_records(raw: RawTable) -> list[Problem]:
    known = {kind.record for kind in _KINDS}
    return [
        Problem(f"{raw.file.name}:{number}:record", "is no record id of a code or modifier", "it is 3 or 7", "E_RECORD")
        for number, text in zip(raw.records, raw.columns["record"].to_pylist(), strict=True)
        if text not in known
    ]


def _import_kind(
    kind: _Kind, file: SourceFile, content: Content, raw: RawTable, options: ImportOptions
) -> tuple[RevisionDraft, Checker]:
    checker = Checker(raw)
    codes = words_of(checker, "code", read_code if kind.record == "3" else read_modifier)
    added = checker.read("added", _read_added, 0)
    terminated = checker.read("terminated", read_list_end, 0)
    words_of(checker, "action", in_domain(_ACTIONS, "action code"))
    checker.reject(
        terminated < added, "terminated", "lies before the add date", "restore the dates as published", "E_DATE_ORDER"
    )
    titles = raw.columns["title"].to_pylist()
    rows = [
        (code, int(added[i]), as_day(int(terminated[i])), _title(kind, code, titles[i]), 0, int(raw.records[i]))
        for i, code in enumerate(codes)
        if not checker.bad[i]
    ]
    refuse_twice(((row[0], f"{file.name}:{row[-1]}:{kind.column}") for row in rows), "the same code")
    header = _header(kind, file, content, raw, options)
    columns = {
        kind.column: pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "title": pa.string(),
    }
    table = sorted_table(columns, rows)
    before = options.previous_table(kind.rule_set, header.effective_from, kind.table)
    warnings = _lost(kind, file, {row[0] for row in rows}, before, header.effective_from)
    return finish(header, kind.table, table, len(raw), checker.problems, warnings), checker


def _read_added(text: str) -> int:
    if not text:
        raise BadCellError("is blank", "every code has an add date", "E_DATE")
    return read_list_day(text)


def _title(kind: _Kind, code: str, text: str) -> str:
    """Level II titles are the Government's; a modifier of CPT's form may carry CPT's words, which are not kept."""
    return text if kind.record == "3" or class_of_modifier(code) != "CPT" else ""


def _lost(kind: _Kind, file: SourceFile, codes: set[str], before: pa.Table | None, day: Day) -> list[Problem]:
    if before is None:
        return []
    ends = before["effective_to"].cast(pa.int32()).to_pylist()
    return warn_lost(file, codes, dict(zip(before[kind.column].to_pylist(), ends, strict=True)), day)


def _header(kind: _Kind, file: SourceFile, content: Content, raw: RawTable, options: ImportOptions) -> RevisionHeader:
    year, quarter = _quarter(file, options)
    return RevisionHeader(
        rule_set=kind.rule_set,
        kind=kind.rule_set,
        label=options.label or f"{year}Q{quarter}",
        effective_from=quarter_start(year, quarter),
        effective_to=quarter_end(year, quarter),
        published_on=published_on([file], options),
        sources=(source_of(file, content, raw.total_records, _URL),),
        attributes={"authority": "CMS alpha-numeric HCPCS file", "url": _URL, "covers": "HCPCS_LEVEL_II"},
    )
