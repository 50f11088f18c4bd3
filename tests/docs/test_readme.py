"""The README's commands and snippets run as printed, on made-up tables under the names that CMS gives its files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from claimedits.app.shipped import find_samples
from claimedits.cli.main import cli
from claimedits.cli.server_process import run_server

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line for kind, block in BLOCKS if not kind for line in block.splitlines() if line.startswith("claim-edits ")
]
PYTHON = [block for kind, block in BLOCKS if kind == "python"]
ZIPS = {
    **{
        f"medicare-ncci-2024q3-practitioner-ptp-edits-ccipra-v302r0-f{n}.zip": f"ccipra-v302r0-f{n}.TXT"
        for n in (1, 2, 3, 4)
    },
    "medicare-ncci-2024-q3-practitioner-services-mue-table.zip": "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv",
    "medicare-ncci-2024-q2-add-on-code-edits.zip": "AOC_V2024Q3-MCR.txt",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the files that a newcomer has downloaded, and the console script on its path."""
    path = tmp_path_factory.mktemp("readme")
    for name, member in ZIPS.items():
        with zipfile.ZipFile(path / name, "w") as archive:
            info = zipfile.ZipInfo(member, (2024, 6, 1, 0, 0, 0))
            archive.writestr(info, (find_samples() / member).read_bytes())
    (path / "claims.ndjson").write_bytes((find_samples() / "claims.ndjson").read_bytes())
    script = path / "bin" / "claim-edits"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m claimedits.cli.main "$@"\n')
    script.chmod(0o755)
    return path


def run(command: str, folder: Path) -> str:
    """What a command prints; it has to succeed."""
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "service")}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def commands(*words: str) -> Iterator[str]:
    yield from (command for command in COMMANDS if command.split()[1] in words)


def test_from_cms_files_to_answers(folder: Path) -> None:
    for command in commands("import", "build", "release"):
        run(command, folder)
    with run_server(folder / "store") as address:
        for command in commands("evaluate"):
            printed = run(command.replace("localhost:50051", address), folder)
            assert len(printed.splitlines()) == len((folder / "claims.ndjson").read_text().splitlines())
        for command in commands("healthcheck"):
            assert run(command.replace("localhost:50051", address), folder) == "SERVING\n"
        for snippet in PYTHON:
            (folder / "snippet.py").write_text(snippet.replace("localhost:50051", address))
            printed = run(f'"{sys.executable}" snippet.py', folder)
            assert "NOT_EVALUATED" in printed or "outcome" in printed
    for command in commands("lookup"):
        assert run(command, folder) == "no edit found\n"  # the made-up tables hold none of the README's codes


def test_every_command_of_the_readme_is_known() -> None:
    known = set(cli.list_commands(click.Context(cli)))
    assert {command.split()[1] for command in COMMANDS} <= known


def test_the_set_up_commands_are_those_of_continuous_integration() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    set_up = "-m venv .venv"
    assert set_up in README and set_up in script
    assert "pip install -q -e '.[dev]'" in README and "pip install -q -e '.[dev]'" in script
