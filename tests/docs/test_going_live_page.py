"""The commands of docs/going-live.md run as printed, against a real server with TLS, and what its tables name is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from claimedits.app.access import Role
from claimedits.app.access_tables import read_access_table
from claimedits.app.shipped import find_rules, find_samples
from claimedits.cli.server_process import run_server
from claimedits.rulesets.store import Store
from claimedits.v1.error_reason_pb2 import ErrorReason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "going-live.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
SHELL = [block for kind, block in BLOCKS if not kind]
ADDRESS = "localhost:50051"
ZIPS = {
    **{
        f"medicare-ncci-2024q3-practitioner-ptp-edits-ccipra-v302r0-f{n}.zip": f"ccipra-v302r0-f{n}.TXT"
        for n in (1, 2, 3, 4)
    },
    "medicare-ncci-2024-q3-practitioner-services-mue-table.zip": "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory that the page speaks of, with made-up tables under the names that CMS gives its files."""
    for name, member in ZIPS.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            info = zipfile.ZipInfo(member, (2024, 6, 1, 0, 0, 0))
            archive.writestr(info, (find_samples() / member).read_bytes())
    shutil.copy(find_samples() / "claims.ndjson", tmp_path)
    shutil.copytree(find_rules(), tmp_path / "rules")
    script = tmp_path / "bin" / "claim-edits"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m claimedits.cli.main "$@"\n')
    script.chmod(0o755)
    return tmp_path


def run(script: str, folder: Path) -> str:
    """What a script of the page prints; each of its commands has to succeed."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "service")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_commands_run_as_printed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = next(i for i, block in enumerate(SHELL) if block.startswith("claim-edits serve "))
    run("".join(SHELL[:place]), folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "service"))
    words = SHELL[place].split()
    assert words[:4] == ["claim-edits", "serve", "--store", "store"]
    with run_server(folder / "store", words[4:]) as address:
        port = address.rpartition(":")[2]
        printed = run("".join(SHELL[place + 1 :]).replace(ADDRESS, f"localhost:{port}"), folder)
    assert "SERVING\n" in printed
    assert len((folder / "answers.ndjson").read_text().splitlines()) == len(
        (folder / "claims.ndjson").read_text().splitlines()
    )
    first, second, third = Store.open(folder / "store").activations()
    assert (second.previous, second.who, second.why) == (
        first.release,
        "release-pipeline",
        "2024 Q3, reviewed in change 1234",
    )
    assert (third.release, third.action, third.who) == (first.release, "rollback", "release-pipeline")
    assert printed.count("active: ") == 2
    assert "release-pipeline activated" in printed


def test_the_table_of_the_page_is_one(tmp_path: Path) -> None:
    (table,) = (block for kind, block in BLOCKS if kind == "toml")
    path = tmp_path / "access.toml"
    path.write_text(table, encoding="utf-8")
    path.chmod(0o600)
    assert [caller.name for caller in read_access_table(path).callers] == ["release-pipeline", "adjudication"]


def test_roles_and_reasons_are_those_there_are() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [role.value for role in Role]
    reasons = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE)) - {
        "FAILED_PRECONDITION",
        "PERMISSION_DENIED",
        "CLAIMEDITS_TOKEN",
    }
    known = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118 - an enum wrapper is no mapping
    assert reasons and reasons <= known
