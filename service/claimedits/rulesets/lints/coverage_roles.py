"""Lints of curated roles of coverage documents (``rules/coverage-roles/README.md``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from claimedits.model.dates import date_of
from claimedits.rulesets.lints.report import Report
from claimedits.rulesets.revision import RevisionDraft

_DOCUMENT = re.compile(r"[AL]\d{4,6}|NCD-?\d+(\.\d+)*")
_NAMED = re.compile(r"\b[AL]\d{4,6}\b")
_HALVES = {"required_secondary": "primary_eligible", "primary_eligible": "required_secondary"}


def check_roles(draft: RevisionDraft, shown: str, report: Report) -> None:
    """Half of a pair whose other half no group of the document has; ``shown`` names the directory in findings."""
    for row in draft.tables["roles"].to_pylist():
        _check_document(row, draft, shown, report)
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


def _check_document(row: Mapping[str, Any], draft: RevisionDraft, shown: str, report: Report) -> None:
    """What is odd in what a group says of its document."""
    document, citation = row["document_id"], row["citation"]
    about = f"[[group]] {row['source_row']}"
    place = (f"{shown}/{draft.header.sources[row['source']].file}", 1, 1)
    if not _DOCUMENT.fullmatch(document):
        what, mend = f"{about}: {document} is no document", "write its letter and number, such as A90001 or L33001"
        report.add("CE123", place, what, mend, subject=document)
    named = set(_NAMED.findall(citation))
    if named and document not in named:
        what = f"{about}: the citation names {', '.join(sorted(named))}, the group stands under {document}"
        report.add("CE116", place, what, "name the document whose paragraph was read", subject=f"{document} {citation}")
    published = date_of(draft.header.published_on)
    if row["reviewed_on"] > published:
        what = f"{about}: reviewed on {row['reviewed_on']}, after the rule set was published ({published})"
        mend = "write the day on which the paragraph was read, or renew published_on in rule-set.toml"
        report.add("CE116", place, what, mend, subject=f"{document} {row['reviewed_on']}")
