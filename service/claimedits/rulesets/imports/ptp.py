"""NCCI PTP files → revisions of kind ``ptp`` (file-formats.md §1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from claimedits.model.dates import FOREVER, format_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.imports.cells import (
    Array,
    BadCellError,
    Checker,
    as_dates,
    read_code,
    read_deletion,
    read_yyyymmdd,
)
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
from claimedits.rulesets.imports.finishing import account_for, finish, show_some
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import read_raw
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.sources.files import Limits, SourceFile, source_of

PARTS = (1, 2, 3, 4)
USUAL_GROWTH = 0.05
"""Share of the rows that a quarter adds or takes at most, usually."""
_NAME = re.compile(r"cci(pra|oph)-v(\d{2})(\d)r(\d+)-f(\d)", re.IGNORECASE)
_MEDICAID = re.compile(
    r"medicaid-ncci-(\d{4})-?q(\d)-ptp-edits-(practitioner|outpatient-hospital|dme|durable)", re.IGNORECASE
)
_COLUMNS = {
    "column_1": re.compile(r"^column ?1\b"),
    "column_2": re.compile(r"^column ?2\b"),
    "in_existence_prior_to_1996": re.compile(r"existence"),
    "effective": re.compile(r"^effective"),
    "deletion": re.compile(r"^deletion"),
    "modifier_indicator": re.compile(r"^modifier"),
    "rationale": re.compile(r"rationale"),
}
_NUMBERS = frozenset(("effective", "deletion", "modifier_indicator"))
_SETTINGS = {"pra": Setting.PRACTITIONER, "oph": Setting.OUTPATIENT_HOSPITAL}


@dataclass(slots=True, frozen=True)
class _Part:
    file: SourceFile
    edition: Edition
    release: int
    part: int
    """1 to 4; 0 = the edition is one file."""


def import_ptp(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft for each setting, version and release among the files.

    Raises:
        ImportRefusedError: a part is missing or doubled, too many rows are rejected, or an invariant that stops is broken.
    """
    groups: dict[tuple[object, ...], list[_Part]] = {}
    for _, part in name_all(select_tables(files, _NAME, _MEDICAID), lambda file: _name(file, options)):
        groups.setdefault((part.edition.program, part.edition.setting, part.edition.label), []).append(part)
    chosen, problems = [], []
    for parts in groups.values():
        files_of_parts, wrong = _choose_parts(parts)
        chosen.append(files_of_parts)
        problems += wrong
    if problems:
        raise ImportRefusedError(problems, "nothing was kept: a missing part would make a smaller table")
    return [_import_edition(parts, options) for parts in chosen]


def _name(file: SourceFile, options: ImportOptions) -> _Part:
    named = _NAME.search(file.name) or _NAME.search(file.archive)
    medicaid = _MEDICAID.search(file.archive) or _MEDICAID.search(file.name)
    if named:
        setting, version, quarter, release, part = named.groups()
        label = f"v{int(version)}.{quarter}" + (f"r{int(release)}" if int(release) else "")
        program = Program.MEDICAID if medicaid else options.program
        edition = Edition(program, _SETTINGS[setting.lower()], label, 1994 + int(version), int(quarter) + 1)
        return _Part(file, settle(file, edition, options), int(release), int(part))
    if medicaid:
        year, quarter, words = medicaid.groups()
        setting = {"p": Setting.PRACTITIONER, "o": Setting.OUTPATIENT_HOSPITAL, "d": Setting.DME_SUPPLIER}[
            words[0].lower()
        ]
        edition = Edition(Program.MEDICAID, setting, f"{year}Q{quarter}", int(year), int(quarter))
        return _Part(file, settle(file, edition, options), 0, 0)
    return _Part(file, settle(file, Edition(), options), 0, 0)


