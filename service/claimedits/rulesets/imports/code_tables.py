"""What the importers of code lists share: columns of words, tables in canonical order, comparison with the edition before."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimedits.model.dates import FOREVER, Day, day_of, parse_day
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.imports.cells import BadCellError, Checker, read_yyyymmdd
from claimedits.rulesets.imports.finishing import refuse_many_rejects, refuse_other_count, warn_some
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import NUMERIC
from claimedits.rulesets.sources.files import SourceFile

_DAY_FIRST = re.compile(r"\d{4}-\d\d-\d\d")
_OPEN_ENDS = ("", "9999-12-31", "99991231")


def words_of(checker: Checker, name: str, parse: Callable[[str], str]) -> list[str]:
    """A column of words, one a row; rows whose cell ``parse`` refuses are rejected and get an empty word."""
    words, position = checker.read_words(name, parse)
    return [words[place] for place in position]


def any_text(text: str) -> str:
    """A cell that is kept as it is."""
    return text.removeprefix(NUMERIC)


def in_domain(allowed: Iterable[str], what: str) -> Callable[[str], str]:
    """Accepts the words of a closed list, as published."""
    words = frozenset(allowed)

    def parse(text: str) -> str:
        if text not in words:
            mend = f"published values are {', '.join(sorted(word or '(blank)' for word in words))}"
            raise BadCellError(f"is no {what}", mend, "E_DOMAIN")
        return text

    return parse


def read_modifier(text: str) -> str:
    """A modifier of two letters or digits; never repaired."""
    if text.startswith(NUMERIC):
        raise BadCellError(
            "the modifier is a number, so its zero may be lost", "save the column as text", "E_CODE_NUMERIC"
        )
    if not re.fullmatch(r"[0-9A-Z]{2}", text.upper()):
        raise BadCellError("is not a modifier of two letters or digits", "restore it as published", "E_MODIFIER")
    return text.upper()


def read_list_day(text: str) -> int:
    """``2024-07-01`` or ``20240701`` as a day."""
    if not _DAY_FIRST.fullmatch(text):
        return read_yyyymmdd(text)
    try:
        return parse_day(text)
    except ValueError:
        raise BadCellError("is not a date of the calendar", "restore the date as published", "E_DATE") from None


def read_list_end(text: str) -> int:
    """A last day; blank and 9999-12-31 = open."""
    return FOREVER if text in _OPEN_ENDS else read_list_day(text)


def as_day(day: Day) -> Day | None:
    """A day as Arrow stores it: an open end is null."""
    return None if day == FOREVER else day


def sorted_table(columns: Mapping[str, pa.DataType], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows in canonical order. A row has the columns' cells, then its source and record."""
    ordered = sorted(rows, key=lambda row: tuple((cell is None, cell) for cell in row))
    schema = pa.schema([*columns.items(), ("source", pa.uint16()), ("source_row", pa.uint32())])
    cells = list(zip(*ordered, strict=True)) if ordered else [()] * len(schema)
    return pa.table([pa.array(cells[i], field.type) for i, field in enumerate(schema)], schema=schema)


def account(checker: Checker, options: ImportOptions) -> tuple[int, list[Problem]]:
    """(rows read, rejected rows), once the thresholds are held.

    Raises:
        ImportRefusedError: no row at all, too many rejected, or another number than was promised.
    """
    raw = checker.table
    read, rejected = len(raw) + len(raw.odd), int(checker.bad.sum()) + len(raw.odd)
    if not read:
        problem = Problem(raw.file.where, "holds a header and no rows", "download it again", "E_NO_ROWS")
        raise ImportRefusedError([problem], "nothing was kept")
    rejects = [*raw.odd, *checker.problems]
    refuse_many_rejects(read, rejected, rejects, options)
    refuse_other_count(raw.file.where, read, options)
    return read, rejects


def refuse_twice(keys: Iterable[tuple[object, str]], what: str) -> None:
    """Every key stands once.

    Args:
        keys: (key, place in the file).
        what: the key in words.

    Raises:
        ImportRefusedError: with every place where a key stands again.
    """
    first: dict[object, str] = {}
    problems = []
    for key, where in keys:
        if first.setdefault(key, where) != where:
            problems.append(Problem(where, f"{what} stands at {first[key]} too", "keep one row", "E_KEY_TWICE"))
    if problems:
        raise ImportRefusedError(problems, "nothing was kept")


def warn_count(file: SourceFile, kept: int, before: int, share: float) -> list[Problem]:
    """A warning where the number of rows differs by more than ``share`` from the edition before."""
    if not before or abs(kept - before) <= before * share:
        return []
    what = f"holds {kept:,} rows, the edition before held {before:,}: more than {share:.0%} apart"
    return [Problem(file.where, what, "make sure that the file is whole", "W_ROW_COUNT")]


def warn_lost(file: SourceFile, codes: set[str], before: Mapping[str, Day | None], day: Day) -> list[Problem]:
    """Codes of the edition before that stand here no more, though nothing ended them before ``day``."""
    lost = sorted(code for code, last in before.items() if code not in codes and (last is None or last >= day))
    return warn_some(
        [
            Problem(file.where, f"{code} of the edition before is gone without a termination", "", "W_CODE_LOST")
            for code in lost
        ]
    )


def year_of(day: Day) -> int:
    """The calendar year of a day."""
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).year


def date_in(year: int, month: int, day: int) -> Day:
    """A day of the calendar."""
    return day_of(dt.date(year, month, day))


def refuse_contradiction(file: SourceFile, said: str, flag: str, told: str) -> None:
    """Name and flag must not contradict each other.

    Raises:
        ImportRefusedError: always.
    """
    what = f"its name says {said}, {flag} says {told}"
    mend = f"leave {flag} out, or give the right file"
    raise ImportRefusedError([Problem(file.where, what, mend, "E_CONTRADICTION")], "nothing was kept")
