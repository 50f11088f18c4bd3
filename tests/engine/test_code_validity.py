"""Family CODE_VALIDITY: boundary days, hints, curated edits, and that an answer does not depend on what came before (semantics.md §F)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from releases import RULES, claim, drafts_of_rows, line

from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

AGE_SEX = """kind,from_code,to_code,sex,age_min,age_max,lifted_by_modifiers,lifted_by_condition_codes,effective_from,effective_to,source
procedure,G0123,G0123,F,,,KX,45,,,made up
diagnosis,O80,O80,F,9,64,,,,,made up
"""


def diagnosis(code: str, billable: bool = True) -> dict[str, Any]:
    return {
        "family": "CODE_VALIDITY", "rule_set": "icd10cm", "icd10_code": code, "billable": billable,
        "effective_from": "2015-10-01", "effective_to": "",
    }  # fmt: skip


def procedure(code: str, effective_to: str = "") -> dict[str, Any]:
    return {
        "family": "CODE_VALIDITY", "rule_set": "procedure-codes", "procedure_code": code, "effective_from": "1990-01-01",
        "effective_to": effective_to,
    }  # fmt: skip


DIAGNOSES = (
    diagnosis("E11.4", False), diagnosis("E11.40"), diagnosis("S72.001", False), diagnosis("S72.001A"), diagnosis("S00.0", False),
    diagnosis("S00.0XXA"), diagnosis("F02.80"), diagnosis("I10"), diagnosis("O80"), diagnosis("V00.01XA"),
)  # fmt: skip
PROCEDURES = (procedure("G0101"), procedure("G0123"), procedure("G0001", "2024-08-15"))


def open_engine(path: Path, *rows: dict[str, Any]) -> Engine:
    edits = path / "code-edits"
    shutil.copytree(RULES / "code-edits", edits)
    (edits / "age-sex.csv").write_text(AGE_SEX, encoding="utf-8")
    tables = [compile_table_rules(d) for d in (RULES / "ncci-conventions", RULES / "duplicates", edits)]
    store = Store.open(path / "store", create=True)
    drafts = [*drafts_of_rows(rows), *tables]
    return Engine.open(store, store.create_release([store.add_revision(draft)[0].id for draft in drafts]).id)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return open_engine(tmp_path_factory.mktemp("codes"), *DIAGNOSES, *PROCEDURES)


def judge(engine: Engine, sent: dict[str, Any], detail: str = "FINDINGS") -> list[tuple[str, tuple[str, ...]]]:
    """The status of each line, and the messages that are no passes."""
    decision = engine.evaluate(sent, "", ["CODE_VALIDITY"], detail)
    return [
        (
            one.families[0][1].name,
            tuple(f.message for f in decision.findings if f.line_number == one.line_number and f.code),
        )
        for one in decision.lines
    ]


def bill(*codes: str, **parts: Any) -> dict[str, Any]:
    pointers = parts.pop("pointers", list(range(1, len(codes) + 1)))
    head = {name: parts.pop(name) for name in ("patient", "setting", "condition_codes") if name in parts}
    made = line(1, parts.pop("code", "G0101"), *parts.pop("modifiers", ()), diagnosis_pointers=pointers, **parts)
    return claim(made, diagnoses=list(codes), **head)


SAME_CLAIMS = [
    (bill("E11.40"), "PASS"),
    (bill("E11.40", "I10", pointers=[2]), "PASS"),
    (bill(), "NOT_APPLICABLE"),
    (bill("E11.4"), "FAIL"),
    (bill("F02.80"), "REVIEW"),
]


@pytest.mark.parametrize(("sent", "expected"), SAME_CLAIMS)
def test_the_answer_is_the_same_the_second_time(tmp_path: Path, sent: dict[str, Any], expected: str) -> None:
    """Also where diagnoses alone are loaded: what is remembered of them must not leave the line without a judgement."""
    engine = open_engine(tmp_path, *DIAGNOSES)
    answers = [judge(engine, sent, detail) for detail in ("FINDINGS", "FINDINGS", "ALL", "FINDINGS")]
    assert [answer[0][0] for answer in answers] == [expected] * 4
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (bill(code="G0001"), ("PASS", ())),
        (
            bill(code="G0001", service_date="2024-08-16"),
            ("FAIL", ("G0001 is not valid on 2024-08-16: its last day was 2024-08-15",)),
        ),
        (
            bill(code="G0001", service_date_end="2024-08-16"),
            ("FAIL", ("G0001 is not valid on 2024-08-16: its last day was 2024-08-15; the line's dates run to it",)),
        ),
        (
            bill("E11.40", service_date="2015-09-30"),
            ("FAIL", ("E11.40 is not valid on 2015-09-30: its first day is 2015-10-01",)),
        ),
        (bill("E11.40", service_date="2015-10-01"), ("PASS", ())),
        (bill("S72.001"), ("FAIL", ("S72.001 lacks its seventh character: 1 codes complete it",))),
        (
            bill("S00.0"),
            ("FAIL", ("S00.0 lacks its seventh character behind the placeholder X: 1 codes complete it",)),
        ),
        (bill("E11.4", "E11.40", pointers=[2]), ("PASS", ())),
    ],
)
def test_days_and_hints(engine: Engine, sent: dict[str, Any], expected: tuple[str, tuple[str, ...]]) -> None:
    assert judge(engine, sent) == judge(engine, sent, "ALL") == [expected]


def test_a_facility_claim_answers_for_every_diagnosis(engine: Engine) -> None:
    sent = bill("E11.4", "E11.40", pointers=[2], setting="OUTPATIENT_HOSPITAL")
    assert judge(engine, sent)[0][0] == "FAIL"


YOUNG = "O80 is for patients of 9 to 64 years; the patient's age on 2024-08-15 is another"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (bill(code="G0123", patient={"sex": "F"}), ("PASS", ())),
        (
            bill(code="G0123", patient={"sex": "M"}),
            ("FAIL", ("G0123 is for female patients; the claim states the other sex",)),
        ),
        (bill(code="G0123", patient={"sex": "M"}, modifiers=["KX"]), ("PASS", ())),
        (bill(code="G0123", patient={"sex": "M"}, condition_codes=["45"]), ("PASS", ())),
        (
            bill(code="G0123"),
            ("NOT_EVALUATED", ("G0123 is for female patients; not checked, the claim states no sex",)),
        ),
        (bill(code="G0123", modifiers=["KX"]), ("PASS", ())),
        (bill("O80", patient={"sex": "F", "birth_date": "2015-08-15"}), ("PASS", ())),
        (bill("O80", patient={"sex": "F", "birth_date": "2015-08-16"}), ("FAIL", (YOUNG,))),
        (bill("O80", patient={"sex": "F", "birth_date": "1959-08-16"}), ("PASS", ())),
        (bill("O80", patient={"sex": "F", "birth_date": "1959-08-15"}), ("FAIL", (YOUNG,))),
        (
            bill("O80", patient={"sex": "F"}),
            (
                "NOT_EVALUATED",
                (
                    "O80 is for patients of 9 to 64 years; not checked, the claim states no birth date before the service",
                ),
            ),
        ),
        (bill("I10"), ("PASS", ())),
    ],
)
def test_age_and_sex(engine: Engine, sent: dict[str, Any], expected: tuple[str, tuple[str, ...]]) -> None:
    assert judge(engine, sent) == judge(engine, sent, "ALL") == [expected]


def test_what_the_claim_does_not_state_is_asked_for(engine: Engine) -> None:
    (finding,) = engine.evaluate(bill(code="G0123"), "", ["CODE_VALIDITY"]).findings
    assert (finding.code, finding.adjustment) == ("AGE_SEX", None)
    assert [remedy.condition for remedy in finding.remedies] == ["send the patient's sex"]


def test_what_may_not_come_first(engine: Engine) -> None:
    assert judge(engine, bill("I10", "F02.80"))[0] == ("PASS", ())
    assert judge(engine, bill("I10", "F02.80", pointers=[2, 1]))[0][0] == "REVIEW"
    assert judge(engine, bill("V00.01XA"))[0][0] == "REVIEW"
