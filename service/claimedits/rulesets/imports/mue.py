"""NCCI MUE files → revisions of kind ``mue`` (file-formats.md §2)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.imports.cells import BadCellError, Checker, read_code
from claimedits.rulesets.imports.editions import (
    CMS,
    SETTING_WORDS,
    Edition,
    governed_quarter,
    name_all,
    published_on,
    select_tables,
    settle,
)
from claimedits.rulesets.imports.finishing import account_for, finish, show_some, warn_some
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import RawTable, read_raw
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader
from claimedits.rulesets.sources.files import Content, Limits, SourceFile, source_of

_NAME = re.compile(
    r"(MCR|MCD)_MUE_(PractitionerServices|OutpatientHospitalServices|DMESupplierServices)_Eff_(\d\d)-(\d\d)-(\d{4})",
    re.IGNORECASE,
)
_SETTINGS = {
    "practitionerservices": Setting.PRACTITIONER,
    "outpatienthospitalservices": Setting.OUTPATIENT_HOSPITAL,
    "dmesupplierservices": Setting.DME_SUPPLIER,
}
_COLUMNS = {
    "procedure_code": re.compile(r"^hcpcs ?/ ?cpt code$|^hcpcs$|^cpt code$"),
    "value": re.compile(r"mue values?$"),
    "rationale": re.compile(r"^mue rationale$"),
}
_MAI = {"mai": re.compile(r"adjudication indicator")}
MOST_CHANGED = 0.05
"""More changed values than this share deserve a look."""
_WORDS = {"1": "line edit", "2": "date of service edit: policy", "3": "date of service edit: clinical"}


def import_mue(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft for each program, setting and quarter among the files.

    Raises:
        ImportRefusedError: a code stands twice, too many rows are rejected, or name, flags and columns contradict each other.
    """
    groups: dict[tuple[object, ...], list[tuple[SourceFile, Edition]]] = {}
    for file, edition in name_all(select_tables(files, _NAME), lambda file: _name(file, options)):
        groups.setdefault((edition.program, edition.setting, edition.year, edition.quarter), []).append((file, edition))
    return [_import_edition([file for file, _ in group], group[0][1], options) for group in groups.values()]


def _name(file: SourceFile, options: ImportOptions) -> Edition:
    named = _NAME.search(file.name)
    if named is None:
        return settle(file, Edition(), options)
    program, setting, month, day, year = named.groups()
    if options.confidential:
        problem = Problem(
            file.where,
            "is a published table by its name, not a private one",
            "leave --confidential out",
            "E_CONFIDENTIAL",
        )
        raise ImportRefusedError([problem], "nothing was kept")
    if day != "01" or month not in ("01", "04", "07", "10"):
        what = f"its name says it takes effect on {year}-{month}-{day}, which is not the first day of a quarter"
        raise ImportRefusedError(
            [Problem(file.where, what, "give the table as published", "E_NOT_A_QUARTER")], "nothing was kept"
        )
    quarter = (int(month) - 1) // 3 + 1
    found = Edition(
        Program.MEDICAID if program.upper() == "MCD" else Program.MEDICARE,
        _SETTINGS[setting.lower()],
        f"{year}Q{quarter}",
        int(year),
        quarter,
    )
    return settle(file, found, options)


def _import_edition(files: list[SourceFile], edition: Edition, options: ImportOptions) -> RevisionDraft:
    texts = [file for file in files if not file.is_workbook] or files
    if len(texts) > 1:
        names = ", ".join(file.where for file in texts)
        problem = Problem(names, "hold the same table of the same quarter", "give one of them", "E_PART_TWICE")
        raise ImportRefusedError([problem], "nothing was kept")
    file = texts[0]
    options.tell(f"reading {file.name}", 0, 1)
    content = file.read(Limits(options.max_unpacked_bytes))
    raw = _read(file, content, edition)
    checker = Checker(raw)
    codes, position = checker.read_words("procedure_code", read_code)
    value = checker.read("value", _read_value, 0)
    mai = checker.read("mai", _read_mai, 0) if "mai" in raw.columns else np.zeros(len(raw), dtype=np.int64)
    read, rejects = account_for(file.where, [checker], options)
    good = np.nonzero(~checker.bad)[0]
    _refuse_twice(checker, [codes[position[row]] for row in good], good.tolist())
    order = good[np.argsort(position[good], kind="stable")]
    rationale = raw.columns["rationale"].to_pylist()
    table = pa.table(
        {
            "procedure_code": [codes[position[row]] for row in order],
            "value": pa.array(value[order].astype(np.int32)),
            "mai": pa.array(mai[order].astype(np.uint8)),
            "rationale": pa.array([rationale[row] for row in order], pa.string()),
            "confidential": pa.array([options.confidential] * len(order), pa.bool_()),
            "source": pa.array(np.zeros(len(order), np.uint16)),
            "source_row": pa.array(raw.records[order].astype(np.uint32)),
        }
    )
    header = _header(file, content, raw, edition, options)
    options.tell("done", 1, 1)
    return finish(header, "values", table, read, rejects, _changes(checker, table, header, options))


