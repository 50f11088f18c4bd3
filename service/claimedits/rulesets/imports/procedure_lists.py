"""Lists of procedure codes with their dates → the rule set ``licensed-procedure-codes`` (file-formats.md §5).

There is no free file of valid CPT codes: a licensed list has the columns ``procedure_code, effective_from, effective_to``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyarrow as pa

from claimedits.model.problems import Problem
from claimedits.rulesets.code_sets import class_of_procedure
from claimedits.rulesets.imports.cells import Checker, read_code
from claimedits.rulesets.imports.code_tables import account, refuse_twice, sorted_table, words_of
from claimedits.rulesets.imports.finishing import finish, warn_some
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.reference_lists import list_header, merge_rows, read_dates, read_list
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.sources.files import SourceFile

RULE_SET = "licensed-procedure-codes"
_COLUMNS = {
    "procedure_code": re.compile(r"^(procedure|hcpcs|cpt)[ _]code$"),
    "effective_from": re.compile(r"^effective[ _]from$|date[ _]added$"),
    "effective_to": re.compile(r"^effective[ _]to$|date[ _](ended|term)$"),
}


def import_procedure_codes(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft; a code may have several windows. Identical copies are dropped; descriptions are not read.

    Raises:
        ImportRefusedError: no list, a code and first day twice with different ends, too many rejects, or
            ``--effective-from`` is missing.
    """
    raw, passed_over = read_list(files, _COLUMNS, {}, options, "procedure-codes")
    header = list_header(raw, RULE_SET, "procedure-codes", options, authority="licensed list of procedure codes")
    checker = Checker(raw)
    codes = words_of(checker, "procedure_code", read_code)
    first, last = read_dates(checker)
    read, rejects = account(checker, options)
    rows = merge_rows(
        [(code, first[i], last[i], "", 0, int(raw.records[i])) for i, code in enumerate(codes) if not checker.bad[i]],
        4,
    )
    refuse_twice(
        ((row[:2], f"{raw.file.name}:{row[-1]}:procedure_code") for row in rows), "the same code and first day"
    )
    columns = {
        "procedure_code": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "title": pa.string(),
    }
    covered = sorted({class_of_procedure(row[0]) for row in rows} - {""})
    header = replace(header, attributes={**header.attributes, "covers": " ".join(covered)})
    warnings = [*passed_over, *_warn_overlaps(raw.file.name, rows)]
    return [finish(header, "codes", sorted_table(columns, rows), read, rejects, warnings)]


def _warn_overlaps(name: str, rows: list[tuple[Any, ...]]) -> list[Problem]:
    """Windows of one code that share days: the code is valid on all of them."""
    problems = []
    ordered = sorted(rows, key=lambda row: (row[0], -1 if row[1] is None else row[1]))
    for before, row in pairwise(ordered):
        if before[0] == row[0] and (before[2] is None or row[1] is None or row[1] <= before[2]):
            what = f"{row[0]} has a window that shares days with that of record {before[-1]}"
            problems.append(Problem(f"{name}:{row[-1]}:effective_from", what, "end one before the other", "W_OVERLAP"))
    return warn_some(problems)
