"""What really happened against what was found: matching of services, kinds of agreement, amounts, reversals, bad input."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from made_remittances import payment, remittance, service
from made_replays import AS_OF, MadeStore, write_ndjson

from claimedits.app.claim_sources.containers import ClaimFile, SourceError
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.reading import ReadOptions
from claimedits.app.claim_sources.records import Rejection
from claimedits.app.replay.expectations import ExpectationOptions
from claimedits.app.replay.remittances import RealClaim, read_remittances
from claimedits.app.replay.running import ReplayOptions, replay

PAIR = (("11055", "1"), ("11720", "1"))
MANY = (("99213", "5"),)
ONE = (("99213", "1"),)


def claim(claim_id: str, *lines: tuple[str, str]) -> dict[str, Any]:
    """Lines of code and units, each charged 90.00 dollars and one cent more for each line before it."""
    return {
        "claim_id": claim_id,
        "program": "MEDICARE",
        "setting": "PRACTITIONER",
        "billing_provider_id": "1234567893",
        "diagnoses": ["E11.42"],
        "lines": [
            {
                "line_number": n,
                "procedure_code": code,
                "units": units,
                "service_date": "2024-07-15",
                "charge_cents": 8999 + n,
                "place_of_service": "11",
            }
            for n, (code, units) in enumerate(lines, 1)
        ],
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MadeStore:
    return MadeStore(tmp_path_factory.mktemp("store"))


def compare(
    store: MadeStore, folder: Path, claims: list[dict[str, Any]], *files: tuple[str, bytes], **more: Any
) -> Any:
    for name, content in files:
        (folder / name).write_bytes(content)
    expected = ExpectationOptions([str(folder / name) for name, _ in files], more.pop("traces", 20))
    written = write_ndjson(folder / "claims.ndjson", claims)
    options = ReplayOptions(store.path, [str(written)], folder / "out", store.new, as_of=AS_OF, expected=expected)
    return replay(replace(options, **more)).report["expected"]


CLAIMS = [claim("A", *PAIR), claim("B", *PAIR), claim("C", *ONE), claim("D", *ONE), claim("E", *MANY), claim("F", *ONE)]
CSV = b"""claim_id,line_number,carc,group,amount_cents
A,1,,,
A,2,236,CO,9001
B,1,,,
C,1,97,CO,9000
D,1,45,CO,1200
E,1,18,OA,9000
Z,1,18,OA,500
"""
SAID = {
    "answered_claims": 5,
    "unanswered_claims": 1,
    "compared_lines": 7,
    "agreed_denied_lines": 1,
    "agreed_clean_lines": 3,
    "payer_only_lines": 1,
    "engine_only_lines": 1,
    "other_reason_lines": 1,
    "services_without_line": 0,
    "edit_denial_lines": 3,
    "edit_denial_amount_cents": 27001,
    "preventable_lines": 1,
    "preventable_amount_cents": 9001,
}


def test_lines_agree_or_differ_in_their_kinds(store: MadeStore, tmp_path: Path) -> None:
    real = compare(store, tmp_path, CLAIMS, ("real.csv", CSV))
    assert {name: real[name] for name in SAID} == SAID
    assert [(row["claim_id"], row["kind"], row["real_carcs"], row["found_carcs"]) for row in real["disagreements"]] == [
        ("B", "ENGINE_ONLY", [], ["236"]),
        ("C", "PAYER_ONLY", ["97"], []),
        ("E", "OTHER_REASON", ["18"], ["151"]),
    ]
    assert [(row["rule_id"], row["carc"], row["lines"], row["amount_cents"]) for row in real["preventable"]] == [
        (real["preventable"][0]["rule_id"], "236", 1, 9001)
    ]
    assert real["preventable"][0]["rule_id"].startswith("medicare-ptp-practitioner/")
    assert real["other_denials"] == [
        {
            "group": "CO",
            "carc": "45",
            "lines": 1,
            "claims": 1,
            "charge_cents": 9000,
            "lines_without_charge": 0,
            "amount_cents": 1200,
        }
    ]
    assert (real["read"]["claims"], real["read"]["not_in_input"], real["read"]["first_not_in_input"]) == (6, 1, ["Z"])


def test_a_family_is_held_against_what_the_payer_denied_for(store: MadeStore, tmp_path: Path) -> None:
    real = compare(store, tmp_path, CLAIMS, ("real.csv", CSV))

    def cells(family: str) -> dict[tuple[str, str], tuple[int, int]]:
        return {
            (row["real"], row["found"]): (row["lines"], row["amount_cents"])
            for row in real["confusion"]
            if row["family"] == family
        }

    ptp = cells("PTP")
    assert (ptp["236", "236"], ptp["not denied", "236"]) == ((1, 9001), (1, 0))
    assert cells("MUE")["not denied", "151"] == (1, 0)
    assert cells("DUPLICATE")["18", "PASS"] == (1, 9000)
    assert [key for key in cells("MODIFIER") if key[0] == "97"]
    for family in ("PTP", "MUE", "DUPLICATE", "MODIFIER", "COVERAGE"):
        assert sum(lines for lines, _ in cells(family).values()) == 7, family


def test_a_trace_is_the_decision_of_the_single_claim_engine(store: MadeStore, tmp_path: Path) -> None:
    real = compare(store, tmp_path, CLAIMS, ("real.csv", CSV), traces=2)
    traced = [orjson.loads(row["trace"]) for row in real["disagreements"] if row["trace"]]
    assert len(traced) == 2
    assert all(decision["trace"] for decision in traced)
    assert traced[0]["claim_id"] == real["disagreements"][0]["claim_id"]


REMITTANCE = remittance(
    payment(
        "A",
        service("11055", "90", "50", "CO*45*40", line="1"),
        service("11720", "90.01", "0", "CO*236*90.01", line="2"),
    ),
    payment("B", service("11720", "90.01", "90.01"), service("11055", "90", "90")),
    payment("C", service("99213", "90", "0", "CO*97*90", line="LINE-1")),
    payment("F", service("99213", "90", "0", "CO*97*90"), status="4"),
    payment("F", service("99213", "-90", "0", "CO*97*-90"), status="22"),
    payment("F", service("99214", "90", "90", billed="99213", line="1")),
    payment("D", service("99213", "90", "78", "CO*45*12")),
    payment("D", service("99213", "-90", "-78", "CO*45*-12"), status="22"),
    payment("E", service("99999", "1", "1")),
)


def test_services_find_their_lines_and_the_last_answer_counts(store: MadeStore, tmp_path: Path) -> None:
    real = compare(store, tmp_path, CLAIMS, ("real.835", REMITTANCE))
    assert real["read"] == {
        "records": 9,
        "answers": 9,
        "rejected": 0,
        "claims": 5,
        "replaced": 3,
        "reversed": 1,
        "files": 1,
        "parts": 1,
        "not_in_input": 0,
        "first_not_in_input": [],
    }
    assert (real["answered_claims"], real["unanswered_claims"], real["services_without_line"]) == (5, 1, 1)
    assert (real["preventable_lines"], real["preventable_amount_cents"]) == (1, 9001)
    assert {(row["claim_id"], row["line_number"], row["kind"]) for row in real["disagreements"]} == {
        ("B", 2, "ENGINE_ONLY"),
        ("C", 1, "PAYER_ONLY"),
    }
    assert [(row["carc"], row["amount_cents"]) for row in real["other_denials"]] == [("45", 4000)]


def test_adjustments_of_a_claim_as_a_whole_are_of_no_line(store: MadeStore, tmp_path: Path) -> None:
    whole = remittance(payment("A", status="4", adjustments=["CO*236*180.01"]))
    real = compare(store, tmp_path, CLAIMS, ("real.835", whole))
    assert (real["answered_claims"], real["compared_lines"], real["preventable_lines"]) == (1, 0, 0)


def test_a_table_without_amounts_lists_denials(store: MadeStore, tmp_path: Path) -> None:
    table = pa.table({"claim_id": ["A"], "line_number": pa.array([2], pa.int16()), "carc": ["236"]})
    pq.write_table(table, tmp_path / "real.parquet")
    real = compare(store, tmp_path, CLAIMS, ("real.parquet", (tmp_path / "real.parquet").read_bytes()))
    assert (real["preventable_lines"], real["preventable_amount_cents"], real["compared_lines"]) == (1, 0, 2)


def test_ids_are_hashed_on_both_sides(store: MadeStore, tmp_path: Path) -> None:
    reading = ReadOptions(identifiers=IdentifierHash(b"k" * 32))
    real = compare(store, tmp_path, CLAIMS, ("real.csv", CSV), reading=reading)
    assert (real["answered_claims"], real["preventable_lines"]) == (5, 1)
    assert real["read"]["first_not_in_input"] != ["Z"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"claim_id,line\nA,1\n",
            "{path}: has no column line_number, carc; a table of what happened has claim_id, line_number, carc",
        ),
        (
            orjson.dumps({"claim_id": "A"}),
            "{path}: is no X12 835 remittance, and no CSV or Parquet table of claim_id, line_number and carc",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused(content: bytes, message: str, store: MadeStore, tmp_path: Path) -> None:
    name = "real.csv" if content.startswith(b"claim") else "real.ndjson"
    with pytest.raises(SourceError) as refused:
        compare(store, tmp_path, CLAIMS, (name, content))
    assert str(refused.value) == message.format(path=tmp_path / name)


def test_cells_that_cannot_be_read_reject_their_row(store: MadeStore, tmp_path: Path) -> None:
    content = b"claim_id,line_number,carc,amount_cents\n,1,97,1\nA,one,97,1\nA,2,236,9001\nA,1,97x,1\nA,1,97,1.5\nA,1\n"
    real = compare(store, tmp_path, CLAIMS, ("real.csv", content))
    assert (real["read"]["records"], real["read"]["answers"], real["read"]["rejected"]) == (6, 1, 5)
    rejected = [orjson.loads(x) for x in (tmp_path / "out" / "expected_rejected.ndjson").read_bytes().splitlines()]
    assert [(one["position"].get("line"), one["reason"]) for one in rejected][:4] == [
        (2, "claim_id is empty"),
        (3, "line_number is no line number"),
        (5, "carc is no adjustment reason"),
        (6, "amount_cents is no whole number of cents"),
    ]


def read(content: bytes) -> list[RealClaim | Rejection]:
    return list(read_remittances(ClaimFile("r.835", BytesIO(content))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (remittance(payment("A", "SVC*HC:11055*ninety*0~")), "SVC02 is no amount of money"),
        (remittance(payment("A", service("11055", "90", "0", "XX*97*90"))), "CAS01 is no group of adjustments"),
        (remittance(payment("A", service("11055", "90", "0", "CO*9777*90"))), "CAS02 is no adjustment reason"),
        (remittance(payment("", service("11055", "90", "0"))), "CLP01 is empty"),
        (remittance(payment("A", service("11055", "90", "0"))).replace(b"ST*835", b"ST*837"), "ST01 is not 835"),
        (remittance(), "holds no claim payment (CLP)"),
        (b"", "holds no claim payment (CLP)"),
        (remittance(payment("A", service("11055", "90", "0")))[:-60], "the input ends before the answer does"),
    ],
)
def test_a_payment_that_cannot_be_read_is_rejected_with_its_reason(content: bytes, reason: str) -> None:
    rejected = [one for one in read(content) if isinstance(one, Rejection)]
    assert [one.reason for one in rejected] == [reason]


@given(cut=st.integers(0, len(REMITTANCE)), byte=st.binary(min_size=0, max_size=3))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_reader_fail(cut: int, byte: bytes) -> None:
    assert read(REMITTANCE[:cut] + byte + REMITTANCE[cut + len(byte) :])


def test_amounts_are_exact_cents() -> None:
    [answer] = read(remittance(payment("A", service("11055", "1234567.89", "0", "CO*97*.1*2*45*-3"))))
    assert isinstance(answer, RealClaim)
    assert answer.services[0].charge_cents == 123456789
    assert [(one.carc, one.amount_cents) for one in answer.services[0].adjustments] == [("97", 10), ("45", -300)]
