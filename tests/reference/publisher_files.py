"""The publishers' raw files (file-formats.md §1–§4) as revisions of the reference, read with ``zipfile`` and ``csv`` only.

Nothing read here may be kept in the repository: the code lists are licensed.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Container, Iterator
from pathlib import Path

from reference_tables import ONE_DAY, Date, Revision, Row

FOREVER_AGO = Date(1900, 1, 1)
QUARTERS = {"2024Q2": (Date(2024, 4, 1), Date(2024, 6, 30)), "2024Q3": (Date(2024, 7, 1), Date(2024, 9, 30))}
SETTINGS = {"PractitionerServices": "practitioner", "OutpatientHospitalServices": "outpatient-hospital"}
SETTINGS["DMESupplierServices"] = "dme"
NOTE_SETTINGS = {
    "96376 may be reported by facilities only": ["OUTPATIENT_HOSPITAL"],
    "96360 Practitioner Only": ["PRACTITIONER"],
}


class Everything:
    """A set that holds every code."""

    def __contains__(self, code: object) -> bool:
        return True


def member(archive: Path, pattern: str) -> tuple[str, bytes, Date]:
    """Name, content and date of the one member that matches."""
    with zipfile.ZipFile(archive) as opened:
        found = [info for info in opened.infolist() if re.search(pattern, info.filename)]
        assert len(found) == 1, (archive.name, pattern)
        return found[0].filename, opened.read(found[0]), Date(*found[0].date_time[:3])


def ptp_lines(archive: Path) -> Iterator[list[str]]:
    """The seven cells of every edit, after the six head lines."""
    _, content, _ = member(archive, r"\.TXT$")
    for line in content.decode("cp1252").split("\r\n")[6:]:
        if line:
            yield line.split("\t")


def read_ptp(archives: list[Path], rule_set: str, label: str, codes: Container[str] = Everything()) -> Revision:
    """All parts of one table; only rows whose codes are both in ``codes``."""
    year, quarter = 1994 + int(label[1:3]), int(label[4])
    start = Date(year, 3 * quarter + 1, 1)
    end = (start + 95 * ONE_DAY).replace(day=1) - ONE_DAY
    rows = [
        {
            "column_1": cells[0],
            "column_2": cells[1],
            "effective_from": compact_date(cells[3]),
            "effective_to": compact_date(cells[4]),
            "modifier_indicator": cells[5],
        }
        for archive in archives
        for cells in ptp_lines(archive)
        if cells[0] in codes and cells[1] in codes
    ]
    return Revision(rule_set, label, start, end, member(archives[0], r"\.TXT$")[2], rows)


def compact_date(text: str) -> Date | None:
    return None if text == "*" else Date(int(text[:4]), int(text[4:6]), int(text[6:]))


def ordinal_date(text: str) -> Date | None:
    """``YYYYDDD``; None for a blank cell."""
    return Date(int(text[:4]), 1, 1) + (int(text[4:]) - 1) * ONE_DAY if text.strip() else None


def read_mue(archive: Path, program: str = "medicare", codes: Container[str] = Everything()) -> Revision:
    name, content, published = member(archive, r"\.csv$")
    matched = re.search(r"MUE_(\w+)_Eff_(\d\d)-(\d\d)-(\d{4})", name)
    assert matched
    start = Date(int(matched[4]), int(matched[2]), int(matched[3]))
    end = (start + 95 * ONE_DAY).replace(day=1) - ONE_DAY
    label = f"{start.year}Q{start.month // 3 + 1}"
    rows: list[Row] = []
    for cells in csv.reader(io.StringIO(content.decode("cp1252"), newline="")):
        if len(cells[0]) == 5 and cells[1].isdigit() and cells[0] in codes:
            mai = cells[2][0] if program == "medicare" else None
            rows.append({"procedure_code": cells[0], "value": int(cells[1]), "mai": mai})
    return Revision(f"{program}-mue-{SETTINGS[matched[1]]}", label, start, end, published, rows)


def read_add_on(archive: Path, codes: Container[str] = Everything()) -> Revision:
    """Governs to the end of the year unless superseded (§C.3)."""
    name, content, published = member(archive, r"\.txt$")
    year, quarter = int(name[5:9]), int(name[10])
    rows: list[Row] = []
    for line in content.decode("cp1252").splitlines():
        cells = line.split("\t")
        if cells[0] in ("1", "2", "3") and cells[1] in codes:
            rows.append(
                {
                    "add_on_code": cells[1],
                    "primary_code": cells[3],
                    "edit_type": cells[0],
                    "effective_from": ordinal_date(cells[5]),
                    "effective_to": ordinal_date(cells[6]),
                    "add_on_deleted_on": ordinal_date(cells[2]),
                    "primary_deleted_on": ordinal_date(cells[4]),
                    "settings": NOTE_SETTINGS.get(cells[7].strip(), []),
                }
            )
    return Revision("medicare-aoc", name[4:11], Date(year, 3 * quarter - 2, 1), Date(year, 12, 31), published, rows)


def read_indicators(archive: Path, label: str, published: Date, codes: Container[str] = Everything()) -> Revision:
    """Global days and bilateral indicator of the rows without modifier."""
    _, content, _ = member(archive, r"PPRRVU.*\.csv$")
    start, end = QUARTERS[label]
    rows: list[Row] = []
    for cells in csv.reader(io.StringIO(content.decode("cp1252"), newline="")):
        if len(cells) > 20 and len(cells[0]) == 5 and cells[0] != "HCPCS" and not cells[1] and cells[0] in codes:
            rows.append({"procedure_code": cells[0], "global_days": cells[14], "bilateral_indicator": cells[19]})
    return Revision("medicare-pfs-indicators", label, start, end, published, rows)


def read_everything(data: Path, codes: Container[str] = Everything()) -> list[Revision]:
    """Every NCCI table of the data folder and the fee schedule indicators, restricted to ``codes``."""
    ncci = data / "ncci"
    parts = {
        ("medicare-ptp-practitioner", "v30.1"): "*2024q2-practitioner*.zip",
        ("medicare-ptp-practitioner", "v30.2"): "*2024q3-practitioner*.zip",
        ("medicare-ptp-outpatient-hospital", "v30.2"): "*2024q3-hospital*.zip",
    }
    revisions = [
        read_ptp(sorted((ncci / "ptp").glob(glob)), rule_set, label, codes) for (rule_set, label), glob in parts.items()
    ]
    revisions += [read_mue(path, codes=codes) for path in sorted((ncci / "mue").glob("*.zip"))]
    revisions += [read_mue(path, "medicaid", codes) for path in sorted((ncci / "medicaid").glob("*.zip"))]
    revisions += [read_add_on(path, codes) for path in sorted((ncci / "aoc").glob("*.zip"))]
    revisions.append(read_indicators(data / "pfs" / "rvu24b.zip", "2024Q2", Date(2024, 3, 8), codes))
    revisions.append(read_indicators(data / "pfs" / "rvu24c.zip", "2024Q3", Date(2024, 6, 10), codes))
    revisions.append(Revision("duplicates", "authored", FOREVER_AGO, None, FOREVER_AGO, []))
    return revisions
