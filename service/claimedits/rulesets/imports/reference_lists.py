"""What the importers of small lists share: plain tables with a header, told their dates by flags (file-formats.md §9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.imports.cells import Checker
from claimedits.rulesets.imports.code_tables import as_day, date_in, read_list_end, year_of
from claimedits.rulesets.imports.editions import published_on
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import Names, RawTable, read_raw
from claimedits.rulesets.revision import RevisionHeader
from claimedits.rulesets.sources.files import Content, Limits, SourceFile, refuse, source_of


def read_list(
    files: Sequence[SourceFile], names: Names, optional: Names, options: ImportOptions, family: str
) -> tuple[RawTable, list[Problem]]:
    """The one table among the files that has the columns, and a warning for every file passed over.

    Args:
        names: fields that must have a column.
        optional: fields that may have one.
        family: what was asked for.

    Raises:
        ImportRefusedError: none of the files has the columns, or several have.
    """
    found: list[RawTable] = []
    refused: list[Problem] = []
    for file in files:
        options.tell(f"reading {file.name}", 0, 1)
        try:
            found.append(_read(file, file.read(Limits(options.max_unpacked_bytes)), names, optional, family))
        except ImportRefusedError as error:
            if any(problem.code != "E_NO_HEADER" for problem in error.problems):
                raise
            refused += error.problems
    if not found:
        raise ImportRefusedError(_first_of_each(refused), "nothing was kept")
    if len(found) > 1:
        places = ", ".join(raw.file.where for raw in found)
        raise refuse(places, "are several lists of one kind", "import one at a time", "E_PART_TWICE")
    skipped = [Problem(p.where, f"passed over: {p.what}", "", "W_PASSED_OVER") for p in refused]
    return found[0], skipped


def _first_of_each(refused: Sequence[Problem]) -> list[Problem]:
    """Files refused for one reason as one problem: an archive may hold dozens of tables of another family."""
    reasons: dict[tuple[str, str], list[Problem]] = {}
    for problem in refused:
        reasons.setdefault((problem.what, problem.mend if "run import" in problem.mend else ""), []).append(problem)
    guesses = [problems for (_, mend), problems in reasons.items() if mend]
    told = guesses if len(refused) > len(guesses) and guesses else list(reasons.values())
    more = len(refused) - len(told)
    first = [problems[0] for problems in told]
    if more:
        last = first[-1]
        first[-1] = Problem(last.where, f"{last.what}, nor in {more} more files", last.mend, last.code)
    return first


def _read(file: SourceFile, content: Content, names: Names, optional: Names, family: str) -> RawTable:
    raw = read_raw(file, content, names, family=family)
    known = dict(names)
    for name, pattern in optional.items():
        try:
            raw = read_raw(file, content, {**known, name: pattern})
        except ImportRefusedError:
            continue
        known[name] = pattern
    return raw


def list_header(raw: RawTable, rule_set: str, kind: str, options: ImportOptions, **attributes: str) -> RevisionHeader:
    """A list governs from ``--effective-from`` to the end of that year: codes change with the year.

    Raises:
        ImportRefusedError: the flag, or the day of publication, is missing.
    """
    first = _effective_from(raw, options)
    return RevisionHeader(
        rule_set=rule_set,
        kind=kind,
        label=options.label or format_day(first),
        effective_from=first,
        effective_to=date_in(year_of(first), 12, 31),
        published_on=published_on([raw.file], options),
        sources=(source_of(raw.file, raw.content, raw.total_records),),
        attributes=attributes,
    )


def _effective_from(raw: RawTable, options: ImportOptions) -> Day:
    if options.effective_from is None:
        mend = "say with --effective-from from which day it governs (to the end of that year)"
        raise refuse(raw.file.where, "a list does not say which dates it governs", mend, "E_EDITION")
    return options.effective_from


def merge_rows(rows: list[tuple[Any, ...]], places: int) -> list[tuple[Any, ...]]:
    """Rows without their identical copies: equal in the first ``places`` cells, the first of them stays."""
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        first.setdefault(row[:places], row)
    return list(first.values())


def read_dates(checker: Checker) -> tuple[list[Day | None], list[Day | None]]:
    """First and last days where the list states them; None = not stated, open. Rows with the last before the first go."""
    none = np.full(len(checker.table), FOREVER, dtype=np.int64)
    columns = checker.table.columns
    first = checker.read("effective_from", read_list_end, FOREVER) if "effective_from" in columns else none
    last = checker.read("effective_to", read_list_end, FOREVER) if "effective_to" in columns else none
    before = (first != FOREVER) & (last < first)
    checker.reject(
        before, "effective_to", "lies before the first day", "restore the dates as published", "E_DATE_ORDER"
    )
    return [as_day(int(day)) for day in first], [as_day(int(day)) for day in last]
