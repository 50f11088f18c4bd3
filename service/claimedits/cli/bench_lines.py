"""Made-up tables of claim lines for ``claim-edits bench``: any number of claims of 5 to 10 lines, most of which pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from claimedits.model.dates import parse_day
from claimedits.model.line_table import LINE_SCHEMA
from claimedits.rulesets.mapped_arrays import Array
from claimedits.rulesets.ptp_index import PtpIndex

FREQUENT = 600
"""Codes that claims are made of; the k-th is drawn in proportion to 1 / (k + 20)."""
KEPT = 0.12
"""Share of drawn conflicts that are kept. Real claims of this size hold 0.1 to 0.7 pairs of the table (performance.md)."""
_MODIFIERS: tuple[list[str], ...] = ([], ["59"], ["RT"], ["LT"], ["25"], ["GC"], ["XS", "76"])
_MODIFIER_SHARES = (0.7, 0.06, 0.06, 0.06, 0.05, 0.05, 0.02)
_FIRST, _LAST = parse_day("2024-07-01"), parse_day("2024-08-15")


class LineMaker:
    """Makes batches of lines from the codes of a store's tables; the same for the same seed."""

    def __init__(self, index: PtpIndex, codes: list[str], add_ons: list[str], seed: int = 7) -> None:
        """``codes`` are drawn from; one line in a hundred has a code of ``add_ons``."""
        self._random = np.random.default_rng(seed)
        self._words = [*codes, *add_ons]
        chosen = self._random.permutation(len(codes))[: min(FREQUENT, len(codes))]
        self._frequent = chosen
        weights = 1 / (np.arange(len(chosen)) + 20)
        self._weights = weights / weights.sum()
        self._add_ons = np.arange(len(codes), len(self._words))
        self._numbers = np.array([index.number_of.get(word, -1) for word in self._words])
        self._bits, self._stride = np.frombuffer(index.bits, dtype=np.uint8), index.stride
        self._claims = 0

    def batches(self, lines: int, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """About ``lines`` lines, in batches of about ``rows``; claims do not end where batches do."""
        carried: list[pa.RecordBatch] = []
        made = held = 0
        while made < lines:
            batch = self._claims_of(min(rows, lines - made))
            made += batch.num_rows
            held += batch.num_rows
            carried.append(batch)
            if held >= rows and made < lines:
                whole = pa.Table.from_batches(carried).combine_chunks().to_batches()[0]
                yield whole.slice(0, rows)
                carried, held = [whole.slice(rows)], held - rows
        yield pa.Table.from_batches(carried).combine_chunks().to_batches()[0]

    def _claims_of(self, rows: int) -> pa.RecordBatch:
        sizes = self._random.integers(5, 11, max(1, rows * 2 // 15))
        n, claims = int(sizes.sum()), len(sizes)
        claim = np.repeat(np.arange(claims), sizes)
        number = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
        code = self._draw_codes(claim, number)
        day = self._random.integers(_FIRST, _LAST + 1, claims).astype(np.int32)
        shown = self._random.choice(len(_MODIFIERS), n, p=_MODIFIER_SHARES)
        units = np.where(self._random.random(n) < 0.97, 1, self._random.integers(2, 5, n))
        provider = self._random.integers(1_000_000_000, 1_000_002_000, claims)
        names = np.char.add("B-", (self._claims + np.arange(claims)).astype(str))
        self._claims += claims
        diagnoses = pa.array([["E11.42"], ["I10"], ["M54.50", "E11.9"], ["Z00.00"]])
        columns = {
            "claim_id": pa.array(names).take(pa.array(claim)),
            "program": _repeated("MEDICARE", n),
            "setting": _repeated("PRACTITIONER", n),
            "billing_provider_id": pa.array(provider.astype(str)).take(pa.array(claim)),
            "state": _repeated("PA", n),
            "diagnoses": diagnoses.take(pa.array((provider % 4)[claim])),
            "line_number": pa.array(number.astype(np.int32)),
            "procedure_code": pa.array(self._words).take(pa.array(code)),
            "modifiers": pa.array(_MODIFIERS, pa.list_(pa.string())).take(pa.array(shown)),
            "units": pa.array(units).cast(pa.decimal128(19, 0)).cast(pa.decimal128(18, 4), safe=False),
            "service_date": pa.array(day[claim]).cast(pa.date32()),
            "diagnosis_pointers": pa.array([[1]], pa.list_(pa.int32())).take(pa.array(np.zeros(n, dtype=np.int64))),
            "place_of_service": _repeated("11", n),
        }
        fields = [LINE_SCHEMA.field(name) for name in columns]
        return pa.record_batch(
            [c.cast(f.type) for c, f in zip(columns.values(), fields, strict=True)], schema=pa.schema(fields)
        )

    def _draw_codes(self, claim: Array, number: Array) -> Array:
        """Codes of lines; a code that conflicts with a line before it, or repeats one, is mostly drawn again."""
        n = len(claim)
        code = self._random.choice(self._frequent, n, p=self._weights)
        if len(self._add_ons):
            of_add_on = self._random.random(n) < 0.01
            code[of_add_on] = self._random.choice(self._add_ons, int(of_add_on.sum()))
        allowed = self._random.random(n) < KEPT
        for _ in range(12):
            bad = np.zeros(n, dtype=bool)
            for distance in range(1, 10):
                same = np.flatnonzero((claim[distance:] == claim[:-distance]) & ~allowed[distance:])
                one, other = self._numbers[code[same]], self._numbers[code[same + distance]]
                hit = self._bits[one * self._stride + (other >> 3)] >> (other & 7) & 1
                bad[same[(hit == 1) | (code[same] == code[same + distance])] + distance] = True
            if not bad.any():
                break
            code[bad] = self._random.choice(self._frequent, int(bad.sum()), p=self._weights)
        return code


def claims_of(lines: pa.Table) -> list[dict[str, Any]]:
    """Made-up lines as claims in their NDJSON form."""
    claims: dict[str, dict[str, Any]] = {}
    for row in lines.to_pylist():
        claim = claims.setdefault(
            row["claim_id"],
            {
                name: row[name]
                for name in ("claim_id", "program", "setting", "billing_provider_id", "state", "diagnoses")
            }
            | {"lines": []},
        )
        line = {name: row[name] for name in _LINE} | {"service_date": row["service_date"].isoformat()}
        claim["lines"].append(line | {"units": str(int(row["units"]))})
    return list(claims.values())


_LINE = ("line_number", "procedure_code", "modifiers", "diagnosis_pointers", "place_of_service")


def _repeated(word: str, n: int) -> pa.Array:
    return pa.array([word]).take(pa.array(np.zeros(n, dtype=np.int64)))
