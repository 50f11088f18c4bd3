"""What surrounds every call: errors become statuses, one log line, counts, whether the caller is still there."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from grpc_status import rpc_status

from claimedits.server.call_log import write_log
from claimedits.server.errors import CODES, as_status


class Call:
    """One call under way."""

    __slots__ = ("_context", "_started", "claims", "findings", "lines", "release")

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self._started = time.perf_counter()
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

    def fail(self, error: Exception) -> None:
        """End the call with the status of an error.

        Raises:
            Exception: always; gRPC ends a call by an exception of its own.
        """
        status = as_status(error)
        if CODES[status.code] is grpc.StatusCode.INTERNAL:
            # Frames, never values: claim content must not reach the log.
            frames = [
                f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}"
                for f in traceback.extract_tb(error.__traceback__)
            ]
            write_log(event="defect", error=type(error).__name__, frames=frames)
        self._context.abort_with_status(rpc_status.to_status(status))

    def log(self, method: str, code: str) -> None:
        write_log(
            event="call",
            method=method,
            code=code,
            ms=round(1000 * (time.perf_counter() - self._started), 3),
            release=self.release[7:19],
            claims=self.claims,
            lines=self.lines,
            findings=self.findings,
        )


def add_service(server: grpc.Server, service: ServiceDescriptor, handlers: object) -> None:
    """Register the methods of ``handlers`` for every RPC of a service."""
    methods = {}
    for method in service.methods:
        behaviour = getattr(handlers, method.name)
        request = message_factory.GetMessageClass(method.input_type)
        wrap, kind = (
            (_stream, grpc.stream_stream_rpc_method_handler)
            if method.client_streaming
            else (_unary, grpc.unary_unary_rpc_method_handler)
        )
        methods[method.name] = kind(
            wrap(method.name, behaviour), request_deserializer=request.FromString, response_serializer=serialise
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, methods),))


def serialise(message: Message) -> bytes:
    """The same message gives the same bytes: maps in key order."""
    return message.SerializeToString(deterministic=True)


def _unary(name: str, behaviour: Callable[[Any, Call], Message]) -> Callable[[Any, grpc.ServicerContext], Message]:
    def run(request: Any, context: grpc.ServicerContext) -> Message:
        call, code = Call(context), "OK"
        try:
            return behaviour(request, call)
        except Exception as error:
            code = CODES[as_status(error).code].name
            call.fail(error)
            raise
        finally:
            call.log(name, code)

    return run


def _stream(
    name: str, behaviour: Callable[[Iterable[Any], Call], Iterator[Message]]
) -> Callable[[Iterable[Any], grpc.ServicerContext], Iterator[Message]]:
    def run(requests: Iterable[Any], context: grpc.ServicerContext) -> Iterator[Message]:
        call, code = Call(context), "OK"
        try:
            yield from behaviour(requests, call)
        except GeneratorExit:
            code = "CANCELLED"
            raise
        except Exception as error:
            if call.has_left():  # a stream that was cut: nobody is there to be told
                code = "CANCELLED"
                return
            code = CODES[as_status(error).code].name
            call.fail(error)
        finally:
            call.log(name, code)

    return run
