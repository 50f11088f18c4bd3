"""Bad exports of the coverage database: every fault is named at once, and nothing is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from exports import Tables, article_tables, pack

from claimedits.app.importing import import_into_store
from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store

HEADER = "give the export as published, with its header"


def import_tables(path: Path, tables: Tables) -> RevisionDraft:
    options = ImportOptions(max_reject_fraction=1.0)
    (draft,) = import_files("coverage", [pack(path / "current_article.zip", tables)], options)
    return draft


def refusal(path: Path, tables: Tables) -> list[str]:
    with pytest.raises(ImportRefusedError) as refused:
        import_tables(path, tables)
    return [str(problem) for problem in refused.value.problems]


def test_what_is_wrong_with_every_table_is_told_at_once(tmp_path: Path) -> None:
    tables = article_tables()
    tables["article"] = [row[1:] for row in tables["article"]]
    tables["article_x_hcpc_code"] = tables["article_x_hcpc_code"][1:]  # without its header
    tables["article_x_icd10_covered"] = [(*row, row[1]) for row in tables["article_x_icd10_covered"]]
    rows = tables["article_x_contractor"]
    tables["article_x_contractor"] = [rows[0], rows[1][:3], rows[2], (*rows[2], "x"), rows[2]]
    assert refusal(tmp_path, tables) == [
        f"article.csv:1: has no column article_id; {HEADER}",
        "article_x_hcpc_code.csv:1: has no column article_id, article_version, hcpc_code_id, hcpc_code_group; "
        + HEADER,
        "article_x_icd10_covered.csv:1: has the column article_version more than once; keep one of them",
        "article_x_contractor.csv:2: has 3 cells where the header has 5; download it again",
        "article_x_contractor.csv:4: has 6 cells where the header has 5; download it again",
    ]


def test_a_refused_export_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = tmp_path / "store"
    import_into_store(store, "coverage", [pack(tmp_path / "current_article.zip", article_tables())])
    before = [info.id for info in Store.open(store).revisions()]
    tables = article_tables()
    tables["article_x_icd10_covered_group"] = [("article_id",), ("90001",)]
    with pytest.raises(ImportRefusedError):
        import_into_store(store, "coverage", [pack(tmp_path / "later.zip", tables)], published_on="2026-05-01")
    assert [info.id for info in Store.open(store).revisions()] == before


def test_a_document_with_a_bad_date_takes_its_rows_with_it(tmp_path: Path) -> None:
    tables = article_tables()
    tables["article"][1] = ("90001", "4", "Feet", "2024-02-31", "", "A", "2024-13-01", "", "")
    draft = import_tables(tmp_path, tables)
    assert [str(problem) for problem in draft.rejects] == [
        "article.csv:2:article_eff_date: is no date of the calendar (also wrong: article_rev_end_date); "
        "restore the date as published"
    ]
    assert draft.header.attributes["dropped: rows of rejected documents"] == "8"
    assert draft.tables["documents"].num_rows == 0


@pytest.mark.parametrize("text", ["", "x", "1.0", "²"])
def test_a_group_without_a_number_is_rejected(tmp_path: Path, text: str) -> None:
    tables = article_tables()
    rows = tables["article_x_icd10_covered"]
    tables["article_x_icd10_covered"][1] = (*rows[1][:3], text, rows[1][4])
    draft = import_tables(tmp_path, tables)
    assert [str(problem) for problem in draft.rejects] == [
        "article_x_icd10_covered.csv:2:icd10_covered_group: is no number of a group; restore it as published"
    ]


def test_a_row_twice_is_kept_once_and_a_contradiction_rejected(tmp_path: Path) -> None:
    tables = article_tables()
    for name in ("article_x_hcpc_code", "article_x_icd10_covered"):
        tables[name].insert(2, tables[name][1])
    group = tables["article_x_icd10_covered_group"]
    group.append((*group[1][:3], "<p>Another text</p>", ""))
    draft = import_tables(tmp_path, tables)
    assert draft.header.attributes["dropped: identical copies"] == "2"
    assert [str(problem) for problem in draft.rejects] == [
        "article_x_icd10_covered_group.csv:3: has the key of record 2 and says something else; keep one of the two rows"
    ]
    dropped = sum(int(rows) for name, rows in draft.header.attributes.items() if name.startswith("dropped"))
    assert draft.read == draft.kept + len(draft.rejects) + dropped


@pytest.mark.parametrize(
    ("name", "text", "family"),
    [
        ("codes.csv", "procedure_code,effective_from,end date\n00100,2024-01-01,\n", "a list of procedure codes with dates"),
        ("PPRRVU24_JUL.csv", "x,y\n1,2\n", "a fee schedule"),
        ("list.csv", "code,billable\nA00,0\n", "a list of diagnosis codes"),
    ],
)  # fmt: skip
def test_a_file_of_another_family_is_told(tmp_path: Path, name: str, text: str, family: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ImportRefusedError) as refused:
        import_files("coverage", [path], ImportOptions())
    (problem,) = map(str, refused.value.problems)
    assert problem.startswith(
        f"{name}: is no table of coverage that this import knows; this looks like {family}: run import "
    )
