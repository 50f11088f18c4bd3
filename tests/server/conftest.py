"""Stores and servers for tests of the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from served import Served, TwoReleases, make_two_releases, serve_process


@pytest.fixture
def two_releases(tmp_path: Path) -> TwoReleases:
    return make_two_releases(tmp_path / "store")


@pytest.fixture(scope="module")
def shared_releases(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    """For tests that change nothing."""
    return make_two_releases(tmp_path_factory.mktemp("shared") / "store")


@pytest.fixture(scope="module")
def shared_server(shared_releases: TwoReleases) -> Iterator[Served]:
    """One process for the tests of a module that change nothing; limits are small."""
    limits = ("--lines-per-claim", "5", "--history-lines-per-claim", "2", "--claims-per-batch", "4")
    with serve_process(shared_releases.path, *limits, "--message-bytes", "65536", "--streams", "2") as served:
        yield served
