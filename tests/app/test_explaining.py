"""``explain_rule``: every rule id that a finding can carry is explained; every other one is refused with a way out."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from lookup_release import open_release
from releases import claim, line

from claimedits.app.lookup import Explanation, explain_rule
from claimedits.app.shipped import find_samples
from claimedits.engine.engine import Engine
from claimedits.model.dates import parse_day
from claimedits.model.finding import Finding
from claimedits.model.problems import ProblemsError
from claimedits.model.terms import Family
from claimedits.rulesets.loaded import LoadedRelease

AS_OF = parse_day("2024-09-01")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> LoadedRelease:
    return open_release(tmp_path_factory.mktemp("explain"))


def explain(release: LoadedRelease, rule_id: str) -> Explanation:
    return explain_rule(release, rule_id, AS_OF)


def claims() -> Iterator[dict[str, object]]:
    """Claims that make every family speak, in its findings of every kind."""
    yield from map(orjson.loads, (find_samples() / "claims.ndjson").read_bytes().splitlines())
    own = claim(
        line(1, "G0247", "59"), line(2, "G0127", "GZ", units="9"), line(3, "G0127", units="9"), line(4, "G2211"),
        line(5, "G0123"), line(6, "J0897", "GY"), line(7, "G9999"), line(8, "J1100"), line(9, "J3420"), line(10, "J3420"),
        line(11, "J3420", "76"), line(12, "11720"), line(13, "G0127", service_date="2024-09-30"),
        diagnoses=["E11.42", "E11.4", "P00.1", "X99.XXX"], patient={"birth_date": "1950-02-03", "sex": "M"}, payer_id="EXAMPLE",
    )  # fmt: skip
    yield own
    yield {**own, "setting": "OUTPATIENT_HOSPITAL"}
    yield {**own, "setting": "DME_SUPPLIER", "state": ""}
    yield {**own, "program": "MEDICAID"}
    yield {**own, "lines": [{**one, "service_date": "1999-01-01"} for one in own["lines"]]}


def findings(release: LoadedRelease) -> Iterator[Finding]:
    engine = Engine(release)
    for sent in claims():
        yield from engine.evaluate(sent, "2024-09-01", detail="ALL").findings


def test_every_finding_is_explained_by_its_rule_id(release: LoadedRelease) -> None:
    explained = {}
    for finding in findings(release):
        explanation = explained.setdefault(finding.rule_id, explain(release, finding.rule_id))
        assert explanation.rule_id == finding.rule_id
        assert explanation.family in (finding.family, None)
        assert finding.code == "" or explanation.meaning
        row = finding.citation.source_row if finding.citation else 0
        if row:  # what is cited stands among the rows that are shown
            shown = {(edit.citation.revision, edit.citation.source_file) for edit in explanation.rows}
            assert finding.citation is not None
            assert (finding.citation.revision, finding.citation.source_file) in shown
    assert {finding.family for finding in findings(release)} == set(Family)
    assert len(explained) > 40


def test_a_pair_is_explained_with_its_rows(release: LoadedRelease) -> None:
    explanation = explain(release, "medicare-ptp-practitioner/g0247+g0127")
    assert explanation.rule_id == "medicare-ptp-practitioner/G0247+G0127"
    assert explanation.meaning.startswith("G0127 (column 2) is bundled into G0247 (column 1): billed for one patient")
    assert [dict(row.fields)["modifier_indicator"] for row in explanation.rows] == ["1"]


def test_an_authored_rule_is_shown_as_its_author_would_read_it(release: LoadedRelease) -> None:
    explanation = explain(release, "medicare-modifier-requirements/E19")
    first, second = (dict(row.fields) for row in explanation.rows)
    assert (first["effective_from"], first["effective_to"], first["status"]) == ("2023-07-01", "2023-09-30", "REVIEW")
    assert (second["effective_from"], second["effective_to"], second["status"]) == ("2023-10-01", "", "FAIL")
    assert second["when"] == (
        'claim.program is "MEDICARE" and line.procedure_code is in list single-dose-drugs '
        'and line.modifiers include none of ["JW", "JZ"]'
    )
    assert second["without"] == 'another line, with the same day, code, where other.modifiers include "JW"'
    assert "concerns" not in second
    assert explanation.meaning == (
        "A single-dose drug says whether some was discarded. Where everything below is so, the line is FAIL (MOD_MISSING); where the "
        "claim leaves out what is asked, the rule is NOT_EVALUATED."
    )
    assert explain(release, "medicare-modifier-requirements/e19").rule_id == "medicare-modifier-requirements/E19"


def test_a_document_is_explained_with_every_version(release: LoadedRelease) -> None:
    rows = [dict(row.fields) for row in explain(release, "medicare-coverage/A90001").rows]
    assert [(row["document_version"], row["procedure_codes"]) for row in rows] == [
        ("4", "G0127 G0247"),
        ("5", "G0127 G0247"),
    ]
    governed = explain(release, "medicare-coverage/J3420")
    assert [row.rule_id for row in governed.rows] == ["medicare-coverage/A90002"]
    assert governed.meaning.endswith("Below: documents that list J3420, in other jurisdictions or on other dates.")


def test_that_there_is_no_row_is_an_explanation(release: LoadedRelease) -> None:
    for rule_id, begins in (
        ("medicare-mue-practitioner/J1100", "No revision holds a value for J1100."),
        ("medicare-aoc/G0316", "The table lists no primary for G0316."),
        ("procedure-codes/G9999", "The list holds no G9999:"),
        ("icd10cm/X99XXX", "No edition holds X99.XXX:"),
        ("medicare-coverage/11720", "No document in force governs 11720 in the claim's jurisdiction:"),
    ):
        explanation = explain(release, rule_id)
        assert (list(explanation.rows), explanation.meaning.startswith(begins)) == ([], True), explanation


def test_a_bare_id_shows_the_revisions_or_says_that_there_are_none(release: LoadedRelease) -> None:
    held = explain(release, "medicare-ptp-practitioner")
    assert [(dict(row.fields)["effective_from"], row.active) for row in held.rows] == [
        ("2024-04-01", False),
        ("2024-07-01", True),
    ]
    assert explain(release, "medicare-ptp").meaning.startswith("Medicare publishes no PTP edits for DME suppliers")
    absent = explain(release, "medicaid-mue-dme")
    assert (list(absent.rows), absent.family) == ([], None)
    assert absent.meaning.startswith(
        "The release holds no revision of medicaid-mue-dme: every line that needs it is NOT_EVALUATED"
    )


@pytest.mark.parametrize(
    ("rule_id", "problem"),
    [
        ("", "RULE_ID: is empty; copy the rule_id of a finding, as in medicare-mue-practitioner/G0127"),
        ("medicare-ptp-practitoner/G0247+G0127", "RULE_ID: the release holds no rule set medicare-ptp-practitoner; "
         "did you mean medicare-ptp-practitioner?"),
        ("medicaid-aoc/G2211", "RULE_ID: the release holds no rule set medicaid-aoc; did you mean medicare-aoc?"),
        ("medicare-ptp-practitioner/G0247", "RULE_ID: G0247 names no pair; write medicare-ptp-practitioner/COLUMN_1+COLUMN_2, "
         "as in G0247+G0127"),
        ("medicare-ptp-practitioner/G0127+G0247", "RULE_ID: medicare-ptp-practitioner holds no row G0127+G0247; "
         "the row may be the other way round, or not known on that day"),
        ("medicare-mue-practitioner/G01", "RULE_ID: G01 is no procedure code; write five letters or digits, as in G0127"),
        ("icd10cm/E11/42", "RULE_ID: E11/42 is no diagnosis code; write an ICD-10-CM code, as in E1142"),
        ("modifiers/ZZ", "RULE_ID: modifiers holds no modifier ZZ; write two letters or digits, as in 59"),
        ("code-edits/weight/G0123", "RULE_ID: code-edits has no edits weight; use one of age, sex, sequence"),
        ("code-edits/age/G0123", "RULE_ID: no age edit of code-edits names G0123; look the code up: claim-edits lookup G0123"),
        ("duplicates/near", "RULE_ID: duplicates has no rule near; use one of exact, suspect"),
        ("medicare-coverage/A99999", "RULE_ID: medicare-coverage holds no document A99999 that lists codes; "
         "look for it by a code or a diagnosis that it lists: claim-edits lookup"),
        ("example-payer-policy/timely-filling", "RULE_ID: example-payer-policy has no rule timely-filling; "
         "did you mean timely-filing?"),
        ("coverage-value-sets/Nobody", "RULE_ID: coverage-value-sets has no value set Nobody; copy the rule_id of a look-up"),
        ("ncci-conventions/dup.key", "RULE_ID: ncci-conventions is read by edits of other rule sets; no finding carries its rows; "
         "ask for ncci-conventions"),
    ],
)  # fmt: skip
def test_an_id_that_no_finding_carries_is_refused(release: LoadedRelease, rule_id: str, problem: str) -> None:
    with pytest.raises(ProblemsError) as refused:
        explain(release, rule_id)
    assert list(map(str, refused.value.problems)) == [problem]
