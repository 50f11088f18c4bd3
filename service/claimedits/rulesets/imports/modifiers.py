"""Lists of modifiers → the rule set ``licensed-modifiers`` of kind ``modifiers`` (file-formats.md §9; semantics.md, row E01).

HCPCS Level II modifiers come with their dates from the HCPCS file (``import hcpcs``, rule set ``modifiers``). A public list
adds the CPT ones; its rows have no dates, so a dated row outweighs them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from claimedits.rulesets.code_sets import class_of_modifier
from claimedits.rulesets.imports.cells import Checker
from claimedits.rulesets.imports.code_tables import (
    account,
    in_domain,
    read_modifier,
    sorted_table,
    words_of,
)
from claimedits.rulesets.imports.finishing import finish
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.reference_lists import list_header, merge_rows, read_dates, read_list
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.sources.files import SourceFile

RULE_SET = "licensed-modifiers"
_COLUMNS = {"modifier": re.compile(r"^(mod(ifier)?[ _]?code|modifier|mod)$")}
_OPTIONAL = {
    "kind": re.compile(r"^mod(ifier)?[ _]type$|^kind$"),
    "effective_from": re.compile(r"^effective[ _]from$|date[ _]added$"),
    "effective_to": re.compile(r"^effective[ _]to$|date[ _](ended|term)$"),
}


def import_modifiers(files: Sequence[SourceFile], options: ImportOptions) -> list[RevisionDraft]:
    """One draft. Copies of a row (P1–P6 and KX stand twice in public lists) are dropped; descriptions are not read.

    Raises:
        ImportRefusedError: no list, too many rejects, or ``--effective-from`` is missing.
    """
    raw, passed_over = read_list(files, _COLUMNS, _OPTIONAL, options, "modifiers")
    header = list_header(raw, RULE_SET, "modifiers", options, authority="public list of modifiers")
    checker = Checker(raw)
    modifiers = words_of(checker, "modifier", read_modifier)
    if "kind" in raw.columns:
        words_of(checker, "kind", in_domain(("CPT", "HCPCS"), "kind of modifier"))
    first, last = read_dates(checker)
    read, rejects = account(checker, options)
    rows = [
        (modifier, first[i], last[i], "", 0, int(raw.records[i]))
        for i, modifier in enumerate(modifiers)
        if not checker.bad[i]
    ]
    columns = {
        "modifier": pa.string(),
        "effective_from": pa.date32(),
        "effective_to": pa.date32(),
        "title": pa.string(),
    }
    table = sorted_table(columns, merge_rows(rows, 4))
    covered = sorted({class_of_modifier(row[0]) for row in rows})
    header = replace(header, attributes={**header.attributes, "covers": " ".join(covered)})
    return [finish(header, "modifiers", table, read, rejects, passed_over)]
