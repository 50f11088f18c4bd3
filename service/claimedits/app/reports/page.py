"""A report as parts that any report is made of, and the page they become.

The same report gives the same bytes: nothing on the page tells when or where it was made. Text is escaped by the template
engine; the page's own policy forbids it to load or send anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

Kind = Literal["text", "number", "money", "share"]
Tone = Literal["plain", "bad", "good", "warn"]

SHOWN = 50
"""Rows of a table on one page of it."""
MOST_ROWS = 20_000
"""Rows that a page carries of one table; the rest is counted, and stands in the machine-readable output."""
WIDTH, HEIGHT = 720, 240
"""Of a line chart, in its own units; it scales with the page."""


@dataclass(frozen=True)
class Card:
    """One figure at the head of the page."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    text: str
    """The value as it is read."""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Bars:
    """A bar chart: a list whose items are as long as their values."""

    caption: str
    bars: Sequence[Bar]

    @property
    def widths(self) -> list[float]:
        """Share of the longest bar, in percent with one decimal."""
        longest = max((bar.value for bar in self.bars), default=0.0)
        return [round(100 * bar.value / longest, 1) if longest else 0.0 for bar in self.bars]


@dataclass(frozen=True)
class Line:
    label: str
    values: Sequence[float | None]
    """One for each step; None = no value there."""


@dataclass(frozen=True)
class Lines:
    """A line chart over steps such as months, with the same figures as a table for who cannot see it."""

    caption: str
    steps: Sequence[str]
    lines: Sequence[Line]
    kind: Kind = "number"

    @property
    def top(self) -> float:
        """The greatest value: the height of the chart."""
        return max((value for line in self.lines for value in line.values if value is not None), default=0.0)

    def points(self, line: Line) -> list[str]:
        """The line's runs of points, cut where a value is missing, as SVG takes them."""
        runs: list[list[str]] = [[]]
        for i, value in enumerate(line.values):
            if value is None:
                runs.append([])
            else:
                runs[-1].append(f"{self.x(i):.1f},{self.y(value):.1f}")
        return [" ".join(run) for run in runs if run]

    def x(self, step: int) -> float:
        """Where a step stands, from the left."""
        return 10 + (WIDTH - 20) * (step / max(len(self.steps) - 1, 1))

    def y(self, value: float) -> float:
        """Where a value stands, from the top."""
        return HEIGHT - 10 - (HEIGHT - 20) * (value / self.top if self.top else 0.0)


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table that the reader sorts by any column and searches. Cells: text, or numbers as ``kind`` says."""

    name: str
    """Unique on the page; letters and dashes."""
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    """``number``: int; ``money``: cents; ``share``: 0 to 1; None = nothing to show."""
    total: int = 0
    """Rows that there are, when ``rows`` are only the first of them; 0 = these are all."""

    @property
    def carried(self) -> Sequence[Sequence[Any]]:
        """The rows that the page holds."""
        return self.rows[:MOST_ROWS]

    @property
    def whole(self) -> int:
        """How many rows there are, shown or not."""
        return max(self.total, len(self.rows))

    @property
    def data(self) -> Markup:
        """The carried rows for the script of the page. Whatever could end the element is written as an escape."""
        text = orjson.dumps([list(row) for row in self.carried]).decode()
        return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


Part = Note | Bars | Lines | Table


@dataclass(frozen=True)
class Section:
    name: str
    """Unique on the page: the target of a link."""
    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Report:
    """What a page says, from top to bottom."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]] = ()
    """What the report is about: releases, days, counts."""
    cards: Sequence[Card] = ()
    sections: Sequence[Section] = field(default_factory=tuple)


def draw_page(report: Report) -> str:
    """The page as HTML: one document with its styles, script, charts and data inside."""
    return _template().render(report=report, shown=SHOWN, most=MOST_ROWS, width=WIDTH, height=HEIGHT) + "\n"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole under its name, or not at all.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def format_cell(value: Any, kind: Kind) -> str:
    """A cell as it is read; the page's script writes the same."""
    if value is None:
        return ""
    if kind == "number":
        return f"{value:,}"
    if kind == "money":
        return f"${value / 100:,.2f}"
    if kind == "share":
        return f"{100 * value:.2f} %"
    return str(value)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("claimedits.app.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["cell"] = format_cell
    environment.globals["part_kind"] = lambda part: type(part).__name__
    environment.globals["raw"] = lambda name: Markup(_source(environment, name))
    return environment.get_template("page.html")


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
