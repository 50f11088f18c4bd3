"""A real server in a process of its own, for the demo, the benchmark and the tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from claimedits.model.problems import ClaimEditsError

START_WITHIN = 60.0


@contextmanager
def run_server(store: Path, arguments: Sequence[str] = ()) -> Iterator[str]:
    """``claim-edits serve`` on a free port of this machine; gives its address, and ends it afterwards.

    Its log goes to a file: nobody has to read along for it to run.

    Raises:
        ClaimEditsError: it did not start; the message is what it said.
    """
    command = [
        sys.executable,
        "-m",
        "claimedits.cli.main",
        "serve",
        "--store",
        str(store),
        "--address",
        "127.0.0.1:0",
        *arguments,
    ]
    with tempfile.TemporaryDirectory(prefix="claim-edits-server-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as written:
            process = subprocess.Popen(command, stderr=written)
        try:
            yield _wait_for_address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_bytes().splitlines(keepends=True):
            if b'"listening"' in line and line.endswith(b"\n"):
                return str(orjson.loads(line)["address"])
        time.sleep(0.02)
    said = log.read_bytes().splitlines()[-5:]
    raise ClaimEditsError("the server did not start: " + b"\n".join(said).decode(errors="replace"))
