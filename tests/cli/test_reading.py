"""``claim-edits read``: what it prints, writes and answers with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from claimedits.app.claim_sources.line_batches import claims_of
from claimedits.cli.main import cli
from claimedits.model.line_table import LINE_SCHEMA

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "claim_sources"))

from x12_samples import BILLING, CLAIM, SUBSCRIBER, changed, interchange, professional, transaction

HEADER = "claim_id,patient_id,billing_provider_id,program,setting,procedure_code,units,service_date\n"
ROW = "{id},P,1,MEDICARE,PRACTITIONER,{code},1,{day}\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["read", *map(str, arguments)])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    rows = [("A", "G0101", "2024-07-01"), ("B", "G0102", "2024-07-02"), ("C", "G01", "2024-07-01")]
    path.write_text(HEADER + "".join(ROW.format(id=i, code=c, day=d) for i, c, d in rows))
    return path


def test_summary_adds_up(table: Path) -> None:
    result = run(table)
    assert result.exit_code == 1
    assert result.stdout == (
        "files                1  1 csv\nrecords              3\nclaims               2  with 2 lines\nrejected             1\n"
    )
    assert result.stderr == (
        f"rejected: {table}: line 4: line 4 procedure_code is not a procedure code; a HCPCS or CPT code has five letters or digits\n"
    )


def test_summary_for_programs(table: Path) -> None:
    result = run(table, "--format", "json")
    summary = json.loads(result.stdout)
    assert (summary["records"], summary["claims"], summary["rejected"], summary["lines"]) == (3, 2, 1, 2)
    assert summary["first_rejections"] == [
        {
            "file": str(table),
            "position": {"line": 4},
            "reason": "line 4 procedure_code is not a procedure code",
            "mend": "a HCPCS or CPT code has five letters or digits",
            "problems": [
                {
                    "where": "line 4 procedure_code",
                    "what": "is not a procedure code",
                    "mend": "a HCPCS or CPT code has five letters or digits",
                }
            ],
        }
    ]


def test_nothing_rejected_is_exit_0(tmp_path: Path) -> None:
    path = tmp_path / "a.837"
    path.write_text(professional())
    result = run(path)
    assert (result.exit_code, result.stderr) == (0, "")


def test_claims_and_rejections_are_written(table: Path, tmp_path: Path) -> None:
    out, rejected = tmp_path / "out.parquet", tmp_path / "rejected.ndjson"
    result = run(table, "--to", "parquet", out, "--rejected", rejected)
    assert result.exit_code == 1
    written = pq.read_table(out)
    assert written.schema == LINE_SCHEMA
    assert [claim.claim_id for claim in claims_of(written)] == ["A", "B"]
    (line,) = rejected.read_bytes().splitlines()
    assert orjson.loads(line)["position"] == {"line": 4}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims.csv", "out.parquet", "rejected.ndjson"]


def test_ndjson_on_standard_output_is_only_claims(table: Path) -> None:
    result = run(table, "--to", "ndjson", "-")
    assert [orjson.loads(line)["claim_id"] for line in result.stdout.splitlines()] == ["A", "B"]
    assert "records              3\n" in result.stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--history-window", 0], [[], []]),
        (["--history-window", 1], [["B"], ["A"]]),
        (["--history-window", 1, "--history-order", "earlier"], [[], ["A"]]),
    ],
)
def test_history_is_joined(options: list[object], expected: list[list[str]], table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    result = run(table, "--to", "ndjson", out, *options)
    found = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [[line["claim_id"] for line in claim["history_lines"]] for claim in found] == expected
    assert f"history   {sum(map(len, expected)):>12,}  lines joined\n" in result.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims.csv", "out.ndjson"]


def test_identifiers_are_replaced_and_the_key_is_not_shown(table: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("correct horse battery staple")
    result = run(table, "--to", "ndjson", "-", "--hash-key", key)
    claim = orjson.loads(result.stdout.splitlines()[0])
    assert len(claim["claim_id"]) == len(claim["patient"]["patient_id"]) == len(claim["billing_provider_id"]) == 32
    assert "horse" not in result.stdout + result.stderr


def test_output_that_cannot_be_written_leaves_nothing(table: Path, tmp_path: Path) -> None:
    result = run(table, "--to", "ndjson", tmp_path / "missing" / "out.ndjson")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: [Errno 2] No such file or directory")


def test_mapping_that_does_not_fit(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    result = run(table, "--mapping", "synpuf-carrier", "--to", "parquet", out)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"error: synpuf-carrier does not fit {table}\n  synpuf-carrier: columns.claim_id: names column CLM_ID"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'FILE…'"),
        (["a", "--history-window", "1"], "--history-window joins claims that are written: name a file with --to"),
        (["a", "--to", "parquet", "-"], "Parquet needs a file: --to parquet FILE"),
        (["a", "--from", "edi"], "'edi' is not one of 'x12', 'fhir', 'csv', 'parquet', 'ndjson'"),
    ],
)
def test_wrong_words(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_missing_file_is_exit_2(tmp_path: Path) -> None:
    result = run(tmp_path / "none")
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {tmp_path}/none: cannot be opened: No such file or directory\n",
    )


def test_program_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "a.837"
    above = [*BILLING, *changed(SUBSCRIBER, "*MB", "*CI")]
    path.write_text(interchange([transaction([*above, *CLAIM])]))
    assert run(path).exit_code == 1
    assert run(path, "--program", "MEDICAID").exit_code == 0


def test_help_shows_an_example() -> None:
    assert "claim-edits read claims.837 remits.json" in run("--help").stdout
