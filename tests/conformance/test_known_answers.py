"""Every known answer, in process and over gRPC (semantics.md §H)."""

from __future__ import annotations

from pathlib import Path

import pytest
from cases import Case, build_release, disagreements, find_cases, read_cases, reason_to_skip

from claimedits.app.rendering import as_fields
from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = read_cases(find_cases(metafunc.config.getoption("--cases")))
        metafunc.parametrize("case", cases, ids=[case["id"] for case in cases])


@pytest.fixture(scope="session")
def store(store_path: Path) -> Store:
    return Store.open(store_path, create=True)


def test_in_process(case: Case, store: Store) -> None:
    reason = reason_to_skip(case)
    if reason:
        pytest.skip(reason)
    options = case["options"]
    engine = Engine.open(store, build_release(store, case))
    decision = engine.evaluate(case["claim"], options["as_of"], options["families"], "ALL")
    assert disagreements(case, as_fields(decision, "short")) == []
