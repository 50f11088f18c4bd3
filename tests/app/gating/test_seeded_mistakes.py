"""A mistake in an update is stopped on its way: by the import, by ``release create``, and by the gate where that is overridden."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parent))

from quarters import (
    Files,
    cut,
    mue_files,
    ptp_files,
    renamed,
    replaced,
    reversed_row,
    with_cell,
    without,
    without_last_rows,
    write,
)
from releases import claim, line

from claimedits.cli.main import cli

RULES = Path(__file__).parents[3] / "rules"
QUARTERS = (dt.date(2024, 4, 1), dt.date(2024, 7, 1))
F1, F2, F3, F4 = (f"ccipra-v302r0-f{n}.TXT" for n in (1, 2, 3, 4))
MUE = "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def good(*words: str) -> Result:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that serves the quarter before."""
    folder = tmp_path_factory.mktemp("served")
    store = str(folder / "store")
    good("import", "ptp", *write(ptp_files("301"), folder), "--store", store, "--published-on", "2024-03-01")
    good("import", "mue", *write(mue_files(QUARTERS[0]), folder), "--store", store, "--published-on", "2024-03-01")
    for name in ("ncci-conventions", "duplicates"):
        good("build", str(RULES / name), "--store", store)
    good("release", "create", "--store", store, "--activate")
    claims = [
        claim(line(1, f"A{1000 + n}", service_date="2024-05-10"), line(2, "Q2001", service_date="2024-05-10"))
        for n in range(30)
    ]
    (folder / "claims.ndjson").write_bytes(b"\n".join(map(orjson.dumps, claims)))
    return folder


@pytest.fixture
def folder(served: Path, tmp_path: Path) -> Path:
    shutil.copytree(served / "store", tmp_path / "store")
    shutil.copy(served / "claims.ndjson", tmp_path)
    return tmp_path


def gate(folder: Path, release: str) -> Result:
    claims = str(folder / "claims.ndjson")
    return run("gate", "active", release, "--store", str(folder / "store"), "--claims", claims, "--jobs", "1")


def bring(folder: Path, family: str, files: Files) -> Result:
    words = ("--store", str(folder / "store"), "--published-on", "2024-06-01")
    return run("import", family, *write(files, folder / "new"), *words)


def test_the_true_update_passes(folder: Path) -> None:
    for family, files in (("ptp", ptp_files("302")), ("mue", mue_files(QUARTERS[1]))):
        assert bring(folder, family, files).exit_code == 0
    release = good("release", "create", "--store", str(folder / "store")).stdout.split()[0]
    result = gate(folder, release)
    assert result.exit_code == 0, result.output
    assert "2 new revisions, 0 directories of rules: nothing odd" in result.output


