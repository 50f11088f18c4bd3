"""``claim-edits diff --claims``: the impact of an update on the command line, as text, JSON, Parquet and one page."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "impact"))
sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "reports"))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from browser import open_page
from releases import claim, line, mue_row, ptp_row
from update import make_update

from claimedits.app.impact.running import Question
from claimedits.cli.main import cli
from claimedits.rulesets.store import Store

BASE = [mue_row("11055", 3, "2"), mue_row("11720", 1, "3")]
CLAIMS = [
    claim(line(1, "11055", charge_cents=9000), line(2, "11720", charge_cents=4500), claim_id="C-1"),
    claim(line(1, "11055"), claim_id="C-2"),
    claim(line(1, "64633"), line(2, "64484", charge_cents=100), claim_id="C-3", billing_provider_id="1999999992"),
]


@pytest.fixture(scope="module")
def update(tmp_path_factory: pytest.TempPathFactory) -> Question:
    folder = tmp_path_factory.mktemp("update")
    (folder / "claims.ndjson").write_bytes(b"\n".join(map(orjson.dumps, CLAIMS)))
    return make_update(folder, [*BASE, ptp_row("64633", "64484")], [*BASE, ptp_row("11055", "11720")])


def run(update: Question, *options: str, claims: str = "claims.ndjson") -> Result:
    arguments = ["diff", update.old, update.new, "--store", str(update.store), "--as-of", "2026-11-01", "--jobs", "1"]
    if claims:
        arguments += ["--claims", str(update.store.parent / claims), "--family", "PTP"]
    return CliRunner().invoke(cli, [*arguments, *options])


def test_the_impact_stands_under_the_rows(update: Question) -> None:
    result = run(update)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-19:] == [
        "3 claims, 5 lines",
        "  evaluated under both: 2",
        "  under the old one only: 1 (its answer cites nothing that changes)",
        "",
        "change                      claims     lines         charges",
        "newly failing                    1         1          $45.00",
        "newly passing                    1         1           $1.00",
        "",
        "by rule",
        "  medicare-ptp-practitioner/11055+11720  newly failing                 1 line         $45.00",
        "  medicare-ptp-practitioner/64633+64484  newly passing                 1 line          $1.00",
        "",
        "by procedure code",
        "  11720  newly failing                 1 line         $45.00",
        "  64484  newly passing                 1 line          $1.00",
        "",
        "by billing provider",
        "  1234567893  newly failing                 1 line         $45.00",
        "  1999999992  newly passing                 1 line          $1.00",
    ]


def test_as_json_with_every_changed_line(update: Question) -> None:
    document = orjson.loads(run(update, "--format", "json").output)
    impact = document["impact"]
    assert (impact["as_of"], impact["claims"], impact["evaluated"], impact["evaluated_once"]) == ("2026-11-01", 3, 3, 1)
    assert [(line["claim_id"], line["line_number"], line["kind"]) for line in impact["changed_lines"]] == [
        ("C-1", 2, "NEWLY_FAILING"),
        ("C-3", 2, "NEWLY_PASSING"),
    ]
    everything = orjson.loads(run(update, "--format", "json", "--every-claim").output)["impact"]
    for name in ("evaluated", "evaluated_once", "skipped", "skipped_because"):
        impact.pop(name), everything.pop(name)
    assert everything == impact


def test_changed_lines_as_parquet(update: Question, tmp_path: Path) -> None:
    assert run(update, "--changed-lines", str(tmp_path / "lines.parquet")).exit_code == 0
    rows = pq.read_table(tmp_path / "lines.parquet").to_pylist()
    assert [(row["claim_id"], row["come"], row["gone"]) for row in rows] == [
        ("C-1", ["medicare-ptp-practitioner/11055+11720"], []),
        ("C-3", [], ["medicare-ptp-practitioner/64633+64484"]),
    ]


def test_claims_may_be_packed_and_bad_ones_are_named(update: Question) -> None:
    content = orjson.dumps(CLAIMS[0]) + b"\n{\n" + orjson.dumps({"claim_id": "C-9"}) + b"\n"
    (update.store.parent / "claims.ndjson.gz").write_bytes(gzip.compress(content))
    result = run(update, claims="claims.ndjson.gz")
    assert result.exit_code == 1
    assert "1 claim, 2 lines, 2 could not be read" in result.output
    assert "claim 2: column 1: is not JSON" in result.output
    assert "claim 3: program: is missing; use one of MEDICARE, MEDICAID" in result.output


def test_a_page_for_people(update: Question, tmp_path: Path) -> None:
    path = tmp_path / "update.html"
    assert run(update, "--html", str(path)).exit_code == 0
    assert run(update, "--html", str(tmp_path / "again.html")).exit_code == 0
    assert path.read_bytes() == (tmp_path / "again.html").read_bytes()
    with open_page(path) as page:
        assert page.get_by_role("heading", name="What the update changes").count() == 1
        assert page.locator(".card.bad .value").inner_text() == "1"
        rows = page.locator("[data-table=changed-lines] tbody tr").all_inner_texts()
        assert rows[0].split("\t")[:4] == ["C-1", "2", "11720", "newly failing"]
        assert page.get_by_role("table", name="Changed lines by rule").locator("tbody tr").count() == 2


def test_a_page_without_claims(update: Question, tmp_path: Path) -> None:
    path = tmp_path / "rows.html"
    assert run(update, "--html", str(path), claims="").exit_code == 0
    with open_page(path, 390, 800) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator("#claims").count() == 0


@pytest.mark.parametrize(
    ("options", "claims", "message"),
    [
        (["--changed-lines", "x.parquet"], "", "--changed-lines needs --claims"),
        ([], "missing.ndjson", "cannot be opened: No such file or directory"),
    ],
)
def test_what_cannot_be_done(options: list[str], claims: str, message: str, update: Question) -> None:
    result = run(update, *options, claims=claims)
    assert result.exit_code == 2
    assert message in result.output


def test_claims_need_releases(update: Question) -> None:
    revision = Store.open(update.store).revisions("medicare-mue-practitioner")[0].id
    arguments = ["diff", revision, revision, "--store", str(update.store), "--claims", "-"]
    result = CliRunner().invoke(cli, arguments, input=b"")
    assert result.exit_code == 2
    assert "claims are evaluated under releases; name two releases to see what changes for claims" in result.output
