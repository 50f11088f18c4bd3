"""Runs the tests that stand beside authored rules: ``tests.toml`` or ``*.tests.toml`` (rules/README.md, "Tests").

A test states a claim in a few words and every rule that shall fire on it, no more and no less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.facts import DIAGNOSES, FEE_SCHEDULE, MODIFIERS
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.finding import Adjustment, Detail, Finding, MueDetail, PtpDetail
from claimedits.model.problems import ClaimInvalidError, ImportRefusedError, Problem
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX, AuthoredRules
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.fields import RuleFile
from claimedits.rulesets.authored.reading import read_rule_file
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
    problems: list[Problem] = []
    files = [
        file
        for path in sorted(directory.glob("*tests.toml"))
        if (file := read_rule_file(path.name, path.read_bytes(), problems)) is not None
    ]
    if not files and not problems:
        problems.append(
            Problem(
                "tests.toml:1:1", "is missing", "write tests beside the rules, for the pass, the fail and the first day"
            )
        )
    results: list[RuleTestResult] = []
    if not problems:
        with evaluators.using(evaluator) if evaluator else evaluators.using(evaluators.current().name):
            results = [result for file in files for result in _run_file(file, draft, conventions)]
    if problems:
        raise ImportRefusedError(problems, f"{directory.name}: its tests cannot be read")
    return results


def untested_rules(directory: Path) -> list[str]:
    """Ids of rules that no test makes fire."""
    fired = set()
    problems: list[Problem] = []
    for path in sorted(directory.glob("*tests.toml")):
        file = read_rule_file(path.name, path.read_bytes(), problems)
        for test in file.values.get("test", ()) if file else ():
            fired |= {str(words).split()[1] for words in test.get("expect", ()) if len(str(words).split()) > 1}
    return sorted({row["rule_id"] for row in compile_rules(directory)[0].tables["rules"].to_pylist()} - fired)


def _run_file(file: RuleFile, draft: RevisionDraft, conventions: RevisionDraft) -> Iterator[RuleTestResult]:
    for i, test in enumerate(file.values.get("test", ())):
        row, column = file.place(("test", i))
        where = f"{file.name}:{row}:{column}"
        why = str(test.get("why", ""))
        unknown = [name for name in test if name not in TEST_FIELDS]
        unknown += [
            name
            for line in [*test.get("line", ()), *test.get("history", ())]
            for name in line
            if name not in LINE_FIELDS
        ]
        if unknown or not why or "expect" not in test:
            what = f"unknown fields: {', '.join(unknown)}" if unknown else "a test has a why and an expect"
            yield RuleTestResult(where, why, (what,))
            continue
        try:
            got = _fired(test, draft, conventions)
        except ClaimInvalidError as error:
            yield RuleTestResult(where, why, tuple(map(str, error.problems)))
            continue
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield RuleTestResult(where, why, (f"a field of the test is missing or has another form: {error}",))
            continue
        expected = sorted(" ".join(str(words).split()) for words in test["expect"])
        differences = [f"expected {words}, it did not fire" for words in expected if words not in got]
        differences += [f"{words} fired, not expected" for words in got if words not in expected]
        yield RuleTestResult(where, why, tuple(differences))


def _fired(test: Mapping[str, Any], draft: RevisionDraft, conventions: RevisionDraft) -> list[str]:
    """``line rule status`` of every finding of the rules under test."""
    prefix = f"{draft.header.rule_set}/"
    return sorted(
        f"{f.line_number} {f.rule_id.removeprefix(prefix)} {f.status.name}"
        for f in evaluate_test(test, claim_of(test), draft, conventions).findings
        if f.rule_id.startswith(prefix)
    )


def evaluate_test(
    test: Mapping[str, Any], claim: Mapping[str, Any], draft: RevisionDraft, conventions: RevisionDraft
) -> Evaluation:
    """The evaluation of a claim (JSON fields) under the rules and reference rows of a test."""
    family = Family[draft.header.attributes["family"]]
    as_of = parse_day(test.get("as_of", "2026-01-01"))
    evaluation = Evaluation(read_claim(claim), _release(test, draft, conventions), as_of, frozenset(Family))
    numbers = [line.line_number for line in evaluation.claim.lines]
    for finding in map(_finding, test.get("findings", ())):
        evaluation.add(numbers.index(finding.line_number), finding)
    evaluate_family(evaluation, family, draft.header.rule_set)
    return evaluation


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


def _release(test: Mapping[str, Any], draft: RevisionDraft, conventions: RevisionDraft) -> LoadedRelease:
    """A release in memory: the rules, the conventions, and the reference rows that the test states."""
    sets = [
        _loaded(draft.header.rule_set, "authored", draft.header, (_content(draft, test.get("rules")),)),
        _loaded(CONVENTIONS, "conventions", conventions.header, (_Switched(conventions, test.get("switches", {})),)),
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


def _content(draft: RevisionDraft, rules: list[str] | None) -> AuthoredRules:
    content = AUTHORED_INDEX.open_tables({name: table.to_pylist() for name, table in draft.tables.items()})
    if rules is None:
        return content
    kept = tuple(
        r for r in content.rules if any(r.rule.id == name or r.rule.id.startswith(f"{name}.") for name in rules)
    )
    return AuthoredRules(kept, content.lists, content.switches)


class _Switched(Conventions):
    """The conventions of the project, with the switches that a test sets."""

    def __init__(self, draft: RevisionDraft, switches: Mapping[str, str]) -> None:
        super().__init__({name: table.to_pylist() for name, table in draft.tables.items()})
        self._set = switches

    def switch(self, name: str, day: int) -> str:
        return self._set.get(name) or super().switch(name, day)


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
