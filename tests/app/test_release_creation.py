"""What check and test refuse is not released, but for a reason that the release shows."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from claimedits.app import release_creation
from claimedits.app.building import build_rules, choose_revisions
from claimedits.app.checking import read_settings
from claimedits.app.release_creation import (
    MOST_RECORDED,
    ChecksRefusedError,
    Override,
    build_and_check,
    create_release,
    refusals,
)
from claimedits.app.shipped import find_rules
from claimedits.model.dates import parse_day
from claimedits.model.problems import Problem, StoreError
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store

POLICY = "example-payer-policy"
MEND = (
    "mend them and build again, leave a revision out with --without ID, or give --override-checks REASON, which the "
    "release will show"
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A directory of the shipped example policy and what it needs beside it."""
    for name in (POLICY, "ncci-conventions", "duplicates"):
        shutil.copytree(find_rules() / name, tmp_path / "rules" / name)
    return tmp_path / "rules"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def change_tests(rules: Path, old: str, new: str) -> None:
    path = rules / POLICY / "tests.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def policy(store: Store) -> str:
    (info,) = store.revisions(POLICY)
    return f"{POLICY} {info.header.label}, {info.id[:19]}"


def test_what_passes_is_released(rules: Path, store: Store) -> None:
    built = build_and_check(rules, store)
    tests = {b.revision.header.rule_set: b.record.tests for b in built}
    assert set(tests) == {POLICY, "ncci-conventions", "duplicates"} and tests[POLICY] > 0
    assert [b.record.problems for b in built] == [(), (), ()]
    ids = choose_revisions(store, ())
    assert refusals(store, ids) == []
    release = create_release(store, ids, "a note", Override("not needed", "ada"))
    assert (release.note, release.overrides) == ("a note", ())


def test_a_failing_test_is_refused_until_it_is_mended(rules: Path, store: Store) -> None:
    change_tests(rules, '"1 prior-authorization FAIL"', '"1 prior-authorization REVIEW"')
    (built,) = (b for b in build_and_check(rules, store) if b.revision.header.rule_set == POLICY)
    assert [str(p) for p in built.record.problems] == [
        f"{rules}/{POLICY}/tests.toml:1:1: no authorization: the drug is denied, what gives it is reviewed: "
        "line 1 prior-authorization: differs: status: expected REVIEW, got FAIL"
    ]
    ids = choose_revisions(store, ())
    with pytest.raises(ChecksRefusedError) as caught:
        create_release(store, ids)
    assert caught.value.headline == f"1 problems, no release was created; {MEND}"
    assert [str(p) for p in caught.value.problems] == [f"{p} ({policy(store)})" for p in built.record.problems]
    assert store.releases() == []

    change_tests(rules, '"1 prior-authorization REVIEW"', '"1 prior-authorization FAIL"')
    (mended,) = (b for b in build_and_check(rules, store) if b.revision.header.rule_set == POLICY)
    assert (mended.revision.id, mended.is_new, mended.record.problems) == (built.revision.id, False, ())
    assert create_release(store, ids).overrides == ()


def test_rules_without_tests_are_refused(rules: Path, store: Store) -> None:
    (rules / POLICY / "tests.toml").unlink()
    build_and_check(rules, store)
    said = [str(p) for p in refusals(store, choose_revisions(store, ()))]
    assert said[0] == (
        f"{rules}/{POLICY}/tests.toml:1:1: the rule set has no tests ({policy(store)}); "
        "write tests beside the rules, for the pass, the fail and the first day"
    )


def test_rules_that_were_never_checked_are_refused(rules: Path, store: Store) -> None:
    build_rules(rules, store)
    assert [str(p) for p in refusals(store, choose_revisions(store, ()))] == [
        f"{policy(store)}: was never checked or tested; build it again: claim-edits build RULES --store {store.path}"
    ]
    build_and_check(rules, store)
    assert refusals(store, choose_revisions(store, ())) == []


def both_directions() -> RevisionDraft:
    """An edition of two edits that contradict each other."""
    rows = [("A4221", "E0781"), ("E0781", "A4221")]
    table = pa.table(
        {
            "column_1": [a for a, _ in rows],
            "column_2": [b for _, b in rows],
            "effective_from": pa.array([parse_day("2024-01-01")] * 2, pa.int32()).cast(pa.date32()),
            "effective_to": pa.array([None, None], pa.date32()),
            "modifier_indicator": pa.array([1, 1], pa.uint8()),
            "in_existence_prior_to_1996": [False, False],
            "rationale": ["Standards", "Standards"],
            "source": pa.array([0, 0], pa.uint16()),
            "source_row": pa.array([2, 3], pa.uint32()),
        }
    )
    header = RevisionHeader(
        *("medicare-ptp-practitioner", "ptp", "v30.2", parse_day("2024-07-01"), parse_day("2024-09-30")),
        *(parse_day("2024-06-01"), (Source("ccipra.txt", 64 * "0", 1, 3, "utf-8"),)),
    )
    return RevisionDraft(header, {"edits": table}, 2, 2)


