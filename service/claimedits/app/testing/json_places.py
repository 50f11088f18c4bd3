"""Columns of the values of one line of JSON, which ``json`` does not tell."""

from __future__ import annotations

import json
import re

Path = tuple[str | int, ...]
_TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|[\[\]{},:]|[^\s\[\]{},:"]+)')


def find_columns(text: str) -> dict[Path, int]:
    """The column (1-based) of every value of a JSON document of one line, by path: ``("claim", "lines", 0, "units")``.

    The text must be JSON, and no deeper than ``json.loads`` reads; the values of an object's repeated key keep the last place.
    """
    columns: dict[Path, int] = {}
    path: list[str | int] = []
    inside: list[str] = []
    key_next = False
    for match in _TOKEN.finditer(text):
        token, column = match[1], match.start(1) + 1
        if token in "]}":
            inside.pop()
            path.pop()
        elif token == ",":
            if inside[-1] == "[":
                place = path[-1]
                assert isinstance(place, int)
                path[-1] = place + 1
            key_next = inside[-1] == "{"
        elif token == ":":
            key_next = False
        elif key_next:
            path[-1] = _key(token)
        else:
            columns[tuple(path)] = column
            if token in "[{":
                inside.append(token)
                path.append(0 if token == "[" else "")
                key_next = token == "{"
    return columns


def _key(token: str) -> str:
    return str(json.loads(token)) if "\\" in token else token[1:-1]


def column_of(columns: dict[Path, int], path: Path) -> int:
    """The column of a value, or of the nearest thing around it that is there."""
    while path and path not in columns:
        path = path[:-1]
    return columns.get(path, 1)


_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def read_path(where: str) -> Path:
    """``claim.lines[2].units`` as a path."""
    return tuple(name if name else int(place) for name, place in _STEP.findall(where))
