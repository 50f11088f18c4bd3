"""Every problem of a rule set made from the texts of a test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rule_set_files import RULE, write_rule_set

from claimedits.model.problems import ImportRefusedError
from claimedits.rulesets.authored.compiler import compile_rules


@pytest.fixture
def problems_of(tmp_path: Path) -> Callable[..., list[str]]:
    """Every problem of a rule set, as the author reads it."""

    def find(rules: str | bytes = RULE, family: str = "POLICY", **files: str | bytes) -> list[str]:
        named = {name.replace("__", "/"): content for name, content in files.items()}
        root = write_rule_set(
            tmp_path, {"rules.toml": rules, **{f"{name}.csv": c for name, c in named.items()}}, family
        )
        with pytest.raises(ImportRefusedError) as error:
            compile_rules(root)
        return [str(problem) for problem in error.value.problems]

    return find
