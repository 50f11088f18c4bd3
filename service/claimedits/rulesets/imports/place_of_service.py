"""Place of service codes → the rule set ``place-of-service`` (file-formats.md §9). Two digits; the zero stays."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from claimedits.rulesets.imports.cells import BadCellError, Checker
from claimedits.rulesets.imports.code_tables import account, any_text, refuse_twice, sorted_table, words_of
from claimedits.rulesets.imports.finishing import finish
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.raw_tables import NUMERIC
from claimedits.rulesets.imports.reference_lists import list_header, read_dates, read_list
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.sources.files import SourceFile

RULE_SET = "place-of-service"
_COLUMNS = {
    "place_of_service": re.compile(r"^(pos|place[ _]of[ _]service)([ _]code)?$"),
    "category": re.compile(r"^pos[ _]type$|^category$"),
}
_OPTIONAL = {
    "title": re.compile(r"^pos[ _]name$|^title$"),
    "effective_from": re.compile(r"^effective[ _]from$"),
    "effective_to": re.compile(r"^effective[ _]to$"),
}
_CATEGORIES = {"facility": "facility", "non-facility": "non-facility", "unassigned": "unassigned"}


def import_place_of_service(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft. ``category`` is ``facility``, ``non-facility`` or ``unassigned`` (a number that no place has yet).

    Raises:
        ImportRefusedError: no list, a code twice, too many rejects, or ``--effective-from`` is missing.
    """
    raw, passed_over = read_list(files, _COLUMNS, _OPTIONAL, options, "place-of-service")
    header = list_header(raw, RULE_SET, RULE_SET, options, authority="CMS place of service code set")
    checker = Checker(raw)
    codes = words_of(checker, "place_of_service", _read_place)
    categories = words_of(checker, "category", _read_category)
    titles = words_of(checker, "title", any_text) if "title" in raw.columns else [""] * len(raw)
    first, last = read_dates(checker)
    read, rejects = account(checker, options)
    rows = [
        (code, first[i], last[i], categories[i], titles[i], 0, int(raw.records[i]))
        for i, code in enumerate(codes)
        if not checker.bad[i]
    ]
    refuse_twice(((row[0], f"{raw.file.name}:{row[-1]}:place_of_service") for row in rows), "the same code")
    columns = {
        "place_of_service": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "category": pa.string(),
        "title": pa.string(),
    }
    return [finish(header, "codes", sorted_table(columns, rows), read, rejects, passed_over)]


def _read_place(text: str) -> str:
    if text.startswith(NUMERIC):
        raise BadCellError("the code is a number, so its zero may be lost", "save the column as text", "E_CODE_NUMERIC")
    if not re.fullmatch(r"\d\d", text):
        raise BadCellError("is not a place of service of two digits", "write two digits and keep the zero", "E_PLACE")
    return text


def _read_category(text: str) -> str:
    try:
        return _CATEGORIES[text.lower()]
    except KeyError:
        mend = "published values are Facility, Non-Facility, Unassigned"
        raise BadCellError("is no kind of place", mend, "E_DOMAIN") from None
