"""Runs the tests that stand beside authored rules: ``tests.toml`` or ``*.tests.toml`` (rules/README.md, "Tests").

A test states a claim in a few words and every rule that shall fire on it, no more and no less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.facts import DIAGNOSES, FEE_SCHEDULE, MODIFIERS
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.engine.expectations import Difference, FieldDifference
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.finding import Adjustment, Detail, Finding, MueDetail, PtpDetail
from claimedits.model.problems import ClaimInvalidError, ImportRefusedError, Problem
from claimedits.model.terms import DetailLevel, Family, Status
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX, AuthoredRules
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.fields import RuleFile
from claimedits.rulesets.authored.reading import read_rule_file
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.authored.vocabulary import OUTCOMES
from claimedits.rulesets.code_sets import CodeRow
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.loaded import CONVENTIONS, LoadedRelease, LoadedRuleSet
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, RevisionInfo
from claimedits.rulesets.table_rules import compile_table_rules
from claimedits.rulesets.versions import Editions
from claimedits.rulesets.windows import BEGINNING

TEST_FIELDS = (
    "why", "rules", "program", "setting", "payer", "state", "billing_provider", "patient", "diagnoses", "clia_certificate",
    "prior_authorization", "condition_codes", "type_of_bill", "as_of", "line", "history", "fee_schedule", "modifiers", "diagnosis_titles",
    "findings", "switches", "expect",
)  # fmt: skip
LINE_FIELDS = {
    "code": "procedure_code", "modifiers": "modifiers", "units": "units", "date": "service_date", "date_end": "service_date_end",
    "pointers": "diagnosis_pointers", "provider": "rendering_provider_id", "specialty": "rendering_specialty",
    "place": "place_of_service", "revenue_code": "revenue_code", "charge_cents": "charge_cents",
    "non_covered_charge_cents": "non_covered_charge_cents", "claim_id": "claim_id", "paid": "paid",
}  # fmt: skip
_ALWAYS = "1900-01-01"


TOP_FIELDS = ("test", "equivalent")
"""``equivalent`` silences mutants, with a reason (docs/testing-rules.md)."""


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test as it stands beside the rules."""

    file: str
    row: int
    column: int
    why: str
    fields: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()
    """What keeps the test from running, each at its ``file:row:column``."""

    @property
    def where(self) -> str:
        return f"{self.file}:{self.row}:{self.column}"


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """One test: where it stands, what it shows, and what went otherwise; empty = passed."""

    where: str
    why: str
    differences: tuple[str, ...]


def run_rule_tests(
    directory: Path, evaluator: str = "", conventions_directory: Path | None = None
) -> list[RuleTestResult]:
    """Every test beside the rules of ``directory``, with the evaluator named (empty = the process's own).

    ``conventions_directory`` holds the conventions to decide with; without it, those beside ``directory``.

    Raises:
        ImportRefusedError: the rules do not compile, or a test file cannot be read; with every problem.
    """
    draft = compile_rules(directory)[0]
    conventions = compile_table_rules(conventions_directory or directory.parent / CONVENTIONS)
    results = []
    with evaluators.using(evaluator or evaluators.current().name):
        for test in read_rule_tests(directory):
            said = tuple(f"{p.what}; {p.mend}" if p.mend else p.what for p in test.problems)
            if not said:
                try:
                    findings = evaluate_test(test.fields, claim_of(test.fields), draft, conventions).findings
                    said = tuple(map(str, find_differences(test, findings, draft.header.rule_set)))
                except ClaimInvalidError as error:
                    said = tuple(map(str, error.problems))
            results.append(RuleTestResult(test.where, test.why, said))
    return results


def read_test_files(directory: Path, problems: list[Problem]) -> list[RuleFile]:
    """The files of tests beside rules; what cannot be read goes to ``problems``."""
    paths = sorted(directory.glob("*tests.toml"))
    files = [file for path in paths if (file := read_rule_file(path.name, path.read_bytes(), problems)) is not None]
    for file in files:
        for name in file.values:
            if name not in TOP_FIELDS:
                file.add((name,), f"a file of tests has no {name}", suggest(name, TOP_FIELDS), key=True)
        for name in TOP_FIELDS:
            value = file.values.get(name, [])
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                file.add((name,), f"{name} is not a list of tables", f"write [[{name}]] above its fields")
    return files


