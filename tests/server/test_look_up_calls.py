"""LookUpEdits against a real process: every family, by code, pair, diagnosis and both; pages; exact refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from lookup_release import open_release
from served import refused, rich_status, serve_process, violations

from claimedits.v1 import finding_pb2
from claimedits.v1 import rule_set_service_pb2 as pb
from claimedits.v1 import rule_set_service_pb2_grpc as pb_grpc


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pb_grpc.RuleSetServiceStub]:
    path: Path = tmp_path_factory.mktemp("look-up")
    open_release(path)
    with serve_process(path / "store") as served, grpc.insecure_channel(served.address) as channel:
        yield pb_grpc.RuleSetServiceStub(channel)


def request(**parts: object) -> pb.LookUpEditsRequest:
    return pb.LookUpEditsRequest(date="2024-08-15", as_of="2024-09-01", **parts)  # type: ignore[arg-type]


def rule_ids(response: pb.LookUpEditsResponse) -> list[tuple[str, bool]]:
    return [(edit.rule_id, edit.active) for edit in response.edits]


def test_a_diagnosis_is_answered_with_its_lists(stub: pb_grpc.RuleSetServiceStub) -> None:
    response = stub.LookUpEdits(request(diagnosis_code=" e11.42 "))
    assert rule_ids(response) == [
        ("code-edits/sequence/E1142", True),
        ("icd10cm/E1142", True),
        ("icd10cm/E1142", False),
        ("medicare-coverage/A90001", False),
        ("medicare-coverage/A90001", True),
        ("medicare-coverage/A90002", True),
        ("medicare-coverage/NCD-1", True),
    ]
    listed = response.edits[4]
    assert listed.family == finding_pb2.FAMILY_COVERAGE
    assert {f.name: f.value for f in listed.fields}["role"] == "required_secondary lifted by Q8"
    assert (listed.citation.source_file, listed.citation.effective_from) == ("case.jsonl", "2024-07-01")


def test_a_diagnosis_with_a_code_is_answered_with_what_names_both(stub: pb_grpc.RuleSetServiceStub) -> None:
    response = stub.LookUpEdits(request(diagnosis_code="Z00.00", procedure_code="G0247"))
    assert rule_ids(response) == [("medicare-coverage/A90001", True)]
    assert not stub.LookUpEdits(request(diagnosis_code="Z00.00", procedure_code="G0127")).edits


def test_families_narrow_the_answer(stub: pb_grpc.RuleSetServiceStub) -> None:
    families = [finding_pb2.FAMILY_MUE, finding_pb2.FAMILY_COVERAGE]
    response = stub.LookUpEdits(request(procedure_code="G0127", families=families))
    assert [edit.family for edit in response.edits] == sorted(edit.family for edit in response.edits)
    assert {edit.family for edit in response.edits} == set(families)


@pytest.mark.parametrize("asked", [{"procedure_code": "G0127"}, {"diagnosis_code": "E11.42"}, {"procedure_code": "JZ"}])
def test_pages_add_up_to_the_whole(stub: pb_grpc.RuleSetServiceStub, asked: dict[str, str]) -> None:
    whole = list(stub.LookUpEdits(request(**asked, page_size=1000)).edits)
    pages, token = [], ""
    while not pages or token:
        page = stub.LookUpEdits(request(**asked, page_size=3, page_token=token))
        pages += page.edits
        token = page.next_page_token
    assert len(whole) > 3
    assert pages == whole
    first = stub.LookUpEdits(request(**asked, page_size=3))
    other = request(**asked, page_token=first.next_page_token, families=[finding_pb2.FAMILY_PTP])
    assert [field for field, _ in violations(rich_status(refused(lambda: stub.LookUpEdits(other))))] == ["page_token"]


CODE = "is neither a procedure code nor a modifier; write five letters or digits, as in G0127, or two, as in 59"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, [("procedure_code", "is missing; send the code to look up, or a diagnosis in diagnosis_code")]),
        (
            {"other_procedure_code": "G0247"},
            [("procedure_code", "is missing; send the code that goes with other_procedure_code")],
        ),
        (
            {"procedure_code": "1172", "diagnosis_code": "11.42", "families": [1, 99]},
            [
                ("procedure_code", CODE),
                ("diagnosis_code", "is not a diagnosis code; write an ICD-10-CM code, as in E11.42"),
                ("families[1]", "is no family of edits; leave families empty for all"),
            ],
        ),
        (
            {"procedure_code": "G0127", "other_procedure_code": "G0247", "diagnosis_code": "E11.42"},
            [
                (
                    "other_procedure_code",
                    "is given beside diagnosis_code; ask for a pair of codes, or for one code and diagnosis_code",
                )
            ],
        ),
        (
            {"procedure_code": "59", "other_procedure_code": "XS"},
            [("other_procedure_code", "is a second modifier; ask for a procedure code with one modifier")],
        ),
    ],
)
def test_what_cannot_be_looked_up_is_refused(
    stub: pb_grpc.RuleSetServiceStub, asked: dict[str, object], said: list[tuple[str, str]]
) -> None:
    error = refused(lambda: stub.LookUpEdits(request(**asked)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(rich_status(error)) == said
