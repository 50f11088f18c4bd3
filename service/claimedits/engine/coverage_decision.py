"""The decision of one document version about one line (semantics.md §D.3), in the order of that table."""

from __future__ import annotations

from typing import Any, NamedTuple

from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.terms import Status
from claimedits.rulesets.coverage.documents import Document, Group, Scoped
from claimedits.rulesets.coverage.readings import CodeReading, Role, Treatment


class Diagnoses(NamedTuple):
    """Diagnoses of a claim, encoded, as one line sees them."""

    pointed: tuple[int, ...]
    claimed: tuple[int, ...]
    all_count: bool
    has_no_pointers: bool
    """A professional line without pointers: all diagnoses count, with an advisory (§D.4)."""


class Verdict(NamedTuple):
    """What a document says of a line, and where it says so."""

    status: Status
    code: str
    why: str
    group: str = ""
    """``covered 1``; the pairing's groups joined by a plus."""
    member: int = -1
    """Position of the listed diagnosis that was hit; -1 = none."""
    missing: str = ""
    paragraph: int = -1
    source: tuple[int, int] = (0, 0)
    can_shift_liability: bool = False


def decide(document: Document, claim: Claim, line: ClaimLine, diagnoses: Diagnoses) -> Verdict:
    """One document version, one line. The document lists the line's code."""
    # groups scoped to the code by paragraph; no code named → all governed codes
    scoped = document.scoped_to(line.procedure_code)
    if not scoped.is_plain:
        denial = _decide_code(scoped.reading, claim, line)
        if denial is not None and scoped.is_denied_on_condition:
            listed = _decide_lists(document, scoped, line, diagnoses)
            return listed if listed.status is Status.FAIL else denial
        if denial is not None:
            return denial
    return _decide_lists(document, scoped, line, diagnoses)


def _decide_lists(document: Document, scoped: Scoped, line: ClaimLine, diagnoses: Diagnoses) -> Verdict:
    """What the lists of diagnoses say of the line, in the order of §D.3."""
    reading, covered = scoped.reading, scoped.covered
    if not covered and not scoped.excluded:
        return _without_lists(reading)
    if scoped.is_half_a_pair:
        group = covered[0]
        why = "half of a pairing of lists is not for this code"
        return Verdict(Status.REVIEW, "COV_NARRATIVE", why, group.label, -1, "", group.paragraph, group.source)
    verdict = _decide_covered(document, scoped, line, diagnoses)
    if verdict is not None and verdict.status is not Status.FAIL:
        return verdict
    if scoped.excluded and (verdict is None or verdict.code != "COV_SECONDARY_MISSING"):
        non_covered = _decide_non_covered(scoped.excluded, diagnoses)
        if non_covered is not None:
            return non_covered
    if verdict is not None:
        return verdict
    # covered code on the claim but not pointed; covered list exists, no hit
    if covered:
        return _no_hit(document, scoped, line, diagnoses)
    # only a non-covered list, no hit: exclusion-type policy
    why = "only excluded diagnoses are listed, and none of them was billed"
    return Verdict(Status.PASS, "", why, scoped.excluded[0].label)


def _decide_code(reading: CodeReading, claim: Claim, line: ClaimLine) -> Verdict | None:
    """What the text says of the code itself, before any list is asked; None = ask the lists."""
    place: dict[str, Any] = {"paragraph": reading.paragraph, "source": reading.source}
    if reading.treatment is Treatment.FREE:
        return Verdict(Status.PASS, "", "the text frees the code from the lists of diagnoses", **place)
    if reading.settings and claim.setting.name not in reading.settings:
        return Verdict(
            Status.REVIEW, "COV_NARRATIVE", f"the text is for other claims ({', '.join(reading.settings)})", **place
        )
    if reading.treatment is Treatment.DENIED_IF:
        return Verdict(
            Status.REVIEW, "COV_NARRATIVE", "the text denies the code under a condition that no claim shows", **place
        )
    if reading.treatment is not Treatment.DENIED:
        return None
    if not reading.beside or any(
        other.procedure_code in reading.beside and other.service_date == line.service_date for other in claim.lines
    ):
        return Verdict(
            Status.FAIL,
            "COV_NOT_LISTED",
            "the text lists the code as not covered, whatever the diagnosis",
            missing="coverage of the code itself",
            can_shift_liability=True,
            **place,
        )
    return None


