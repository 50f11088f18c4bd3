"""``claim-edits diff``: for people, for programs, as a file; names, filters, exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from claimedits.cli.main import cli
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

sys.path.insert(0, str(Path(__file__).parents[1] / "rulesets" / "comparison"))

from made_revisions import draft, header, mue, ptp

RULES = Path(__file__).parents[2] / "rules"
PTP, MUE = "medicare-ptp-practitioner", "medicare-mue-dme"
Q2, Q3 = "2024-04-01..2024-06-30", "2024-07-01..2024-09-30"
RULE = """[[rule]]
id = "one"
title = "One"
when = 'line.units is {units}'
status = "{status}"
code = "POLICY_ONE"
message = "one"
"""


class Kept:
    """A store with two editions of everything, and a release of each."""

    def __init__(self, path: Path) -> None:
        self.path = path / "store"
        store = Store.open(self.path, create=True)
        edits = [ptp("E0100+E0101"), ptp("E0100+E0102"), ptp("J1100+J1101", rationale="Standards")]
        later = [
            ptp("E0100+E0101", effective_to="2024-06-30"),
            ptp("E0100+E0102", modifier_indicator=0),
            ptp("J1100+J1101", rationale="Standards"),
            ptp("J1100+J1102", effective_from="2024-07-01", rationale="Standards"),
        ]
        editions = {
            "old": [
                draft(header(PTP, "ptp", "v30.1", Q2), edits),
                draft(header(MUE, "mue", "2024Q2", Q2), [mue("A0001", 1), mue("A0002", 5, confidential=True)]),
            ],
            "new": [
                draft(header(PTP, "ptp", "v30.2", Q3), later),
                draft(header(MUE, "mue", "2024Q3", Q3), [mue("A0001", 2), mue("A0002", 6, confidential=True)]),
            ],
        }
        shared = [store.add_revision(compile_table_rules(RULES / "ncci-conventions"))[0].id]
        self.revisions = {
            name: [store.add_revision(made)[0].id for made in made_ones] for name, made_ones in editions.items()
        }
        self.releases = {name: store.create_release([*shared, *ids]).id for name, ids in self.revisions.items()}
        store.activate(self.releases["old"], "a tester")

    def diff(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["diff", *arguments, "--store", str(self.path)])

    def json(self, *arguments: str) -> dict[str, Any]:
        result = self.diff(*arguments, "--format", "json")
        assert result.exit_code == 0, result.stderr
        said: dict[str, Any] = orjson.loads(result.stdout)
        return said


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("diff"))


def test_two_editions_for_people(kept: Kept) -> None:
    result = kept.diff(f"{PTP}@v30.1", f"{PTP}@v30.2")
    assert result.exit_code == 0
    ids = [kept.revisions[name][0].removeprefix("sha256:")[:12] for name in ("old", "new")]
    assert result.stdout.splitlines() == [
        "RETROACTIVE: 1 row changes what held on service days before the new revision's own",
        f"  {PTP} edits: 1 modifier indicator changed",
        "",
        f"{PTP}  v30.1 ({ids[0]}) -> v30.2 ({ids[1]})",
        "  service dates: 2024-04-01 to 2024-06-30 -> 2024-07-01 to 2024-09-30",
        "  published on: 2024-04-01 -> 2024-07-01",
        "  edits: 3 -> 4 rows: 1 added, 0 removed, 2 changed, 1 unchanged",
        "    what happened",
        "              1  modifier indicator changed (1 retroactive)",
        "              1  added",
        "              1  ended, or end earlier",
        "    by section of codes",
        "              2  HCPCS E (1 retroactive)",
        "              1  HCPCS J",
        "    by rationale",
        "              2  none stated (1 retroactive)",
        "              1  Standards",
        "    rows",
        "      ~ E0100 E0102 2020-01-01  RETROACTIVE  modifier_indicator 1 -> 0  [v30.2.txt:3]",
        "      ~ E0100 E0101 2020-01-01  effective_to empty -> 2024-06-30  [v30.2.txt:2]",
        "      + J1100 J1102 2024-07-01  modifier_indicator 1, rationale Standards  [v30.2.txt:5]",
    ]


def test_two_releases_for_people(kept: Kept) -> None:
    result = kept.diff("active", kept.releases["new"], "--limit", "0")
    lines = result.stdout.splitlines()
    assert lines[:16] == [
        "RETROACTIVE: 1 row changes what held on service days before the new revision's own",
        f"  {PTP} edits: 1 modifier indicator changed",
        f"new revisions: {MUE} 2024Q3, {PTP} v30.2",
        f"gone revisions: {MUE} 2024Q2, {PTP} v30.1",
        "rule sets without a difference: ncci-conventions",
        "",
        "rows that differ, by family",
        "          3  PTP (1 retroactive)",
        "          2  MUE",
        "",
        "service days that another revision answers for",
        f"  {MUE}  2024-04-01 to 2024-06-30: 2024Q2 -> none",
        f"  {MUE}  2024-07-01 to 2024-09-30: none -> 2024Q3",
        f"  {PTP}  2024-04-01 to 2024-06-30: v30.1 -> none",
        f"  {PTP}  2024-07-01 to 2024-09-30: none -> v30.2",
        "",
    ]
    assert "  values: 2 -> 2 rows: 0 added, 0 removed, 2 changed, 0 unchanged" in lines
    assert not any(line.startswith("    rows") for line in lines)


def test_for_programs(kept: Kept) -> None:
    said = kept.json("active", kept.releases["new"])
    assert {name: said[name] for name in ("format", "compared", "is_empty", "differences", "retroactive")} == {
        "format": 1,
        "compared": "releases",
        "is_empty": False,
        "differences": 5,
        "retroactive": 1,
    }
    assert (said["old"]["id"], said["new"]["id"]) == (kept.releases["old"], kept.releases["new"])
    assert said["by_family"] == [
        {"family": "PTP", "rows": 3, "retroactive": 1},
        {"family": "MUE", "rows": 2, "retroactive": 0},
    ]
    assert (said["unchanged"], said["added"], said["removed"]) == (["ncci-conventions"], [], [])
    assert said["governance"][0] == {
        "rule_set": MUE,
        "first_day": "2024-04-01",
        "last_day": "2024-06-30",
        "old": {
            "id": kept.revisions["old"][1],
            "rule_set": MUE,
            "label": "2024Q2",
            "effective_from": "2024-04-01",
            "effective_to": "2024-06-30",
            "published_on": "2024-04-01",
        },
        "new": None,
    }
    values, edits = said["rule_sets"]
    assert (edits["rule_set"], edits["kind"], edits["family"], edits["differences"]) == (PTP, "ptp", "PTP", 3)
    table = edits["tables"][0]
    rows = table.pop("rows")
    assert table == {
        "table": "edits",
        "key": ["column_1", "column_2", "effective_from"],
        "old_rows": 3,
        "new_rows": 4,
        "added": 1,
        "removed": 0,
        "changed": 2,
        "unchanged": 1,
        "retroactive": 1,
        "changed_columns": {"effective_to": 1, "modifier_indicator": 1},
        "columns_lost": [],
        "columns_gained": [],
        "by_change": [
            {"change": "MODIFIER_INDICATOR_CHANGED", "rows": 1, "retroactive": 1},
            {"change": "ADDED", "rows": 1, "retroactive": 0},
            {"change": "ENDED", "rows": 1, "retroactive": 0},
        ],
        "by_section": [
            {"section": "HCPCS E", "rows": 2, "retroactive": 1},
            {"section": "HCPCS J", "rows": 1, "retroactive": 0},
        ],
        "by_rationale": [{"rationale": "Standards", "rows": 1, "retroactive": 0}],
        "rows_left_out": 0,
    }
    assert rows[0] == {
        "kind": "CHANGED",
        "change": "MODIFIER_INDICATOR_CHANGED",
        "retroactive": True,
        "key": {"column_1": "E0100", "column_2": "E0102", "effective_from": "2020-01-01"},
        "before": {"modifier_indicator": "1"},
        "after": {"modifier_indicator": "0"},
        "old_source_file": "v30.1.txt",
        "old_source_row": 3,
        "new_source_file": "v30.2.txt",
        "new_source_row": 3,
    }
    assert values["tables"][0]["rows"][1]["after"] == {"value": "confidential"}


def test_so_many_rows_and_no_more(kept: Kept) -> None:
    table = kept.json(f"{PTP}@v30.1", f"{PTP}@v30.2", "--limit", "1")["rule_sets"][0]["tables"][0]
    assert ([row["retroactive"] for row in table["rows"]], table["rows_left_out"]) == ([True], 2)
    assert (
        "      ... and 2 more (--limit, or --parquet for all of them)"
        in kept.diff(f"{PTP}@v30.1", f"{PTP}@v30.2", "--limit", "1").stdout.splitlines()
    )


def test_every_row_as_parquet(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "changes.parquet"
    assert kept.diff("active", kept.releases["new"], "--limit", "0", "--parquet", str(path)).exit_code == 0
    rows = pq.read_table(path).to_pylist()
    assert [(row["rule_set"], row["table"], row["kind"], row["change"]) for row in rows] == [
        (MUE, "values", "CHANGED", "VALUE_RAISED"),
        (MUE, "values", "CHANGED", "VALUE_CONFIDENTIAL"),
        (PTP, "edits", "CHANGED", "ENDED"),
        (PTP, "edits", "CHANGED", "MODIFIER_INDICATOR_CHANGED"),
        (PTP, "edits", "ADDED", "ADDED"),
    ]
    assert rows[1]["after"] == [("value", "confidential")]
    assert rows[3]["key"] == [("column_1", "E0100"), ("column_2", "E0102"), ("effective_from", "2020-01-01")]
    assert (rows[3]["retroactive"], rows[4]["new_source_row"], rows[4]["before"]) == (True, 5, [])
    assert (rows[4]["old_revision"], rows[4]["new_revision"]) == (kept.revisions["old"][0], kept.revisions["new"][0])
    assert [file.name for file in tmp_path.iterdir()] == ["changes.parquet"]


def test_a_file_that_cannot_be_written(kept: Kept, tmp_path: Path) -> None:
    result = kept.diff("active", kept.releases["new"], "--parquet", str(tmp_path / "nowhere" / "changes.parquet"))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ") and "nowhere" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "rule_sets"),
    [
        (("--rule-set", PTP), [PTP]),
        (("--rule-set", PTP, "--rule-set", MUE), [MUE, PTP]),
        (("--family", "MUE"), [MUE]),
        (("--family", "MUE", "--family", "PTP"), [MUE, PTP]),
    ],
)
def test_filters(kept: Kept, arguments: tuple[str, ...], rule_sets: list[str]) -> None:
    said = kept.json("active", kept.releases["new"], *arguments)
    assert [comparison["rule_set"] for comparison in said["rule_sets"]] == rule_sets
    assert sorted({change["rule_set"] for change in said["governance"]}) == rule_sets


def test_the_exit_code_says_whether_there_is_a_difference(kept: Kept) -> None:
    assert kept.diff("active", kept.releases["new"], "--exit-code").exit_code == 1
    same = kept.diff("active", kept.releases["old"], "--exit-code")
    assert (same.exit_code, same.stdout) == (0, "no difference\n")
    revision = kept.revisions["old"][0]
    assert kept.diff(revision, revision, "--exit-code").exit_code == 0
    assert kept.diff("active", kept.releases["new"], "--exit-code", "--rule-set", "ncci-conventions").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "arguments", "said"),
    [
        (
            "active",
            f"{PTP}@v30.2",
            (),
            f"active is a release and {PTP}@v30.2 a revision; name two revisions or two releases",
        ),
        (f"{PTP}@v30.1", f"{PTP}@v9", (), f"the store holds no {PTP} v9; it holds v30.1, v30.2"),
        (f"{PTP}@v30.1", "x@v9", (), f"the store holds no rule set x; it holds {MUE}, {PTP}, ncci-conventions"),
        (
            "0123456789ab",
            "active",
            (),
            "the store holds no revision and no release 0123456789ab; 'claim-edits release list' shows releases, "
            "and a revision can be named as RULE_SET@LABEL",
        ),
        (
            f"{PTP}@v30.1",
            f"{MUE}@2024Q3",
            (),
            f"{PTP} v30.1 is of kind ptp, {MUE} 2024Q3 of kind mue; compare revisions of one kind",
        ),
        (
            "active",
            "active",
            ("--rule-set", "x"),
            f"neither release holds x; they hold {MUE}, {PTP}, ncci-conventions",
        ),
        (
            "active",
            "active",
            ("--family", "COVERAGE"),
            f"no rule set of the releases is asked for; they hold {MUE}, {PTP}, ncci-conventions",
        ),
        (
            f"{PTP}@v30.1",
            f"{PTP}@v30.2",
            ("--family", "MUE"),
            f"{PTP} and {PTP} are not among the rule sets asked for; leave the filters out",
        ),
    ],
)
def test_what_cannot_be_compared(kept: Kept, old: str, new: str, arguments: tuple[str, ...], said: str) -> None:
    result = kept.diff(old, new, *arguments)
    assert (result.exit_code, result.stderr) == (2, f"error: {said}\n")


def test_no_release_is_active(tmp_path: Path) -> None:
    Store.open(tmp_path / "store", create=True)
    result = CliRunner().invoke(cli, ["diff", "active", "active", "--store", str(tmp_path / "store")])
    assert result.stderr == "error: no release is active; run 'claim-edits release activate'\n"


def test_rules_that_people_write_differ_by_field(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    for number, (units, status) in enumerate(((2, "FAIL"), (3, "REVIEW"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "rule-set.toml").write_text(
            f'id = "p"\nkind = "authored"\nfamily = "POLICY"\nlabel = "{number}"\neffective_from = "202{number}-01-01"\n'
            f'published_on = "202{number}-01-01"\nauthority = "T"\n'
        )
        (folder / "rules.toml").write_text(RULE.format(units=units, status=status))
        store.add_revision(*compile_rules(folder))
    result = CliRunner().invoke(cli, ["diff", "p@0", "p@1", "--store", str(store.path), "--format", "json"])
    (table,) = (t for t in orjson.loads(result.stdout)["rule_sets"][0]["tables"] if t["table"] == "rules")
    assert table["changed_columns"] == {"status": 1, "when": 1}
    (row,) = table["rows"]
    assert (row["key"], row["change"]) == ({"rule_id": "one", "effective_from": ""}, "STATUS_CHANGED")
    assert row["before"]["status"] == "FAIL" and row["after"]["status"] == "REVIEW"


def test_two_rule_sets_of_one_kind_where_asked_for(kept: Kept) -> None:
    store = Store.open(kept.path)
    store.add_revision(draft(header("medicare-mue-practitioner", "mue", "2024Q3", Q3), [mue("A0001", 4)]))
    names = ("medicare-mue-practitioner@2024Q3", f"{MUE}@2024Q3")
    assert kept.diff(*names).exit_code == 2
    said = kept.json(*names, "--across")
    assert (said["differences"], said["rule_sets"][0]["rule_set"]) == (2, MUE)
    assert f"  rule set: medicare-mue-practitioner -> {MUE}" in kept.diff(*names, "--across").stdout.splitlines()


def test_the_help_has_an_example() -> None:
    result = CliRunner().invoke(cli, ["diff", "--help"])
    assert "claim-edits diff medicare-mue-dme@2024Q2 medicare-mue-dme@2024Q3 --store store" in result.stdout