def test_an_imported_revision_that_check_refuses_is_refused_until_it_is_let_in(
    rules: Path, store: Store, tmp_path: Path
) -> None:
    build_and_check(rules, store)
    info, _ = store.add_revision(both_directions())
    ids = choose_revisions(store, ())
    refused = [problem for problem in refusals(store, ids) if problem.code == "CE402"]
    assert [str(problem) for problem in refused] == [
        "ccipra.txt:2:1: row 2 (column 1 A4221, column 2 E0781) and ccipra.txt:3, its opposite, are active on the same days; "
        "close one direction on the day before the other begins"
    ]
    with pytest.raises(ChecksRefusedError):
        create_release(store, ids)
    silences = tmp_path / "lints.toml"
    codes = sorted({problem.code for problem in refusals(store, ids)})
    text = "".join(f'[[silence]]\nlint = "{code}"\nreason = "the publisher confirmed it"\n' for code in codes)
    silences.write_text(text, encoding="utf-8")
    assert refusals(store, ids, read_settings(silences, "lints.toml")) == []
    # What is active already has been let in: the next release is not refused for it again.
    first = create_release(store, ids, "", Override("the publisher confirmed it", "ada"))
    assert info.id in first.revisions and len(first.overrides) == 1
    store.activate(first.id, "ada")
    assert refusals(store, ids) == []


def test_a_revision_left_out_refuses_nothing(rules: Path, store: Store) -> None:
    build_rules(rules, store)
    (left_out,) = store.revisions(POLICY)
    ids = choose_revisions(store, (), [left_out.id[:15]])
    assert left_out.id not in ids and len(ids) == 2
    assert create_release(store, ids).revisions == tuple(sorted(ids))


def test_a_reason_lets_it_through_and_stays(rules: Path, store: Store) -> None:
    (rules / POLICY / "tests.toml").unlink()
    build_and_check(rules, store)
    ids = choose_revisions(store, ())
    problems = tuple(map(str, refusals(store, ids)))
    release = create_release(store, ids, "", Override("agreed with the payer", "ada"))
    (override,) = store.release(release.id).overrides
    assert (override.reason, override.who, override.problems) == ("agreed with the payer", "ada", problems)
    # To create it again needs the reason again, and adds nothing.
    with pytest.raises(ChecksRefusedError):
        create_release(store, ids)
    assert create_release(store, ids, "", Override("agreed with the payer", "bob")) == release


def test_a_tampered_table_is_named_and_nothing_is_created(rules: Path, store: Store) -> None:
    build_and_check(rules, store)
    (info,) = store.revisions(POLICY)
    path = store.path / "revisions" / info.id[7:] / "rules.arrow"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError) as caught:
        create_release(store, choose_revisions(store, ()))
    assert str(caught.value).startswith(f"{path}: damaged, ")
    assert str(caught.value).endswith("import it again, or restore it from a backup")
    assert store.releases() == []
    build_and_check(rules, store)
    assert create_release(store, choose_revisions(store, ()))


def test_a_damaged_active_release_does_not_keep_the_next_from_being_made(rules: Path, store: Store) -> None:
    build_and_check(rules, store)
    (policy_info,) = store.revisions(POLICY)
    ids = choose_revisions(store, ())
    store.activate(create_release(store, ids).id, "ada")
    shutil.rmtree(store.path / "revisions" / policy_info.id[7:])
    assert create_release(store, [name for name in ids if name != policy_info.id])


def test_an_override_records_so_many_problems_and_counts_the_rest(
    rules: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_and_check(rules, store)
    many = [Problem(f"tests.toml:{i}:1", "fails") for i in range(MOST_RECORDED + 7)]
    monkeypatch.setattr(release_creation, "CHECKS", (lambda *_: many,))
    (override,) = create_release(store, choose_revisions(store, ()), "", Override("agreed", "ada")).overrides
    assert override.problems == (*map(str, many[:MOST_RECORDED]), "and 7 more")


def test_a_disk_that_fills_at_any_moment_leaves_no_release(rules: Path, store: Store) -> None:
    """Each call that needs space in turn: while indexes are built, and while the release is kept."""
    build_and_check(rules, store)
    ids = choose_revisions(store, ())
    active = create_release(store, choose_revisions(store, (), [store.revisions(POLICY)[0].id]))
    store.activate(active.id, "ada")
    history = (store.path / "activations.json").read_bytes()
    failures = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            _fill_disk_at(failures + 1, patch)
            try:
                created = create_release(store, ids)
                break
            except StoreError as error:
                assert str(error) == (
                    f"{store.path}: disk full, nothing was changed; free some space and run the command again"
                )
        failures += 1
        assert [release.id for release in store.releases()] == [active.id]
        assert (store.path / "activations.json").read_bytes() == history
        assert not (store.path / "work").exists()
    assert failures >= 4
    assert {release.id for release in store.releases()} == {active.id, created.id}


def _fill_disk_at(n: int, patch: pytest.MonkeyPatch) -> None:
    """From the n-th call on that takes space, there is none."""
    seen = 0

    def full(call: Callable[..., Any], takes_space: Callable[..., bool]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += takes_space(*args)
            if takes_space(*args) and seen >= n:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*args, **kwargs)

        return guarded

    patch.setattr(os, "write", full(os.write, lambda *_: True))
    patch.setattr(os, "mkdir", full(os.mkdir, lambda path, *_: not Path(path).exists()))
    patch.setattr(os, "rename", full(os.rename, lambda *_: True))
    patch.setattr(os, "replace", full(os.replace, lambda *_: True))
