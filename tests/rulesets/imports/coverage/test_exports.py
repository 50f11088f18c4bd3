"""Exports of the coverage database: joined on id and version, every row accounted for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from exports import Tables, article_tables, pack

from claimedits.model.dates import format_day
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.revision import RevisionDraft

LENIENT = ImportOptions(max_reject_fraction=0.5)


def import_tables(path: Path, tables: Tables, options: ImportOptions = LENIENT) -> RevisionDraft:
    (draft,) = import_files("coverage", [pack(path / "current_article.zip", tables)], options)
    return draft


def replaced(name: str, row: int, column: str, cell: str) -> Tables:
    tables = article_tables()
    place = tables[name][0].index(column)
    old = tables[name][row]
    tables[name][row] = (*old[:place], cell, *old[place + 1 :])
    return tables


def test_every_row_is_kept_dropped_or_rejected(tmp_path: Path) -> None:
    draft = import_tables(tmp_path, article_tables())
    assert (draft.read, draft.kept, len(draft.rejects)) == (18, 15, 0)
    assert {k: v for k, v in draft.header.attributes.items() if k.startswith("dropped")} == {
        "dropped: codes that stand for no code (XX000)": "1",
        "dropped: proposed documents": "1",
        "dropped: rows of proposed documents": "1",
    }
    assert {name: table.num_rows for name, table in draft.tables.items()} == {
        "documents": 1,
        "procedure_codes": 2,
        "groups": 2,
        "diagnoses": 2,
        "jurisdictions": 2,
    }


def test_what_a_version_says(tmp_path: Path) -> None:
    draft = import_tables(tmp_path, article_tables())
    (document,) = draft.tables["documents"].to_pylist()
    assert (document["document_id"], document["document_version"], str(document["effective_from"])) == (
        "A90001",
        "4",
        "2026-04-01",
    )
    assert document["claim_kind"] == "part-a-b"
    codes = draft.tables["diagnoses"].to_pylist()
    assert [(row["icd10_code"], row["asterisk"], row["source_row"]) for row in codes] == [
        ("B351", False, 2),
        ("L600", True, 3),
    ]
    rows = draft.tables["jurisdictions"].to_pylist()
    assert {(row["state"], row["contractor_number"], str(row["effective_to"])) for row in rows} == {
        ("PA", "12502", "None"),
        ("KY", "15102", "2020-12-31"),
    }
    assert format_day(draft.header.published_on) == "2026-04-02"


def test_no_descriptor_is_kept(tmp_path: Path) -> None:
    draft = import_tables(tmp_path, article_tables())
    assert "must never be kept" not in repr([table.to_pylist() for table in draft.tables.values()])


def test_a_version_that_the_export_lacks_is_rejected(tmp_path: Path) -> None:
    draft = import_tables(tmp_path, replaced("article_x_icd10_covered", 1, "article_version", "3"))
    assert [str(problem) for problem in draft.rejects] == [
        "article_x_icd10_covered.csv:2: belongs to A90001 version 3, which the export does not hold; "
        "import the export that holds that version"
    ]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            replaced("article_x_hcpc_code", 1, "hcpc_code_id", "1720"),
            "article_x_hcpc_code.csv:2:hcpc_code_id: is no procedure code of five letters and digits; a leading zero may be lost",
        ),
        (
            replaced("article_x_icd10_covered", 1, "icd10_code_id", "351"),
            "article_x_icd10_covered.csv:2:icd10_code_id: is no ICD-10-CM code; report it",
        ),
        (
            replaced("article_x_contractor", 1, "contractor_id", "999"),
            "article_x_contractor.csv:2: names contractor 999/12/1, which the export does not hold; report it to the publisher",
        ),
        (
            replaced("contractor_jurisdiction", 1, "state_id", "99"),
            "contractor_jurisdiction.csv:2: names state 99 that the export does not hold; report it to the publisher",
        ),
        (
            replaced("article", 1, "date_retired", "2026-13-01"),
            "article.csv:2:date_retired: is no date of the calendar; restore the date as published",
        ),
    ],
)
def test_rows_that_are_rejected(tmp_path: Path, tables: Tables, message: str) -> None:
    draft = import_tables(tmp_path, tables, ImportOptions(max_reject_fraction=1.0))
    assert message in [str(problem) for problem in draft.rejects]
    dropped = sum(int(rows) for name, rows in draft.header.attributes.items() if name.startswith("dropped"))
    assert draft.read == draft.kept + len(draft.rejects) + dropped


def test_many_rejects_stop_the_import(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match=r"1 of 18 rows are rejected, more than the share of 0\.001 allowed"):
        import_tables(tmp_path, replaced("article_x_icd10_covered", 1, "article_version", "3"), ImportOptions())


def test_two_versions_of_one_document_stop_the_import(tmp_path: Path) -> None:
    tables = article_tables()
    tables["article"].append(("90001", "5", "Again", "2026-05-01 00:00:00", "", "A", "", "", ""))
    with pytest.raises(ImportRefusedError) as refused:
        import_tables(tmp_path, tables)
    assert [str(problem) for problem in refused.value.problems] == [
        "article.csv:4: A90001 stands in versions 4 and 5; an export holds one version of each; give one export at a time"
    ]


def test_a_missing_column_stops_the_import(tmp_path: Path) -> None:
    tables = article_tables()
    tables["article_x_icd10_covered"] = [row[:3] for row in tables["article_x_icd10_covered"]]
    with pytest.raises(ImportRefusedError) as refused:
        import_tables(tmp_path, tables)
    assert [str(problem) for problem in refused.value.problems] == [
        "article_x_icd10_covered.csv:1: has no column icd10_covered_group; give the export as published, with its header"
    ]


def test_an_export_in_cp1252_says_so(tmp_path: Path) -> None:
    (draft,) = import_files("coverage", [pack(tmp_path / "current_article.zip", article_tables(), "cp1252")], LENIENT)
    encodings = {source.file: source.encoding for source in draft.header.sources}
    assert encodings["article_x_hcpc_code_group.csv"] == "cp1252"
    assert "“quoted”" in "".join(draft.tables["groups"].column("paragraph").to_pylist())


def test_exactly_one_contractor_means_the_primary_jurisdiction(tmp_path: Path) -> None:
    tables = article_tables()
    del tables["article_x_contractor"][2]
    tables["article_x_primary_jurisdiction"] = [("article_id", "article_version", "state_id"), ("90001", "4", "22")]
    draft = import_tables(tmp_path, tables)
    assert draft.tables["jurisdictions"].column("state").to_pylist() == ["KY"]


def test_the_first_end_of_a_version_counts(tmp_path: Path) -> None:
    tables = replaced("article", 1, "article_rev_end_date", "2026-09-30 00:00:00")
    (document,) = import_tables(tmp_path, tables).tables["documents"].to_pylist()
    assert (str(document["effective_to"]), document["is_replaced"]) == ("2026-09-30", True)


def test_documents_without_their_base_table_have_no_dates(tmp_path: Path) -> None:
    tables = article_tables()
    del tables["article"]
    draft = import_tables(tmp_path, tables)
    assert draft.tables["documents"].column("effective_from").to_pylist() == [None, None]
    assert (
        "article.csv: is not in the export: the dates of 2 documents are unknown, their lines are not evaluated; "
        in str(draft.warnings[0])
    )


def test_a_document_that_wants_a_curated_role_is_warned_of(tmp_path: Path) -> None:
    warnings = [str(problem) for problem in import_tables(tmp_path, article_tables()).warnings]
    assert warnings == [
        "A90001 version 4: governs 2 procedure codes and has text that was not understood "
        "(covered 1 (asterisks without a note in the export)): hits there are REVIEW; state the roles of its groups in rules/coverage-roles"
    ]


def test_a_file_of_another_family_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mue.csv").write_text("HCPCS,Value\n11720,1\n", encoding="utf-8")
    with pytest.raises(ImportRefusedError) as refused:
        import_files("coverage", [tmp_path / "mue.csv"], ImportOptions())
    assert str(refused.value.problems[0]).startswith(
        "mue.csv: is no table of coverage that this import knows; give an export"
    )


def test_the_web_service_list_of_documents(tmp_path: Path) -> None:
    header = "contractor_name_type,document_display_id,document_id,document_type,document_version,effective_date,note,retirement_date,title,updated_on,updated_on_sort,url"
    lines = [
        '"Made Up LLC\n(MAC - Part A)",L90001,90001,LCD,45,08/14/2025,,N/A,Feet,08/06/2025,1,https://example.org',
        '"Other LLC\n(MAC - Part B)",L90001,90001,LCD,45,08/14/2025,,N/A,Feet,08/06/2025,1,https://example.org',
    ]
    path = tmp_path / "documents_2025-08.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (draft,) = import_files("coverage", [path], ImportOptions())
    assert (draft.read, draft.kept, draft.header.rule_set) == (2, 1, "coverage-documents")
    assert str(draft.tables["documents"].column("effective_from")[0]) == "2025-08-14"


REAL = Path(os.environ.get("CLAIMEDITS_DATA", "")) / "coverage"


@pytest.mark.skipif(
    "CLAIMEDITS_DATA" not in os.environ, reason="CLAIMEDITS_DATA is unset: no publisher's files at hand"
)
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("current_lcd.zip", {"procedure_codes": 2102}),
        ("all_lcd.zip", {"procedure_codes": 2120}),
        ("ncd.zip", {"documents": 352}),
        ("coverage_valuesets.zip", {"value_sets": 28818}),
        ("mcd_extracts.zip", {"documents": 3133}),
        ("mcd_billing_articles_2026-09-28.zip", {"documents": 56, "procedure_codes": 619, "diagnoses": 5830}),
    ],
)
def test_real_files_import_with_every_row_accounted_for(name: str, counts: dict[str, int]) -> None:
    (draft,) = import_files("coverage", [REAL / name], ImportOptions())
    assert {table: draft.tables[table].num_rows for table in counts} == counts
    dropped = sum(int(rows) for reason, rows in draft.header.attributes.items() if reason.startswith("dropped"))
    assert draft.read == draft.kept + len(draft.rejects) + dropped
