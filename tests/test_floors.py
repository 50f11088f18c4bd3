"""The floors of the house: lower never imports higher (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "service" / "claimedits"
FLOORS = ["model", "rulesets", "engine", "app", "server", "cli"]
"""From the lowest to the highest."""


def _imports(path: Path) -> list[tuple[int, str]]:
    """(line, module) of every import of the package in a file, those inside functions included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
    return [(line, module) for line, module in found if module.startswith("claimedits.")]


def test_lower_floors_never_import_higher_ones() -> None:
    upward = []
    for height, floor in enumerate(FLOORS):
        for path in sorted((PACKAGE / floor).rglob("*.py")):
            for line, module in _imports(path):
                other = module.split(".")[1]
                if other in FLOORS and FLOORS.index(other) > height:
                    upward.append(f"{path.relative_to(PACKAGE)}:{line} imports {module}")
    assert upward == []


def test_only_app_and_above_know_the_wire() -> None:
    below = [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for floor in ("model", "rulesets", "engine")
        for path in sorted((PACKAGE / floor).rglob("*.py"))
        for line, module in _imports(path)
        if module.split(".")[1] == "v1"
    ]
    assert below == []


def test_every_folder_of_the_package_is_a_floor() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))}
    assert folders == {*FLOORS, "v1", "samples"}
