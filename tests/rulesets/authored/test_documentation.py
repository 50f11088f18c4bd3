"""``rules/README.md`` and ``rules/rule.schema.json`` say what the compiler does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rule_set_files import write_rule_set

from claimedits.rulesets.authored import checking, vocabulary
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.authored.sentences import OPERATORS

RULES = Path(__file__).parents[3] / "rules"
README = (RULES / "README.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"```toml\n(.*?)```", README, re.S) if "[[rule]]" in block]
LISTS: dict[str, str] = dict(re.findall(r"`(lists/[\w-]+\.csv)`\n\n```csv\n(.*?)```", README, re.S))
SCHEMA = json.loads((RULES / "rule.schema.json").read_text(encoding="utf-8"))
FIELDS = SCHEMA["properties"]["rule"]["items"]["properties"]


@pytest.mark.parametrize("example", EXAMPLES, ids=[re.findall(r'id = "([^"]+)"', example)[0] for example in EXAMPLES])
def test_worked_example_compiles(tmp_path: Path, example: str) -> None:
    draft = compile_rules(write_rule_set(tmp_path, {"rules.toml": example, **LISTS}))[0]
    assert draft.tables["rules"].num_rows == example.count("[[rule]]")


def test_every_word_of_the_language_is_explained() -> None:
    words = [*(f"`{name}`" for name in checking.RULE_FIELDS if name not in ("with", "without", "remedy"))]
    words += [f"`{name}`" for name in vocabulary.ATTRIBUTES if not name.startswith("other.")]
    words += [f"`{{{name}}}`" for name in vocabulary.PLACEHOLDERS] + [f"`{name}`" for name in vocabulary.JOINS]
    words += [f"`{operator}" for operators in OPERATORS.values() for operator in operators]
    assert [word for word in words if word not in README] == []


def test_schema_has_the_fields_and_words_of_the_compiler() -> None:
    line_block, finding_block = FIELDS["with"]["items"]["anyOf"]
    assert tuple(sorted(FIELDS)) == tuple(sorted(checking.RULE_FIELDS))
    assert set(line_block["properties"]) == set(checking.LINE_BLOCK_FIELDS)
    assert set(finding_block["properties"]) == set(checking.FINDING_BLOCK_FIELDS)
    assert set(FIELDS["remedy"]["items"]["properties"]) == set(checking.REMEDY_FIELDS)
    closed: dict[str, Any] = {
        "status": vocabulary.OUTCOMES,
        "if_unknown": vocabulary.IF_UNKNOWN,
        "overridable": vocabulary.OVERRIDABLE,
    }
    assert {name: tuple(FIELDS[name]["enum"]) for name in closed} == closed
    assert tuple(FIELDS["remedy"]["items"]["properties"]["action"]["enum"]) == vocabulary.ACTIONS
    assert line_block["properties"]["same"]["items"]["enum"] == list(vocabulary.JOINS)


def test_every_mistake_of_the_page_is_tested() -> None:
    tested = Path(__file__).with_name("test_messages.py").read_text(encoding="utf-8")
    told = re.findall(r"^\| .* \| `(.*)` \|$", README.partition("## Mistakes")[2], re.M)
    assert len(told) >= 5
    assert [message for message in told if message not in tested.replace('\\"', '"')] == []
