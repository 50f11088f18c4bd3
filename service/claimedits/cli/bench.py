"""``claim-edits bench``: speed and memory on full-size tables, each figure beside a baseline of the same run."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from claimedits.cli.bench_columnar import measure_tables
from claimedits.cli.bench_families import measure_families
from claimedits.cli.bench_tables import build_store, make_claims
from claimedits.cli.terminal import command_errors, format_option, print_json, print_rows, show_progress
from claimedits.engine.engine import Engine
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import parse_day
from claimedits.model.terms import Family
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.ptp_index import PtpIndex

AS_OF = "2024-08-20"
NCCI = frozenset((Family.DUPLICATE, Family.PTP, Family.MUE, Family.ADD_ON_CODE))


@dataclass(frozen=True)
class Measure:
    """One row of the table: a figure, what it is compared with in the same run, and the bar."""

    what: str
    measured: str
    baseline: str
    ratio: str
    bar: str
    met: bool


@click.command()
@click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path),
    envvar="CLAIMEDITS_STORE",
    help="A store with real tables; made-up ones of full size by default.",
)
@click.option(
    "--scale", type=click.FloatRange(0.001, 1), default=1.0, show_default=True, help="Size of the made-up PTP tables."
)
@click.option(
    "--claims", "count", type=click.IntRange(100), default=3000, show_default=True, help="Claims a measurement."
)
@click.option(
    "--lines", type=click.IntRange(10_000), default=1_000_000, show_default=True, help="Lines of the generated table."
)
@format_option
@command_errors
def bench(store_path: Path | None, scale: float, count: int, lines: int, output_format: str) -> None:
    """Measures decision, search, tables, service, opening and memory; a ratio is against a baseline of the same run.

    \b
    Example:
      claim-edits bench --scale 0.01 --claims 500
    """
    with _prepared(store_path, scale) as path:
        measures = list(_measure(path, count, lines))
    if output_format == "json":
        print_json([asdict(measure) for measure in measures])
        return
    rows = [[m.what, m.measured, m.baseline, m.ratio, m.bar, "yes" if m.met else "NO"] for m in measures]
    print_rows(["what", "measured", "baseline (same run)", "ratio", "first bar", "met"], rows)


@contextmanager
def _prepared(store_path: Path | None, scale: float) -> Iterator[Path]:
    if store_path is not None:
        yield store_path
        return
    with (
        tempfile.TemporaryDirectory(prefix="claim-edits-bench-") as folder,
        show_progress("made-up tables") as progress,
    ):
        if progress:
            progress("building", 0, 1)
        build_store(Path(folder) / "store", scale)
        yield Path(folder) / "store"


def _measure(path: Path, count: int, lines: int) -> Iterator[Measure]:
    from claimedits.cli.bench_server import measure_server

    yield _opening(path)
    engine = Engine.open(path)
    gc.collect()
    gc.freeze()  # as the server does: what lives as long as the process is no business of the collector
    index = engine.release.rule_sets["medicare-ptp-practitioner"].index
    assert isinstance(index, PtpIndex)
    values = engine.release.rule_sets["medicare-mue-practitioner"]
    codes = [code for code in index.codes if _is_payable(values, code)]
    fields = list(make_claims(codes, count, index))
    claims = [read_claim(claim) for claim in fields]
    yield from _deciding(engine, claims)
    yield from measure_families(engine, fields, AS_OF, median_us, NCCI, Measure)
    yield from _searching(index, claims)
    yield _further_quarter(engine)
    yield from measure_tables(engine, codes, lines, AS_OF, Measure)
    yield from measure_server(path, fields, Measure)


def _is_payable(values: LoadedRuleSet, code: str) -> bool:
    """Codes that a claim would carry: outside anesthesia, with a value of at least one unit."""
    day = parse_day(AS_OF)
    selection = values.editions.known(day).select(day)
    row = values.index.row(code, selection.in_force) if selection else None
    return code.isdigit() and "10004" <= code <= "89398" and row is not None and row.value > 0


def median_us(function: Callable[[Claim], object], claims: Sequence[Claim]) -> float:
    """Median of one call a claim, in microseconds, after one untimed round over a tenth of them."""
    for claim in claims[: len(claims) // 10 + 1]:
        function(claim)
    times = []
    for claim in claims:
        start = time.perf_counter_ns()
        function(claim)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def _deciding(engine: Engine, claims: Sequence[Claim]) -> Iterator[Measure]:
    loop = median_us(_count_words, claims)
    decide = median_us(lambda claim: engine.evaluate(claim, AS_OF, NCCI), claims)
    findings = statistics.mean(len(engine.evaluate(claim, AS_OF, NCCI).findings) for claim in claims[:500])
    yield Measure(
        f"decide a 10-line claim, NCCI families, {findings:.1f} findings (median)",
        f"{decide:.0f} µs",
        f"visit its lines: {loop:.1f} µs",
        f"{decide / loop:.0f}",
        "≤ 80 µs",
        decide <= 80,
    )


def _count_words(claim: Claim) -> int:
    """A plain loop over the lines and their modifiers: what Python charges for looking at a claim."""
    return sum(len(line.modifiers) + bool(line.procedure_code) + bool(line.units) for line in claim.lines)


def _searching(index: PtpIndex, claims: Sequence[Claim]) -> Iterator[Measure]:
    def search(claim: Claim) -> int:
        get = index.number_of.get
        numbers = [get(line.procedure_code, -1) for line in claim.lines]
        return sum(len(index.rows(numbers[i], numbers[j])) for i, j in index.conflicts(numbers))

    partners = _as_sets(index, {line.procedure_code for claim in claims for line in claim.lines})

    def search_sets(claim: Claim) -> int:
        codes = [line.procedure_code for line in claim.lines]
        return sum(b in partners.get(a, ()) for i, a in enumerate(codes) for b in codes[i + 1 :])

    ours, sets = median_us(search, claims), median_us(search_sets, claims)
    yield Measure(
        "PTP pair search, 10 lines (median)",
        f"{ours:.1f} µs",
        f"sets in memory: {sets:.1f} µs",
        f"{ours / sets:.1f}",
        "≤ 20 µs",
        ours <= 20,
    )
    start = time.perf_counter()
    for claim in claims:
        search(claim)
    rate = 10 * len(claims) / (time.perf_counter() - start)
    yield Measure(
        "PTP pair search in bulk", f"{rate / 1e6:.2f} M lines/s", f"sets in memory: {10 / sets:.2f} M lines/s", f"{rate / 1e7 * sets:.1f}",
        "≥ 1 M lines/s", rate >= 1e6,
    )  # fmt: skip


def _as_sets(index: PtpIndex, codes: set[str]) -> dict[str, set[str]]:
    partners: dict[str, set[str]] = {}
    numbers = [index.number_of[code] for code in sorted(codes) if code in index.number_of]
    for i, j in index.conflicts(numbers):
        partners.setdefault(index.codes[numbers[i]], set()).add(index.codes[numbers[j]])
        partners.setdefault(index.codes[numbers[j]], set()).add(index.codes[numbers[i]])
    return partners


def _opening(path: Path) -> Measure:
    """A fresh process opens the store; another one only imports the library."""
    opened = _run_seconds(f"from claimedits import Engine; Engine.open({str(path)!r})")
    imported = _run_seconds("import claimedits")
    seconds = opened - imported
    return Measure(
        "open a store and be ready", f"{seconds * 1000:.0f} ms", f"import the library: {imported * 1000:.0f} ms", f"{seconds / imported:.1f}",
        "≤ 2 s", seconds <= 2,
    )  # fmt: skip


def _run_seconds(code: str) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _further_quarter(engine: Engine) -> Measure:
    """Rows that one more quarter of the practitioner table adds to the index."""
    index = engine.release.rule_sets["medicare-ptp-practitioner"].index
    first, all_rows = index.count_rows(1), index.count_rows(None)
    quarters = len(engine.release.rule_sets["medicare-ptp-practitioner"].editions.revisions)
    share = (all_rows - first) / first / max(1, quarters - 1)
    return Measure(
        "one more quarter in memory", f"{(all_rows - first) / max(1, quarters - 1):,.0f} rows", f"the first quarter: {first:,} rows",
        f"{share:.1%}", "≤ 25 %", share <= 0.25 and quarters > 1,
    )  # fmt: skip
