"""Every known answer over gRPC: one server process, the release pinned by each request (semantics.md §H)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from cases import build_release, disagreements, find_cases, good_cases

from claimedits.app.claim_messages import message_from_fields
from claimedits.app.rendering import as_json, fields_from_response, json_from_response
from claimedits.app.testing.cases import Case
from claimedits.cli.server_process import run_server
from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc


@pytest.fixture(scope="session")
def releases(store: Store, request: pytest.FixtureRequest, shared_revisions: tuple[str, ...]) -> dict[str, str]:
    """The release of every case that can be judged, by the id of the case."""
    cases = good_cases(find_cases(request.config.getoption("--cases")))
    return {case.id: build_release(store, case, shared_revisions) for case in cases}


@pytest.fixture(scope="session")
def stub(store_path: Path, releases: dict[str, str]) -> Iterator[pb_grpc.ClaimEditServiceStub]:
    """One server for all cases. No release of its store is active: each request pins its own."""
    with run_server(store_path, ["--balancer-wait-seconds", "0"]) as address, grpc.insecure_channel(address) as channel:
        yield pb_grpc.ClaimEditServiceStub(channel)


def test_over_grpc(case: Case, store: Store, releases: dict[str, str], stub: pb_grpc.ClaimEditServiceStub) -> None:
    release = releases[case.id]
    response = stub.EvaluateClaim(
        pb.EvaluateClaimRequest(
            claim=message_from_fields(case.claim),
            release=release,
            as_of=case.as_of,
            families=[family.value for family in case.families],  # type: ignore[misc]
            detail=pb.DETAIL_LEVEL_ALL,
        )
    )
    assert disagreements(case, fields_from_response(response)) == []
    in_process = Engine.open(store, release).evaluate(case.claim, case.as_of, case.families, "ALL")
    assert json_from_response(response) == as_json(in_process)
