"""The real quarterly update passes the whole path, and mistakes in it are stopped; read where ``CLAIMEDITS_DATA`` is set."""

from __future__ import annotations

import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parent))

from quarters import Files, Mistake, cut, reversed_row, with_cell, without_last_rows, write
from releases import claim, line

from claimedits.cli.main import cli

DATA = Path(os.environ.get("CLAIMEDITS_DATA", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("CLAIMEDITS_DATA"), reason="CLAIMEDITS_DATA names no folder of publishers' tables"
)
RULES = Path(__file__).parents[3] / "rules"
SETTINGS = ("practitioner", "dme-supplier", "outpatient-hospital")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def good(*words: str) -> Result:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def published(quarter: str) -> list[list[str]]:
    """The files of an update as they are published, by import."""
    ptp = sorted(map(str, (DATA / "ncci" / "ptp").glob(f"medicare-ncci-2024{quarter}-practitioner-*.zip")))
    mue = DATA / "ncci" / "mue"
    return [
        ["ptp", *ptp],
        *(["mue", str(mue / f"medicare-ncci-2024-{quarter}-{one}-services-mue-table.zip")] for one in SETTINGS),
    ]


def unpacked(files: list[str]) -> Files:
    """The text members of publishers' files."""
    found = {}
    for name in files:
        with zipfile.ZipFile(name) as archive:
            for member in archive.namelist():
                if member.lower().endswith((".txt", ".csv")):
                    found[member] = archive.read(member).decode("latin-1")
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that serves 2024Q2."""
    folder = tmp_path_factory.mktemp("served")
    store = str(folder / "store")
    for words in published("q2"):
        good("import", *words, "--store", store, "--published-on", "2024-03-01")
    for name in ("ncci-conventions", "duplicates"):
        good("build", str(RULES / name), "--store", store)
    good("release", "create", "--store", store, "--activate")
    claims = [claim(line(1, code, service_date="2024-05-10")) for code in ("11055", "11720", "99213")] * 10
    (folder / "claims.ndjson").write_bytes(b"\n".join(map(orjson.dumps, claims)))
    return folder


@pytest.fixture
def folder(served: Path, tmp_path: Path) -> Path:
    """A store of its own; what a store holds is never changed in place, so that links are copies."""
    shutil.copytree(served / "store", tmp_path / "store", copy_function=os.link)
    return tmp_path


def gate(served: Path, store: str, release: str) -> Result:
    return run("gate", "active", release, "--store", store, "--claims", str(served / "claims.ndjson"), "--jobs", "1")


def test_the_real_update_passes(served: Path, folder: Path) -> None:
    store = str(folder / "store")
    for words in published("q3"):
        good("import", *words, "--store", store)
    result = gate(served, store, good("release", "create", "--store", store).stdout.split()[0])
    assert result.exit_code == 0, result.output
    assert "4 new revisions, 0 directories of rules: nothing odd" in result.output
    assert "1,468 rows differ, 0 retroactively" in result.output


OPEN = r"[^\t]+\t[^\t]+\t\t20[01]\d{5}\t\*\t1\t.*"
CLOSED = r"[^\t]+\t[^\t]+\t\t20[01]\d{5}\t20\d{6}\t1\t.*"


def test_mistakes_in_the_real_edits_are_stopped(served: Path, folder: Path) -> None:
    """One row each, in one edition: every row is named."""
    files = unpacked(published("q3")[0][1:])
    name, last = "ccipra-v302r0-f2.TXT", "ccipra-v302r0-f4.TXT"
    lines = files[name].split("\r\n")
    opened = [n for n, words in enumerate(lines, 1) if re.fullmatch(OPEN, words)]
    closed = [n for n, words in enumerate(lines, 1) if re.fullmatch(CLOSED, words)]
    at = {"reversed": opened[999], "indicator": opened[9_999], "first day": opened[19_999], "last day": closed[4_999]}
    first, end = lines[at["first day"] - 1].split("\t")[3], lines[at["last day"] - 1].split("\t")[4]
    moved = {day: f"{int(day[:6])}{int(day[6:]) % 27 + 1:02}" for day in (first, end)}
    mistakes: list[Mistake] = [
        reversed_row(name, at["reversed"]),
        with_cell(name, at["indicator"], 5, "0"),
        with_cell(name, at["first day"], 3, moved[first]),
        with_cell(name, at["last day"], 4, moved[end]),
        without_last_rows("ccipra-v302r0-f1.TXT", 1),
        cut(last, 9),
    ]
    for mistake in mistakes:
        files = mistake(files)
    store = str(folder / "store")
    good("import", "ptp", *write(files, folder / "new"), "--store", store, "--published-on", "2024-06-01")
    refused = run("release", "create", "--store", store)
    assert refused.exit_code == 1
    for row in at.values():
        assert f"{name}:{row}:1: row {row} (column 1 " in refused.output
    assert "the last row of ccipra-v301r0-f1.TXT of the edition before is gone" in refused.output
    assert f"{last}:" in refused.output and "breaks off within its rationale" in refused.output
    forced = good("release", "create", "--store", store, "--override-checks", "to see that the gate stops it")
    result = gate(served, store, forced.stdout.split()[0])
    assert result.exit_code == 1
    assert result.output.startswith("STOPPED  check   1 new revision, 0 directories of rules: 6 problems")


@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_a_lost_part_of_the_real_edits_is_refused(folder: Path, part: int) -> None:
    words = published("q3")[0]
    kept = [word for word in words if not word.endswith(f"-f{part}.zip")]
    result = run("import", *kept, "--store", str(folder / "store"))
    assert result.exit_code == 1
    assert f"part f{part}: is missing; give all four parts, f1 to f4, together" in result.output


@pytest.mark.parametrize("setting", [1, 2, 3], ids=SETTINGS)
@pytest.mark.parametrize("mistake", ["MAI", "last row", "half", "last word"])
def test_mistakes_in_the_real_values_are_stopped(served: Path, folder: Path, setting: int, mistake: str) -> None:
    files = unpacked(published("q3")[setting][1:])
    (name,) = files
    text = files[name]
    changes: dict[str, tuple[Mistake, str]] = {
        "MAI": (
            lambda files: {name: text.replace(",1,3 Date of Service Edit: Clinical,", ",1,2 Date of Service Edit: Policy,", 1)},
            "MAI 3 has become 2, value and rationale stand; compare with the published table",
        ),
        "last row": (without_last_rows(name, 1), "the last row of "),
        "half": (without_last_rows(name, text.count("\r\n") // 2), "rows of table values differ from the edition before"),
        "last word": (cut(name, 4), "breaks off within its rationale"),
    }  # fmt: skip
    change, message = changes[mistake]
    store = str(folder / "store")
    good("import", "mue", *write(change(files), folder / "new"), "--store", store, "--published-on", "2024-06-01")
    refused = run("release", "create", "--store", store)
    assert refused.exit_code == 1
    assert message in refused.output
    forced = good("release", "create", "--store", store, "--override-checks", "to see that the gate stops it")
    result = gate(served, store, forced.stdout.split()[0])
    assert result.exit_code == 1
    assert message in result.output
