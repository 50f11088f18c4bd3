"""Five million listed diagnoses, each for ten codes: how long the index takes to build, to open, and to decide a line.

``python coverage_at_scale.py [LISTED_DIAGNOSES]`` prints the figures; it is no test.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.coverage.index import COVERAGE_INDEX
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[2] / "rules"
STATES = ("PA", "NY", "TX", "OH", "GA", "FL", "IL", "WA")
CODES_A_DOCUMENT, DIAGNOSES_A_LIST = 10, 250


def synthetic_tables(listed: int) -> dict[str, pa.Table]:
    """Made-up documents: each governs ten codes in one state, with one list of 250 diagnoses."""
    documents = max(1, listed // DIAGNOSES_A_LIST)
    codes = [f"Z{number:04d}" for number in range(2_000)]
    diagnoses = [
        f"{letter}{a:02d}{b}{c}" for letter in "ABCDEFGHIJ" for a in range(100) for b in range(10) for c in range(5)
    ]
    start = parse_day("2024-01-01")
    rows: dict[str, list[tuple[object, ...]]] = {
        name: [] for name in ("documents", "procedure_codes", "groups", "jurisdictions")
    }
    for number in range(documents):
        key, place = (f"A{80_000 + number}", "1"), (0, number + 1)
        rows["documents"].append((*key, "ARTICLE", "", start, None, None, False, False, "", "", *place))
        rows["jurisdictions"].append((*key, "", "", STATES[number % len(STATES)], None, None, *place))
        rows["groups"].append((*key, "covered", 1, "standalone", "", "", "", "", "", *place))
        for i in range(CODES_A_DOCUMENT):
            rows["procedure_codes"].append(
                (*key, 1, codes[(number // len(STATES) * CODES_A_DOCUMENT + i) % len(codes)], *place)
            )
    tables = {name: build_table(SCHEMAS[name], lines) for name, lines in rows.items()}
    tables["diagnoses"] = _synthetic_diagnoses(documents, diagnoses)
    return tables


def _synthetic_diagnoses(documents: int, diagnoses: list[str]) -> pa.Table:
    rng = np.random.default_rng(1)
    chosen = np.concatenate(
        [np.sort(rng.choice(len(diagnoses), DIAGNOSES_A_LIST, replace=False)) for _ in range(documents)]
    )
    size = len(chosen)

    def words(indices: np.ndarray[Any, Any], values: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(values))

    zeros = np.zeros(size, dtype=np.int32)
    columns = [
        words(
            np.repeat(np.arange(documents), DIAGNOSES_A_LIST), [f"A{80_000 + number}" for number in range(documents)]
        ),
        words(zeros, ["1"]),
        words(zeros, ["covered"]),
        pa.array(zeros + 1, pa.int32()),
        words(chosen, diagnoses),
        pa.array(np.zeros(size, dtype=bool)),
        pa.array(zeros, pa.uint16()),
        pa.array(np.arange(1, size + 1), pa.uint32()),
    ]
    return pa.table(columns, schema=SCHEMAS["diagnoses"])


def _tell(text: object) -> None:
    sys.stdout.write(f"{text}\n")


def main(listed: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = Store.open(Path(directory) / "store", create=True)
        tables = synthetic_tables(listed)
        header = RevisionHeader(
            "medicare-coverage", "coverage", "synthetic", parse_day("1900-01-01"), FOREVER, parse_day("2024-01-01"),
            (Source("made-up", "0" * 64, 1, 1, "utf-8"),),
        )  # fmt: skip
        read = sum(table.num_rows for table in tables.values())
        began = time.perf_counter()
        ids = [
            store.add_revision(RevisionDraft(header, tables, read=read, kept=read))[0].id,
            store.add_revision(compile_table_rules(RULES / "ncci-conventions"))[0].id,
        ]
        release = store.create_release(ids).id
        LoadedRelease.open(store, release)
        _tell(
            f"kept, released and indexed in {time.perf_counter() - began:.1f} s; {tables['diagnoses'].num_rows:,} listed diagnoses"
        )
        path = store.index_directory(COVERAGE_INDEX, [ids[0]])
        began = time.perf_counter()
        COVERAGE_INDEX.open(path)
        _tell(
            f"index opened in {(time.perf_counter() - began) * 1e3:.1f} ms; {sum(f.stat().st_size for f in path.iterdir()):,} bytes"
        )
        engine = Engine(LoadedRelease.open(store, release))
        lines = [
            {"line_number": i + 1, "procedure_code": f"Z{i * 19 % 2000:04d}", "units": "1", "service_date": "2024-06-01", "diagnosis_pointers": [1, 2]}
            for i in range(100)
        ]  # fmt: skip
        claim = read_claim(
            {"claim_id": "1", "program": "MEDICARE", "setting": "PRACTITIONER", "state": "PA", "diagnoses": ["A00.01", "B05.22"], "lines": lines}
        )  # fmt: skip
        _tell([line.outcome.name for line in engine.evaluate(claim, "", ["COVERAGE"]).lines][:5])
        times = []
        for _ in range(200):
            began = time.perf_counter()
            engine.evaluate(claim, "", ["COVERAGE"])
            times.append(time.perf_counter() - began)
        _tell(f"{sorted(times)[100] / len(lines) * 1e6:.1f} µs a line (median), findings included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
