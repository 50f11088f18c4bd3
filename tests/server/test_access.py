"""Who may call what: every call of the contract with every kind of caller, against real processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from served import (
    ANSWERS,
    TOKENS,
    Served,
    TwoReleases,
    answers,
    bearer,
    error_info,
    open_stub,
    refused,
    request,
    rich_status,
    run_serve,
    serve_process,
    write_access,
)

from claimedits.app.access import Role
from claimedits.server.authorization import NO_CREDENTIAL, NO_TABLE, UNKNOWN_CERTIFICATE, UNKNOWN_TOKEN, UNREADABLE
from claimedits.server.health import ACTIVE_RELEASE, CLAIM_EDITS, RULE_SETS
from claimedits.server.probe import check_health
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc
from claimedits.v1 import rule_set_service_pb2 as rule_pb
from claimedits.v1 import rule_set_service_pb2_grpc as rule_pb_grpc

NEEDED = {
    "EvaluateClaim": "evaluate",
    "BatchEvaluateClaims": "evaluate",
    "StreamEvaluateClaims": "evaluate",
    "StreamEvaluateTable": "evaluate",
    "ListRuleSets": "read",
    "ListRevisions": "read",
    "GetRevision": "read",
    "ListReleases": "read",
    "GetRelease": "read",
    "GetActiveRelease": "read",
    "LookUpEdits": "read",
    "CompareRevisions": "read",
    "ActivateRelease": "administrator",
    "RollBackRelease": "administrator",
}
"""The role that each call of the contract needs."""
MAY = {
    "ada": {"read", "administrator"},
    "eve": {"evaluate"},
    "bob": {"read"},
    "both": {"read", "evaluate"},
}
METHODS = [method for service in (CLAIM_EDITS, RULE_SETS) for method in service.methods]
REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


@pytest.fixture(scope="module")
def guarded(shared_releases: TwoReleases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    table = write_access(tmp_path_factory.mktemp("access") / "access.toml")
    with serve_process(shared_releases.path, "--access", str(table)) as served:
        yield served


def call(channel: grpc.Channel, method: Any, metadata: Sequence[tuple[str, str]] = ()) -> grpc.StatusCode:
    """How a call with an empty message ends."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        if method.client_streaming:
            list(channel.stream_stream(path, bytes, bytes)(iter([b""]), metadata=metadata))
        else:
            channel.unary_unary(path, bytes, bytes)(b"", metadata=metadata)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def test_every_call_of_the_contract_has_a_role() -> None:
    assert {method.name for method in METHODS} == set(NEEDED)
    assert {role.value for role in Role} == set(NEEDED.values())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_caller_reaches_what_its_roles_allow_and_nothing_else(method: Any, guarded: Served) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        assert call(channel, method) is grpc.StatusCode.UNAUTHENTICATED
        for name, roles in MAY.items():
            code = call(channel, method, bearer(name))
            if NEEDED[method.name] in roles:
                assert code not in REFUSALS, name
            else:
                assert code is grpc.StatusCode.PERMISSION_DENIED, name


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_without_a_table_everybody_reads_and_evaluates_and_nobody_activates(method: Any, shared_server: Served) -> None:
    with grpc.insecure_channel(shared_server.address) as channel:
        for metadata in ((), bearer("ada")):
            code = call(channel, method, metadata)
            if NEEDED[method.name] == "administrator":
                assert code is grpc.StatusCode.PERMISSION_DENIED
            else:
                assert code not in REFUSALS


def test_a_refusal_says_how_to_mend_it(guarded: Served, shared_server: Served) -> None:
    with grpc.insecure_channel(guarded.address) as channel:
        stub = rule_pb_grpc.RuleSetServiceStub(channel)
        error = refused(lambda: stub.ListRuleSets(rule_pb.ListRuleSetsRequest()))
        info = error_info(rich_status(error))
        assert (error.details(), info.reason, dict(info.metadata)) == (NO_CREDENTIAL, "NOT_AUTHENTICATED", {})
        asked = rule_pb.ActivateReleaseRequest()
        error = refused(lambda: stub.ActivateRelease(asked, metadata=bearer("both")))
        info = error_info(rich_status(error))
        assert (info.reason, dict(info.metadata)) == ("ROLE_REQUIRED", {"role": "administrator"})
        assert error.details() == (
            "the call needs the role administrator, both has evaluate, read; an operator grants it in the server's access table"
        )
    with grpc.insecure_channel(shared_server.address) as channel:
        stub = rule_pb_grpc.RuleSetServiceStub(channel)
        error = refused(lambda: stub.RollBackRelease(rule_pb.RollBackReleaseRequest(reason="x")))
        info = error_info(rich_status(error))
        assert (info.reason, dict(info.metadata)) == ("ROLE_REQUIRED", {"role": "administrator"})
        assert error.details() == NO_TABLE


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ([f"Bearer {TOKENS['eve']}x"], UNKNOWN_TOKEN),
        ([f"Bearer {TOKENS['eve'][:-1]}"], UNKNOWN_TOKEN),
        ([f"Bearer {TOKENS['eve'].upper()}"], UNKNOWN_TOKEN),
        (["Bearer " + 6000 * "x"], UNKNOWN_TOKEN),
        ([TOKENS["eve"]], UNREADABLE),
        (["Bearer"], UNREADABLE),
        (["Bearer  "], UNREADABLE),
        ([""], UNREADABLE),
        ([f"Basic {TOKENS['eve']}"], UNREADABLE),
        ([f"Bearer {TOKENS['eve']}", f"Bearer {TOKENS['eve']}"], UNREADABLE),
    ],
    ids=range(10),
)
def test_what_is_no_known_token_is_nobody(sent: list[str], told: str, guarded: Served) -> None:
    with open_stub(guarded.address) as stub:
        error = refused(lambda: stub.EvaluateClaim(request(), metadata=[("authorization", text) for text in sent]))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAUTHENTICATED, told)
        assert TOKENS["eve"] not in str(error)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_as_http_has_it(scheme: str, guarded: Served) -> None:
    with open_stub(guarded.address) as stub:
        response = stub.EvaluateClaim(request(), metadata=[("authorization", f"{scheme} {TOKENS['eve']}")])
        assert answers(response) == ANSWERS["first"]


def test_nothing_is_read_of_a_caller_who_is_not_admitted(guarded: Served) -> None:
    """A message that is none would be told as such to a known caller."""
    with grpc.insecure_channel(guarded.address) as channel:
        evaluate = channel.unary_unary("/claimedits.v1.ClaimEditService/EvaluateClaim", bytes, bytes)
        assert refused(lambda: evaluate(b"\xff\xff")).code() is grpc.StatusCode.UNAUTHENTICATED
        error = refused(lambda: evaluate(b"\xff\xff", metadata=bearer("eve")))
        assert error_info(rich_status(error)).reason == "MESSAGE_UNREADABLE"


def test_health_is_for_everybody_and_reflection_for_the_known(guarded: Served) -> None:
    assert check_health(guarded.address) == (True, "SERVING")
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    with grpc.insecure_channel(guarded.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        error = refused(lambda: next(stub.ServerReflectionInfo(iter([asked]))))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAUTHENTICATED, NO_CREDENTIAL)
        for name in MAY:
            (answer,) = stub.ServerReflectionInfo(iter([asked]), metadata=bearer(name))
            assert len(answer.list_services_response.service) == 4


def test_health_tells_a_stranger_no_paths(tmp_path: Path, two_releases: TwoReleases) -> None:
    (two_releases.path / "activations.json").write_bytes(b"damaged")
    with serve_process(two_releases.path) as served:
        assert str(two_releases.path) in check_health(served.address, ACTIVE_RELEASE)[1]
    with serve_process(two_releases.path, "--access", str(write_access(tmp_path / "access.toml"))) as served:
        assert check_health(served.address, ACTIVE_RELEASE) == (False, "NOT_SERVING")


def test_the_log_names_the_caller_and_never_the_token(tmp_path: Path, shared_releases: TwoReleases) -> None:
    table = write_access(tmp_path / "access.toml")
    with serve_process(shared_releases.path, "--access", str(table)) as served, open_stub(served.address) as stub:
        stub.EvaluateClaim(request(), metadata=bearer("eve"))
        refused(lambda: stub.EvaluateClaim(request(), metadata=bearer("bob")))
        refused(lambda: stub.EvaluateClaim(request(), metadata=[("authorization", "Bearer SECRET")]))
        refused(lambda: list(stub.StreamEvaluateClaims(iter(()), metadata=bearer("bob"))))
        table.write_text(f'[[caller]]\nname = "x"\nroles = ["read"]\ntoken_sha256 = "{TOKENS["eve"]}"\n')
        served.log.wait_for("access_refused")
        served.terminate()
        calls = [said for said in served.log.read_to_end() if said["event"] == "call"]
    assert [(said["method"], said["code"], said["caller"]) for said in calls] == [
        ("EvaluateClaim", "OK", "eve"),
        ("EvaluateClaim", "PERMISSION_DENIED", "bob"),
        ("EvaluateClaim", "UNAUTHENTICATED", ""),
        ("StreamEvaluateClaims", "PERMISSION_DENIED", "bob"),
    ]
    written = str(served.log.lines)
    assert not [secret for secret in (*TOKENS.values(), "SECRET") if secret in written]


