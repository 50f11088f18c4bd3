"""What a client shows of itself, and to whom it sends a token."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claimedits.app.remote_server import RemoteServer, is_this_machine, read_token
from claimedits.model.problems import ClaimEditsError, ProblemsError


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("localhost:50051", True),
        ("127.0.0.1:50051", True),
        ("127.8.9.1:1", True),
        ("[::1]:50051", True),
        ("0.0.0.0:50051", False),
        ("[::]:50051", False),
        ("10.0.0.1:50051", False),
        ("localhost.example.org:50051", False),
        ("127.0.0.1.example.org:1", False),
        ("example.org:50051", False),
        (":50051", False),
    ],
)
def test_this_machine_is_told_from_others(address: str, here: bool) -> None:
    assert is_this_machine(address) is here


def test_a_token_goes_unencrypted_to_this_machine_alone() -> None:
    with RemoteServer("localhost:1", token="x").open_channel():
        pass
    with RemoteServer("example.org:1", token="x", allow_plaintext_tokens=True).open_channel():
        pass
    with pytest.raises(ClaimEditsError) as caught:
        RemoteServer("example.org:1", token="secret").open_channel()
    assert str(caught.value) == (
        "example.org:1: the token would be sent unencrypted, for anybody on the way to read; "
        "name the server's authority with --tls-ca, or say --allow-plaintext-tokens"
    )


def test_half_of_a_certificate_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    with pytest.raises(ClaimEditsError, match=r"^a client certificate needs both --tls-cert and --tls-key$"):
        RemoteServer("localhost:1", tls_certificate=file).open_channel()
    with pytest.raises(ClaimEditsError, match=r"^a client certificate asks for TLS: name the server's authority "):
        RemoteServer("localhost:1", tls_certificate=file, tls_key=file).open_channel()


def write(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_token_is_read_without_the_blanks_around_it(tmp_path: Path) -> None:
    assert read_token(write(tmp_path / "token", " abc-DEF_1\r\n")) == "abc-DEF_1"


@pytest.mark.parametrize("content", ["", "\n", "two words", "two\nlines", "é", "x" * 5000, "a\x00b"])
def test_what_is_no_token_is_told_and_not_repeated(content: str, tmp_path: Path) -> None:
    path = write(tmp_path / "token", content)
    with pytest.raises(ClaimEditsError) as caught:
        read_token(path)
    assert str(caught.value) == f"{path}: holds no single token; write one line, as 'claim-edits access token' gives it"


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "token", "abc", 0o644)
    with pytest.raises(ProblemsError) as caught:
        read_token(path)
    assert str(caught.value) == f"{path}: can be read by everybody (mode 644); run 'chmod 600 {path}'"


def test_a_pipe_has_no_permissions_to_check(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abc\n")
    os.close(writing)
    try:
        assert read_token(Path(f"/dev/fd/{reading}")) == "abc"
    finally:
        os.close(reading)
