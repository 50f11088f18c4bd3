"""One writer at a time. Readers take no lock: what they read is immutable, or replaced in one step."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claimedits.model.problems import StoreError

WRITER_PATIENCE = 300.0
"""Seconds that a writer waits for another one: longer than the largest import or index takes."""

_PAUSE = 0.02


@contextmanager
def writer_lock(path: Path, patience: float | None = None) -> Iterator[None]:
    """Hold the store's lock, an advisory ``flock`` that the kernel drops when the process ends, however it ends.

    Raises:
        StoreError: another process or thread held it for ``patience`` seconds (default WRITER_PATIENCE).
        OSError: the lock file cannot be made or opened.
    """
    patience = WRITER_PATIENCE if patience is None else patience
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise StoreError(
                        f"{path}: someone else has been writing to the store for {patience:g} seconds; "
                        "wait until that command ends, then run this one again"
                    ) from error
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)  # drops the lock
