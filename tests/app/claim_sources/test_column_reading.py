"""Tables read by a mapping give the claims that the same fields give one by one; what is wrong is told by line and field."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED, many_claims
from x12_samples import file_of

from claimedits.app.claim_sources.column_mapping import MappingError
from claimedits.app.claim_sources.column_reading import TableBatch, read_csv_claims, read_parquet_claims
from claimedits.app.claim_sources.containers import ClaimFile, SourceError, open_claim_files
from claimedits.app.claim_sources.line_batches import claims_of, fields_of, table_of
from claimedits.app.claim_sources.records import Rejection
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim

MAPPING = """
rows = "{rows}"
[columns]
claim_id = "id"
program = {{ constant = "MEDICARE" }}
setting = {{ constant = "PRACTITIONER" }}
patient_id = "patient"
diagnoses = {{ columns = ["dx1", "dx2"] }}
line_number = "line"
procedure_code = "code"
modifiers = {{ columns = ["m1", "m2"] }}
units = "units"
service_date = {{ column = "dos", date_format = "MM/DD/YYYY" }}
line_diagnoses = "dx"
charge_cents = "charge"
{more}
"""
HEADER = ["id", "patient", "dx1", "dx2", "line", "code", "m1", "m2", "units", "dos", "dx", "charge"]
ROW = {
    "id": "A", "patient": "P", "dx1": "E11.42", "dx2": "", "line": "1", "code": "G0101", "m1": "25", "m2": "", "units": "2",
    "dos": "7/1/2024", "dx": "B35.1", "charge": "80.50",
}  # fmt: skip


def mapping_file(folder: Path, rows: str = "adjacent", more: str = "") -> str:
    path = folder / "mapping.toml"
    path.write_text(MAPPING.format(rows=rows, more=more))
    return str(path)


def text_of(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read_csv(content: str | bytes, mapping: str = "") -> tuple[list[Claim], list[Rejection], int]:
    return collect(read_csv_claims(file_of(content, "t.csv"), mapping))


def collect(batches: Any) -> tuple[list[Claim], list[Rejection], int]:
    claims: list[Claim] = []
    rejections: list[Rejection] = []
    left_out = 0
    batch: TableBatch
    for batch in batches:
        claims += claims_of(batch.table)
        rejections += batch.rejections
        left_out += batch.left_out
    return claims, rejections, left_out


def test_rows_become_claims(tmp_path: Path) -> None:
    rows = [ROW, ROW | {"line": "2", "dx": "E11.42", "m1": "", "m2": "lt"}, ROW | {"id": "B", "dx1": "", "charge": ""}]
    (first, second), rejections, _ = read_csv(text_of(rows), mapping_file(tmp_path))
    assert rejections == []
    assert first.diagnoses == ("E1142", "B351")
    assert [line.diagnosis_pointers for line in first.lines] == [(2,), (1,)]
    assert [line.modifiers for line in first.lines] == [("25",), ("LT",)]
    assert first.lines[0].charge_cents == 8050
    assert second.diagnoses == ("B351",)
    assert second.lines[0].charge_cents is None


@pytest.mark.parametrize("rows", ["adjacent", "anywhere"])
def test_each_problem_names_line_and_field(tmp_path: Path, rows: str) -> None:
    made = [
        ROW | {"id": "A", "code": "G01", "units": "-1", "dos": "13/1/2024", "charge": "ten", "line": "0", "m1": "2"},
        ROW | {"id": "B", "dos": "7/1/1901"},
        ROW | {"id": "C", "units": "", "code": "", "dos": ""},
        ROW | {"id": ""},
        ROW | {"id": "D"},
        ROW | {"id": "D", "line": "1"},
        ROW | {"id": "E", "patient": "P"},
        ROW | {"id": "E", "patient": "Q", "line": "2"},
        ROW | {"id": "F"},
    ]
    claims, rejections, _ = read_csv(text_of(made), mapping_file(tmp_path, rows))
    assert [claim.claim_id for claim in claims] == ["F"]
    assert sorted((r.position.line, r.reason) for r in rejections) == [
        (2, "line 2 line_number is not a whole number from 1 to 99999; line 2 procedure_code is not a procedure code; "
            "line 2 modifiers is not a modifier; line 2 units is not a number of units; line 2 service_date is not a date; "
            "line 2 charge_cents is not an amount in dollars and cents"),
        (3, "line 3 service_date is out of range"),
        (4, "line 4 units is missing; line 4 service_date is missing; line 4 procedure_code is missing"),
        (5, "claim_id is missing"),
        (7, "line 7 line_number is also the number of an earlier line of the claim"),
        (9, "line 9 patient_id is not what the claim's first row says"),
    ]  # fmt: skip
    assert sum(r.lines for r in rejections) == len(made) - 1
    assert all(problem.mend for r in rejections for problem in r.problems)


def test_rows_of_a_claim_may_stand_anywhere(tmp_path: Path) -> None:
    made = [ROW | {"id": name, "line": str(n)} for n in range(1, 4) for name in "ABC"]
    claims, rejections, _ = read_csv(text_of(made), mapping_file(tmp_path, "anywhere"))
    assert sorted((c.claim_id, tuple(line.line_number for line in c.lines)) for c in claims) == [
        (name, (1, 2, 3)) for name in "ABC"
    ]
    assert rejections == []


def test_lines_are_counted_where_they_have_no_numbers(tmp_path: Path) -> None:
    made = [ROW | {"line": ""}, ROW | {"line": ""}, ROW | {"id": "B", "line": ""}]
    claims, _, _ = read_csv(text_of(made), mapping_file(tmp_path))
    assert [[line.line_number for line in claim.lines] for claim in claims] == [[1, 2], [1]]


def test_values_are_translated(tmp_path: Path) -> None:
    more = """
