"""The commands of docs/replay.md run as printed and print what the page shows; its tables name every column and option."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import claimedits
from claimedits.app.replay.results import CHANGES, DISAGREEMENTS, LINES, REFUSED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def test_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    scripts = {"claim-edits": f'"{sys.executable}" -m claimedits.cli.main', "python": f'"{sys.executable}"'}
    for name, words in scripts.items():
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        script.chmod(0o755)
    search = str(Path(claimedits.__file__).parents[1])
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": search}
    printed, shown, outputs = "", 0, []
    for kind, block in BLOCKS:
        if kind == "":
            assert printed == block
            shown += 1
            continue
        command = ["sh", "-e", "-c", block] if kind == "sh" else [sys.executable, "-c", block]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, block + done.stderr
        printed = done.stdout
        if kind == "python":
            outputs.append(printed)
    assert shown == 2
    assert outputs == ["15 4\n", "15 0\n"]


def test_every_column_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", PAGE))
    for schema in (LINES, CHANGES, DISAGREEMENTS, REFUSED):
        assert [name for name in schema.names if name not in described] == []
