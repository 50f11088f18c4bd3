"""Small releases for engine tests, kept in a real store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from claimedits.app.testing.case_tables import group_rows, table_draft
from claimedits.engine.engine import Engine
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[2] / "rules"


def drafts_of_rows(rows: Sequence[Mapping[str, Any]]) -> list[RevisionDraft]:
    """The revisions that rows in the known-answers form state, without the conventions."""
    return [table_draft(name, revision, placed) for (name, revision), placed in group_rows(rows).items()]


def open_engine(path: Path, rows: Sequence[Mapping[str, Any]]) -> Engine:
    """An engine over a release of ``rows`` (in the known-answers form), the shipped conventions and duplicates."""
    store = Store.open(path / "store", create=True)
    drafts = [
        *drafts_of_rows(rows),
        compile_table_rules(RULES / "ncci-conventions"),
        compile_table_rules(RULES / "duplicates"),
    ]
    release = store.create_release([store.add_revision(draft)[0].id for draft in drafts])
    return Engine.open(store, release.id)


def ptp_row(column_1: str, column_2: str, indicator: str = "1", **parts: Any) -> dict[str, Any]:
    return {
        "family": "PTP",
        "rule_set": "medicare-ptp-practitioner",
        "column_1": column_1,
        "column_2": column_2,
        "effective_from": "2010-01-01",
        "effective_to": "",
        "modifier_indicator": indicator,
        **parts,
    }


def mue_row(code: str, value: int, mai: str | None, **parts: Any) -> dict[str, Any]:
    row = {"family": "MUE", "rule_set": "medicare-mue-practitioner", "procedure_code": code, "value": value, "mai": mai}
    return {**row, **parts}


def aoc_row(add_on: str, primary: str, edit_type: str = "1", **parts: Any) -> dict[str, Any]:
    return {
        "family": "ADD_ON_CODE",
        "rule_set": "medicare-aoc",
        "add_on_code": add_on,
        "primary_code": primary,
        "edit_type": edit_type,
        "effective_from": "2013-01-01",
        "effective_to": "",
        **parts,
    }


def line(number: int, code: str, *modifiers: str, **parts: Any) -> dict[str, Any]:
    return {
        "line_number": number,
        "procedure_code": code,
        "modifiers": list(modifiers),
        "units": "1",
        "service_date": "2024-08-15",
        "place_of_service": "11",
        **parts,
    }


def claim(*lines: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "claim_id": "T-1",
        "program": "MEDICARE",
        "setting": "PRACTITIONER",
        "billing_provider_id": "1234567893",
        "state": "PA",
        "lines": list(lines),
        **parts,
    }
