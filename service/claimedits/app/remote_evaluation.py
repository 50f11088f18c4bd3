"""Evaluates claims over gRPC, as a client does: a bidirectional stream of small groups, answers in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from queue import Queue

from google.rpc import error_details_pb2, status_pb2

from claimedits.app.claim_files import Answer, NumberedClaim
from claimedits.app.claim_messages import message_from_fields
from claimedits.app.remote_server import RemoteServer
from claimedits.app.rendering import fields_from_response
from claimedits.model.problems import Problem
from claimedits.model.terms import DetailLevel, Family
from claimedits.v1 import claim_edit_service_pb2, claim_edit_service_pb2_grpc, claim_pb2

_GROUP = 100
"""Claims a message: enough to hide the cost of a message, few enough to stay far below its size limit."""


def evaluate_remotely(
    server: RemoteServer,
    claims: Iterable[NumberedClaim],
    release: str,
    as_of: str,
    families: frozenset[Family],
    detail: DetailLevel,
) -> Iterator[Answer]:
    """Answers in the order of the claims; what cannot be sent, or is refused, is answered with its problems.

    Raises:
        ClaimEditsError: the call itself failed: no server, an unknown release, a limit.
    """
    sent: Queue[list[Answer | int]] = Queue()

    def requests() -> Iterator[claim_edit_service_pb2.StreamEvaluateClaimsRequest]:
        for group in _groups(claims):
            messages, places = _as_messages(group)
            sent.put(places)
            if messages:
                yield claim_edit_service_pb2.StreamEvaluateClaimsRequest(
                    claims=messages,
                    release=release,
                    as_of=as_of,
                    families=[int(family) for family in sorted(families)],  # type: ignore[misc]
                    detail=int(detail),  # type: ignore[arg-type]
                )

    with server.open_channel() as channel, server.errors():
        stub = claim_edit_service_pb2_grpc.ClaimEditServiceStub(channel)
        for response in stub.StreamEvaluateClaims(requests()):
            yield from _unsent(sent)
            items = iter(response.items)
            for place in sent.get():
                yield place if isinstance(place, Answer) else _as_answer(place, next(items))
    yield from _unsent(sent)


def _groups(claims: Iterable[NumberedClaim]) -> Iterator[list[NumberedClaim]]:
    group: list[NumberedClaim] = []
    for claim in claims:
        group.append(claim)
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _as_messages(group: list[NumberedClaim]) -> tuple[list[claim_pb2.Claim], list[Answer | int]]:
    """Messages to send, and for each claim its line number, or its answer where it cannot be sent."""
    messages: list[claim_pb2.Claim] = []
    places: list[Answer | int] = []
    for claim in group:
        if claim.fields is None:
            places.append(Answer(claim.line, None, claim.problems))
            continue
        try:
            messages.append(message_from_fields(claim.fields))
            places.append(claim.line)
        except ValueError as error:
            places.append(Answer(claim.line, None, (Problem("claim", str(error), "check it against the contract"),)))
    return messages, places


def _unsent(sent: Queue[list[Answer | int]]) -> Iterator[Answer]:
    """Groups of which nothing was sent: no response will come for them."""
    while not sent.empty() and not any(isinstance(place, int) for place in sent.queue[0]):
        yield from (place for place in sent.get() if isinstance(place, Answer))


def _as_answer(line: int, item: claim_edit_service_pb2.EvaluationItem) -> Answer:
    if item.WhichOneof("answer") == "result":
        return Answer(line, fields_from_response(item.result))
    return Answer(line, None, tuple(_problems(item.status)))


def _problems(status: status_pb2.Status) -> Iterator[Problem]:
    for detail in status.details:
        refused = error_details_pb2.BadRequest()
        if detail.Unpack(refused):
            for violation in refused.field_violations:
                yield Problem(violation.field, violation.description)
            return
    yield Problem("claim", status.message)
