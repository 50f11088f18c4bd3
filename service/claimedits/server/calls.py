"""What surrounds every call: errors become statuses, one log line, counts, whether the caller is still there."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status

from claimedits.model.problems import ClaimEditsError
from claimedits.server.call_log import write_log
from claimedits.server.errors import CODES, RoleRequiredError, as_status, incident_of


class Call:
    """One call under way."""

    __slots__ = ("_context", "_started", "caller", "claims", "findings", "lines", "release")

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self._started = time.perf_counter()
        self.caller = ""
        """The name that the access table knows the caller by; empty = none."""
        self.release = ""
        self.claims = self.lines = self.findings = 0

    def has_left(self) -> bool:
        """Whether the caller has gone, or its deadline has passed."""
        return not self._context.is_active()

    def count(self, lines: int, findings: int) -> None:
        """One more claim answered."""
        self.claims += 1
        self.lines += lines
        self.findings += findings

    def count_table(self, claims: int, lines: int, findings: int) -> None:
        """Claims of a table answered."""
        self.claims += claims
        self.lines += lines
        self.findings += findings

    def log(self, method: str, code: str) -> None:
        """The one line that the log keeps of a call."""
        write_log(
            event="call",
            method=method,
            code=code,
            caller=self.caller,
            ms=round(1000 * (time.perf_counter() - self._started), 3),
            release=self.release[7:19],
            claims=self.claims,
            lines=self.lines,
            findings=self.findings,
        )


def status_of(error: Exception) -> status_pb2.Status:
    """The status of an error; the cause that it does not tell goes to the log."""
    status = as_status(error)
    if incident := incident_of(status):
        # Frames, never values: claim content must not reach the log. Errors of the store name files, not claims.
        frames = [
            f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)
        ]
        told = str(error) if isinstance(error, ClaimEditsError | OSError) else ""
        write_log(event="incident", incident=incident, error=type(error).__name__, problem=told, frames=frames)
    return status


Admit = Callable[[grpc.ServicerContext], str]
"""The name of a caller who may make the call; raises where nobody known calls, or one without the role."""
Read = Callable[[bytes], Any]
"""The message of some bytes; raises where they are none."""


def wrap_unary(name: str, behaviour: Callable[[Any, Call], Message], admit: Admit, read: Read) -> Any:
    """The gRPC behaviour of a unary call. Nothing is read of a caller who is not admitted."""

    def run(content: bytes, context: grpc.ServicerContext) -> Message:
        call, code = Call(context), "OK"
        try:
            call.caller = admit(context)
            return behaviour(read(content), call)
        except Exception as error:
            if isinstance(error, RoleRequiredError):
                call.caller = error.caller
            status = status_of(error)
            code = CODES[status.code].name
            context.abort_with_status(rpc_status.to_status(status))
            raise
        finally:
            call.log(name, code)

    return run


def wrap_stream(
    name: str, behaviour: Callable[[Iterable[Any], Call], Iterator[Message]], admit: Admit, read: Read
) -> Any:
    """The gRPC behaviour of a bidirectional stream. One that is cut ends quietly."""

    def run(contents: Iterable[bytes], context: grpc.ServicerContext) -> Iterator[Message]:
        call, code = Call(context), "OK"
        try:
            call.caller = admit(context)
            yield from behaviour(map(read, contents), call)
            if call.has_left():  # a cut can look like the sender's end
                code = "CANCELLED"
        except GeneratorExit:
            code = "CANCELLED"
            raise
        except Exception as error:
            if isinstance(error, RoleRequiredError):
                call.caller = error.caller
            if call.has_left():  # nobody is there to be told
                code = "CANCELLED"
                return
            status = status_of(error)
            code = CODES[status.code].name
            context.abort_with_status(rpc_status.to_status(status))
        finally:
            call.log(name, code)

    return run
