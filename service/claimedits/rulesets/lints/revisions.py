"""Lints of an imported revision against the one it follows: its head, its rows, what came and what went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from claimedits.model.dates import FOREVER, format_day
from claimedits.model.problems import Problem
from claimedits.rulesets.comparison.revisions import RevisionComparison, compare_tables
from claimedits.rulesets.lints.code_books import Books
from claimedits.rulesets.lints.lint import LintFinding
from claimedits.rulesets.lints.mue_updates import check_mue_update
from claimedits.rulesets.lints.ptp_updates import check_ptp_update
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.lints.table_content import check_content
from claimedits.rulesets.lints.table_updates import check_update
from claimedits.rulesets.lints.thresholds import Thresholds
from claimedits.rulesets.revision import RevisionHeader, RevisionInfo

WRITTEN = frozenset(("authored", "conventions", "duplicates", "code-edits"))
"""Kinds that people write: their rows are linted before they are built, and read when they are reviewed."""
_QUARTERLY = frozenset(("ptp", "mue", "pfs"))
"""Kinds of which one revision alone governs a day."""
MOST = 100
"""Findings of one lint that are listed for one revision."""
Opened = tuple[RevisionInfo, Mapping[str, pa.Table]]


def check_revision(
    new: Opened,
    old: Opened | None,
    rejects: Sequence[Problem],
    thresholds: Thresholds,
    books: Books,
    comparison: RevisionComparison | None = None,
) -> list[LintFinding]:
    """Everything odd in a revision, in itself and against the one before.

    Args:
        old: the revision that it follows; None = it is the first.
        rejects: rows that its import left out.
        comparison: of the two, where it was made already.
    """
    info = new[0]
    report = Report(info.header.rule_set, info.id, most=MOST)
    _check_head(info, old[0] if old else None, report)
    _check_rejects(info, rejects, report)
    if info.header.kind in WRITTEN:
        return report.close()
    if old is not None and comparison is None:
        comparison = compare_tables(old, new)
    check_content(new, comparison, books, report)
    if old is not None and comparison is not None:
        explained = np.empty(0, dtype=np.int64)
        if info.header.kind == "ptp":
            heads = old[0].header, info.header
            explained = check_ptp_update(comparison.table("edits"), *heads, thresholds, report)
        elif info.header.kind == "mue":
            check_mue_update(comparison.table("values"), thresholds, report)
        check_update(comparison, thresholds, explained, report)
    return report.close()


def place_of(header: RevisionHeader, source: int = 0, row: int = 0) -> tuple[str, int, int]:
    """Where a row of a revision stands; the first file, without a row, for the revision as a whole."""
    file = header.sources[source].file if source < len(header.sources) else f"{header.rule_set} {header.label}"
    return file, row, 1 if row else 0


def _name(header: RevisionHeader) -> str:
    return f"{header.rule_set} {header.label}"


def _check_head(info: RevisionInfo, old: RevisionInfo | None, report: Report) -> None:
    if old is None:
        return
    new, before, place = info.header, old.header, place_of(info.header)
    if new.published_on < before.published_on:
        what = (
            f"{_name(new)} was published on {format_day(new.published_on)}, before {_name(before)} which it follows "
            f"({format_day(before.published_on)})"
        )
        report.add("CE311", place, what, "import it again with the day it was posted (--published-on)")
    elif new.effective_from < before.effective_from:
        what = f"{_name(new)} takes effect on {format_day(new.effective_from)}, before {_name(before)} which it is held against"
        report.add("CE311", place, what, "hold it against the revision that it follows (--against)")
    replaces = new.effective_from == before.effective_from
    if before.effective_to != FOREVER and new.effective_from > before.effective_to + 1:
        first, last = format_day(before.effective_to + 1), format_day(new.effective_from - 1)
        what = f"no revision of {new.rule_set} governs {first} to {last}, between {before.label} and {new.label}"
        report.add(
            "CE309", place, what, "import the editions in between, or say in a silence why nothing is wanted there"
        )
    elif new.kind in _QUARTERLY and not replaces and new.effective_from <= before.effective_to:
        last = format_day(min(before.effective_to, new.effective_to)) or "further notice"
        what = (
            f"{before.label} and {new.label} of {new.rule_set} both govern {format_day(new.effective_from)} to {last}"
        )
        report.add(
            "CE310",
            place,
            what,
            "import it with the right quarter (--effective-from); a re-issue begins on the same day",
        )


def _check_rejects(info: RevisionInfo, rejects: Sequence[Problem], report: Report) -> None:
    for problem in rejects:
        file, _, rest = problem.where.partition(":")
        row, _, column = rest.partition(":")
        named = f"row {row}{f', {column}' if column else ''}" if row else "a row"
        place = (file, int(row), 1) if row.isdigit() else place_of(info.header)
        what = f"{named} was left out: {problem.what}"
        report.add(
            "CE316",
            place,
            what,
            problem.mend or "restore the row as published, and import again",
            subject=problem.where,
        )
