"""ClaimEditService: thin handlers. Validate, take the release once, evaluate, answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from claimedits.app.claim_messages import claim_from_proto
from claimedits.app.engine_host import EngineHost
from claimedits.app.response_messages import as_response, fill_response
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.claim_reading import ClaimLimits
from claimedits.model.finding import Decision
from claimedits.model.problems import Problem
from claimedits.server.calls import Call, status_of
from claimedits.server.errors import LimitError, RequestError
from claimedits.server.requests import Options, read_options
from claimedits.server.settings import ServerSettings
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_pb2


class Items(Protocol):
    """Repeated ``EvaluationItem``."""

    def add(self) -> pb.EvaluationItem: ...


_FEW_FINDINGS = 20
"""Answers with no more are not measured: measuring takes time, and the number of claims bounds the size of such answers."""


class ClaimEditHandlers:
    """The three RPCs. One instance a worker, shared by its threads."""

    def __init__(self, host: EngineHost, settings: ServerSettings) -> None:
        self._host = host
        self._most_claims = settings.claims_per_batch
        self._most_bytes = settings.answer_bytes
        self._limits = ClaimLimits(settings.lines_per_claim, settings.history_lines_per_claim)

    def EvaluateClaim(self, request: pb.EvaluateClaimRequest, call: Call) -> pb.EvaluateClaimResponse:  # noqa: N802
        """One claim."""
        options = self._take(request, call)
        if not request.HasField("claim"):
            raise RequestError([Problem("claim", "is missing", "send the claim to evaluate")])
        return as_response(self._decide(request.claim, options, call))

    def BatchEvaluateClaims(self, request: pb.BatchEvaluateClaimsRequest, call: Call) -> pb.BatchEvaluateClaimsResponse:  # noqa: N802
        """Up to a configured number of claims; each item answers with a result or a status."""
        options = self._take(request, call)
        response = pb.BatchEvaluateClaimsResponse()
        self._answer(request.claims, response.items, options, call)
        return response

    def StreamEvaluateClaims(  # noqa: N802
        self, requests: Iterable[pb.StreamEvaluateClaimsRequest], call: Call
    ) -> Iterator[pb.StreamEvaluateClaimsResponse]:
        """Messages in, messages out, in order; nothing is read ahead, so a slow reader slows the sender."""
        options: Options | None = None
        first: pb.StreamEvaluateClaimsRequest | None = None
        for request in requests:
            if options is None or first is None:
                options, first = self._take(request, call), _options_of(request)
            elif not _repeats(request, first):
                raise RequestError(_differences(request, first))
            response = pb.StreamEvaluateClaimsResponse()
            self._answer(request.claims, response.items, options, call)
            yield response

    def _take(
        self,
        request: pb.EvaluateClaimRequest | pb.BatchEvaluateClaimsRequest | pb.StreamEvaluateClaimsRequest,
        call: Call,
    ) -> Options:
        options = read_options(request, self._host.engine)
        call.release = options.engine.release_id
        return options

    def _answer(self, claims: Collection[claim_pb2.Claim], items: Items, options: Options, call: Call) -> None:
        """One item a claim, in order: its result or the status that it would have had alone."""
        if len(claims) > self._most_claims:
            raise LimitError("claims_per_batch", self._most_claims, len(claims), "send fewer claims a message")
        size = 0
        for claim in claims:
            if call.has_left():
                raise EvaluationAbandonedError
            item = items.add()
            try:
                if size >= self._most_bytes:
                    raise LimitError("answer_bytes", self._most_bytes, size, "send fewer claims a message")
                decision = self._decide(claim, options, call)
                fill_response(item.result, decision)
                if len(decision.findings) > _FEW_FINDINGS:
                    size += item.ByteSize()
            except EvaluationAbandonedError:
                raise
            except Exception as error:  # one bad claim never fails the batch, not even one that meets a defect
                item.status.CopyFrom(status_of(error))

    def _decide(self, message: claim_pb2.Claim, options: Options, call: Call) -> Decision:
        limits = self._limits
        if len(message.lines) > limits.lines:
            raise LimitError("lines_per_claim", limits.lines, len(message.lines), "split the claim")
        if len(message.history_lines) > limits.history_lines:
            raise LimitError(
                "history_lines_per_claim",
                limits.history_lines,
                len(message.history_lines),
                "send the lines that matter",
            )
        claim = claim_from_proto(message, limits)
        decision = options.evaluate(claim, call.has_left)
        call.count(len(claim.lines), len(decision.findings))
        return decision


_OPTIONS = ("release", "as_of", "families", "detail")


def _options_of(request: pb.StreamEvaluateClaimsRequest) -> pb.StreamEvaluateClaimsRequest:
    return pb.StreamEvaluateClaimsRequest(
        release=request.release, as_of=request.as_of, families=request.families, detail=request.detail
    )


def _repeats(request: pb.StreamEvaluateClaimsRequest, first: pb.StreamEvaluateClaimsRequest) -> bool:
    options = _options_of(request)
    return options == first or options == pb.StreamEvaluateClaimsRequest()


def _differences(request: pb.StreamEvaluateClaimsRequest, first: pb.StreamEvaluateClaimsRequest) -> list[Problem]:
    return [
        Problem(name, "differs from the first message", "options hold for the whole stream; leave them empty")
        for name in _OPTIONS
        if getattr(request, name) != getattr(first, name)
    ]
