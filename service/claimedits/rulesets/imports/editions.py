"""Which edition a file is: program, setting, label, period, publication; names first, flags where names do not say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimedits.model.dates import Day, day_of, format_day, quarter_end, quarter_start
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import head_of
from claimedits.rulesets.imports.recognition import recognise
from claimedits.rulesets.sources.files import SourceFile

CMS = "https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits"
SETTING_WORDS = {
    Setting.PRACTITIONER: "practitioner",
    Setting.OUTPATIENT_HOSPITAL: "outpatient-hospital",
    Setting.DME_SUPPLIER: "dme",
}


@dataclass(slots=True, frozen=True)
class Edition:
    """What a file's name says; None where it says nothing."""

    program: Program | None = None
    setting: Setting | None = None
    label: str | None = None
    year: int | None = None
    quarter: int | None = None


_CHANGES = re.compile(r"change|addition|deletion|revision", re.IGNORECASE)
_Named = TypeVar("_Named")


def select_tables(files: Sequence[SourceFile], *names: re.Pattern[str]) -> list[SourceFile]:
    """The tables among the files (file-formats.md §0, rule 10).

    Lists of changes are left out. Where one member of an archive bears a name of the family, the others are not of it.

    Raises:
        ImportRefusedError: there are only lists of changes.
    """
    tables = [file for file in files if not _CHANGES.search(file.name)]
    if not tables:
        problems = [
            Problem(file.where, "is a list of changes, not the table", "give the whole table", "E_CHANGES")
            for file in files
        ]
        raise ImportRefusedError(problems, "nothing was kept")
    named = [file for file in tables if any(name.search(file.name) for name in names)]
    archives = {file.archive for file in named if file.archive}
    return [file for file in tables if file in named or file.archive not in archives]


def name_all(files: Sequence[SourceFile], name: Callable[[SourceFile], _Named]) -> list[tuple[SourceFile, _Named]]:
    """Each file with what ``name`` says it is.

    Raises:
        ImportRefusedError: with the problems of all files.
    """
    named: list[tuple[SourceFile, _Named]] = []
    problems: list[Problem] = []
    for file in files:
        try:
            named.append((file, name(file)))
        except ImportRefusedError as error:
            problems += error.problems
    if problems:
        raise ImportRefusedError(problems, "nothing was kept")
    return named


_FAMILIES_BY_NAME = {
    "ptp": re.compile(r"cci(pra|oph)-v\d|-ptp-edits-", re.IGNORECASE),
    "mue": re.compile(r"MC[RD]_MUE_", re.IGNORECASE),
    "aoc": re.compile(r"AOC_V\d", re.IGNORECASE),
    "hcpcs": re.compile(r"HCPC\d{4}", re.IGNORECASE),
    "pfs": re.compile(r"PPRRVU\d\d", re.IGNORECASE),
}


def _family_by_name(file: SourceFile) -> str:
    """The family that a file's own name speaks of; asked only where an importer did not know the name."""
    return next((family for family, pattern in _FAMILIES_BY_NAME.items() if pattern.search(file.name)), "")


def _foreign_family(file: SourceFile) -> str:
    """Where a file without a known name is of a family that has no quarters in its names: run that import."""
    guess = recognise(head_of(file), file.name)
    return "" if guess.endswith(tuple(_FAMILIES_BY_NAME)) else guess


def settle(file: SourceFile, named: Edition, options: ImportOptions) -> Edition:
    """Name and flags together.

    Raises:
        ImportRefusedError: they contradict each other, or neither says what is needed.
    """
    problems = []
    if named.year is None and (family := _family_by_name(file)):
        problem = Problem(
            file.where, f"is of another family by its name: {family}", f"run import {family}", "E_OTHER_FAMILY"
        )
        raise ImportRefusedError([problem], "nothing was kept")
    for flag, said, told in (
        ("--program", named.program, options.program),
        ("--setting", named.setting, None if options.setting is Setting.ASC else options.setting),
        ("--label", named.label, options.label),
    ):
        if said is not None and told is not None and said != told:
            words = [value.name if isinstance(value, Program | Setting) else str(value) for value in (said, told)]
            problems.append(
                Problem(
                    file.where,
                    f"its name says {words[0]}, {flag} says {words[1]}",
                    f"leave {flag} out, or give the right file",
                    "E_CONTRADICTION",
                )
            )
    year, quarter = named.year, named.quarter
    if options.effective_from is not None:
        date = dt.date(1970, 1, 1) + dt.timedelta(days=options.effective_from)
        told_quarter = (date.month - 1) // 3 + 1
        if options.effective_from != quarter_start(date.year, told_quarter):
            what = f"{format_day(options.effective_from)} is not the first day of a quarter"
            problems.append(
                Problem(
                    file.where,
                    what,
                    "quarters begin on the first of January, April, July and October",
                    "E_NOT_A_QUARTER",
                )
            )
        elif year is not None and (year, quarter) != (date.year, told_quarter):
            what = (
                f"its name says quarter {quarter} of {year}, --effective-from says {format_day(options.effective_from)}"
            )
            problems.append(
                Problem(file.where, what, "leave --effective-from out, or give the right file", "E_CONTRADICTION")
            )
        else:
            year, quarter = date.year, told_quarter
    setting = named.setting or (Setting.PRACTITIONER if options.setting is Setting.ASC else options.setting)
    settled = Edition(
        named.program or options.program or Program.MEDICARE, setting, named.label or options.label, year, quarter
    )
    for what, flag, value in (("setting", "--setting", settled.setting), ("quarter", "--effective-from", settled.year)):
        if value is None:
            mend = _foreign_family(file) or f"say it with {flag}"
            problems.append(Problem(file.where, f"its name does not say the {what}", mend, "E_EDITION"))
    if problems:
        raise ImportRefusedError(problems, "nothing was kept")
    return settled


def published_on(files: list[SourceFile], options: ImportOptions) -> Day:
    """When the edition became known: the flag, else the latest date of the members within their archives.

    Raises:
        ImportRefusedError: neither says it.
    """
    if options.published_on is not None:
        return options.published_on
    dates = [file.dated for file in files if file.dated is not None]
    if not dates:
        problem = Problem(
            files[0].where,
            "does not say when it was published",
            "say it with --published-on, the day it was posted",
            "E_PUBLISHED_ON",
        )
        raise ImportRefusedError([problem], "nothing was kept")
    return max(dates)


def governed_quarter(edition: Edition) -> tuple[Day, Day]:
    """First and last day of the edition's quarter."""
    assert edition.year is not None and edition.quarter is not None
    return quarter_start(edition.year, edition.quarter), quarter_end(edition.year, edition.quarter)


def year_end(year: int) -> Day:
    """December 31."""
    return day_of(dt.date(year, 12, 31))