def _read(file: SourceFile, content: Content, edition: Edition) -> RawTable:
    """Medicare tables have an MAI, Medicaid tables have none; the other way round it is another program's table.

    Raises:
        ImportRefusedError: the column is there and should not be, or the reverse.
    """
    numbers = frozenset(("value", "mai"))
    try:
        raw = read_raw(file, content, {**_COLUMNS, **_MAI}, numbers)
    except ImportRefusedError:
        raw = read_raw(file, content, _COLUMNS, numbers)
    has_mai = "mai" in raw.columns
    if has_mai and edition.program is Program.MEDICAID:
        problem = Problem(
            file.where,
            "has an MAI column, which Medicaid tables have not",
            "leave --program MEDICAID out",
            "E_MAI_COLUMN",
        )
        raise ImportRefusedError([problem], "nothing was kept")
    if not has_mai and edition.program is Program.MEDICARE:
        problem = Problem(
            file.where,
            "has no MAI column, which Medicare tables have",
            "say --program MEDICAID if it is Medicaid's",
            "E_MAI_COLUMN",
        )
        raise ImportRefusedError([problem], "nothing was kept")
    return raw


def _read_value(text: str) -> int:
    if not text:
        raise BadCellError("is blank, which is not 0", "restore the value as published", "E_VALUE")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadCellError("is not a whole number of units from 0", "restore the value as published", "E_VALUE")
    return int(text)


def _read_mai(text: str) -> int:
    number, words = text[:1], text[1:]
    if number not in _WORDS:
        raise BadCellError("is no MUE adjudication indicator", "it begins with 1, 2 or 3", "E_MAI")
    if words and re.sub(r"\s+", " ", words.strip().lower()) != _WORDS[number]:
        raise BadCellError("its number and its words disagree", f"{number} is '{_WORDS[number]}'", "E_MAI_WORDS")
    return int(number)


def _refuse_twice(checker: Checker, codes: Sequence[str], rows: Sequence[int]) -> None:
    twice = {code for code, count in Counter(codes).items() if count > 1}
    problems = [
        Problem(
            checker.where(int(row), "procedure_code"), "the code has another row", "keep one row a code", "E_CODE_TWICE"
        )
        for code, row in zip(codes, rows, strict=True)
        if code in twice
    ]
    if problems:
        raise ImportRefusedError(show_some(problems), "nothing was kept")


def _changes(checker: Checker, table: pa.Table, header: RevisionHeader, options: ImportOptions) -> list[Problem]:
    """Values and indicators that differ from the edition before; never those of a confidential table."""
    before = options.previous_table(header.rule_set, header.effective_from, "values")
    if before is None or options.confidential:
        return []
    columns = ("procedure_code", "value", "mai")
    old = {code: values for code, *values in zip(*(before[name].to_pylist() for name in columns), strict=True)}
    file = checker.table.file.name
    changed = [
        Problem(
            f"{file}:{record}:value",
            f"was {_say(*old[code])} in the edition before, is {_say(*values)}",
            "",
            "W_VALUE_CHANGED",
        )
        for code, *values, record in zip(*(table[name].to_pylist() for name in (*columns, "source_row")), strict=True)
        if old.get(code, values) != values
    ]
    warnings = warn_some(changed)
    if len(changed) > len(old) * MOST_CHANGED:
        what = f"{len(changed):,} of {len(old):,} values differ from the edition before, more than {MOST_CHANGED:.0%}"
        warnings.insert(0, Problem(file, what, "make sure that it is the right table", "W_MANY_CHANGED"))
    return warnings


def _say(value: int, mai: int) -> str:
    return f"{value} with MAI {mai}" if mai else str(value)


def _header(
    file: SourceFile, content: Content, raw: RawTable, edition: Edition, options: ImportOptions
) -> RevisionHeader:
    assert edition.setting is not None and edition.program is not None
    first, last = governed_quarter(edition)
    suffix = "-confidential" if options.confidential else ""
    return RevisionHeader(
        rule_set=f"{edition.program.name.lower()}-mue-{SETTING_WORDS[edition.setting]}{suffix}",
        kind="mue",
        label=edition.label or f"{edition.year}Q{edition.quarter}",
        effective_from=first,
        effective_to=last,
        published_on=published_on([file], options),
        sources=(source_of(file, content, raw.total_records, f"{CMS}/medicare-ncci-medically-unlikely-edits-mues"),),
        attributes={
            "program": edition.program.name,
            "setting": edition.setting.name,
            "authority": "NCCI Policy Manual, ch. I §V",
            "url": f"{CMS}/medicare-ncci-medically-unlikely-edits-mues",
        },
    )
