"""Lets these tests import what they share, and the small releases of the engine's tests, by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from made_release import open_made_release

from claimedits.engine.engine import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A release of every family over a few made-up codes."""
    return Engine(open_made_release(tmp_path_factory.mktemp("made")))
