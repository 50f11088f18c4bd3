"""Every call of the contract is answered by the server; none is left to UNIMPLEMENTED."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from served import Served

from claimedits.v1 import claim_edit_service_pb2, rule_set_service_pb2

METHODS = [
    method
    for module in (claim_edit_service_pb2, rule_set_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.name))
def test_a_call_is_answered(method: MethodDescriptor, shared_server: Served) -> None:
    request = message_factory.GetMessageClass(method.input_type)()
    path = f"/{method.containing_service.full_name}/{method.name}"
    with grpc.insecure_channel(shared_server.address) as channel:
        try:
            if method.client_streaming:
                list(channel.stream_stream(path, None, bytes)(iter([request.SerializeToString()]), timeout=20))
            else:
                channel.unary_unary(path, None, bytes)(request.SerializeToString(), timeout=20)
        except grpc.RpcError as error:
            assert error.code() not in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL), error.details()