def _choose_parts(parts: list[_Part]) -> tuple[list[_Part], list[Problem]]:
    """One file a part, the text before the workbook of the same table; and what keeps them from being a whole."""
    by_part: dict[int, list[_Part]] = {}
    for part in parts:
        by_part.setdefault(part.part, []).append(part)
    edition = parts[0].edition
    assert edition.setting is not None
    problems, chosen = [], []
    for number, same in sorted(by_part.items()):
        texts = [part for part in same if not part.file.is_workbook] or same
        if len(texts) > 1:
            names = ", ".join(part.file.where for part in texts)
            what = f"part f{number} is given {len(texts)} times" if number else "hold the same table"
            problems.append(
                Problem(names, what, "give each part once" if number else "give one of them", "E_PART_TWICE")
            )
        chosen.append(texts[0])
    if 0 in by_part and len(by_part) == 1:
        return chosen, problems
    name = f"{SETTING_WORDS[edition.setting]} {edition.label}"
    for number in sorted({*PARTS, *by_part}):
        if number not in by_part:
            mend = "give all four parts, f1 to f4, together"
            problems.append(Problem(f"{name} part f{number}", "is missing", mend, "E_PART_MISSING"))
        elif number not in PARTS:
            where = by_part[number][0].file.where
            problems.append(Problem(where, "is no part of four", "give the parts f1 to f4", "E_PART_UNKNOWN"))
    return chosen, problems


@dataclass(slots=True)
class _Rows:
    """Good rows of one part; codes and rationales as positions in the part's own word lists."""

    codes_1: list[str]
    codes_2: list[str]
    rationales: list[str]
    columns: dict[str, Array]


def _import_edition(parts: list[_Part], options: ImportOptions) -> RevisionDraft:
    edition = parts[0].edition
    sources: list[Source] = []
    rows: list[_Rows] = []
    checkers: list[Checker] = []
    for i, part in enumerate(parts):
        options.tell(f"reading {part.file.name}", i, len(parts) + 1)
        content = part.file.read(Limits(options.max_unpacked_bytes))
        raw = read_raw(part.file, content, _COLUMNS, _NUMBERS)
        sources.append(
            source_of(part.file, content, raw.total_records, f"{CMS}/medicare-ncci-procedure-procedure-ptp-edits")
        )
        del content
        raw.content = None  # type: ignore[assignment] # 50 MB a part that nobody needs any more
        checkers.append(Checker(raw))
        rows.append(_check_part(checkers[-1], i, edition))
        raw.columns.clear()
    header = _header(parts, sources, options)
    read, rejects = account_for(f"{header.rule_set} {header.label}", checkers, options)
    options.tell("sorting and checking", len(parts), len(parts) + 1)
    merged = _merge(rows)
    merged, dropped = _drop_copies(merged, sources)
    _refuse_two_open_rows(merged, sources)
    warnings = [*dropped, *_warnings(merged, sources, edition), *_other_size(read, header, options)]
    options.tell("done", len(parts) + 1, len(parts) + 1)
    return finish(header, "edits", _as_table(merged), read, rejects, warnings)


def _other_size(read: int, header: RevisionHeader, options: ImportOptions) -> list[Problem]:
    """Without a count on the label, the edition before is the measure."""
    before = options.previous_table(header.rule_set, header.effective_from, "edits")
    if before is None or options.expected_rows is not None or abs(read - len(before)) <= len(before) * USUAL_GROWTH:
        return []
    what = f"holds {read:,} rows, the edition before {len(before):,}: more than {USUAL_GROWTH:.0%} apart"
    mend = "compare with the count on the download label (--expected-rows)"
    return [Problem(f"{header.rule_set} {header.label}", what, mend, "W_ROW_COUNT")]


def _header(parts: list[_Part], sources: list[Source], options: ImportOptions) -> RevisionHeader:
    edition = parts[0].edition
    assert edition.setting is not None and edition.program is not None
    first, last = governed_quarter(edition)
    return RevisionHeader(
        rule_set=f"{edition.program.name.lower()}-ptp-{SETTING_WORDS[edition.setting]}",
        kind="ptp",
        label=edition.label or f"{edition.year}Q{edition.quarter}",
        effective_from=first,
        effective_to=last,
        published_on=published_on([part.file for part in parts], options),
        sources=tuple(sources),
        attributes={
            "program": edition.program.name,
            "setting": edition.setting.name,
            "authority": "NCCI Policy Manual, ch. I",
            "url": f"{CMS}/medicare-ncci-procedure-procedure-ptp-edits",
        },
    )


