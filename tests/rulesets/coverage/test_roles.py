"""Curated roles: what compiles, what is refused, when a role lapses."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.coverage.roles import compile_roles

SHIPPED = Path(__file__).parents[3] / "rules" / "coverage-roles"
HEAD = 'id = "medicare-coverage"\nkind = "coverage"\nlabel = "roles"\neffective_from = "1900-01-01"\npublished_on = "2026-01-01"\n'
DOCUMENT = '[[document]]\nid = "A90001"\nversion = "3"\nreviewer = "J. Doe"\nreviewed_on = "2026-01-05"\ncitation = "A90001 v3"\n'
GROUP = f'[[document.group]]\nlist = "covered"\nnumber = 1\nrole = "standalone"\nparagraph_sha256 = "{"0" * 64}"\nwhy = "says so"\n'


def compile_text(path: Path, text: str) -> list[dict[str, object]]:
    (path / "rule-set.toml").write_text(HEAD, encoding="utf-8")
    (path / "a90001.toml").write_text(text, encoding="utf-8")
    return compile_roles(path).tables["roles"].to_pylist()


def problems_of(path: Path, text: str) -> list[str]:
    with pytest.raises(ImportRefusedError) as refused:
        compile_text(path, text)
    return [str(problem) for problem in refused.value.problems]


def test_what_is_shipped_compiles() -> None:
    assert compile_roles(SHIPPED).header.rule_set == "medicare-coverage"


def test_a_role_becomes_a_row(tmp_path: Path) -> None:
    group = GROUP + 'procedure_codes = ["11720"]\nwaived_by_modifiers = ["Q7", "Q8"]\n'
    (row,) = compile_text(tmp_path, DOCUMENT + group)
    kept = (
        "document_id",
        "document_version",
        "list",
        "group_number",
        "role",
        "procedure_codes",
        "waived_by_modifiers",
        "source_row",
    )
    assert [row[name] for name in kept] == ["A90001", "3", "covered", 1, "standalone", "11720", "Q7 Q8", 1]


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    text = (
        DOCUMENT.replace('"3"', "3")
        + GROUP.replace('"standalone"', '"alone"')
        + "procedure_codes = [11720]\nextra = 1\n"
    )
    assert problems_of(tmp_path, text) == [
        'a90001.toml:[[document]] 1: version: is missing or is no text; write version = "…"',
        "a90001.toml:[[group]] 1: role: is missing or malformed; use one of narrative, non_covered, none, not_supporting, "
        "primary_eligible, required_secondary, standalone",
        'a90001.toml:[[group]] 1: procedure_codes: is missing or malformed; write codes as quoted text, as in ["11720", "11721"]',
        "a90001.toml:[[group]] 1: extra: is unknown; use one of list, number, role, procedure_codes, diagnoses, asterisks, "
        "waived_by_modifiers, paragraph_sha256, why",
    ]


def test_a_group_stated_twice_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, DOCUMENT + GROUP + GROUP) == [
        "a90001.toml:[[group]] 2: states A90001 version 3 covered 1 a second time; "
        "keep one, or say by procedure_codes, diagnoses or asterisks which part each is about"
    ]


def test_a_malformed_file_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "[[document]")[0].startswith("a90001.toml: is not TOML: ")
