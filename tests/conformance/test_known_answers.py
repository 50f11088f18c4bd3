"""Every known answer, in process: from a store, and as ``claim-edits test`` decides it (semantics.md §H).

``test_known_answers_grpc.py`` asks a server the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cases import SETS, build_release, disagreements

from claimedits.app.rendering import as_fields
from claimedits.app.testing.case_releases import CaseReleases
from claimedits.app.testing.cases import Case
from claimedits.app.testing.deciding import compare_case
from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store


@pytest.fixture(scope="session")
def releases() -> Iterator[CaseReleases]:
    opened = CaseReleases(SETS)
    yield opened
    opened.close()


def test_from_a_store(case: Case, store: Store, shared_revisions: tuple[str, ...]) -> None:
    engine = Engine.open(store, build_release(store, case, shared_revisions))
    decision = engine.evaluate(case.claim, case.as_of, case.families, "ALL")
    assert disagreements(case, as_fields(decision, "short")) == []


def test_as_the_command_decides(
    case: Case, releases: CaseReleases, store: Store, shared_revisions: tuple[str, ...]
) -> None:
    if shared_revisions:  # ``--store``: the cases are about what it holds
        engine = Engine.open(store, build_release(store, case, shared_revisions))
    else:
        engine = Engine(releases.open(case))
    decision = engine.evaluate(case.claim, case.as_of, case.families, "ALL")
    assert compare_case(case, decision) == ()
