"""Claims as tables of lines, decisions as rows of findings, and the two ways of evaluating held against each other.

What a finding looks like as a row is said here once more, apart from the code that writes tables.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

from claimedits.engine.columnar.table import TableEvaluator, TableFindings, join_parts
from claimedits.engine.engine import Engine
from claimedits.model.finding import Decision, Finding
from claimedits.model.finding_fields import detail_fields, remedy_fields
from claimedits.model.line_table import LINE_SCHEMA

_HEAD = (
    "claim_id", "program", "setting", "billing_provider_id", "state", "contractor_id", "type_of_bill", "condition_codes",
    "clia_certificate", "payer_id", "prior_authorization_number", "diagnoses",
)  # fmt: skip
_LINE = (
    "line_number", "procedure_code", "modifiers", "diagnosis_pointers", "rendering_provider_id", "rendering_specialty",
    "place_of_service", "revenue_code", "charge_cents", "non_covered_charge_cents",
)  # fmt: skip
_CITATION = (
    "rule_set", "revision", "label", "source_file", "source_sha256", "source_row", "effective_from", "effective_to",
    "authority", "url",
)  # fmt: skip


def table_of(claims: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The lines of claims in their NDJSON form."""
    return pa.Table.from_pylist([row for claim in claims for row in rows_of(claim)], schema=LINE_SCHEMA)


def rows_of(claim: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    patient = claim.get("patient") or {}
    head = {name: claim.get(name) for name in _HEAD}
    head |= {
        "patient_id": patient.get("patient_id"),
        "birth_date": _date(patient.get("birth_date")),
        "sex": patient.get("sex"),
    }
    for lines in ("lines", "history_lines"):
        for line in claim.get(lines) or ():
            row = {**head, **{name: line.get(name) for name in _LINE}, "units": Decimal(line["units"])}
            row |= {name: _date(line.get(name)) for name in ("service_date", "service_date_end")}
            if lines == "history_lines":
                row |= {"history_claim_id": line["claim_id"], "paid": line.get("paid")}
            yield row


def _date(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


def finding_rows(decision: Decision) -> list[dict[str, Any]]:
    """The findings of a decision as rows of ``FINDING_SCHEMA``."""
    return [_finding_row(decision.claim_id, finding) for finding in decision.findings]


def _finding_row(claim_id: str, finding: Finding) -> dict[str, Any]:
    citation, adjustment = finding.citation, finding.adjustment
    return {
        "claim_id": claim_id,
        "line_number": finding.line_number,
        "family": finding.family.name,
        "status": finding.status.name,
        "rule_id": finding.rule_id,
        "code": finding.code,
        "message": finding.message,
        "related_line_numbers": list(finding.related_line_numbers),
        "overridable": finding.overridable.name,
        "adjustment_group": adjustment.group if adjustment else None,
        "carc": adjustment.carc if adjustment else None,
        "rarc": list(adjustment.rarc) if adjustment else None,
        **{name: getattr(citation, name) if citation else None for name in _CITATION},
        "remedies": _json([remedy_fields(remedy) for remedy in finding.remedies]) if finding.remedies else None,
        "depends_on": list(finding.depends_on),
        "detail": _json(detail_fields(finding.detail)) if finding.detail is not None else None,
    }


def _json(content: object) -> str:
    return orjson.dumps(content).decode()


def status_rows(claim: Mapping[str, Any], decision: Decision) -> list[dict[str, int]]:
    """The statuses of the claim's rows: its lines, then its history lines, which have none."""
    rows = [
        {**{family.name: int(status) for family, status in line.families}, "OUTCOME": int(line.outcome)}
        for line in decision.lines
    ]
    return [*rows, *(dict.fromkeys(rows[0], 0) for _ in claim.get("history_lines") or ())]


def disagreements(
    engine: Engine,
    claims: Sequence[Mapping[str, Any]],
    as_of: str,
    families: Iterable[str] = (),
    rows: int = 131_072,
    evaluator: TableEvaluator | None = None,
) -> list[tuple[Any, Any]]:
    """Findings and statuses, claim by claim and as a table, where they differ."""
    evaluator = evaluator or TableEvaluator(engine, as_of, families)
    got = join_parts(list(evaluator.evaluate_batches([table_of(claims)], rows)))
    decisions = [engine.evaluate(claim, as_of, families) for claim in claims]
    expected = [row for decision in decisions for row in finding_rows(decision)]
    statuses = [row for claim, decision in zip(claims, decisions, strict=True) for row in status_rows(claim, decision)]
    assert got.refused.num_rows == 0
    return _unlike(expected, got.findings.to_pylist()) + _unlike(statuses, got.statuses.to_pylist())


def _unlike(expected: Sequence[Any], got: Sequence[Any]) -> list[tuple[Any, Any]]:
    different = [(one, other) for one, other in zip(expected, got, strict=False) if one != other]
    return different if len(expected) == len(got) else [*different, (len(expected), len(got))]


def refusals(answer: TableFindings) -> list[tuple[str | None, int, str]]:
    """Claim, row and problem of everything that was refused."""
    return [
        (row["claim_id"], row["row"], f"{row['where']}: {row['what']}; {row['mend']}")
        for row in answer.refused.to_pylist()
    ]
