"""Differences counted the way a person thinks of them: by what happened, by section of codes, by rationale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from claimedits.rulesets.comparison.code_sections import section_of
from claimedits.rulesets.comparison.table_comparison import TableComparison

_CODE_COLUMNS = ("column_1", "procedure_code", "add_on_code", "document_id")
"""The first of these that a table has says which section, or which document, a row belongs to."""


class Tally(NamedTuple):
    """How many rows of a table have one fate in one section for one reason."""

    change: str
    """A word of ``change_words``."""
    section: str
    """Of the column 1 code, the add-on or the procedure code; a coverage document's id; empty where rows have none."""
    rationale: str
    """The publisher's, as the new revision has it (the old one, of a removed row); empty where rows have none."""
    rows: int
    retroactive: int


def tally(table: TableComparison) -> list[Tally]:
    """Every combination that occurs; retroactive ones first, then the most numerous. The rows add up to the differences."""
    if not table.differences:
        return []
    words = pa.array(table.change.words, pa.string()).take(pa.array(table.change.numbers))
    counted = pa.table(
        {
            "change": words,
            "section": _sections(table),
            "rationale": _either(table, "rationale"),
            "retroactive": pa.array(table.is_retroactive).cast(pa.int64()),
        }
    )
    grouped = counted.group_by(["change", "section", "rationale"]).aggregate(
        [("retroactive", "sum"), ("change", "count")]
    )
    tallies = [
        Tally(row["change"], row["section"], row["rationale"], row["change_count"], row["retroactive_sum"])
        for row in grouped.to_pylist()
    ]
    return sorted(tallies, key=lambda t: (-t.retroactive, -t.rows, t.change, t.section, t.rationale))


def group(tallies: Iterable[Tally], by: str) -> list[tuple[str, int, int]]:
    """(value, rows, of them retroactive) of one field of the tallies, ``change``, ``section`` or ``rationale``."""
    rows: Counter[str] = Counter()
    retroactive: Counter[str] = Counter()
    for one in tallies:
        value = getattr(one, by)
        rows[value] += one.rows
        retroactive[value] += one.retroactive
    return sorted(((v, n, retroactive[v]) for v, n in rows.items()), key=lambda g: (-g[2], -g[1], g[0]))


def _either(table: TableComparison, column: str) -> pa.ChunkedArray | pa.Array:
    """A column's cell in the new table, or in the old one of a removed row; empty where the table has no such column."""
    if column not in table.new.table.column_names or column not in table.old.table.column_names:
        return pa.array([""] * table.differences, pa.string())
    new, old = (table.side_values(column, old=old).cast(pa.string()) for old in (False, True))
    return pc.fill_null(pc.coalesce(new, old), "")


def _sections(table: TableComparison) -> pa.ChunkedArray | pa.Array:
    column = next((name for name in _CODE_COLUMNS if name in table.key), "")
    values = _either(table, column)
    if column in ("", "document_id"):
        return values
    encoded = values.dictionary_encode()
    chunk = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    whole = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
    return pa.array([section_of(code) for code in whole.dictionary.to_pylist()], pa.string()).take(whole.indices)
