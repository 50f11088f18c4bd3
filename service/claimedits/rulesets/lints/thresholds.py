"""What is unusual in an update: dated data (``rules/lints/thresholds.toml``), overridden by ``lints.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from claimedits.model.dates import Day, parse_day
from claimedits.model.problems import StoreError

EVERY = "*"


@dataclass(slots=True, frozen=True)
class Thresholds:
    """Numbers beyond which a lint speaks; None = not stated, so the lint that asks for it is silent."""

    rows_share: float | None = None
    """More or fewer rows than this share of the rows before."""
    changed_share: float | None = None
    """More rows than this share added, removed or changed."""
    vanished_run: float | None = None
    """So many neighbouring rows gone together are a range."""
    value_factor: float | None = None
    """A value that became more than so many times as large."""
    fall_factor: float | None = None
    """A value that became less than one in so many."""
    like_edits: float | None = None
    """So many edits of a code make a habit."""
    odd_share: float | None = None
    """A new edit with an indicator that less than this share of the edits like it have is odd."""
    odd_direction: float | None = None
    """A new edit against the usual columns of its codes is odd from this on: the natural logarithm of the odds."""

    def over(self, other: Thresholds) -> Thresholds:
        """These, and where one is not stated that of ``other``."""
        mine = {field.name: getattr(self, field.name) for field in fields(self)}
        return Thresholds(**{n: getattr(other, n) if v is None else v for n, v in mine.items()})


FIELDS = tuple(field.name for field in fields(Thresholds))
_OTHER = ("kind", "effective_from", "source")


class ThresholdTable:
    """The shipped thresholds by kind and day."""

    def __init__(self, rows: list[Mapping[str, Any]]) -> None:
        self._rows = sorted(
            ((str(row["kind"]), parse_day(row["effective_from"]), _thresholds(row)) for row in rows),
            key=lambda row: row[:2],
        )

    def of(self, kind: str, day: Day, own: Mapping[str, Thresholds]) -> Thresholds:
        """Thresholds for a revision of ``kind`` that takes effect on ``day``; ``own`` come first."""
        found = own.get(kind, Thresholds()).over(own.get(EVERY, Thresholds()))
        for name in (kind, EVERY):
            dated = [thresholds for row_kind, start, thresholds in self._rows if row_kind == name and start <= day]
            if dated:
                found = found.over(dated[-1])
        return found


def _thresholds(row: Mapping[str, Any]) -> Thresholds:
    return Thresholds(**{name: row[name] for name in FIELDS if name in row})


def read_thresholds(path: Path) -> ThresholdTable:
    """The table of a TOML file.

    Raises:
        StoreError: it is missing, or a row is malformed; the message names the file.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["threshold"]
        for row in rows:
            unknown = set(row) - {*FIELDS, *_OTHER}
            if unknown or not row["source"]:
                raise ValueError(f"unknown fields {', '.join(sorted(unknown))}" if unknown else "a row has no source")
        return ThresholdTable(rows)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); restore it as shipped") from error
