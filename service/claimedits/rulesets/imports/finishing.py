"""What every import ends with: thresholds, accounting, a draft in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader


def refuse_many_rejects(read: int, rejected: int, problems: Sequence[Problem], options: ImportOptions) -> None:
    """More rejects than the threshold stop the import.

    Raises:
        ImportRefusedError: with the rejected rows.
    """
    if rejected and rejected > read * options.max_reject_fraction:
        headline = (
            f"{rejected:,} of {read:,} rows are rejected, more than the share of {options.max_reject_fraction:g} allowed; "
            "nothing was kept. Mend the file, or raise --max-reject-fraction"
        )
        raise ImportRefusedError(problems, headline)


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
