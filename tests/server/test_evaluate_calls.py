"""The three RPCs of ClaimEditService against a real process: answers, refusals, limits, streams."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
import pytest
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
    wait_until,
)

from claimedits.app.claim_messages import claim_from_proto
from claimedits.app.rendering import as_json, json_from_response
from claimedits.engine.engine import Engine
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc


@pytest.fixture
def stub(shared_server: Served) -> Iterator[pb_grpc.ClaimEditServiceStub]:
    with open_stub(shared_server.address) as stub:
        yield stub


def bad_claim() -> pb.EvaluateClaimRequest:
    sent = request()
    sent.claim.lines[0].units = "-1"
    sent.claim.lines[1].line_number = 1
    sent.claim.lines[2].service_date = "1899-12-31"
    sent.claim.lines[2].diagnosis_pointers.append(1)
    return sent


def test_an_answer_has_the_bytes_of_the_answer_in_process(
    stub: pb_grpc.ClaimEditServiceStub, shared_releases: TwoReleases
) -> None:
    for detail in (pb.DETAIL_LEVEL_FINDINGS, pb.DETAIL_LEVEL_ALL, pb.DETAIL_LEVEL_TRACE):
        response = stub.EvaluateClaim(request(as_of="2024-09-01", detail=detail))
        engine = Engine.open(shared_releases.path)
        decision = engine.evaluate(
            claim_from_proto(conflicting_claim()), "2024-09-01", (), pb.DetailLevel.Name(detail)[13:]
        )
        assert json_from_response(response) == as_json(decision)
        assert answers(response) == ANSWERS["first"]


def test_a_release_can_be_pinned_by_the_beginning_of_its_id(
    stub: pb_grpc.ClaimEditServiceStub, shared_releases: TwoReleases
) -> None:
    pinned = shared_releases.ids["second"]
    response = stub.EvaluateClaim(request(release=pinned[:17]))
    assert (response.release, answers(response)) == (pinned, ANSWERS["second"])


def test_every_problem_of_a_claim_is_named_by_its_field(stub: pb_grpc.ClaimEditServiceStub) -> None:
    error = refused(lambda: stub.EvaluateClaim(bad_claim()))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rich_status(error)
    assert error_info(status).reason == "CLAIM_INVALID"
    fields = [where for where, _ in violations(status)]
    assert {"lines[0].units", "lines[2].service_date", "lines[2].diagnosis_pointers[0]"} <= set(fields)
    assert status.message == f"{len(fields)} problems, each named in google.rpc.BadRequest"


def test_more_problems_than_a_trailer_holds_are_counted(stub: pb_grpc.ClaimEditServiceStub) -> None:
    sent = request()
    for row in sent.claim.lines:
        row.modifiers[:] = ["A-"] * 40
        row.diagnosis_pointers[:] = [9] * 40
    listed = violations(rich_status(refused(lambda: stub.EvaluateClaim(sent))))
    assert len(listed) <= 51
    where, more = listed[-1]
    assert where == "" and more.startswith("and ") and more.endswith(" more")
    assert sum(len(field) + len(text) for field, text in listed) < 4000


def test_every_option_at_fault_is_named(stub: pb_grpc.ClaimEditServiceStub) -> None:
    error = refused(lambda: stub.EvaluateClaim(request(as_of="2999-01-01", families=[99], detail=99)))  # type: ignore[list-item]
    status = rich_status(error)
    assert (error.code(), error_info(status).reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
    assert violations(status) == [
        ("as_of", "lies in the future; nothing later than today is known; leave it empty for today"),
        ("families[0]", "is no family that this engine decides; leave families empty for all"),
        ("detail", "is no level of detail; use FINDINGS, ALL or TRACE"),
    ]


def test_a_request_without_a_claim_is_refused(stub: pb_grpc.ClaimEditServiceStub) -> None:
    status = rich_status(refused(lambda: stub.EvaluateClaim(pb.EvaluateClaimRequest())))
    assert violations(status) == [("claim", "is missing; send the claim to evaluate")]


@pytest.mark.parametrize("release", ["sha256:" + "0" * 64, "012345", "no-such-release"])
def test_an_unknown_release_is_not_found(stub: pb_grpc.ClaimEditServiceStub, release: str) -> None:
    error = refused(lambda: stub.EvaluateClaim(request(release=release)))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error_info(rich_status(error)).reason == "RELEASE_NOT_FOUND"


def test_limits_are_named_with_what_was_sent(stub: pb_grpc.ClaimEditServiceStub) -> None:
    long, remembering = request(), request()
    for number in range(4, 11):
        long.claim.lines.add().MergeFrom(long.claim.lines[0])
        long.claim.lines[-1].line_number = number
    for number in (1, 2, 3):
        remembering.claim.history_lines.add(line_number=number, procedure_code="G0247")
    batch = pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim()] * 5)
    large = pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim(claim_id="x" * 70_000)])
    for call, metadata in (
        (lambda: stub.EvaluateClaim(long), {"limit": "lines_per_claim", "maximum": "5", "value": "10"}),
        (lambda: stub.EvaluateClaim(remembering), {"limit": "history_lines_per_claim", "maximum": "2", "value": "3"}),
        (lambda: stub.BatchEvaluateClaims(batch), {"limit": "claims_per_batch", "maximum": "4", "value": "5"}),
        (
            lambda: stub.BatchEvaluateClaims(large),
            {"limit": "message_bytes", "maximum": "65536", "value": str(large.ByteSize())},
        ),
    ):
        error = refused(call)
        info = error_info(rich_status(error))
        assert (error.code(), info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")
        assert dict(info.metadata) == metadata


def test_bytes_that_are_no_message_are_refused_as_such(shared_server: Served) -> None:
    with grpc.insecure_channel(shared_server.address) as channel:
        raw = channel.unary_unary("/claimedits.v1.ClaimEditService/EvaluateClaim")
        error = refused(lambda: raw(b"\xff\xff\xff\xff"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rich_status(error)
    assert error_info(status).reason == "MESSAGE_UNREADABLE"
    assert status.message == ("the bytes are no claimedits.v1.EvaluateClaimRequest; send the message of the contract")


def test_one_bad_claim_does_not_fail_the_batch(stub: pb_grpc.ClaimEditServiceStub) -> None:
    response = stub.BatchEvaluateClaims(
        pb.BatchEvaluateClaimsRequest(claims=[conflicting_claim(), bad_claim().claim, conflicting_claim()])
    )
    assert [item.WhichOneof("answer") for item in response.items] == ["result", "status", "result"]
    alone = rich_status(refused(lambda: stub.EvaluateClaim(bad_claim())))
    assert response.items[1].status == alone


def test_an_empty_batch_has_an_empty_answer(stub: pb_grpc.ClaimEditServiceStub) -> None:
    assert not stub.BatchEvaluateClaims(pb.BatchEvaluateClaimsRequest()).items


def test_a_stream_answers_message_by_message_in_order(stub: pb_grpc.ClaimEditServiceStub) -> None:
    sent = [
        pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim(claim_id=f"{i}-{j}") for j in range(i % 4)])
        for i in range(20)
    ]
    sent[7].claims[1].lines[0].units = "none"
    received = list(stub.StreamEvaluateClaims(iter(sent)))
    assert [len(response.items) for response in received] == [i % 4 for i in range(20)]
    for i, response in enumerate(received):
        for j, item in enumerate(response.items):
            if (i, j) == (7, 1):
                assert violations(item.status)[0][0] == "lines[0].units"
            else:
                assert item.result.claim_id == f"{i}-{j}"


def test_the_options_of_a_stream_stand_on_its_first_message(
    stub: pb_grpc.ClaimEditServiceStub, shared_releases: TwoReleases
) -> None:
    claims, pin = [conflicting_claim()], shared_releases.ids["second"]
    first = pb.StreamEvaluateClaimsRequest(claims=claims, release=pin, as_of="2024-09-01")
    bare = pb.StreamEvaluateClaimsRequest(claims=claims)
    received = list(stub.StreamEvaluateClaims(iter([first, bare, first])))
    assert [(r.items[0].result.release, r.items[0].result.as_of) for r in received] == [(pin, "2024-09-01")] * 3
    other = pb.StreamEvaluateClaimsRequest(claims=claims, release=pin, as_of="2024-09-02")
    status = rich_status(refused(lambda: list(stub.StreamEvaluateClaims(iter([first, other])))))
    assert violations(status) == [
        ("as_of", "differs from the first message; options hold for the whole stream; leave them empty")
    ]


def test_a_message_of_a_stream_is_answered_before_the_next_is_sent(stub: pb_grpc.ClaimEditServiceStub) -> None:
    go_on = threading.Semaphore(1)

    def requests() -> Iterator[pb.StreamEvaluateClaimsRequest]:
        for i in range(5):
            go_on.acquire()
            yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim(claim_id=str(i))])

    for i, response in enumerate(stub.StreamEvaluateClaims(requests())):
        assert response.items[0].result.claim_id == str(i)
        go_on.release()


def test_a_cut_stream_ends_quietly_and_gives_its_place_back(shared_server: Served) -> None:
    for _ in range(5):  # more than there are places
        with open_stub(shared_server.address) as stub:
            held = threading.Event()
            call = stub.StreamEvaluateClaims(_then_wait(held, claims=4))
            assert len(next(call).items) == 4
            call.cancel()
            held.set()
        ended = shared_server.log.wait_for("call", method="StreamEvaluateClaims", claims=4)
        assert ended["code"] in ("CANCELLED", "OK")  # gRPC may tell of the sender's end before it tells of the cut
    assert not [said for said in shared_server.log.lines if said["event"] in ("incident", "text")]


def test_streams_beyond_their_places_are_refused_and_starve_nobody(shared_server: Served) -> None:
    held = threading.Event()
    with open_stub(shared_server.address) as stub:
        taken = [stub.StreamEvaluateClaims(_then_wait(held)) for _ in range(2)]
        for call in taken:
            next(call)
        error = refused(lambda: list(stub.StreamEvaluateClaims(_then_wait(held))))
        assert dict(error_info(rich_status(error)).metadata) == {"limit": "streams", "maximum": "2", "value": "3"}
        assert answers(stub.EvaluateClaim(request())) == ANSWERS["first"]
        held.set()
        for call in taken:
            assert not list(call)

        def has_room() -> bool:
            try:
                return len(list(stub.StreamEvaluateClaims(iter([pb.StreamEvaluateClaimsRequest()])))) == 1
            except grpc.RpcError:
                return False

        wait_until(has_room)


def test_the_log_has_one_line_a_call_and_not_a_word_of_the_claim(two_releases: TwoReleases) -> None:
    with serve_process(two_releases.path) as served, open_stub(served.address) as stub:
        stub.EvaluateClaim(pb.EvaluateClaimRequest(claim=conflicting_claim(claim_id="SECRET-1")))
        refused(lambda: stub.EvaluateClaim(bad_claim()))
        served.terminate()
        calls = [said for said in served.log.read_to_end() if said["event"] == "call"]
    assert [(said["method"], said["code"], said["claims"], said["lines"]) for said in calls] == [
        ("EvaluateClaim", "OK", 1, 3),
        ("EvaluateClaim", "INVALID_ARGUMENT", 0, 0),
    ]
    assert set(calls[0]) == {
        "time",
        "event",
        "method",
        "code",
        "caller",
        "ms",
        "release",
        "claims",
        "lines",
        "findings",
    }
    assert calls[0]["release"] == two_releases.ids["first"][7:19]
    written = str(served.log.lines)
    assert not [word for word in ("SECRET-1", "G0247", "J1100", "1234567893") if word in written]


def _then_wait(held: threading.Event, claims: int = 1) -> Iterator[pb.StreamEvaluateClaimsRequest]:
    yield pb.StreamEvaluateClaimsRequest(claims=[conflicting_claim()] * claims)
    held.wait(30)
