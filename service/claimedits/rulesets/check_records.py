"""What the checks and tests beside a rule set said when it was last built: kept beside its revision, not in it.

A test may be mended without the rules: the revision stays the same, and what is known of it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from claimedits.model.problems import Problem
from claimedits.rulesets.sealed_documents import read_sealed, seal

MEND = "build the rules again with 'claim-edits build'"


@dataclass(slots=True, frozen=True)
class CheckRecord:
    """The result of the last checks of a revision."""

    at: str
    """UTC, ``2026-11-24T14:00:00Z``."""
    engine_version: str
    """The engine that decided the tests."""
    tests: int
    """How many tests ran."""
    problems: tuple[Problem, ...]
    """What was refused, with the places in the files beside the rules; empty = nothing."""


def record_document(record: CheckRecord) -> bytes:
    """The file that keeps a record."""
    return seal(asdict(record))


def read_record(path: Path) -> CheckRecord | None:
    """The record kept in ``path``; None where there is none.

    Raises:
        StoreError: the file is damaged; the message names it.
    """
    if not path.exists():
        return None
    fields = read_sealed(path, MEND)
    problems: Sequence[dict[str, str]] = fields.pop("problems")
    return CheckRecord(**fields, problems=tuple(Problem(**problem) for problem in problems))
