"""A release of every family over a few made-up codes, for the tests of evaluation on Spark."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "engine"))
sys.path.insert(0, str(Path(__file__).parents[2] / "engine" / "columnar"))

from made_release import open_made_release

from claimedits.rulesets.store import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Its release is active."""
    path = tmp_path_factory.mktemp("made")
    release = open_made_release(path)
    made = Store.open(path / "store")
    made.activate(release.id, "test")
    return made
