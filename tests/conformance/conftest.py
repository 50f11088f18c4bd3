"""Options of the conformance suite: which file of cases it runs. What its tests share: the cases, and one store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cases import find_cases, good_cases

from claimedits.rulesets.imports import ImportOptions, import_files
from claimedits.rulesets.store import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", help="a file of cases in the form of the known answers, one JSON object a line")
    parser.addoption(
        "--coverage-export", help="a coverage database export that the cases are about, read for every case"
    )


@pytest.fixture(scope="session")
def shared_revisions(request: pytest.FixtureRequest, store: Store) -> tuple[str, ...]:
    """Revisions that every case's release holds beside its own: those of ``--coverage-export``."""
    export = request.config.getoption("--coverage-export")
    drafts = import_files("coverage", [Path(export)], ImportOptions()) if export else []
    return tuple(store.add_revision(draft)[0].id for draft in drafts)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = good_cases(find_cases(metafunc.config.getoption("--cases")))
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


@pytest.fixture(scope="session")
def store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance") / "store"


@pytest.fixture(scope="session")
def store(store_path: Path) -> Store:
    return Store.open(store_path, create=True)
