"""The last stage: sums of all partitions become a report and a manifest. The manifest is written last: it says that all is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from claimedits.app.replay.documents import LISTED, report_fields
from claimedits.app.replay.expectations import ReadExpectations, not_in_input
from claimedits.app.replay.part_files import PartDone, matched_path, publish_json, read_done, say_full, unfinished
from claimedits.app.replay.plan import MANIFEST, Plan
from claimedits.app.replay.reading import ReadInput, reading_folder
from claimedits.app.replay.sums import SCHEMAS, Sums, merge_sums
from claimedits.app.reports.page import draw_page
from claimedits.app.reports.replay_report import replay_report
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.durable_files import DigestingFile

_MERGED = 16
"""Partitions whose sums are held at once."""


def finish_run(
    out: Path, plan: Plan, read: ReadInput, expected: ReadExpectations | None, numbers: Sequence[int]
) -> dict[str, Any]:
    """Write everything that speaks of the run as a whole, and give the content of ``report.json``.

    Raises:
        ClaimEditsError: a finished partition is not there any more.
        DiskFullError, OSError: the disk refuses.
    """
    files: dict[str, Mapping[str, Any]] = {}
    sums = _merge(out, numbers, files)
    real = None
    if expected is not None:
        matched = [path for number in numbers if (path := matched_path(out, number)).is_file()]
        missing, first = not_in_input(expected.folder, matched, LISTED)
        real = {**expected.counts, "not_in_input": missing, "first_not_in_input": first}
    listed = {kind: _first_rows(out, kind, files) for kind in ("changes", "disagreements", "refused")}
    report = orjson.loads(orjson.dumps(report_fields(plan, read, sums, real, listed)))
    for name, table in sums.tables.items():
        if table.num_rows:
            files[f"sums/{name}.parquet"] = _write_sums(out / "sums" / f"{name}.parquet", table)
    copies = {"rejected.ndjson": reading_folder(out / "work")}
    if expected is not None:
        copies["expected_rejected.ndjson"] = expected.folder
    for name, folder in copies.items():
        files[name] = _write(out / name, partial(_copy, folder / "rejected.ndjson"))
    document = orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    page = draw_page(replay_report(report)).encode()
    for name, content in (("report.json", document), ("report.html", page)):
        files[name] = _write(out / name, partial(_put, content))
    manifest = {
        "plan": plan.as_fields(),
        **plan.manifest(read.inputs, expected.inputs if expected else ()),
        "engine_version": ENGINE_VERSION,
        "counts": {"input": read.counts, "results": dict(sums.counts)},
        "outputs": [{"file": name, **files[name]} for name in sorted(files)],
    }
    publish_json(out / MANIFEST, manifest)
    return report  # type: ignore[no-any-return]


def _merge(out: Path, numbers: Sequence[int], files: dict[str, Mapping[str, Any]]) -> Sums:
    """The sums in the order of the partitions; fills the names of their files."""
    merged = merge_sums([])
    for begin in range(0, len(numbers), _MERGED):
        parts: list[PartDone] = []
        for number in numbers[begin : begin + _MERGED]:
            done = read_done(out, number)
            if done is None:
                raise ClaimEditsError(f"{out}: part {number} is gone; give the same command again")
            files |= done.files
            parts.append(done)
        merged = merge_sums([merged, *(part.sums for part in parts)])
    return merged


def _first_rows(out: Path, kind: str, files: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in sorted(name for name in files if name.startswith(f"{kind}/")):
        if len(rows) >= LISTED:
            break
        with pq.ParquetFile(out / name) as file:
            for batch in file.iter_batches(LISTED - len(rows)):
                rows += [row for row in batch.to_pylist() if row.get("kind") != "CITATION"]
                if len(rows) >= LISTED:
                    break
    return rows[:LISTED]


def _write_sums(path: Path, table: pa.Table) -> dict[str, Any]:
    path.parent.mkdir(exist_ok=True)
    whole = table.cast(SCHEMAS[path.stem])
    return {"rows": whole.num_rows, **_write(path, lambda file: pq.write_table(whole, file, compression="zstd"))}


def _copy(source: Path, file: DigestingFile) -> None:
    with source.open("rb") as opened:
        shutil.copyfileobj(opened, file, 1 << 20)


def _put(content: bytes, file: DigestingFile) -> None:
    file.write(content)


def _write(path: Path, fill: Callable[[DigestingFile], None]) -> dict[str, Any]:
    """Write a file that appears whole under its name; its size and digest."""
    beside = unfinished(path)
    beside.unlink(missing_ok=True)
    try:
        with DigestingFile(beside) as file:
            fill(file)
            file.sync()
            about = {"bytes": file.size, "sha256": file.sha256}
        beside.replace(path)
    except OSError as error:
        raise say_full(error, path) from error
    finally:
        beside.unlink(missing_ok=True)
    return about