def _check_part(checker: Checker, source: int, edition: Edition) -> _Rows:
    codes_1, column_1 = checker.read_words("column_1", read_code)
    codes_2, column_2 = checker.read_words("column_2", read_code)
    effective = checker.read("effective", read_yyyymmdd, 0)
    medicaid = edition.program is Program.MEDICAID
    deletion = checker.read("deletion", read_deletion if medicaid else _read_marked_deletion, FOREVER)
    indicator = checker.read("modifier_indicator", _read_indicator, 9)
    prior = checker.read("in_existence_prior_to_1996", _read_flag, 0)
    rationales, rationale = checker.read_words("rationale", lambda text: text)
    rank = {code: i for i, code in enumerate(codes_2)}
    same = np.array([rank.get(code, -1) for code in codes_1])[column_1] == column_2
    checker.reject(
        same, "column_2", "is the code of column 1", "remove the row: no code conflicts with itself", "E_SAME_CODE"
    )
    before = deletion < effective
    checker.reject(
        before, "deletion", "lies before the effective date", "restore the dates as published", "E_DATE_ORDER"
    )
    good = ~checker.bad
    columns = {
        "column_1": column_1, "column_2": column_2, "effective": effective, "deletion": deletion, "indicator": indicator,
        "prior": prior, "rationale": rationale, "record": checker.table.records,
    }  # fmt: skip
    columns = {name: column[good] for name, column in columns.items()}
    columns["source"] = np.full(len(columns["record"]), source, dtype=np.int64)
    return _Rows(codes_1, codes_2, rationales, columns)


def _read_marked_deletion(text: str) -> int:
    if not text:
        raise BadCellError("is blank", "an open row of Medicare's table has a * here", "E_DATE")
    return read_deletion(text)


def _read_indicator(text: str) -> int:
    if text not in ("0", "1", "9"):
        raise BadCellError("is no modifier indicator", "an indicator is 0, 1 or 9", "E_INDICATOR")
    return int(text)


def _read_flag(text: str) -> int:
    if text not in ("*", ""):
        raise BadCellError("is neither * nor blank", "restore the flag as published", "E_FLAG")
    return int(text == "*")


@dataclass(slots=True)
class _Merged:
    """Rows of all parts in canonical order; codes and rationales as positions in sorted lists."""

    codes: list[str]
    rationales: list[str]
    columns: dict[str, Array]

    def take(self, keep: Array) -> _Merged:
        return _Merged(self.codes, self.rationales, {name: column[keep] for name, column in self.columns.items()})

    def where(self, row: int, sources: Sequence[Source]) -> str:
        return f"{sources[self.columns['source'][row]].file}:{self.columns['record'][row]}"


def _merge(rows: list[_Rows]) -> _Merged:
    codes = sorted({code for part in rows for code in (*part.codes_1, *part.codes_2)})
    rationales = sorted({word for part in rows for word in part.rationales})
    rank = {code: i for i, code in enumerate(codes)}
    word_rank = {word: i for i, word in enumerate(rationales)}
    columns: dict[str, list[Array]] = {}
    for part in rows:
        for name, column in part.columns.items():
            if name in ("column_1", "column_2"):
                words = part.codes_1 if name == "column_1" else part.codes_2
                column = np.array([rank[word] for word in words])[column]
            elif name == "rationale":
                column = np.array([word_rank[word] for word in part.rationales])[column]
            columns.setdefault(name, []).append(column)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    keys = ("record", "source", "rationale", "prior", "indicator", "deletion", "effective", "column_2", "column_1")
    order = np.lexsort([joined[name] for name in keys])
    return _Merged(codes, rationales, joined).take(order)


def _drop_copies(merged: _Merged, sources: Sequence[Source]) -> tuple[_Merged, list[Problem]]:
    """No row stands twice; a copy is dropped with a warning."""
    names = ("column_1", "column_2", "effective", "deletion", "indicator", "prior", "rationale")
    same = np.ones(max(0, len(merged.columns["record"]) - 1), dtype=bool)
    for name in names:
        same &= merged.columns[name][1:] == merged.columns[name][:-1]
    copies = np.nonzero(same)[0] + 1
    what = "is an identical copy of another row and was dropped"
    keep = np.ones(len(merged.columns["record"]), dtype=bool)
    keep[copies] = False
    return merged.take(keep), _warn_rows(merged, sources, copies, what, "W_COPY")


