"""Identifiers replaced by digests: the same everywhere, of their key alone, and the key is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from made_claims import UNHURRIED, claims

from claimedits.app.claim_sources.containers import SourceError
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.line_batches import claims_of, table_of
from claimedits.model.claim import Claim

KEY = b"0123456789abcdef"


@given(claims())
@UNHURRIED
def test_tables_and_claims_are_hashed_alike(made: Claim) -> None:
    hasher = IdentifierHash(KEY)
    assert list(claims_of(hasher.table(table_of([made])))) == [hasher.claim(made)]


@given(claims())
@UNHURRIED
def test_every_identifier_is_replaced(made: Claim) -> None:
    hashed = IdentifierHash(KEY).claim(made)
    for old, new in [
        (made.claim_id, hashed.claim_id),
        (made.patient.patient_id, hashed.patient.patient_id),
        (made.billing_provider_id, hashed.billing_provider_id),
        *((a.rendering_provider_id, b.rendering_provider_id) for a, b in zip(made.lines, hashed.lines, strict=True)),
        *((a.claim_id, b.claim_id) for a, b in zip(made.history_lines, hashed.history_lines, strict=True)),
    ]:
        assert (new == "") if old == "" else (len(new) == 32 and new != old)


def test_digest_depends_on_key_and_kind_alone() -> None:
    one, two = IdentifierHash(KEY), IdentifierHash(KEY + b"!")
    assert one.digest("patient", "A") == IdentifierHash(KEY).digest("patient", "A")
    assert len({one.digest("patient", "A"), two.digest("patient", "A"), one.digest("claim", "A")}) == 3
    assert one.digest("patient", "") == ""


def test_key_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY * 8 + b"\n")
    hasher = IdentifierHash.from_file(path)
    assert hasher.digest("claim", "A") == IdentifierHash(KEY * 8).digest("claim", "A")
    assert repr(hasher) == "IdentifierHash(keyed=True)"


def test_short_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"short\n")
    with pytest.raises(SourceError) as caught:
        IdentifierHash.from_file(path)
    assert str(caught.value) == (f"{path}: the key has 5 bytes; write at least 16, as `openssl rand -hex 32` does")