def read_rule_tests(directory: Path) -> list[RuleTest]:
    """The tests beside the rules of ``directory``, in the order of files and rows. A malformed one carries its problems.

    Raises:
        ImportRefusedError: a test file cannot be read, or there is none; with every problem.
    """
    problems: list[Problem] = []
    files = read_test_files(directory, problems)
    if not files and not problems:
        mend = "write tests beside the rules, for the pass, the fail and the first day"
        problems.append(Problem("tests.toml:1:1", "is missing", mend))
    if problems:
        raise ImportRefusedError(problems, f"{directory.name}: its tests cannot be read")
    return [_read_test(file, i, test) for file in files for i, test in enumerate(file.values.get("test", ()))]


def _read_test(file: RuleFile, number: int, test: Mapping[str, Any]) -> RuleTest:
    problems: list[Problem] = []

    def add(path: tuple[str | int, ...], what: str, mend: str = "") -> None:
        place = file.place(("test", number, *path))
        problems.append(Problem(f"{file.name}:{place.row}:{place.column}", what, mend))

    for name in test:
        if name not in TEST_FIELDS:
            add((name,), f"a test has no field {name}", suggest(name, TEST_FIELDS))
    for kind in ("line", "history"):
        lines = test.get(kind, [])
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            add((kind,), f"{kind} is not a list of lines", f'write {kind} = [{{ code = "…", date = "…" }}]')
            continue
        for i, line in enumerate(lines):
            for name in line:
                if name not in LINE_FIELDS:
                    add((kind, i, name), f"a line of a test has no field {name}", suggest(name, LINE_FIELDS))
    for name in ("why", "expect"):
        if name not in test:
            add((), f"the test has no {name}", "a test has a why, a line and an expect")
    expect = test.get("expect", [])
    if not _are_texts(expect):
        add(
            ("expect",), "expect is not a list of texts", 'write expect = ["1 rule-id FAIL"], or [] where nothing fires'
        )
    else:
        for i, words in enumerate(expect):
            what = _refuse_expected(words)
            if what:
                add(("expect", i), what, "write line, rule, status, such as 1 rule-id FAIL")
    place = file.place(("test", number))
    return RuleTest(file.name, place.row, place.column, str(test.get("why", "")), test, tuple(problems))


def _are_texts(expect: object) -> TypeGuard[list[str]]:
    return isinstance(expect, list) and all(isinstance(words, str) for words in expect)


def _refuse_expected(words: str) -> str:
    parts = words.split()
    if not 3 <= len(parts) <= 4:
        return f"{words!r} is not understood"
    if not parts[0].isdigit():
        return f"{parts[0]} is no number of a line"
    return "" if parts[2] in OUTCOMES else f"{parts[2]} is no status of a rule"


def find_differences(test: RuleTest, findings: Iterable[Finding], rule_set: str) -> list[Difference]:
    """What fired on the lines of a test otherwise than it expects: no more and no less than its ``expect``."""
    prefix = f"{rule_set}/"
    left = sorted((f for f in findings if f.rule_id.startswith(prefix)), key=lambda f: (f.line_number, f.rule_id))
    differences, missing = [], []
    expected = sorted((int(words.split()[0]), *words.split()[1:]) for words in test.fields["expect"])
    for line, rule, status, *code in expected:
        same = [f for f in left if (f.line_number, f.rule_id) == (line, prefix + rule)]
        found = next((f for f in same if f.status.name == status and (not code or f.code in code)), None)
        if found is None:
            missing.append((line, rule, status, code))
        else:
            left.remove(found)
    for line, rule, status, code in missing:
        found = next((f for f in left if (f.line_number, f.rule_id) == (line, prefix + rule)), None)
        if found is None:
            differences.append(Difference("missing", line, rule, " ".join((status, *code))))
            continue
        left.remove(found)
        pairs = (("status", status, found.status.name), ("code", code[0] if code else found.code, found.code))
        fields = tuple(FieldDifference(*pair) for pair in pairs if pair[1] != pair[2])
        differences.append(Difference("differs", line, rule, "", fields))
    for f in left:
        text = f"{f.status.name} {f.code}: {f.message}"
        differences.append(Difference("unexpected", f.line_number, f.rule_id.removeprefix(prefix), text))
    return sorted(differences, key=lambda d: (d.line_number, d.subject, d.kind))


