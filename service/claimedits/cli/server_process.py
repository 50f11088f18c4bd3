"""A real server in a process of its own, for the demo, the benchmark and the tests."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from claimedits.model.problems import ClaimEditsError

START_WITHIN = 60.0


@contextmanager
def run_server(store: Path, arguments: Sequence[str] = ()) -> Iterator[str]:
    """``claim-edits serve`` on a free port of this machine; gives its address, and ends it afterwards.

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
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        yield _wait_for_address(process)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _wait_for_address(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    said: list[bytes] = []
    timer = threading.Timer(START_WITHIN, process.kill)
    timer.start()
    try:
        for line in process.stderr:
            said.append(line)
            if b'"listening"' in line:
                threading.Thread(target=_drink, args=(process,), daemon=True).start()
                return str(orjson.loads(line)["address"])
    finally:
        timer.cancel()
    raise ClaimEditsError("the server did not start: " + b"".join(said[-5:]).decode(errors="replace"))


def _drink(process: subprocess.Popen[bytes]) -> None:
    """Read the log on, so that a full pipe never stops the server."""
    assert process.stderr is not None
    try:
        for _ in process.stderr:
            pass
    except ValueError:
        pass  # closed while the server ended
