"""Tables get the findings of the single-claim engine: every field, in the same order, and every status."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from line_tables import disagreements
from made_release import AS_OF, random_claim

from claimedits.app.testing.case_releases import CaseReleases
from claimedits.app.testing.cases import Case, read_cases
from claimedits.app.testing.rule_sets import RuleSets
from claimedits.engine.columnar.table import TableEvaluator
from claimedits.engine.engine import Engine
from claimedits.rulesets.coverage.documents import Document, Scoped
from claimedits.rulesets.coverage.readings import Treatment

NCCI = ("PTP", "MUE", "ADD_ON_CODE")
ROOT = Path(__file__).parents[3]
CLAIMS = int(os.environ.get("CLAIMEDITS_TABLE_CLAIMS", "120"))
"""Claims of each random test; millions of lines have been compared with a larger number."""


@pytest.mark.parametrize("as_of", AS_OF)
@pytest.mark.parametrize(
    "families",
    [(), NCCI, (*NCCI, "DUPLICATE"), ("PTP",), ("MUE",), ("ADD_ON_CODE",), ("MODIFIER", "PTP"), ("COVERAGE", "ADD_ON_CODE"),
     ("CODE_VALIDITY",), ("DUPLICATE", "POLICY")],
    ids=" ".join,
)  # fmt: skip
def test_random_claims(engine: Engine, as_of: str, families: tuple[str, ...]) -> None:
    chance = Random(f"{as_of} {families}")
    claims = [random_claim(chance, number) for number in range(CLAIMS)]
    assert disagreements(engine, claims, as_of, families) == []


def test_claims_alike_get_the_numbers_and_days_of_their_own_lines(engine: Engine) -> None:
    """One claim again and again, with other line numbers and on other days: cases are decided once, and filled in."""
    chance = Random(3)
    evaluator = TableEvaluator(engine, "2024-12-01")
    for number in range(60):
        made = random_claim(chance, number)
        day = [line["service_date"] for line in made["lines"]]
        claims = []
        for step in range(6):
            shifted = [
                {**line, "line_number": line["line_number"] * (step + 1) + 7 * step, "service_date": f"2024-08-{10 + step}",
                 "service_date_end": ""}
                for line in made["lines"]
            ]  # fmt: skip
            claims.append({**made, "claim_id": f"{number}/{step}", "lines": shifted, "history_lines": []})
        assert day
        assert disagreements(engine, claims, "2024-12-01", evaluator=evaluator) == []


@pytest.mark.parametrize("rows", [1, 2, 7, 50])
def test_where_a_table_is_cut_changes_nothing(engine: Engine, rows: int) -> None:
    chance = Random(rows)
    claims = [random_claim(chance, number) for number in range(60)]
    assert disagreements(engine, claims, "2024-08-10", rows=rows) == []


def test_forgetting_what_was_kept_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claimedits.engine.columnar.cases.MOST_KEPT", 50)
    chance = Random(11)
    claims = [random_claim(chance, number) for number in range(120)]
    assert disagreements(engine, claims, "2024-12-01", rows=40) == []


def test_coverage_that_reads_other_lines(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text may deny a code beside others: then the lines of a claim do not stand alone."""
    scoped_to = Document.scoped_to

    def denied_beside(document: Document, code: str) -> Scoped:
        scoped = scoped_to(document, code)
        denied = replace(scoped.reading, treatment=Treatment.DENIED, beside=frozenset(("G0102",)))
        return scoped._replace(reading=denied, is_plain=False)

    monkeypatch.setattr(Document, "scoped_to", denied_beside)
    chance = Random(21)
    claims = [random_claim(chance, number) for number in range(CLAIMS)]
    assert disagreements(engine, claims, "2024-12-01", ("COVERAGE",)) == []
    said = [finding for claim in claims for finding in engine.evaluate(claim, "2024-12-01", ("COVERAGE",)).findings]
    assert any("the text lists the code as not covered" in finding.message for finding in said)


def _known_cases() -> list[Case]:
    data = os.environ.get("CLAIMEDITS_DATA")
    shared = Path(data).parent / "spec" / "known_answers.jsonl" if data else None
    path = shared if shared and shared.exists() else ROOT / "tests" / "conformance" / "own_cases.jsonl"
    return [case for case in read_cases(path) if isinstance(case, Case)]


def test_known_answers_as_tables() -> None:
    releases = CaseReleases(RuleSets(ROOT / "rules"))
    wrong = {}
    try:
        for case in _known_cases():
            engine = Engine(releases.open(case))
            found = disagreements(engine, [case.claim], case.as_of, [f.name for f in case.families])
            if found:
                wrong[case.id] = found
    finally:
        releases.close()
    assert wrong == {}


def test_a_claim_of_999_lines(engine: Engine) -> None:
    chance = Random(999)
    claim = random_claim(chance, 1)
    lines = [
        {**random_claim(chance, 0)["lines"][0], "line_number": n, "diagnosis_pointers": []} for n in range(1, 1000)
    ]
    claim |= {
        "setting": "PRACTITIONER",
        "lines": [{**line, "procedure_code": line["procedure_code"] or "G0102"} for line in lines],
    }
    assert disagreements(engine, [claim, random_claim(chance, 2)], "2024-12-01", NCCI) == []
