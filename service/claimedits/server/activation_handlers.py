"""RuleSetService: the calls that move the pointer to the active release. The role is asked for before they are reached."""

from __future__ import annotations

from collections.abc import Callable

from claimedits.app.engine_host import EngineHost
from claimedits.app.release_activation import Activated, activate_release, expected_release, roll_back_release
from claimedits.model.problems import AmbiguousIdError, NotFoundError, Problem
from claimedits.server.calls import Call
from claimedits.server.errors import RequestError
from claimedits.v1 import rule_set_service_pb2 as pb

MOST_REASON = 2000
"""Characters of a reason: the history is read whole."""


class ActivationHandlers:
    """One instance a worker. A worker that has moved the pointer serves the new release before it answers."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host

    def ActivateRelease(self, request: pb.ActivateReleaseRequest, call: Call) -> pb.ActivateReleaseResponse:  # noqa: N802
        """Make a release the active one."""
        problems = self._problems(request)
        if not request.release.strip():
            problems.insert(0, Problem("release", "is missing", "name it by its id or a unique beginning of it"))
        if problems:
            raise RequestError(problems)
        done = self._move(
            lambda: activate_release(
                self._host.store,
                request.release,
                call.caller,
                request.reason.strip(),
                request.expected_current.strip(),
                call.has_left,
            ),
            call,
        )
        return pb.ActivateReleaseResponse(activation=_entry(done))

    def RollBackRelease(self, request: pb.RollBackReleaseRequest, call: Call) -> pb.RollBackReleaseResponse:  # noqa: N802
        """Make the release active that was active before."""
        if problems := self._problems(request):
            raise RequestError(problems)
        done = self._move(
            lambda: roll_back_release(
                self._host.store, call.caller, request.reason.strip(), request.expected_current.strip(), call.has_left
            ),
            call,
        )
        return pb.RollBackReleaseResponse(activation=_entry(done))

    def _problems(self, request: pb.ActivateReleaseRequest | pb.RollBackReleaseRequest) -> list[Problem]:
        problems = []
        try:
            expected_release(self._host.store, request.expected_current.strip())
        except AmbiguousIdError:
            problems.append(Problem("expected_current", "begins several ids", "give more digits"))
        except NotFoundError:
            mend = "write sha256: and hexadecimal digits, at least the first 6, or none, or leave it empty"
            problems.append(Problem("expected_current", "is no id of a release", mend))
        reason = request.reason.strip()
        if not reason:
            problems.append(Problem("reason", "is missing", "say why, for the history"))
        elif len(reason) > MOST_REASON:
            problems.append(
                Problem("reason", f"has {len(reason)} characters", f"say it in at most {MOST_REASON} characters")
            )
        elif not reason.isprintable():
            problems.append(Problem("reason", "holds control characters", "say it in one line of plain text"))
        return problems

    def _move(self, move: Callable[[], Activated], call: Call) -> Activated:
        done = move()
        call.release = done.entry.release
        self._host.refresh(done.engine)
        return done


def _entry(done: Activated) -> pb.Activation:
    entry = done.entry
    return pb.Activation(
        release=entry.release, previous_release=entry.previous, who=entry.who, reason=entry.why, at=entry.at
    )
