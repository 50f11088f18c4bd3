"""Who is let in: each kind of call has threads and places of its own, so that neither streams nor a flood of calls starve health.

gRPC asks ``Service.service`` for the handler of a call as it arrives, in one thread, before the call waits for a thread of
its pool: the place to count, and to refuse.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from typing import Any, NamedTuple

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from claimedits.server.authorization import Gate, role_of
from claimedits.server.calls import Call, wrap_stream, wrap_unary
from claimedits.server.errors import LimitError, MessageUnreadableError


class CallPool(futures.ThreadPoolExecutor):
    """Threads for calls, and how many calls may be there at once, the waiting ones included."""

    def __init__(self, name: str, threads: int, places: int) -> None:
        """``name`` is the setting that limits the places."""
        super().__init__(threads, thread_name_prefix=name)
        self.name = name
        self.places = places
        self._taken = 0
        self._count_lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Calls under way and waiting."""
        return self._taken

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        with self._count_lock:
            self._taken += 1
        try:
            future = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(self._leave)
        return future

    def _leave(self, _: object = None) -> None:
        with self._count_lock:
            self._taken -= 1


class _Method(NamedTuple):
    pool: CallPool
    handler: grpc.RpcMethodHandler[Any, Any]
    refusal: grpc.RpcMethodHandler[Any, Any]


class Service(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """The methods of one service of the contract."""

    def __init__(
        self,
        service: ServiceDescriptor,
        handlers: Sequence[object],
        pools: tuple[CallPool, CallPool],
        message_bytes: int,
        gate: Gate,
    ) -> None:
        """``handlers`` share the methods among them; ``pools`` are those of unary calls and of streams."""
        self._methods = {
            f"/{service.full_name}/{method.name}": _method(
                method, getattr(handler, method.name), pools[method.client_streaming], message_bytes, gate
            )
            for method in service.methods
            for handler in handlers
            if hasattr(handler, method.name)  # each call of the contract is one handler's
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of a call that arrives; None where the service has no such method."""
        method = self._methods.get(handler_call_details.method)
        if method is None:
            return None
        return method.handler if method.pool.taken < method.pool.places else method.refusal


def _method(
    method: MethodDescriptor, behaviour: Callable[..., Any], pool: CallPool, message_bytes: int, gate: Gate
) -> _Method:
    wrap, kind = (
        (wrap_stream, grpc.stream_stream_rpc_method_handler)
        if method.client_streaming
        else (wrap_unary, grpc.unary_unary_rpc_method_handler)
    )
    read = message_reader(message_factory.GetMessageClass(method.input_type), message_bytes)
    role = role_of(method)
    answer = wrap(method.name, behaviour, lambda context: gate.admit(context, role), read)
    answer.experimental_thread_pool = pool  # else the server's own pool, which is for probes and refusals
    refusal = _refuse_stream(pool) if method.client_streaming else _refuse(pool)
    refuse = wrap(method.name, refusal, lambda context: "", bytes)
    # Messages stay bytes until the caller is admitted.
    return _Method(
        pool,
        kind(answer, request_deserializer=None, response_serializer=serialise),
        kind(refuse, request_deserializer=None, response_serializer=None),
    )


def _refuse(pool: CallPool) -> Callable[[Any, Call], Any]:
    def refuse(request: Any, call: Call) -> Any:
        raise LimitError(pool.name, pool.places, pool.places + 1, "try again later")

    return refuse


def _refuse_stream(pool: CallPool) -> Callable[[Iterable[Any], Call], Any]:
    def refuse(requests: Iterable[Any], call: Call) -> Any:
        yield from _refuse(pool)(requests, call)

    return refuse


def message_reader(message: Any, most: int) -> Callable[[bytes], Message]:
    """Reads the bytes of a request; raises the error to answer with where they are too many, or no such message."""
    parse = message.FromString

    def read(content: bytes) -> Message:
        if len(content) > most:
            raise LimitError("message_bytes", most, len(content), "send fewer claims a message")
        try:
            return parse(content)  # type: ignore[no-any-return]
        except DecodeError as error:
            name = message.DESCRIPTOR.full_name
            raise MessageUnreadableError(f"the bytes are no {name}; send the message of the contract") from error

    return read


def serialise(message: Message) -> bytes:
    """The same message gives the same bytes: maps in key order."""
    return message.SerializeToString(deterministic=True)
