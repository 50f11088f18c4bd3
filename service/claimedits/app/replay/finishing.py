"""The last stage: sums of all partitions become a report and a manifest. The manifest is written last: it says that all is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from claimedits.app.replay.documents import LISTED, report_fields
from claimedits.app.replay.expectations import ReadExpectations, not_in_input
from claimedits.app.replay.part_files import PartDone, matched_path, publish, publish_json, read_done, unfinished
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
    whole = {"rejected.ndjson": (reading_folder(out / "work") / "rejected.ndjson").read_bytes()}
    if expected is not None:
        whole["expected_rejected.ndjson"] = (expected.folder / "rejected.ndjson").read_bytes()
    whole["report.json"] = orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    whole["report.html"] = draw_page(replay_report(report)).encode()
    for name, content in whole.items():
        files[name] = _publish(out / name, content)
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


def _write_sums(path: Path, table: Any) -> dict[str, Any]:
    path.parent.mkdir(exist_ok=True)
    beside = unfinished(path)
    beside.unlink(missing_ok=True)
    with DigestingFile(beside) as file:
        pq.write_table(table.cast(SCHEMAS[path.stem]), file, compression="zstd")
        file.sync()
        about = {"rows": table.num_rows, "bytes": file.size, "sha256": file.sha256}
    beside.replace(path)
    return about


def _publish(path: Path, content: bytes) -> dict[str, Any]:
    publish(path, content)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
