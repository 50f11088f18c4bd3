"""Hashes of texts: equal for equal texts wherever they stand, and found twice when they come twice."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED

from claimedits.app.claim_sources import claim_ids
from claimedits.app.claim_sources.claim_ids import ClaimIds
from claimedits.app.claim_sources.hashing import hash_texts

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1, max_size=30)


@given(TEXTS)
@UNHURRIED
def test_equal_texts_have_equal_hashes_and_others_have_not(texts: list[str | None]) -> None:
    hashes = hash_texts(pa.array(texts, pa.string())).tolist()
    known: dict[str, int] = {}
    for text, value in zip(texts, hashes, strict=True):
        assert known.setdefault(text or "", value) == value
    assert len(set(known.values())) == len(known)


@given(TEXTS, st.integers(0, 29))
@UNHURRIED
def test_place_in_the_column_and_type_do_not_matter(texts: list[str | None], start: int) -> None:
    whole = hash_texts(pa.array(texts, pa.string()))
    assert hash_texts(pa.array(texts, pa.string()).slice(start)).tolist() == whole[start:].tolist()
    assert hash_texts(pa.chunked_array([pa.array(texts, pa.large_string())])).tolist() == whole.tolist()


def test_hashes_are_the_same_on_every_machine() -> None:
    assert hash_texts(pa.array(["", "A", "claim-1"])).tolist() == hash_texts(pa.array(["", "A", "claim-1"])).tolist()
    assert hash_texts(pa.array(["claim-1"])).tolist() == [3333190166927479664]


@given(st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=12))
@UNHURRIED
def test_an_id_is_seen_from_its_second_time_on(calls: list[list[int]]) -> None:
    ids, before = ClaimIds(), set()
    for call in calls:
        expected = []
        for value in call:
            expected.append(value in before)
            before.add(value)
        assert ids.seen(np.array(call, dtype=np.uint64)).tolist() == expected
    ids.close()


def test_long_runs_are_kept_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_ids, "_IN_MEMORY", 100)
    monkeypatch.setattr(claim_ids, "_LONGEST_RUN", 1_000)
    ids = ClaimIds()
    numbers = np.random.default_rng(1).permutation(5_000).astype(np.uint64)
    for part in np.array_split(numbers, 13):
        assert not ids.seen(part).any()
    assert ids.seen(numbers[:50]).all()
    assert max(len(run) for run in ids._runs) <= 1_000
    ids.close()
