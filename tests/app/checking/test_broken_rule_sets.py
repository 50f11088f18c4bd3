"""Rule sets and updates with one mistake each: the message to the letter, and silence for the good twin.

Each file of ``tests/fixtures/lints`` is one pair; ``lint_examples`` says how its files are read.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lint_examples import check_example

from claimedits.app.checking import Severity
from claimedits.rulesets.lints.catalogue import LINTS

FIXTURES = Path(__file__).parents[2] / "fixtures" / "lints"
EXAMPLES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.glob("*.toml"))}


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One pair of examples; the working directory is an empty one."""
    monkeypatch.chdir(tmp_path)
    return EXAMPLES[request.param]


def test_the_mistake_is_named(example: dict[str, Any], tmp_path: Path) -> None:
    findings = check_example(example["avoid"], tmp_path)
    assert [str(finding) for finding in findings] == example["messages"]
    assert example["lint"] in {finding.lint.id for finding in findings}


def test_the_good_twin_passes(example: dict[str, Any], tmp_path: Path) -> None:
    findings = check_example(example["prefer"], tmp_path)
    assert [str(finding) for finding in findings if finding.severity > Severity.INFO] == []
    assert example["lint"] not in {finding.lint.id for finding in findings}


def test_every_lint_has_an_example() -> None:
    assert {example["lint"] for example in EXAMPLES.values()} == set(LINTS)
