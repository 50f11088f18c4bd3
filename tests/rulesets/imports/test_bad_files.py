"""Publishers' files with one mistake each: the exact message, and nothing kept (file-formats.md §0 to §3)."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from claimedits.app.shipped import find_samples
from claimedits.model.dates import parse_day
from claimedits.model.problems import ImportRefusedError
from claimedits.model.terms import Program
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.revision import RevisionDraft

PART_4 = "ccipra-v302r0-f4.TXT"
MUE = "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv"
AOC = "AOC_V2024Q3-MCR.txt"
OPTIONS = {"published_on": parse_day("2024-06-01")}


def sample(name: str) -> bytes:
    return (find_samples() / name).read_bytes()


def import_ptp(folder: Path, part_4: bytes, **options: object) -> list[RevisionDraft]:
    """The four sample parts, the fourth replaced."""
    for n in (1, 2, 3):
        (folder / f"ccipra-v302r0-f{n}.TXT").write_bytes(sample(f"ccipra-v302r0-f{n}.TXT"))
    (folder / PART_4).write_bytes(part_4)
    return import_files("ptp", sorted(folder.glob("*.TXT")), ImportOptions(**{**OPTIONS, **options}))  # type: ignore[arg-type]


def import_one(family: str, folder: Path, name: str, content: bytes, **options: object) -> list[RevisionDraft]:
    (folder / name).write_bytes(content)
    return import_files(family, [folder / name], ImportOptions(**{**OPTIONS, **options}))  # type: ignore[arg-type]


def refusal(run: Callable[[], object]) -> list[str]:
    with pytest.raises(ImportRefusedError) as raised:
        run()
    return [str(problem) for problem in raised.value.problems]


ROW = b"G0247\tG0127\t\t20030101\t*\t1\tMore extensive procedure\r\n"
PTP_MISTAKES = [
    (b"G0247\tG0127\t\t20030101\t*\t1\r\n", f"{PART_4}:7: has 6 cells, the header has 7; restore the row as published"),
    (
        ROW.replace(b"20030101", b"20241332"),
        f"{PART_4}:7:effective: is not a date of the form YYYYMMDD; restore the date as published",
    ),
    (
        ROW.replace(b"*\t1", b"20021231\t1"),
        f"{PART_4}:7:deletion: lies before the effective date; restore the dates as published",
    ),
    (
        ROW.replace(b"G0127", b"G01277"),
        f"{PART_4}:7:column_2: is not a code of five letters or digits; restore the code as published",
    ),
    (
        ROW.replace(b"\t1\t", b"\t7\t"),
        f"{PART_4}:7:modifier_indicator: is no modifier indicator; an indicator is 0, 1 or 9",
    ),
    (
        ROW.replace(b"G0127", b"G0247"),
        f"{PART_4}:7:column_2: is the code of column 1; remove the row: no code conflicts with itself",
    ),
]


@pytest.mark.parametrize(("row", "message"), PTP_MISTAKES)
def test_a_bad_ptp_row_is_named_and_stops_a_small_table(tmp_path: Path, row: bytes, message: str) -> None:
    content = sample(PART_4).replace(ROW, row)
    assert row in content
    assert refusal(lambda: import_ptp(tmp_path, content)) == [message]


@pytest.mark.parametrize(("row", "message"), PTP_MISTAKES)
def test_below_the_threshold_the_row_is_left_out_and_counted(tmp_path: Path, row: bytes, message: str) -> None:
    (draft,) = import_ptp(tmp_path, sample(PART_4).replace(ROW, row), max_reject_fraction=0.5)
    assert [str(problem) for problem in draft.rejects] == [message]
    assert (draft.read, draft.kept) == (9, 8)


def test_two_open_rows_of_a_pair_stop_whatever_their_order(tmp_path: Path) -> None:
    content = sample(PART_4) + b"G0127\tG0247\t\t20030101\t*\t0\tMore extensive procedure\r\n"
    assert refusal(lambda: import_ptp(tmp_path, content)) == [
        f"{PART_4}:7: the pair is open here and at {PART_4}:13; "
        "a pair has at most one row without a deletion date, whatever the column order"
    ]


def test_an_identical_copy_is_dropped_with_a_warning(tmp_path: Path) -> None:
    (draft,) = import_ptp(tmp_path, sample(PART_4) + ROW)
    assert (draft.read, draft.kept, len(draft.rejects)) == (10, 9, 0)
    assert [str(w) for w in draft.warnings if w.code == "W_COPY"] == [
        f"{PART_4}:13: is an identical copy of another row and was dropped"
    ]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    for n in (1, 2, 4):
        (tmp_path / f"ccipra-v302r0-f{n}.TXT").write_bytes(sample(f"ccipra-v302r0-f{n}.TXT"))
    found = refusal(lambda: import_files("ptp", sorted(tmp_path.glob("*.TXT")), ImportOptions(**OPTIONS)))  # type: ignore[arg-type]
    assert found == ["practitioner v30.2 part f3: is missing; give all four parts, f1 to f4, together"]


def test_another_count_than_the_label_says_stops(tmp_path: Path) -> None:
    found = refusal(lambda: import_ptp(tmp_path, sample(PART_4), expected_rows=10))
    assert found == ["medicare-ptp-practitioner v30.2: holds 9 rows, the label says 10; download the files again"]


def test_the_publication_has_to_be_known(tmp_path: Path) -> None:
    found = refusal(lambda: import_ptp(tmp_path, sample(PART_4), published_on=None))
    assert found == [
        "ccipra-v302r0-f1.TXT: does not say when it was published; say it with --published-on, the day it was posted"
    ]


def test_a_label_that_contradicts_the_name_stops(tmp_path: Path) -> None:
    found = refusal(lambda: import_ptp(tmp_path, sample(PART_4), label="v30.1"))
    assert found[0] == (
        "ccipra-v302r0-f1.TXT: its name says v30.2, --label says v30.1; leave --label out, or give the right file"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"120,3 Date", b"120,7 Date", "mai: is no MUE adjudication indicator; it begins with 1, 2 or 3"),
        (b"120,3 Date", b"120,2 Date", "mai: its number and its words disagree; 2 is 'date of service edit: policy'"),
        (b"J1100,120", b"J1100,", "value: is blank, which is not 0; restore the value as published"),
        (b"J1100,120", b"J1100,-1", "value: is not a whole number of units from 0; restore the value as published"),
        (
            b"J1100,120",
            b"J11000,120",
            "procedure_code: is not a code of five letters or digits; restore the code as published",
        ),
    ],
)
def test_a_bad_mue_row_is_named(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    content = sample(MUE).replace(old, new)
    assert content != sample(MUE)
    assert refusal(lambda: import_one("mue", tmp_path, MUE, content)) == [f"{MUE}:10:{message}"]


def test_one_row_a_code(tmp_path: Path) -> None:
    content = sample(MUE).replace(b"J3471,", b"J1100,")
    assert refusal(lambda: import_one("mue", tmp_path, MUE, content)) == [
        f"{MUE}:10:procedure_code: the code has another row; keep one row a code",
        f"{MUE}:11:procedure_code: the code has another row; keep one row a code",
    ]


def test_an_mai_column_is_medicares(tmp_path: Path) -> None:
    medicaid = MUE.replace("MCR", "MCD")
    found = refusal(lambda: import_one("mue", tmp_path, medicaid, sample(MUE), program=Program.MEDICAID))
    assert found == [f"{medicaid}: has an MAI column, which Medicaid tables have not; leave --program MEDICAID out"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            b"2024001",
            b"2024367",
            "effective: is not a date of the form YYYYDDD, year and day of the year; restore the date as published",
        ),
        (
            b"2024001",
            b"20240101",
            "effective: is not a date of the form YYYYDDD, year and day of the year; restore the date as published",
        ),
        (b"\t2024001\t", b"\t\t", "effective: is blank; every edit has an effective date"),
        (
            b"\tG0463\t\t2024001",
            b"\tCCCCC\t\t2024001",
            "primary_code: CCCCC, contractor defined, stands with type 1; CCCCC goes with type 2 or 3",
        ),
        (b"1\tG2211", b"4\tG2211", "edit_type: is no type of add-on edit; a type is 1, 2 or 3"),
    ],
)
def test_a_bad_add_on_row_is_named(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    content = sample(AOC).replace(old, new)
    assert content != sample(AOC)
    assert refusal(lambda: import_one("aoc", tmp_path, AOC, content)) == [f"{AOC}:4:{message}"]


def test_a_note_nobody_has_read_is_a_warning(tmp_path: Path) -> None:
    (draft,) = import_one("aoc", tmp_path, AOC, sample(AOC), known_notes=frozenset())
    assert [str(w) for w in draft.warnings] == [
        f"{AOC}:5:note: nobody has read this note yet; its rule is not applied; curate it in aoc-notes.csv"
    ]


@pytest.mark.parametrize(
    ("family", "name", "message"),
    [
        ("ptp", AOC, "is of another family by its name: aoc; run import aoc"),
        ("mue", PART_4, "is of another family by its name: ptp; run import ptp"),
        ("aoc", MUE, "is of another family by its name: mue; run import mue"),
    ],
)
def test_the_wrong_family_is_told(tmp_path: Path, family: str, name: str, message: str) -> None:
    assert refusal(lambda: import_one(family, tmp_path, name, sample(name))) == [f"{name}: {message}"]


def test_the_wrong_family_is_told_by_its_content(tmp_path: Path) -> None:
    (problem,) = refusal(lambda: import_one("aoc", tmp_path, AOC, sample(MUE)))
    assert problem.endswith("this looks like an MUE table: run import mue")


def test_damaged_and_hostile_files(tmp_path: Path) -> None:
    zipped = tmp_path / "ptp.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(PART_4, sample(PART_4))
    zipped.write_bytes(zipped.read_bytes()[:200])
    assert refusal(lambda: import_files("ptp", [zipped])) == [
        "ptp.zip: the archive is damaged or cut short; download it again"
    ]
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("../evil.TXT", sample(PART_4))
    (problem,) = refusal(lambda: import_files("ptp", [zipped]))
    assert "'..'" in problem
    assert refusal(lambda: import_one("mue", tmp_path, MUE, b"")) == [f"{MUE}: the file is empty; download it again"]
    assert refusal(lambda: import_one("mue", tmp_path, MUE, sample(MUE) + b"G0\0")) == [
        f"{MUE}:18: a NUL byte in a text file; save it as UTF-8 text or download it again"
    ]
    assert refusal(lambda: import_one("mue", tmp_path, MUE, sample(MUE) + b"x" * (1 << 21))) == [
        f"{MUE}:18: a line of more than 1,048,576 bytes; this is not a published table"
    ]