def _without_lists(reading: CodeReading) -> Verdict:
    """No list is for the code."""
    place: dict[str, Any] = {"paragraph": reading.paragraph, "source": reading.source}
    if reading.beside:
        return Verdict(
            Status.PASS, "", "the text restricts the code only beside codes that the claim does not bill", **place
        )
    return Verdict(
        Status.REVIEW,
        "COV_NARRATIVE",
        "the document governs the code and has no list of diagnoses for it",
        missing="a list",
        **place,
    )


def _decide_covered(document: Document, scoped: Scoped, line: ClaimLine, diagnoses: Diagnoses) -> Verdict | None:
    """Standalone lists, pairs, asterisks and unread text, in this order; None = no covered hit."""
    doubt: Verdict | None = None
    for group in scoped.single:
        member = group.find(diagnoses.pointed)
        if member < 0:
            continue
        if group.role not in _DOUBTFUL:
            return Verdict(
                Status.PASS, "", "a listed diagnosis supports the code", group.label, member, "", -1, group.source
            )
        doubt = doubt or _doubtful_hit(group, member, diagnoses)
    if not scoped.pairs:
        return doubt
    pair = _decide_pairs(document, scoped, line, diagnoses)
    if pair is not None and pair.status is Status.PASS:
        return pair
    if doubt is not None and doubt.status is Status.REVIEW:
        return doubt
    return pair or doubt


def _place(group: Group, member: int) -> dict[str, Any]:
    """Where a verdict found its diagnosis: the group, the member, and the text above it."""
    return {"group": group.label, "member": member, "paragraph": group.paragraph, "source": group.source}


_DOUBTFUL = frozenset((Role.ASTERISK, Role.NARRATIVE, Role.NEEDS_SECONDARY))


def _doubtful_hit(group: Group, member: int, diagnoses: Diagnoses) -> Verdict:
    place = _place(group, member)
    if group.role is Role.ASTERISK:
        return Verdict(
            Status.REVIEW,
            "COV_NARRATIVE",
            "the diagnosis is listed with an asterisk, whose note is not structured",
            **place,
        )
    if group.role is Role.NARRATIVE:
        return Verdict(
            Status.REVIEW, "COV_NARRATIVE", "the diagnosis is listed under text that only a person can apply", **place
        )
    if len(set(diagnoses.claimed)) > 1:
        return Verdict(
            Status.REVIEW, "COV_NARRATIVE", "the diagnosis needs a secondary one, which the text does not name", **place
        )
    return Verdict(
        Status.FAIL,
        "COV_SECONDARY_MISSING",
        "the diagnosis needs a secondary one, and the claim has no other",
        missing="secondary diagnosis",
        can_shift_liability=True,
        **place,
    )


def _decide_pairs(document: Document, scoped: Scoped, line: ClaimLine, diagnoses: Diagnoses) -> Verdict | None:
    """Primary-eligible hit (pointed) AND required-secondary hit (any diagnosis of the claim); one only → FAIL."""
    worst: Verdict | None = None
    for primaries, secondaries in scoped.pairs:
        verdict = _decide_pair(primaries, secondaries, diagnoses)
        if verdict is None:
            continue
        if verdict.status is Status.PASS:
            return verdict
        if document.pairing_unclear:
            why = "the text lifts the second diagnosis for codes or modifiers that it does not name"
            verdict = verdict._replace(status=Status.REVIEW, code="COV_NARRATIVE", why=why)
        if worst is None or verdict.status > worst.status:
            worst = verdict
    waiver = _find_waiver(scoped, line)
    if not waiver or (worst is not None and worst.status is not Status.FAIL):
        return worst
    # one of the modifiers lifts the pairing: PASS, unless a standalone list also exists, which then decides
    if any(group.role is Role.STANDALONE for group in scoped.single):
        return None
    group = scoped.covered[0]
    return Verdict(Status.PASS, "", f"modifier {waiver} lifts the pairing", group.label, -1, "", -1, group.source)


def _find_waiver(scoped: Scoped, line: ClaimLine) -> str:
    """The line's modifier that lifts the pairing; empty = none."""
    for modifier in line.modifiers:
        if any(modifier in group.waived_by_modifiers for group in scoped.covered):
            return modifier
    return ""