NAMED = {
    "a reversed pair": (
        reversed_row(F2, 27),
        f"{F2}:27:1: row 27 (column 1 Q2006, column 2 E1020): the edit was column 1 E1020, column 2 Q2006 in the edition before "
        "(ccipra-v301r0-f2.TXT:27), with the same dates; compare with the published table; an edit is reversed by closing it "
        "and opening the other direction on the first day of a quarter",
    ),
    "a reversed pair that is new": (
        reversed_row(F2, 87),
        f"{F2}:87:1: row 87 (column 1 Q2001, column 2 E2000): it runs against the other edits of its codes",
    ),
    "an indicator flipped": (
        with_cell(F1, 20, 5, "0"),
        f"{F1}:20:1: row 20 (column 1 A1013, column 2 Q2006): the modifier indicator was 1 in the edition before, is 0; compare "
        "with the published table; an indicator is changed by closing the window and opening another one",
    ),
    "an indicator flipped in a closed row": (
        with_cell(F1, 12, 5, "0"),
        f"{F1}:12:1: row 12 (column 1 A1005, column 2 Q2005): the modifier indicator was 1 in the edition before, is 0",
    ),
    "an indicator flipped in a new row": (
        with_cell(F2, 87, 5, "0"),
        f"{F2}:87:1: row 87 (column 1 E2000, column 2 Q2001): its modifier indicator is 0, and ",
    ),
    "an indicator become 9": (
        with_cell(F1, 20, 5, "9"),
        f"{F1}:20:1: row 20 (column 1 A1013, column 2 Q2006): the edit is withdrawn, as if it had never been; answers from "
        "2020-01-01 on change; have it approved, and evaluate claims of those days again",
    ),
    "an indicator become 9 in a new row": (
        with_cell(F2, 87, 5, "9"),
        f"{F2}:87:1: row 87 (column 1 E2000, column 2 Q2001): the edit is new and withdrawn already, its modifier indicator is 9; "
        "compare with the published table, and have it approved",
    ),
    "a tombstone come to life": (
        with_cell(F3, 13, 5, "1"),
        f"{F3}:13:1: row 13 (column 1 G1006, column 2 Q2006): the modifier indicator was 9 in the edition before, is 1",
    ),
    "a first day moved on": (
        with_cell(F4, 30, 3, "20200102"),
        f"{F4}:30:1: row 30 (column 1 J1023, column 2 Q2002): the first day was 2020-01-01 in the edition before, is 2020-01-02; "
        "compare with the published table; the first day of a window never moves",
    ),
    "a first day moved back": (
        with_cell(F4, 30, 3, "20191231"),
        f"{F4}:30:1: row 30 (column 1 J1023, column 2 Q2002): the first day was 2020-01-01 in the edition before, is 2019-12-31",
    ),
    "a first day moved in a new row": (
        with_cell(F2, 87, 3, "20240702"),
        f"{F2}:87:1: row 87 (column 1 E2000, column 2 Q2001): it begins on 2024-07-02, which is not the first day of a quarter; "
        "compare with the published table; edits that begin with this update begin on 2024-07-01",
    ),
    "a last day moved": (
        with_cell(F1, 12, 4, "20240101"),
        f"{F1}:12:1: row 12 (column 1 A1005, column 2 Q2005): it ended on 2023-12-31 in the edition before, ends on 2024-01-01; "
        "compare with the published table; the last day of a closed edit never moves",
    ),
    "a last day moved in a row that this update closes": (
        with_cell(F2, 17, 4, "20240629"),
        f"{F2}:17:1: row 17 (column 1 E1010, column 2 Q2003): it ends on 2024-06-29, which is not the last day of a quarter; compare "
        "with the published table; edits that end with this update end on 2024-06-30",
    ),
    "a table that ends a row early": (
        without_last_rows(F3, 1),
        "ccipra-v301r0-f3.TXT:86:1: the last row of ccipra-v301r0-f3.TXT of the edition before is gone, from row 86 on (column 1 "
        "G1079); the file was cut short: download it again, and compare with the count on its label",
    ),
    "a table that ends many rows early": (
        without_last_rows(F4, 40),
        "ccipra-v301r0-f4.TXT:47:1: the last 40 rows of ccipra-v301r0-f4.TXT of the edition before are gone, from row 47 on (column 1 "
        "J1040 to J1079); the file was cut short",
    ),
    "a table cut within its last word": (
        cut(F4, 8),
        f"{F4}:86:1: row 86 (J1079 Q2002 2020-01-01), the last of its file, breaks off within its rationale: 'Misuse of Column Two code "
        f"with Column On', where other rows have 'Misuse of Column Two code with Column One code'; the file was cut short",
    ),
}
VALUES = {
    "an MAI flipped": (
        replaced(MUE, "G1030,1,2 Date of Service Edit: Policy", "G1030,1,3 Date of Service Edit: Clinical"),
        f"{MUE}:33:1: row 33 (procedure code G1030): MAI 2 has become 3, value and rationale stand; compare with the published table; "
        "CMS changes an MAI together with the value or the rationale",
    ),
    "a table that ends a row early": (
        without_last_rows(MUE, 1),
        "MCR_MUE_PractitionerServices_Eff_04-01-2024.csv:82:1: the last row of MCR_MUE_PractitionerServices_Eff_04-01-2024.csv of the "
        "edition before is gone, from row 82 on (procedure code G1079); the file was cut short",
    ),
    "a table that ends half-way": (
        without_last_rows(MUE, 40),
        "MCR_MUE_PractitionerServices_Eff_04-01-2024.csv:43:1: the last 40 rows of MCR_MUE_PractitionerServices_Eff_04-01-2024.csv of "
        "the edition before are gone, from row 43 on (procedure code G1040 to G1079); the file was cut short",
    ),
    "a table cut within its last word": (
        cut(MUE, 5),
        f"{MUE}:82:1: row 82 (G1079), the last of its file, breaks off within its rationale: 'CMS Pol', where other rows have "
        "'CMS Policy'; the file was cut short",
    ),
}
REFUSED = {
    "a lost part": (
        "ptp",
        without(F3),
        "practitioner v30.2 part f3: is missing; give all four parts, f1 to f4, together",
    ),
    "another part twice": ("ptp", renamed(F3, "ccipra-v302r1-f3.TXT"), "f3: is missing"),
    "an MUE table of the day after": (
        "mue",
        renamed(MUE, MUE.replace("07-01", "07-02")),
        "its name says it takes effect on 2024-07-02, which is not the first day of a quarter; give the table as published",
    ),
}


