"""Turns the answer to a table into rows of lines and into sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.reading import claim_starts
from claimedits.app.replay.results import LINES, REFUSED, STATUS_COLUMNS
from claimedits.app.replay.sums import Ints, Lines, Sums, Words, count, same_word, take_words, words_of
from claimedits.engine.columnar.table import TableFindings
from claimedits.model.line_table import LINE_SCHEMA, OUTCOME
from claimedits.model.problems import ClaimEditsError
from claimedits.model.terms import Status

STATUS_WORDS = ["", *(status.name for status in sorted(Status))]
"""The word of each number of a status."""
_STATUS_TEXTS = pa.array([None, *STATUS_WORDS[1:]], pa.string())
_LINE_NUMBERS = 1 << 32


@dataclass(frozen=True)
class Part:
    """Lines that were evaluated, and their findings, with what connects them."""

    lines: pa.Table
    """``results.LINES``."""
    rows: Ints
    """The row of the input of each line."""
    claim: Ints
    """The number of the claim of each line, counted over all claims of the input, refused ones too."""
    claim_ids: pa.Array
    """The id of each claim."""
    statuses: Mapping[str, Ints]
    """By family and ``OUTCOME``: the number of the status of each line."""
    findings: pa.Table
    line_of: Ints
    """The line of each finding."""
    refused: pa.Table
    """``results.REFUSED``."""
    refused_claims: int

    @property
    def figures(self) -> Lines:
        """What is counted of the lines."""
        charge = self.lines["charge_cents"].combine_chunks()
        return Lines(self.claim, np.asarray(pc.fill_null(charge, 0)), np.asarray(pc.is_valid(charge)))


def part_of(table: pa.Table, answer: TableFindings) -> Part:
    """The lines of a table that were evaluated.

    Raises:
        ClaimEditsError: a claim id stands on two claims.
    """
    starts = claim_starts(table)
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, table.num_rows)))
    numbers = {name: np.asarray(answer.statuses[name]).astype(np.int64) for name in answer.statuses.column_names}
    rows = np.flatnonzero(numbers[OUTCOME])
    statuses = {name: column[rows] for name, column in numbers.items()}
    own = table.take(pa.array(rows))
    texts = {name: _STATUS_TEXTS.take(pa.array(column)) for name, column in statuses.items()}
    columns = []
    for field in LINES:
        family = _FAMILY_OF.get(field.name)
        if family is not None:
            columns.append(texts.get(family, pa.nulls(len(rows), pa.string())))
        else:
            columns.append(column_of(own, field.name).cast(field.type))
    claim_ids = _flat(table.column("claim_id").take(pa.array(starts)).cast(pa.string()))
    lines = pa.Table.from_arrays(columns, schema=LINES)
    claim = owner[rows]
    refused = answer.refused.select(REFUSED.names)
    line_of = _lines_of(answer.findings, claim_ids, claim, np.asarray(lines["line_number"]))
    return Part(
        lines, rows, claim, claim_ids, statuses, answer.findings, line_of, refused.cast(REFUSED), answer.refused_claims
    )


_FAMILY_OF = {column: family for family, column in STATUS_COLUMNS.items()} | {"outcome": OUTCOME}


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray | pa.Array:
    """A column of a line table, of nulls where it is left out; dictionaries become plain."""
    if name not in table.column_names:
        return pa.nulls(table.num_rows, LINE_SCHEMA.field(name).type)
    column = table.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _lines_of(findings: pa.Table, claim_ids: pa.Array, claim: Ints, line_number: Ints) -> Ints:
    """The line of each finding, by claim id and line number."""
    if not findings.num_rows:
        return np.zeros(0, dtype=np.int64)
    if len(claim_ids.unique()) != len(claim_ids):
        raise ClaimEditsError("claim_id: stands on two claims; give each claim an id of its own")
    places = pc.index_in(findings["claim_id"], value_set=pc.utf8_trim_whitespace(claim_ids))
    of_claim = np.asarray(places).astype(np.int64)
    key = claim * _LINE_NUMBERS + line_number
    order = np.argsort(key, kind="stable")
    sought = of_claim * _LINE_NUMBERS + np.asarray(findings["line_number"]).astype(np.int64)
    return order[np.searchsorted(key, sought, sorter=order)].astype(np.int64)


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def sum_up(part: Part) -> Sums:
    """What a report says of all lines and findings."""
    figures = part.figures
    n = part.lines.num_rows
    everything = np.arange(n, dtype=np.int64)
    days = np.asarray(part.lines["service_date"].cast(pa.int32())).astype("datetime64[D]")
    months = _periods(days.astype("datetime64[M]"))
    outcomes = count("outcomes", {"month": months, "outcome": _status(part.statuses[OUTCOME])}, everything, figures)
    families = [
        count(
            "families",
            {"month": months, "family": same_word(family, n), "status": _status(numbers)},
            everything,
            figures,
        )
        for family, numbers in part.statuses.items()
        if family != OUTCOME
    ]
    tables = {"outcomes": outcomes, "families": pa.concat_tables(families)}
    tables |= _sum_findings(part, figures, days)
    counts = {
        "claims": len(np.unique(part.claim)),
        "lines": n,
        "findings": part.findings.num_rows,
        "refused_claims": part.refused_claims,
        "charge_cents": int(figures.charge.sum()),
        "lines_without_charge": int(np.count_nonzero(~figures.has_charge)),
        "claims_denied": len(np.unique(part.claim[part.statuses[OUTCOME] == Status.FAIL])),
    }
    return Sums(tables, counts)


def _sum_findings(
    part: Part, figures: Lines, days: np.ndarray[tuple[int], np.dtype[np.datetime64]]
) -> dict[str, pa.Table]:
    found, line = part.findings, part.line_of
    names = ("family", "status", "rule_set", "rule_id", "code", "label")
    words = {name: words_of(found[name]) for name in names}
    quarters = days.astype("datetime64[M]").astype(np.int64) // 3
    quarter = _named(quarters, lambda q: f"{1970 + q // 4}Q{q % 4 + 1}")
    of_line = words | {"quarter": take_words(quarter, line)}
    tables = {"rules": count("rules", of_line, line, figures), "editions": count("editions", of_line, line, figures)}
    is_ptp = np.asarray(pc.equal(found["family"], "PTP"))
    bypassed = np.flatnonzero(is_ptp & np.asarray(pc.equal(found["status"], "BYPASSED")))
    provider = words_of(part.lines["billing_provider_id"])
    details = found["detail"].take(pa.array(bypassed)).to_pylist()
    tables["bypasses"] = count(
        "bypasses",
        {
            "modifier": words_of(pa.array(map(_bypassing_modifiers, details), pa.string())),
            "billing_provider_id": take_words(provider, line[bypassed]),
        },
        line[bypassed],
        figures,
    )
    ptp = np.flatnonzero(is_ptp)
    tables["conflicts"] = count(
        "conflicts",
        {"status": take_words(words["status"], ptp), "billing_provider_id": take_words(provider, line[ptp])},
        line[ptp],
        figures,
    )
    return tables


def _status(numbers: Ints) -> Words:
    return numbers, STATUS_WORDS


def _periods(months: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> Words:
    found, codes = np.unique(months, return_inverse=True)
    return codes.astype(np.int64), [str(month) for month in found]


def _named(numbers: Ints, name: object) -> Words:
    found, codes = np.unique(numbers, return_inverse=True)
    assert callable(name)
    return codes.astype(np.int64), [name(int(number)) for number in found]


def _bypassing_modifiers(detail: str | None) -> str:
    """The modifiers that a bypassed conflict was bypassed by, from the finding's particulars; several joined by a comma."""
    considered = orjson.loads(detail).get("ptp", {}).get("modifiers_considered", []) if detail else []
    return ",".join(sorted({entry["modifier"] for entry in considered if entry["honoured"]}))
