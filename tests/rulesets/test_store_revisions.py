"""Revisions: what goes in comes out, and the id follows the content and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pytest
from store_drafts import REJECT, WARNING, mue_draft, mue_header, mue_table, ptp_table, store_with_releases

from claimedits.model.dates import FOREVER
from claimedits.model.problems import NotFoundError, StoreError
from claimedits.rulesets.canonical_content import digest_table, revision_id
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader
from claimedits.rulesets.store import Store

MUE_ID = "sha256:f974a217ebac10625e523f50ae65228f9ca6a95336080ac13469eba16e8b74a7"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def test_what_is_kept_comes_back(store: Store) -> None:
    info, newly = store.add_revision(mue_draft())
    assert newly
    assert (info.header, info.rows, info.read, info.rejected, info.warnings) == (mue_header(), {"values": 3}, 4, 1, 1)
    assert store.tables(info.id) == {"values": mue_table()}
    assert store.rejects(info.id) == [REJECT]
    assert store.warnings(info.id) == [WARNING]
    assert Store.open(store.path).revision(info.id) == info


def test_open_ends_and_several_tables_come_back(store: Store) -> None:
    header = replace(mue_header(), effective_to=FOREVER)
    tables = {"edits": ptp_table([("A0001", "E0100")]), "others": ptp_table([], effective_to="2024-03-31")}
    info, _ = store.add_revision(RevisionDraft(header, tables, 9, 1))
    assert info.header.effective_to == FOREVER
    assert info.rows == {"edits": 1, "others": 0}
    assert store.tables(info.id) == tables


def test_tables_are_arrow_files_that_are_mapped_not_copied(store: Store) -> None:
    n = 200_000
    table = ptp_table([(f"A{i % 9000:04d}", f"E{i % 7919:04d}") for i in range(n)])
    info, _ = store.add_revision(RevisionDraft(mue_header(), {"edits": table}, n, n))
    before = pa.total_allocated_bytes()
    mapped = store.tables(info.id)["edits"]
    assert pa.total_allocated_bytes() - before < mapped.nbytes // 100
    path = store.path / "revisions" / info.id.removeprefix("sha256:") / "edits.arrow"
    assert feather.read_table(path, memory_map=False) == table


def plain_id(header: RevisionHeader, tables: dict[str, pa.Table]) -> str:
    """The id by the words of the decision record, without the columnar library's text writer."""

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        text = "" if value is None else str(value)
        for special, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ('"', "\\q")):
            text = text.replace(special, written)
        return text

    def content(table: pa.Table) -> dict[str, Any]:
        columns = [
            [f.name, str(f.type.value_type if pa.types.is_dictionary(f.type) else f.type).removesuffix("[day]")]
            for f in table.schema
        ]
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        text = "".join("\t".join(map(cell, row)) + "\n" for row in rows)
        return {"columns": columns, "rows": table.num_rows, "sha256": hashlib.sha256(text.encode()).hexdigest()}

    document = {
        "format": 1,
        "header": {
            "rule_set": header.rule_set,
            "kind": header.kind,
            "label": header.label,
            "effective_from": "2024-07-01",
            "effective_to": "2024-09-30",
            "published_on": "2024-06-01",
            "sources": [{"file": s.file, "sha256": s.sha256, "records": s.records} for s in header.sources],
            "attributes": dict(header.attributes),
        },
        "tables": {name: content(table) for name, table in tables.items()},
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "tables",
    [
        {"values": mue_table()},
        {"values": mue_table(rationale='a\ttab, a "quotation", a \\t, a\nline\r and é')},
        {"b": ptp_table([("A0001", "E0100"), ("A0001", "L3000")]), "a": ptp_table([], effective_to="2024-03-31")},
        {"edits": ptp_table([(f"A{i:05d}", f"E{i % 977:04d}") for i in range(70_000)], effective_to="1969-12-31")},
    ],
    ids=["plain", "special characters", "several tables", "several batches"],
)
def test_id_is_what_a_plain_computation_gives(tables: dict[str, pa.Table], store: Store) -> None:
    rows = sum(table.num_rows for table in tables.values())
    info, _ = store.add_revision(RevisionDraft(mue_header(), tables, rows, rows))
    assert info.id == plain_id(mue_header(), tables)