def untested_rules(directory: Path) -> list[str]:
    """Ids of rules that no test makes fire."""
    fired = set()
    for file in read_test_files(directory, []):
        for test in file.values.get("test", ()):
            expect = test.get("expect")
            fired |= (
                {words.split()[1] for words in expect if len(str(words).split()) > 1} if _are_texts(expect) else set()
            )
    return sorted({row["rule_id"] for row in compile_rules(directory)[0].tables["rules"].to_pylist()} - fired)


def evaluate_test(
    test: Mapping[str, Any], claim: Mapping[str, Any], draft: RevisionDraft, conventions: RevisionDraft
) -> Evaluation:
    """The evaluation of a claim (JSON fields) under the rules and reference rows of a test."""
    content = AUTHORED_INDEX.open_tables({name: table.to_pylist() for name, table in draft.tables.items()})
    tables = {name: table.to_pylist() for name, table in conventions.tables.items()}
    opened = Conventions(set_switches(tables, test.get("switches", {})))
    return evaluate_with(test, claim, draft.header, select_rules(content, test.get("rules")), opened)


def evaluate_with(
    test: Mapping[str, Any],
    claim: Mapping[str, Any],
    header: RevisionHeader,
    content: AuthoredRules,
    conventions: Conventions,
    detail: DetailLevel = DetailLevel.FINDINGS,
) -> Evaluation:
    """The evaluation of a claim (JSON fields) under opened rules and conventions, and the reference rows of a test.

    Raises:
        ClaimInvalidError: the claim, or a field of the test, is malformed.
    """
    family = Family[header.attributes["family"]]
    try:
        as_of = parse_day(test.get("as_of", "2026-01-01"))
        release = _release(test, header, content, conventions)
        supposed = [_finding(fields) for fields in test.get("findings", ())]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = Problem("test", f"a field is missing or has another form ({error})", "write it as in rules/README.md")
        raise ClaimInvalidError([problem]) from None
    evaluation = Evaluation(read_claim(claim), release, as_of, frozenset(Family), detail)
    numbers = [line.line_number for line in evaluation.claim.lines]
    for finding in supposed:
        if finding.line_number not in numbers:
            what = f"a finding is supposed on line {finding.line_number}, which the test does not have"
            raise ClaimInvalidError([Problem("findings", what, "number lines from 1")])
        evaluation.add(numbers.index(finding.line_number), finding)
    evaluate_family(evaluation, family, header.rule_set)
    return evaluation


def select_rules(content: AuthoredRules, rules: Sequence[str] | None) -> AuthoredRules:
    """Just the rules named, or whose first part is; all where none is named."""
    if rules is None:
        return content
    kept = tuple(
        r for r in content.rules if any(r.rule.id == name or r.rule.id.startswith(f"{name}.") for name in rules)
    )
    return AuthoredRules(kept, content.lists, content.switches)


def set_switches(
    tables: Mapping[str, list[dict[str, Any]]], switches: Mapping[str, str]
) -> Mapping[str, list[dict[str, Any]]]:
    """Tables of conventions with some switches set for all days; a switch that is not there stays so."""
    if not switches:
        return tables
    changed = [
        {**row, "value": switches[row["name"]], "effective_from": "", "effective_to": ""}
        if row["name"] in switches
        else row
        for row in tables.get("switches", [])
    ]
    return {**tables, "switches": changed}


def _line(fields: Mapping[str, Any], number: int, **more: Any) -> dict[str, Any]:
    """A line of a claim from the short names of a test; numbers and dates become texts, as claims have them."""
    named = {LINE_FIELDS[k]: str(v) if k in ("units", "date", "date_end") else v for k, v in fields.items()}
    return {"units": "1", "line_number": number, **more, **named}


