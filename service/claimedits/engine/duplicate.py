"""Duplicates, family DUPLICATE (semantics.md §F.5)."""

from __future__ import annotations

from claimedits.engine.candidates import has_repeated_service
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import ClaimLine
from claimedits.model.claim_reading import MOST_MODIFIERS
from claimedits.model.finding import Detail, DuplicateDetail, Finding, HistoryLine, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.conventions import Conventions

RULE_SET = "duplicates"
Key = tuple[object, ...]


def evaluate(evaluation: Evaluation) -> None:
    """Exact duplicates are denied, suspects reviewed; against history the current line is the one at fault."""
    claim, duplicates = evaluation.claim, evaluation.release.duplicates
    if duplicates is None:
        for index, line in enumerate(claim.lines):
            evaluation.add_not_loaded(index, Family.DUPLICATE, RULE_SET, line.service_date)
        return
    if not evaluation.wants_passes and not has_repeated_service(evaluation):
        return
    exact: dict[Key, ClaimLine] = {}
    similar: dict[Key, list[ClaimLine]] = {}
    for history_line in claim.history_lines:
        exact.setdefault(_key(evaluation, duplicates, history_line, True), history_line)
        similar.setdefault(_key(evaluation, duplicates, history_line, False), []).append(history_line)
    for index, line in enumerate(claim.lines):
        key, same_but_modifiers = (_key(evaluation, duplicates, line, whole) for whole in (True, False))
        earlier = exact.get(key)
        if earlier is not None:
            evaluation.add(index, _finding(evaluation, duplicates, line, earlier, "DUP_EXACT"))
        else:
            suspect = _suspect(duplicates, line, similar.get(same_but_modifiers, ()))
            if suspect is not None:
                evaluation.add(index, _finding(evaluation, duplicates, line, suspect, "DUP_SUSPECT"))
            else:
                evaluation.add_pass(index, Family.DUPLICATE, RULE_SET, "no earlier line is the same service")
            exact[key] = line
        similar.setdefault(same_but_modifiers, []).append(line)


def _key(evaluation: Evaluation, duplicates: Conventions, line: ClaimLine, whole: bool) -> Key:
    """Beneficiary, rendering (else billing) provider, dates, code, sorted modifiers, place of service (switch ``dup.key``).

    A suspect is looked for without modifiers and place (``whole`` false).

    A claim and its history are of one beneficiary, so the patient needs no place in the key.
    """
    words = duplicates.switch("dup.key", line.service_date)
    return (
        line.procedure_code or line.revenue_code,
        (line.rendering_provider_id or evaluation.claim.billing_provider_id) if "provider" in words else "",
        (line.service_date, line.service_date_end if "dates" in words else 0),
        tuple(sorted(line.modifiers)) if whole and "modifiers" in words else (),
        line.place_of_service if whole and "place_of_service" in words else "",
    )


def _suspect(duplicates: Conventions, line: ClaimLine, others: list[ClaimLine] | tuple[()]) -> ClaimLine | None:
    """Same provider, dates and code, one line without modifiers and the other with only non-distinguishing ones."""
    for other in others:
        if bool(line.modifiers) == bool(other.modifiers):
            continue
        modifiers = line.modifiers or other.modifiers
        if not any(duplicates.is_distinguishing(modifier, line.service_date) for modifier in modifiers):
            return other
    return None


def _finding(
    evaluation: Evaluation, duplicates: Conventions, line: ClaimLine, earlier: ClaimLine, code: str
) -> Finding:
    loaded = evaluation.release.rule_sets[RULE_SET]
    exact = code == "DUP_EXACT"
    where = "another claim" if earlier.claim_id else f"line {earlier.line_number}"
    remedies = [Remedy("REMOVE_LINE", (line.line_number,), condition="if the service was given once")]
    if len(line.modifiers) < MOST_MODIFIERS:
        repeated = tuple(m for m in ("76", "77", "91", "59") if m not in line.modifiers)
        remedies.append(
            Remedy(
                "ADD_MODIFIER",
                (line.line_number,),
                repeated,
                "if it was repeated: 76 same practitioner, 77 another, 91 laboratory test",
            )
        )
    return Finding(
        rule_id=f"{RULE_SET}/{'exact' if exact else 'suspect'}",
        family=Family.DUPLICATE,
        status=Status.FAIL if exact else Status.REVIEW,
        line_number=line.line_number,
        code=code,
        message=f"the line repeats {where}: same service, dates and provider"
        + (", same modifiers" if exact else "; no modifier tells them apart"),
        related_line_numbers=() if earlier.claim_id else (earlier.line_number,),
        citation=loaded.cite(loaded.editions.newest, (0, 1)),
        adjustment=evaluation.conventions.adjustment(code, line.service_date) if exact else None,
        overridable=Overridable.MODIFIER,
        remedies=tuple(remedies),
        detail=Detail(
            history=(HistoryLine(earlier.claim_id, earlier.line_number),) if earlier.claim_id else (),
            duplicate=DuplicateDetail(
                key=tuple(duplicates.switch("dup.key", line.service_date).split()),
                history_checked=bool(evaluation.claim.history_lines),
            ),
        ),
    )