def check_stopped(folder: Path, family: str, files: Files, message: str) -> None:
    store = str(folder / "store")
    brought = bring(folder, family, files)
    assert brought.exit_code == 0, brought.output
    refused = run("release", "create", "--store", store)
    assert refused.exit_code == 1
    place, said = message.split(" ", 1)
    assert f"  {place} {said}" in refused.output, refused.output
    forced = good("release", "create", "--store", store, "--override-checks", "to see that the gate stops it")
    result = gate(folder, forced.stdout.split()[0])
    assert result.exit_code == 1
    assert re.search(f" - {re.escape(place)} (warning|error) CE\\d+: {re.escape(said)}", result.output), result.output
    assert result.output.endswith("the update is stopped\n")


@pytest.mark.parametrize("mistake", NAMED)
def test_a_mistake_in_the_edits_is_stopped(folder: Path, mistake: str) -> None:
    change, message = NAMED[mistake]
    check_stopped(folder, "ptp", change(ptp_files("302")), message)


@pytest.mark.parametrize("mistake", VALUES)
def test_a_mistake_in_the_values_is_stopped(folder: Path, mistake: str) -> None:
    change, message = VALUES[mistake]
    check_stopped(folder, "mue", change(mue_files(QUARTERS[1])), message)


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_that_the_import_refuses(folder: Path, mistake: str) -> None:
    family, change, message = REFUSED[mistake]
    before = sorted(path.name for path in (folder / "store" / "revisions").iterdir())
    result = bring(folder, family, change(ptp_files("302") if family == "ptp" else mue_files(QUARTERS[1])))
    assert result.exit_code == 1
    assert message in result.output, result.output
    assert sorted(path.name for path in (folder / "store" / "revisions").iterdir()) == before


def test_a_file_that_is_right_again_takes_the_place_of_the_wrong_one(folder: Path) -> None:
    """The wrong revision stays in the store. It is no measure for the right one, and is left out of the release."""
    store = str(folder / "store")
    wrong = bring(folder, "ptp", NAMED["a reversed pair"][0](ptp_files("302")))
    (wrong_id,) = re.findall("sha256:[0-9a-f]{64}", wrong.output)
    assert run("release", "create", "--store", store).exit_code == 1
    again = bring(folder, "ptp", ptp_files("302"))
    assert again.exit_code == 2
    assert "give the later day on which it was published (--published-on" in again.output
    files = write(ptp_files("302"), folder / "right")
    good("import", "ptp", *files, "--store", store, "--published-on", "2024-06-02")
    release = good("release", "create", "--store", store, "--without", wrong_id).stdout.split()[0]
    result = gate(folder, release)
    assert result.exit_code == 0, result.output
    assert "1 new revision, 0 directories of rules: nothing odd" in result.output
