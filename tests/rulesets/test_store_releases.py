"""Releases and activation: same list, same id; one pointer, and who moved it."""

from __future__ import annotations

import fcntl
import re
from pathlib import Path

import pytest
from store_drafts import mue_draft, store_with_releases

from claimedits.model.problems import NotFoundError, StoreError
from claimedits.rulesets import locks
from claimedits.rulesets.release import CheckOverride
from claimedits.rulesets.store import Store

UTC_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Store, list[str], list[str]]:
    return store_with_releases(tmp_path / "store")


def moves(store: Store) -> list[tuple[str, str, str, str, str]]:
    return [(a.release, a.previous, a.who, a.why, a.action) for a in store.activations()]


def test_the_same_revisions_are_the_same_release(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (a, b), _ = kept
    made = store.create_release([b, a, a], "both")
    assert made.revisions == tuple(sorted([a, b]))
    assert made.note == "both"
    assert UTC_SECOND.fullmatch(made.created_at)
    assert store.create_release([a[:13], b[7:17]], "other words") == made
    assert Store.open(store.path).release(made.id[:13]) == made
    assert len(store.releases()) == 3


def test_an_overridden_check_stays_with_the_release(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (a, b), _ = kept
    first = CheckOverride("agreed with the payer", "ada", "2026-11-24T14:00:00Z", ("one", "two"))
    made = store.create_release([a, b], "both", first)
    assert made.overrides == (first,)
    assert store.create_release([a, b]) == store.release(made.id) == made
    again = CheckOverride("agreed with the payer", "bob", "2026-11-24T15:00:00Z", ("one", "two"))
    assert store.create_release([a, b], "", again) == made  # it says nothing new
    other = CheckOverride("agreed with the payer", "bob", "2026-11-24T15:00:00Z", ("one", "two", "three"))
    grown = store.create_release([a, b], "other words", other)
    assert grown.overrides == (first, other)
    assert (grown.id, grown.created_at, grown.note) == (made.id, made.created_at, "both")
    assert Store.open(store.path).release(made.id) == grown


def test_a_release_kept_earlier_may_be_overridden(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (a, _), (release, _) = kept
    override = CheckOverride("agreed", "ada", "2026-11-24T14:00:00Z", ("one",))
    assert store.create_release([a], "", override).id == release
    assert store.release(release).overrides == (override,)
    active = store.active()
    assert active is not None and active.id == release


def test_a_release_of_unknown_revisions_names_them_all(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (a, _), _ = kept
    with pytest.raises(NotFoundError) as caught:
        store.create_release([a, "sha256:0000000", "x"])
    assert str(caught.value) == "the store holds no revision sha256:0000000, x; 'claim-edits import' keeps one"
    assert len(store.releases()) == 2


def test_a_release_of_nothing_is_refused(kept: tuple[Store, list[str], list[str]]) -> None:
    with pytest.raises(StoreError, match=r"^a release needs at least one revision; name one, or import one first$"):
        kept[0].create_release([])


def test_nothing_is_active_at_first(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    assert store.active() is None
    assert store.activations() == []
    with pytest.raises(StoreError, match=r"^no release was active before; activate one with "):
        store.rollback("ada")


def test_activation_and_rollback_are_remembered(kept: tuple[Store, list[str], list[str]]) -> None:
    store, _, (first, second) = kept
    done = store.activate(second[:13], "bob", "quarter", expected_current=first)
    assert UTC_SECOND.fullmatch(done.at)
    assert store.active() == store.release(second)
    back = store.rollback("cleo", "wrong quarter", expected_current=second)
    assert back == store.activations()[-1]
    assert store.active() == store.release(first)
    assert store.rollback("cleo", "it was right").release == second
    assert moves(store) == [
        (first, "", "ada", "first", "activate"),
        (second, first, "bob", "quarter", "activate"),
        (first, second, "cleo", "wrong quarter", "rollback"),
        (second, first, "cleo", "it was right", "rollback"),
    ]


def test_activating_the_active_release_changes_nothing(kept: tuple[Store, list[str], list[str]]) -> None:
    store, _, (first, _) = kept
    before = store.watch_token()
    assert store.activate(first, "bob") == store.activations()[0]
    assert store.watch_token() == before
    assert moves(store) == [(first, "", "ada", "first", "activate")]


def test_who_expected_another_release_is_refused(kept: tuple[Store, list[str], list[str]]) -> None:
    store, _, (first, second) = kept
    at = store.activations()[0].at
    for expected in (second, ""):
        for change in (
            lambda e=expected: store.activate(second, "bob", "", e),
            lambda e=expected: store.rollback("bob", "", e),
        ):
            with pytest.raises(StoreError) as caught:
                change()
            assert str(caught.value) == (
                f"someone else changed the active release: it is {first} by ada at {at}, not {expected or 'none'}; "
                "look at 'claim-edits release list', then decide again"
            )
    assert moves(store) == [(first, "", "ada", "first", "activate")]


def test_activation_without_a_name_is_refused(kept: tuple[Store, list[str], list[str]]) -> None:
    store, _, (first, second) = kept
    with pytest.raises(StoreError, match=r"^an activation needs the name of who makes it; nothing was changed$"):
        store.activate(second, " ")
    assert store.activations()[-1].release == first


def test_an_unknown_release_is_not_found(kept: tuple[Store, list[str], list[str]]) -> None:
    with pytest.raises(NotFoundError) as caught:
        kept[0].activate("sha256:000000", "bob")
    assert str(caught.value) == (
        "the store holds no release 'sha256:000000'; 'claim-edits release list' shows those there are"
    )


def test_a_release_with_a_damaged_revision_is_not_activated(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (_, revision), (first, second) = kept
    damaged = store.path / "revisions" / revision[7:] / "values.arrow"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(StoreError, match=re.escape(str(damaged))):
        store.activate(second, "bob")
    assert store.activations()[-1].release == first


def test_a_release_with_a_missing_revision_names_it(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (_, revision), (_, second) = kept
    directory = store.path / "revisions" / revision[7:]
    directory.rename(store.path.parent / "away")
    with pytest.raises(StoreError) as caught:
        store.release(second)
    assert str(caught.value) == (
        f"{directory}: missing, though release {second} needs it; "
        "import the revision again, or restore it from a backup"
    )
    assert len(store.releases()) == 2


def test_the_watch_token_changes_with_the_active_release_only(kept: tuple[Store, list[str], list[str]]) -> None:
    store, (a, b), (_, second) = kept
    reader = Store.open(store.path)
    before = reader.watch_token()
    store.add_revision(mue_draft(9, "later"))
    store.create_release([a, b])
    assert reader.watch_token() == before
    store.activate(second, "bob")
    assert reader.watch_token() != before


def test_a_writer_that_waits_too_long_says_so(
    kept: tuple[Store, list[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _, (_, second) = kept
    monkeypatch.setattr(locks, "WRITER_PATIENCE", 0.0)
    lock = store.path / "lock"
    with lock.open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(StoreError) as caught:
            store.activate(second, "bob")
        assert store.active() is not None
    assert str(caught.value) == (
        f"{lock}: someone else has been writing to the store for 0 seconds; "
        "wait until that command ends, then run this one again"
    )
    assert store.activate(second, "bob").release == second
