"""Claim lines and findings as Arrow tables: what bulk callers send, and what they get back.

A line table holds one row a claim line, with the fields of the claim repeated on each of its rows. The rows of one claim
stand together, the claim's own lines first and its history lines after them. Field names and meanings are those of the
JSON form (api.md §2, Claim); null means absent, which is unknown, not zero.
"""

from __future__ import annotations

import pyarrow as pa

from claimedits.model.problems import ProblemsError

_TEXT = pa.string()
_TEXTS = pa.list_(pa.string())

CLAIM_FIELDS: tuple[pa.Field, ...] = (
    pa.field("claim_id", _TEXT),
    pa.field("program", _TEXT),
    pa.field("setting", _TEXT),
    pa.field("billing_provider_id", _TEXT),
    pa.field("state", _TEXT),
    pa.field("contractor_id", _TEXT),
    pa.field("patient_id", _TEXT),
    pa.field("birth_date", pa.date32()),
    pa.field("sex", _TEXT),
    pa.field("type_of_bill", _TEXT),
    pa.field("condition_codes", _TEXTS),
    pa.field("clia_certificate", _TEXT),
    pa.field("payer_id", _TEXT),
    pa.field("prior_authorization_number", _TEXT),
    pa.field("diagnoses", _TEXTS),
)
"""Of the claim: the same on every row of it. ``program`` and ``setting`` are the short words, ``MEDICARE``."""

LINE_FIELDS: tuple[pa.Field, ...] = (
    pa.field("line_number", pa.int32()),
    pa.field("procedure_code", _TEXT),
    pa.field("modifiers", _TEXTS),
    pa.field("units", pa.decimal128(18, 4)),
    pa.field("service_date", pa.date32()),
    pa.field("service_date_end", pa.date32()),
    pa.field("diagnosis_pointers", pa.list_(pa.int32())),
    pa.field("rendering_provider_id", _TEXT),
    pa.field("rendering_specialty", _TEXT),
    pa.field("place_of_service", _TEXT),
    pa.field("revenue_code", _TEXT),
    pa.field("charge_cents", pa.int64()),
    pa.field("non_covered_charge_cents", pa.int64()),
    pa.field("history_claim_id", _TEXT),
    pa.field("paid", pa.bool_()),
)
"""Of the line. ``history_claim_id`` is null on the claim's own lines; on history lines it names the other claim, and
``paid`` says whether that line was paid."""

LINE_SCHEMA: pa.Schema = pa.schema([*CLAIM_FIELDS, *LINE_FIELDS])
"""Columns may stand in any order, be dictionary-encoded, or be left out when no row has them, but for those of
``REQUIRED_COLUMNS``."""

REQUIRED_COLUMNS: tuple[str, ...] = (
    "claim_id",
    "program",
    "setting",
    "line_number",
    "procedure_code",
    "units",
    "service_date",
)

REFUSAL_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("claim_id", _TEXT),
        pa.field("row", pa.int64()),
        pa.field("where", _TEXT),
        pa.field("what", _TEXT),
        pa.field("mend", _TEXT),
        pa.field("code", _TEXT),
    ]
)
"""One row a problem of a refused claim, in the order in which ``read_claim`` names them. ``row`` is the 0-based row of the
input at which the claim begins; ``where`` is a field path, in which lines are counted within the claim, ``lines[2].units``."""

OUTCOME = "OUTCOME"
"""The column of a status table that holds the worst status of the line. The others are named by family, ``PTP``."""

FINDING_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("claim_id", _TEXT),
        pa.field("line_number", pa.int32()),
        pa.field("family", _TEXT),
        pa.field("status", _TEXT),
        pa.field("rule_id", _TEXT),
        pa.field("code", _TEXT),
        pa.field("message", _TEXT),
        pa.field("related_line_numbers", pa.list_(pa.int32())),
        pa.field("overridable", _TEXT),
        pa.field("adjustment_group", _TEXT),
        pa.field("carc", _TEXT),
        pa.field("rarc", _TEXTS),
        pa.field("rule_set", _TEXT),
        pa.field("revision", _TEXT),
        pa.field("label", _TEXT),
        pa.field("source_file", _TEXT),
        pa.field("source_sha256", _TEXT),
        pa.field("source_row", pa.int64()),
        pa.field("effective_from", _TEXT),
        pa.field("effective_to", _TEXT),
        pa.field("authority", _TEXT),
        pa.field("url", _TEXT),
        pa.field("remedies", _TEXT),
        pa.field("depends_on", _TEXTS),
        pa.field("detail", _TEXT),
    ]
)
"""One row a finding, in the order of the answer to one claim (api.md §2): all but plain passes. Words are the short ones,
``PTP`` and ``FAIL``; ``remedies`` and ``detail`` are JSON text as in the NDJSON form, null where there is none. A citation
or an adjustment that a finding does not have leaves its columns null; texts that do not apply are empty, as in JSON."""


class TableInvalidError(ProblemsError):
    """A table of claim lines whose columns cannot be read: missing, unknown, or of another type. Every one is named."""
