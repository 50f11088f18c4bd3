"""What would really clear a PTP finding: the least, the most telling first (semantics.md §0.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claimedits.engine.modifier_positions import Pair, weigh_modifiers
from claimedits.model.claim_reading import MOST_MODIFIERS
from claimedits.model.finding import Remedy
from claimedits.model.terms import Status
from claimedits.rulesets.conventions import Conventions

if TYPE_CHECKING:
    from claimedits.engine.evaluation import Evaluation
    from claimedits.engine.ptp import Match

DOCUMENTATION = "A separate encounter, site or specimen must be documented; a modifier must not be appended solely to bypass the edit."
_PREFERENCE = ("XE", "XS", "XP", "XU", "59")


def list_remedies(evaluation: Evaluation, match: Match, status: Status, code: str) -> tuple[Remedy, ...]:
    if status is Status.BYPASSED:
        return (Remedy("DOCUMENT", (match.pair.column_2.line_number,), condition=DOCUMENTATION),)
    if code == "PTP_COLUMN_2_IN_HISTORY":
        return (
            Remedy(
                "DOCUMENT",
                (match.pair.column_1.line_number,),
                condition="adjust the other claim if its line was paid",
            ),
        )
    if code == "PTP_DATE_SPAN":
        lines = tuple(line.line_number for line in (match.pair.column_1, match.pair.column_2) if not line.claim_id)
        return (Remedy("CORRECT_DATE", lines, condition="report each day of service on a line of its own"),)
    column_2 = match.pair.column_2.line_number
    remove = Remedy("REMOVE_LINE", (column_2,), condition="if the service is part of column 1")
    if match.row.modifier_indicator == 0:
        unusual = Remedy(
            "DOCUMENT",
            () if match.pair.column_1.claim_id else (match.pair.column_1.line_number,),
            condition="no modifier clears it; for an unusual service the contractor may weigh modifier 22 on column 1",
        )
        return (remove, unusual)
    if code == "PTP_SEPARATE_PRACTITIONER":
        return (*_modifier_remedies(evaluation, match, first="XP"), remove)
    return (*_modifier_remedies(evaluation, match), remove)


def _modifier_remedies(evaluation: Evaluation, match: Match, first: str = "") -> tuple[Remedy, ...]:
    """Modifiers that, added to column 2 or else to column 1, would bypass the pair as it stands."""
    pair, conventions = match.pair, evaluation.conventions
    remedies = []
    for column, line in ((2, pair.column_2), (1, pair.column_1)):
        if line.claim_id or len(line.modifiers) >= MOST_MODIFIERS:
            continue
        helpful = _helpful_modifiers(evaluation, pair, column, first)
        if helpful:
            condition = (
                "if the record shows a separate encounter, site, practitioner or specimen; 59 when no other modifier fits"
                if not conventions.in_family("em", line.procedure_code, pair.day)
                else "if the visit was significant and separately identifiable"
            )
            remedies.append(Remedy("ADD_MODIFIER", (line.line_number,), helpful, condition))
    return tuple(remedies)


def _helpful_modifiers(evaluation: Evaluation, pair: Pair, column: int, first: str) -> tuple[str, ...]:
    """Every modifier whose addition to the line would bypass the pair.

    The answer depends on the families of the codes, not on the codes, so it is remembered under what it depends on.
    """
    conventions, one, two = evaluation.conventions, pair.column_1, pair.column_2
    invalid = {
        (line_column, modifier)
        for line_column, line in ((1, one), (2, two))
        for number, modifier in evaluation.invalid_modifiers
        if number == line.line_number and not line.claim_id
    }
    codes = (one.procedure_code, two.procedure_code)
    key = (
        pair.program, pair.setting, conventions.era(pair.day), column, first, one.modifiers, two.modifiers,
        conventions.traits(codes[0], pair.day), conventions.traits(codes[1], pair.day),
        codes if conventions.names_pair(codes, pair.day) else (), tuple(sorted(invalid)),
    )  # fmt: skip
    helpful = conventions.helpful.get(key)
    if helpful is None:
        line = two if column == 2 else one
        helpful = tuple(
            modifier
            for modifier in _most_telling_first(conventions, first)
            if modifier not in line.modifiers and _would_clear(evaluation, pair, column, modifier)
        )
        if len(conventions.helpful) >= 16_384:  # modifiers are the caller's: bounded
            conventions.helpful.clear()
        conventions.helpful[key] = helpful
    return helpful


def _most_telling_first(conventions: Conventions, first: str) -> list[str]:
    """Anatomic, then XE/XS/XP/XU, then 59, then the rest (§0.3)."""
    anatomic = [m for m in conventions.ptp_associated if m in conventions.sides]
    rest = [m for m in conventions.ptp_associated if m not in anatomic and m not in _PREFERENCE]
    ordered = [*anatomic, *_PREFERENCE, *rest]
    return [first, *(m for m in ordered if m != first)] if first else ordered


def _would_clear(evaluation: Evaluation, pair: Pair, column: int, modifier: str) -> bool:
    line = pair.column_1 if column == 1 else pair.column_2
    widened = line._replace(modifiers=(*line.modifiers, modifier))
    trial = pair._replace(column_1=widened) if column == 1 else pair._replace(column_2=widened)
    return weigh_modifiers(trial, evaluation.conventions, evaluation.invalid_modifiers).verdict == "accept"
