"""Holds the engines that a process answers with: the active release, pinned ones, and the last good one while a new one fails."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from claimedits.engine.engine import Engine
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.store import Store

MOST_PINNED = 4
"""Releases kept open beside the active one; the least recently used is let go."""

RETRY_SECONDS = 30.0
"""How long a release that failed to open is left alone, while nobody activates another one: opening reads whole tables."""

_NEVER_SEEN = object()


class NotReadyError(ClaimEditsError):
    """The active release is not open yet, or has never opened."""


class NoActiveReleaseError(NotReadyError):
    """The store has no active release."""

    def __init__(self) -> None:
        super().__init__("no release is active; run 'claim-edits release activate'")


class EngineHost:
    """Gives a request its engine, once. Thread-safe.

    A changed active release is opened beside the old one and takes its place only when it has opened; a release that fails
    leaves the last good one serving, and says why in ``problem``.
    """

    def __init__(self, store: Store, on_change: Callable[[str, str], None] | None = None) -> None:
        """``on_change`` is called with the serving release and the problem (empty = none) whenever either changes."""
        self._store = store
        self._on_change = on_change or (lambda release, problem: None)
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._active: Engine | None = None
        self._pinned: OrderedDict[str, Engine] = OrderedDict()
        self._seen: object = _NEVER_SEEN
        self._failure: Exception | None = None
        self._retry_at = 0.0
        self._stopped = threading.Event()

    @property
    def store(self) -> Store:
        """The store that the engines read."""
        return self._store

    @property
    def serving_release(self) -> str:
        """The release that answers requests that pin none; empty = none yet."""
        active = self._active
        return active.release_id if active else ""

    @property
    def problem(self) -> str:
        """Why the store's active release is not the one that answers; empty when it is."""
        failure = self._failure
        return "" if failure is None else str(failure) or type(failure).__name__

    def engine(self, release: str = "") -> Engine:
        """The engine of a release by id or unique prefix; empty = the active one.

        Raises:
            NoActiveReleaseError: none is active.
            NotReadyError: the active one has not opened.
            NotFoundError: the store holds no such release.
            AmbiguousIdError: the prefix begins several ids.
            StoreError: the release is damaged.
        """
        active = self._active
        if not release:
            if active is None:
                raise (
                    self._failure
                    if isinstance(self._failure, NotReadyError)
                    else NotReadyError(
                        "the active release is not open yet, or cannot be opened; the log of the server says which"
                    )
                )
            return active
        if active is not None and release == active.release_id:
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

    def refresh(self, opened: Engine | None = None) -> None:
        """Take up a changed active release. What fails, whatever it is, is remembered and told, and changes nothing.

        ``opened`` spares opening it: an engine of the release that has just become active.
        """
        with self._refreshing:
            self._refresh(opened)

    def _refresh(self, opened: Engine | None) -> None:
        token: object = None
        failure: Exception | None = None
        serving = self.serving_release
        try:
            token = self._store.watch_token()
            if token == self._seen and (self._failure is None or time.monotonic() < self._retry_at):
                return
            release = self._store.active()
            if release is None:
                raise NoActiveReleaseError
            if release.id != serving:
                is_open = opened is not None and opened.release_id == release.id
                self._active = opened if is_open else Engine.open(self._store, release.id)
        except Exception as error:  # a watch that died of a surprise would leave old rules serving, unseen
            failure = error
            self._retry_at = time.monotonic() + RETRY_SECONDS
        before, self._failure, self._seen = self.problem, failure, token
        if self.serving_release != serving or self.problem != before:
            self._on_change(self.serving_release, self.problem)

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
