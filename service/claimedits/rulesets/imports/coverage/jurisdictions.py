"""Contractors, their states and the days they were theirs (semantics.md §D.2, step 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from claimedits.model.dates import Day, parse_day
from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger, read_dates

Contractor = tuple[str, str, str]
"""contractor_id, contractor_type_id, contractor_version."""

ALWAYS: Day = parse_day("1900-01-01")
DME_TYPES = frozenset(("4", "6", "7", "10"))
"""contractor_type_lookup: DMERC, DME PSC, DME PSC/MAC, DME MAC."""


@dataclass(frozen=True)
class Jurisdictions:
    """The contractors of an export."""

    numbers: Mapping[Contractor, str]
    windows: Mapping[Contractor, list[tuple[str, Day | None, Day | None]]]
    states_by_id: Mapping[str, str]

    def knows(self, contractor: Contractor) -> bool:
        return contractor in self.numbers

    def number(self, contractor: Contractor) -> str:
        """The contractor number on claims (``12502``); empty where the export does not say."""
        return self.numbers.get(contractor, "")

    def states(self, contractor: Contractor) -> list[tuple[str, Day | None, Day | None]]:
        """State, first and last day (inclusive; None = no bound)."""
        return self.windows.get(contractor, [])

    def state(self, state_id: str) -> str:
        return self.states_by_id.get(state_id, "")

    @staticmethod
    def is_dme(contractor: Contractor) -> bool:
        return contractor[1] in DME_TYPES


def read_jurisdictions(tables: Mapping[str, CsvTable], ledger: Ledger) -> Jurisdictions:
    """``contractor``, ``contractor_jurisdiction`` and ``state_lookup`` of an export; empty where it lacks them."""
    states = {}
    if "state_lookup" in tables:
        for row in tables["state_lookup"].rows(("state_id", "state_abbrev")):
            states[row.cells[0]] = row.cells[1].upper()
            ledger.kept += 1
    numbers: dict[Contractor, str] = {}
    if "contractor" in tables:
        names = ("contractor_id", "contractor_type_id", "contractor_version", "contractor_number")
        for row in tables["contractor"].rows(names):
            numbers[(row.cells[0], row.cells[1], row.cells[2])] = row.cells[3]
            ledger.kept += 1
    windows: dict[Contractor, list[tuple[str, Day | None, Day | None]]] = {}
    if "contractor_jurisdiction" in tables:
        windows_of = (
            "contractor_id",
            "contractor_type_id",
            "contractor_version",
            "state_id",
            "active_date",
            "term_date",
        )
        for row in tables["contractor_jurisdiction"].rows(windows_of):
            contractor = (row.cells[0], row.cells[1], row.cells[2])
            state = states.get(row.cells[3], "")
            if not state or contractor not in numbers:
                what = f"names {'state ' + row.cells[3] if not state else 'a contractor'} that the export does not hold"
                ledger.reject(row.where, what, "report it to the publisher", "E_JURISDICTION")
                continue
            days = read_dates(row, dict(zip(windows_of[4:6], row.cells[4:6], strict=True)), ledger)
            if days is None:
                continue
            first = None if days[0] is None or days[0] <= ALWAYS else days[0]
            windows.setdefault(contractor, []).append((state, first, days[1]))
            ledger.kept += 1
    return Jurisdictions(numbers, windows, states)
