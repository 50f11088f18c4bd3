"""A store that serves the quarter before, the files of the new one under the names that CMS gives them, and a server with TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from claimedits.app.gating.policy import default_policy_text
from claimedits.app.shipped import find_rules, find_samples
from claimedits.cli.server_process import run_server

ROOT = Path(__file__).parents[2]
ZIPS = {
    "ptp": {
        f"medicare-ncci-2024q3-practitioner-ptp-edits-ccipra-v302r0-f{n}.zip": f"ccipra-v302r0-f{n}.TXT"
        for n in (1, 2, 3, 4)
    },
    "mue": {
        "medicare-ncci-2024-q3-practitioner-services-mue-table.zip": "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv"
    },
}
_CERTIFICATES = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=test"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj "/CN=localhost"
echo "subjectAltName=DNS:localhost,IP:127.0.0.1" > server.names
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.names -out server.pem
claim-edits access token release-pipeline --role administrator --table access.toml --token-file release-pipeline.token
"""


def prepare(folder: Path, published: bool = False) -> Path:
    """The working directory of an operator, or with ``published`` the checkout of a pipeline beside a restored store."""
    for family, zips in ZIPS.items():
        files = folder / "published" / family if published else folder
        files.mkdir(parents=True, exist_ok=True)
        for name, member in zips.items():
            with zipfile.ZipFile(files / name, "w") as archive:
                info = zipfile.ZipInfo(member, (2024, 6, 1, 0, 0, 0))
                archive.writestr(info, (find_samples() / member).read_bytes())
    shutil.copy(find_samples() / "claims.ndjson", folder)
    shutil.copytree(find_rules(), folder / "rules")
    if published:
        (folder / "gate.toml").write_text(default_policy_text(), encoding="utf-8")
        (folder / "lints.toml").write_text("", encoding="utf-8")
    script(folder, "claim-edits", f'exec "{sys.executable}" -m claimedits.cli.main "$@"')
    script(folder, "python", f'exec "{sys.executable}" "$@"')
    run("claim-edits build rules/ --store store && claim-edits release create --store store --activate", folder)
    return folder


@contextmanager
def serve(folder: Path, store: Path) -> Iterator[str]:
    """A server over a store, with TLS and an administrator; gives host:port. Its certificate and the token lie in the folder."""
    run(_CERTIFICATES, folder)
    words = ["--access", "access.toml", "--tls-cert", "server.pem", "--tls-key", "server.key"]
    paths = [word if word.startswith("--") else str(folder / word) for word in words]
    with run_server(store, paths) as address:
        yield f"localhost:{address.rpartition(':')[2]}"


def script(folder: Path, name: str, body: str) -> None:
    """A command of its own for what a script runs."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def run(commands: str, folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """What commands print; each of them has to succeed."""
    done = try_run(commands, folder, variables)
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def try_run(
    commands: str, folder: Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run commands up to the first that fails."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "service"), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
