"""Options of the conformance suite: which file of cases it runs. What its tests share: the cases, and one store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cases import find_cases, read_cases

from claimedits.rulesets.store import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", help="a file of cases in the form of the known answers, one JSON object a line")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = read_cases(find_cases(metafunc.config.getoption("--cases")))
        metafunc.parametrize("case", cases, ids=[case["id"] for case in cases])


@pytest.fixture(scope="session")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance") / "store"


@pytest.fixture(scope="session")
def store(store_path: Path) -> Store:
    return Store.open(store_path, create=True)
