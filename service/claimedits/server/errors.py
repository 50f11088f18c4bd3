"""The one place that chooses RPC codes: errors of the lower floors as ``google.rpc.Status`` (api.md §2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from claimedits.app.engine_host import NoActiveReleaseError, NotReadyError
from claimedits.app.release_activation import NO_RELEASE, ReleaseRefusedError
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.problems import AmbiguousIdError, ClaimInvalidError, NotFoundError, Problem, StoreError
from claimedits.rulesets.activation import ActiveReleaseChangedError
from claimedits.rulesets.durable_files import UnconfirmedWriteError
from claimedits.v1.error_reason_pb2 import ErrorReason

DOMAIN = "claimedits"
MOST_VIOLATIONS = 50
MOST_TEXT = 3500
"""Bytes of all violations: rich errors ride in trailers of about 8 KB, and one that is too large is lost whole."""
MOST_MESSAGE = 500
"""Characters of a status message, which travels twice: as it is, and in the rich error."""


class RequestError(Exception):
    """A request that is refused for itself, not for its claim."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class MessageUnreadableError(Exception):
    """Bytes that are not the message that the call takes."""


class LimitError(Exception):
    """Over a limit of the settings."""

    def __init__(self, limit: str, maximum: int, value: int, mend: str) -> None:
        """``limit`` is the name of the setting, ``value`` what was sent."""
        self.metadata = {"limit": limit, "maximum": str(maximum), "value": str(value)}
        super().__init__(f"{limit} is {value}, the limit is {maximum}; {mend}")


class RevisionNotFoundError(Exception):
    """No such revision; the message is the store's."""


class NotAuthenticatedError(Exception):
    """Nobody whom the access table knows. The message says what to send, and repeats nothing that was sent."""


class RoleRequiredError(Exception):
    """A caller who lacks the role that a call needs."""

    def __init__(self, role: str, caller: str, message: str) -> None:
        """``caller`` is the caller's name; empty = the server knows nobody."""
        self.role, self.caller = role, caller
        super().__init__(message)


CODES = {code.value[0]: code for code in grpc.StatusCode}
"""gRPC codes by number."""


def as_status(error: Exception) -> status_pb2.Status:
    """The status that a caller gets. A damaged store or a defect of ours says no more than where the log has it."""
    match error:
        case ClaimInvalidError() | RequestError():
            return _refusal(error)
        case AmbiguousIdError():
            return _refusal(RequestError([Problem("release", "begins several ids", "give more digits")]))
        case LimitError():
            return _status(
                code_pb2.RESOURCE_EXHAUSTED, str(error), ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, error.metadata
            )
        case MessageUnreadableError():
            return _status(code_pb2.INVALID_ARGUMENT, str(error), ErrorReason.ERROR_REASON_MESSAGE_UNREADABLE)
        case NoActiveReleaseError():
            return _status(code_pb2.UNAVAILABLE, str(error), ErrorReason.ERROR_REASON_NO_ACTIVE_RELEASE)
        case NotReadyError():
            return _status(code_pb2.UNAVAILABLE, str(error), ErrorReason.ERROR_REASON_NOT_READY)
        case RevisionNotFoundError():
            return _status(code_pb2.NOT_FOUND, str(error), ErrorReason.ERROR_REASON_REVISION_NOT_FOUND)
        case NotFoundError():
            return _status(code_pb2.NOT_FOUND, str(error), ErrorReason.ERROR_REASON_RELEASE_NOT_FOUND)
        case NotAuthenticatedError():
            return _status(code_pb2.UNAUTHENTICATED, str(error), ErrorReason.ERROR_REASON_NOT_AUTHENTICATED)
        case RoleRequiredError():
            return _status(
                code_pb2.PERMISSION_DENIED, str(error), ErrorReason.ERROR_REASON_ROLE_REQUIRED, {"role": error.role}
            )
        case ActiveReleaseChangedError():
            return _status(
                code_pb2.ABORTED,
                str(error),
                ErrorReason.ERROR_REASON_ACTIVE_RELEASE_CHANGED,
                {"current": error.current or NO_RELEASE},
            )
        case ReleaseRefusedError():
            return _status(code_pb2.FAILED_PRECONDITION, str(error), ErrorReason.ERROR_REASON_RELEASE_REFUSED)
        case UnconfirmedWriteError():
            return _status(code_pb2.INTERNAL, str(error), ErrorReason.ERROR_REASON_ACTIVATION_UNCONFIRMED)
        case EvaluationAbandonedError():
            gone = "the caller has gone, or its deadline has passed"
            return _status(code_pb2.CANCELLED, gone, ErrorReason.ERROR_REASON_CALLER_LEFT)
    incident = uuid.uuid4().hex[:12]
    if isinstance(error, StoreError | OSError):
        message = f"the store cannot be read; incident {incident} in the log of the server says why"
        code, reason = code_pb2.FAILED_PRECONDITION, ErrorReason.ERROR_REASON_RELEASE_UNREADABLE
    else:
        message = f"a defect of the service; incident {incident} in its log has the particulars"
        code, reason = code_pb2.INTERNAL, ErrorReason.ERROR_REASON_DEFECT
    return _status(code, message, reason, {"incident": incident})


def incident_of(status: status_pb2.Status) -> str:
    """The name under which the log keeps the cause of a status; empty where the status says all there is."""
    info = error_details_pb2.ErrorInfo()
    return info.metadata.get("incident", "") if status.details and status.details[0].Unpack(info) else ""


def _refusal(error: ClaimInvalidError | RequestError) -> status_pb2.Status:
    reason = (
        ErrorReason.ERROR_REASON_CLAIM_INVALID
        if isinstance(error, ClaimInvalidError)
        else ErrorReason.ERROR_REASON_REQUEST_INVALID
    )
    count = len(error.problems)
    message = str(error.problems[0]) if count == 1 else f"{count} problems, each named in google.rpc.BadRequest"
    return _status(code_pb2.INVALID_ARGUMENT, message, reason, {}, _bad_request(error.problems))


def _status(
    code: int,
    message: str,
    reason: ErrorReason.ValueType,
    metadata: Mapping[str, str] | None = None,
    *details: Message,
) -> status_pb2.Status:
    word = ErrorReason.Name(reason).removeprefix("ERROR_REASON_")
    info = error_details_pb2.ErrorInfo(reason=word, domain=DOMAIN, metadata=dict(metadata or {}))
    text = message if len(message) <= MOST_MESSAGE else message[: MOST_MESSAGE - 1] + "…"
    status = status_pb2.Status(code=code, message=text)
    for detail in (info, *details):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _bad_request(problems: Iterable[Problem]) -> error_details_pb2.BadRequest:
    """Every problem by its field path, as far as a trailer holds them; the rest is counted."""
    listed = list(problems)
    bad, room = error_details_pb2.BadRequest(), MOST_TEXT
    for i, problem in enumerate(listed):
        text = problem.what + (f"; {problem.mend}" if problem.mend else "")
        room -= len(problem.where.encode()) + len(text.encode())
        if i == MOST_VIOLATIONS or room < 0:
            bad.field_violations.add(field="", description=f"and {len(listed) - i} more")
            break
        bad.field_violations.add(field=problem.where, description=text)
    return bad
