"""Whether the code lists of a release hold a code on a day (semantics.md §F.1, §G.3; table E, row E01).

Several lists may serve one kind of code: HCPCS Level II as published, and a licensed list of CPT codes. A code is
judged by the rows that a list holds of it; a code that no list holds is unknown only to a list that covers its class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from claimedits.engine.evaluation import Evaluation
from claimedits.engine.presence import present_rows
from claimedits.model.dates import Day
from claimedits.model.finding import Citation
from claimedits.rulesets.code_sets import CodeRow, CodeSet, class_of_modifier, class_of_procedure
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.versions import Selection

PROCEDURE_CODES = "procedure-codes"
MODIFIERS = "modifiers"
COVERS = "covers"
"""Attribute of a list's header: the classes of codes that it holds in full, separated by blanks. A list that states
none is held to be complete."""
_CLASS_OF: dict[str, Callable[[str], str]] = {PROCEDURE_CODES: class_of_procedure, MODIFIERS: class_of_modifier}


class Standing(NamedTuple):
    """What the lists of a release say of one code on one day."""

    valid: bool | None
    """None: no list that governs the day covers the code's class."""
    loaded: LoadedRuleSet | None = None
    """The list that decided."""
    selection: Selection | None = None
    rows: tuple[CodeRow, ...] = ()
    """What the list holds of the code; empty where the code is unknown to it. The row that covers the day comes first."""

    def cite(self, row: CodeRow | None) -> Citation | None:
        """The citation of one of ``rows``; None = of the list as a whole."""
        if self.loaded is None or self.selection is None:
            return None
        return cite_row(self.loaded, self.selection, row) if row else self.loaded.cite(self.selection.in_force)


class CodeLists:
    """The lists of one kind (``procedure-codes``, ``modifiers``) as one claim sees them. False where there is none."""

    def __init__(self, evaluation: Evaluation, kind: str) -> None:
        self._evaluation = evaluation
        self._lists = [loaded for loaded in evaluation.release.rule_sets.values() if loaded.kind == kind]
        self._standings: dict[tuple[str, Day], Standing] = {}

    def __bool__(self) -> bool:
        return bool(self._lists)

    def judge(self, code: str, day: Day) -> Standing:
        """Whether ``code`` is valid on ``day``.

        A row with dates outweighs one without: a public list that names a modifier does not revive it before its
        first day. Among lists that hold the code, the one that became known last decides.
        """
        standing = self._standings.get((code, day))
        if standing is None:
            said = [s for loaded in self._lists if (s := _judge_by(self._evaluation, loaded, code, day)) is not None]
            standing = min(said, key=_weight) if said else Standing(None)
            self._standings[code, day] = standing
        return standing


def covers_class(loaded: LoadedRuleSet, selection: Selection, code_class: str) -> bool:
    """Whether the revision in force says that it holds every code of a class."""
    attributes = loaded.editions.revisions[selection.in_force].header.attributes
    return bool(code_class) and code_class in attributes.get(COVERS, "").split()


def cite_row(loaded: LoadedRuleSet, selection: Selection, row: CodeRow) -> Citation:
    """The citation of a row, in the revision in force where it stands there."""
    revision = selection.in_force if row.revisions >> selection.in_force & 1 else row.revisions.bit_length() - 1
    return loaded.cite(revision, (row.source, row.source_row), *row.dates())


def _weight(standing: Standing) -> tuple[bool, bool, Day, bool]:
    """Lists that hold the code come first, then dated rows, then the list known last, then a valid row."""
    assert standing.loaded is not None and standing.selection is not None
    published = standing.loaded.editions.revisions[standing.selection.in_force].header.published_on
    return not standing.rows, not any(row.is_dated for row in standing.rows), -published, not standing.valid


def _judge_by(evaluation: Evaluation, loaded: LoadedRuleSet, code: str, day: Day) -> Standing | None:
    """What one list says; None where it cannot say."""
    selection = evaluation.view(loaded, day, dated_rows=True).select(day)
    if selection is None:
        return None
    index: CodeSet = loaded.index
    bits = 1 << selection.in_force | 1 << selection.newest
    rows = tuple(row for row in index.windows(code) if row.revisions & bits)
    if rows:
        valid = present_rows(rows, day, selection, CodeRow.covers, _first_day)
        return Standing(bool(valid), loaded, selection, tuple(sorted(rows, key=lambda row: row not in valid)))
    if selection.reconstructed:
        return None  # a later list no longer names codes that ended long before it
    header = loaded.editions.revisions[selection.in_force].header
    if COVERS not in header.attributes or not _CLASS_OF[loaded.kind](code):
        return Standing(False, loaded, selection)
    return Standing(False, loaded, selection) if covers_class(loaded, selection, _CLASS_OF[loaded.kind](code)) else None


def _first_day(row: CodeRow) -> Day:
    return row.effective_from
