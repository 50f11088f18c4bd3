"""Finds claim ids that come twice, in any number of claims: hashes in sorted runs, the large ones in files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from claimedits.app.claim_sources.hashing import Hashes

_IN_MEMORY = 1 << 20
"""Hashes of a run that stays in memory (8 MB); longer ones are files that the system may page out."""
_LONGEST_RUN = 1 << 24
"""Hashes of a run that is still merged with others (128 MB while it is)."""


class ClaimIds:
    """The ids so far, as 64-bit hashes. Two different ids are taken for one with a chance of n² / 2⁶⁵: of ten million
    claims, three in a million."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = 0

    def seen(self, ids: Hashes) -> npt.NDArray[np.bool_]:
        """Which of these ids came before, in this call or an earlier one; all of them count as seen from now on."""
        order = np.argsort(ids, kind="stable")
        ordered = ids[order]
        again = np.zeros(len(ids), dtype=bool)
        again[1:] = ordered[1:] == ordered[:-1]
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, ordered), len(run) - 1)
            again |= run[places] == ordered
        new = ordered[~again]
        if len(new):
            self._add(new)
        found = np.zeros(len(ids), dtype=bool)
        found[order] = again
        return found

    def _add(self, run: Hashes) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run) and len(self._runs[-1]) + len(run) <= _LONGEST_RUN:
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run if len(run) <= _IN_MEMORY else self._store(run))

    def _store(self, run: Hashes) -> Hashes:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="claim-edits-")
        self._files += 1
        path = Path(self._folder.name) / f"{self._files}.npy"
        np.save(path, run)
        stored: Hashes = np.load(path, mmap_mode="r")
        return stored

    def close(self) -> None:
        """Remove the files."""
        self._runs = []
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
