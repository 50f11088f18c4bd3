"""Makes the generators of this directory importable, and opens the project's conventions once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"


@pytest.fixture(scope="session")
def conventions() -> Conventions:
    draft = compile_table_rules(RULES / "ncci-conventions")
    return Conventions({name: table.to_pylist() for name, table in draft.tables.items()})
