"""Small stores, made-up claims of patients over months, and runs that are killed in the middle."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[1] / "impact"))
sys.path.insert(0, str(Path(__file__).parents[2] / "engine"))

from releases import aoc_row, mue_row, ptp_row
from update import make_update

SERVICE = Path(__file__).parents[3] / "service"
AS_OF = "2026-11-01"
OLD_ROWS = [
    ptp_row("11055", "11720"),
    ptp_row("64633", "64484", "0"),
    mue_row("11055", 3, "2"),
    mue_row("11720", 1, "3"),
    mue_row("99213", 1, "2"),
    aoc_row("64484", "64483"),
]
NEW_ROWS = [
    ptp_row("11055", "11720", "0"),
    ptp_row("64633", "64484", "0"),
    mue_row("11055", 3, "2"),
    mue_row("11720", 2, "3"),
    mue_row("99213", 1, "2"),
    aoc_row("64484", "64483"),
]
CODES = ("11055", "11720", "64633", "64484", "64483", "99213")


class MadeStore:
    """A store with the release before and the one after."""

    def __init__(self, path: Path) -> None:
        question = make_update(path, OLD_ROWS, NEW_ROWS)
        self.path: Path = question.store
        self.old, self.new = question.old, question.new


def make_claims(count: int, seed: int = 1, ids: str = "C") -> list[dict[str, Any]]:
    """Claims of some patients and providers, in the JSON form."""
    numbers = random.Random(seed)
    claims = []
    for i in range(count):
        day = f"2024-{numbers.randint(4, 9):02}-{numbers.randint(1, 28):02}"
        lines = [
            {
                "line_number": n,
                "procedure_code": numbers.choice(CODES),
                "modifiers": numbers.choice(([], [], [], ["59"], ["XS"])),
                "units": str(numbers.choice((1, 1, 1, 2, 4))),
                "service_date": day,
                "charge_cents": numbers.choice((4500, 9000, 12050)),
                "place_of_service": "11",
                "diagnosis_pointers": [1],
            }
            for n in range(1, numbers.randint(2, 5))
        ]
        claims.append(
            {
                "claim_id": f"{ids}-{i}",
                "program": "MEDICARE",
                "setting": "PRACTITIONER",
                "billing_provider_id": numbers.choice(("1234567893", "1245319599")),
                "patient": {"patient_id": f"P{numbers.randint(1, max(2, count // 4))}"},
                "diagnoses": ["E11.42"],
                "lines": lines,
            }
        )
    return claims


def write_ndjson(path: Path, claims: Sequence[Any]) -> Path:
    """One claim a line; bytes are written as they are."""
    path.write_bytes(b"".join(one if isinstance(one, bytes) else orjson.dumps(one) + b"\n" for one in claims))
    return path


def bytes_of(out: Path) -> dict[str, str]:
    """The digest of every file of a run."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


_CHILD = """
import os, resource, signal, sys
from pathlib import Path
from claimedits.app.replay import inputs
from claimedits.app.replay.running import ReplayOptions, replay
from claimedits.model.problems import ClaimEditsError

store, claims, out, against, jobs, calls, signal_name, limit, window = sys.argv[1:]
inputs.LINES_A_PARTITION = 25
if int(limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
left = int(calls)

def progress(stage, done, total):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), getattr(signal, signal_name))

if __name__ == "__main__":
    options = ReplayOptions(
        Path(store), [claims], Path(out), against, jobs=int(jobs), as_of="2026-11-01",
        history_window=int(window) if int(window) >= 0 else None,
    )
    try:
        replay(options, progress)
    except ClaimEditsError as error:
        sys.exit(f"error: {error}")
"""


def run_child(
    folder: Path,
    store: MadeStore,
    claims: Path,
    out: Path,
    *,
    jobs: int = 1,
    calls: int = 0,
    signal_name: str = "SIGKILL",
    limit: int = 0,
    window: int = -1,
) -> subprocess.CompletedProcess[str]:
    """A replay in a process of its own, which gets a signal when its progress was told ``calls`` times; 0 = never.

    ``limit``: bytes that a file may have, as on a full disk; 0 = no limit.
    """
    script = folder / "child.py"
    script.write_text(_CHILD)
    arguments = [store.path, claims, out, store.new, jobs, calls, signal_name, limit, window]
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(SERVICE), "PATH": "/usr/bin:/bin"},
        check=False,
    )