def test_a_changed_table_is_taken_up_and_a_broken_one_is_not(tmp_path: Path, shared_releases: TwoReleases) -> None:
    table = write_access(tmp_path / "access.toml")
    with serve_process(shared_releases.path, "--access", str(table)) as served, open_stub(served.address) as stub:

        def evaluates(name: str) -> bool:
            try:
                stub.EvaluateClaim(request(), metadata=bearer(name))
            except grpc.RpcError as error:
                assert error.code() in REFUSALS
                return False
            return True

        assert evaluates("eve") and evaluates("both")
        write_access(table, without=["eve"])
        assert served.log.wait_for("access_changed")["callers"] == 3
        assert not evaluates("eve") and evaluates("both")
        write_access(table, more="[[caller]]\n")
        said = served.log.wait_for("access_refused")["problem"]
        assert f"{table}:" in said and said.endswith("\nthe table read before stays in force")
        assert not evaluates("eve") and evaluates("both")
        table.chmod(0o644)
        assert "can be read by everybody" in served.log.wait_for("access_refused")["problem"]
        table.unlink()
        assert "cannot be read (No such file or directory)" in served.log.wait_for("access_refused")["problem"]
        assert not evaluates("eve") and evaluates("both")
        write_access(table)
        assert served.log.wait_for("access_changed")["callers"] == 4
        assert evaluates("eve")
        # What the transport does not fit is refused here as at the start.
        write_access(table, more='[[caller]]\nname = "cert"\nroles = ["read"]\ncertificate = "x"\n')
        assert "--tls-client-ca" in served.log.wait_for("access_refused")["problem"]
        assert evaluates("eve")


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port by SO_REUSEPORT")
def test_every_worker_takes_up_a_changed_table(tmp_path: Path, shared_releases: TwoReleases) -> None:
    table = write_access(tmp_path / "access.toml")
    with serve_process(shared_releases.path, "--access", str(table), "--workers", "2") as served:
        served.log.wait_for("listening")
        write_access(table, without=["eve"])
        for _ in range(2):
            served.log.wait_for("access_changed")
        for _ in range(8):
            with open_stub(served.address) as stub:
                error = refused(lambda stub=stub: stub.EvaluateClaim(request(), metadata=bearer("eve")))
                assert error.code() is grpc.StatusCode.UNAUTHENTICATED


def test_certificates_name_callers(tmp_path: Path, shared_releases: TwoReleases, certificates: Path) -> None:
    more = (
        '[[caller]]\nname = "by-common-name"\nroles = ["evaluate"]\ncertificate = "client"\n'
        '[[caller]]\nname = "by-alternative-name"\nroles = ["evaluate"]\ncertificate = "spiffe://example.org/pipeline"\n'
    )
    table = write_access(tmp_path / "access.toml", more=more)
    trust = (certificates / "ca.pem").read_bytes()
    tls = ("--tls-cert", certificates / "server.pem", "--tls-key", certificates / "server.key")
    options = ("--access", table, *tls, "--tls-client-ca", certificates / "ca.pem")
    with serve_process(shared_releases.path, *map(str, options)) as served:

        def evaluate(client: str, metadata: Sequence[tuple[str, str]] = ()) -> None:
            shown = [(certificates / f"{client}.{kind}").read_bytes() for kind in ("key", "pem")]
            with grpc.secure_channel(served.address, grpc.ssl_channel_credentials(trust, *shown)) as channel:
                pb_grpc.ClaimEditServiceStub(channel).EvaluateClaim(request(), metadata=metadata)

        evaluate("client")
        evaluate("pipeline")
        error = refused(lambda: evaluate("stranger"))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAUTHENTICATED, UNKNOWN_CERTIFICATE)
        # A token that is sent counts alone: for a stranger with a known one, and against a known one with a strange one.
        evaluate("stranger", bearer("eve"))
        error = refused(lambda: evaluate("client", [("authorization", "Bearer stale")]))
        assert error.details() == UNKNOWN_TOKEN
        assert refused(lambda: evaluate("client", bearer("bob"))).code() is grpc.StatusCode.PERMISSION_DENIED
        served.terminate()
        callers = [said["caller"] for said in served.log.read_to_end() if said["event"] == "call"]
    assert callers == ["by-common-name", "by-alternative-name", "", "eve", "", "bob"]


CERTIFICATE_ONLY = '[[caller]]\nname = "x"\nroles = ["read"]\ncertificate = "x"\n'


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("address", "content", "told"),
    [
        ("0.0.0.0:0", None, "callers would send their tokens to 0.0.0.0:0 unencrypted"),
        ("[::]:0", None, "callers would send their tokens to [::]:0 unencrypted"),
        ("127.0.0.1:0", CERTIFICATE_ONLY, "knows callers by their certificates, which the server does not ask for"),
        ("127.0.0.1:0", "[[caller]]\n", "[[caller]] has no name"),
    ],
)
def test_a_table_that_does_not_fit_keeps_the_server_from_starting(
    address: str, content: str | None, told: str, workers: str, tmp_path: Path, shared_releases: TwoReleases
) -> None:
    table = write_access(tmp_path / "access.toml")
    if content is not None:
        table.write_text(content)
    options = ("--access", str(table), "--address", address, "--workers", workers)
    ended = run_serve("--store", str(shared_releases.path), *options)
    assert ended.returncode == 1
    assert told in ended.stderr and "Traceback" not in ended.stderr


def test_an_operator_may_say_that_something_in_front_encrypts(tmp_path: Path, shared_releases: TwoReleases) -> None:
    table = write_access(tmp_path / "access.toml")
    options = ("--access", str(table), "--address", "0.0.0.0:0", "--allow-plaintext-tokens")
    with serve_process(shared_releases.path, *options) as served:
        port = served.address.rpartition(":")[2]
        with open_stub(f"127.0.0.1:{port}") as stub:
            assert answers(stub.EvaluateClaim(request(), metadata=bearer("eve"))) == ANSWERS["first"]
