"""Publishers' files as they come: archives, text tables, workbooks, read within limits and by column names (file-formats.md §0)."""

from __future__ import annotations

from claimedits.rulesets.sources.files import Content, Limits, SourceFile, expand_paths, source_of
from claimedits.rulesets.sources.headers import Column, Header, Layout, find_header, normalise_name
from claimedits.rulesets.sources.records import Record, sheet_records, text_records
from claimedits.rulesets.sources.tables import Cells, OddRecord, RawTable, read_table

__all__ = [
    "Cells",
    "Column",
    "Content",
    "Header",
    "Layout",
    "Limits",
    "OddRecord",
    "RawTable",
    "Record",
    "SourceFile",
    "expand_paths",
    "find_header",
    "normalise_name",
    "read_table",
    "sheet_records",
    "source_of",
    "text_records",
]
