"""Claims made of rows: quickly from arrays that are known to be good, or field by field, every problem named."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from claimedits.engine.columnar.lines import LineColumns
from claimedits.engine.columnar.units import units_of
from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.claim_reading import ClaimLimits, read_claim
from claimedits.model.dates import format_day
from claimedits.model.field_reading import CONDITION_CODE, DIAGNOSIS
from claimedits.model.line_table import CLAIM_FIELDS, LINE_FIELDS
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.mapped_arrays import Array

_CLAIM_COLUMNS = tuple(f.name for f in CLAIM_FIELDS)
_PATIENT = ("patient_id", "birth_date", "sex")
_LINE_COLUMNS = tuple(f.name for f in LINE_FIELDS if f.name not in ("history_claim_id", "paid"))


# ---- quickly ----


class ClaimMaker:
    """Makes the claims and lines of one part of a table; only of claims that are not unsure."""

    def __init__(self, lines: LineColumns) -> None:
        self._lines = lines
        self._diagnosis_words = lines.vocabularies.diagnoses.values
        self._modifiers: dict[tuple[int, ...], tuple[str, ...]] = {}

    def make_lines(self, rows: Array, numbers: Sequence[int] | None = None) -> list[ClaimLine]:
        """The lines of ``rows``, with line ``numbers`` in place of their own where given."""
        lines = self._lines
        values = {name: vocabulary.values for name, vocabulary in lines.vocabularies.of.items()}
        texts = {name: [values[name][n] for n in numbers_of[rows].tolist()] for name, numbers_of in lines.texts.items()}
        history = lines.is_history[rows]
        others: list[str] = [""] * len(rows)
        paid: list[bool | None] = [None] * len(rows)
        if history.any():
            named = lines.columns["history_claim_id"].take(pa.array(rows)).to_pylist()
            others = [name if is_history else "" for name, is_history in zip(named, history.tolist(), strict=True)]
            paid = self._fetch("paid", rows)
        return list(
            map(
                ClaimLine,
                lines.line_number[rows].tolist() if numbers is None else numbers,
                texts["procedure_code"],
                self._modifiers_of(rows),
                map(units_of, lines.units[rows].tolist()),
                lines.first_day[rows].tolist(),
                lines.last_day[rows].tolist(),
                self._pointers_of(rows),
                texts["rendering_provider_id"],
                texts["rendering_specialty"],
                texts["place_of_service"],
                texts["revenue_code"],
                self._fetch("charge_cents", rows),
                self._fetch("non_covered_charge_cents", rows),
                [""] * len(rows),
                others,
                paid,
            )
        )

    def make_claim(self, claim: int, own: Sequence[ClaimLine], history: Sequence[ClaimLine]) -> Claim:
        """The claim number ``claim`` of the part, with these lines."""
        lines = self._lines
        row = int(lines.starts[claim])
        words = {name: lines.vocabularies.of[name].values[n[claim]] for name, n in lines.claim_texts.items()}
        birth = self._birth(row)
        conditions = self._one("condition_codes", row)
        vocabulary = lines.vocabularies.conditions
        return Claim(
            claim_id=self._one("claim_id", row) or "",
            program=Program(int(lines.program[claim])),
            setting=Setting(int(lines.setting[claim])),
            lines=tuple(own),
            billing_provider_id=self.billing_provider(claim),
            state=words["state"],
            contractor_id=words["contractor_id"],
            patient=Patient(self._one("patient_id", row) or "", birth, words["sex"]),
            type_of_bill=words["type_of_bill"],
            condition_codes=None
            if conditions is None
            else tuple(text for text in (vocabulary.values[vocabulary.number(c or "")] for c in conditions) if text),
            clia_certificate=words["clia_certificate"],
            diagnoses=self.diagnoses_of(claim),
            history_lines=tuple(history),
            payer_id=words["payer_id"],
            prior_authorization_number=self._one("prior_authorization_number", row) or "",
        )

    def billing_provider(self, claim: int) -> str:
        """Empty = not stated."""
        return self._one("billing_provider_id", int(self._lines.starts[claim])) or ""

    def diagnoses_of(self, claim: int) -> tuple[str, ...]:
        lines = self._lines
        start, count = int(lines.diagnosis_starts[claim]), int(lines.diagnosis_counts[claim])
        return tuple([self._diagnosis_words[n] for n in lines.diagnoses[start : start + count].tolist()])

    def _one(self, name: str, row: int) -> Any:
        column = self._lines.columns.get(name)
        return None if column is None else column[row].as_py()

    def _birth(self, row: int) -> int | None:
        birth = self._one("birth_date", row)
        return None if birth is None else birth.toordinal() - _EPOCH

    def _fetch(self, name: str, rows: Array) -> list[Any]:
        column = self._lines.columns.get(name)
        return [None] * len(rows) if column is None else column.take(pa.array(rows)).to_pylist()

    def _modifiers_of(self, rows: Array) -> list[tuple[str, ...]]:
        words, remembered = self._lines.vocabularies.modifiers.values, self._modifiers
        found = []
        for numbers in map(tuple, self._lines.modifiers[rows].tolist()):
            modifiers = remembered.get(numbers)
            if modifiers is None:
                modifiers = remembered[numbers] = tuple(words[n] for n in numbers if n)
            found.append(modifiers)
        return found

    def _pointers_of(self, rows: Array) -> list[tuple[int, ...]]:
        lines = self._lines
        if not len(lines.pointers):
            return [()] * len(rows)
        starts, counts = lines.pointer_starts[rows].tolist(), lines.pointer_counts[rows].tolist()
        pointers = lines.pointers
        return [tuple(pointers[s : s + c].tolist()) for s, c in zip(starts, counts, strict=True)]


_EPOCH = datetime.date(1970, 1, 1).toordinal()


# ---- field by field ----


def read_rows(
    columns: Mapping[str, pa.Array],
    rows: Sequence[int],
    is_history: Array,
    limits: ClaimLimits,
    counts: tuple[int, int],
) -> Claim:
    """The claim of ``rows`` as ``read_claim`` reads its fields.

    ``counts`` are its lines and history lines: more than ``rows`` holds where the claim is over a limit.

    Raises:
        ClaimInvalidError: with every problem: fields of the claim that differ between its rows, then those of ``read_claim``.
    """
    taken = pa.array(rows, pa.int64())
    values = {name: _as_python(column.take(taken)) for name, column in columns.items()}
    problems = _differences(values)
    if not _said(values.get("claim_id", [None])[0]):
        problems.insert(0, Problem("claim_id", "is missing", "name the claim on each of its rows"))
    head = {name: _as_json(name, values[name][0]) for name in _CLAIM_COLUMNS if name in values}
    patient = {name: head.pop(name) for name in _PATIENT if name in head}
    own: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    for i, row in enumerate(rows):
        line = {name: _as_json(name, values[name][i]) for name in _LINE_COLUMNS if name in values}
        paid = values["paid"][i] if "paid" in values else None
        if is_history[row]:
            history.append({**line, "claim_id": values["history_claim_id"][i], "paid": paid})
        else:
            own.append(line if paid is None else {**line, "paid": paid})
    fields = {
        **head,
        "patient": patient,
        "lines": own if counts[0] <= limits.lines else range(counts[0]),
        "history_lines": history if counts[1] <= limits.history_lines else range(counts[1]),
    }
    try:
        claim = read_claim(fields, limits)
    except ClaimInvalidError as error:
        raise ClaimInvalidError([*problems, *error.problems]) from None
    if problems:
        raise ClaimInvalidError(problems)
    return claim


def _as_python(column: pa.Array) -> list[Any]:
    """Days become ISO texts; one outside the calendar that Python knows becomes a text that is no date."""
    if not pa.types.is_date(column.type):
        return list(column.to_pylist())
    days = column.view(pa.int32()).to_pylist()
    return [None if day is None else _day_text(day) for day in days]


def _day_text(day: int) -> str:
    try:
        return format_day(day) or "no day"
    except (ValueError, OverflowError):
        return "no day"


def _differences(values: Mapping[str, Sequence[Any]]) -> list[Problem]:
    problems = []
    for name in _CLAIM_COLUMNS:
        column = values.get(name)
        if column is None or name == "claim_id":
            continue
        first = _meaning(name, column[0])
        if any(_meaning(name, value) != first for value in column[1:]):
            where = f"patient.{name}" if name in _PATIENT else name
            problems.append(
                Problem(
                    where, "differs between rows of the claim", "a claim has one; repeat it on each row of the claim"
                )
            )
    return problems


def _meaning(name: str, value: Any) -> Any:
    """What is compared: an absent text is an empty one, and lists are compared as they are read."""
    if name == "diagnoses":
        return [DIAGNOSIS.normalise(code or "") for code in value or ()]
    if name == "condition_codes" and value is not None:
        return [CONDITION_CODE.normalise(code or "") for code in value]
    return value or None


def _said(text: Any) -> bool:
    return text is not None and (not isinstance(text, str) or bool(text.strip()))


def _as_json(name: str, value: Any) -> Any:
    """A value as NDJSON spells it: units that are no whole numbers as text."""
    if value is None:
        return None
    if name == "units":
        return value if isinstance(value, int) else _decimal_text(value)
    return value


def _decimal_text(value: Decimal | float) -> str:
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
