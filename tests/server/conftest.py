"""Stores and servers for tests of the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from served import Served, TwoReleases, make_two_releases, serve_process


@pytest.fixture
def two_releases(tmp_path: Path) -> TwoReleases:
    return make_two_releases(tmp_path / "store")


@pytest.fixture(scope="module")
def shared_releases(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    """For tests that change nothing."""
    return make_two_releases(tmp_path_factory.mktemp("shared") / "store")


@pytest.fixture(scope="module")
def shared_server(shared_releases: TwoReleases) -> Iterator[Served]:
    """One process for the tests of a module that change nothing; limits are small."""
    limits = ("--lines-per-claim", "5", "--history-lines-per-claim", "2", "--claims-per-batch", "4")
    with serve_process(shared_releases.path, *limits, "--message-bytes", "65536", "--streams", "2") as served:
        yield served


CLIENTS = {
    "client": "",
    "pipeline": "subjectAltName=URI:spiffe://example.org/pipeline,DNS:pipeline.example.org",
    "stranger": "subjectAltName=DNS:stranger.example.org",
}
"""Client certificates by common name, with their alternative names."""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up authority, and what it signed for a server on this machine and for clients."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=made-up authority"
    )
    for name, alternative in {"server": "subjectAltName=IP:127.0.0.1,DNS:localhost", **CLIENTS}.items():
        (folder / "names").write_text(f"{alternative}\n")
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return folder
