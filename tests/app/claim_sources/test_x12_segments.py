"""Cutting bytes into segments: delimiters, places, damage."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED
from x12_samples import ISA, professional

from claimedits.app.claim_sources import x12_segments
from claimedits.app.claim_sources.x12_segments import read_segments


def tags(content: bytes) -> list[str]:
    return [segment.tag for segment in read_segments(io.BytesIO(content))]


def test_delimiters_are_those_of_each_isa() -> None:
    other = ISA.replace("*", "|").replace(":~", ">!")
    content = f"{ISA}\nHI*ABK:A*ABF:B~\n{other}HI|ABK>A|ABF>B!"
    segments = [s for s in read_segments(io.BytesIO(content.encode())) if s.tag == "HI"]
    assert [s.components(1) for s in segments] == [["ABK", "A"], ["ABK", "A"]]
    assert [s.components(2) for s in segments] == [["ABF", "B"], ["ABF", "B"]]


def test_line_breaks_may_end_segments() -> None:
    content = ISA[:-1] + "\n" + "GS*HC\nST*837\n"
    assert tags(content.encode()) == ["ISA", "GS", "ST"]


def test_blanks_before_terminators_are_no_data() -> None:
    content = professional().replace("~", "  ~\r\n")
    assert content.startswith(ISA[:-1] + "  ~")
    assert [s.elements[:2] for s in read_segments(io.BytesIO(content.encode()))][1:] == [
        s.elements[:2] for s in read_segments(io.BytesIO(professional().encode()))
    ][1:]


def test_places_are_byte_offsets() -> None:
    content = professional().encode()
    for segment in read_segments(io.BytesIO(content)):
        assert content[segment.byte :].startswith(segment.tag.encode())


def test_empty_segments_lose_nothing() -> None:
    content = professional()
    assert tags(content.replace("~\n", "~~\n~", 5).encode()) == tags(content.encode())


def test_text_before_the_first_isa_is_cut_by_the_usual_delimiters() -> None:
    assert tags(b"GS*HC~ST*837~") == ["GS", "ST"]


def test_last_segment_without_terminator_is_told() -> None:
    last = list(read_segments(io.BytesIO(ISA.encode() + b"ST*837*1")))[-1]
    assert (last.tag, last.terminated) == ("ST", False)


@pytest.mark.parametrize("blocks", [1, 40])
def test_long_segment_is_skipped_and_told(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x12_segments, "LONGEST_SEGMENT", 100_000)
    content = ISA.encode() + b"NTE*" + b"x" * 100_000 * blocks + b"~LX*1~"
    found = list(read_segments(io.BytesIO(content)))
    assert [s.tag for s in found] == ["ISA", "NTE", "LX"]
    assert found[1].flaw == "is longer than 100000 bytes"
    assert not found[2].flaw


@pytest.mark.parametrize(
    ("header", "flaw"),
    [
        ("ISA*00*short~", "does not name its delimiters in 16 elements"),
        (ISA.replace("*T*:~", "*T*:A"), "names delimiters that cannot be told apart from data"),
        (ISA.replace("*T*:~", "*T*::"), "names delimiters that cannot be told apart from data"),
        (ISA.replace("*T*:~", "*T* ~"), "names delimiters that cannot be told apart from data"),
        (ISA.replace("*T*:~", "*T*:  "), "names delimiters that cannot be told apart from data"),
    ],
)
def test_unusable_header_is_told(header: str, flaw: str) -> None:
    first = next(iter(read_segments(io.BytesIO(header.encode()))))
    assert (first.tag, first.flaw) == ("ISA", flaw)


@given(st.binary(max_size=400))
@UNHURRIED
def test_any_bytes_end(content: bytes) -> None:
    for segment in read_segments(io.BytesIO(ISA.encode() + content)):
        assert 0 <= segment.byte <= len(ISA) + len(content)


@given(
    st.lists(st.sampled_from(["LX*1", "NTE*ADD*ä", "HI*ABK:1", "SV1*HC:G0101*1*UN*1"]), max_size=30), st.integers(1, 50)
)
@UNHURRIED
def test_chunks_of_the_stream_do_not_show(segments: list[str], chunk: int) -> None:
    content = (ISA + "~".join(["", *segments, ""])).encode()
    whole = [(s.elements, s.byte) for s in read_segments(io.BytesIO(content))]

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or chunk, chunk))

    assert [(s.elements, s.byte) for s in read_segments(Slow(content))] == whole
