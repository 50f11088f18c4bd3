"""Commands that ask a server: ``release activate``, ``release rollback`` and ``evaluate``, with tokens and certificates."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from served import ANSWERS, TOKENS, Served, TwoReleases, make_two_releases, serve_process, write_access

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("CLAIMEDITS_TOKEN")},
    "PYTHONPATH": str(Path(__file__).parents[2] / "service"),
}


def run(*arguments: object, token: str = "", stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "claimedits.cli.main", *map(str, arguments)]
    environment = ENVIRONMENT | ({"CLAIMEDITS_TOKEN": token} if token else {})
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, timeout=60)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[TwoReleases, Served, Path]]:
    releases = make_two_releases(tmp_path / "store")
    with serve_process(releases.path, "--access", str(write_access(tmp_path / "access.toml"))) as served:
        token = tmp_path / "token"
        token.write_text(f"{TOKENS['ada']}\n")
        token.chmod(0o600)
        yield releases, served, token


def test_a_server_activates_and_rolls_back(guarded: tuple[TwoReleases, Served, Path]) -> None:
    releases, served, token = guarded
    first, second = releases.ids["first"], releases.ids["second"]
    as_ada = ("--server", served.address, "--token-file", token)
    done = run("release", "activate", second, *as_ada, "--why", "2024 Q3", "--expected-current", first[:15])
    assert (done.returncode, done.stdout, done.stderr) == (0, f"active: {second}\n", "")
    entry = releases.store.activations()[-1]
    assert (entry.release, entry.who, entry.why) == (second, "ada", "2024 Q3")

    done = run("release", "rollback", *as_ada, "--why", "wrong quarter", "--expected-current", first)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"error: {served.address}: ABORTED: someone else changed the active release: it is {second} by ada at "
    )
    done = run("release", "rollback", *as_ada, "--why", "wrong quarter")
    assert (done.returncode, done.stdout) == (0, f"active: {first}\n")
    assert releases.store.activations()[-1].action == "rollback"


def test_a_caller_without_the_role_is_told(guarded: tuple[TwoReleases, Served, Path]) -> None:
    releases, served, _ = guarded
    asked = ("release", "activate", releases.ids["second"], "--server", served.address, "--why", "x")
    done = run(*asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {served.address}: UNAUTHENTICATED: this server answers only callers ")
    done = run(*asked, token=TOKENS["eve"])
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {served.address}: PERMISSION_DENIED: the call needs the role administrator, eve has evaluate; "
        "an operator grants it in the server's access table\n"
    )
    assert len(releases.store.activations()) == 1


def test_claims_are_evaluated_with_a_token(guarded: tuple[TwoReleases, Served, Path]) -> None:
    _, served, token = guarded
    claim = (
        '{"claim_id": "C", "program": "MEDICARE", "setting": "PRACTITIONER", "billing_provider_id": "1234567893", '
        '"lines": [{"line_number": 1, "procedure_code": "J1100", "units": "9", "service_date": "2024-03-01"}]}\n'
    )
    done = run("evaluate", "-", "--server", served.address, token=TOKENS["eve"], stdin=claim)
    assert done.returncode == 0, done.stderr
    values = [f["detail"]["mue"]["value"] for f in orjson.loads(done.stdout)["findings"] if f["code"] == "MUE_EXCEEDED"]
    assert [str(value) for value in values] == [ANSWERS["first"][1]]
    # The administrator's token, from a file, goes before the variable; evaluating is no role of his.
    done = run("evaluate", "-", "--server", served.address, "--token-file", token, token=TOKENS["eve"], stdin=claim)
    assert done.returncode == 2
    assert "PERMISSION_DENIED: the call needs the role evaluate, ada has administrator" in done.stderr


def test_a_refused_call_ends_while_claims_are_still_to_come(guarded: tuple[TwoReleases, Served, Path]) -> None:
    """Whoever writes the claims has not closed the pipe."""
    command = [sys.executable, "-m", "claimedits.cli.main", "evaluate", "-", "--server", guarded[1].address]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env=ENVIRONMENT, text=True, **pipes) as process:
        assert process.stdin is not None and process.stderr is not None
        assert process.wait(30) == 2
        assert "UNAUTHENTICATED" in process.stderr.read()


def test_certificates_do_as_well(tmp_path: Path, two_releases: TwoReleases, certificates: Path) -> None:
    more = '[[caller]]\nname = "pipeline"\nroles = ["administrator"]\ncertificate = "spiffe://example.org/pipeline"\n'
    table = write_access(tmp_path / "access.toml", more=more)
    tls = ("--tls-cert", certificates / "server.pem", "--tls-key", certificates / "server.key")
    options = ("--access", table, *tls, "--tls-client-ca", certificates / "ca.pem")
    shown = ("--tls-cert", certificates / "pipeline.pem", "--tls-key", certificates / "pipeline.key")
    with serve_process(two_releases.path, *map(str, options)) as served:
        asked = ("--server", served.address, "--tls-ca", certificates / "ca.pem", *shown, "--why", "a test")
        done = run("release", "activate", two_releases.ids["second"], *asked)
        assert (done.returncode, done.stdout) == (0, f"active: {two_releases.ids['second']}\n"), done.stderr
    assert two_releases.store.activations()[-1].who == "pipeline"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("activate", "abcdef"), "name a store with --store or a server with --server, one of the two"),
        (
            ("activate", "abcdef", "--store", "s", "--server", "localhost:1"),
            "name a store with --store or a server with --server, one of the two",
        ),
        (("rollback", "--server", "localhost:1"), "say --why, for the history"),
        (
            ("rollback", "--server", "localhost:1", "--why", "x", "--who", "me"),
            "the server records the name that it knows you by: leave --who out",
        ),
        (
            ("rollback", "--store", "s", "--allow-plaintext-tokens"),
            "tokens and certificates are for a server: name it with --server",
        ),
    ],
)
def test_words_that_do_not_go_together_are_told(arguments: tuple[str, ...], told: str) -> None:
    done = run("release", *arguments)
    assert done.returncode == 2 and told in done.stderr


def test_a_token_is_not_sent_in_the_open() -> None:
    done = run("release", "rollback", "--server", "example.org:1", "--why", "x", token="SECRET")
    assert done.returncode == 2 and "the token would be sent unencrypted" in done.stderr and "SECRET" not in done.stderr
