"""What every import ends with: thresholds, accounting, a draft in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.imports.cells import Checker
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader

MOST_SHOWN = 50
"""Problems of one kind that a refusal shows; the rest is counted."""


def account_for(name: str, checkers: Sequence[Checker], options: ImportOptions) -> tuple[int, list[Problem]]:
    """(rows read, one problem a rejected row) of the files of one edition, once every threshold is held.

    Raises:
        ImportRefusedError: no row at all, too many rejected, or another number than the label promised.
    """
    read = sum(len(checker.table) + len(checker.table.odd) for checker in checkers)
    rejected = sum(int(checker.bad.sum()) + len(checker.table.odd) for checker in checkers)
    rejects = [problem for checker in checkers for problem in (*checker.table.odd, *checker.problems)]
    if not read:
        problem = Problem(name, "holds a header and no rows", "download it again", "E_NO_ROWS")
        raise ImportRefusedError([problem], "nothing was kept")
    refuse_many_rejects(read, rejected, rejects, options)
    refuse_other_count(name, read, options)
    return read, rejects


def refuse_many_rejects(read: int, rejected: int, problems: Sequence[Problem], options: ImportOptions) -> None:
    """More rejects than the threshold stop the import; so do more than were listed, which nobody could account for.

    Raises:
        ImportRefusedError: with the rejected rows.
    """
    if rejected > read * options.max_reject_fraction or rejected > len(problems):
        headline = (
            f"{rejected:,} of {read:,} rows are rejected, more than the share of {options.max_reject_fraction:g} allowed; "
            "nothing was kept. Mend the file, or raise --max-reject-fraction"
            if rejected <= len(problems)
            else f"{rejected:,} of {read:,} rows are rejected, more than can be listed; nothing was kept. Mend the file"
        )
        raise ImportRefusedError(show_some(problems, rejected), headline)


def show_some(problems: Sequence[Problem], total: int | None = None) -> list[Problem]:
    """The first problems, and how many rows more have one."""
    total = len(problems) if total is None else total
    shown = list(problems[:MOST_SHOWN])
    if total > len(shown):
        last = shown[-1]
        file = last.where.partition(":")[0]
        shown.append(Problem(file, f"and {total - len(shown):,} more rows", "", last.code))
    return shown


def refuse_other_count(name: str, read: int, options: ImportOptions) -> None:
    """The count printed on the download label, where it was given.

    Raises:
        ImportRefusedError: the files hold another number of rows.
    """
    if options.expected_rows is not None and read != options.expected_rows:
        problem = Problem(
            name,
            f"holds {read:,} rows, the label says {options.expected_rows:,}",
            "download the files again",
            "E_ROW_COUNT",
        )
        raise ImportRefusedError([problem], "nothing was kept")


def finish(
    header: RevisionHeader,
    name: str,
    table: pa.Table,
    read: int,
    rejects: Sequence[Problem],
    warnings: Sequence[Problem],
) -> RevisionDraft:
    """The draft of a single-table revision whose rows stand in canonical order already."""
    tables: Mapping[str, pa.Table] = {name: table}
    return RevisionDraft(header, tables, read, len(table), list(rejects), list(warnings))


def warn_some(problems: Sequence[Problem], most: int = 20) -> list[Problem]:
    """The first warnings of a kind, and how many more there are."""
    shown = list(problems[:most])
    if len(problems) > most:
        last = problems[most]
        shown.append(
            Problem(last.where, f"and {len(problems) - most:,} more rows like it: {last.what}", last.mend, last.code)
        )
    return shown
