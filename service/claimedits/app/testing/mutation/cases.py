"""Mutants of the rows of tables that cases state: an indicator flipped, a date moved, a value one more or less.

A row that several cases state is one row: its mutant is made in all of them, and one of them that fails kills it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from claimedits.app.testing.case_tables import TABLES
from claimedits.app.testing.cases import Case, locate
from claimedits.app.testing.mutation.mutant import Mutant
from claimedits.model.dates import format_day, parse_day

Row = Mapping[str, Any]
Place = tuple[int, int]
"""(suite, place in the suite) of a case."""
_INDICATORS = {"0": "1", "1": "0", "9": "1"}
_MAI = {"1": ("2",), "2": ("1", "3"), "3": ("1", "2")}
_EDIT_TYPES = {"1": ("3",), "2": ("1",), "3": ("1",)}
_ROLES = {
    "standalone": "non_covered",
    "non_covered": "standalone",
    "primary_eligible": "standalone",
    "required_secondary": "standalone",
}
_LISTS = (
    "any_of",
    "procedure_codes",
    "settings",
    "places_of_service",
    "billing_provider_ids",
    "waived_by_modifiers",
    "states",
)


@dataclass(frozen=True, slots=True)
class StatedChange:
    """The same change of one row in every case that states it; ``row`` None = the row is gone."""

    rows: tuple[tuple[Place, int], ...]
    """Cases, and the row's place among the rows of each."""
    row: Row | None


def mutate_cases(cases: Sequence[tuple[Place, Case]]) -> Iterator[Mutant]:
    """The mutants of every row that the cases state, in the order of first appearance."""
    stated: dict[str, list[tuple[Place, Case, int]]] = {}
    for place, case in cases:
        for i, row in enumerate(case.rules or ()):
            if not row.get("loaded") and case.file.endswith(".jsonl"):
                stated.setdefault(json.dumps(row, sort_keys=True), []).append((place, case, i))
    for holders in stated.values():
        _, case, number = holders[0]
        assert case.rules is not None
        rows = tuple((place, i) for place, _, i in holders)
        yield from _RowMutator(case, number, case.rules[number], rows).mutants()


class _RowMutator:
    def __init__(self, case: Case, number: int, row: Row, rows: tuple[tuple[Place, int], ...]) -> None:
        self._case, self._number, self._row, self._rows = case, number, row, rows
        self._subject = f"{case.id}/{row['rule_set']}/{number}"

    def mutants(self) -> Iterator[Mutant]:
        yield self._mutant("", "removal", "remove row", "the row", "", None)
        kind = TABLES[self._row["rule_set"]][0] if self._row["rule_set"] in TABLES else "authored"
        if kind == "ptp":
            yield from self._ptp()
        elif kind == "mue":
            yield from self._mue()
        elif kind == "aoc":
            yield from self._choices("edit_type", _EDIT_TYPES)
        elif kind == "icd10":
            yield self._set("billable", "flip", "flip", not self._row["billable"])
        elif kind == "pfs":
            yield from self._fee_schedule()
        elif kind == "coverage":
            yield from self._groups()
        for field in ("effective_from", "effective_to"):
            yield from self._dates(field)
        for field in _LISTS:
            yield from self._words(field)

    def _mutant(self, field: str, operator: str, change: str, before: str, after: str, row: Row | None) -> Mutant:
        path = f"rules[{self._number}]" + (f".{field}" if field else "")
        made = StatedChange(self._rows, row)
        where = locate(self._case, path)
        return Mutant(
            "/".join(p for p in (self._subject, field, change) if p), where, operator, before, after, lambda: made
        )

    def _set(self, field: str, operator: str, change: str, value: Any) -> Mutant:
        before, after = json.dumps(self._row.get(field)), json.dumps(value)
        return self._mutant(field, operator, change, before, after, {**self._row, field: value})

    def _ptp(self) -> Iterator[Mutant]:
        indicator = str(self._row["modifier_indicator"])
        other = _INDICATORS.get(indicator, "1")
        yield self._set("modifier_indicator", "flip", other, other)
        one, two = self._row["column_1"], self._row["column_2"]
        turned = {**self._row, "column_1": two, "column_2": one}
        yield self._mutant("column_1", "flip", "reverse", f"{one}/{two}", f"{two}/{one}", turned)

    def _mue(self) -> Iterator[Mutant]:
        value = self._row["value"]
        for step in (-1, 1):
            if value + step >= 0:
                yield self._set("value", "boundary", f"{step:+d}", value + step)
        if self._row["mai"]:
            yield from self._choices("mai", _MAI)

    def _choices(self, field: str, others: Mapping[str, Sequence[str]]) -> Iterator[Mutant]:
        for other in others.get(str(self._row[field]), ()):
            yield self._set(field, "flip", other, other)

    def _fee_schedule(self) -> Iterator[Mutant]:
        for field in ("bilateral_indicator", "bilateral"):
            if self._row.get(field):
                other = _INDICATORS.get(str(self._row[field]), "1")
                yield self._set(field, "flip", other, other)
        if self._row.get("global_days"):
            other = {"000": "090", "010": "090", "090": "000"}.get(self._row["global_days"], "090")
            yield self._set("global_days", "flip", other, other)

    def _dates(self, field: str) -> Iterator[Mutant]:
        value = self._row.get(field)
        for days in (-1, 1) if value else ():
            moved = format_day(parse_day(str(value)) + days)
            row = {**self._row, field: moved}
            first, last = row.get("effective_from"), row.get("effective_to")
            if not first or not last or first <= last:
                yield self._set(field, "date", f"{days:+d} day", moved)

    def _words(self, field: str) -> Iterator[Mutant]:
        words: Any = self._row.get(field)
        for i, word in enumerate(words if isinstance(words, list) and len(words) > 1 else ()):
            row = {**self._row, field: [*words[:i], *words[i + 1 :]]}
            mutant = self._mutant(field, "code", f"without {word}", json.dumps(word), "", row)
            yield replace(mutant, where=locate(self._case, f"rules[{self._number}].{field}[{i}]"))

    def _groups(self) -> Iterator[Mutant]:
        groups = self._row["groups"]
        for g, group in enumerate(groups):
            other = _ROLES[group["role"]]
            yield self._group(g, {**group, "role": other}, "flip", f"role {other}", group["role"], other, "role")
            codes = group["icd10_codes"]
            for i, code in enumerate(codes if len(codes) > 1 else ()):
                less = {**group, "icd10_codes": [*codes[:i], *codes[i + 1 :]]}
                yield self._group(g, less, "code", f"without {code}", json.dumps(code), "", f"icd10_codes[{i}]")

    def _group(
        self, number: int, group: Row, operator: str, change: str, before: str, after: str, field: str
    ) -> Mutant:
        groups = list(self._row["groups"])
        groups[number] = group
        made = self._mutant(f"groups.{number}", operator, change, before, after, {**self._row, "groups": groups})
        return replace(made, where=locate(self._case, f"rules[{self._number}].groups[{number}].{field}"))


def with_row(case: Case, number: int, row: Row | None) -> Case:
    """The case with one of its rows changed; without a row, its rule set is still loaded."""
    rows = list(case.rules or ())
    gone = {name: rows[number][name] for name in ("family", "rule_set", "revision") if name in rows[number]}
    rows[number] = row if row is not None else {**gone, "loaded": True}
    return replace(case, rules=rows)