def _decide_pair(primaries: tuple[Group, ...], secondaries: tuple[Group, ...], diagnoses: Diagnoses) -> Verdict | None:
    """One pairing; None where the claim has neither half."""
    primary, primary_hit = _first_hit(primaries, diagnoses.pointed)
    secondary, secondary_hit = _first_hit(secondaries, diagnoses.claimed)
    any_order = any(group.any_order for group in primaries)
    if any_order and primary is None:
        primary, primary_hit = _first_hit(primaries, diagnoses.claimed)
        pointed_secondary, _ = _first_hit(secondaries, diagnoses.pointed)
        if primary is not None and secondary is not None and pointed_secondary is None:
            primary = None
    if primary is None and secondary is None:
        return None
    half = primary or secondary
    assert half is not None
    label = " + ".join(dict.fromkeys(g.label for g in (*primaries, *secondaries)))
    place: dict[str, Any] = {
        "group": label,
        "member": primary_hit if primary is not None else secondary_hit,
        "paragraph": half.paragraph,
        "source": half.source,
    }
    if primary is not None and secondary is not None:
        return Verdict(Status.PASS, "", "a primary and a secondary diagnosis of the pairing support the code", **place)
    if not primaries or not secondaries:
        return None
    lacks = "secondary" if primary is not None else "primary"
    return Verdict(
        Status.FAIL,
        "COV_SECONDARY_MISSING",
        f"the lists require a primary and a secondary diagnosis; the {lacks} one is missing",
        missing=f"{lacks} diagnosis of {(secondaries if primary is not None else primaries)[0].label}",
        can_shift_liability=True,
        **place,
    )


def _first_hit(groups: tuple[Group, ...], diagnoses: tuple[int, ...]) -> tuple[Group | None, int]:
    for group in groups:
        member = group.find(diagnoses)
        if member >= 0:
            return group, member
    return None, -1


def _decide_non_covered(excluded: tuple[Group, ...], diagnoses: Diagnoses) -> Verdict | None:
    """No covered hit, non-covered hit → FAIL; what the list is for but a condition that was not read → REVIEW."""
    for group in excluded:
        member = group.find(diagnoses.pointed)
        if member < 0:
            continue
        place = _place(group, member)
        if group.role is Role.NARRATIVE:
            return Verdict(
                Status.REVIEW,
                "COV_NARRATIVE",
                "the diagnosis is excluded under text that only a person can apply",
                **place,
            )
        return Verdict(
            Status.FAIL,
            "COV_NON_COVERED_DX",
            "the diagnosis is listed as not covered",
            missing="a covered diagnosis",
            can_shift_liability=group.role is not Role.NON_COVERED or not group.label.endswith(" 2"),
            **place,
        )
    return None


def _no_hit(document: Document, scoped: Scoped, line: ClaimLine, diagnoses: Diagnoses) -> Verdict:
    """Covered lists exist and no diagnosis of the line is on one."""
    reading, covered = scoped.reading, scoped.covered
    if reading.is_open:
        why = "no diagnosis of the line is listed, and the text says that the code may be covered for more"
        return Verdict(Status.REVIEW, "COV_NARRATIVE", why, paragraph=reading.paragraph, source=reading.source)
    if all(group.role is Role.NARRATIVE for group in covered):
        why = "every list that might be for the code stands under text that only a person can apply"
        return Verdict(
            Status.REVIEW, "COV_NARRATIVE", why, covered[0].label, -1, "", covered[0].paragraph, covered[0].source
        )
    labels = ", ".join(dict.fromkeys(group.label for group in covered))
    place: dict[str, Any] = {"group": labels, "source": covered[0].source, "can_shift_liability": True}
    if not diagnoses.all_count:
        everything = diagnoses._replace(pointed=diagnoses.claimed)
        elsewhere = _decide_covered(document, scoped, line, everything)
        if elsewhere is not None and elsewhere.status is Status.PASS:
            why = "a listed diagnosis is on the claim, and the line does not point to it"
            return Verdict(Status.FAIL, "COV_NOT_POINTED", why, member=elsewhere.member, missing="a pointer", **place)
    why = "no diagnosis of the line is listed"
    return Verdict(Status.FAIL, "COV_NOT_LISTED", why, missing="a listed diagnosis", **place)
