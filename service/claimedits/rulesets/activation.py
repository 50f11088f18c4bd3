"""Which release is active, and who made it so: one document, replaced whole.

The last entry of the history is the active release. Pointer and history are one file, so that one rename moves both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from claimedits.model.problems import StoreError
from claimedits.rulesets.sealed_documents import read_sealed, seal


class ActiveReleaseChangedError(StoreError):
    """Another release is active than the caller believed; nothing was changed."""

    def __init__(self, message: str, current: str) -> None:
        """``current`` is the id of the release that is active; empty = none is."""
        self.current = current
        super().__init__(message)


MEND = (
    "restore it from a backup; or remove it and activate a release again with 'claim-edits release activate', "
    "which begins a new history"
)


@dataclass(slots=True, frozen=True)
class Activation:
    """One move of the pointer to the active release."""

    release: str
    """Id of the release that became active."""
    previous: str
    """Id of the release that was active until then; empty = none."""
    who: str
    why: str
    at: str
    """UTC, ``2026-11-24T14:00:00Z``."""
    action: str
    """``activate`` or ``rollback``."""


def activations_document(history: Sequence[Activation]) -> bytes:
    """The file that keeps the history, oldest first."""
    return seal({"activations": [asdict(activation) for activation in history]})


def read_activations(path: Path) -> list[Activation]:
    """The history, oldest first.

    Raises:
        StoreError: the file is missing or damaged; the message names it.
    """
    return [Activation(**fields) for fields in read_sealed(path, MEND)["activations"]]


def check_current(history: Sequence[Activation], expected: str | None) -> None:
    """Compare the active release with what a caller believes: None = does not care, empty = none is active.

    Raises:
        ActiveReleaseChangedError: someone else has changed it.
    """
    current = history[-1].release if history else ""
    if expected is not None and expected != current:
        by = f" by {history[-1].who} at {history[-1].at}" if history else ""
        raise ActiveReleaseChangedError(
            f"someone else changed the active release: it is {current or 'none'}{by}, not {expected or 'none'}; "
            "look at 'claim-edits release list', then decide again",
            current,
        )
