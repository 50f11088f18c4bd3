"""What an import says of the rows it read: kept, dropped and why, left unread."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

from claimedits.app.importing import import_into_store

ARTICLE = {
    "article.csv": [
        ("article_id", "article_version", "title", "article_eff_date", "status", "display_id"),
        ("90001", "4", "Feet", "2026-04-01 00:00:00", "A", ""),
        ("90002", "1", "Proposed", "2026-04-01 00:00:00", "P", "DA90002"),
    ],
    "article_x_hcpc_code.csv": [
        ("article_id", "article_version", "hcpc_code_id", "hcpc_code_group"),
        ("90001", "4", "11720", "1"),
    ],
    "article_x_icd10_covered.csv": [
        ("article_id", "article_version", "icd10_code_id", "icd10_covered_group"),
        ("90001", "4", "B35.1", "1"),
        ("90001", "4", "XX000", "2"),
    ],
    "article_x_contractor.csv": [
        ("article_id", "article_version", "contractor_id", "contractor_type_id", "contractor_version"),
        ("90001", "4", "323", "12", "1"),
    ],
    "contractor.csv": [
        ("contractor_id", "contractor_type_id", "contractor_version", "contractor_number"),
        ("323", "12", "1", "12502"),
    ],
    "contractor_jurisdiction.csv": [
        ("contractor_id", "contractor_type_id", "contractor_version", "state_id", "active_date", "term_date"),
        *(("323", "12", "1", state, "1900-01-01 00:00:00", "") for state in ("1", "2")),
    ],
    "state_lookup.csv": [("state_id", "state_abbrev"), ("1", "PA"), ("2", "NJ")],
    "region_lookup.csv": [("region_id", "description"), ("1", "Boston")],
}


def test_rows_are_counted_as_read_and_not_as_stored(tmp_path: Path) -> None:
    archive = tmp_path / "current_article.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, rows in ARTICLE.items():
            path = tmp_path / name
            with path.open("w", newline="", encoding="utf-8") as stream:
                csv.writer(stream).writerows(rows)
            packed.write(path, name)
    (result,) = import_into_store(tmp_path / "store", "coverage", [archive], published_on="2026-04-02")
    fields = result.as_fields()
    # the one link to a contractor stands in the store once for each of its two states: a row that was read is kept once
    assert {name: fields[name] for name in ("read", "kept", "rejected", "dropped")} == {
        "read": 11,
        "kept": 9,
        "rejected": 0,
        "dropped": 2,
    }
    assert fields["dropped_by_reason"] == {"codes that stand for no code (XX000)": 1, "proposed documents": 1}
    assert fields["left_unread"] == ["region_lookup.csv"]


def test_an_edition_of_one_table_drops_identical_copies(tmp_path: Path) -> None:
    path = tmp_path / "modifiers.csv"
    path.write_text(
        "modifier,type,description\n"
        "KX,Level II,Requirements specified in the medical policy have been met\n"
        "KX,Level II,Requirements specified in the medical policy have been met\n",
        encoding="utf-8",
    )
    (result,) = import_into_store(
        tmp_path / "store", "modifiers", [path], effective_from="2024-07-01", published_on="2024-06-01"
    )
    assert (result.info.read, result.kept, result.dropped_by_reason, result.left_unread) == (
        2,
        1,
        {"identical copies": 1},
        [],
    )


def test_a_gap_between_editions_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "modifiers.csv"
    path.write_text("modifier,type\nKX,Level II\n", encoding="utf-8")
    for year in ("2022", "2024"):
        (result,) = import_into_store(
            tmp_path / "store", "modifiers", [path], effective_from=f"{year}-01-01", published_on=f"{year}-01-01"
        )
    assert result.as_fields()["warnings"] == [
        "licensed-modifiers: no edition governs 2023-01-01 to 2023-12-31, between 2022-01-01 and 2024-01-01: "
        "lines of those days are not evaluated; import the editions between them"
    ]
