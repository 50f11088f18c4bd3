"""Holds the engines that a process answers with: the active release, pinned ones, and the last good one while a new one fails."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from claimedits.engine.engine import Engine
from claimedits.model.problems import ClaimEditsError, NotFoundError
from claimedits.rulesets.store import Store

MOST_PINNED = 4
"""Releases kept open beside the active one; the least recently used is let go."""


class NotReadyError(ClaimEditsError):
    """No release is active yet, or the active one has never opened."""


class EngineHost:
    """Gives a request its engine, once. Thread-safe.

    A changed active release is opened beside the old one and takes its place only when it has opened; a release that fails
    leaves the last good one serving, and says why in ``problem``.
    """

    def __init__(self, store: Store, on_change: Callable[[str, str], None] | None = None) -> None:
        self._store = store
        self._on_change = on_change or (lambda release, problem: None)
        self._lock = threading.Lock()
        self._active: Engine | None = None
        self._pinned: OrderedDict[str, Engine] = OrderedDict()
        self._seen: object = None
        self._stopped = threading.Event()
        self.problem = ""
        """Why the store's active release is not the one that answers; empty when it is."""

    @property
    def store(self) -> Store:
        return self._store

    @property
    def is_ready(self) -> bool:
        """Whether a release answers."""
        return self._active is not None

    @property
    def serving_release(self) -> str:
        """The release that answers requests that pin none; empty = none yet."""
        return self._active.release_id if self._active else ""

    def engine(self, release: str = "") -> Engine:
        """The engine of a release by id or unique prefix; empty = the active one.

        Raises:
            NotReadyError: none is active yet.
            NotFoundError: the store holds no such release.
            StoreError: the release is damaged.
        """
        active = self._active
        if not release:
            if active is None:
                raise NotReadyError(self.problem or "no release is active; run 'claim-edits release activate'")
            return active
        found = self._store.release(release)
        if active is not None and found.id == active.release_id:
            return active
        with self._lock:
            engine = self._pinned.get(found.id)
            if engine is None:
                engine = self._pinned[found.id] = Engine.open(self._store, found.id)
                if len(self._pinned) > MOST_PINNED:
                    self._pinned.popitem(last=False)
            self._pinned.move_to_end(found.id)
            return engine

    def refresh(self) -> None:
        """Take up a changed active release; what fails is remembered and told, and changes nothing."""
        token = self._store.watch_token()
        if token == self._seen and not self.problem:
            return
        try:
            release = self._store.active()
            if release is None:
                raise NotFoundError("no release is active; run 'claim-edits release activate'")
            if self._active is None or self._active.release_id != release.id:
                opened = Engine.open(self._store, release.id)
                self._active = opened
                self._on_change(opened.release_id, "")
            self.problem = ""
        except (ClaimEditsError, OSError, ValueError, KeyError) as error:
            if str(error) != self.problem or token != self._seen:
                self.problem = str(error)
                self._on_change(self.serving_release, self.problem)
        self._seen = token

    def watch(self, every: float = 0.5) -> threading.Thread:
        """Refresh until ``stop``, every so many seconds, in a daemon thread."""

        def run() -> None:
            while not self._stopped.wait(every):
                self.refresh()

        thread = threading.Thread(target=run, name="release-watch", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()
