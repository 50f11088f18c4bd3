"""Every file and every command of ``docs/testing-rules.md``, in the order of the page: the output is what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from claimedits.app.testing.cases import CASE_FIELDS, FINDING_FIELDS, OPTION_FIELDS
from claimedits.cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "testing-rules.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:^`(?P<file>[\w./-]+)`\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)


def test_the_page_does_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = 0
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            path = tmp_path / block["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "console":
            for part in re.split(r"^\$ ", block["text"], flags=re.M)[1:]:
                command, _, shown = part.partition("\n")
                result = CliRunner().invoke(cli, shlex.split(command)[1:])
                assert result.output == shown, command
                commands += 1
    assert commands >= 6


def test_every_field_is_explained() -> None:
    fields = [f"`{name}`" for name in (*CASE_FIELDS, *OPTION_FIELDS, *FINDING_FIELDS)]
    assert [name for name in fields if name not in PAGE] == []


def test_every_option_is_explained() -> None:
    helped = CliRunner().invoke(cli, ["test", "--help"]).output
    options = set(re.findall(r"--[a-z-]+", helped)) - {"--help", "--evaluator", "--no-fail-on-empty"}
    assert sorted(name for name in options if name not in PAGE) == []
