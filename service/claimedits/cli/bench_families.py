"""Made-up tables of the families beside NCCI, and the shipped rules, for the benchmark of a claim with everything loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from claimedits.app.building import compile_rules
from claimedits.app.shipped import find_rules
from claimedits.engine.engine import Engine
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source

DIAGNOSES = tuple(f"{letter}{number:02d}{digit}" for letter in "EIJM" for number in range(100) for digit in range(10))
"""Made-up billable diagnoses."""
DOCUMENTS, CODES_A_DOCUMENT, DIAGNOSES_A_LIST = 400, 5, 250
STATES = ("PA", "NY", "TX", "FL")
_SINCE: Day = parse_day("2024-01-01")
_USUAL = Indicators("A", "0", "000", "0", "0", "0", "0", "0")


def other_families(codes: Sequence[str]) -> list[RevisionDraft]:
    """Revisions that hold ``codes`` and made-up diagnoses, and every rule set that is shipped."""
    count = len(codes)
    indicators = {name: [value] * count for name, value in zip(Indicators._fields, _USUAL, strict=True)}
    fees = {"procedure_code": list(codes), "modifier": [""] * count, **indicators}
    return [
        _draft("medicare-pfs-indicators", "pfs", "indicators", fees),
        _draft("procedure-codes", "procedure-codes", "codes", {"procedure_code": list(codes), **_dated(count)}),
        _draft("icd10cm", "icd10", "codes", {"icd10_code": list(DIAGNOSES), **_dated(len(DIAGNOSES))}, billable=True),
        RevisionDraft(_header("medicare-coverage", "coverage"), _coverage(codes), 0, 0),
        *compile_rules(find_rules()),
    ]


def _header(rule_set: str, kind: str) -> RevisionHeader:
    source = Source("made-up", "0" * 64, 0, 0, "utf-8")
    return RevisionHeader(rule_set, kind, "made-up", _SINCE, FOREVER, _SINCE, (source,))


def _dated(count: int) -> dict[str, Any]:
    return {
        "effective_from": pa.array([_SINCE] * count, pa.int32()).cast(pa.date32()),
        "effective_to": pa.array([None] * count, pa.date32()),
        "title": [""] * count,
    }


def _draft(
    rule_set: str, kind: str, table: str, columns: Mapping[str, Any], *, billable: bool = False
) -> RevisionDraft:
    count = len(next(iter(columns.values())))
    whole = dict(columns)
    if billable:
        title = whole.pop("title")
        whole |= {"billable": [True] * count, "title": title}
    whole |= {"source": pa.array([0] * count, pa.uint16()), "source_row": pa.array(range(1, count + 1), pa.uint32())}
    return RevisionDraft(_header(rule_set, kind), {table: pa.table(whole)}, count, count)


def _coverage(codes: Sequence[str]) -> dict[str, pa.Table]:
    """Documents that govern a few codes each, in one state, with one list of diagnoses."""
    rows: dict[str, list[tuple[object, ...]]] = {
        name: [] for name in ("documents", "procedure_codes", "groups", "jurisdictions", "diagnoses")
    }
    step = max(1, len(codes) // (DOCUMENTS // len(STATES) * CODES_A_DOCUMENT))
    governed = codes[::step]
    for number in range(DOCUMENTS):
        key, place = (f"A{80_000 + number}", "1"), (0, number + 1)
        rows["documents"].append((*key, "ARTICLE", "", _SINCE, None, None, False, False, "", "", *place))
        rows["jurisdictions"].append((*key, "", "", STATES[number % len(STATES)], None, None, *place))
        rows["groups"].append((*key, "covered", 1, "standalone", "", "", "", "", "", *place))
        first = number // len(STATES) * CODES_A_DOCUMENT
        chosen = {governed[(first + i) % len(governed)] for i in range(CODES_A_DOCUMENT)}
        rows["procedure_codes"] += [(*key, 1, code, *place) for code in sorted(chosen)]
        listed = sorted({DIAGNOSES[(number * 37 + 13 * i) % len(DIAGNOSES)] for i in range(DIAGNOSES_A_LIST)})
        rows["diagnoses"] += [(*key, "covered", 1, diagnosis, False, *place) for diagnosis in listed]
    return {name: build_table(SCHEMAS[name], lines) for name, lines in rows.items()}


def everyday_claims(claims: Sequence[Mapping[str, Any]], diagnoses: Sequence[str]) -> list[Claim]:
    """The claims with four diagnoses each, a pointer a line, a patient and charges: what families beside NCCI ask for."""
    made = []
    for number, fields in enumerate(claims):
        listed = [diagnoses[(number * 7 + i * 911) % len(diagnoses)] for i in range(4)]
        lines = [
            {**line, "diagnosis_pointers": [1 + i % 4], "charge_cents": 12_000}
            for i, line in enumerate(fields["lines"])
        ]
        patient = {"birth_date": "1950-02-03", "sex": "F"}
        made.append(read_claim({**fields, "diagnoses": listed, "lines": lines, "patient": patient}))
    return made


def find_diagnoses(engine: Engine, day: Day) -> list[str]:
    """Billable diagnoses of the release on a day, every some-hundredth of them; made-up ones where it holds no list."""
    loaded = engine.release.rule_sets.get("icd10cm")
    if loaded is None:
        return list(DIAGNOSES)
    selection = loaded.editions.known(day).select(day)
    found = []
    for code in loaded.index.codes(step=37):
        rows = [row for row in loaded.index.windows(code) if selection and row.revisions >> selection.in_force & 1]
        if any(row.billable and row.covers(day) for row in rows):
            found.append(code)
    return found or list(DIAGNOSES)


def measure_families(
    engine: Engine,
    fields: Sequence[Mapping[str, Any]],
    as_of: str,
    median_us: Callable[[Callable[[Claim], object], Sequence[Claim]], float],
    ncci: frozenset[Any],
    measure: Any,
) -> Iterator[Any]:
    """All families over 10-line claims, beside the NCCI families alone in the same run."""
    claims = everyday_claims(fields, find_diagnoses(engine, parse_day(as_of)))
    for claim in claims[:500]:
        engine.evaluate(claim, as_of)
    alone = median_us(lambda claim: engine.evaluate(claim, as_of, ncci), claims)
    whole = median_us(lambda claim: engine.evaluate(claim, as_of), claims)
    findings = sum(len(engine.evaluate(claim, as_of).findings) for claim in claims[:500]) / min(500, len(claims))
    yield measure(
        f"decide a 10-line claim, all families, {findings:.1f} findings (median)",
        f"{whole:.0f} µs",
        f"NCCI alone: {alone:.0f} µs",
        f"{whole / alone:.1f}",
        "≤ 150 µs",
        whole <= 150,
    )
