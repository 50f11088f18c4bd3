"""Files and archives that are damaged, hostile, mixed or of another family: the exact message, nothing kept (file-formats.md §0)."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from publisher_tables import (
    AOC_HEAD,
    AOC_NAME,
    AOC_ROW,
    MUE_HEAD,
    MUE_NAME,
    MUE_ROW,
    PTP_HEAD,
    PTP_ROW,
    archive,
    commas,
    import_them,
    part_name,
    refusal,
    tabs,
    workbook,
    write,
    write_parts,
)

from claimedits.model.dates import format_day
from claimedits.model.problems import ImportRefusedError

MUE = commas(MUE_HEAD, [MUE_ROW])
AOC = tabs(AOC_HEAD, [AOC_ROW])
PTP = tabs(PTP_HEAD, [PTP_ROW])
UNTRUSTED = "do not trust this archive: download it from the publisher"


# --- damaged and oversized


@pytest.mark.parametrize("kept", [1, 200, -1])
def test_a_truncated_archive_is_told(tmp_path: Path, kept: int) -> None:
    path = archive(tmp_path / "mue.zip", {MUE_NAME: MUE * 50})
    path.write_bytes(path.read_bytes()[:kept])
    assert refusal(lambda: import_them("mue", [path])) == [
        "mue.zip: the archive is damaged or cut short; download it again"
    ]


def test_a_flipped_byte_in_a_member_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mue.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(MUE_NAME, MUE)
    content = path.read_bytes().replace(b"CMS Policy", b"CMS Pollcy")
    path.write_bytes(content)
    assert refusal(lambda: import_them("mue", [path])) == [
        f"mue.zip/{MUE_NAME}: the archive is damaged or cut short; download it again"
    ]


def test_a_truncated_workbook_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / MUE_NAME.replace(".csv", ".xlsx"), [*MUE_HEAD, MUE_ROW])
    path.write_bytes(path.read_bytes()[:-100])
    assert refusal(lambda: import_them("mue", [path])) == [
        f"{path.name}: the workbook is damaged, encrypted or not an XLSX file; download it again, or save it as XLSX"
    ]


def test_a_zip_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / MUE_NAME.replace(".csv", ".xlsx"), {"a.txt": b"a"})
    assert refusal(lambda: import_them("mue", [path])) == [
        f"{path.name}: the workbook cannot be read; download it again, or save it as XLSX"
    ]


@pytest.mark.parametrize(("family", "name"), [("ptp", part_name(1)), ("mue", MUE_NAME), ("aoc", AOC_NAME)])
def test_an_empty_file_is_told(tmp_path: Path, family: str, name: str) -> None:
    assert refusal(lambda: import_them(family, write(tmp_path, name, b""))) == [
        f"{name}: the file is empty; download it again"
    ]


def test_an_empty_member_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "mue.zip", {MUE_NAME: b""})
    assert refusal(lambda: import_them("mue", [path])) == [f"mue.zip/{MUE_NAME}: the file is empty; download it again"]


@pytest.mark.parametrize(
    ("family", "name", "content", "line"),
    [("ptp", part_name(1), PTP, 8), ("mue", MUE_NAME, MUE, 7), ("aoc", AOC_NAME, AOC, 3)],
)
def test_nul_bytes_are_told_with_their_line(tmp_path: Path, family: str, name: str, content: bytes, line: int) -> None:
    others = write_parts(tmp_path)[1:] if family == "ptp" else []
    paths = [*write(tmp_path, name, content + b"0Z0\x0001"), *others]
    assert refusal(lambda: import_them(family, paths)) == [
        f"{name}:{line}: a NUL byte in a text file; save it as UTF-8 text or download it again"
    ]


@pytest.mark.parametrize("size", [(1 << 20) + 1, 1 << 30])
def test_an_endless_line_is_refused_after_its_first_blocks(tmp_path: Path, size: int) -> None:
    """A gigabyte within a few kilobytes of archive: refused long before it is unpacked."""
    path = tmp_path / "mue.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        packed.open(MUE_NAME, "w") as member,
    ):
        member.write(MUE)
        for done in range(0, size, 1 << 20):
            member.write(b"x" * min(1 << 20, size - done))
    assert refusal(lambda: import_them("mue", [path])) == [
        f"mue.zip/{MUE_NAME}:7: a line of more than 1,048,576 bytes; this is not a published table"
    ]


def test_an_archive_over_the_limit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "mue.zip", {MUE_NAME: MUE + b"\r\n" * 100_000})
    size = f"{len(MUE) + 200_000:,}"
    assert refusal(lambda: import_them("mue", [path], max_unpacked_bytes=100_000)) == [
        f"mue.zip: the files hold {size} bytes unpacked, over the limit of 100,000; "
        "import fewer files at once or raise the limit"
    ]


def test_a_member_larger_than_its_archive_says_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "mue.zip", {MUE_NAME: MUE})
    content, size = path.read_bytes(), struct.pack("<I", len(MUE))
    path.write_bytes(content.replace(size, struct.pack("<I", len(MUE) - 40)))
    assert refusal(lambda: import_them("mue", [path])) == [
        f"mue.zip/{MUE_NAME}: the archive is damaged or cut short; download it again"
    ]


# --- hostile


@pytest.mark.parametrize("name", ["/etc/AOC_V2024Q3-MCR.txt", "C:\\AOC_V2024Q3-MCR.txt"])
def test_an_absolute_member_is_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "aoc.zip", {name: AOC})
    assert refusal(lambda: import_them("aoc", [path])) == [
        f"aoc.zip/{name}: the archive names a member by an absolute path; {UNTRUSTED}"
    ]


@pytest.mark.parametrize(
    "name", ["../AOC_V2024Q3-MCR.txt", "a/../../AOC_V2024Q3-MCR.txt", "a\\..\\AOC_V2024Q3-MCR.txt"]
)
def test_a_member_outside_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "aoc.zip", {name: AOC})
    assert refusal(lambda: import_them("aoc", [path])) == [
        f"aoc.zip/{name}: the archive names a member outside of it ('..'); {UNTRUSTED}"
    ]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "aoc.zip", {AOC_NAME: AOC})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's own header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    path.write_bytes(content)
    assert refusal(lambda: import_them("aoc", [path])) == [
        f"aoc.zip/{AOC_NAME}: the member is encrypted; unpack it with its password and import the file inside"
    ]


def test_the_problems_of_all_archives_are_told_at_once(tmp_path: Path) -> None:
    paths = [
        tmp_path / "none.zip",
        *write(tmp_path, "empty.zip", b""),
        archive(tmp_path / "skipped.zip", {"read_me.txt": b"x"}),
    ]
    assert refusal(lambda: import_them("aoc", [*paths, tmp_path])) == [
        "none.zip: there is no such file; name the files to import",
        "empty.zip: the file is empty; download it again",
        "skipped.zip: the archive holds no table; give the file as published",
        f"{tmp_path.name}: this is a directory, not a file; name the files to import",
    ]


# --- another family


@pytest.mark.parametrize(
    ("family", "name", "other"),
    [
        ("ptp", MUE_NAME, "mue"),
        ("ptp", AOC_NAME, "aoc"),
        ("mue", part_name(1), "ptp"),
        ("mue", "PPRRVU24_JUL.csv", "pfs"),
        ("aoc", MUE_NAME, "mue"),
    ],
)
def test_a_file_of_another_family_is_known_by_its_name(tmp_path: Path, family: str, name: str, other: str) -> None:
    assert refusal(lambda: import_them(family, write(tmp_path, name, b"a,b"))) == [
        f"{name}: is of another family by its name: {other}; run import {other}"
    ]


PTP_FIELDS = "column_1, column_2, in_existence_prior_to_1996, effective, deletion, modifier_indicator, rationale"
AOC_FIELDS = "edit_type, add_on_code, add_on_deleted_on, primary_code, primary_deleted_on, effective, deletion, note"


@pytest.mark.parametrize(
    ("family", "name", "fields", "content", "guess"),
    [
        ("mue", MUE_NAME, "procedure_code, value, rationale", PTP, "this looks like a PTP table: run import ptp"),
        (
            "mue",
            MUE_NAME,
            "procedure_code, value, rationale",
            AOC,
            "this looks like an add-on code table: run import aoc",
        ),
        ("aoc", AOC_NAME, AOC_FIELDS, MUE, "this looks like an MUE table: run import mue"),
        ("aoc", AOC_NAME, AOC_FIELDS, PTP, "this looks like a PTP table: run import ptp"),
        ("aoc", AOC_NAME, AOC_FIELDS, b"<html>\r\nsign in", "give the publisher's table of this family"),
    ],
)
def test_a_table_of_another_family_is_known_by_its_header(
    tmp_path: Path, family: str, name: str, fields: str, content: bytes, guess: str
) -> None:
    assert refusal(lambda: import_them(family, write(tmp_path, name, content))) == [
        f"{name}: no header with the columns {fields} stands in the first 80 records; {guess}"
    ]


@pytest.mark.parametrize(("content", "kind"), [(MUE, "an MUE"), (AOC, "an add-on code")])
def test_a_part_that_is_another_table_is_known_by_its_header(tmp_path: Path, content: bytes, kind: str) -> None:
    paths = write_parts(tmp_path)
    paths[0].write_bytes(content)
    word = "mue" if kind == "an MUE" else "aoc"
    assert refusal(lambda: import_them("ptp", paths)) == [
        f"{part_name(1)}: no header with the columns {PTP_FIELDS} stands in the first 80 records; "
        f"this looks like {kind} table: run import {word}"
    ]


# --- what an archive may hold


def test_text_and_workbook_of_one_table_are_one_revision(tmp_path: Path) -> None:
    book = workbook(tmp_path / "book.xlsx", [*AOC_HEAD, AOC_ROW]).read_bytes()
    members = {AOC_NAME.replace(".txt", ".xlsx"): book, AOC_NAME: AOC}
    (draft,) = import_them("aoc", [archive(tmp_path / "aoc.zip", members)])
    assert [source.file for source in draft.header.sources] == [AOC_NAME]
    (read_from_book,) = import_them("aoc", [archive(tmp_path / "aoc.zip", {AOC_NAME.replace(".txt", ".xlsx"): book})])
    assert [source.file for source in read_from_book.header.sources] == ["AOC_V2024Q3-MCR.xlsx"]
    columns = [name for name in draft.tables["edits"].column_names if name != "source_row"]
    assert read_from_book.tables["edits"].select(columns).equals(draft.tables["edits"].select(columns))


def test_parts_may_come_as_text_and_workbook_too(tmp_path: Path) -> None:
    paths = [
        archive(
            tmp_path / f"part{n}.zip",
            {
                part_name(n): path.read_bytes(),
                part_name(n).replace("TXT", "xlsx"): workbook(tmp_path / "b.xlsx", [*PTP_HEAD, PTP_ROW]).read_bytes(),
            },
        )
        for n, path in enumerate(write_parts(tmp_path), 1)
    ]
    (draft,) = import_them("ptp", paths)
    assert [source.file for source in draft.header.sources] == [part_name(n) for n in (1, 2, 3, 4)]


def test_what_is_no_table_is_left_out(tmp_path: Path) -> None:
    """Read-me files, change reports, the packer's own files, and files that bear no name of the family."""
    others = dict.fromkeys(
        ["__MACOSX/._x.csv", "README.txt", "licence.pdf", "MCR_MUE_Changes_07-01-2024.csv", "notice.txt"], b"other"
    )
    (draft,) = import_them("mue", [archive(tmp_path / "mue.zip", {**others, f"folder/{MUE_NAME}": MUE})])
    assert [source.file for source in draft.header.sources] == [MUE_NAME]