def test_id_never_changes_between_versions_of_the_program(store: Store) -> None:
    assert store.add_revision(mue_draft())[0].id == MUE_ID


def test_id_does_not_depend_on_batches_or_encoding_of_text() -> None:
    table = ptp_table([(f"A{i:04d}", "E0100") for i in range(100)])
    contents = {
        digest_table("edits", table),
        digest_table("edits", pa.concat_tables([table.slice(0, 3), table.slice(3)])),
        digest_table("edits", table.set_column(0, "column_1", table["column_1"].cast(pa.string()))),
        digest_table("edits", table.replace_schema_metadata({"made": "elsewhere"})),
    }
    assert len(contents) == 1


def test_id_follows_the_header_but_not_where_the_source_was_found() -> None:
    header = mue_header()
    contents = {"values": digest_table("values", mue_table())}
    source = header.sources[0]
    elsewhere = replace(source, archive="other.zip", url="https://example.org/mue.zip", size=7, encoding="cp1252")
    assert revision_id(replace(header, sources=(elsewhere,)), contents) == revision_id(header, contents)
    changed = [
        replace(header, rule_set="x"),
        replace(header, kind="x"),
        replace(header, label="x"),
        replace(header, effective_from=header.effective_from + 1),
        replace(header, effective_to=FOREVER),
        replace(header, published_on=header.published_on + 1),
        replace(header, sources=(replace(source, sha256="00" * 32),)),
        replace(header, sources=(replace(source, file="x"),)),
        replace(header, attributes={}),
    ]
    assert len({revision_id(h, contents) for h in [header, *changed]}) == len(changed) + 1


def test_cells_that_hold_a_separator_are_not_taken_for_two() -> None:
    def two(a: str, b: str) -> str:
        return digest_table("t", pa.table({"a": [a], "b": [b]})).sha256

    assert len({two("x\ty", "z"), two("x", "y\tz"), two("x\\ty", "z"), two("x\ny", "z"), two('x"y', "z")}) == 5


def test_the_same_content_again_is_a_no_op(store: Store) -> None:
    first, _ = store.add_revision(mue_draft())
    before = {path: path.stat().st_mtime_ns for path in (store.path / "revisions").rglob("*")}
    again, newly = store.add_revision(mue_draft())
    assert (again, newly) == (first, False)
    assert {path: path.stat().st_mtime_ns for path in (store.path / "revisions").rglob("*")} == before


@pytest.mark.parametrize("published_on", ["2024-06-01", "2024-05-31"])
def test_a_republished_file_needs_a_later_publication(store: Store, published_on: str) -> None:
    first, _ = store.add_revision(mue_draft())
    with pytest.raises(StoreError) as caught:
        store.add_revision(mue_draft(7, published_on=published_on))
    assert str(caught.value) == (
        f"medicare-mue-practitioner 2024Q3: kept already as {first.id}, published on 2024-06-01, with other content; "
        "if this edition replaces it, give the later day on which it was published "
        "(--published-on, or published_on in rule-set.toml)"
    )
    assert store.revisions() == [first]


def test_a_rule_set_is_of_one_kind(store: Store) -> None:
    kept, _ = store.add_revision(mue_draft())
    other = mue_draft(7, label="2026-01", published_on="2026-01-01")
    with pytest.raises(StoreError) as refused:
        store.add_revision(replace(other, header=replace(other.header, kind="authored")))
    assert str(refused.value) == (
        f"medicare-mue-practitioner is kept as a rule set of kind mue ({kept.id}), and cannot be of kind authored as well; "
        "give this one an id of its own (id in rule-set.toml)"
    )
    assert len(store.revisions()) == 1


def test_a_republished_file_with_a_later_publication_is_a_new_revision(store: Store) -> None:
    first, _ = store.add_revision(mue_draft())
    second, newly = store.add_revision(mue_draft(7, published_on="2024-06-02"))
    assert newly
    assert store.add_revision(mue_draft()) == (first, False)
    assert store.revisions() == [first, second]


