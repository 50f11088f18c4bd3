"""Two quarters in the publisher's layout, made up, and mistakes that are put into the second one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

HEAD = (
    "Made-up rows in the publisher's layout. Not published by CMS, no CPT content.\t\t\t\t\t\t\r\n"
    "Column1/Column2 Edits\t\t\t\t\t\t\r\n"
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\r\n"
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\t\r\n"
    "\t\t\t\t*=no data\t1=allowed\t\r\n"
    "\t\t\t\t\t9=not applicable\t\r\n"
)
MUE_HEAD = (
    '"Made-up values in the publisher\'s layout. \r\n\r\nNot published by CMS, no CPT content.",,,\r\n"HCPCS/\r\n'
    'CPT Code",Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\r\n'
)
FIRST_ROW = 7
"""Of a part; of the MUE table it is 3: its title and its heading are one record each."""
RATIONALE = "Misuse of Column Two code with Column One code"
MUE_NAME = "MCR_MUE_PractitionerServices_Eff_{:%m-%d-%Y}.csv"
Files = dict[str, str]
Mistake = Callable[[Files], Files]


def ptp_files(version: str) -> Files:
    """Four parts of 80 edits. 302 is the quarter after 301: one edit closed, one opened."""
    files = {}
    for part in (1, 2, 3, 4):
        rows = [
            [f"{'AEGJ'[part - 1]}{1000 + n}", f"Q{2000 + n % 7}", "", "20200101", "*", "1", RATIONALE]
            for n in range(80)
        ]
        rows[5][4] = "20231231"
        rows[6][4], rows[6][5] = "20200101", "9"
        if version == "302" and part == 2:
            rows[10][4] = "20240630"
            rows.append(["E2000", "Q2001", "", "20240701", "*", "1", RATIONALE])
        files[f"ccipra-v{version}r0-f{part}.TXT"] = HEAD + "".join("\t".join(row) + "\r\n" for row in rows)
    return files


def mue_files(first_day: dt.date) -> Files:
    """80 values. From July on one of them is higher."""
    rows = [f"G{1000 + n},{1 + n % 3},2 Date of Service Edit: Policy,CMS Policy" for n in range(80)]
    if first_day.month == 7:
        rows[8] = rows[8].replace(",3,", ",4,")
    return {MUE_NAME.format(first_day): MUE_HEAD + "".join(f"{row}\r\n" for row in rows)}


def write(files: Mapping[str, str], folder: Path) -> list[str]:
    """Write files, and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    return [str(folder / name) for name in files]


def with_row(name: str, row: int, change: Callable[[list[str]], list[str]]) -> Mistake:
    """Another record in place of the ``row``-th of an edit file (1-based, as editors count)."""

    def mistake(files: Files) -> Files:
        lines = files[name].split("\r\n")
        lines[row - 1] = "\t".join(change(lines[row - 1].split("\t")))
        return {**files, name: "\r\n".join(lines)}

    return mistake


def with_cell(name: str, row: int, column: int, cell: str) -> Mistake:
    """Another cell (0-based column) in the ``row``-th record of an edit file."""
    return with_row(name, row, lambda cells: [*cells[:column], cell, *cells[column + 1 :]])


def reversed_row(name: str, row: int) -> Mistake:
    """The two codes of an edit in each other's place."""
    return with_row(name, row, lambda cells: [cells[1], cells[0], *cells[2:]])


def without(name: str) -> Mistake:
    """A file that was lost."""
    return lambda files: {other: text for other, text in files.items() if other != name}


def cut(name: str, characters: int) -> Mistake:
    """A file that lacks its last characters."""
    return lambda files: {**files, name: files[name][:-characters]}


def without_last_rows(name: str, rows: int) -> Mistake:
    """A file that ends so many rows early, at the end of a row."""
    return lambda files: {**files, name: "\r\n".join([*files[name].split("\r\n")[: -rows - 1], ""])}


def renamed(name: str, other: str) -> Mistake:
    """A file under another name."""
    return lambda files: {other if one == name else one: text for one, text in files.items()}


def replaced(name: str, old: str, new: str) -> Mistake:
    """Other words in a file, in one place."""

    def mistake(files: Files) -> Files:
        assert files[name].count(old) == 1
        return {**files, name: files[name].replace(old, new)}

    return mistake