def test_change_reports_beside_parts_are_left_out(tmp_path: Path) -> None:
    paths = [
        archive(
            tmp_path / f"medicare-ncci-2024q3-practitioner-ptp-edits-ccipra-v302r0-f{n}.zip",
            {part_name(n): path.read_bytes(), "Additions.TXT": b"other", "ccipra-v302r0-deletions.TXT": b"other"},
        )
        for n, path in enumerate(write_parts(tmp_path), 1)
    ]
    (draft,) = import_them("ptp", paths)
    assert draft.kept == 4


def test_an_archive_within_an_archive_is_opened(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {AOC_NAME: AOC}).read_bytes()
    (draft,) = import_them("aoc", [archive(tmp_path / "outer.zip", {"inner.zip": inner})])
    assert [source.archive for source in draft.header.sources] == ["outer.zip/inner.zip"]


def test_the_day_within_the_archive_is_the_publication_unless_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "aoc.zip", {AOC_NAME: AOC}, dated=(2024, 5, 31))
    (draft,) = import_them("aoc", [path], published_on=None)
    assert format_day(draft.header.published_on) == "2024-05-31"
    assert refusal(lambda: import_them("aoc", write(tmp_path, AOC_NAME, AOC), published_on=None)) == [
        f"{AOC_NAME}: does not say when it was published; say it with --published-on, the day it was posted"
    ]


def test_a_byte_of_no_encoding_is_told(tmp_path: Path) -> None:
    paths = write(tmp_path, MUE_NAME, MUE.replace(b"CMS Policy", b"CMS\x81Policy"))
    assert refusal(lambda: import_them("mue", paths)) == [
        f"{MUE_NAME}:6: the byte 0x81 is neither UTF-8 nor Windows-1252; download it again"
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path) -> None:
    (draft,) = import_them("aoc", write(tmp_path, AOC_NAME, b"\xef\xbb\xbf" + AOC))
    assert (draft.kept, draft.header.sources[0].encoding) == (1, "utf-8")


def test_a_refusal_says_that_nothing_was_kept(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError) as raised:
        import_them("ptp", write_parts(tmp_path)[:3])
    assert str(raised.value) == (
        "nothing was kept: a missing part would make a smaller table\n"
        "practitioner v30.2 part f4: is missing; give all four parts, f1 to f4, together"
    )
