"""Moving the pointer: what is opened is what becomes active, whoever else moves it meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimedits.app.building import choose_revisions
from claimedits.app.release_activation import activate_release, roll_back_release
from claimedits.engine.engine import Engine
from claimedits.rulesets.activation import ActiveReleaseChangedError
from claimedits.rulesets.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with two releases, the second one active."""
    store = Store.open(tmp_path / "store", create=True)
    revisions = choose_revisions(store, [])
    first = store.create_release(revisions, "first")
    second = store.create_release(revisions[:-1], "second")
    for release in (first, second):
        store.activate(release.id, "somebody", "for the test")
    return store


def test_a_rollback_names_whoever_was_first_before_it_opens_anything(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Engine:
        raise AssertionError("opened")

    monkeypatch.setattr(Engine, "open", refuse)
    first, second = (entry.release for entry in store.activations())
    with pytest.raises(ActiveReleaseChangedError) as refused:
        roll_back_release(store, "me", "why", expected_current=first)
    assert refused.value.current == second
    assert len(store.activations()) == 2


def test_a_rollback_is_refused_where_the_pointer_moves_while_it_opens(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller expects the release that is active at first, and another one is when the pointer would move."""
    first, second = (entry.release for entry in store.activations())
    opened = Engine.open

    def somebody_moves(store: Store, release: str) -> Engine:
        engine = opened(store, release)
        store.activate(first, "somebody", "meanwhile")
        return engine

    monkeypatch.setattr(Engine, "open", somebody_moves)
    for expected in ("", second):
        store.activate(second, "somebody", "again")
        with pytest.raises(ActiveReleaseChangedError):
            roll_back_release(store, "me", "why", expected_current=expected)
        assert store.activations()[-1].why == "meanwhile"


def test_what_a_rollback_returns_is_open(store: Store) -> None:
    first = store.activations()[0].release
    done = roll_back_release(store, "me", "why")
    assert (done.entry.release, done.engine.release.id) == (first, first)
    done = activate_release(store, done.entry.previous, "me", "why", expected_current=first)
    assert done.engine.release.id == done.entry.release != first
