"""NCD lists of laboratory policies, in the CSV form of ``rules/lab-ncd/README.md`` (semantics.md §D.5)."""

from __future__ import annotations

import re

from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.coverage.readings import ListKind, Role
from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger, Row, read_dates
from claimedits.rulesets.imports.coverage.mcd import DIAGNOSIS, PROCEDURE, Export

COLUMNS = ("ncd", "edition", "policy", "effective_from", "effective_to", "list", "code", "source")
LISTS = ("procedure", "covered", "does_not_support", "non_covered")
EVERY = "all"
"""In column ``ncd``: a row of every policy of the same edition (the non-covered list is common to all)."""
SECTION = re.compile(r"190\.(1[2-9]|2\d|3[0-4])|all")
"""The 23 laboratory determinations."""
_GROUPS = {
    "covered": (ListKind.COVERED, 1, Role.STANDALONE),
    "does_not_support": (ListKind.NON_COVERED, 1, Role.NOT_SUPPORTING),
    "non_covered": (ListKind.NON_COVERED, 2, Role.NON_COVERED),
}


def read_laboratory_lists(table: CsvTable, ledger: Ledger) -> Export:
    """Policies, their codes and their three lists.

    Raises:
        ImportRefusedError: with every malformed row; a policy that contradicts itself or lacks a list.
    """
    problems: list[Problem] = []
    policies: dict[tuple[str, str], list[Row]] = {}
    for row in table.rows(COLUMNS):
        wrong = _problems_of(row)
        problems += wrong
        if not wrong:
            policies.setdefault((row.cells[0], row.cells[1]), []).append(row)
            ledger.kept += 1
    export = Export()
    for (ncd, edition), rows in policies.items():
        if ncd != EVERY:
            problems += _add_policy(export, ncd, edition, [*rows, *policies.get((EVERY, edition), ())], ledger)
    if problems:
        raise ImportRefusedError(problems, f"{table.name}: {len(problems)} problems, nothing was kept")
    return export


def _problems_of(row: Row) -> list[Problem]:
    ncd, edition, policy, _, _, list_name, code, source = row.cells
    checks = (
        (SECTION.fullmatch(ncd), "ncd", "is no laboratory policy", "write 190.12 … 190.34, or all"),
        (edition, "edition", "is empty", "name the quarterly edition, such as 2024Q3"),
        (policy in ("inclusion", "exclusion") or (ncd == EVERY and not policy), "policy", "is unknown", "write inclusion or exclusion"),
        (list_name in LISTS, "list", "is unknown", f"use one of {', '.join(LISTS)}"),
        ((PROCEDURE if list_name == "procedure" else DIAGNOSIS).fullmatch(code), "code", "is no code of its list", "quote it; keep its zeros"),
        (source, "source", "is empty", "name the transmittal or file the row comes from"),
    )  # fmt: skip
    return [Problem(f"{row.where}:{column}", what, mend) for good, column, what, mend in checks if not good]


def _add_policy(export: Export, ncd: str, edition: str, rows: list[Row], ledger: Ledger) -> list[Problem]:
    key, first = (f"NCD-{ncd}", edition), rows[0]
    own = [row for row in rows if row.cells[0] == ncd]
    policies = {row.cells[2] for row in own}
    lists = {row.cells[5] for row in rows}
    problems = []
    if len(policies) > 1 or len({row.cells[3:5] for row in own}) > 1:
        problems.append(
            Problem(first.where, f"NCD {ncd} of {edition} has rows of different policy or dates", "make them the same")
        )
    if "procedure" not in lists:
        problems.append(
            Problem(first.where, f"NCD {ncd} of {edition} governs no procedure code", "add rows of list procedure")
        )
    if (policies == {"inclusion"}) != ("covered" in lists):
        what = f"NCD {ncd} of {edition} is {'/'.join(sorted(policies))} type"
        problems.append(Problem(first.where, what, "an inclusion policy has a covered list, an exclusion policy none"))
    days = read_dates(first, dict(zip(COLUMNS[3:5], first.cells[3:5], strict=True)), ledger)
    if days is None or days[0] is None:
        problems.append(Problem(f"{first.where}:effective_from", "is no date", "write it like 2024-07-01"))
    if problems or days is None:
        return problems
    export.add(
        "documents", *key, "NCD", f"NCD {ncd}", days[0], days[1], None, days[1] is not None, True, "", "", *first.place
    )
    added: set[tuple[ListKind, int]] = set()
    for row in rows:
        name, code = row.cells[5], row.cells[6].replace(".", "")
        if name == "procedure":
            export.add("procedure_codes", *key, 1, code, *row.place)
            continue
        kind, number, role = _GROUPS[name]
        if (kind, number) not in added:
            added.add((kind, number))
            export.add("groups", *key, kind.value, number, role.value, "", "", "", "", "", *row.place)
        export.add("diagnoses", *key, kind.value, number, code, False, *row.place)
    return []
