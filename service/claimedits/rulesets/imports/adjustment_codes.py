"""Claim adjustment codes (CARC, RARC, group) → the rule set ``adjustment-codes``: numbers and dates only (file-formats.md §9).

The texts are X12's and are never read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from claimedits.rulesets.imports.cells import BadCellError, Checker
from claimedits.rulesets.imports.code_tables import account, any_text, in_domain, refuse_twice, sorted_table, words_of
from claimedits.rulesets.imports.finishing import finish
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.reference_lists import list_header, read_dates, read_list
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.sources.files import SourceFile

RULE_SET = "adjustment-codes"
_COLUMNS = {
    "adjustment_code": re.compile(r"^code$|^adjustment[ _]code$"),
    "category": re.compile(r"^type$|^category$"),
    "effective_from": re.compile(r"^start[ _]date$|^effective[ _]from$"),
    "effective_to": re.compile(r"^end[ _]date$|^effective[ _]to$"),
}
_FORMS = {
    "Group": re.compile(r"[A-Z]{2}"),
    "CARC": re.compile(r"\d{1,3}|[A-Z]\d{1,2}"),
    "RARC": re.compile(r"(M|MA|N)\d{1,4}"),
}


def import_adjustment_codes(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft. ``category`` is ``Group``, ``CARC`` or ``RARC``; the last day is the stop date as published, inclusive.

    Raises:
        ImportRefusedError: no list, a code twice in one category, too many rejects, or ``--effective-from`` is missing.
    """
    raw, passed_over = read_list(files, _COLUMNS, {}, options, "adjustment-codes")
    header = list_header(raw, RULE_SET, RULE_SET, options, authority="X12 external code lists, numbers only")
    checker = Checker(raw)
    codes = words_of(checker, "adjustment_code", _read_code)
    categories = words_of(checker, "category", in_domain(_FORMS, "list of adjustment codes"))
    other = np.array([bool(c and k) and not _FORMS[k].fullmatch(c) for c, k in zip(codes, categories, strict=True)])
    checker.reject(
        other, "adjustment_code", "is no code of its category", "restore code and category as published", "E_CODE"
    )
    first, last = read_dates(checker)
    read, rejects = account(checker, options)
    rows = [
        (code, categories[i], first[i], last[i], 0, int(raw.records[i]))
        for i, code in enumerate(codes)
        if not checker.bad[i]
    ]
    refuse_twice(((row[:2], f"{raw.file.name}:{row[-1]}:adjustment_code") for row in rows), "the same code")
    columns = {
        "adjustment_code": pa.string(),
        "category": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
    }
    return [finish(header, "codes", sorted_table(columns, rows), read, rejects, passed_over)]


def _read_code(text: str) -> str:
    plain = any_text(text).upper()
    if not any(form.fullmatch(plain) for form in _FORMS.values()):
        raise BadCellError("is no group code, CARC or RARC", "restore the code as published", "E_CODE")
    return plain
