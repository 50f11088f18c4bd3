"""What the checks of a revision said: kept beside it, replaced whole, and found when it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_drafts import store_with_releases

from claimedits.model.problems import NotFoundError, Problem, StoreError
from claimedits.rulesets.check_records import CheckRecord
from claimedits.rulesets.store import Store

FAILED = CheckRecord(
    "2026-11-24T14:00:00Z", "0.1.0", 3, (Problem("tests.toml:7:1", "it did not fire", "mend it", "CE201"),)
)
PASSED = CheckRecord("2026-11-24T15:00:00Z", "0.1.0", 4, ())


def test_the_last_checks_are_kept(tmp_path: Path) -> None:
    store, (a, b), _ = store_with_releases(tmp_path / "store")
    assert store.check_record(a) is None
    store.record_checks(a[:13], FAILED)
    assert store.check_record(a) == Store.open(store.path).check_record(a) == FAILED
    assert store.check_record(b) is None
    store.record_checks(a, PASSED)
    assert store.check_record(a) == PASSED
    assert not (store.path / "work").exists()


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    store, (a, _), _ = store_with_releases(tmp_path / "store")
    store.record_checks(a, PASSED)
    path = store.path / "checks" / f"{a[7:]}.json"
    path.write_bytes(path.read_bytes().replace(b"4", b"5"))
    with pytest.raises(StoreError) as caught:
        store.check_record(a)
    assert str(caught.value) == (
        f"{path}: damaged, it is not as it was written; build the rules again with 'claim-edits build'"
    )
    store.record_checks(a, PASSED)
    assert store.check_record(a) == PASSED


def test_an_unknown_revision_has_none(tmp_path: Path) -> None:
    store, _, _ = store_with_releases(tmp_path / "store")
    for call in (lambda: store.check_record("sha256:000000"), lambda: store.record_checks("sha256:000000", PASSED)):
        with pytest.raises(NotFoundError, match=r"^the store holds no revision 'sha256:000000'; "):
            call()
