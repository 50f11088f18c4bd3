"""The one place that chooses RPC codes: errors of the lower floors as ``google.rpc.Status`` (api.md §2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from claimedits.app.engine_host import NotReadyError
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.problems import ClaimInvalidError, NotFoundError, Problem, StoreError
from claimedits.v1 import error_reason_pb2

DOMAIN = "claimedits"
MOST_VIOLATIONS = 40
MOST_TEXT = 3500
"""Characters of all violations: rich errors ride in trailers of about 8 KB, and one that is too large is lost whole."""


class RequestError(Exception):
    """A request that is refused for itself, not for its claim."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class LimitError(Exception):
    """Over a limit of the settings."""

    def __init__(self, limit: str, most: int, value: int, mend: str) -> None:
        self.metadata = {"limit": limit, "most": str(most), "value": str(value)}
        super().__init__(f"{limit} is {value}, the limit is {most}; {mend}")


def as_status(error: Exception) -> status_pb2.Status:
    """The status that a caller gets. A defect of ours says no more than that."""
    if isinstance(error, ClaimInvalidError | RequestError):
        limits = [problem for problem in error.problems if problem.code.startswith("E_LIMIT")]
        if limits:
            return _status(
                code_pb2.RESOURCE_EXHAUSTED,
                str(limits[0]),
                "LIMIT_EXCEEDED",
                {"limit": limits[0].where, "value": limits[0].what},
            )
        reason = "CLAIM_INVALID" if isinstance(error, ClaimInvalidError) else "REQUEST_INVALID"
        count = len(error.problems)
        message = str(error.problems[0]) if count == 1 else f"{count} problems, each named in BadRequest"
        return _status(code_pb2.INVALID_ARGUMENT, message, reason, {}, error.problems)
    if isinstance(error, LimitError):
        return _status(code_pb2.RESOURCE_EXHAUSTED, str(error), "LIMIT_EXCEEDED", error.metadata)
    if isinstance(error, NotReadyError):
        return _status(code_pb2.UNAVAILABLE, str(error), "NO_ACTIVE_RELEASE")
    if isinstance(error, NotFoundError):
        return _status(code_pb2.NOT_FOUND, str(error), "RELEASE_NOT_FOUND")
    if isinstance(error, StoreError):
        return _status(code_pb2.FAILED_PRECONDITION, str(error), "RELEASE_UNREADABLE")
    if isinstance(error, EvaluationAbandonedError):
        return _status(code_pb2.CANCELLED, "the caller has gone, or its deadline has passed", "CALLER_LEFT")
    return _status(
        code_pb2.INTERNAL, f"a defect of the service ({type(error).__name__}); the log has the details", "DEFECT"
    )


def _status(
    code: int, message: str, reason: str, metadata: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()
) -> status_pb2.Status:
    assert f"ERROR_REASON_{reason}" in error_reason_pb2.ErrorReason.keys()
    details = [error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=dict(metadata or {}))]
    status = status_pb2.Status(code=code, message=message[:1000])
    for detail in [*details, *_bad_request(problems)]:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _bad_request(problems: Iterable[Problem]) -> list[error_details_pb2.BadRequest]:
    """Every problem by its field path, as far as a trailer holds them; the rest is counted."""
    listed = list(problems)
    if not listed:
        return []
    bad, room = error_details_pb2.BadRequest(), MOST_TEXT
    for i, problem in enumerate(listed):
        text = problem.what + (f"; {problem.mend}" if problem.mend else "")
        room -= len(problem.where) + len(text)
        if i == MOST_VIOLATIONS or room < 0:
            bad.field_violations.add(field="", description=f"and {len(listed) - i} more")
            break
        bad.field_violations.add(field=problem.where, description=text)
    return [bad]


CODES = {code.value[0]: code for code in grpc.StatusCode}
"""gRPC codes by number."""
