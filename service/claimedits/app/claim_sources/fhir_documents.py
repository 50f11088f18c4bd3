"""Finds the resources in FHIR files of any size: NDJSON, bundles, arrays, single resources. Memory stays bounded.

A general JSON stream parser would do, were it not for a text or number of gigabytes, which it must hold whole. Here only
one resource is held, and only up to a limit; a longer one is skipped and the next is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from claimedits.app.claim_files import LONGEST_LINE
from claimedits.app.claim_sources.containers import read_some
from claimedits.app.claim_sources.records import Position

LONGEST_RESOURCE = LONGEST_LINE
_CHUNK = 1 << 18
_OUTSIDE = re.compile(rb'[{}\[\]"]')
_INSIDE = re.compile(rb'["\\]')
_BACKSLASH, _QUOTE, _BRACE = 0x5C, 0x22, 0x7B
_OPENING = (0x7B, 0x5B)
_NOWHERE = 1 << 30


@dataclass(slots=True)
class FoundResource:
    """One resource, or what is wrong where one should stand."""

    position: Position
    resource: dict[str, Any] | None
    flaw: str = ""
    mend: str = ""
    full_url: str = ""
    """How the other entries of the bundle refer to it; empty outside bundles."""


def read_resources(stream: BinaryIO) -> Iterator[FoundResource]:
    """Every resource of a stream in its order; entries of bundles one by one.

    Read errors of the stream are raised; nothing else is.
    """
    head = stream.peek(1 << 16) if hasattr(stream, "peek") else b""
    first, ended, _ = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if ended and _loads(first) is not None:
        yield from _read_lines(stream)
    else:
        yield from _Scanner(stream).resources()


def _loads(raw: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _read_lines(stream: BinaryIO) -> Iterator[FoundResource]:
    number = 0
    while raw := stream.readline(LONGEST_RESOURCE + 1):
        number += 1
        if len(raw) > LONGEST_RESOURCE:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(LONGEST_RESOURCE)
            flaw = f"is longer than {LONGEST_RESOURCE} bytes"
            yield FoundResource(Position(line=number), None, flaw, "send one resource a line")
            continue
        raw = raw.strip(b"\xef\xbb\xbf \t\r\n")
        if not raw:
            continue
        resource = _loads(raw)
        if resource is None:
            yield FoundResource(Position(line=number), None, "is no JSON object", "send one resource a line")
        elif isinstance(resource.get("entry"), list):
            for i, entry in enumerate(resource["entry"], 1):
                yield _found(Position(line=number, entry=i), entry)
        else:
            yield FoundResource(Position(line=number), resource)


def _found(position: Position, entry: object) -> FoundResource:
    """The resource of an entry of a bundle."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if isinstance(entry, dict) and isinstance(resource, dict):
        url = entry.get("fullUrl")
        return FoundResource(position, resource, full_url=url if isinstance(url, str) else "")
    return FoundResource(position, None, "holds no resource", "an entry of a bundle has a resource")


class _Scanner:
    """Follows braces, brackets and texts through a JSON document and cuts out the objects that are records.

    Records are the objects at the top, the elements of an array at the top, and the elements of the array ``entry`` of an
    object at the top; once that array begins, the rest of the object around it is passed over.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._depth = 0
        self._record_depth = 1
        """Depth of an open record: 1 at the top, 2 in an array at the top, 3 in ``entry``."""
        self._begin = -1
        """Offset in the stream of the open record; -1 = none is open."""
        self._kept: list[bytes] = []
        self._size = 0
        self._entry = 0
        self._key = b""
        """The last text at depth 1, its first bytes: before a bracket, that is the key of the array."""

    def resources(self) -> Iterator[FoundResource]:
        """Every record of the stream."""
        in_text = skip_one = False
        offset = 0
        while chunk := read_some(self._stream, _CHUNK):
            at = kept_from = text_from = 0
            while True:
                if skip_one and at < len(chunk):
                    at, skip_one = at + 1, False
                found = (_INSIDE if in_text else _OUTSIDE).search(chunk, at)
                if found is None:
                    break
                sign, at = chunk[found.start()], found.end()
                if sign == _BACKSLASH:
                    skip_one = True
                elif sign == _QUOTE:
                    in_text = not in_text
                    if in_text:
                        self._key, text_from = b"", at
                    else:
                        self._extend_key(chunk, text_from, found.start())
                elif sign in _OPENING:
                    if self._open(sign, offset + found.start()):
                        kept_from = found.start()
                else:
                    if self._begin >= 0 and self._depth == self._record_depth:
                        self._keep(chunk[kept_from:at])
                        yield self._close()
                    self._leave()
            if in_text:
                self._extend_key(chunk, text_from, len(chunk))
            if self._begin >= 0:
                self._keep(chunk[kept_from:])
            offset += len(chunk)
        if self._begin >= 0 or self._depth or in_text:
            position = Position(entry=self._entry + 1, byte=max(self._begin, 0))
            yield FoundResource(position, None, "ends in the middle", "send the whole file again")

    def _extend_key(self, chunk: bytes, start: int, end: int) -> None:
        if self._depth == 1 and len(self._key) < 16:
            self._key += chunk[start : min(end, start + 16)]

    def _open(self, sign: int, offset: int) -> bool:
        """A brace or bracket opens; whether it begins a record."""
        self._depth += 1
        if sign == _BRACE:
            if self._begin < 0 and self._depth == self._record_depth:
                self._begin = offset
                return True
        elif self._depth == 1:
            self._record_depth = 2
        elif self._depth == 2 and self._record_depth == 1 and self._key == b"entry":
            self._record_depth = 3
            self._drop()  # the bundle around its entries is no record
        return False

    def _leave(self) -> None:
        self._depth = max(self._depth - 1, 0)
        if self._depth == 0:
            self._record_depth = 1
        elif self._record_depth == 3 and self._depth == 1:
            self._record_depth = _NOWHERE  # what follows the entries in their bundle

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= LONGEST_RESOURCE:
            self._kept.append(piece)
        else:
            self._kept.clear()

    def _drop(self) -> None:
        self._kept.clear()
        self._size, self._begin = 0, -1

    def _close(self) -> FoundResource:
        self._entry += 1
        position = Position(entry=self._entry, byte=self._begin)
        size, raw, is_entry = self._size, b"".join(self._kept), self._record_depth == 3
        self._drop()
        if size > LONGEST_RESOURCE:
            return FoundResource(position, None, f"is longer than {LONGEST_RESOURCE} bytes", "split it")
        value = _loads(raw)
        if value is None:
            return FoundResource(position, None, "is no JSON object", "write it as JSON")
        return _found(position, value) if is_entry else FoundResource(position, value)
