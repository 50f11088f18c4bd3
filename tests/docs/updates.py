"""A store that serves the quarter before, and the files of the new one under the names that CMS gives them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from claimedits.app.gating.policy import default_policy_text
from claimedits.app.shipped import find_rules, find_samples

ROOT = Path(__file__).parents[2]
ZIPS = {
    **{
        f"medicare-ncci-2024q3-practitioner-ptp-edits-ccipra-v302r0-f{n}.zip": f"ccipra-v302r0-f{n}.TXT"
        for n in (1, 2, 3, 4)
    },
    "medicare-ncci-2024-q3-practitioner-services-mue-table.zip": "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv",
}


def prepare(folder: Path, published: str = "") -> Path:
    """The working directory of an operator or a pipeline; ``published`` is the directory of the new files."""
    files = folder / published
    files.mkdir(exist_ok=True)
    for name, member in ZIPS.items():
        with zipfile.ZipFile(files / name, "w") as archive:
            info = zipfile.ZipInfo(member, (2024, 6, 1, 0, 0, 0))
            archive.writestr(info, (find_samples() / member).read_bytes())
    shutil.copy(find_samples() / "claims.ndjson", folder)
    shutil.copytree(find_rules(), folder / "rules")
    (folder / "gate.toml").write_text(default_policy_text(), encoding="utf-8")
    (folder / "lints.toml").write_text("", encoding="utf-8")
    script(folder, "claim-edits", f'exec "{sys.executable}" -m claimedits.cli.main "$@"')
    run("claim-edits build rules/ --store store && claim-edits release create --store store --activate", folder)
    return folder


def script(folder: Path, name: str, body: str) -> None:
    """A command of its own for what a script runs."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def run(commands: str, folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """What commands print; each of them has to succeed."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "service"), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout
