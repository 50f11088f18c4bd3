"""A revision on disk: ``manifest.json``, one Arrow IPC file a table, and the problems its import reported.

Tables are uncompressed, so that they are mapped into memory and shared by processes; pandas, polars and DuckDB open
them as they are. The manifest carries size and SHA-256 of every file, and all that the id is computed from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from claimedits.model.dates import FOREVER, Day, parse_day
from claimedits.model.problems import Problem, StoreError
from claimedits.rulesets.canonical_content import TableContent, digest_table, header_fields, revision_id
from claimedits.rulesets.durable_files import DigestingFile, digest_file
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, RevisionInfo, Source
from claimedits.rulesets.sealed_documents import read_sealed, seal

MANIFEST = "manifest.json"
REJECTS = "rejects.jsonl"
WARNINGS = "warnings.jsonl"
MEND = "import it again, or restore it from a backup"

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(slots=True, frozen=True)
class PreparedRevision:
    """A draft that was checked, with the id it will have."""

    id: str
    draft: RevisionDraft
    contents: Mapping[str, TableContent]


def prepare(draft: RevisionDraft) -> PreparedRevision:
    """Check a draft and compute its id: two million rows a second, in bounded memory.

    Raises:
        StoreError: counts that contradict the tables, or a table that a revision cannot hold.
    """
    what = f"{draft.header.rule_set} {draft.header.label}"
    for name in draft.tables:
        if not _TABLE_NAME.fullmatch(name):
            raise StoreError(f"{what}: {name!r} cannot name a table; use small letters, digits, '-' and '_'")
    contents = {name: digest_table(name, table) for name, table in sorted(draft.tables.items())}
    if draft.kept + len(draft.rejects) > draft.read:
        raise StoreError(
            f"{what}: {draft.kept} rows kept and {len(draft.rejects)} rejected are more than the {draft.read} read"
        )
    if len(contents) == 1:
        (only,) = contents.values()
        if only.rows != draft.kept:
            raise StoreError(f"{what}: {draft.kept} rows were counted as kept, but the table holds {only.rows}")
    return PreparedRevision(revision_id(draft.header, contents), draft, contents)


def write_revision(prepared: PreparedRevision, directory: Path) -> RevisionInfo:
    """Write all files of a revision into an existing, empty directory, each forced to the disk.

    Raises:
        OSError: the disk refuses.
    """
    draft = prepared.draft
    files = {}
    for name in prepared.contents:
        files[f"{name}.arrow"] = _write_table(draft.tables[name], directory / f"{name}.arrow")
    files[REJECTS] = _write(directory / REJECTS, _problem_lines(draft.rejects))
    files[WARNINGS] = _write(directory / WARNINGS, _problem_lines(draft.warnings))
    manifest = {
        "id": prepared.id,
        "header": header_fields(draft.header, [asdict(source) for source in draft.header.sources]),
        "tables": {name: asdict(content) for name, content in prepared.contents.items()},
        "files": files,
        "read": draft.read,
        "kept": draft.kept,
        "rejected": len(draft.rejects),
        "warnings": len(draft.warnings),
    }
    _write(directory / MANIFEST, seal(manifest))
    return _info(manifest)


class RevisionFiles:
    """The files of one kept revision. The manifest is verified here, every other file when it is read.

    Raises:
        StoreError: the manifest is missing, damaged, or another revision's.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._manifest = read_sealed(directory / MANIFEST, MEND)
        self.info = _info(self._manifest)
        contents = {
            name: TableContent(tuple((c, t) for c, t in table["columns"]), table["rows"], table["sha256"])
            for name, table in self._manifest["tables"].items()
        }
        expected = revision_id(self.info.header, contents)
        if not expected == self.info.id == f"sha256:{directory.name}":
            raise StoreError(f"{directory / MANIFEST}: damaged, it describes {expected}; {MEND}")

    def verify(self) -> None:
        """Compare every file with the manifest.

        Raises:
            StoreError: a file is missing, cut short or changed; the message names it.
        """
        for name in self._manifest["files"]:
            self._verified(name)

    def tables(self) -> dict[str, pa.Table]:
        """The tables by name, mapped into memory.

        Raises:
            StoreError: a file is missing, cut short or changed; the message names it.
        """
        tables = {}
        for name, rows in self.info.rows.items():
            path = self._verified(f"{name}.arrow")
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            if table.num_rows != rows:
                raise StoreError(f"{path}: holds {table.num_rows} rows, its manifest says {rows}; {MEND}")
            tables[name] = table
        return tables

    def problems(self, file: str) -> list[Problem]:
        """What the import reported: ``file`` is REJECTS or WARNINGS.

        Raises:
            StoreError: the file is missing, cut short or changed.
        """
        lines = self._verified(file).read_bytes().splitlines()
        return [Problem(**orjson.loads(line)) for line in lines]

    def _verified(self, name: str) -> Path:
        path = self._directory / name
        verify_file(path, self._manifest["files"][name], MEND)
        return path


def verify_file(path: Path, expected: Mapping[str, Any], mend: str) -> None:
    """Compare a file with its ``size`` and ``sha256``.

    Raises:
        StoreError: it is missing or differs; the message names it and ends with ``mend``.
    """
    try:
        size = path.stat().st_size
        if size != expected["size"]:
            raise StoreError(f"{path}: damaged, {size} bytes where {expected['size']} were written; {mend}")
        if digest_file(path) != expected["sha256"]:
            raise StoreError(f"{path}: damaged, its SHA-256 is not that of what was written; {mend}")
    except FileNotFoundError as error:
        raise StoreError(f"{path}: missing; {mend}") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); {mend}") from error


def _write(path: Path, content: bytes) -> dict[str, Any]:
    with DigestingFile(path) as file:
        file.write(content)
        file.sync()
        return {"size": file.size, "sha256": file.sha256}


def _write_table(table: pa.Table, path: Path) -> dict[str, Any]:
    # One batch and one dictionary a column: the file format knows no replaced dictionary, and readers get whole arrays.
    whole = table.replace_schema_metadata(None).unify_dictionaries().combine_chunks()
    with DigestingFile(path) as file:
        with pa.ipc.new_file(pa.PythonFile(file, mode="w"), whole.schema) as writer:
            writer.write_table(whole)
        file.sync()
        return {"size": file.size, "sha256": file.sha256}


def _problem_lines(problems: Sequence[Problem]) -> bytes:
    return b"".join(orjson.dumps(asdict(problem), option=orjson.OPT_APPEND_NEWLINE) for problem in problems)


def _day(text: str) -> Day:
    return parse_day(text) if text else FOREVER


def _info(manifest: Mapping[str, Any]) -> RevisionInfo:
    fields = dict(manifest["header"])
    for name in ("effective_from", "effective_to", "published_on"):
        fields[name] = _day(fields[name])
    fields["sources"] = tuple(Source(**source) for source in fields["sources"])
    return RevisionInfo(
        id=manifest["id"],
        header=RevisionHeader(**fields),
        rows={name: table["rows"] for name, table in manifest["tables"].items()},
        read=manifest["read"],
        rejected=manifest["rejected"],
        warnings=manifest["warnings"],
        kept=manifest["kept"],
    )
