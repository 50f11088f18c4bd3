"""Files and archive members, read in blocks and within limits (file-formats.md §0, rules 4, 7 and 10)."""

from __future__ import annotations

import datetime
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from claimedits.model.dates import Day, day_of
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.revision import Source

_BLOCK_BYTES = 1 << 20
_LINE_END = b"\n"
_ZIP_MAGIC = b"PK\x03\x04"
_WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm"})
SKIPPED_MEMBERS = re.compile(
    r"(^|/)(__MACOSX/|\.|thumbs\.db$)|(^|/)[^/]*read[-_ ]?me[^/]*$|\.(pdf|docx?|html?|rtf)$", re.IGNORECASE
)
"""Members of an archive that are never tables."""


@dataclass(slots=True, frozen=True)
class Limits:
    """What reading may cost, at most."""

    max_unpacked_bytes: int = 2 << 30
    """All files of one import together, unpacked."""
    max_line_bytes: int = 1 << 20
    """One line of a text file; no published table comes near it."""


@dataclass(slots=True, frozen=True)
class Content:
    """The bytes of one file, checked against the limits."""

    data: bytes
    sha256: str
    encoding: str
    """How ``data`` was encoded as published: ``utf-8``, ``cp1252`` or ``binary``. Text is held as UTF-8 without a mark."""
    size: int
    """Bytes as published."""


@dataclass(slots=True, frozen=True)
class SourceFile:
    """A table as the publisher ships it: a file, or a member of an archive."""

    name: str
    """File name without folders; the member's within an archive."""
    size: int
    open: Callable[[], IO[bytes]] = field(repr=False, compare=False)
    archive: str = ""
    dated: Day | None = None
    """The member's date within its archive: the publisher's clock. A bare file's date says when it was copied: none."""

    @property
    def is_workbook(self) -> bool:
        """True for XLSX."""
        return PurePosixPath(self.name.lower()).suffix in _WORKBOOK_SUFFIXES

    @property
    def where(self) -> str:
        """The name for messages: ``archive.zip/member`` or the file's name."""
        return f"{self.archive}/{self.name}" if self.archive else self.name

    def read(self, limits: Limits | None = None) -> Content:
        """All bytes; a text file as UTF-8 without a byte-order mark.

        Raises:
            ImportRefusedError: empty, damaged, a NUL byte, a line over the limit, or no encoding fits.
        """
        limits = limits or Limits()
        try:
            with self.open() as stream:
                data, sha256 = _read_blocks(self, stream, limits)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise _damaged(self.where) from error
        if not data:
            raise refuse(self.where, "the file is empty", "download it again", "E_FILE_EMPTY")
        if self.is_workbook:
            check_workbook_size(self, data, limits)
            return Content(data, sha256, "binary", len(data))
        text, encoding = _as_utf8(self, data)
        return Content(text, sha256, encoding, len(data))


def refuse(where: str, what: str, mend: str, code: str) -> ImportRefusedError:
    """A refusal for one reason, ready to be raised."""
    return ImportRefusedError([Problem(where, what, mend, code)])


def _damaged(where: str) -> ImportRefusedError:
    return refuse(where, "the archive is damaged or cut short", "download it again", "E_ARCHIVE_DAMAGED")


def source_of(file: SourceFile, content: Content, records: int, url: str = "") -> Source:
    """The citation of a file that was read."""
    return Source(file.name, content.sha256, content.size, records, content.encoding, file.archive, url)


