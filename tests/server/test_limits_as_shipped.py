"""The safe defaults of ``claim-edits serve``, and input that no service should trust, against a real process."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from releases import claim as claim_fields
from releases import line
from served import (
    ANSWERS,
    Served,
    TwoReleases,
    answers,
    conflicting_claim,
    error_info,
    open_stub,
    refused,
    request,
    rich_status,
    serve_process,
    violations,
)

from claimedits.app.claim_files import NumberedClaim
from claimedits.app.claim_messages import message_from_fields
from claimedits.app.remote_evaluation import evaluate_remotely
from claimedits.app.remote_server import RemoteServer
from claimedits.model.terms import DetailLevel
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc
from claimedits.v1 import claim_pb2

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def served(shared_releases: TwoReleases) -> Iterator[Served]:
    with serve_process(shared_releases.path) as served:
        yield served


@pytest.fixture
def stub(served: Served) -> Iterator[pb_grpc.ClaimEditServiceStub]:
    with open_stub(served.address) as stub:
        yield stub


def claim_of(lines: int) -> claim_pb2.Claim:
    return message_from_fields(claim_fields(*(line(i + 1, "J1100") for i in range(lines))))


def test_a_claim_of_10000_lines_is_refused_and_one_of_999_answered(stub: pb_grpc.ClaimEditServiceStub) -> None:
    error = refused(lambda: stub.EvaluateClaim(pb.EvaluateClaimRequest(claim=claim_of(10_000))))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == "lines_per_claim is 10000, the limit is 1000; split the claim"
    info = error_info(rich_status(error))
    assert info.reason == "LIMIT_EXCEEDED"
    assert dict(info.metadata) == {"limit": "lines_per_claim", "maximum": "1000", "value": "10000"}
    response = stub.EvaluateClaim(pb.EvaluateClaimRequest(claim=claim_of(999)))
    assert [result.line_number for result in response.lines] == list(range(1, 1000))


def test_a_claim_over_the_limit_does_not_fail_its_batch(stub: pb_grpc.ClaimEditServiceStub) -> None:
    items = stub.BatchEvaluateClaims(
        pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim(), claim_of(1001), conflicting_claim()])
    ).items
    assert error_info(items[1].status).metadata["value"] == "1001"
    assert [answers(items[i].result) for i in (0, 2)] == [ANSWERS["first"]] * 2


def test_a_batch_of_501_claims_is_refused_and_one_of_500_answered(stub: pb_grpc.ClaimEditServiceStub) -> None:
    claims = [conflicting_claim()] * 500
    error = refused(lambda: stub.BatchEvaluateClaims(pb.BatchEvaluateClaimsRequest(claims=[*claims, claims[0]])))
    info = error_info(rich_status(error))
    assert (error.code(), info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")
    assert dict(info.metadata) == {"limit": "claims_per_batch", "maximum": "500", "value": "501"}
    assert len(stub.BatchEvaluateClaims(pb.BatchEvaluateClaimsRequest(claims=claims)).items) == 500


@pytest.mark.parametrize(("size", "told"), [(17 * MEGABYTE, True), (40 * MEGABYTE, False)])
def test_a_message_over_the_limit_is_refused_by_name_and_one_far_over_it_unread(
    stub: pb_grpc.ClaimEditServiceStub, size: int, told: bool
) -> None:
    large = request()
    large.claim.claim_id = "x" * size
    for call in (
        lambda: stub.EvaluateClaim(large),
        lambda: list(stub.StreamEvaluateClaims(iter([pb.StreamEvaluateClaimsRequest(claims=[large.claim])]))),
    ):
        error = refused(call)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        if told:
            metadata = error_info(rich_status(error)).metadata
            assert (metadata["limit"], metadata["maximum"]) == ("message_bytes", str(16 * MEGABYTE))
            assert int(metadata["value"]) > size
    assert answers(stub.EvaluateClaim(request())) == ANSWERS["first"]


def test_work_under_way_stops_at_the_deadline_of_the_caller(served: Served, stub: pb_grpc.ClaimEditServiceStub) -> None:
    batch = pb.BatchEvaluateClaimsRequest(claims=[claim_of(500)] * 200, detail=pb.DETAIL_LEVEL_TRACE)
    error = refused(lambda: stub.BatchEvaluateClaims(batch, timeout=0.5))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert served.log.wait_for("call", method="BatchEvaluateClaims", code="CANCELLED")["claims"] < 200
    assert answers(stub.EvaluateClaim(request())) == ANSWERS["first"]


def test_the_same_request_has_the_same_bytes_whichever_process_answers(
    served: Served, shared_releases: TwoReleases
) -> None:
    sent = request(as_of="2024-09-01", detail=pb.DETAIL_LEVEL_TRACE).SerializeToString()
    received = []
    with serve_process(shared_releases.path) as other:
        for address in (served.address, other.address):
            with grpc.insecure_channel(address) as channel:
                raw = channel.unary_unary("/claimedits.v1.ClaimEditService/EvaluateClaim")
                received += [raw(sent) for _ in range(3)]
    assert len(set(received)) == 1
    assert answers(pb.EvaluateClaimResponse.FromString(received[0])) == ANSWERS["first"]


def test_each_absurdity_of_a_claim_is_named_by_its_field(stub: pb_grpc.ClaimEditServiceStub) -> None:
    message = message_from_fields(claim_fields(*(line(number, "J1100") for number in range(1, 10))))
    lines = message.lines
    lines[1].line_number = 1
    lines[2].units = "-1"
    lines[3].units = "1e99"
    lines[4].service_date_end = "2024-08-14"
    lines[5].service_date = "1899-12-31"
    lines[6].modifiers[:] = ["25", "59", "LT", "RT", "50"]
    lines[7].procedure_code = "J11\0"
    lines[8].diagnosis_pointers[:] = [0, 14]
    message.diagnoses[:] = ["Z000"] * 13
    fields = {field for field, _ in violations(rich_status(refused(lambda: stub.EvaluateClaim(_ask(message)))))}
    assert fields == {
        "diagnoses",
        "lines[1].line_number",
        "lines[2].units",
        "lines[3].units",
        "lines[4].service_date_end",
        "lines[5].service_date",
        "lines[6].modifiers",
        "lines[7].procedure_code",
        "lines[8].diagnosis_pointers[0]",
        "lines[8].diagnosis_pointers[1]",
    }


def test_an_unknown_setting_is_refused(stub: pb_grpc.ClaimEditServiceStub) -> None:
    message = conflicting_claim()
    message.setting = 99  # type: ignore[assignment]
    assert [field for field, _ in violations(rich_status(refused(lambda: stub.EvaluateClaim(_ask(message)))))] == [
        "setting"
    ]


def test_an_answer_about_several_claims_stops_at_its_limit(shared_releases: TwoReleases) -> None:
    claims = [claim_of(30) for _ in range(4)]
    one = pb.BatchEvaluateClaimsRequest(claims=claims)
    with serve_process(shared_releases.path, "--answer-bytes", "100000") as small, open_stub(small.address) as stub:
        items = stub.BatchEvaluateClaims(one).items
        assert [item.WhichOneof("answer") for item in items] == ["result", "result", "status", "status"]
        sizes = [item.ByteSize() for item in items[:2]]
        assert sizes[0] < 100_000 <= sum(sizes)
        metadata = {"limit": "answer_bytes", "maximum": "100000", "value": str(sum(sizes))}
        assert [dict(error_info(item.status).metadata) for item in items[2:]] == [metadata] * 2
        assert items[2].status.message.endswith("; send fewer claims a message")
        rest = stub.BatchEvaluateClaims(pb.BatchEvaluateClaimsRequest(claims=claims[2:])).items
        assert [item.WhichOneof("answer") for item in rest] == ["result", "result"]


def test_answers_longer_than_grpc_takes_by_default_reach_the_command_line(served: Served) -> None:
    lines = [line(number, "J1100") for number in range(1, 51)]
    claims = [NumberedClaim(number, claim_fields(*lines)) for number in range(1, 101)]
    remote = evaluate_remotely(RemoteServer(served.address), claims, "", "", frozenset(), DetailLevel.ALL)
    assert [(answer.line, answer.problems) for answer in remote] == [(number, ()) for number in range(1, 101)]


def test_a_claim_without_lines_is_refused(stub: pb_grpc.ClaimEditServiceStub) -> None:
    error = refused(lambda: stub.EvaluateClaim(_ask(message_from_fields(claim_fields()))))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [field for field, _ in violations(rich_status(error))] == ["lines"]


def _ask(message: claim_pb2.Claim) -> pb.EvaluateClaimRequest:
    return pb.EvaluateClaimRequest(claim=message)