def test_revisions_are_listed_by_rule_set_period_publication(store: Store) -> None:
    drafts = [mue_draft(1, "b", "2024-06-03"), mue_draft(1, "a", "2024-06-05")]
    early = mue_draft(1, "c", "2024-06-09")
    early.header = replace(early.header, effective_from=early.header.effective_from - 92)
    other = mue_draft()
    other.header = replace(other.header, rule_set="a-rule-set")
    for draft in [*drafts, early, other]:
        store.add_revision(draft)
    assert [info.header.label for info in store.revisions()] == ["2024Q3", "c", "b", "a"]
    assert [info.header.label for info in store.revisions("medicare-mue-practitioner")] == ["c", "b", "a"]
    assert store.revisions("none") == []


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (
            RevisionDraft(mue_header(), {"values": mue_table()}, 4, 4),
            "medicare-mue-practitioner 2024Q3: 4 rows were counted as kept, but the table holds 3",
        ),
        (
            RevisionDraft(mue_header(), {"values": mue_table()}, 3, 3, [REJECT]),
            "medicare-mue-practitioner 2024Q3: 3 rows kept and 1 rejected are more than the 3 read",
        ),
        (
            RevisionDraft(mue_header(), {"../values": mue_table()}, 3, 3),
            "medicare-mue-practitioner 2024Q3: '../values' cannot name a table; use small letters, digits, '-' and '_'",
        ),
        (
            RevisionDraft(mue_header(), {"values": pa.table({"a": ["x", None]})}, 2, 2),
            "table 'values', column 'a': holds a null; only a date may be open",
        ),
        (
            RevisionDraft(mue_header(), {"values": pa.table({"a": [0.5]})}, 1, 1),
            "table 'values', column 'a': has the type double, which a revision cannot hold",
        ),
    ],
)
def test_a_draft_that_contradicts_itself_is_refused(store: Store, draft: RevisionDraft, message: str) -> None:
    with pytest.raises(StoreError) as caught:
        store.add_revision(draft)
    assert str(caught.value) == message
    assert store.revisions() == []


def test_dropped_copies_are_neither_kept_nor_rejected(store: Store) -> None:
    info, _ = store.add_revision(RevisionDraft(mue_header(), {"values": mue_table()}, 10, 3, [REJECT]))
    assert (info.read, info.rejected) == (10, 1)


def test_an_id_may_be_shortened_to_six_digits(tmp_path: Path) -> None:
    store, (first, _), _ = store_with_releases(tmp_path / "store")
    for spelled in (first, first[:13], first[7:13], first[7:13].upper(), f" {first} "):
        assert store.revision(spelled).id == first


@pytest.mark.parametrize(
    ("spelled", "message"),
    [
        (
            "sha256:12345",
            "the store holds no revision 'sha256:12345': "
            "an id is 'sha256:' and hexadecimal digits, at least the first 6",
        ),
        (
            "../..",
            "the store holds no revision '../..': an id is 'sha256:' and hexadecimal digits, at least the first 6",
        ),
        ("000000", "the store holds no revision '000000'; 'claim-edits import' keeps one"),
    ],
)
def test_an_unknown_id_is_not_found(store: Store, spelled: str, message: str) -> None:
    store.add_revision(mue_draft())
    with pytest.raises(NotFoundError) as caught:
        store.revision(spelled)
    assert str(caught.value) == message


def test_a_prefix_of_several_ids_lists_them(store: Store) -> None:
    digests = ["abcdef" + digit * 58 for digit in "01"]
    for digest in digests:
        (store.path / "revisions" / digest).mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        store.revision("abcdef")
    assert str(caught.value) == (
        f"'abcdef' begins the ids of several revisions: sha256:{digests[0]}, sha256:{digests[1]}; give more digits"
    )


def test_where_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path / 'none'}: no store is there; 'claim-edits import' with --store makes one"
    assert not (tmp_path / "none").exists()


def test_a_directory_of_other_things_is_not_made_a_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path, create=True)
    assert str(caught.value) == (
        f"{tmp_path}: holds other things (thesis.txt) and no store; give an empty or a new directory"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_newer_layout_is_refused(store: Store) -> None:
    from claimedits.rulesets.sealed_documents import seal

    (store.path / "format.json").write_bytes(seal({"format": "claim-edits store", "version": 2}))
    with pytest.raises(StoreError) as caught:
        Store.open(store.path, create=True)
    assert str(caught.value) == (
        f"{store.path / 'format.json'}: the store has layout version 2, this program reads version 1; "
        "use the program that made the store"
    )
