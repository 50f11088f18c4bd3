"""What a replay counts: small tables that are summed up part by part, and do not depend on how the parts are cut.

Every table has its names first and its figures after them. Charges are of lines, in cents; a line counts once in each row
of a table, however many findings it has there. A claim never lies in two parts, so that claims add up as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Words = tuple[Ints, Sequence[str]]
"""A column of texts: a number for each row, and the text of each number."""

FIGURES = ("lines", "claims", "charge_cents", "lines_without_charge")
_COUNTABLE = 1 << 20
"""Numbers that are told apart by counting rather than by sorting."""
AMOUNTS = (*FIGURES, "amount_cents")
"""With what the payer took off, where it told."""


def schema_of(names: Sequence[str], figures: Sequence[str] = FIGURES) -> pa.Schema:
    """The columns of a table of sums."""
    return pa.schema(
        [*(pa.field(name, pa.string()) for name in names), *(pa.field(name, pa.int64()) for name in figures)]
    )


SCHEMAS: Mapping[str, pa.Schema] = {
    "outcomes": schema_of(("month", "outcome")),
    "families": schema_of(("month", "family", "status")),
    "rules": schema_of(("family", "rule_set", "rule_id", "code", "status")),
    "editions": schema_of(("quarter", "family", "rule_set", "label", "status")),
    "bypasses": schema_of(("modifier", "billing_provider_id")),
    "conflicts": schema_of(("billing_provider_id", "status")),
    "changes": schema_of(("kind",)),
    "change_parts": schema_of(("part", "name", "kind")),
    "claim_changes": schema_of(("kind", "old", "new"), ("claims",)),
    "confusion": schema_of(("family", "real", "found"), AMOUNTS),
    "preventable": schema_of(("family", "rule_set", "rule_id", "carc"), AMOUNTS),
    "other_denials": schema_of(("group", "carc"), AMOUNTS),
}
"""``outcomes``: lines by month of service and outcome. ``families``: by month, family and status. ``rules``: by the rule that
spoke. ``editions``: by quarter of service and the edition that answered. ``bypasses``: PTP conflicts that a modifier bypassed,
by the modifier and the billing provider. ``conflicts``: lines with a PTP conflict, by billing provider and status.
``changes``, ``change_parts``, ``claim_changes``: with a baseline, changed lines by kind, by rule, code, provider, family and rule
set, and claims by their worst change and their outcomes. ``confusion``, ``preventable``, ``other_denials``: with expectations
(``agreement``)."""


@dataclass(frozen=True)
class Sums:
    """Tables by the names of ``SCHEMAS``, each sorted by its names, and plain counts."""

    tables: Mapping[str, pa.Table]
    counts: Mapping[str, int] = field(default_factory=dict)


def merge_sums(parts: Sequence[Sums]) -> Sums:
    """The sums of all parts. Every table of ``SCHEMAS`` is there, if only without rows."""
    merged = {}
    for name, schema in SCHEMAS.items():
        found = [part.tables[name] for part in parts if name in part.tables]
        merged[name] = _sum_up(pa.concat_tables([schema.empty_table(), *found]), schema)
    counts: dict[str, int] = {}
    for part in parts:
        for name, number in part.counts.items():
            counts[name] = counts.get(name, 0) + number
    return Sums(merged, dict(sorted(counts.items())))


def _sum_up(table: pa.Table, schema: pa.Schema) -> pa.Table:
    names = [one.name for one in schema if one.type == pa.string()]
    figures = [one.name for one in schema if one.type == pa.int64()]
    summed = table.group_by(names, use_threads=False).aggregate([(figure, "sum") for figure in figures])
    columns = {name: summed[name] for name in names} | {figure: summed[f"{figure}_sum"] for figure in figures}
    return pa.table(columns, schema).sort_by([(name, "ascending") for name in names]).combine_chunks()


def words_of(column: pa.Array | pa.ChunkedArray) -> Words:
    """A column of texts as numbers; null counts as empty."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # without rows
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    encoded = pc.fill_null(array.cast(pa.string()), "").dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64), encoded.dictionary.to_pylist()


def same_word(word: str, rows: int) -> Words:
    """A column that holds one text."""
    return np.zeros(rows, dtype=np.int64), [word]


def take_words(words: Words, rows: Ints) -> Words:
    """Some rows of a column."""
    return words[0][rows], words[1]


@dataclass(frozen=True)
class Lines:
    """What is counted of the lines of one part."""

    claim: Ints
    """Number of the claim of each line."""
    charge: Ints
    """Cents; 0 where there is no charge."""
    has_charge: npt.NDArray[np.bool_]
    amount: Ints | None = None
    """Cents that the payer took off, by row of the columns that are counted, not by line."""


def count(name: str, columns: Mapping[str, Words], rows: Ints, lines: Lines) -> pa.Table:
    """Count lines into the table ``name`` of ``SCHEMAS``.

    Args:
        columns: the names; a row for each item that is counted.
        rows: the line of each item. A line that comes twice with the same names counts once, its amounts add up.
        lines: figures of the lines.
    """
    schema = SCHEMAS[name]
    names = [one.name for one in schema if one.type == pa.string()]
    groups, number = np.zeros(len(rows), dtype=np.int64), 1
    for column in names:  # renumbered after each, so that no product overflows
        codes, words = columns[column]
        groups, number = _renumber(groups * max(1, len(words)) + codes, number * max(1, len(words)))
    first = np.zeros(number, dtype=np.int64)
    first[groups[::-1]] = np.arange(len(rows))[::-1]
    line, group = np.divmod(_once(rows * number + groups), number)
    claim_group = _once(lines.claim[line] * number + group) % number
    figures = {
        "lines": np.bincount(group, minlength=number),
        "claims": np.bincount(claim_group, minlength=number),
        "charge_cents": _sum_at(number, group, lines.charge[line]),
        "lines_without_charge": np.bincount(group[~lines.has_charge[line]], minlength=number),
    }
    if "amount_cents" in schema.names:
        amount = lines.amount if lines.amount is not None else np.zeros_like(rows)
        figures["amount_cents"] = _sum_at(number, groups, amount)
    texts = {column: [columns[column][1][code] for code in columns[column][0][first].tolist()] for column in names}
    arrays = [pa.array(texts[one.name] if one.name in texts else figures[one.name], one.type) for one in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _renumber(keys: Ints, bound: int) -> tuple[Ints, int]:
    """Numbers below ``bound`` as places among those that occur, and how many do."""
    if bound > _COUNTABLE:
        found, places = np.unique(keys, return_inverse=True)
        return places.astype(np.int64), len(found)
    occurs = np.bincount(keys, minlength=1) > 0
    return (np.cumsum(occurs) - 1)[keys] if len(keys) else keys, int(occurs.sum()) if len(keys) else 0


def _once(keys: Ints) -> Ints:
    """Each number once. Nearly sorted as they come, they cost little."""
    ordered = np.sort(keys, kind="stable")
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))]


def _sum_at(number: int, group: Ints, values: Ints) -> Ints:
    """Sums by group, as whole numbers: cents are never rounded."""
    sums = np.zeros(number, dtype=np.int64)
    np.add.at(sums, group, values)
    return sums
