"""Tables get the findings of the single-claim engine: every field, in the same order, and every status."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from line_tables import disagreements
from lookup_release import Q3
from made_release import AS_OF, random_claim
from releases import mue_row, open_engine, ptp_row

from claimedits.app.testing.case_releases import CaseReleases
from claimedits.app.testing.cases import Case, read_cases
from claimedits.app.testing.rule_sets import RuleSets
from claimedits.engine.columnar.table import TableEvaluator
from claimedits.engine.engine import Engine
from claimedits.model.dates import date_of, parse_day
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


def _claim(number: int, day: str, *codes: str, history: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    lines = [
        {"line_number": place, "procedure_code": code, "units": "1", "service_date": day}
        for place, code in enumerate(codes, 3)
    ]
    return {"claim_id": f"D-{number}", "program": "MEDICARE", "setting": "PRACTITIONER", "lines": lines,
            "history_lines": history or []}  # fmt: skip


@pytest.mark.parametrize(
    "codes", [("G0123", "G2211"), ("G2211",), ("J3420", "G0123"), ("G0102", "G0102"), ("99292", "99291")]
)
def test_a_day_on_which_a_row_begins_or_ends_is_no_day_of_service(engine: Engine, codes: tuple[str, ...]) -> None:
    """Findings name such days for what they are: they may not be taken for the day of service of the claim decided first."""
    for turn in ("2024-07-10", "2024-08-20", "2024-08-21", "2024-07-31", "2024-05-01", "2024-07-01", "2024-09-30"):
        day = parse_day(turn)
        claims = [
            _claim(n, date_of(day + step).isoformat(), *codes) for n, step in enumerate((0, 1, 0, 2, -1, 9, -9, 0))
        ]
        for families in (NCCI, ("PTP",), ("MUE",), ("ADD_ON_CODE",)):
            assert disagreements(engine, claims, "2024-12-01", families) == []


def test_a_label_that_is_a_day_is_no_day_of_service(tmp_path: Path) -> None:
    later = {
        "label": "2024-08-16 r1",
        "effective_from": "2024-10-01",
        "effective_to": "2024-12-31",
        "published_on": "2024-09-01",
    }
    revisions = [{**Q3, "label": "as of 2024-08-15"}, later]
    made = [
        row
        for revision, value in zip(revisions, (2, 1), strict=True)
        for row in (mue_row("G0127", value, "3", revision=revision), ptp_row("G0102", "G0127", str(value - 1), revision=revision))
    ]  # fmt: skip
    labelled = open_engine(tmp_path, made)
    claims = [
        _claim(n, f"2024-08-{day}", *codes)
        for n, (day, codes) in enumerate(
            (day, codes) for codes in (("G0127",) * 3, ("G0102", "G0127")) for day in (15, 16, 17, 15, 14, 18)
        )
    ]
    assert disagreements(labelled, claims, "2024-12-01", ("MUE",)) == []
    assert disagreements(labelled, claims, "2024-12-01", ("PTP",)) == []


@pytest.mark.parametrize("name", ["1800000000", "1800000001", "1800033333", "180265847139200000", "180265847139233333"])
@pytest.mark.parametrize("families", [("DUPLICATE",), ("MUE",), ("PTP",), NCCI, ()], ids=" ".join)
def test_names_of_other_claims_are_kept_whatever_they_look_like(
    engine: Engine, name: str, families: tuple[str, ...]
) -> None:
    """Numbers of lines are filled into findings afterwards; a name that looks like such a place is still a name."""
    history = [
        {
            "claim_id": name,
            "paid": True,
            "line_number": 9,
            "procedure_code": code,
            "units": "9",
            "service_date": "2024-08-15",
        }
        for code in ("G0127", "G0247")
    ]
    claim = _claim(1, "2024-08-15", "G0127", "G0102", history=history)
    assert disagreements(engine, [claim], "2024-12-01", families) == []
    diagnosed = {**_claim(2, "2024-08-15", "G0127"), "diagnoses": [name[:10]]}
    assert disagreements(engine, [diagnosed], "2024-12-01", families) == []


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
