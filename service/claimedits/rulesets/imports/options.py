"""What an import may be told, where names and content do not say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claimedits.model.dates import Day
from claimedits.model.terms import Program, Setting

if TYPE_CHECKING:
    import pyarrow as pa

    from claimedits.rulesets.coverage.assembly import CuratedRole


@dataclass(slots=True, frozen=True)
class ImportOptions:
    """Flags of ``claim-edits import``. A contradiction between a flag and a file's name stops the import."""

    program: Program | None = None
    setting: Setting | None = None
    label: str | None = None
    effective_from: Day | None = None
    published_on: Day | None = None
    expected_rows: int | None = None
    """Rows printed on the download label."""
    max_reject_fraction: float = 0.001
    """More rejected rows than this share of the rows read stop the import."""
    confidential: bool = False
    """The file holds confidential MUE values."""
    max_unpacked_bytes: int = 2 << 30
    known_notes: frozenset[str] | None = None
    """Add-on notes that somebody has read; None = do not check."""
    curated_roles: Mapping[tuple[str, str], Sequence[CuratedRole]] | None = None
    """What people have read out of coverage documents, by id and version; None = nothing."""
    previous: Callable[[str, Day], Mapping[str, pa.Table] | None] | None = None
    """The tables of the newest kept edition of a rule set that takes effect before a day; None = there is none."""
    progress: Callable[[str, int, int], None] | None = None

    def tell(self, stage: str, done: int, total: int) -> None:
        """Report progress where somebody watches."""
        if self.progress is not None:
            self.progress(stage, done, total)

    def previous_table(self, rule_set: str, effective_from: Day, name: str) -> pa.Table | None:
        """A table of the edition before; None where there is none to compare with."""
        tables = self.previous(rule_set, effective_from) if self.previous is not None else None
        return tables[name] if tables is not None else None
