"""Cuts a stream of bytes into X12 segments, with their place in it; bounded memory, and no input makes it stop or raise.

Delimiters are those of the interchange header (X12.5, ISA: element separator after the tag, repetition separator in
ISA11, component separator in ISA16, segment terminator after it), read anew at each ISA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from claimedits.app.claim_sources.containers import read_some

LONGEST_SEGMENT = 1 << 20
"""Bytes of one segment; a longer one is skipped to its terminator and reported. Real segments have some hundred."""

_CHUNK = 1 << 18
_BLANK = b" \t\r\n\x00\xef\xbb\xbf"
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_HEADER = 512
"""Bytes that an ISA may take at most; a proper one has 106."""


class Delimiters(NamedTuple):
    """One byte each; ``repetition`` is empty before version 00402."""

    element: bytes
    component: str
    repetition: str
    terminator: bytes


@dataclass(slots=True)
class Segment:
    """One segment: ``elements[0]`` is its tag, so that ``elements[1]`` is what X12 writes as ``CLM01``."""

    elements: list[str]
    byte: int
    component: str
    flaw: str = ""
    """What is wrong with the segment itself; empty = nothing. ``elements`` then hold the tag at most."""
    number: int = 0
    """Counted in its transaction from ST = 1, set by the envelope."""
    terminated: bool = True

    @property
    def tag(self) -> str:
        return self.elements[0]

    def get(self, position: int) -> str:
        """An element without outer blanks; empty where it is absent."""
        return self.elements[position].strip() if position < len(self.elements) else ""

    def components(self, position: int) -> list[str]:
        """The components of an element without outer blanks; none where it is absent."""
        text = self.get(position)
        return [part.strip() for part in text.split(self.component)] if text else []


@dataclass(slots=True)
class _Buffer:
    """The bytes that are at hand, and where they stand in the stream."""

    stream: BinaryIO
    data: bytes = b""
    start: int = 0
    """Offset in ``data`` of the next byte that nobody has taken."""
    base: int = 0
    """Offset of ``data`` in the stream."""
    ended: bool = field(default=False)

    @property
    def here(self) -> int:
        return self.base + self.start

    def fill(self, least: int) -> bool:
        """Have ``least`` bytes at hand, if the stream has them."""
        while len(self.data) - self.start < least and not self.ended:
            chunk = read_some(self.stream, _CHUNK)
            if not chunk:
                self.ended = True
                break
            self.base += self.start
            self.data = self.data[self.start :] + chunk
            self.start = 0
        return len(self.data) - self.start >= least

    def skip_blank(self) -> bool:
        """Step over blanks between segments; False at the end of the stream."""
        while True:
            rest = self.data[self.start : self.start + 64]
            kept = rest.lstrip(_BLANK)
            self.start += len(rest) - len(kept)
            if kept:
                return True
            if not rest and not self.fill(1):
                return False

    def take_until(self, terminator: bytes) -> tuple[bytes, bool, bool]:
        """The bytes before the terminator, whether it came, and whether they were too many to keep."""
        searched = self.start
        while True:
            end = self.data.find(terminator, searched)
            if end >= 0:
                taken, self.start = self.data[self.start : end], end + 1
                return taken, True, len(taken) > LONGEST_SEGMENT
            if len(self.data) - self.start > LONGEST_SEGMENT:
                return self._skip_until(terminator)
            searched = len(self.data)
            before = self.start
            more = self.fill(len(self.data) - self.start + 1)
            searched -= before - self.start
            if not more:
                taken, self.start = self.data[self.start :], len(self.data)
                return taken, False, False

    def _skip_until(self, terminator: bytes) -> tuple[bytes, bool, bool]:
        head = self.data[self.start : self.start + 16]
        while True:
            end = self.data.find(terminator, self.start)
            if end >= 0:
                self.start = end + 1
                return head, True, True
            self.start = len(self.data)
            if not self.fill(1):
                return head, False, True


def read_segments(stream: BinaryIO) -> Iterator[Segment]:
    """Every segment of a stream. What stands before the first ISA is cut by the usual delimiters, ``*``, ``:`` and ``~``.

    A read error of the stream is raised; nothing else is.
    """
    buffer = _Buffer(stream)
    delimiters = Delimiters(b"*", ":", "^", b"~")
    while buffer.skip_blank():
        buffer.fill(_HEADER)
        if buffer.data.startswith(b"ISA", buffer.start):
            header = _read_header(buffer)
            if isinstance(header, Segment):
                yield header
            else:
                delimiters, segment = header
                yield segment
                continue
            _, _, _ = buffer.take_until(delimiters.terminator)
            continue
        byte = buffer.here
        raw, terminated, too_long = buffer.take_until(delimiters.terminator)
        if not raw.strip(_BLANK):
            continue  # a terminator too many loses nothing
        yield _segment(raw, byte, delimiters, terminated, too_long)


def _segment(raw: bytes, byte: int, delimiters: Delimiters, terminated: bool, too_long: bool) -> Segment:
    if too_long:
        tag = _decode(raw).split(delimiters.element.decode("latin-1"), 1)[0][:3]
        flaw = f"is longer than {LONGEST_SEGMENT} bytes"
        return Segment([tag], byte, delimiters.component, flaw, terminated=terminated)
    elements = _decode(raw).rstrip().split(delimiters.element.decode("latin-1"))
    tag = elements[0]
    flaw = "" if _TAG.fullmatch(tag) else "has no segment identifier"
    return Segment(elements, byte, delimiters.component, flaw, terminated=terminated)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _read_header(buffer: _Buffer) -> Segment | tuple[Delimiters, Segment]:
    """The ISA at hand and the delimiters it names; a segment with a flaw where it names none."""
    byte = buffer.here
    head = buffer.data[buffer.start : buffer.start + _HEADER]
    element = head[3:4]
    ends: list[int] = []
    at = 3
    while element and len(ends) < 16 and at >= 0:
        ends.append(at)
        at = head.find(element, at + 1)
    if len(ends) < 16 or len(head) < ends[15] + 3 or element.isalnum() or element in _BLANK or head[3] > 127:
        return Segment(["ISA"], byte, ":", "does not name its delimiters in 16 elements")
    component, end = head[ends[15] + 1 : ends[15] + 2], ends[15] + 2
    while head[end : end + 1] == b" ":  # blanks that some senders put before every terminator
        end += 1
    terminator = head[end : end + 1]
    unfit = component.isalnum() or component == b" " or terminator.isalnum() or not terminator
    if len({element, component, terminator}) < 3 or unfit:
        return Segment(["ISA"], byte, ":", "names delimiters that cannot be told apart from data")
    text = head[: ends[15] + 2].decode("latin-1")
    elements = text.split(element.decode("latin-1"))
    version, repetition = elements[12].strip(), elements[11].strip()
    buffer.start += end + 1
    delimiters = Delimiters(element, component.decode("latin-1"), repetition if version >= "00402" else "", terminator)
    return delimiters, Segment(elements, byte, delimiters.component)
