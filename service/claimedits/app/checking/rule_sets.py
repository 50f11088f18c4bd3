"""Looks at the rule sets of a directory: what keeps them from compiling, and what is odd in what does compile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from claimedits.app.building import COMPILERS, find_rule_sets
from claimedits.app.checking.problem_places import as_finding, place_tables
from claimedits.app.checking.rule_tests import check_tests
from claimedits.app.shipped import find_rules
from claimedits.model.dates import today
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.authored.compiler import read_rules
from claimedits.rulesets.authored.stray_files import find_unread_rules
from claimedits.rulesets.coverage.roles import KIND as COVERAGE
from claimedits.rulesets.lints.authored_rules import RuleSurroundings, check_head
from claimedits.rulesets.lints.authored_sets import check_rule_set
from claimedits.rulesets.lints.code_books import MODIFIER, CodeBook, read_books, read_forms, read_modifier_list
from claimedits.rulesets.lints.coverage_roles import check_roles
from claimedits.rulesets.lints.laboratory_lists import check_laboratory_list, is_laboratory_list
from claimedits.rulesets.lints.lint import LintFinding, order_findings
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.settings import FILE as SETTINGS_FILE
from claimedits.rulesets.lints.settings import LintSettings, read_settings
from claimedits.rulesets.lints.table_rows import check_tables
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import TABLES, ReadTables, read_rule_set_head, read_tables


def check_rules(directory: Path, settings: LintSettings | None = None, store: Store | None = None) -> list[LintFinding]:
    """Everything that is wrong or odd in the rule sets of a directory, or in the one that it is; empty when all is well.

    Args:
        settings: as ``lints.toml`` says; None = the files of that name in the directory and in its rule sets.
        store: its code lists tell which codes are unknown or have ended.

    Raises:
        ImportRefusedError: there is no rule set.
        StoreError: a code list of the store is damaged.
    """
    paths = find_rule_sets(directory)
    if settings is None:
        settings = find_settings(directory, paths)
    books = _books(store)
    found = _same_ids(paths)
    for path in paths:
        found += _check_one(path, path.as_posix(), books)
    if paths != [directory]:
        unread = find_unread_rules(directory)
        found += [as_finding(directory.as_posix(), AUTHORED, problem, Report()) for problem in unread]
    for file in sorted(directory.glob("*/*.csv")):
        if not (file.parent / "rule-set.toml").exists() and is_laboratory_list(file):
            report = Report(file.parent.name)
            check_laboratory_list(file, file.as_posix(), books, report)
            found += report.findings
    # "./policy.toml" is policy.toml
    found = [replace(finding, file=finding.file.removeprefix("./")) for finding in found]
    return order_findings(settings.apply(found, today(), looked=("rules", "tests")))


def _same_ids(paths: Sequence[Path]) -> list[LintFinding]:
    """Rule sets with one id: the revision of one would take the place of the other's."""
    report, first = Report(), dict[str, Path]()
    for path in paths:
        identifier = str(read_rule_set_head(path, []).get("id", ""))
        before = first.setdefault(identifier, path)
        if identifier and before != path:
            place = (f"{path.as_posix()}/rule-set.toml", 1, 1)
            what = f"the rule set has the id {identifier}, and so has {before.name}"
            report.add("CE103", place, what, "give each rule set an id of its own", subject=identifier)
    return report.findings


def find_settings(directory: Path, paths: Sequence[Path]) -> LintSettings:
    """The settings of a directory of rule sets, and those of each rule set, which reach no further than its own files.

    A rule set that is checked alone still follows the settings of the directory around it.
    """
    joined = LintSettings()
    for path in paths:
        if path != directory and (path / SETTINGS_FILE).exists():
            shown = path.as_posix()
            own = read_settings(path / SETTINGS_FILE, f"{shown}/{SETTINGS_FILE}")
            joined = joined.joined(own.limited(f"{shown}/"))
    if (directory / SETTINGS_FILE).exists():
        name = (directory / SETTINGS_FILE).as_posix()
        joined = joined.joined(read_settings(directory / SETTINGS_FILE, name))
    around = directory.resolve().parent / SETTINGS_FILE
    if paths == [directory] and around.exists():
        joined = joined.joined(
            read_settings(around, f"{directory.parent.as_posix()}/{SETTINGS_FILE}").limited(judged=False)
        )
    return joined


def _books(store: Store | None) -> dict[str, CodeBook]:
    rules = find_rules()
    books = read_books(store, read_forms(rules / "lints" / "code-forms.toml"))
    shipped = read_rules(rules / "medicare-modifier-requirements").files
    if MODIFIER not in books or "numbers" not in books[MODIFIER].classes:
        # HCPCS files hold no CPT modifiers: the shipped list does.
        listed = read_modifier_list(row for _, row in shipped.list_rows if row.list_name == "modifiers")
        books[MODIFIER] = _joined(listed, books.get(MODIFIER))
    return books


def _joined(listed: CodeBook, loaded: CodeBook | None) -> CodeBook:
    if loaded is None:
        return listed
    names, spans = [*loaded.names, *listed.names], {**listed.spans, **loaded.spans}
    return CodeBook(MODIFIER, names, spans, loaded.classes | listed.classes)


def _check_one(path: Path, shown: str, books: dict[str, CodeBook]) -> list[LintFinding]:
    head_problems: list[Problem] = []
    head = read_rule_set_head(path, head_problems)
    kind = str(head.get("kind", ""))
    report = Report(str(head.get("id", "")))
    problems: Sequence[Problem]
    if kind == AUTHORED or (kind not in COMPILERS and _looks_authored(path)):
        read = read_rules(path)
        problems = read.problems
        check_rule_set(read, RuleSurroundings(shown, read.files.head, books, _adjusted_codes(path)), report)
        check_tests(path, shown, read, report)
    elif kind in TABLES or kind not in COMPILERS:
        tables = read_tables(path)
        problems = tables.problems
        check_head(head, shown, report)
        check_tables(tables, shown, books, _shipped(kind), report)
    else:
        problems = _compile_roles(path, shown, kind, report)
        check_head(head, shown, report)
    said = [as_finding(shown, kind, problem, report) for problem in problems]
    if kind == COVERAGE:
        return [place_tables(path, finding) for finding in (*said, *report.findings)]
    places = {(f.file, f.row, f.lint.id) for f in said}
    return [*said, *(f for f in report.findings if (f.file, f.row, f.lint.id) not in places)]


def _looks_authored(path: Path) -> bool:
    return any("[[rule]]" in file.read_text(encoding="utf-8", errors="replace") for file in path.glob("*.toml"))


def _compile_roles(path: Path, shown: str, kind: str, report: Report) -> Sequence[Problem]:
    """What keeps curated roles from compiling; else halves of pairs whose other half nobody states."""
    assert kind == COVERAGE
    try:
        draft = COMPILERS[kind](path)
    except ImportRefusedError as error:
        return error.problems
    check_roles(draft, shown, report)
    return ()


def _shipped(kind: str) -> ReadTables | None:
    """The rule set of the package whose names the engine asks for."""
    name = {"conventions": CONVENTIONS, "duplicates": "duplicates"}.get(kind)
    return read_tables(find_rules() / name) if name else None


def _adjusted_codes(path: Path) -> frozenset[str]:
    """Finding codes with adjustment codes, in the conventions beside a rule set, or in those of the package."""
    beside = path.parent / CONVENTIONS
    tables = read_tables(beside if (beside / "adjustments.csv").exists() else find_rules() / CONVENTIONS).tables
    return frozenset(cells[0].partition(".")[0] for _, cells in tables.get("adjustments", []))
