"""The commands of docs/diff.md run as printed and print what the page shows; its tables name what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from claimedits.app.comparison_documents import ROWS
from claimedits.app.comparison_text import WORDS
from claimedits.app.shipped import find_samples

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "diff.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
SAMPLE = "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv"


def test_the_example_runs_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    lines = (find_samples() / SAMPLE).read_bytes().splitlines(keepends=True)
    later = [line.replace(b"J1100,120,", b"J1100,100,") for line in lines if not line.startswith(b"J3420,")]
    (tmp_path / SAMPLE).write_bytes(b"".join(lines))
    (tmp_path / SAMPLE.replace("07-01", "10-01")).write_bytes(b"".join(later))
    commands, shown = BLOCKS[0][1].splitlines(), BLOCKS[1][1]
    for command in commands:
        arguments = [sys.executable, "-m", "claimedits.cli.main", *command.split()[1:]]
        done = subprocess.run(
            arguments, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            env={"PYTHONPATH": str(ROOT / "service")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert without_ids(done.stdout) == without_ids(shown)


def without_ids(text: str) -> str:
    """Ids are digests, of the importer's wording too."""
    return re.sub(r"\([0-9a-f]{12}\)", "(id)", text)


def test_every_word_that_is_said_is_explained() -> None:
    assert [word for word in WORDS if f"`{word}`" not in PAGE] == []


def test_every_column_of_the_file_is_named() -> None:
    assert [name for name in ROWS.names if not re.search(rf"[`, ]{name}[`,{{ ]", PAGE)] == []
