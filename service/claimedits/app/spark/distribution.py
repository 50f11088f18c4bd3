"""Brings a release to the executors: packed and sent once to each of them, or found where all machines see it."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimedits.app.spark.bundle import pack_release
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store

_packed: dict[tuple[Path, tuple[str, ...]], Path] = {}
"""Bundles of this process, by store and releases. Spark serves them to executors that come later: they stay until it ends."""


@dataclass(frozen=True)
class ReleasePlace:
    """Where an executor finds the store. Pickled to its Python processes."""

    path: str
    """Directory of the store; or the name of an archive, which Spark unpacks once on each executor."""
    is_archive: bool

    def find(self) -> Path:
        """The directory of the store on this machine; to be called in a Spark task.

        Raises:
            ClaimEditsError: it is not there.
        """
        if self.is_archive:
            from pyspark import SparkFiles

            return Path(SparkFiles.get(self.path))
        found = Path(self.path)
        if not found.is_dir():
            raise ClaimEditsError(
                f"{found}: this executor sees no such directory; name a store on a file system that all machines "
                "share, or let the release be sent to them (distribute=True)"
            )
        return found


def place_releases(spark: Any, store: Store, releases: Sequence[str], distribute: bool) -> ReleasePlace:
    """Make releases available to every executor of a session, also to those that come later.

    Args:
        spark: a ``SparkSession``.
        releases: whole ids.
        distribute: pack and send them; else the store's path is the same on all machines.

    Raises:
        NotFoundError, StoreError: a release is not there, or is damaged.
        ClaimEditsError: the session is one of Spark Connect, which cannot be sent to.
        OSError: the disk refuses.
    """
    if not distribute:
        return ReleasePlace(str(store.path.resolve()), False)
    try:
        context = spark.sparkContext
    except Exception as error:
        raise ClaimEditsError(
            "a release cannot be sent through Spark Connect; put the store, or a copy of it, on a file system that all "
            "machines share, and give distribute=False"
        ) from error
    file = _pack(store, tuple(releases))
    context.addArchive(str(file))
    return ReleasePlace(file.name, True)


def _pack(store: Store, releases: tuple[str, ...]) -> Path:
    key = (store.path.resolve(), releases)
    if key not in _packed or not _packed[key].is_file():
        folder = Path(tempfile.mkdtemp(prefix="claim-edits-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        # The name says what is in it: an executor keeps an archive as long as it lives.
        digest = hashlib.sha256("\n".join(releases).encode()).hexdigest()[:24]
        file = folder / f"claim-edits-{digest}.zip"
        pack_release(store, releases, file)
        _packed[key] = file
    return _packed[key]
