"""Server reflection: tools such as grpcurl ask it for the contract. Where callers have to be known, it answers known ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from grpc_status import rpc_status

from claimedits.server.authorization import Gate
from claimedits.server.calls import status_of


class _GuardedReflection:
    def __init__(self, names: Sequence[str], gate: Gate) -> None:
        self._reflection: Any = reflection.ReflectionServicer(names)
        self._gate = gate

    def ServerReflectionInfo(self, requests: Iterable[Any], context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        try:
            self._gate.admit(context, None)
        except Exception as error:
            context.abort_with_status(rpc_status.to_status(status_of(error)))
        yield from self._reflection.ServerReflectionInfo(requests, context)


def enable_reflection(services: Sequence[str], server: grpc.Server, gate: Gate) -> None:
    """Serve reflection of these services, and of itself, to whom ``gate`` knows."""
    guarded: Any = _GuardedReflection([*services, reflection.SERVICE_NAME], gate)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(guarded, server)
