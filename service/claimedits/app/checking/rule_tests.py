"""Lints of the tests beside authored rules: rules that none covers, and tests that say nothing.

Whether the tests pass is for ``claim-edits test``; nothing is decided here but whether a test could be answered at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from claimedits.app.checking.exercised_rules import Exerciser
from claimedits.app.checking.problem_places import as_finding
from claimedits.engine.authored.rule_tests import RuleTest, claim_of, read_rule_tests
from claimedits.model.dates import FOREVER, Day, format_day, parse_day
from claimedits.model.problems import ClaimInvalidError, ImportRefusedError, Problem
from claimedits.rulesets.authored.checking import PlacedRule
from claimedits.rulesets.authored.compiler import KIND, ReadRules
from claimedits.rulesets.authored.rule import Rule
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.windows import BEGINNING

_FAR = 31
"""Days from the window of a rule within which a test is held to be about its first or last day."""


def check_tests(path: Path, directory: str, read: ReadRules, report: Report) -> None:
    """What the tests of a rule set in ``path`` leave out, and what they say in vain; ``directory`` names it in findings."""
    if not read.placed:
        return
    try:
        tests = read_rule_tests(path)
    except ImportRefusedError as error:
        for problem in error.problems:
            _add_file_problem(directory, problem, report)
        return
    ids = {placed.rule.id for placed in read.placed}
    for test in tests:
        _check_form(directory, test, ids if not read.problems else None, report)
    _check_names(directory, tests, report)
    _check_coverage(directory, tests, read, report)
    _check_days(directory, tests, read.placed, report)
    if not read.problems:
        _check_payers(directory, tests, read, report)
        _check_exercise(path, directory, tests, report)


def _add_file_problem(directory: str, problem: Problem, report: Report) -> None:
    lint_id = "CE205" if problem.what == "is missing" else "CE206"
    place = as_finding(directory, KIND, problem, report)
    what = "the rule set has no tests" if lint_id == "CE205" else problem.what
    report.add(lint_id, (place.file, place.row, place.column), what, problem.mend)


def _place(directory: str, test: RuleTest) -> tuple[str, int, int]:
    return f"{directory}/{test.file}", test.row, test.column


def _say(test: RuleTest) -> str:
    return f'test "{test.why}"' if test.why else "a test"


def _expected(test: RuleTest) -> list[tuple[int, str]]:
    """(line, rule) of every expectation that is understood."""
    found = []
    expect = test.fields.get("expect", ())
    for words in expect if isinstance(expect, list) else ():
        parts = str(words).split()
        if len(parts) >= 3 and parts[0].isdigit():
            found.append((int(parts[0]), parts[1]))
    return found


def _check_form(directory: str, test: RuleTest, ids: set[str] | None, report: Report) -> None:
    for problem in test.problems:
        place = as_finding(directory, KIND, problem, report)
        what = f"{_say(test)}: {problem.what}"
        report.add("CE206", (place.file, place.row, place.column), what, problem.mend)
    lines = test.fields.get("line", [])
    count = len(lines) if isinstance(lines, list) else 0
    named = _expected(test)
    for line, rule in named:
        if ids is not None and rule not in ids:
            near = suggest(rule, ids) or "correct the id, or write the rule"
            report.add("CE207", _place(directory, test), f"{_say(test)} expects rule {rule}, which is not there", near)
        if line > count:
            what = f"{_say(test)} expects a finding on line {line}, and has {count}"
            report.add("CE206", _place(directory, test), what, "number lines from 1")
    chosen = test.fields.get("rules")
    for rule in chosen if isinstance(chosen, list) else ():
        if ids is not None and rule not in ids and not any(i.startswith(f"{rule}.") for i in ids):
            near = suggest(str(rule), ids) or "correct the id, or write the rule"
            report.add("CE207", _place(directory, test), f"{_say(test)} is about rule {rule}, which is not there", near)


def _check_names(directory: str, tests: Sequence[RuleTest], report: Report) -> None:
    first: dict[str, RuleTest] = {}
    for test in tests:
        before = first.setdefault(test.why, test)
        if test.why and before is not test:
            what = f"{_say(test)} stands twice, first at {before.file}:{before.row}"
            report.add("CE204", _place(directory, test), what, "say in each what sets it apart", subject=test.why)


def _check_coverage(directory: str, tests: Sequence[RuleTest], read: ReadRules, report: Report) -> None:
    fired = {rule for test in tests for _, rule in _expected(test)}
    said = set()
    for placed in read.placed:
        if placed.rule.id not in fired and placed.rule.id not in said:
            said.add(placed.rule.id)
            row, column = placed.file.place((*placed.path, "id"))
            what = f"no test makes rule {placed.rule.id} fire"
            mend = f'write one in tests.toml with expect = ["1 {placed.rule.id} {placed.rule.status.name}"]'
            report.add("CE201", (f"{directory}/{placed.file.name}", row, column), what, mend, rule=placed.rule.id)


def _days_of(test: RuleTest) -> list[Day]:
    """The first day of each line; BEGINNING where it has none that is understood."""
    days = []
    lines = test.fields.get("line", ())
    for line in lines if isinstance(lines, list) else ():
        try:
            days.append(parse_day(str(line.get("date", ""))))
        except (ValueError, AttributeError):
            days.append(BEGINNING)
    return days


def _holds(rules: Sequence[Rule]) -> str:
    spans = []
    for rule in sorted(rules, key=lambda r: r.effective_from):
        first = "" if rule.effective_from == BEGINNING else f"from {format_day(rule.effective_from)}"
        last = "on" if rule.effective_to == FOREVER else f"to {format_day(rule.effective_to)}"
        spans.append(" ".join(filter(None, (first, last))))
    return ", and ".join(spans)


def _check_days(directory: str, tests: Sequence[RuleTest], placed: Sequence[PlacedRule], report: Report) -> None:
    """An expectation on a day on which no version of its rule is in force."""
    versions: dict[str, list[Rule]] = {}
    for p in placed:
        versions.setdefault(p.rule.id, []).append(p.rule)
    for test in tests:
        days = _days_of(test)
        for line, rule in _expected(test):
            day = days[line - 1] if 0 < line <= len(days) else BEGINNING
            own = versions.get(rule, [])
            if day == BEGINNING or not own or any(r.effective_from <= day <= r.effective_to for r in own):
                continue
            what = f"{_say(test)} expects rule {rule} on {format_day(day)}; it holds {_holds(own)}"
            mend = "date the line within it, or expect nothing"
            report.add("CE203", _place(directory, test), what, mend, rule=rule)


def _check_payers(directory: str, tests: Sequence[RuleTest], read: ReadRules, report: Report) -> None:
    """A payer that is nearly one of the rule set's: the test passes because no rule is asked."""
    payers = read.files.head.get("payers", [])
    for test in tests:
        payer = test.fields.get("payer")
        if isinstance(payer, str) and payer and payers and payer not in payers:
            near = suggest(payer, payers)
            if near.startswith("did"):
                what = f"{_say(test)} is of payer {payer}, and the rule set is for {', '.join(payers)}"
                report.add("CE202", _place(directory, test), what, near)


