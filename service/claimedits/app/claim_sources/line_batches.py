"""Claims as line tables and back (``model.line_table.LINE_SCHEMA``): one row a line, history lines after the claim's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.dates import Day, format_day
from claimedits.model.line_table import CLAIM_FIELDS, LINE_FIELDS, LINE_SCHEMA
from claimedits.model.terms import Program, Setting

ROWS_A_BATCH = 65_536
"""Rows after which a batch is handed on; a claim is never cut."""


class LineBatchBuilder:
    """Collects claims and gives them as tables of ``LINE_SCHEMA``."""

    def __init__(self) -> None:
        self._claim: list[list[Any]] = [[] for _ in CLAIM_FIELDS]
        self._line: list[list[Any]] = [[] for _ in LINE_FIELDS]

    def __len__(self) -> int:
        return len(self._line[0])

    def add(self, claim: Claim, paid: Sequence[bool | None] = ()) -> None:
        """Append a claim. ``paid`` tells of its own lines, by position; history lines tell it themselves."""
        values = _claim_values(claim)
        for i, line in enumerate(claim.lines):
            self._add_line(values, line, None, paid[i] if i < len(paid) else None)
        for line in claim.history_lines:
            self._add_line(values, line, line.claim_id, line.paid)

    def _add_line(self, claim: Sequence[Any], line: ClaimLine, history: str | None, paid: bool | None) -> None:
        for column, value in zip(self._claim, claim, strict=True):
            column.append(value)
        values = (
            line.line_number,
            line.procedure_code or None,
            list(line.modifiers),
            line.units,
            line.service_date,
            None if line.service_date_end == line.service_date else line.service_date_end,
            list(line.diagnosis_pointers),
            line.rendering_provider_id or None,
            line.rendering_specialty or None,
            line.place_of_service or None,
            line.revenue_code or None,
            line.charge_cents,
            line.non_covered_charge_cents,
            history,
            paid,
        )
        for column, value in zip(self._line, values, strict=True):
            column.append(value)

    def take(self) -> pa.Table:
        """The rows so far; the builder is empty afterwards."""
        columns = [
            pa.array(values, field.type) for values, field in zip([*self._claim, *self._line], LINE_SCHEMA, strict=True)
        ]
        self.__init__()  # type: ignore[misc]
        return pa.Table.from_arrays(columns, schema=LINE_SCHEMA)


def _claim_values(claim: Claim) -> tuple[Any, ...]:
    patient = claim.patient
    return (
        claim.claim_id,
        claim.program.name,
        claim.setting.name,
        claim.billing_provider_id or None,
        claim.state or None,
        claim.contractor_id or None,
        patient.patient_id or None,
        patient.birth_date,
        patient.sex or None,
        claim.type_of_bill or None,
        None if claim.condition_codes is None else list(claim.condition_codes),
        claim.clia_certificate or None,
        claim.payer_id or None,
        claim.prior_authorization_number or None,
        list(claim.diagnoses),
    )


def table_of(claims: Iterable[Claim]) -> pa.Table:
    """One line table of all claims."""
    builder = LineBatchBuilder()
    for claim in claims:
        builder.add(claim)
    return builder.take()


def claims_of(table: pa.Table) -> Iterator[Claim]:
    """The claims of a line table, in its order; a claim's rows stand together.

    Columns that are left out are absent on every claim. ``procedure_code_sent`` is the code of the table. Of ``paid``,
    what is said of history lines is kept; a claim has no place for it on its own lines.
    """
    names = [field.name for field in LINE_SCHEMA]
    columns: dict[str, list[Any]] = {}
    for field in LINE_SCHEMA:
        if field.name in table.column_names:
            column = table.column(field.name)
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            if pa.types.is_date(column.type):
                column = column.cast(pa.int32())
            columns[field.name] = column.to_pylist()
        else:
            columns[field.name] = [None] * table.num_rows
    start = 0
    ids = columns["claim_id"]
    history = columns["history_claim_id"]
    for row in range(1, table.num_rows + 1):
        if row == table.num_rows or ids[row] != ids[start] or (history[row] is None and history[row - 1] is not None):
            yield _claim({name: columns[name][start] for name in names}, columns, start, row)
            start = row


def _claim(first: dict[str, Any], columns: dict[str, list[Any]], start: int, end: int) -> Claim:
    rows = [_line(columns, row) for row in range(start, end)]
    conditions = first["condition_codes"]
    return Claim(
        claim_id=first["claim_id"] or "",
        program=Program[first["program"]],
        setting=Setting[first["setting"]],
        lines=tuple(line for own, line in rows if own),
        billing_provider_id=first["billing_provider_id"] or "",
        state=first["state"] or "",
        contractor_id=first["contractor_id"] or "",
        patient=Patient(first["patient_id"] or "", first["birth_date"], first["sex"] or ""),
        type_of_bill=first["type_of_bill"] or "",
        condition_codes=None if conditions is None else tuple(conditions),
        clia_certificate=first["clia_certificate"] or "",
        diagnoses=tuple(first["diagnoses"] or ()),
        history_lines=tuple(line for own, line in rows if not own),
        payer_id=first["payer_id"] or "",
        prior_authorization_number=first["prior_authorization_number"] or "",
    )


def _line(columns: dict[str, list[Any]], row: int) -> tuple[bool, ClaimLine]:
    """Whether a row is the claim's own, and its line."""
    value = {name: columns[name][row] for name in _LINE_NAMES}
    history = value["history_claim_id"]
    units: Decimal = value["units"]
    first: Day = value["service_date"]
    last: Day | None = value["service_date_end"]
    code = value["procedure_code"] or ""
    return history is None, ClaimLine(
        line_number=value["line_number"],
        procedure_code=code,
        modifiers=tuple(value["modifiers"] or ()),
        units=_plain(units),
        service_date=first,
        service_date_end=first if last is None else last,
        diagnosis_pointers=tuple(value["diagnosis_pointers"] or ()),
        rendering_provider_id=value["rendering_provider_id"] or "",
        rendering_specialty=value["rendering_specialty"] or "",
        place_of_service=value["place_of_service"] or "",
        revenue_code=value["revenue_code"] or "",
        charge_cents=value["charge_cents"],
        non_covered_charge_cents=value["non_covered_charge_cents"],
        procedure_code_sent=code,
        claim_id=history or "",
        paid=value["paid"] if history is not None else None,
    )


