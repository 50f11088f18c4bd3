"""Damaged 837 files: whatever they hold, nothing is raised, and each CLM is one record."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED
from x12_samples import file_of, institutional, professional

from claimedits.app.claim_sources.records import ReadClaim, Rejection
from claimedits.app.claim_sources.x12_reading import read_x12
from claimedits.app.claim_sources.x12_segments import read_segments

_PIECES = st.one_of(
    st.sampled_from(
        [b"~", b"*", b":", b"~~", b"CLM*", b"~CLM*X*1~", b"ISA*", b"HL*1**20~", b"SE*1*1~", b"\x00", b"\xff", b"\n"]
    ),
    st.binary(max_size=6),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with pieces cut out, put in, or moved."""
    content = (draw(st.sampled_from([professional, institutional]))()).encode()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 60)))
        middle = draw(st.one_of(_PIECES, st.just(content[start:end] * 2)))
        content = content[:start] + middle + content[end:]
    return content


@given(damaged(), st.sampled_from(["", "MEDICARE"]))
@UNHURRIED
def test_each_claim_segment_is_one_record(content: bytes, program: str) -> None:
    segments = sum(segment.tag == "CLM" for segment in read_segments(io.BytesIO(content)))
    records = [r for r in read_x12(file_of(content), program) if isinstance(r, ReadClaim | Rejection)]
    assert len(records) == segments or (segments == 0 and len(records) == 1)
    for record in records:
        assert 0 <= record.position.byte <= len(content)
