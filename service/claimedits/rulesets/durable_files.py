"""Files that are there whole or not at all, whatever happens to the process, the machine or the disk.

Everything is written beside its place first, forced to the disk, and moved into its place by one rename. A reader sees
the old state or the new one, never something between.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claimedits.model.problems import StoreError

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class ReadOnlyStoreError(StoreError):
    """The store cannot be written by this process: a read-only file system, or no permission."""


class UnconfirmedWriteError(StoreError):
    """A change that was made, and that a power failure may undo: the disk did not confirm it."""


class DigestingFile(io.RawIOBase):
    """A new file, open for writing, that knows the SHA-256 and size of what was written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any, /) -> int:
        """Write all of ``data``: a short write, as a nearly full disk gives, is taken up again until the disk refuses."""
        view = memoryview(data).cast("B")
        written = 0
        while written < len(view):
            written += os.write(self._descriptor, view[written:])
        self._digest.update(view)
        self.size += written
        return written

    def sync(self) -> None:
        """Force what was written to the disk."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of everything written so far."""
        return self._digest.hexdigest()


def write_file(path: Path, content: bytes) -> str:
    """Write a new file, forced to the disk; returns the hexadecimal SHA-256 of ``content``.

    Raises:
        OSError: the file exists, or the disk refuses.
    """
    with DigestingFile(path) as file:
        file.write(content)
        file.sync()
        return file.sha256


_BLOCK = 16 << 20
"""Bytes read at once. Reading and digesting wait for the interpreter's lock after each block, and in a server whose threads
are busy that wait is longer than the block takes: blocks are large so that a release opens quickly under load."""
_SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was digested could change again within one tick of the clock, unseen."""
_MOST_REMEMBERED = 10_000
_remembered: dict[tuple[int, ...], str] = {}


def digest_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes. A process digests a file once, and again when it has changed.

    Most files of a release are those of the one before. A change shows in the inode, the size or the times of a file.
    """
    with path.open("rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        known = _remembered.get(key)
        if known is not None:
            return known
        digest = hashlib.sha256()
        block = memoryview(bytearray(min(_BLOCK, found.st_size + 1)))
        while size := file.readinto(block):
            digest.update(block[:size])
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED_NS:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = digest.hexdigest()
    return digest.hexdigest()


def sync_path(path: Path) -> None:
    """Force a file's content, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot force a directory and need not: they say so with EINVAL.
        if error.errno != errno.EINVAL or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def publish_file(written: Path, target: Path) -> None:
    """Move a written and forced file into its place, over an older one, in one step that outlives a power failure."""
    written.replace(target)
    _confirm(target)


def publish_directory(written: Path, target: Path, aside: Path) -> None:
    """Move a directory, whose files are written and forced, into its place.

    A damaged predecessor at ``target`` is moved to ``aside`` first, never changed in place: processes that have mapped
    its files keep them.
    """
    sync_path(written)
    if target.exists():
        target.rename(aside)
        try:
            written.rename(target)
        except OSError:
            aside.rename(target)
            raise
    else:
        written.rename(target)
    _confirm(target)


def _confirm(target: Path) -> None:
    try:
        sync_path(target.parent)
    except OSError as error:
        raise UnconfirmedWriteError(
            f"{target}: written, but the disk did not confirm that it will survive a power failure "
            f"({error.strerror}); check the disk, then run the command again"
        ) from error


@contextmanager
def write_errors_of(store: Path) -> Iterator[None]:
    """Turns what the operating system refuses while the store is written into a ``StoreError``."""
    try:
        yield
    except OSError as error:
        # numpy reports a write that fell short without an error number; only a full disk makes one fall short.
        if error.errno is None or error.errno in _DISK_FULL:
            raise StoreError(
                f"{store}: disk full, nothing was changed; free some space and run the command again"
            ) from error
        if error.errno in _READ_ONLY:
            raise ReadOnlyStoreError(
                f"{store}: the store cannot be written ({error.strerror}), nothing was changed; "
                "run the command on a writable copy, as a user who may write there"
            ) from error
        raise StoreError(f"{store}: {error.strerror} ({error.filename}), nothing was changed") from error
