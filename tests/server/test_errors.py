"""Errors as statuses: rich errors stay within what a trailer carries."""

from __future__ import annotations

import pytest
from google.rpc import code_pb2
from served import error_info, violations

from claimedits.app.engine_host import NoActiveReleaseError, NotReadyError
from claimedits.app.release_activation import ReleaseRefusedError
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.problems import AmbiguousIdError, ClaimInvalidError, NotFoundError, Problem, StoreError
from claimedits.rulesets.activation import ActiveReleaseChangedError
from claimedits.rulesets.durable_files import UnconfirmedWriteError
from claimedits.server.errors import (
    LimitError,
    NotAuthenticatedError,
    RevisionNotFoundError,
    RoleRequiredError,
    as_status,
    incident_of,
)
from claimedits.v1.error_reason_pb2 import ErrorReason

TRAILER = 8192


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ClaimInvalidError([Problem("lines", "is empty")]), code_pb2.INVALID_ARGUMENT, "CLAIM_INVALID"),
        (AmbiguousIdError("two"), code_pb2.INVALID_ARGUMENT, "REQUEST_INVALID"),
        (LimitError("streams", 1, 2, "wait"), code_pb2.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
        (NotReadyError("soon"), code_pb2.UNAVAILABLE, "NOT_READY"),
        (NoActiveReleaseError(), code_pb2.UNAVAILABLE, "NO_ACTIVE_RELEASE"),
        (NotFoundError("none"), code_pb2.NOT_FOUND, "RELEASE_NOT_FOUND"),
        (RevisionNotFoundError("none"), code_pb2.NOT_FOUND, "REVISION_NOT_FOUND"),
        (StoreError("damaged"), code_pb2.FAILED_PRECONDITION, "RELEASE_UNREADABLE"),
        (EvaluationAbandonedError(), code_pb2.CANCELLED, "CALLER_LEFT"),
        (NotAuthenticatedError("who"), code_pb2.UNAUTHENTICATED, "NOT_AUTHENTICATED"),
        (RoleRequiredError("read", "eve", "no"), code_pb2.PERMISSION_DENIED, "ROLE_REQUIRED"),
        (ActiveReleaseChangedError("another", "sha256:0"), code_pb2.ABORTED, "ACTIVE_RELEASE_CHANGED"),
        (ReleaseRefusedError("damaged"), code_pb2.FAILED_PRECONDITION, "RELEASE_REFUSED"),
        (UnconfirmedWriteError("perhaps"), code_pb2.INTERNAL, "ACTIVATION_UNCONFIRMED"),
        (ValueError("G0247"), code_pb2.INTERNAL, "DEFECT"),
    ],
)
def test_each_error_has_its_code_and_reason(error: Exception, code: int, reason: str) -> None:
    status = as_status(error)
    assert (status.code, error_info(status).reason) == (code, reason)
    assert f"ERROR_REASON_{reason}" in ErrorReason.keys()  # noqa: SIM118 - an enum wrapper is no mapping
    assert bool(incident_of(status)) == (reason in ("RELEASE_UNREADABLE", "DEFECT"))


@pytest.mark.parametrize("letter", ["x", "é", "漢"])
@pytest.mark.parametrize("count", [1, 50, 51, 10_000])
def test_a_status_fits_in_a_trailer_whatever_it_tells(letter: str, count: int) -> None:
    problems = [Problem(f"lines[{i}].modifiers[0]", letter * 150, letter * 20) for i in range(count)]
    status = as_status(ClaimInvalidError(problems))
    assert status.ByteSize() < TRAILER
    listed = violations(status)
    told = len(listed) if count == 1 else len(listed) - 1
    if count > 1:
        assert listed[-1] == ("", f"and {count - told} more")
    assert told >= 1 and listed[0][0] == "lines[0].modifiers[0]"


def test_fifty_short_problems_are_all_told() -> None:
    problems = [Problem(f"lines[{i}].units", "is negative") for i in range(50)]
    assert len(violations(as_status(ClaimInvalidError(problems)))) == 50


def test_a_single_endless_problem_is_counted_rather_than_sent() -> None:
    status = as_status(ClaimInvalidError([Problem("claim_id", "x" * 100_000)]))
    assert status.ByteSize() < TRAILER
    assert violations(status) == [("", "and 1 more")]
