"""The example of ``docs/columnar.md`` runs, and prints what it says of itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from lookup_release import open_release

from claimedits.model.line_table import LINE_SCHEMA

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "columnar.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    open_release(tmp_path)
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/columnar.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "1 claims, 1 refused",
        "{'claim_id': 'A-1', 'line_number': 1, 'family': 'MUE', 'status': 'NOT_EVALUATED', 'code': 'MUE_NO_VALUE'}",
        "{'claim_id': 'A-1', 'line_number': 2, 'family': 'PTP', 'status': 'FAIL', 'code': 'PTP_CONFLICT'}",
        "{'claim_id': 'A-2', 'row': 2, 'where': 'lines[0].procedure_code', 'what': 'is not a procedure code'}",
    ]


def test_every_column_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", PAGE))
    assert set(LINE_SCHEMA.names) <= described
