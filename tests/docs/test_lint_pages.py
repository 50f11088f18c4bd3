"""Every lint has a page, and what its page says to avoid and to prefer is what check says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "checking"))

from lint_examples import BASE, BEFORE, check_example

from claimedits.app.checking import Severity
from claimedits.cli.main import cli
from claimedits.rulesets.lints.catalogue import LINTS

PAGES = Path(__file__).parents[2] / "docs" / "lints"
OVERVIEW = (PAGES / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"`(?P<name>[^`\n]+)`(?P<said>[^\n]*)\n\n```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
_ABSENT = re.compile(r"^No `(?P<name>[^`]+)`\.$", re.MULTILINE)


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def table_before() -> str:
    return section(OVERVIEW, "The table of the examples").split("```csv\n")[1].split("```")[0]


def files_of(text: str) -> dict[str, str]:
    """The files that a section shows; a block of differences is applied to the table of the overview."""
    files = {match["name"]: "" for match in _ABSENT.finditer(text)}
    if "`edits.csv` against" in text:
        files |= {f"edits.csv{BEFORE}": table_before(), "edits.csv": table_before()}
    for match in _BLOCK.finditer(text):
        is_difference = match["kind"] == "diff"
        files[match["name"]] = apply_differences(match["text"]) if is_difference else match["text"]
    return files


def apply_differences(text: str) -> str:
    """Each new row takes the place of one that is gone before it; the others stand at the end."""
    rows: list[str | None] = list(table_before().splitlines())
    places: list[int] = []
    for line in text.splitlines():
        if line.startswith("-"):
            places.append(rows.index(line[1:]))
            rows[places[-1]] = None
        elif places:
            rows[places.pop(0)] = line[1:]
        else:
            rows.append(line[1:])
    return "\n".join(row for row in rows if row is not None) + "\n"


@pytest.fixture(params=LINTS)
def page(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A lint's id and its page; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    return request.param, (PAGES / LINTS[request.param].page).read_text(encoding="utf-8")


def test_what_to_avoid_is_found(page: tuple[str, str], tmp_path: Path) -> None:
    lint, text = page
    said = section(text, "Avoid").split("```text\n")[1].split("\n```")[0]
    found = check_example(files_of(section(text, "Avoid").split("`claim-edits check` says:")[0]), tmp_path)
    assert said in [str(finding) for finding in found]
    assert lint in {finding.lint.id for finding in found}


def test_what_to_prefer_passes(page: tuple[str, str], tmp_path: Path) -> None:
    lint, text = page
    found = check_example(files_of(section(text, "Prefer")), tmp_path)
    assert [str(finding) for finding in found if finding.severity > Severity.INFO or finding.lint.id == lint] == []


def test_page_says_why_and_how_to_let_it_stand(page: tuple[str, str]) -> None:
    lint, text = page
    assert text.startswith(f"# {lint} {LINTS[lint].name}\n")
    assert section(text, "Why").strip()
    assert section(text, "When it may stand").strip()


def test_explain_prints_the_page(page: tuple[str, str]) -> None:
    lint, text = page
    result = CliRunner().invoke(cli, ["check", "--explain", lint.lower()])
    assert (result.exit_code, result.output) == (0, text)


def test_overview_lists_every_lint_and_no_other() -> None:
    rows = re.findall(r"^\| \[(CE\d+)\]\((\S+)\) \| `(\S+)` \| (\w+) \| (.+) \|$", OVERVIEW, re.MULTILINE)
    assert rows == [
        (lint.id, lint.page, lint.name, lint.severity.name.lower(), lint.summary) for lint in LINTS.values()
    ]
    assert {path.name for path in PAGES.glob("CE*.md")} == {lint.page for lint in LINTS.values()}


def test_overview_shows_the_base_of_the_examples() -> None:
    assert files_of(section(OVERVIEW, "The rule set of the examples")) == BASE
