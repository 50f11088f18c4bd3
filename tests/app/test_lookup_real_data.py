"""Look-ups in a real export of coverage articles, against a count of its CSV rows that knows nothing of the product."""

from __future__ import annotations

import csv
import io
import os
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimedits.app.building import choose_revisions
from claimedits.app.importing import import_into_store
from claimedits.app.lookup import LookUp, look_up
from claimedits.model.dates import parse_day
from claimedits.model.terms import Family
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.store import Store

EXPORT = "mcd_billing_articles_2026-09-28.zip"
DAY = parse_day("2026-10-15")
COVERAGE = frozenset((Family.COVERAGE,))
Listed = tuple[str, str, str]
"""Article, version, list and group: ``A57193``, ``31``, ``covered 1``."""


@pytest.fixture(scope="module")
def export() -> Path:
    folder = os.environ.get("CLAIMEDITS_DATA", "")
    if not folder:
        pytest.skip("CLAIMEDITS_DATA names no folder of real tables")
    return Path(folder) / "coverage" / EXPORT


@pytest.fixture(scope="module")
def release(export: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedRelease:
    path = tmp_path_factory.mktemp("articles") / "store"
    import_into_store(path, "coverage", [export])
    store = Store.open(path)
    return LoadedRelease.open(store, store.create_release(choose_revisions(store, ())).id)


def tables(content: bytes) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Every CSV table of an archive, of archives within it too, by name without its ending."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.lower().endswith(".zip"):
                yield from tables(archive.read(name))
            elif name.lower().endswith(".csv"):
                text = io.StringIO(archive.read(name).decode("utf-8"), newline="")
                rows = [{**row, "record": str(i)} for i, row in enumerate(csv.DictReader(text), 2)]
                yield Path(name).stem, rows


@pytest.fixture(scope="module")
def published(export: Path) -> dict[str, dict[Listed, set[int]]]:
    """Diagnosis → the lists that name it → the numbers of the records that do."""
    found: dict[str, dict[Listed, set[int]]] = defaultdict(lambda: defaultdict(set))
    named = dict(tables(export.read_bytes()))
    held = {(row["article_id"], row["article_version"]) for row in named["article"] if row["status"] != "P"}
    for kind, table in (("covered", "article_x_icd10_covered"), ("non_covered", "article_x_icd10_noncovered")):
        for row in named[table]:
            article, code = (row["article_id"], row["article_version"]), row["icd10_code_id"].strip()
            if article in held and not code.startswith("XX"):
                group = row["icd10_" + kind.replace("_", "") + "_group"]
                label = f"{kind} {int(group)}"
                found[code.replace(".", "")][f"A{article[0]}", article[1], label].add(int(row["record"]))
    return found


def test_every_diagnosis_is_found_in_the_lists_that_name_it(
    release: LoadedRelease, published: dict[str, dict[Listed, set[int]]]
) -> None:
    assert len(published) > 1000
    for diagnosis, expected in published.items():
        asked = LookUp((), DAY, DAY, families=COVERAGE, diagnosis=diagnosis)
        found: dict[Listed, set[int]] = defaultdict(set)
        for edit in look_up(release, asked):
            fields = dict(edit.fields)
            place = (edit.rule_id.partition("/")[2], fields["document_version"], fields["list"])
            found[place].add(edit.citation.source_row)
            table = "noncovered" if fields["list"].startswith("non_covered") else "covered"
            assert edit.citation.source_file == f"article_x_icd10_{table}.csv"
        assert found.keys() == expected.keys(), diagnosis
        assert all(rows <= expected[place] for place, rows in found.items()), diagnosis


def test_a_diagnosis_that_no_list_names_is_not_found(
    release: LoadedRelease, published: dict[str, dict[Listed, set[int]]]
) -> None:
    for diagnosis in ("A000", "Z999", "S72001A"):
        assert diagnosis not in published
        assert not look_up(release, LookUp((), DAY, DAY, families=COVERAGE, diagnosis=diagnosis))


def test_every_code_is_found_in_the_articles_that_list_it(release: LoadedRelease, export: Path) -> None:
    rows = dict(tables(export.read_bytes()))
    held = {(row["article_id"], row["article_version"]) for row in rows["article"] if row["status"] != "P"}
    expected: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows["article_x_hcpc_code"]:
        if (row["article_id"], row["article_version"]) in held:
            expected[row["hcpc_code_id"].strip()].add((f"A{row['article_id']}", row["article_version"]))
    codes = {code for code in expected if len(code) == 5 and not code.startswith("XX")}
    assert len(codes) > 50
    for code in codes:
        edits = look_up(release, LookUp((code,), DAY, DAY, families=COVERAGE))
        found = {(e.rule_id.partition("/")[2], dict(e.fields)["document_version"]) for e in edits}
        assert found == expected[code], code


def test_a_look_up_takes_far_less_than_a_tenth_of_a_second(
    release: LoadedRelease, published: dict[str, dict[Listed, set[int]]]
) -> None:
    widest = max(published, key=lambda diagnosis: len(published[diagnosis]))
    asked = LookUp((), DAY, DAY, families=COVERAGE, diagnosis=widest)
    look_up(release, asked)[:100]
    times = []
    for _ in range(20):
        start = time.perf_counter()
        look_up(release, asked)[:100]
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05