def _refuse_two_open_rows(merged: _Merged, sources: Sequence[Source]) -> None:
    """At most one row without deletion for each unordered pair."""
    c = merged.columns
    open_rows = np.nonzero((c["deletion"] == FOREVER) & (c["indicator"] != 9))[0]
    one, two = c["column_1"][open_rows], c["column_2"][open_rows]
    pair = np.minimum(one, two) * len(merged.codes) + np.maximum(one, two)
    order = np.argsort(pair, kind="stable")
    twice = np.nonzero(pair[order][1:] == pair[order][:-1])[0]
    if len(twice):
        problems = [
            Problem(
                merged.where(int(open_rows[order[i + 1]]), sources),
                f"the pair is open here and at {merged.where(int(open_rows[order[i]]), sources)}",
                "a pair has at most one row without a deletion date, whatever the column order",
                "E_TWO_OPEN_ROWS",
            )
            for i in twice
        ]
        raise ImportRefusedError(show_some(problems), "nothing was kept")


def _warnings(merged: _Merged, sources: Sequence[Source], edition: Edition) -> list[Problem]:
    c = merged.columns
    tombstone = (c["indicator"] == 9) | (c["deletion"] == c["effective"])
    _, last = governed_quarter(edition)
    closed = (c["deletion"] != FOREVER) & ~tombstone
    quarter_ends = np.array(
        [day for day in np.unique(c["deletion"][closed]) if format_day(int(day))[5:] in _QUARTER_ENDS]
    )
    live = np.nonzero(~tombstone)[0]
    pair = (c["column_1"][live] * len(merged.codes) + c["column_2"][live]) << 32
    latest_end = np.maximum.accumulate(pair + c["deletion"][live])  # of the windows before, within the pair
    follows = (pair[1:] == pair[:-1]) & (pair[1:] + c["effective"][live][1:] <= latest_end[:-1])
    checks = (
        (
            (c["indicator"] == 9) != (c["deletion"] == c["effective"]),
            "indicator 9 and deletion on the effective date go together; read as withdrawn",
            "W_INDICATOR_9",
        ),
        (
            closed & ~np.isin(c["deletion"], quarter_ends),
            "the deletion date is not the last day of a quarter",
            "W_DELETION_DATE",
        ),
        (c["effective"] > last, "the effective date lies after the quarter of the edition", "W_FUTURE_ROW"),
    )
    warnings: list[Problem] = []
    for found, what, code in checks:
        warnings += _warn_rows(merged, sources, np.nonzero(found)[0], what, code)
    overlapping = live[np.nonzero(follows)[0] + 1]
    return warnings + _warn_rows(
        merged, sources, overlapping, "its window overlaps another of the same pair; the latest counts", "W_OVERLAP"
    )


_QUARTER_ENDS = frozenset(("03-31", "06-30", "09-30", "12-31"))


def _warn_rows(merged: _Merged, sources: Sequence[Source], rows: Array, what: str, code: str) -> list[Problem]:
    shown = [Problem(merged.where(int(row), sources), what, "", code) for row in rows[:20]]
    if len(rows) > 20:
        shown.append(
            Problem(merged.where(int(rows[20]), sources), f"and {len(rows) - 20:,} more rows like it: {what}", "", code)
        )
    return shown


def _as_table(merged: _Merged) -> pa.Table:
    c = merged.columns
    codes, rationales = pa.array(merged.codes, pa.string()), pa.array(merged.rationales, pa.string())

    def words(name: str, dictionary: pa.Array) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(c[name].astype(np.int32)), dictionary)

    return pa.table(
        {
            "column_1": words("column_1", codes),
            "column_2": words("column_2", codes),
            "effective_from": as_dates(c["effective"]),
            "effective_to": as_dates(c["deletion"]),
            "modifier_indicator": pa.array(c["indicator"].astype(np.uint8)),
            "in_existence_prior_to_1996": pa.array(c["prior"].astype(bool)),
            "rationale": words("rationale", rationales),
            "source": pa.array(c["source"].astype(np.uint16)),
            "source_row": pa.array(c["record"].astype(np.uint32)),
        }
    )
