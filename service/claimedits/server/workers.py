"""Several processes on one port (Linux): spawned, watched over, drained together."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess

from claimedits.model.problems import ClaimEditsError
from claimedits.server.call_log import write_log
from claimedits.server.serving import Worker
from claimedits.server.settings import ServerSettings

RESTART_AFTER = 1.0
"""Seconds before a worker that died is started again."""


def serve(settings: ServerSettings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code.

    Raises:
        ClaimEditsError: the store, the address or a certificate cannot be used.
    """
    if settings.workers <= 1:
        Worker(settings).run_until_signal()
        return 0
    if not sys.platform.startswith("linux"):
        raise ClaimEditsError("--workers needs Linux: elsewhere processes cannot share a port")
    with _reserve(settings.address) as (reserved, address):
        assert reserved is not None
        return _watch_over(replace(settings, address=address))


class _reserve:  # noqa: N801 - reads as the phrase it is
    """Binds the port without listening, so that port 0 means one port for all workers."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)

    def __enter__(self) -> tuple[socket.socket, str]:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            self._socket.bind((self._host, self._port))
        except OSError as error:
            self._socket.close()
            raise ClaimEditsError(f"{self._host}:{self._port}: cannot listen there ({error.strerror})") from error
        host = f"[{self._host}]" if family == socket.AF_INET6 else self._host
        return self._socket, f"{host}:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def _watch_over(settings: ServerSettings) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    workers = [_spawn(settings) for _ in range(settings.workers)]
    while not stopping.wait(0.2):
        for i, worker in enumerate(workers):
            if not worker.is_alive():
                write_log(event="worker_died", exit_code=worker.exitcode)
                stopping.wait(RESTART_AFTER)
                workers[i] = _spawn(settings)
    deadline = time.monotonic() + settings.grace_seconds + 5
    for worker in workers:
        if worker.is_alive():
            worker.terminate()
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()
    return 0


def _spawn(settings: ServerSettings) -> BaseProcess:
    # Spawned, not forked: gRPC objects do not survive a fork.
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(settings,), daemon=True)
    process.start()
    return process


def _run(settings: ServerSettings) -> None:
    Worker(settings).run_until_signal()
