"""Problems in what people send or load, said so that they can be mended: where, what, how. All at once, never the first alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Problem:
    """One thing wrong. ``where`` is a field path (``lines[2].units``) or ``file:row:column``, never claim content."""

    where: str
    what: str
    mend: str = ""
    code: str = ""
    """A stable name, such as ``E_CODE_NUMERIC`` (file-formats.md §0)."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.mend}" if self.mend else "")


class ClaimEditsError(Exception):
    """Base of the errors that a caller or an operator can act on. The message is meant for them."""


class ProblemsError(ClaimEditsError):
    """Something was refused whole, because of one or more problems."""

    def __init__(self, problems: Iterable[Problem], headline: str = "") -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        self.headline = headline
        super().__init__("\n".join([*([headline] if headline else []), *map(str, self.problems)]))


class ClaimInvalidError(ProblemsError):
    """A claim that cannot be evaluated: malformed, contradictory, or over a limit of its shape."""


class ImportRefusedError(ProblemsError):
    """A publisher's file that was not imported; nothing was kept."""


class StoreError(ClaimEditsError):
    """The store cannot do what was asked: damaged, locked, full, or not a store."""


class AmbiguousIdError(StoreError):
    """The beginning of an id that several revisions or releases share."""


class NotFoundError(ClaimEditsError):
    """A release, revision or rule set that the store does not hold."""
