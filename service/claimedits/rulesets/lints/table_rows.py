"""Lints of rule sets that are plain tables: conventions, duplicates, code edits (``rulesets.table_rules``)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.code_families import CodeFamily
from claimedits.rulesets.lints.adjustments import find_adjustment_faults
from claimedits.rulesets.lints.citations import find_fault
from claimedits.rulesets.lints.code_books import DIAGNOSIS, MODIFIER, PROCEDURE, Books
from claimedits.rulesets.lints.code_rows import check_code
from claimedits.rulesets.lints.dated_rows import DatedRow, check_rows, holds_codes, holds_prefixes
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.row_subjects import subjects_of
from claimedits.rulesets.table_rules import TABLES, ReadTables, is_understood
from claimedits.rulesets.windows import BEGINNING, Window

Cells = Mapping[str, str]
_SETS = frozenset(
    ("code-families", "modifier-families", "distinguishing-modifiers", "aoc-payer-primaries", "diagnosis-sequence")
)
"""Tables whose rows only add to a set; in the others the first row that fits answers."""
_LIST_CELLS = (
    "modifiers",
    "settings",
    "rarc",
    "condition",
    "pairs",
    "lifted_by_modifiers",
    "lifted_by_condition_codes",
)
_CODE_CELLS = {
    "modifiers": MODIFIER, "lifted_by_modifiers": MODIFIER, "first": PROCEDURE, "add_on_code": PROCEDURE, "primary_code": PROCEDURE,
    "code": PROCEDURE,
}  # fmt: skip
_OPPOSITES = (("em", "not_em"),)
Checked = tuple[str, int, tuple[str, ...]]


class _Table:
    """One table as it is looked at."""

    def __init__(self, directory: str, kind: str, name: str, rows: Sequence[tuple[int, tuple[str, ...]]]) -> None:
        self.name, self.file = name, f"{directory}/{name}.csv"
        self._columns = TABLES[kind][name]
        self.rows: list[tuple[int, Cells]] = [(n, dict(zip(self._columns, cells, strict=True))) for n, cells in rows]

    def place(self, row: int, column: str) -> tuple[str, int, int]:
        return self.file, row, self._columns.index(column) + 1 if column in self._columns else 1


def check_tables(read: ReadTables, directory: str, books: Books, shipped: ReadTables | None, report: Report) -> None:
    """Everything odd in the rows of a rule set of tables.

    Args:
        directory: how findings name the directory of the rule set.
        shipped: the conventions of the package, of which every row that the engine asks for has to be stated.
    """
    for name, rows in read.tables.items():
        table = _Table(directory, read.kind, name, rows)
        sound = []
        for number, cells in table.rows:
            if _check_row(table, number, cells, read.head, books, report):
                sound.append((number, cells))
        dated = [row for number, cells in sound for row in _dated(table, number, cells)]
        holds = holds_prefixes if read.kind == "code-edits" else holds_codes
        if name != "age-sex":
            check_rows(dated, report, is_set=name in _SETS, gaps=name != "diagnosis-sequence", holds=holds)
        else:
            check_rows(dated, report, is_set=True, gaps=False, holds=holds)
            _check_age_sex(table, sound, report)
        understood = all(problem.where != f"{name}.csv:1" for problem in read.problems)
        if shipped is not None and shipped.kind == read.kind and name in shipped.tables and understood:
            _check_names(table, _Table(directory, read.kind, name, shipped.tables[name]), report)


_OLDEST = 130
"""Completed years that nobody has passed."""


def _window(cells: Cells) -> tuple[Day, Day]:
    first, last = cells.get("effective_from", ""), cells.get("effective_to", "")
    return parse_day(first) if first else BEGINNING, parse_day(last) if last else FOREVER


def _check_row(table: _Table, number: int, cells: Cells, head: Cells, books: Books, report: Report) -> bool:
    """Lints of one row alone; whether its window and its codes can be compared with others."""
    try:
        window = _window(cells)
    except ValueError:  # said already when the table was read
        return False
    sound = window[0] <= window[1]

    def add(lint_id: str, column: str, what: str, mend: str) -> None:
        report.add(lint_id, table.place(number, column), f"row {number}: {what}", mend, subject=_subject(cells, what))

    for column in ("source", "authority"):
        if cells.get(column) and (fault := find_fault(cells[column])):
            add("CE116", column, f'"{cells[column]}" {fault}', "name the document and the place in it")
    for column in _LIST_CELLS:
        for word, count in Counter(cells.get(column, "").split()).items():
            if count > 1:
                add("CE126", column, f"{word} stands {count} times in {column}", "write it once")
    sound = _check_ranges(cells, add) and sound
    for column, kind in _CODE_CELLS.items():
        for code in cells.get(column, "").split() if sound and is_understood(column, cells.get(column, "")) else ():
            last = cells.get("last", "") if column == "first" else code
            check_code(report, table.place(number, column), books, kind, (code, last or code), window, f"row {number}")
    if table.name in ("age-sex", "diagnosis-sequence") and sound:
        kind = PROCEDURE if cells.get("kind") == "procedure" else DIAGNOSIS
        whole = kind == PROCEDURE
        for column in ("from_code", "to_code") if whole or len(cells["from_code"]) > 3 else ():
            check_code(report, table.place(number, column), books, kind, (cells[column],) * 2, window, f"row {number}")
    for column, lint_id, what, mend in _row_faults(table.name, cells, books, window):
        add(lint_id, column, what, mend)
    _check_period(head, window, lambda what, mend: add("CE108", "effective_from", what, mend))
    return sound


def _subject(cells: Cells, what: str) -> str:
    return " ".join((what, *(cell for name, cell in cells.items() if name not in ("source", "authority"))))


def _check_ranges(cells: Cells, add: Callable[[str, str, str, str], None]) -> bool:
    sound = True
    for first, last in (("first", "last"), ("from_code", "to_code")):
        if first not in cells or not cells[first] or not cells[last]:
            continue
        low, high = cells[first], cells[last]
        wrong = high + "~" < low if first == "from_code" else False
        if first == "first":
            try:
                CodeFamily([Window(BEGINNING, FOREVER, (low, high))])
            except ValueError:
                wrong = True
        if wrong:
            add(
                "CE107", last, f"{low} to {high} is not a range", "first and last have the same form, the smaller first"
            )
            sound = False
    for pair in cells.get("pairs", "").split():
        for half in pair.split("/"):
            low, _, high = half.partition("-")
            if high and high < low:
                add("CE107", "pairs", f"{half} is not a range", "write the smaller code first")
    return sound


def _row_faults(table: str, cells: Cells, books: Books, window: tuple[Day, Day]) -> Iterator[tuple[str, str, str, str]]:
    """(column, lint, what, mend) of what only one kind of table can get wrong."""
    if table == "adjustments":
        for column, lint_id, what, mend in find_adjustment_faults(
            cells["group"], cells["carc"], cells["rarc"].split(), books, window
        ):
            yield column, lint_id, what, mend
    if table == "age-sex":
        if not cells["sex"] and not cells["age_min"] and not cells["age_max"]:
            yield "sex", "CE128", "asks for no sex and no age", "state one of them, or remove the row"
        if cells["age_min"].isdigit() and cells["age_max"].isdigit() and int(cells["age_max"]) < int(cells["age_min"]):
            what = f"no age is at least {cells['age_min']} and at most {cells['age_max']}"
            yield "age_max", "CE109", what, "both ages are inclusive, the smaller is age_min"
        for column in ("age_min", "age_max"):
            if _age(cells[column], 0) > _OLDEST:
                lint_id = "CE109" if column == "age_min" else "CE110"
                yield column, lint_id, f"nobody is {cells[column]} years old", "correct the age, or leave it empty"
    if table == "ptp-modifier-positions":
        words = cells["condition"].split()
        for one, other in _OPPOSITES:
            if one in words and other in words:
                yield "condition", "CE109", f"no line is {one} and {other}", "leave one of the two"
    if table == "aoc-payer-primaries" and cells["add_on_code"] == cells["primary_code"]:
        yield "primary_code", "CE109", "a code is no primary of itself", "name the primary code"
    if table == "aoc-notes" and cells["role"] != "none":
        if not cells["code"] or not cells["settings"]:
            what = f"role {cells['role']} without a code and the settings that may report it"
            yield "code", "CE128", what, "state both, or write none where the note restricts nothing"


def check_period(report: Report, place: tuple[str, int, int], head: Cells, window: tuple[Day, Day], about: str) -> None:
    """A window none of whose days the rule set governs."""
    _check_period(head, window, lambda what, mend: report.add("CE108", place, f"{about}: {what}", mend))


def _check_period(head: Cells, window: tuple[Day, Day], add: Callable[[str, str], None]) -> None:
    try:
        first = parse_day(str(head.get("effective_from", "")))
        last = parse_day(str(head["effective_to"])) if head.get("effective_to") else FOREVER
    except ValueError:  # said when the head was read
        return
    if window[1] < first:
        add(
            f"ends before the rule set begins ({head['effective_from']})",
            "let the rule set begin earlier (effective_from in rule-set.toml), or remove it",
        )
    elif window[0] > last:
        add(
            f"begins after the rule set ends ({head['effective_to']})",
            "let the rule set end later (effective_to in rule-set.toml), or remove it",
        )


def _dated(table: _Table, number: int, cells: Cells) -> Iterator[DatedRow]:
    """What a row answers for, once for each subject it names."""
    first, last = _window(cells)
    column = table.place(number, "effective_from")[2]
    for found in subjects_of(table.name, cells):
        yield DatedRow(table.file, number, found.key, found.name, *found.codes, first, last, found.value, column)


def _check_age_sex(table: _Table, rows: Sequence[tuple[int, Cells]], report: Report) -> None:
    """Two rows of which no patient could meet both."""
    for i, (number, cells) in enumerate(rows):
        for other_number, other in rows[:i]:
            meet = (
                cells["kind"] == other["kind"]
                and cells["from_code"] <= other["to_code"] + "~"
                and other["from_code"] <= cells["to_code"] + "~"
            )
            first, last = max(_window(cells)[0], _window(other)[0]), min(_window(cells)[1], _window(other)[1])
            if not meet or first > last:
                continue
            sexes = {cells["sex"], other["sex"]} - {""}
            ages = max(_age(c["age_min"], 0) for c in (cells, other)) > min(
                _age(c["age_max"], 999) for c in (cells, other)
            )
            if len(sexes) > 1 or ages:
                what = f"no patient can meet row {number} and row {other_number}, which name the same codes"
                mend = "correct one of them, or narrow its codes or dates"
                report.add("CE112", table.place(number, "from_code"), what, mend, subject=f"{cells} {other}")


_FREE_VALUES = {
    "mue.exclude_modifiers": (
        re.compile(r"([0-9A-Z]{2}( [0-9A-Z]{2})*)?"),
        "modifiers of two letters or digits, separated by blanks",
    ),
    "aoc.other_date": (re.compile(r"\d{1,3}"), "a number of days, such as 1"),
}
"""Switches whose value is none of a list of words."""


def _check_values(table: _Table, shipped: Mapping[str, Cells], report: Report) -> None:
    """Values that the engine does not know, whatever the row itself allows."""
    for number, cells in table.rows:
        name, value = cells["name"], cells["value"]
        if name not in shipped:
            continue
        words, mend = shipped[name]["allowed"].split(), ""
        if words:
            mend = "" if value in words else suggest(value, words)
        elif name == "dup.key":
            wrong = [word for word in value.split() if word not in shipped[name]["value"].split()]
            mend = suggest(wrong[0], shipped[name]["value"].split()) if wrong else ""
        elif name in _FREE_VALUES and not _FREE_VALUES[name][0].fullmatch(value):
            mend = f"write {_FREE_VALUES[name][1]}"
        if mend:
            what = f"row {number}: {name} cannot be {value or 'empty'}"
            report.add("CE100", table.place(number, "value"), what, mend, subject=name)


def _age(cell: str, default: int) -> int:
    return int(cell) if cell.isdigit() else default


_NAME_COLUMNS = {"switches": "name", "code-families": "family", "modifier-families": "family", "adjustments": "name"}


def _check_names(table: _Table, shipped: _Table, report: Report) -> None:
    """Names that the engine asks for and that are not stated; switches that it never asks for."""
    column = _NAME_COLUMNS.get(table.name)
    if column is None:
        return
    wanted = dict.fromkeys(cells[column] for _, cells in shipped.rows)
    stated: dict[str, int] = {}
    for number, cells in table.rows:
        stated.setdefault(cells[column], number)
    for name in wanted:
        if name not in stated:
            what = f"{column} {name} is not stated, and the engine asks for it"
            near = suggest(name, [other for other in stated if other not in wanted])
            mend = f"add its row{f'; {near}' if near.startswith('did') else ''}"
            report.add("CE129", (table.file, 1, 1), what, mend, subject=name)
    if table.name == "switches":
        _check_values(table, {cells["name"]: cells for _, cells in shipped.rows}, report)
        for name, number in stated.items():
            if name not in wanted:
                near = suggest(name, list(wanted))
                mend = near if near.startswith("did") else "remove it"
                report.add("CE122", table.place(number, column), f"row {number}: nothing asks for switch {name}", mend)
