"""Editions are held against those that they follow: an export of coverage documents not against roles read out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from claimedits.app.checking import find_predecessor
from claimedits.app.shipped import find_rules, find_samples
from claimedits.cli.main import cli
from claimedits.rulesets.store import Store


@pytest.mark.parametrize("roles_first", [True, False])
def test_an_export_is_not_held_against_curated_roles(roles_first: bool, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    files = sorted(map(str, (find_samples() / "coverage").iterdir()))
    dates = ["--effective-from", "2024-01-01", "--published-on", "2024-01-01"]
    commands = [
        ["build", str(find_rules()), "--store", store],
        ["import", "coverage", *files, *dates, "--store", store],
    ]
    for command in commands if roles_first else reversed(commands):
        result = CliRunner().invoke(cli, command)
        assert result.exit_code == 0, result.output
    kept = Store.open(tmp_path / "store")
    revisions = kept.revisions("medicare-coverage")
    assert sorted("roles" in info.rows for info in revisions) == [False, True]
    assert [find_predecessor(kept, info) for info in revisions] == [None, None]
    result = CliRunner().invoke(cli, ["release", "create", "--store", store])
    assert result.exit_code == 0, result.output
