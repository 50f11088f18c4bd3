"""Every known answer, in process (semantics.md §H). ``test_known_answers_grpc.py`` asks a server the same."""

from __future__ import annotations

import pytest
from cases import Case, build_release, disagreements, reason_to_skip

from claimedits.app.rendering import as_fields
from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store


def test_in_process(case: Case, store: Store, shared_revisions: tuple[str, ...]) -> None:
    reason = reason_to_skip(case)
    if reason:
        pytest.skip(reason)
    options = case["options"]
    engine = Engine.open(store, build_release(store, case, shared_revisions))
    decision = engine.evaluate(case["claim"], options["as_of"], options["families"], "ALL")
    assert disagreements(case, as_fields(decision, "short")) == []
