"""What a row of a case must state, by kind of rule set (semantics.md §H): checked before a table is built from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from claimedits.model.dates import parse_day
from claimedits.model.terms import Setting

Row = Mapping[str, Any]
Check = Callable[[Any], tuple[str, str] | None]
"""None where a value is well; else what is wrong, and how to mend it."""
ROLES = ("standalone", "primary_eligible", "required_secondary", "non_covered")
MODIFIER_KINDS = ("built_in", "required", "exactly_one_of")


def _code(value: Any) -> tuple[str, str] | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value} stands without quotes", f'write codes in quotes: "{value}"'
    if not isinstance(value, str) or not value.isascii() or not value.replace(".", "").isalnum():
        return "is no code", "write digits and capital letters in quotes"
    return None


def _day(value: Any) -> tuple[str, str] | None:
    try:
        parse_day(value or "1900-01-01")
    except (ValueError, TypeError):
        return "is not a date", "write it like 2024-07-01, or leave it empty"
    return None


def _sure_day(value: Any) -> tuple[str, str] | None:
    return _day(value) if value else ("is empty", "write the first day of the edit")


def _one_of(*words: str) -> Check:
    def check(value: Any) -> tuple[str, str] | None:
        if str(value) in words and not isinstance(value, bool):
            return None
        return f"cannot be {value}", f"use one of {', '.join(words)}"

    return check


def _count(value: Any) -> tuple[str, str] | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return None if good else ("is no whole number from 0 to 2147483647", "write it without quotes, such as 2")


def _truth(value: Any) -> tuple[str, str] | None:
    return None if isinstance(value, bool) else ("is neither true nor false", "write it without quotes")


def _list_of(check: Check) -> Check:
    def check_list(value: Any) -> tuple[str, str] | None:
        if not isinstance(value, list):
            return "is no list", 'write it like ["…"]'
        return next((found for item in value if (found := check(item))), None)

    return check_list


def _group(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, Mapping):
        return (
            "holds a group that is no object",
            'write it like {"group": 1, "role": "standalone", "icd10_codes": ["…"]}',
        )
    if value.get("role") not in ROLES:
        return f"holds a group of role {value.get('role')}", f"use one of {', '.join(ROLES)}"
    for name, check in (("group", _count), ("icd10_codes", _list_of(_code))):
        found = check(value.get(name))
        if found:
            return f"holds a group whose {name} {found[0]}", found[1]
    return None


_CODES, _TEXTS = (
    _list_of(_code),
    _list_of(lambda v: None if isinstance(v, str) else ("holds no text", "write it in quotes")),
)
_SETTINGS = _list_of(_one_of(*Setting.__members__))
_DATES: Mapping[str, Check] = {"effective_from": _day, "effective_to": _day}
REQUIRED: Mapping[str, Mapping[str, Check]] = {
    "ptp": {
        "column_1": _code, "column_2": _code, "effective_from": _sure_day, "effective_to": _day, "modifier_indicator": _one_of("0", "1", "9"),
    },
    "mue": {"procedure_code": _code, "value": _count, "mai": lambda value: None if value is None else _one_of("1", "2", "3")(value)},
    "aoc": {"add_on_code": _code, "primary_code": _code, "edit_type": _one_of("1", "2", "3"), "effective_from": _sure_day, "effective_to": _day},
    "procedure-codes": {"procedure_code": _code},
    "icd10": {"icd10_code": _code, "billable": _truth},
    "pfs": {"procedure_code": _code},
    "coverage": {"document_id": lambda v: None if isinstance(v, str) and v else ("is no text", "write it in quotes"),
                 "procedure_codes": _CODES, "states": _TEXTS, "groups": _list_of(_group)},
    "built_in": {"rule": lambda v: None if isinstance(v, str) and v else ("names no rule", 'write "rule": "E05"')},
    "required": {"procedure_codes": _CODES, "any_of": _CODES},
    "exactly_one_of": {"procedure_codes": _CODES, "any_of": _CODES},
}  # fmt: skip
"""Fields that a row must have, by kind of rule set; for rule sets of authored rules by the row's own ``kind``."""
OPTIONAL: Mapping[str, Mapping[str, Check]] = {
    "mue": {"confidential": _truth},
    "aoc": {"settings": _SETTINGS},
    "procedure-codes": _DATES,
    "icd10": _DATES,
    "coverage": {**_DATES, "waived_by_modifiers": _CODES},
    "required": {**_DATES, "settings": _SETTINGS, "places_of_service": _CODES, "billing_provider_ids": _TEXTS},
    "exactly_one_of": {**_DATES, "settings": _SETTINGS, "places_of_service": _CODES, "billing_provider_ids": _TEXTS},
}


def row_problems(kind: str, row: Row) -> Iterator[tuple[str, str, str]]:
    """(field, what is wrong, how to mend it) of one row; ``kind`` is that of its rule set (``authored``: the row's own counts)."""
    yield from _revision_problems(row.get("revision"))
    if row.get("loaded"):
        return
    if kind == "authored":
        kind = str(row.get("kind"))
        if kind not in MODIFIER_KINDS:
            yield (
                "kind",
                f"cannot be {row.get('kind')}",
                f'use one of {", ".join(MODIFIER_KINDS)}, or "loaded": true for all its rules',
            )
            return
    for name, check in REQUIRED.get(kind, {}).items():
        if name not in row:
            yield "", f"states no {name}", "write every field of the row (docs/testing-rules.md)"
        elif found := check(row[name]):
            yield name, *found
    for name, check in OPTIONAL.get(kind, {}).items():
        if row.get(name) is not None and (found := check(row[name])):
            yield name, *found
    first, last = row.get("effective_from"), row.get("effective_to")
    if first and last and not _day(first) and not _day(last) and last < first:
        yield "effective_to", "lies before effective_from", "the last day is inclusive"


def _revision_problems(revision: Any) -> Iterator[tuple[str, str, str]]:
    if revision is None:
        return
    if not isinstance(revision, Mapping):
        yield "revision", "is no object", 'write it like {"label": "v30.2", "effective_from": "2024-07-01"}'
        return
    for name in ("effective_from", "effective_to", "published_on"):
        if found := _day(revision.get(name)):
            yield f"revision.{name}", *found
