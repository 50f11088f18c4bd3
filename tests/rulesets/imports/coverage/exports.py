"""Small exports in the publisher's layout, made up, packed as they come: zip within zip."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Tables = dict[str, list[Sequence[str]]]
DAY = "2026-04-01 00:00:00"


def article_tables() -> Tables:
    """A90001 version 4 (two contractors: PA, and KY until 2020) with a covered and a sentinel list; a proposed article."""
    return {
        "article": [
            ("article_id", "article_version", "title", "article_eff_date", "article_end_date", "status", "article_rev_end_date",
             "date_retired", "display_id"),
            ("90001", "4", "Billing and Coding: Feet", DAY, "", "A", "", "", ""),
            ("90002", "1", "Proposed", DAY, "", "P", "", "", "DA90002"),
        ],
        "article_x_hcpc_code": [
            ("article_id", "article_version", "hcpc_code_id", "hcpc_code_version", "hcpc_code_group", "range", "long_description"),
            ("90001", "4", "11720", "97", "1", "N", "must never be kept"),
            ("90001", "4", "11721", "97", "1", "N", "must never be kept"),
            ("90002", "1", "11719", "97", "1", "N", ""),
        ],
        "article_x_hcpc_code_group": [
            ("article_id", "article_version", "hcpc_code_group", "paragraph"),
            ("90001", "4", "1", "<p>N/A</p>\n<p>two lines, “quoted”</p>"),
        ],
        "article_x_icd10_covered": [
            ("article_id", "article_version", "icd10_code_id", "icd10_covered_group", "asterisk"),
            ("90001", "4", "B35.1", "1", "N"),
            ("90001", "4", "L60.0", "1", "Y"),
        ],
        "article_x_icd10_covered_group": [
            ("article_id", "article_version", "icd10_covered_group", "paragraph", "icd10_covered_ast"),
            ("90001", "4", "1", "<p>For CPT code 11720:</p>", ""),
        ],
        "article_x_icd10_noncovered": [
            ("article_id", "article_version", "icd10_code_id", "icd10_noncovered_group"),
            ("90001", "4", "XX000", "1"),
        ],
        "article_x_contractor": [
            ("article_id", "article_version", "contractor_id", "contractor_type_id", "contractor_version"),
            ("90001", "4", "323", "12", "1"),
            ("90001", "4", "228", "9", "2"),
        ],
        "contractor": [
            ("contractor_id", "contractor_type_id", "contractor_version", "contractor_number"),
            ("323", "12", "1", "12502"),
            ("228", "9", "2", "15102"),
        ],
        "contractor_jurisdiction": [
            ("contractor_id", "contractor_type_id", "contractor_version", "state_id", "active_date", "term_date"),
            ("323", "12", "1", "45", "1900-01-01 00:00:00", ""),
            ("228", "9", "2", "22", "1900-01-01 00:00:00", "2020-12-31 00:00:00"),
        ],
        "state_lookup": [("state_id", "state_abbrev"), ("45", "PA"), ("22", "KY")],
    }  # fmt: skip


def pack(path: Path, tables: Mapping[str, Sequence[Sequence[str]]], encoding: str = "utf-8") -> Path:
    """An export as published: the tables in a zip of their own, beside a read-me."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name, rows in tables.items():
            text = io.StringIO()
            csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
            archive.writestr(zipfile.ZipInfo(f"{name}.csv", (2026, 4, 2, 0, 0, 0)), text.getvalue().encode(encoding))
        archive.writestr("draft_contact_lookup.csv", b"\xff\xfe not even text \x00")
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr(zipfile.ZipInfo("current_article_csv.zip", (2026, 4, 2, 0, 0, 0)), inner.getvalue())
        outer.writestr("readme_first.txt", "read me")
    return path
