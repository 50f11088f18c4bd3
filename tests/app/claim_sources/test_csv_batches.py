"""Delimited text in pieces: every line is a row, a refused line, or blank; whatever the pieces are."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED

from claimedits.app.claim_sources import csv_batches
from claimedits.app.claim_sources.csv_batches import CsvReader, HeaderError, read_header

NAMES = ["a", "b", "c"]


def read(content: bytes, chunk: int = 0) -> tuple[dict[int, tuple[bytes, bytes]], dict[int, str]]:
    """Rows (a and c) and refusals by their line."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or chunk, chunk) if chunk else size)

    rows, refused = {}, {}
    for batch in CsvReader(NAMES, ",", ["a", "c"]).batches(Slow(content)):
        if batch.columns:
            cells = zip(batch.columns["a"].to_pylist(), batch.columns["c"].to_pylist(), strict=True)
            found = zip(batch.positions.tolist(), cells, strict=True)
            rows.update({line: row for line, row in found if row != (b"", b"")})  # blank lines may come through
        refused.update({line: problem.what for line, problem in batch.refused})
    return rows, refused


def test_plain_rows_and_their_lines() -> None:
    rows, refused = read(b"1,2,3\n4,5,6\r\n7,8,9")
    assert rows == {2: (b"1", b"3"), 3: (b"4", b"6"), 4: (b"7", b"9")}
    assert refused == {}


def test_one_bad_line_costs_that_line() -> None:
    rows, refused = read(b'1,2,3\n4,5\n\n"6,7,8\n9,"10,",11\n12,13,14,15\n16,17,18,\n\xff,2,3\n1\r,2,3\n')
    assert rows == {2: (b"1", b"3"), 6: (b"9", b"11"), 8: (b"16", b"18"), 9: (b"\xff", b"3")}
    assert refused == {
        3: "has 2 columns where the header has 3",
        5: "has an unclosed quote",
        7: "has 4 columns where the header has 3",
        10: "has an unclosed quote",
    }


def test_quotes_do_not_reach_over_lines() -> None:
    rows, refused = read(b'"1,2,3\n4,5",6\n7,8,9\n')
    assert rows == {3: (b"4", b"6"), 4: (b"7", b"9")}
    assert refused == {2: "has an unclosed quote"}


def test_endless_line_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_batches, "_READ", 64)
    monkeypatch.setattr(csv_batches, "LONGEST_ROW", 128)
    rows, refused = read(b"1,2,3\n" + b"x" * 1_000 + b"\n4,5,6\n" + b"y" * 1_000)
    assert rows == {2: (b"1", b"3"), 4: (b"4", b"6")}
    assert refused == {3: "is longer than 64 bytes", 5: "is longer than 64 bytes"}


@given(
    st.lists(st.sampled_from([b"1,2,3", b"1,2", b"", b'"1,",2,3', b'"1,2,3', b"1,2,3,4", b"\xff,2,3"]), max_size=12),
    st.integers(1, 20),
)
@UNHURRIED
def test_pieces_do_not_show(lines: list[bytes], chunk: int) -> None:
    content = b"\n".join(lines)
    whole = read(content)
    assert read(content, chunk) == whole
    filled = {number for number, line in enumerate(lines, 2) if line}
    assert set(whole[0]) | set(whole[1]) == filled
    assert not set(whole[0]) & set(whole[1])


def test_header() -> None:
    assert read_header(b'\xef\xbb\xbfA|"B|B"| C \r\n', "|") == ["A", "B|B", "C"]
    assert read_header(b"A|B|\n", "|") == ["A", "B"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"", "the first line is no header"),
        (b"a,a\n", "the header names a column twice"),
        (
            b"a\xff\n",
            "the header cannot be read: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte",
        ),
    ],
)
def test_line_that_is_no_header(line: bytes, what: str) -> None:
    with pytest.raises(HeaderError) as caught:
        read_header(line, ",")
    assert str(caught.value) == what
