"""Small made-up tables in the publishers' layouts, written row by row, with the mistakes that a test wants."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from claimedits.model.dates import parse_day
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.revision import RevisionDraft

Row = Sequence[object]
PTP_HEAD: list[Row] = [
    ("Made-up rows.", "", "", "", "", "", ""),
    ("Column1/Column2 Edits", "", "", "", "", "", ""),
    ("Column 1", "Column 2", "*=in existence", "Effective", "Deletion", "Modifier", "PTP Edit Rationale"),
    ("", "", "prior to 1996", "Date", "Date", "0=not allowed", ""),
    ("", "", "", "", "*=no data", "1=allowed", ""),
    ("", "", "", "", "", "9=not applicable", ""),
]
MUE_HEAD: list[Row] = [
    ("HCPCS/\r\nCPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator", "MUE Rationale")
]
AOC_HEAD: list[Row] = [
    (
        "AOC_Edit_Type", "Add-On_Code", "AOC_DelDT", "Primary_Code", "Primary_Code_DelDT", "AOC_Edit_EffDT",
        "AOC_Edit_DelDT", "Special_Instruction_Notes",
    )
]  # fmt: skip
PTP_ROW = ("0Z001", "0Z002", "", "20200101", "*", "1", "Standards")
MUE_ROW = ("0Z001", "2", "2 Date of Service Edit: Policy", "CMS Policy")
AOC_ROW = ("1", "0Z009", "", "0Z001", "", "2024001", "", "")
MUE_NAME = "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv"
MEDICAID_MUE_NAME = MUE_NAME.replace("MCR", "MCD")
AOC_NAME = "AOC_V2024Q3-MCR.txt"


def part_name(part: int, setting: str = "pra", version: str = "302", release: int = 0) -> str:
    return f"cci{setting}-v{version}r{release}-f{part}.TXT"


def tabs(head: Sequence[Row], rows: Sequence[Row], foot: str = "") -> bytes:
    """Tab-delimited with CRLF, in cp1252."""
    text = "".join("\t".join(map(str, row)) + "\r\n" for row in (*head, *rows)) + foot
    return text.encode("cp1252")


def commas(head: Sequence[Row], rows: Sequence[Row], foot: str = "") -> bytes:
    """CSV with CRLF; the notice of the head, one quoted cell over three lines, comes first."""
    lines = ['"Made-up values.\r\n\r\n®.",,,\r\n']
    lines += [
        ",".join(f'"{cell}"' if "\n" in str(cell) else str(cell) for cell in row) + "\r\n" for row in (*head, *rows)
    ]
    return ("".join(lines) + foot).encode("cp1252")


def workbook(path: Path, rows: Sequence[Row]) -> Path:
    """An XLSX with one sheet: text as inline strings, numbers as numbers."""
    sheet = "".join(
        f'<row r="{r}">' + "".join(_cell(f"{chr(65 + c)}{r}", value) for c, value in enumerate(row)) + "</row>"
        for r, row in enumerate(rows, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="Table" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, xml in parts.items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + xml)
    return path


def _cell(place: str, value: object) -> str:
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def archive(path: Path, members: Mapping[str, bytes], dated: tuple[int, int, int] = (2024, 6, 1)) -> Path:
    """A zip whose members bear one date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name, (*dated, 0, 0, 0)), content)
    return path


def write_parts(folder: Path, rows: Sequence[Row] = (PTP_ROW,), foot: str = "", **named: object) -> list[Path]:
    """Four parts of a PTP edition: ``rows`` in the first, one harmless row in each of the others."""
    paths = []
    for part in (1, 2, 3, 4):
        path = folder / part_name(part, **named)  # type: ignore[arg-type]
        others: list[Row] = [(f"0Z{part}01", f"0Z{part}02", "", "20200101", "*", "1", "Standards")]
        path.write_bytes(tabs(PTP_HEAD, rows if part == 1 else others, foot if part == 1 else ""))
        paths.append(path)
    return paths


def write(folder: Path, name: str, content: bytes) -> list[Path]:
    (folder / name).write_bytes(content)
    return [folder / name]


def import_them(family: str, paths: Sequence[Path], **options: object) -> list[RevisionDraft]:
    """Import with a day of publication, unless ``options`` say otherwise."""
    options = {"published_on": parse_day("2024-06-01"), **options}
    return import_files(family, paths, ImportOptions(**options))  # type: ignore[arg-type]


def refusal(run: Callable[[], object]) -> list[str]:
    """What a refused import says, problem by problem."""
    with pytest.raises(ImportRefusedError) as raised:
        run()
    return [str(problem) for problem in raised.value.problems]
