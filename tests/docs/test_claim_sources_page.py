"""The commands of the page on claim sources run as printed, and print what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import claimedits

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "claim-sources.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def test_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "claim-edits"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m claimedits.cli.main "$@"\n')
    script.chmod(0o755)
    search = str(Path(claimedits.__file__).parents[1])
    environment = {**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}", "PYTHONPATH": search}
    printed = ""
    shown = 0
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
        printed = done.stderr + done.stdout
    assert shown == 3
    assert (tmp_path / "warehouse.parquet").exists()
    assert (tmp_path / "rejected.ndjson").read_text().count("\n") == 1
