"""National determinations: identity and dates only, for the export holds no codes (file-formats.md §7; semantics.md §D.5)."""

from __future__ import annotations

from claimedits.rulesets.imports.coverage.csv_tables import CsvTable, Ledger, read_dates
from claimedits.rulesets.imports.coverage.mcd import Export

_URL = "https://www.cms.gov/medicare-coverage-database/view/ncd.aspx?ncdid={id}&ncdver={version}"


def read_determinations(table: CsvTable, ledger: Ledger) -> Export:
    """``ncd_trkg``: one row a determination and version."""
    export = Export()
    names = ("ncd_id", "ncd_vrsn_num", "ncd_mnl_sect", "ncd_mnl_sect_title", "ncd_efctv_dt", "ncd_trmntn_dt")
    for row in table.rows(names):
        days = read_dates(row, dict(zip(names[4:6], row.cells[4:6], strict=True)), ledger)
        if days is None:
            continue
        ncd_id, version, section, title = row.cells[:4]
        url = _URL.format(id=ncd_id, version=version)
        export.add(
            "documents", f"NCD-{section}", f"{ncd_id}.{version}", "NCD", title, days[0], days[1], None, False, True, "", url, *row.place
        )  # fmt: skip
        ledger.kept += 1
    return export
