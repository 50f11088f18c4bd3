"""Files that only their owner may change, and others may not read: the access table, tokens."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from claimedits.model.problems import Problem


def check_private(path: Path, found: os.stat_result) -> Iterator[Problem]:
    """What is wrong with the permissions of a file. Pipes and devices, which a shell may hand over, have none to check.

    Its owner is this process's user or root; a group may read it (a container's mounted secret is the group's), nobody
    else may, and only its owner may write it.
    """
    if not stat.S_ISREG(found.st_mode):
        return
    if found.st_uid not in (0, os.geteuid()):
        yield Problem(
            str(path), f"belongs to user {found.st_uid}, who could change it", f"run 'chown {os.geteuid()} {path}'"
        )
    if found.st_mode & 0o027:
        told = "written by others than its owner" if found.st_mode & 0o022 else "read by everybody"
        yield Problem(str(path), f"can be {told} (mode {stat.S_IMODE(found.st_mode):03o})", f"run 'chmod 600 {path}'")


def write_private(path: Path, content: bytes) -> None:
    """Make a new file that only its owner may read and write.

    Raises:
        OSError: the file exists, or the disk refuses; nothing is left behind then.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
