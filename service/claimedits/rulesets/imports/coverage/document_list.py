"""The list of documents in the layout of the coverage web service: identity and dates (file-formats.md §7)."""

from __future__ import annotations

from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger, read_dates
from claimedits.rulesets.imports.coverage.mcd import Export

_COLUMNS = ("document_display_id", "document_version", "document_type", "title", "effective_date", "retirement_date")


def read_document_list(table: CsvTable, ledger: Ledger) -> Export:
    """Documents with their dates. One document stands once for each contractor: copies are dropped and counted."""
    export = Export()
    seen: set[tuple[str, str]] = set()
    for row in table.rows(_COLUMNS, ("url",)):
        display_id, version, kind, title, *dates, url = row.cells
        days = read_dates(row, dict(zip(_COLUMNS[4:], dates, strict=True)), ledger)
        if days is None:
            continue
        if (display_id, version) in seen:
            ledger.drop("further contractors of a document")
            continue
        seen.add((display_id, version))
        word = {"L": "LCD", "A": "ARTICLE"}.get(display_id[:1], kind.upper())
        export.add(
            "documents", display_id, version, word, title, days[0], days[1], None, False, False, "", url, *row.place
        )
        ledger.kept += 1
    return export
