"""The host of engines: what opens takes over, what fails changes nothing, and nothing is tried without end."""

from __future__ import annotations

from typing import Any

import pytest

from claimedits.app import engine_host
from claimedits.app.engine_host import MOST_PINNED, EngineHost, NoActiveReleaseError, NotReadyError
from claimedits.model.problems import NotFoundError, StoreError


class FakeRelease:
    def __init__(self, release_id: str) -> None:
        self.id = release_id


class FakeStore:
    """A store of releases by id; ``broken`` are those that do not open, and why."""

    def __init__(self, active: str = "") -> None:
        self.pointer = active
        self.moves = 0
        self.broken: dict[str, Exception] = {}
        self.watch_error: Exception | None = None

    def point_at(self, release: str) -> None:
        self.pointer, self.moves = release, self.moves + 1

    def watch_token(self) -> object:
        if self.watch_error:
            raise self.watch_error
        return self.moves

    def active(self) -> FakeRelease | None:
        return FakeRelease(self.pointer) if self.pointer else None

    def release(self, release_id: str) -> FakeRelease:
        if release_id == "unknown":
            raise NotFoundError("the store holds no release 'unknown'")
        return FakeRelease(release_id)


class FakeEngine:
    opened: list[str] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, release_id: str) -> None:
        self.release_id = release_id

    @classmethod
    def open(cls, store: FakeStore, release: str) -> FakeEngine:
        cls.opened.append(release)
        if release in store.broken:
            raise store.broken[release]
        return cls(release)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    FakeEngine.opened = []
    monkeypatch.setattr(engine_host, "Engine", FakeEngine)
    monkeypatch.setattr(engine_host.time, "monotonic", lambda: now[0])
    return now


def host_of(store: FakeStore) -> tuple[EngineHost, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    fake: Any = store
    return EngineHost(fake, lambda release, problem: told.append((release, problem))), told


@pytest.mark.usefixtures("clock")
def test_an_unchanged_pointer_opens_nothing_again() -> None:
    host, told = host_of(FakeStore("a"))
    for _ in range(3):
        host.refresh()
    assert (FakeEngine.opened, told, host.engine().release_id) == (["a"], [("a", "")], "a")


@pytest.mark.usefixtures("clock")
def test_no_active_release_is_not_ready() -> None:
    store = FakeStore()
    host, told = host_of(store)
    with pytest.raises(NotReadyError, match="not open yet"):
        host.engine()
    host.refresh()
    with pytest.raises(NoActiveReleaseError):
        host.engine()
    store.point_at("a")
    host.refresh()
    assert host.engine().release_id == "a"
    assert told == [("", "no release is active; run 'claim-edits release activate'"), ("a", "")]


@pytest.mark.parametrize("surprise", [StoreError("x.arrow: damaged"), RuntimeError("boom"), MemoryError()])
def test_whatever_fails_leaves_the_last_good_one(clock: list[float], surprise: Exception) -> None:
    store = FakeStore("a")
    host, told = host_of(store)
    host.refresh()
    store.broken["b"] = surprise
    store.point_at("b")
    host.refresh()
    problem = str(surprise) or "MemoryError"
    assert (host.engine().release_id, host.problem) == ("a", problem)
    assert told == [("a", ""), ("a", problem)]


def test_a_failed_release_is_tried_again_after_a_while_and_told_once(clock: list[float]) -> None:
    store = FakeStore("a")
    host, told = host_of(store)
    host.refresh()
    store.broken["b"] = StoreError("damaged")
    store.point_at("b")
    for _ in range(5):
        host.refresh()
    assert FakeEngine.opened == ["a", "b"]
    clock[0] += engine_host.RETRY_SECONDS
    host.refresh()
    assert FakeEngine.opened == ["a", "b", "b"]
    del store.broken["b"]
    clock[0] += engine_host.RETRY_SECONDS
    host.refresh()
    assert told == [("a", ""), ("a", "damaged"), ("b", "")]


@pytest.mark.usefixtures("clock")
def test_a_pointer_moved_back_ends_the_problem() -> None:
    store = FakeStore("a")
    host, told = host_of(store)
    host.refresh()
    store.broken["b"] = StoreError("damaged")
    store.point_at("b")
    host.refresh()
    store.point_at("a")
    host.refresh()
    assert (host.problem, told) == ("", [("a", ""), ("a", "damaged"), ("a", "")])


@pytest.mark.usefixtures("clock")
def test_a_store_that_cannot_be_watched_is_told_and_recovers() -> None:
    store = FakeStore("a")
    host, told = host_of(store)
    host.refresh()
    store.watch_error = OSError(5, "Input/output error")
    host.refresh()
    assert host.engine().release_id == "a"
    store.watch_error = None
    host.refresh()
    assert told == [("a", ""), ("a", "[Errno 5] Input/output error"), ("a", "")]


@pytest.mark.usefixtures("clock")
def test_pinned_releases_are_opened_once_and_the_least_used_is_let_go() -> None:
    host, _ = host_of(FakeStore("a"))
    host.refresh()
    pinned = [f"p{i}" for i in range(MOST_PINNED)]
    for release in (*pinned, "p0", "a"):
        assert host.engine(release).release_id == release
    assert FakeEngine.opened == ["a", *pinned]
    host.engine("p9")  # p1 was used the longest ago
    host.engine("p0")
    host.engine("p1")
    assert FakeEngine.opened == ["a", *pinned, "p9", "p1"]
    with pytest.raises(NotFoundError):
        host.engine("unknown")
