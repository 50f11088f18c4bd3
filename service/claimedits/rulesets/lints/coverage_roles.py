"""Lints of curated roles of coverage documents (``rules/coverage-roles/README.md``)."""

from __future__ import annotations

from typing import Any

from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.revision import RevisionDraft

_HALVES = {"required_secondary": "primary_eligible", "primary_eligible": "required_secondary"}


def check_roles(draft: RevisionDraft, shown: str, report: Report) -> None:
    """Half of a pair whose other half no group of the document has; ``shown`` names the directory in findings."""
    documents: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in draft.tables["roles"].to_pylist():
        documents.setdefault((row["document_id"], row["document_version"]), []).append(row)
    for (document, version), rows in documents.items():
        roles = {row["role"] for row in rows}
        for row in rows:
            other = _HALVES.get(row["role"])
            if other is not None and other not in roles:
                what = (
                    f"[[group]] {row['source_row']}: {document} version {version} has a {row['role']} group, "
                    f"and none that is {other}"
                )
                mend = f"state the group that is {other}, or make this one standalone"
                file = draft.header.sources[row["source"]].file
                report.add(
                    "CE128",
                    (f"{shown}/{file}", 1, 1),
                    what,
                    mend,
                    subject=f"{document} {version} {row['group_number']}",
                )
