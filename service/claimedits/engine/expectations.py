"""What a test expects of a line against what the engine said: finding by finding, field by field (``claim-edits test``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from claimedits.model.finding import Finding
from claimedits.model.terms import Family, Status

Kind = Literal["missing", "unexpected", "differs"]
CLEAN = (Status.PASS, Status.NOT_APPLICABLE)
"""Statuses that say nothing against a line: what is expected there has no finding of its own."""


class FieldDifference(NamedTuple):
    """One field: what stands in the test, and what the engine said."""

    name: str
    expected: str
    actual: str


class Difference(NamedTuple):
    """One finding that is missing, that nobody expected, or that differs in some fields."""

    kind: Kind
    line_number: int
    subject: str
    """A family, or the id of an authored rule."""
    finding: str
    """What was expected and is missing, or what came unexpected; empty where fields differ."""
    fields: tuple[FieldDifference, ...] = ()

    def __str__(self) -> str:
        place = f"line {self.line_number} {self.subject}: {self.kind}"
        if self.kind != "differs":
            return f"{place}: {self.finding}"
        return f"{place}: " + "; ".join(f"{f.name}: expected {f.expected}, got {f.actual}" for f in self.fields)


class Expected(NamedTuple):
    """One row of what a test expects: the status of a line for a family, and fields of the finding behind it."""

    line_number: int
    family: Family
    status: Status
    fields: Mapping[str, Any] = {}
    """Further fields of the finding by name: ``code``, ``related_line_numbers``, ``rule_id`` …; nested ones are compared in part."""
    acceptable: tuple[Status, ...] = ()
    """Statuses that are accepted instead."""


def describe(finding: Finding, *, message: bool = True) -> str:
    """A finding in one line: status, code, rule, related lines, message."""
    related = f" (lines {', '.join(map(str, finding.related_line_numbers))})" if finding.related_line_numbers else ""
    text = f": {finding.message}" if message and finding.message else ""
    return f"{finding.status.name} {finding.code} by {finding.rule_id}{related}{text}".replace("  ", " ")


def compare(
    expected: Expected, got: Status, findings: Sequence[tuple[Finding, Mapping[str, Any]]]
) -> tuple[Difference, ...]:
    """The differences of one line and family.

    Args:
        got: the status that the line has for the family.
        findings: the findings of the line and family, each with its JSON fields.
    """
    if got is not expected.status:
        return () if got in expected.acceptable else tuple(_of_status(expected, got, findings))
    worst = [fields for finding, fields in findings if finding.status is got]
    if not expected.fields:
        return ()
    if not worst:
        return (Difference("missing", expected.line_number, expected.family.name, _wanted(expected)),)
    nearest = min((_of_fields(expected.fields, fields) for fields in worst), key=len)
    return (Difference("differs", expected.line_number, expected.family.name, "", nearest),) if nearest else ()


def _of_status(
    expected: Expected, got: Status, findings: Sequence[tuple[Finding, Mapping[str, Any]]]
) -> Iterable[Difference]:
    line, family = expected.line_number, expected.family.name
    worst = [(finding, fields) for finding, fields in findings if finding.status is got]
    held = [
        fields
        for finding, fields in findings
        if finding.status is expected.status and not _of_fields(expected.fields, fields)
    ]
    if worst and got not in CLEAN and (expected.status in CLEAN or held):
        for finding, _ in worst:
            yield Difference("unexpected", line, family, describe(finding))
    elif expected.status not in CLEAN and (got in CLEAN or not worst):
        yield Difference("missing", line, family, f"{_wanted(expected)}; the line came out {got.name}")
    else:
        status = FieldDifference("status", expected.status.name, got.name)
        rest = min((_of_fields(expected.fields, fields) for _, fields in worst), key=len, default=())
        yield Difference("differs", line, family, "", (status, *rest))


def _wanted(expected: Expected) -> str:
    fields = "".join(f", {name} {show(value)}" for name, value in expected.fields.items() if name != "code")
    return f"{expected.status.name} {expected.fields.get('code', '')}".rstrip() + fields


def show(value: Any) -> str:
    """A value of a field as a person reads it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value)) or "none"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {show(v)}" for k, v in value.items()) + "}"
    return "nothing" if value is None or value == "" else str(value)


def _of_fields(expected: Mapping[str, Any], actual: Mapping[str, Any], prefix: str = "") -> tuple[FieldDifference, ...]:
    """Fields of ``actual`` that are not as expected; a nested object is compared in the fields that are expected of it."""
    found: list[FieldDifference] = []
    for name, wanted in expected.items():
        has = actual.get(name)
        if isinstance(wanted, Mapping) and isinstance(has, Mapping):
            found.extend(_of_fields(wanted, has, f"{prefix}{name}."))
        elif wanted != has:
            found.append(FieldDifference(f"{prefix}{name}", show(wanted), show(has)))
    return tuple(found)
