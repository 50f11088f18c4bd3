"""Lints of a whole authored rule set: its lists, its switches, its rules one by one and two by two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from claimedits.rulesets.authored.code_lists import CodeList, ListRow
from claimedits.rulesets.authored.compiler import ReadRules
from claimedits.rulesets.authored.reading import SWITCH_COLUMNS
from claimedits.rulesets.authored.rule import tests_of
from claimedits.rulesets.lints.authored_rules import RuleSurroundings, check_head, check_rule, code_kind
from claimedits.rulesets.lints.citations import find_fault
from claimedits.rulesets.lints.code_books import DIAGNOSIS, MODIFIER, PLACE, PROCEDURE
from claimedits.rulesets.lints.code_rows import check_code
from claimedits.rulesets.lints.dated_rows import DatedRow, check_rows
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.rule_pairs import check_pairs
from claimedits.rulesets.lints.rule_reach import check_reach
from claimedits.rulesets.lints.table_rows import check_period
from claimedits.rulesets.windows import read_window

_WORD = r"[\w.\-]"
_FORMS = {
    PROCEDURE: (re.compile("[0-9A-Z]{5}"), "procedure codes, which have five digits or letters"),
    MODIFIER: (re.compile("[0-9A-Z]{2}"), "modifiers, which have two digits or letters"),
    DIAGNOSIS: (re.compile("[A-Z][0-9][0-9A-Z]{1,5}"), "diagnoses, which are written here like E1142"),
    PLACE: (re.compile("[0-9]{2}"), "places of service, which have two digits"),
}


def check_rule_set(read: ReadRules, around: RuleSurroundings, report: Report) -> None:
    """Everything odd in the rules and lists of a directory; rules that were not understood are left out."""
    check_head(read.files.head, around.directory, report)
    rows = [row for _, row in read.files.list_rows]
    sound = [row for row in rows if _check_list_row(row, around, report)]
    check_rows([_dated(row, around.directory) for row in sound], report, is_set=True)
    # A file that is not TOML may ask for what nothing else does.
    all_read = len(read.files.rule_files) == sum(1 for source in read.files.sources if _is_rule_file(source.file))
    texts = [text for _, file in read.files.rule_files for text in _texts(file.values)]
    for name in sorted(read.files.list_names):
        if all_read and not _is_named(rf"\blist\s+[\"']?{re.escape(name)}(?!{_WORD})", texts):
            what = f"no rule asks for list {name}"
            mend = "ask for it (is in list …), or remove the file"
            report.add("CE120", (f"{around.directory}/lists/{name}.csv", 1, 1), what, mend, subject=name)
    _check_switches(read, texts, around, report)
    lists = {name: CodeList(windows) for name, windows in _by_list(sound).items()}
    kinds = _kinds_of_lists(read)
    for row in sound:
        _check_form(row, kinds.get(row.list_name, set()), around, report)
    for placed in read.placed:
        check_rule(placed, around, report)
        check_reach(placed, lists, around.head, around.directory, report)
    check_pairs(read.placed, lists, around.directory, report)


def _is_rule_file(name: str) -> bool:
    return name.endswith(".toml") and name != "rule-set.toml"


def _kinds_of_lists(read: ReadRules) -> dict[str, set[str]]:
    """The kinds of codes that rules look up in each list."""
    kinds: dict[str, set[str]] = {}
    for placed in read.placed:
        for condition in (placed.rule.when, *(block.when for block in placed.rule.blocks)):
            for test in tests_of(condition):
                if "_list" in test.operator or test.operator == "texts_not_in_force":
                    kinds.setdefault(test.values[0], set()).add(code_kind(test))
    return kinds


def _check_form(row: ListRow, kinds: set[str], around: RuleSurroundings, report: Report) -> None:
    """A code that has not the form of what rules look up in its list."""
    forms = [_FORMS[kind] for kind in kinds if kind in _FORMS]
    if len(forms) != len(kinds) or not forms or any(pattern.fullmatch(row.first) for pattern, _ in forms):
        return
    what = f"row {row.row}: {row.first} is never found: list {row.list_name} is asked for {forms[0][1]}"
    place = (f"{around.directory}/lists/{row.list_name}.csv", row.row, 1)
    report.add(
        "CE123", place, what, "correct the code, or move the row to the list that it belongs to", subject=row.first
    )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _is_named(pattern: str, texts: Iterable[str]) -> bool:
    return any(re.search(pattern, text) for text in texts)


def _by_list(rows: Iterable[ListRow]) -> dict[str, list[tuple[str, str, str, str]]]:
    grouped: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in rows:
        grouped.setdefault(row.list_name, []).append((row.first, row.last, row.effective_from, row.effective_to))
    return grouped


def _dated(row: ListRow, directory: str) -> DatedRow:
    window = read_window(row.effective_from, row.effective_to, "")
    file = f"{directory}/lists/{row.list_name}.csv"
    days = (window.effective_from, window.effective_to)
    return DatedRow(file, row.row, (row.list_name,), f"list {row.list_name}", row.first, row.last, *days, (), 3)


def _check_list_row(row: ListRow, around: RuleSurroundings, report: Report) -> bool:
    """Lints of one row alone; whether it can be compared with others."""
    file, about = f"{around.directory}/lists/{row.list_name}.csv", f"row {row.row}"
    try:
        window = read_window(row.effective_from, row.effective_to, "")
    except ValueError:  # said when the list was read
        return False
    days = (window.effective_from, window.effective_to)
    if days[1] < days[0]:
        return False
    check_period(report, (file, row.row, 3), around.head, days, about)
    if row.authority and (fault := find_fault(row.authority)):
        what = f'{about}: the source "{row.authority}" {fault}'
        report.add("CE116", (file, row.row, 5), what, "name the document and the place in it", subject=row.first)
    kind = {2: MODIFIER, 5: PROCEDURE}.get(len(row.first), "")
    if len(row.first) > 2 and row.first[0].isalpha() and row.first[1].isdigit() and len(row.first) != 5:
        kind = DIAGNOSIS
    if kind:
        check_code(report, (file, row.row, 1), around.books, kind, (row.first, row.last), days, about)
    return True


def _check_switches(read: ReadRules, texts: Iterable[str], around: RuleSurroundings, report: Report) -> None:
    file = f"{around.directory}/switches.csv"
    texts, rows = list(texts), []
    for _, number, cells in read.files.switch_rows:
        name = cells["name"]
        if not _is_named(rf"\bswitch\.{re.escape(name)}(?!{_WORD})", texts):
            what = f"row {number}: no rule asks for switch {name}"
            report.add(
                "CE122", (file, number, 1), what, "ask for it (switch.NAME is …), or remove the row", subject=name
            )
        source = cells["source"]
        if not source:
            what = f"row {number}: names no source"
            place = (file, number, SWITCH_COLUMNS.index("source") + 1)
            report.add("CE115", place, what, "say who decided it, and where", subject=name)
        elif fault := find_fault(source):
            what = f'row {number}: the source "{source}" {fault}'
            mend = "name the document and the place in it"
            report.add("CE116", (file, number, SWITCH_COLUMNS.index("source") + 1), what, mend, subject=name)
        try:
            window = read_window(cells["effective_from"], cells["effective_to"], "")
        except ValueError:  # said when the table was read
            continue
        if window.effective_to < window.effective_from:
            what = f"row {number}: effective_to lies before effective_from"
            place = (file, number, SWITCH_COLUMNS.index("effective_to") + 1)
            report.add("CE106", place, what, "the last day is inclusive", subject=name)
            continue
        days = (window.effective_from, window.effective_to)
        rows.append(DatedRow(file, number, (name,), f"switch {name}", "", "", *days, (cells["value"],), 4))
    check_rows(rows, report, is_set=False)