def _plain(units: Decimal) -> Decimal:
    """``60.0000`` as 60, ``2.5000`` as 2.5: as a claim that was read has them."""
    whole = units.to_integral_value()
    return whole if whole == units else units.normalize()


_LINE_NAMES = tuple(field.name for field in LINE_FIELDS)


def fields_of(claim: Claim) -> dict[str, Any]:
    """The JSON fields of a claim (api.md §2); ``claim_reading.read_claim`` makes the same claim of them."""
    fields: dict[str, Any] = {
        "claim_id": claim.claim_id,
        "program": claim.program.name,
        "setting": claim.setting.name,
        "billing_provider_id": claim.billing_provider_id,
        "state": claim.state,
        "contractor_id": claim.contractor_id,
        "patient": {
            "patient_id": claim.patient.patient_id,
            "birth_date": "" if claim.patient.birth_date is None else format_day(claim.patient.birth_date),
            "sex": claim.patient.sex,
        },
        "type_of_bill": claim.type_of_bill,
        "clia_certificate": claim.clia_certificate,
        "payer_id": claim.payer_id,
        "prior_authorization_number": claim.prior_authorization_number,
        "diagnoses": list(claim.diagnoses),
        "lines": [_line_fields(line) for line in claim.lines],
        "history_lines": [
            _line_fields(line) | {"claim_id": line.claim_id, "paid": line.paid} for line in claim.history_lines
        ],
    }
    if claim.condition_codes is not None:
        fields["condition_codes"] = list(claim.condition_codes)
    return fields


def _line_fields(line: ClaimLine) -> dict[str, Any]:
    return {
        "line_number": line.line_number,
        "procedure_code": line.procedure_code_sent or line.procedure_code,
        "modifiers": list(line.modifiers),
        "units": format(line.units, "f"),
        "service_date": format_day(line.service_date),
        "service_date_end": "" if line.service_date_end == line.service_date else format_day(line.service_date_end),
        "diagnosis_pointers": list(line.diagnosis_pointers),
        "rendering_provider_id": line.rendering_provider_id,
        "rendering_specialty": line.rendering_specialty,
        "place_of_service": line.place_of_service,
        "revenue_code": line.revenue_code,
        "charge_cents": line.charge_cents,
        "non_covered_charge_cents": line.non_covered_charge_cents,
    }