sex = { column = "m2", values = { "1" = "M", "2" = "F" }, others = "", differing = "first" }
rendering_provider_id = { first_of = ["m2", "m1"], values = { "25" = "" } }
state = { constant = "PA" }
place_of_service = { column = "dx2", pad = 2, blank = "11" }
payer_id = { join = ["id", "patient"] }
paid = { column = "charge", positive = true }
"""
    made = [ROW | {"m2": "1"}, ROW | {"m2": "2", "line": "2"}, ROW | {"id": "B", "m2": "9"}]
    path = Path(mapping_file(tmp_path, more=more.replace('"dx2", pad', '"line", pad')))
    path.write_text(path.read_text().replace('{ columns = ["m1", "m2"] }', '"m1"').replace('["dx1", "dx2"]', '["dx1"]'))
    mapping = str(path)
    batches = list(read_csv_claims(file_of(text_of(made), "t.csv"), mapping))
    table = pa.concat_tables([batch.table for batch in batches])
    assert table.column("sex").to_pylist() == ["M", "M", None]
    assert table.column("state").to_pylist() == ["PA"] * 3
    assert table.column("place_of_service").to_pylist() == ["01", "02", "01"]
    assert table.column("payer_id").to_pylist() == ["AP", "AP", "BP"]
    assert table.column("rendering_provider_id").to_pylist() == ["1", "2", "9"]
    assert table.column("paid").to_pylist() == [True, True, True]


def test_rows_that_are_left_out_are_counted(tmp_path: Path) -> None:
    more = (
        '[[leave_out]]\ncolumn = "m1"\nequals = ["XX"]\nblank = ["m2"]\n[[leave_out]]\ncolumn = "m2"\nfilled = true\n'
    )
    made = [ROW, ROW | {"m1": " XX ", "line": "2"}, ROW | {"m1": "XX", "m2": "LT", "line": "3"}]
    claims, rejections, left_out = read_csv(text_of(made), mapping_file(tmp_path, more=more))
    assert [len(claim.lines) for claim in claims] == [1]
    assert (rejections, left_out) == ([], 2)


def test_claim_with_too_many_rows_costs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from claimedits.app.claim_sources import csv_batches

    monkeypatch.setattr(csv_batches, "_READ", 20_000)
    made = [ROW, *[ROW | {"id": "B", "line": str(n)} for n in range(1, 3_001)], ROW | {"id": "C"}]
    claims, (rejection,), _ = read_csv(text_of(made), mapping_file(tmp_path))
    assert [claim.claim_id for claim in claims] == ["A", "C"]
    assert "has more than 1000 lines" in rejection.reason
    assert rejection.lines == 3_000


@st.composite
def cells(draw: st.DrawFn) -> dict[str, str]:
    odd = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=6)
    row = dict(ROW)
    for name in draw(st.lists(st.sampled_from(HEADER), max_size=3)):
        row[name] = draw(st.one_of(st.sampled_from(["", " ", "1", "2", "B", "0.5", "7/2/2024", "\t"]), odd))
    return row


@given(st.lists(cells(), max_size=8), st.sampled_from(["adjacent", "anywhere"]))
@UNHURRIED
def test_every_row_is_in_a_claim_or_refused(rows: list[dict[str, str]], how: str) -> None:
    content = text_of(
        [{k: v.replace("\n", "").replace("\r", "").replace("\x85", "") for k, v in row.items()} for row in rows]
    )
    with tempfile.TemporaryDirectory() as folder:
        claims, rejections, left_out = read_csv(content, mapping_file(Path(folder), how))
    blank = sum(not "".join(row.values()) for row in rows)
    assert sum(len(claim.lines) for claim in claims) + sum(r.lines for r in rejections) + left_out == len(rows) or blank
    for claim in claims:
        assert read_claim(fields_of(claim)) == claim, "a claim of a table is a claim of the contract"


@given(many_claims())
@UNHURRIED
def test_line_tables_are_read_again(made: list[Claim]) -> None:
    bare = [claim._replace(history_lines=()) for claim in made]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        pq.write_table(table_of(made), path)
        claims, rejections, left_out = collect(
            read_parquet_claims(ClaimFile("t.parquet", None, path=path), "line-table")
        )  # type: ignore[arg-type]
    assert claims == bare
    assert rejections == []
    assert left_out == sum(len(claim.history_lines) for claim in made)


def parquet(folder: Path, columns: dict[str, Any]) -> ClaimFile:
    path = folder / "t.parquet"
    pq.write_table(pa.table(columns), path)
    return ClaimFile("t.parquet", None, path=path)  # type: ignore[arg-type]


TYPED: dict[str, Any] = {
    "id": pa.array([1, 1, 2]),
    "patient": ["P", "P", "Q"],
    "dx1": ["E11.42", "E11.42", None],
    "dx2": pa.nulls(3, pa.string()),
    "line": pa.array([1.0, 2.0, 1.0]),
    "code": pa.array(["G0101", "G0102", "G0101"]).dictionary_encode(),
    "m1": ["25", None, None],
    "m2": [None, None, "LT"],
    "units": pa.array([1.5, 2.0, 3.0]),
    "dos": pa.array([19905, 19905, 19906], pa.date32()),
    "dx": ["B35.1", None, None],
    "charge": pa.array([80.5, None, 0.1]),
}


def test_types_of_a_warehouse_are_taken_as_they_are(tmp_path: Path) -> None:
    claims, rejections, _ = collect(read_parquet_claims(parquet(tmp_path, TYPED), mapping_file(tmp_path)))
    assert rejections == []
    assert [claim.claim_id for claim in claims] == ["1", "2"]
    assert [str(line.units) for line in claims[0].lines] == ["1.5", "2"]
    assert claims[1].lines[0].charge_cents == 10


def test_missing_columns_and_other_types_are_told_before_any_row_is_read(tmp_path: Path) -> None:
    columns = dict(TYPED)
    del columns["units"]
    columns |= {
        "unitss": [1, 2, 3],
        "code": pa.array([1, 2, 3]),
        "dos": pa.array([1.5, 2, 3]),
        "m1": pa.array([{"a": 1}] * 3),
    }
    mapping = mapping_file(tmp_path)
    with pytest.raises(MappingError) as caught:
        collect(read_parquet_claims(parquet(tmp_path, columns), mapping))
    assert str(caught.value).split("\n") == [
        f"{mapping} does not fit t.parquet",
        f"{mapping}: columns.units: names column units, which is missing; did you mean unitss?",
        f"{mapping}: columns.procedure_code: takes column code, which is int64, for a text; "
        "write codes as texts, since leading zeros count, or say how wide they are with pad",
        f"{mapping}: columns.modifiers: takes column m1, which is struct<a: int64>, for a text or a list of texts; write it as a text",
        f"{mapping}: columns.service_date: takes column dos, which is double, for a date; write days as dates, or as texts with date_format",
    ]


def test_csv_without_a_column_is_refused(tmp_path: Path) -> None:
    mapping = mapping_file(tmp_path)
    with pytest.raises(MappingError) as caught:
        read_csv("id,zzz\n1,2\n", mapping)
    assert (
        f"{mapping}: columns.patient_id: names column patient, which is missing; compare it with the header of t.csv"
        in str(caught.value)
    )


def test_file_that_no_shipped_mapping_fits() -> None:
    with pytest.raises(MappingError) as caught:
        read_csv("x,y\n1,2\n")
    assert str(caught.value).startswith(
        "t.csv: has columns that no shipped mapping fits; name one with --mapping: cms-rif-carrier"
    )


def test_parquet_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError) as caught:
        collect(read_parquet_claims(ClaimFile("t.parquet", None, path=path)))  # type: ignore[arg-type]
    assert str(caught.value).startswith("t.parquet: is no Parquet file, or a damaged one: ")


def test_dates_out_of_range_and_texts_that_are_not_utf8(tmp_path: Path) -> None:
    odd = pa.array([b"P", b"\xff\xfe", b"Q"]).view(pa.string())
    dos = pa.array([2**31 - 1, 19905, -(2**31)], pa.int32()).cast(pa.date32())
    columns = TYPED | {
        "id": ["A", "B", "C"],
        "patient": odd,
        "dos": dos,
        "m1": pa.array([b"\xff", b"", b"25"]).view(pa.string()),
    }
    claims, rejections, _ = collect(read_parquet_claims(parquet(tmp_path, columns), mapping_file(tmp_path)))
    assert claims == []
    assert [(r.position.row, r.reason) for r in rejections] == [
        (1, "row 1 modifiers is not UTF-8; row 1 service_date is out of range"),
        (2, "row 2 patient_id is not UTF-8"),
        (3, "row 3 service_date is out of range"),
    ]


def test_times_are_taken_for_their_day(tmp_path: Path) -> None:
    dos = pa.array([19905 * 86_400_000_000 + 5, None, 19906 * 86_400_000_000], pa.timestamp("us"))
    claims, rejections, _ = collect(
        read_parquet_claims(parquet(tmp_path, TYPED | {"dos": dos}), mapping_file(tmp_path))
    )
    assert [claim.lines[0].service_date for claim in claims] == [19906]
    assert [r.reason for r in rejections] == ["row 2 service_date is missing"]


def test_parquet_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    rows = 150_000
    columns = {name: pa.array(list(range(rows))).cast(pa.string()) for name in HEADER}
    columns["id"] = pa.array([f"C{i:09}" for i in range(rows)])
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=10_000)
    batches = read_parquet_claims(ClaimFile("t.parquet", None, path=path), mapping_file(tmp_path))  # type: ignore[arg-type]
    first = next(batches)
    os.truncate(path, 50_000)
    _, rejections, _ = collect(batches)
    assert first.rejections
    whats = [rejection.problems[0].what for rejection in rejections]
    assert [what for what in whats if what.startswith("the file cannot be read further: ")]
    assert whats[-1] == "the input ends before the claim does; rows may be missing"


def test_synpuf_lines_stand_side_by_side() -> None:
    header = ["DESYNPUF_ID", "CLM_ID", "CLM_FROM_DT", "CLM_THRU_DT", *(f"ICD9_DGNS_CD_{n}" for n in range(1, 9))]
    for name in ("PRF_PHYSN_NPI", "TAX_NUM", "HCPCS_CD", "LINE_PRCSG_IND_CD", "LINE_ICD9_DGNS_CD"):
        header += [f"{name}_{n}" for n in range(1, 14)]

    def row(**cells: str) -> str:
        return ",".join(cells.get(name, "") for name in header)

    good = {
        "DESYNPUF_ID": "0001", "CLM_ID": "887", "CLM_FROM_DT": "20080104", "CLM_THRU_DT": "20080105", "ICD9_DGNS_CD_1": "4830",
        "TAX_NUM_1": "99", "HCPCS_CD_1": "G0101", "HCPCS_CD_3": "G0102", "PRF_PHYSN_NPI_3": "77", "LINE_ICD9_DGNS_CD_3": "78900",
        "LINE_PRCSG_IND_CD_1": "A", "LINE_PRCSG_IND_CD_3": "D", "LINE_PRCSG_IND_CD_2": "?",
    }  # fmt: skip
    content = "\n".join(
        [
            ",".join(header),
            row(**good),
            row(CLM_ID="888", CLM_FROM_DT="2008"),
            row(**good | {"CLM_ID": "889", "HCPCS_CD_1": "G01"}),
        ]
    )
    batches = list(read_csv_claims(file_of(content, "carrier.csv")))
    (claim,), rejections, _ = collect(batches)
    assert claim.diagnoses == ("4830", "78900")
    assert [(n.line_number, n.procedure_code, n.diagnosis_pointers, n.rendering_provider_id) for n in claim.lines] == [
        (1, "G0101", (), ""),
        (2, "G0102", (2,), "77"),
    ]
    assert claim.lines[0].service_date_end - claim.lines[0].service_date == 1
    assert pa.concat_tables([b.table for b in batches]).column("paid").to_pylist() == [True, False]
    assert [r.reason for r in rejections] == [
        "line 3 service_date is not a date; line 3 procedure_code is missing",
        "line 4 procedure_code is not a procedure code",
    ]


def test_real_rif_samples_are_read() -> None:
    data = os.environ.get("CLAIMEDITS_DATA")
    if not data:
        pytest.skip("set CLAIMEDITS_DATA to the folder of real data")
    counts = {}
    for file in open_claim_files(f"{data}/claims/cms_synthetic_samples.zip"):
        if "!rif/rif" in file.name:
            claims, rejections, left_out = collect(read_csv_claims(file))
            counts[Path(file.name).name] = (len(claims), len(rejections), left_out)
    assert counts["rif-static-samples_samhsa_sample-a-carrier.txt"] == (606, 0, 0)
    assert counts["rif-static-samples_samhsa_sample-a-dme.txt"] == (606, 0, 0)
    assert counts["rif-static-samples_sample-a-bcarrier-multiple-lines.txt"] == (1, 0, 0)
    assert counts["rif-synthea_outpatient.csv"] == (19, 0, 0)
