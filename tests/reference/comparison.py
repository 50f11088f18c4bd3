"""Where the reference and the product differ, claim by claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from claims import MadeClaim
from reference_tables import Answer, Date, Revision

import reference
from claimedits.engine.engine import Engine

RELATED_COMPARED = {"PTP_CONFLICT", "PTP_BYPASSED", "MUE_EXCEEDED", "AOC_PRIMARY_DENIED"}
"""Where the semantics fix which lines are related."""
INTERCHANGEABLE = [{"MUE_PROVIDER_SCOPE", "MUE_ASC_BILATERAL"}]
"""Codes between which the semantics leave the choice: both hold of the line."""


@dataclass(frozen=True)
class Disagreement:
    number: int
    line: int
    family: str
    what: str
    """``status``, ``codes``, ``other codes`` or ``related``."""
    expected: Answer
    got: Answer

    @property
    def cause(self) -> tuple[str, ...]:
        def show(answer: Answer) -> str:
            return f"{answer.status} {'+'.join(sorted(answer.codes)) or '-'}"

        return (self.family, self.what, show(self.expected), show(self.got))


def compare(
    engine: Engine, revisions: list[Revision], made: Iterable[MadeClaim], families: tuple[str, ...] = reference.FAMILIES
) -> Iterator[Disagreement]:
    """Every line and family about which the two do not say the same: worst status, then codes, then related lines."""
    for item in made:
        expected = reference.evaluate(item.claim, revisions, Date.fromisoformat(item.as_of), families)
        got = ask_product(engine, item, families)
        spans = {line["line_number"] for line in item.claim["lines"] if line["service_date_end"]}
        for (line, family), answer in expected.items():
            what = first_difference(family, answer, got[line, family], line in spans)
            if what:
                yield Disagreement(item.number, line, family, what, answer, got[line, family])


def ask_product(engine: Engine, item: MadeClaim, families: tuple[str, ...]) -> dict[tuple[int, str], Answer]:
    decision = engine.evaluate(item.claim, as_of=item.as_of, families=families, detail="ALL")
    answers = {}
    for line in decision.lines:
        for family, status in line.families:
            findings = [f for f in decision.findings if f.line_number == line.line_number and f.family == family]
            answers[line.line_number, family.name] = Answer(
                status=status.name,
                codes=frozenset(finding.code for finding in findings if finding.code),
                worst_codes=frozenset(f.code for f in findings if f.code and f.status == status),
                related=frozenset(number for finding in findings for number in finding.related_line_numbers),
            )
    return answers


def first_difference(family: str, expected: Answer, got: Answer, is_span: bool) -> str:
    """Of several findings only PTP must report each (§A.6: one finding a row and pair); days of a span may be summed up."""
    if expected.status != got.status:
        return "status"
    if expected.worst_codes != got.worst_codes and expected.worst_codes | got.worst_codes not in INTERCHANGEABLE:
        return "codes"
    if family == "PTP" and expected.codes != got.codes:
        return "other codes"
    if expected.codes and expected.codes <= RELATED_COMPARED and expected.related != got.related and not is_span:
        return "related"
    return ""
