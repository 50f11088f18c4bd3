"""Activates and rolls back on a server, over gRPC."""

from __future__ import annotations

from claimedits.app.remote_server import RemoteServer
from claimedits.v1 import rule_set_service_pb2 as pb
from claimedits.v1 import rule_set_service_pb2_grpc

TIMEOUT = 600.0
"""Seconds: a server that has to build the indexes of a release first takes minutes."""


def activate_remotely(server: RemoteServer, release: str, reason: str, expected_current: str = "") -> pb.Activation:
    """Make a release the active one of the server's store.

    Raises:
        ClaimEditsError: the server refused, or could not be asked; the message says why.
    """
    request = pb.ActivateReleaseRequest(release=release, reason=reason, expected_current=expected_current)
    with server.open_channel() as channel, server.errors():
        stub = rule_set_service_pb2_grpc.RuleSetServiceStub(channel)
        return stub.ActivateRelease(request, timeout=TIMEOUT).activation


def roll_back_remotely(server: RemoteServer, reason: str, expected_current: str = "") -> pb.Activation:
    """Make the release active that was active before. Raises what ``activate_remotely`` raises."""
    request = pb.RollBackReleaseRequest(reason=reason, expected_current=expected_current)
    with server.open_channel() as channel, server.errors():
        stub = rule_set_service_pb2_grpc.RuleSetServiceStub(channel)
        return stub.RollBackRelease(request, timeout=TIMEOUT).activation