def claim_of(test: Mapping[str, Any]) -> dict[str, Any]:
    """The claim of a test as JSON fields."""
    lines = [_line(fields, i) for i, fields in enumerate(test.get("line", ()), 1)]
    history = [_line(fields, i, claim_id="H") for i, fields in enumerate(test.get("history", ()), 1)]
    return {
        "claim_id": "T",
        "program": test.get("program", "MEDICARE"),
        "setting": test.get("setting", "PRACTITIONER"),
        "billing_provider_id": test.get("billing_provider", "1234567893"),
        "state": test.get("state", "PA"),
        "patient": test.get("patient", {}),
        "payer_id": test.get("payer", ""),
        "clia_certificate": test.get("clia_certificate", ""),
        "prior_authorization_number": test.get("prior_authorization", ""),
        "type_of_bill": test.get("type_of_bill", ""),
        **({"condition_codes": test["condition_codes"]} if "condition_codes" in test else {}),
        "diagnoses": test.get("diagnoses", []),
        "lines": lines,
        "history_lines": history,
    }


def _finding(fields: Mapping[str, Any]) -> Finding:
    """A finding of another family that the test supposes."""
    mai, indicator = fields.get("mai"), fields.get("modifier_indicator")
    return Finding(
        rule_id=fields["rule"],
        family=Family[fields["family"]],
        status=Status[fields["status"]],
        line_number=fields["line"],
        code=fields.get("code", ""),
        message="",
        adjustment=Adjustment("CO", fields["carc"]) if "carc" in fields else None,
        detail=Detail(
            mue=MueDetail(None, mai, "", "") if mai else None, ptp=PtpDetail("", "", indicator) if indicator else None
        ),
    )


def _release(
    test: Mapping[str, Any], header: RevisionHeader, content: AuthoredRules, conventions: Conventions
) -> LoadedRelease:
    """A release in memory: the rules, the conventions, and the reference rows that the test states."""
    sets = [
        _loaded(header.rule_set, "authored", header, (content,)),
        _loaded(CONVENTIONS, "conventions", None, (conventions,)),
    ]
    if "fee_schedule" in test:
        sets.append(_loaded(FEE_SCHEDULE, "pfs", None, _FeeRows(test["fee_schedule"])))
    if "modifiers" in test:
        sets.append(_loaded(MODIFIERS, "modifiers", None, _CodeRows(dict.fromkeys(test["modifiers"], ""))))
    if "diagnosis_titles" in test:
        sets.append(_loaded(DIAGNOSES, "icd10", None, _CodeRows(test["diagnosis_titles"])))
    return LoadedRelease("test", {loaded.name: loaded for loaded in sets})


def _loaded(name: str, kind: str, header: RevisionHeader | None, index: Any) -> LoadedRuleSet:
    day = parse_day(_ALWAYS)
    head = header or RevisionHeader(name, kind, "test", day, FOREVER, day, ())
    # A test asks what the rules say, not when they became known.
    head = RevisionHeader(
        head.rule_set, head.kind, head.label, head.effective_from, head.effective_to, day, head.sources, head.attributes
    )
    return LoadedRuleSet(name, kind, Editions([RevisionInfo(f"test:{name}", head, {}, 0, 0, 0)]), index)


class _FeeRows:
    """A fee schedule of the rows that a test states."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self._rows = {row["code"]: Indicators(*(row.get(name, "") for name in Indicators._fields)) for row in rows}

    def indicators(self, code: str, modifier: str, selection: object) -> Indicators | None:
        return self._rows.get(code)


class _CodeRows:
    """A code list of the rows that a test states, valid on every day."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._titles = {code.replace(".", ""): title for code, title in titles.items()}

    def windows(self, code: str) -> tuple[CodeRow, ...]:
        title = self._titles.get(code)
        return () if title is None else (CodeRow(1, BEGINNING, FOREVER, True, title, "", 0, 0),)

    def turns(self) -> set[int]:
        """Days on which a row begins or has ended: none."""
        return set()