def expand_paths(
    paths: Sequence[Path], limits: Limits | None = None, skip: re.Pattern[str] = SKIPPED_MEMBERS
) -> list[SourceFile]:
    """The tables behind files and archives, archives within archives too, in the order given.

    Args:
        skip: members whose path within the archive matches are left out, unread.

    Raises:
        ImportRefusedError: every file that is missing, empty, damaged, encrypted or unsafe, and a total over the limit.
    """
    limits = limits or Limits()
    found: list[SourceFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            found += _expand_path(path, limits, skip)
        except ImportRefusedError as error:
            problems += error.problems
    total = sum(file.size for file in found)
    if total > limits.max_unpacked_bytes:
        what = f"the files hold {total:,} bytes unpacked, over the limit of {limits.max_unpacked_bytes:,}"
        problems.append(Problem(paths[0].name, what, "import fewer files at once or raise the limit", "E_TOO_LARGE"))
    if problems:
        raise ImportRefusedError(problems)
    return found


def _expand_path(path: Path, limits: Limits, skip: re.Pattern[str]) -> list[SourceFile]:
    if not path.is_file():
        what = "this is a directory, not a file" if path.is_dir() else "there is no such file"
        raise refuse(path.name, what, "name the files to import", "E_NO_FILE")
    size = path.stat().st_size
    if not size:
        raise refuse(path.name, "the file is empty", "download it again", "E_FILE_EMPTY")
    with path.open("rb") as stream:
        magic = stream.read(4)
    is_archive = path.suffix.lower() == ".zip" or (
        magic == _ZIP_MAGIC and path.suffix.lower() not in _WORKBOOK_SUFFIXES
    )
    if not is_archive:
        return [SourceFile(path.name, size, lambda: path.open("rb"))]
    members = _expand_archive(path.name, lambda: path.open("rb"), limits, skip)
    if not members:
        raise refuse(path.name, "the archive holds no table", "give the file as published", "E_ARCHIVE_EMPTY")
    return members


def _expand_archive(
    name: str, open_archive: Callable[[], IO[bytes]], limits: Limits, skip: re.Pattern[str]
) -> list[SourceFile]:
    try:
        with open_archive() as stream, zipfile.ZipFile(stream) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _damaged(name) from error
    problems = [problem for info in infos if (problem := _member_problem(name, info))]
    if problems:
        raise ImportRefusedError(problems)
    members: list[SourceFile] = []
    for info in infos:
        if skip.search(info.filename):
            continue
        member = _member(name, open_archive, info)
        if member.name.lower().endswith(".zip"):
            members += _expand_nested(name, member, limits, skip)
        else:
            members.append(member)
    return members


def _expand_nested(name: str, member: SourceFile, limits: Limits, skip: re.Pattern[str]) -> list[SourceFile]:
    if member.size > limits.max_unpacked_bytes:
        what = f"the archive within holds {member.size:,} bytes, over the limit of {limits.max_unpacked_bytes:,}"
        raise refuse(member.where, what, "unpack it and import fewer files at once", "E_TOO_LARGE")
    try:
        with member.open() as stream:
            data = stream.read()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged(member.where) from error
    return _expand_archive(f"{name}/{member.name}", lambda: io.BytesIO(data), limits, skip)


def _member_problem(archive: str, info: zipfile.ZipInfo) -> Problem | None:
    where = f"{archive}/{info.filename}"
    path = info.filename.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        what = "the archive names a member by an absolute path"
        return Problem(where, what, "do not trust this archive: download it from the publisher", "E_MEMBER_PATH")
    if ".." in path.split("/"):
        what = "the archive names a member outside of it ('..')"
        return Problem(where, what, "do not trust this archive: download it from the publisher", "E_MEMBER_PATH")
    if info.flag_bits & 0x1:
        mend = "unpack it with its password and import the file inside"
        return Problem(where, "the member is encrypted", mend, "E_MEMBER_ENCRYPTED")
    return None


def _member(archive: str, open_archive: Callable[[], IO[bytes]], info: zipfile.ZipInfo) -> SourceFile:
    def open_member() -> IO[bytes]:
        with ExitStack() as stack:
            opened = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_archive())))
            member = opened.open(info)
            return _Closing(member, stack.pop_all())

    try:
        dated: Day | None = day_of(datetime.date(*info.date_time[:3]))
    except ValueError:
        dated = None  # month 0: the packer knew no date
    return SourceFile(PurePosixPath(info.filename).name, info.file_size, open_member, archive, dated)


class _Closing(io.BufferedReader):
    """A member whose archive closes with it."""

    def __init__(self, member: IO[bytes], stack: ExitStack) -> None:
        super().__init__(member, _BLOCK_BYTES)  # type: ignore[arg-type]
        self._stack = stack

    def close(self) -> None:
        super().close()
        self._stack.close()


def _read_blocks(file: SourceFile, stream: IO[bytes], limits: Limits) -> tuple[bytes, str]:
    """All bytes and their digest, refusing as soon as a limit is passed, so that memory stays bounded."""
    digest = hashlib.sha256()
    blocks: list[bytes] = []
    total, line, unfinished = 0, 1, 0
    block_bytes = min(_BLOCK_BYTES, limits.max_line_bytes)
    while block := stream.read(block_bytes):
        total += len(block)
        if total > limits.max_unpacked_bytes:
            what = f"the file holds more than {limits.max_unpacked_bytes:,} bytes"
            raise refuse(file.where, what, "import fewer files at once or raise the limit", "E_TOO_LARGE")
        if not file.is_workbook:
            if (nul := block.find(b"\0")) >= 0:
                raise refuse(
                    f"{file.where}:{line + block[:nul].count(_LINE_END)}",
                    "a NUL byte in a text file",
                    "save it as UTF-8 text or download it again",
                    "E_NUL",
                )
            first = block.find(b"\n")
            if unfinished + (first if first >= 0 else len(block)) > limits.max_line_bytes:
                what = f"a line of more than {limits.max_line_bytes:,} bytes"
                raise refuse(f"{file.where}:{line}", what, "this is not a published table", "E_LINE_LENGTH")
            unfinished = len(block) - block.rfind(b"\n") - 1 if first >= 0 else unfinished + len(block)
            line += block.count(b"\n")
        digest.update(block)
        blocks.append(block)
    return b"".join(blocks), digest.hexdigest()


def _as_utf8(file: SourceFile, data: bytes) -> tuple[bytes, str]:
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data.isascii():
        return data, "utf-8"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return data, "utf-8"
    try:
        return data.decode("cp1252").encode("utf-8"), "cp1252"
    except UnicodeDecodeError as error:
        where = f"{file.where}:{data[: error.start].count(_LINE_END) + 1}"
        what = f"the byte 0x{data[error.start]:02X} is neither UTF-8 nor Windows-1252"
        raise refuse(where, what, "download it again", "E_ENCODING") from error


def check_workbook_size(file: SourceFile, data: bytes, limits: Limits) -> None:
    """A workbook is an archive itself: refuse one that unpacks beyond the limit or whose parts are damaged."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            for info in parts.infolist():
                with parts.open(info) as part:  # declared sizes may lie: count what comes out
                    while block := part.read(_BLOCK_BYTES):
                        total += len(block)
                        if total > limits.max_unpacked_bytes:
                            what = f"the workbook holds more than {limits.max_unpacked_bytes:,} bytes unpacked"
                            raise refuse(file.where, what, "this is not a published table", "E_TOO_LARGE")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        what = "the workbook is damaged, encrypted or not an XLSX file"
        raise refuse(file.where, what, "download it again, or save it as XLSX", "E_WORKBOOK") from error
