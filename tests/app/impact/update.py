"""Two small releases in one store: what an update replaces, and what it replaces it with."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "engine"))

from releases import drafts_of_rows

from claimedits.app.impact.running import Question
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"
Rows = Sequence[Mapping[str, Any]]


def make_update(path: Path, before: Rows, after: Rows) -> Question:
    """The question what ``after`` changes against ``before`` (rows in the known-answers form)."""
    store = Store.open(path / "store", create=True)
    shared = [compile_table_rules(RULES / name) for name in ("ncci-conventions", "duplicates")]
    releases = [
        store.create_release([store.add_revision(draft)[0].id for draft in [*drafts_of_rows(rows), *shared]])
        for rows in (before, after)
    ]
    return Question(path / "store", releases[0].id, releases[1].id, "2026-11-01", (), None)
