"""Any files in, line tables out: containers, formats, counts, claims that come twice."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fhir_samples import EOB, OUTPATIENT, bundle
from x12_samples import BILLING, CLAIM, SUBSCRIBER, changed, institutional, interchange, professional, transaction

from claimedits.app.claim_sources.column_mapping import MappingError, shipped_mappings
from claimedits.app.claim_sources.containers import SourceError, open_claim_files
from claimedits.app.claim_sources.detection import detect_format
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.line_batches import claims_of, fields_of, table_of
from claimedits.app.claim_sources.reading import READ_SCHEMA, ClaimInput, ReadBatch, ReadOptions, read_records
from claimedits.app.claim_sources.records import ReadClaim
from claimedits.model.line_table import LINE_SCHEMA

CSV = (
    "claim_id,program,setting,procedure_code,units,service_date,charge,diagnoses,diagnosis_pointers\n"
    "T-1,MEDICARE,PRACTITIONER,G0101,1,2024-07-01,80.5,E11.42;B35.1,1;2\n"
    "T-1,MEDICARE,PRACTITIONER,G0102,1,2024-07-01,,E11.42;B35.1,\n"
    "T-2,MEDICARE,ASC,G0103,1,2024-07-02,,,\n"
)


def read(*paths: Path, **options: object) -> tuple[ClaimInput, list[ReadBatch]]:
    claims = ClaimInput([str(path) for path in paths], ReadOptions(**options))  # type: ignore[arg-type]
    batches = list(claims.batches())
    counts = claims.counts
    assert counts.records == counts.claims + counts.rejected
    assert counts.rejected == sum(len(batch.rejections) for batch in batches)
    assert counts.claims == sum(len(list(claims_of(batch.table.select(LINE_SCHEMA.names)))) for batch in batches)
    assert all(batch.table.schema == READ_SCHEMA for batch in batches)
    return claims, batches


def ids(batches: list[ReadBatch]) -> list[str]:
    return [c.claim_id for batch in batches for c in claims_of(batch.table.select(LINE_SCHEMA.names))]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """One file of each format."""
    made = {
        "x12": professional().encode(),
        "fhir": orjson.dumps(bundle(EOB, OUTPATIENT)),
        "csv": CSV.encode(),
        "ndjson": b"",
        "parquet": b"",
    }
    paths = {}
    for name, content in made.items():
        paths[name] = tmp_path / f"claims-of-{name}"
        paths[name].write_bytes(content)
    claims, batches = read(paths["csv"])
    first = next(c for batch in batches for c in claims_of(batch.table.select(LINE_SCHEMA.names)))
    assert claims.counts.formats == {"csv": 1}
    paths["ndjson"].write_bytes(orjson.dumps(fields_of(first._replace(claim_id="N-1"))))
    pq.write_table(table_of([first._replace(claim_id="P-1")]), paths["parquet"])
    return paths


def test_formats_are_found_by_content(files: dict[str, Path]) -> None:
    claims, batches = read(*files.values())
    assert claims.counts.formats == {"x12": 1, "fhir": 1, "csv": 1, "ndjson": 1, "parquet": 1}
    assert ids(batches) == ["A-1", "CLM-1", "c-2", "T-1", "T-2", "N-1", "P-1"]
    assert claims.counts.lines == 11


def test_archives_are_read_member_by_member(files: dict[str, Path], tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for name, path in files.items():
            made.writestr(f"folder/{name}.bin", path.read_bytes())
        made.writestr("packed.csv.gz", gzip.compress(CSV.replace("T-", "Z-").encode()))
        made.writestr("readme", "no claims here")
        made.writestr("other.csv", "x,y\n1,2\n")
    packed = tmp_path / "claims.837.gz"
    packed.write_bytes(gzip.compress(professional().replace("A-1", "G-1").encode()))
    claims, batches = read(archive, packed)
    assert ids(batches) == ["A-1", "CLM-1", "c-2", "T-1", "T-2", "N-1", "P-1", "Z-1", "Z-2", "G-1"]
    told = [(r.source.rpartition("!")[2], r.reason) for batch in batches for r in batch.rejections]
    assert told == [
        ("readme", "has no format that is known"),
        (
            "other.csv",
            "has columns that no shipped mapping fits; name one with --mapping: "
            + ", ".join(shipped_mappings())
            + ", or a file",
        ),
    ]
    assert claims.counts.files == 8


def many_transactions(count: int) -> str:
    owner = [*BILLING, *SUBSCRIBER]
    made = [transaction([*owner, *changed(CLAIM, "A-1", f"C-{i}")], control=f"{i:05}") for i in range(count)]
    return interchange(made)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.837", many_transactions(3_000)),
        ("cut.csv", CSV + "".join(f"U-{i},MEDICARE,ASC,G0103,1,2024-07-02,,,\n" for i in range(90_000))),
    ],
)
def test_packed_file_that_is_cut_off_is_read_up_to_there(name: str, content: str, tmp_path: Path) -> None:
    cut = tmp_path / f"{name}.gz"
    packed = gzip.compress(content.encode())
    cut.write_bytes(packed[: len(packed) // 2])
    claims, batches = read(cut)
    assert claims.counts.claims > 1_000
    reasons = [rejection.reason for batch in batches for rejection in batch.rejections]
    assert "the file cannot be read further: it ends in the middle of the packed data" in reasons
    if name == "cut.csv":
        assert reasons[-1] == "the input ends before the claim does; rows may be missing"


def test_second_claim_with_an_id_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    again.write_text(CSV + "T-3,MEDICARE,ASC,G0103,1,2024-07-02,,,\nT-1,MEDICARE,ASC,G0103,1,2024-07-02,,,\n")
    twice = tmp_path / "twice.837"
    one = [*BILLING, *SUBSCRIBER, *CLAIM]
    twice.write_text(interchange([transaction([*one, *CLAIM])]))
    _, batches = read(again, twice, files["x12"])
    assert ids(batches) == ["T-1", "T-2", "T-3", "A-1"]
    refused = [(Path(r.source).name, r.position.as_fields(), r.reason) for batch in batches for r in batch.rejections]
    reason = "claim_id has the claim id of a claim that was read before"
    assert [(name, where.get("line", where.get("segment")), what) for name, where, what in refused] == [
        ("again.csv", 6, reason),
        ("twice.837", 23, reason),
        ("claims-of-x12", 18, reason),
    ]


def test_payment_is_kept_beside_the_line_table(files: dict[str, Path]) -> None:
    _, batches = read(files["fhir"])
    table = pa.concat_tables([batch.table for batch in batches])
    assert table.column("was_paid").to_pylist() == [True, False, None]
    assert table.column("paid").null_count == 3


def test_identifiers_are_replaced(files: dict[str, Path]) -> None:
    hasher = IdentifierHash(b"0123456789abcdef")
    _, plain = read(*files.values())
    _, batches = read(*files.values(), identifiers=hasher)
    assert ids(batches) == [hasher.digest("claim", name) for name in ids(plain)]
    records = read_records([str(files["x12"])], ReadOptions(identifiers=hasher))
    assert [r.claim.claim_id for r in records if isinstance(r, ReadClaim)] == [hasher.digest("claim", "A-1")]


def test_files_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    unknown = tmp_path / "x"
    unknown.write_text("hello")
    broken = tmp_path / "b.zip"
    broken.write_bytes(b"PK\x03\x04 nothing")
    for path, message in [
        (tmp_path / "missing", f"{tmp_path}/missing: cannot be opened: No such file or directory"),
        (unknown, f"{unknown}: has no format that is known; name one with --from: x12, fhir, csv, parquet, ndjson"),
        (broken, f"{broken}: is a damaged zip file: File is not a zip file; unpack it with another program"),
        (tmp_path, f"{tmp_path}: cannot be opened: Is a directory"),
    ]:
        with pytest.raises(SourceError) as caught:
            read(path)
        assert str(caught.value) == message


def test_wrong_mapping_stops_before_any_row(files: dict[str, Path]) -> None:
    with pytest.raises(MappingError) as caught:
        read(files["csv"], mapping="cms-rif-carrier")
    assert "cms-rif-carrier does not fit" in str(caught.value)


def test_file_that_shrinks_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    row = "T-{},MEDICARE,PRACTITIONER,G0101,1,2024-07-01,80.5,,\n"
    path.write_text(CSV.split("\n")[0] + "\n" + "".join(row.format(i) for i in range(400_000)))
    claims = ClaimInput([str(path)], ReadOptions())
    batches = claims.batches()
    next(batches)
    os.truncate(path, 17_000_000)
    rest = list(batches)
    assert rest[-1].rejections[0].reason == "the file became shorter while it was read; records may be missing"
    assert claims.counts.records == claims.counts.claims + claims.counts.rejected


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a", "ISA*00*", "x12"),
        ("a", ' \n{"resourceType" : "Bundle"}', "fhir"),
        ("a.json", "{}", "fhir"),
        ("a", '{"claim_id": "A"}', "ndjson"),
        ("a.jsonl", "", "ndjson"),
        ("a.837", "", "x12"),
        ("a.tsv", "a", "csv"),
        ("a", "A|B\n1|2", "csv"),
        ("a", "PAR1", "parquet"),
        ("a", "ISA is a word", ""),
        ("a.doc", "hello", ""),
    ],
)
def test_detection(name: str, content: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    for file in open_claim_files(str(path)):
        assert detect_format(file) == expected
        assert file.stream.read() == content.encode()


def test_institutional_file(tmp_path: Path) -> None:
    path = tmp_path / "f.837"
    path.write_text(institutional())
    claims, _ = read(path)
    assert claims.counts.lines == 2
