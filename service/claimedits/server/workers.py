"""Several processes on one port (Linux): spawned, watched over, drained together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import connection
from multiprocessing.process import BaseProcess

from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store
from claimedits.server.access_watch import AccessWatch
from claimedits.server.call_log import write_log
from claimedits.server.serving import Worker, read_credentials
from claimedits.server.settings import ServerSettings

RESTART_AFTER = 1.0
"""Seconds between the start of a worker and its next start, at least: one that cannot start must not spin."""


def serve(settings: ServerSettings) -> int:
    """Serve until SIGTERM or SIGINT; the exit code.

    Raises:
        ClaimEditsError: the store, the address, a certificate or the access table cannot be used.
    """
    if settings.workers <= 1:
        Worker(settings).run_until_signal()
        return 0
    if not sys.platform.startswith("linux"):
        raise ClaimEditsError("--workers needs Linux: elsewhere processes cannot share a port")
    Store.open(settings.store)  # what no worker could use is told once, here
    read_credentials(settings)
    AccessWatch(settings)
    with _reserved_port(settings.address) as address:
        return _Supervisor(replace(settings, address=address)).run()


@contextmanager
def _reserved_port(address: str) -> Iterator[str]:
    """Binds the port without listening, so that port 0 means one port for all workers; yields the address with its port."""
    host, _, port = address.rpartition(":")
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            reserved.bind((bare, int(port)))
        except OSError as error:
            raise ClaimEditsError(
                f"{address}: cannot listen there ({error.strerror}); choose another address or port"
            ) from error
        yield f"{host}:{reserved.getsockname()[1]}"


class _Supervisor:
    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._started_at = [0.0] * settings.workers
        self._workers: list[BaseProcess] = []

    def run(self) -> int:
        """Keep every worker alive until a signal comes, then drain them; 0."""
        woken, wake = os.pipe()
        # A handler runs in the thread that waits: a lock that it holds would wait for itself. What is written is never read.
        os.set_blocking(wake, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.write(wake, b"\0"))
        self._workers = [self._spawn(i) for i in range(self._settings.workers)]
        while woken not in connection.wait([woken, *(worker.sentinel for worker in self._workers)]):
            for i, worker in enumerate(self._workers):
                if not worker.is_alive():
                    write_log(event="worker_died", worker=worker.pid, exit_code=worker.exitcode)
                    pause = max(0.0, self._started_at[i] + RESTART_AFTER - time.monotonic())
                    if not connection.wait([woken], pause):
                        self._workers[i] = self._spawn(i)
        self._drain()
        return 0

    def _spawn(self, place: int) -> BaseProcess:
        # Spawned, not forked: gRPC objects do not survive a fork.
        self._started_at[place] = time.monotonic()
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(self._settings,), daemon=True)
        process.start()
        return process

    def _drain(self) -> None:
        settings = self._settings
        deadline = time.monotonic() + settings.balancer_wait_seconds + settings.grace_seconds + 5
        for worker in self._workers:
            if worker.is_alive():
                worker.terminate()
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))
            if worker.is_alive():
                write_log(event="worker_killed", worker=worker.pid)
                worker.kill()
                worker.join()


def _run(settings: ServerSettings) -> None:
    """A worker's main function. It drains, too, when its supervisor is gone."""
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None

    def follow() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="supervisor-watch", daemon=True).start()
    try:
        Worker(settings).run_until_signal()
    except ClaimEditsError as error:
        write_log(event="worker_failed", problem=str(error))
        sys.exit(1)
