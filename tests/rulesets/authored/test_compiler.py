"""Rule files become one revision: the same content, the same tables; strata, dated versions, lists with a byte-order mark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rule_set_files import RULE, write_rule_set

from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.rule import rule_from_json, rule_to_json

RULES = Path(__file__).parents[3] / "rules"
LIST = "first,last,effective_from,effective_to,source\nG0438,G0439,,,Test\n"


@pytest.mark.parametrize("name", ["medicare-modifier-requirements", "example-payer-policy"])
def test_shipped_rules_survive_the_round_trip(name: str) -> None:
    forms = [json.loads(row) for row in compile_rules(RULES / name)[0].tables["rules"]["rule"].to_pylist()]
    assert forms and [rule_to_json(rule_from_json(form)) for form in forms] == forms


def test_same_files_same_tables(tmp_path: Path) -> None:
    one, other = (
        compile_rules(write_rule_set(tmp_path / name, {"rules.toml": RULE, "lists/x.csv": LIST}))[0]
        for name in _made(tmp_path)
    )
    assert one.header == other.header
    assert {n: t.to_pylist() for n, t in one.tables.items()} == {n: t.to_pylist() for n, t in other.tables.items()}


def _made(path: Path) -> list[str]:
    for name in ("a", "b"):
        (path / name).mkdir()
    return ["a", "b"]


def test_byte_order_marks_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    rules = RULE.replace("""is "G0439\"""", "is in list x")
    bom = "\ufeff"
    files = {"rules.toml": (bom + rules).replace("\n", "\r\n"), "lists/x.csv": (bom + LIST).replace("\n", "\r\n")}
    draft = compile_rules(write_rule_set(tmp_path, files))[0]
    assert [row["first"] for row in draft.tables["lists"].to_pylist()] == ["G0438"]
    assert draft.tables["rules"].num_rows == 1


def test_a_rule_that_reads_another_is_decided_after_it(tmp_path: Path) -> None:
    block = '[[rule.with]]\nwhat = "finding"\nfamily = "POLICY"\nrules = ["{}"]\n'
    rules = RULE.replace('"one"', '"last"', 1) + block.format("middle")
    rules += RULE.replace('"one"', '"middle"', 1) + block.format("first") + RULE.replace('"one"', '"first"', 1)
    table = compile_rules(write_rule_set(tmp_path, {"rules.toml": rules}))[0].tables["rules"].to_pylist()
    assert {row["rule_id"]: row["stratum"] for row in table} == {"first": 0, "middle": 1, "last": 2}


def test_rows_name_the_line_they_stand_on(tmp_path: Path) -> None:
    draft = compile_rules(write_rule_set(tmp_path, {"rules.toml": "# a word\n" + RULE, "lists/x.csv": LIST}))[0]
    (rule,) = draft.tables["rules"].to_pylist()
    assert (draft.header.sources[rule["source"]].file, rule["source_row"]) == ("rules.toml", 2)
    (row,) = draft.tables["lists"].to_pylist()
    assert (draft.header.sources[row["source"]].file, row["source_row"]) == ("lists/x.csv", 2)


def test_conjunctions_bind_closer_than_alternatives(tmp_path: Path) -> None:
    when = """'line.units is 1 and line.days is 1 or not (line.units is 2 or line.days is 2)'"""
    rules = RULE.replace("""'line.procedure_code is "G0439"'""", when)
    draft = compile_rules(write_rule_set(tmp_path, {"rules.toml": rules}))[0]
    content = AUTHORED_INDEX.open_tables({name: table.to_pylist() for name, table in draft.tables.items()})
    assert rule_to_json(content.rules[0].rule)["when"] == [
        "any",
        ["all", ["test", "line.units", "number_is", ["1"]], ["test", "line.days", "number_is", ["1"]]],
        ["all", ["not", "line.units", "number_is", ["2"]], ["not", "line.days", "number_is", ["2"]]],
    ]


def test_two_versions_of_a_rule_follow_each_other(tmp_path: Path) -> None:
    rules = RULE + 'effective_to = "2024-06-30"\n' + RULE + "effective_from = 2024-07-01\n"
    table = compile_rules(write_rule_set(tmp_path, {"rules.toml": rules}))[0].tables["rules"].to_pylist()
    assert [(row["rule_id"], row["effective_from"]) for row in table] == [("one", ""), ("one", "2024-07-01")]
