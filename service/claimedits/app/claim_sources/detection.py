"""Which format a file has: by its first bytes, and by its extension where they leave it open."""

from __future__ import annotations

import re

from claimedits.app.claim_sources.containers import PARQUET_MAGIC, READ_ERRORS, ClaimFile

FORMATS = ("x12", "fhir", "csv", "parquet", "ndjson")
_HEAD = 1 << 16
_TEXT = re.compile(rb'"resourceType"\s*:')


def detect_format(file: ClaimFile) -> str:
    """One of ``FORMATS``, or empty where nothing speaks for one. The stream stays where it is."""
    try:
        head = file.stream.peek(_HEAD)[:_HEAD] if hasattr(file.stream, "peek") else b""
    except READ_ERRORS:
        head = b""
    if head.startswith(PARQUET_MAGIC) or (not head and file.suffix in (".parquet", ".pq")):
        return "parquet"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.match(rb"(ISA|GS|ST)[^A-Za-z0-9\s]", start):
        return "x12"
    if start[:1] in (b"{", b"["):
        return "fhir" if _TEXT.search(head) or file.suffix == ".json" else "ndjson"
    by_suffix = {
        ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".psv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson",
        ".json": "fhir", ".parquet": "parquet", ".pq": "parquet", ".837": "x12", ".837p": "x12", ".837i": "x12",
        ".x12": "x12", ".edi": "x12",
    }  # fmt: skip
    if file.suffix in by_suffix:
        return by_suffix[file.suffix]
    line = start.split(b"\n", 1)[0]
    return "csv" if any(line.count(sign) for sign in (b",", b"|", b"\t", b";")) else ""