def _check_exercise(path: Path, directory: str, tests: Sequence[RuleTest], report: Report) -> None:
    """Tests that expect nothing, and whose lines no rule could answer."""
    exerciser = Exerciser(path)
    for test in tests:
        if test.problems or test.fields.get("expect") != []:
            continue
        if not test.fields.get("line"):
            what = f"{_say(test)} has no line, so no rule is asked"
            report.add("CE202", _place(directory, test), what, 'write line = [{ code = "…", date = "…" }]')
            continue
        try:
            touched = exerciser.touched(test.fields, claim_of(test.fields))
        except ClaimInvalidError as error:
            problem = error.problems[0]
            report.add("CE206", _place(directory, test), f"{_say(test)}: {problem.where} {problem.what}", problem.mend)
            continue
        if not touched:
            what = f"{_say(test)} exercises nothing: no rule asks for the codes, modifiers or places of its lines"
            mend = "give it a line that a rule could answer, and let one thing keep it from firing"
            report.add("CE202", _place(directory, test), what, mend)
            continue
        far = [rule for rule in touched if all(_distance(rule, day) > _FAR for day in _days_of(test))]
        if far and len(far) == len(touched):
            rule = min(far, key=lambda r: min(_distance(r, day) for day in _days_of(test)))
            what = f"{_say(test)} lies on days on which rule {rule.id} is not in force; it holds {_holds([rule])}"
            mend = "date its lines within the rule, or on the day before or after it"
            report.add("CE203", _place(directory, test), what, mend, rule=rule.id)


def _distance(rule: Rule, day: Day) -> int:
    """Days between a day and the window of a rule; 0 = within it."""
    return max(rule.effective_from - day, day - rule.effective_to, 0)
