"""``claim-edits read``: claims as they are kept, X12, FHIR, tables, become claims of the contract, each record accounted for."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from claimedits.app.claim_sources.column_mapping import shipped_mappings
from claimedits.app.claim_sources.detection import FORMATS
from claimedits.app.claim_sources.history import join_history
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.partitions import partition_by_patient, read_partition
from claimedits.app.claim_sources.reading import ClaimInput, ReadOptions
from claimedits.app.claim_sources.records import Notice, Rejection
from claimedits.app.claim_sources.writing import open_claim_writer, open_rejection_file, write_rejection
from claimedits.cli.terminal import PROBLEMS_FOUND, command_errors, format_option, print_json, show_progress
from claimedits.model.line_table import LINE_SCHEMA
from claimedits.model.terms import Program, Setting

_MOST_SHOWN = 20
_BYTES_A_PARTITION = 48 << 20
"""Packed bytes of input for one partition."""


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--from", "source", type=click.Choice(FORMATS), help="Format of the files; found by content without it.")
@click.option(
    "--mapping",
    default="",
    metavar="MAPPING",
    help=f"Columns of a CSV or Parquet file: a TOML file, or one of {', '.join(shipped_mappings())}. "
    "Without it, the shipped one that fits.",
)
@click.option(
    "--program",
    type=click.Choice(list(Program.__members__)),
    help="Who pays, where a claim does not say; X12 says it in SBR09.",
)
@click.option(
    "--setting",
    type=click.Choice(list(Setting.__members__)),
    help="Setting of professional claims, where the billing provider's taxonomy shall not decide.",
)
@click.option(
    "--to",
    "target",
    type=(click.Choice(["ndjson", "parquet"]), str),
    metavar="FORMAT FILE",
    help="Write the claims: ndjson FILE (- is standard output) or parquet FILE. Without it they are only counted.",
)
@click.option("--rejected", metavar="FILE", help="Write what could not be read, one JSON object a line.")
@click.option(
    "--hash-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Replace ids of claims, patients and providers by digests with the key in this file.",
)
@click.option(
    "--history-window",
    type=click.IntRange(0, 3_660),
    metavar="DAYS",
    help="Join claims of one patient and provider as history, if their lines are at most so many days apart; 0 = one day.",
)
@click.option(
    "--history-order",
    type=click.Choice(["each-other", "earlier"]),
    default="each-other",
    show_default=True,
    help="Whether claims are history for each other, or only earlier ones for later ones.",
)
@format_option
@command_errors
def read(
    files: tuple[str, ...],
    source: str | None,
    mapping: str,
    program: str | None,
    setting: str | None,
    target: tuple[str, str] | None,
    rejected: str | None,
    hash_key: Path | None,
    history_window: int | None,
    history_order: str,
    output_format: str,
) -> None:
    """Reads claims from X12 837, FHIR, CSV, Parquet or NDJSON files, plain, gzip or zip, and says what became of each record.

    Records that cannot be read are told with file, position and reason, and the rest goes on; the exit code is then 1.
    Claims of patients come in another order when --history-window joins them.

    \b
    Example:
      claim-edits read claims.837 remits.json --program MEDICARE --to ndjson claims.ndjson --rejected rejected.ndjson
    """
    if history_window is not None and target is None:
        raise click.UsageError("--history-window joins claims that are written: name a file with --to")
    if target == ("parquet", "-"):
        raise click.UsageError("Parquet needs a file: --to parquet FILE")
    identifiers = IdentifierHash.from_file(hash_key) if hash_key is not None else None
    options = ReadOptions(source or "", mapping, program or "", setting or "", identifiers)
    run = _Run(ClaimInput(files, options), history_window, history_order == "earlier")
    with show_progress("read") as advance:
        run.read(target, rejected, advance)
    run.report(output_format, to_stderr=target == ("ndjson", "-"))
    if run.input.counts.rejected:
        sys.exit(PROBLEMS_FOUND)


class _Run:
    """One run of the command."""

    def __init__(self, claims: ClaimInput, window: int | None, earlier_only: bool) -> None:
        self.input = claims
        self._window = window
        self._earlier_only = earlier_only
        self._shown: list[Rejection | Notice] = []
        self._history_lines = 0
        self._history_cut = 0

    def read(
        self, target: tuple[str, str] | None, rejected: str | None, advance: Callable[[str, int, int], None] | None
    ) -> None:
        """Read everything, and write what was asked for."""
        with ExitStack() as stack:
            writer = stack.enter_context(open_claim_writer(*target)) if target is not None else None
            file = stack.enter_context(open_rejection_file(rejected)) if rejected is not None else None
            for table in self._joined(self._tables(file, advance), target):
                if writer is not None:
                    writer.write(table)

    def _tables(self, rejected: Any, advance: Callable[[str, int, int], None] | None) -> Iterator[pa.Table]:
        for batch in self.input.batches():
            for rejection in batch.rejections:
                self._show(rejection)
                if rejected is not None:
                    write_rejection(rejected, rejection)
            for notice in batch.notices:
                self._show(notice)
            if advance is not None:
                advance(f"{self.input.counts.records:,} records", self.input.bytes_read, self.input.bytes_known)
            yield batch.table

    def _show(self, record: Rejection | Notice) -> None:
        if len(self._shown) < _MOST_SHOWN:
            self._shown.append(record)

    def _joined(self, tables: Iterator[pa.Table], target: tuple[str, str] | None) -> Iterator[pa.Table]:
        """Line tables; with the history of each claim where a window was asked for."""
        if self._window is None or target is None:
            for table in tables:
                yield table.select(LINE_SCHEMA.names)
            return
        near = None if target[1] == "-" else Path(target[1]).absolute().parent
        with tempfile.TemporaryDirectory(prefix=".claim-edits-", dir=near) as folder:
            number = max(1, min(1_024, -(-self.input.bytes_known // _BYTES_A_PARTITION)))
            for path in partition_by_patient(tables, Path(folder) / "partitions", number):
                for joined in join_history(read_partition(path), self._window, self._earlier_only):
                    self._history_lines += joined.lines
                    self._history_cut += joined.cut
                    yield joined.table

    def report(self, output_format: str, to_stderr: bool) -> None:
        """The summary: what became of every record."""
        counts = self.input.counts
        if output_format == "json":
            summary = {
                "files": counts.files,
                "formats": counts.formats,
                "records": counts.records,
                "claims": counts.claims,
                "rejected": counts.rejected,
                "lines": counts.lines,
                "rows_left_out": self.input.left_out,
                "notices": counts.notices,
                "first_rejections": [r.as_fields() for r in self._shown if isinstance(r, Rejection)],
                "first_notices": [n.as_fields() for n in self._shown if isinstance(n, Notice)],
            }
            if self._window is not None:
                summary["history_lines"] = self._history_lines
                summary["claims_with_more_history"] = self._history_cut
            if not to_stderr:
                print_json(summary)
            return
        for record in self._shown:
            click.echo(("rejected: " if isinstance(record, Rejection) else "notice: ") + str(record), err=True)
        more = counts.rejected + counts.notices - len(self._shown)
        if more > 0:
            click.echo(f"… and {more:,} more; --rejected FILE writes all that were rejected", err=True)
        formats = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.formats.items()))
        lines = [
            f"files     {counts.files:>12,}  {formats}",
            f"records   {counts.records:>12,}",
            f"claims    {counts.claims:>12,}  with {counts.lines:,} lines",
            f"rejected  {counts.rejected:>12,}",
        ]
        if self.input.left_out:
            lines.append(f"left out  {self.input.left_out:>12,}  rows that the mapping leaves out")
        if counts.notices:
            lines.append(f"notices   {counts.notices:>12,}")
        if self._window is not None:
            beyond = f"; {self._history_cut:,} claims have more, the farthest is left out" if self._history_cut else ""
            lines.append(f"history   {self._history_lines:>12,}  lines joined{beyond}")
        for line in lines:
            click.echo(line, err=to_stderr)
