"""Full-size made-up tables and claims for ``claim-edits bench``: the size and shape of the published ones, none of their content."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from claimedits.app.building import choose_revisions
from claimedits.cli.bench_families import other_families
from claimedits.model.dates import FOREVER, quarter_end, quarter_start
from claimedits.rulesets.ptp_index import PtpIndex
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store

CODES = 13_000
PRACTITIONER_ROWS = 2_546_000
HOSPITAL_ROWS = 1_776_000
CHANGED_ROWS = 1_500
"""Rows in which one quarter of the practitioner table differs from the one before."""
_OPEN = 0.66
"""Share of rows without a deletion date."""


def build_store(path: Path, scale: float = 1.0) -> Store:
    """A store with two quarters of the practitioner PTP table, one of the hospital's, MUE, add-on codes, and what the other
    families read, active.

    ``scale`` shrinks the PTP tables, for tests.
    """
    store = Store.open(path, create=True)
    codes = make_codes(max(200, int(CODES * scale**0.5)))
    rows = make_pairs(codes, int(PRACTITIONER_ROWS * scale), seed=1)
    later = rows.slice(0, len(rows) - max(1, int(CHANGED_ROWS * scale)))
    drafts = [
        _ptp("medicare-ptp-practitioner", 2, rows),
        _ptp("medicare-ptp-practitioner", 3, later),
        _ptp("medicare-ptp-outpatient-hospital", 3, make_pairs(codes, int(HOSPITAL_ROWS * scale), seed=2)),
        _mue(codes),
        _add_on(codes),
        *other_families(codes),
    ]
    for draft in drafts:
        store.add_revision(draft)
    release = store.create_release(choose_revisions(store, ()))
    store.activate(release.id, "bench")
    return store


def make_codes(count: int) -> list[str]:
    """Made-up five-digit procedure codes outside the E/M and anesthesia ranges."""
    return [f"{number:05d}" for number in np.linspace(10_004, 89_000, count).astype(int)]


def make_pairs(codes: list[str], rows: int, seed: int) -> pa.Table:
    """PTP rows: few codes have many partners, as in the published table; a third are deleted, 4 % withdrawn."""
    random_numbers = np.random.default_rng(seed)
    n = len(codes)
    weights = random_numbers.pareto(1.2, n) + 0.1
    weights /= weights.sum()
    pairs = np.zeros(0, dtype=np.int64)
    while len(pairs) < rows:
        more = rows - len(pairs) + rows // 4
        one, two = random_numbers.choice(n, more, p=weights), random_numbers.integers(0, n, more)
        low, high = np.minimum(one, two), np.maximum(one, two)
        pairs = np.unique(np.concatenate([pairs, (low * n + high)[low != high]]))
    pairs = random_numbers.permutation(pairs)[:rows]
    flip = random_numbers.random(rows) < 0.4
    low, high = np.divmod(pairs, n)
    column_1, column_2 = np.where(flip, high, low), np.where(flip, low, high)
    begins = np.array([quarter_start(year, quarter) for year in range(1996, 2024) for quarter in (1, 2, 3, 4)])
    start = random_numbers.choice(begins, rows)
    draw = random_numbers.random(rows)
    end = np.where(draw < _OPEN, FOREVER, start + 364)
    withdrawn = draw > 0.96
    end = np.where(withdrawn, start, end)
    indicator = np.where(withdrawn, 9, (random_numbers.random(rows) < 0.7).astype(np.int64)).astype(np.uint8)
    order = np.lexsort((column_2, column_1))
    words = pa.array(codes)

    def coded(numbers: np.ndarray[Any, Any]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(numbers[order].astype(np.int32)), words)

    last = pa.array(end[order].astype(np.int32), mask=end[order] == FOREVER).cast(pa.date32())
    return pa.table(
        {
            "column_1": coded(column_1),
            "column_2": coded(column_2),
            "effective_from": pa.array(start[order].astype(np.int32)).cast(pa.date32()),
            "effective_to": last,
            "modifier_indicator": pa.array(indicator[order]),
            "in_existence_prior_to_1996": pa.array(np.zeros(rows, dtype=bool)),
            "rationale": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["made up"])),
            "source": pa.array(np.zeros(rows, np.uint16)),
            "source_row": pa.array(np.arange(1, rows + 1, dtype=np.uint32)),
        }
    )


def _header(rule_set: str, kind: str, quarter: int, through_year: bool = False) -> RevisionHeader:
    return RevisionHeader(
        rule_set=rule_set,
        kind=kind,
        label=f"2024Q{quarter}",
        effective_from=quarter_start(2024, quarter),
        effective_to=quarter_end(2024, 4 if through_year else quarter),
        published_on=quarter_start(2024, quarter) - 30,
        sources=(Source("made-up", "0" * 64, 0, 0, "utf-8"),),
    )


def _ptp(rule_set: str, quarter: int, table: pa.Table) -> RevisionDraft:
    return RevisionDraft(_header(rule_set, "ptp", quarter), {"edits": table}, len(table), len(table))


def _mue(codes: list[str]) -> RevisionDraft:
    n = len(codes)
    random_numbers = random.Random(3)
    table = pa.table(
        {
            "procedure_code": codes,
            "value": pa.array([random_numbers.choice((1, 1, 2, 4, 10)) for _ in codes], pa.int32()),
            "mai": pa.array([random_numbers.choice((2, 3)) for _ in codes], pa.uint8()),
            "rationale": ["made up"] * n,
            "confidential": [False] * n,
            "source": pa.array([0] * n, pa.uint16()),
            "source_row": pa.array(range(1, n + 1), pa.uint32()),
        }
    )
    return RevisionDraft(_header("medicare-mue-practitioner", "mue", 3), {"values": table}, n, n)


def _add_on(codes: list[str]) -> RevisionDraft:
    add_ons = codes[:: max(17, len(codes) // 740)]
    rows = sorted({(a, codes[(7 * i + k * 11) % len(codes)]) for i, a in enumerate(add_ons) for k in range(11)})
    rows = [row for row in rows if row[0] != row[1]]
    n, start = len(rows), quarter_start(2013, 1)
    blank = pa.array([None] * n, pa.date32())
    table = pa.table(
        {
            "add_on_code": [a for a, _ in rows],
            "primary_code": [p for _, p in rows],
            "effective_from": pa.array([start] * n, pa.int32()).cast(pa.date32()),
            "effective_to": blank,
            "edit_type": pa.array([1] * n, pa.uint8()),
            "add_on_deleted_on": blank,
            "primary_deleted_on": blank,
            "note": [""] * n,
            "settings": [""] * n,
            "source": pa.array([0] * n, pa.uint16()),
            "source_row": pa.array(range(1, n + 1), pa.uint32()),
        }
    )
    return RevisionDraft(_header("medicare-aoc", "aoc", 3, through_year=True), {"edits": table}, n, n)


def make_claims(
    codes: list[str], count: int, index: PtpIndex, lines: int = 10, seed: int = 5
) -> Iterator[dict[str, Any]]:
    """Claims as they come: frequent codes, one day, few modifiers, and few pairs.

    Real claims of this size hold 0.1 to 0.7 pairs that stand in the table, made-up ones several: a code that conflicts
    with an earlier line is drawn again, but for one draw in twelve.
    """
    numbers = random.Random(seed)
    frequent = numbers.sample(codes, min(600, len(codes)))

    def draw() -> list[str]:
        drawn: list[str] = []
        while len(drawn) < lines:
            trial = [*drawn, numbers.choice(frequent)]
            places = [index.number_of[code] for code in trial]
            conflict = any(j == len(drawn) for _, j in index.conflicts(places)) or trial[-1] in drawn
            if not conflict or numbers.random() < 1 / 12:
                drawn = trial
        return drawn

    for i in range(count):
        chosen = draw()
        yield {
            "claim_id": f"B-{i}",
            "program": "MEDICARE",
            "setting": "PRACTITIONER",
            "billing_provider_id": "1234567893",
            "state": "PA",
            "diagnoses": ["E11.42"],
            "lines": [
                {
                    "line_number": number,
                    "procedure_code": chosen[number - 1],
                    "modifiers": numbers.choice(([], [], [], ["59"], ["RT"], ["GC"])),
                    "units": "1",
                    "service_date": "2024-08-15",
                    "diagnosis_pointers": [1],
                    "place_of_service": "11",
                }
                for number in range(1, lines + 1)
            ],
        }
