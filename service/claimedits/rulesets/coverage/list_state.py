"""What is known of a list or a code while its document is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from claimedits.rulesets.coverage.paragraphs import plain_text
from claimedits.rulesets.coverage.readings import CodeReading, Codes, GroupReading, ListKind, RawGroup, Role, Treatment
from claimedits.rulesets.coverage.statement import Says, Statement


@dataclass
class ListState:
    """One list of diagnoses while its document is read."""

    group: RawGroup
    paragraph: int
    role: Role = Role.STANDALONE
    named: Codes = frozenset()
    """Governed codes that the paragraph names; empty = none."""
    text: str = ""
    is_cut: bool = False
    """The paragraph ends in an ellipsis: more codes may have been named."""
    label: str = ""
    pair: int = 0
    any_order: bool = False
    hinted: bool = False
    exempt: set[str] = field(default_factory=set)
    waived: tuple[str, ...] = ()
    star: GroupReading | None = None
    """What the note of the asterisk says of the starred diagnoses, where it was understood."""
    shared: bool = False
    """Another list pairs some of its diagnoses with this one."""
    is_for_others: bool = False
    """For the codes that no other list names."""
    doubted: Codes = frozenset()
    """Codes of which a sentence that was not understood says something about some of the diagnoses."""
    parts: list[GroupReading] = field(default_factory=list)
    """Diagnoses that the text singles out."""


def stated_readings(state: ListState) -> list[GroupReading]:
    """What people stated of a list: the parts that they single out, and the rest."""
    group = state.group
    parts = _spoken_for(group)
    readings = []
    for one in group.stated:
        diagnoses = one.diagnoses if one.diagnoses is not None else group.codes - parts
        if one.role is not Role.NONE and diagnoses:
            reading = GroupReading(
                group.kind,
                group.number,
                one.role,
                one.procedure_codes or None,
                waived_by_modifiers=one.waived_by_modifiers,
                diagnoses=None if diagnoses == group.codes else diagnoses,
                paragraph=state.paragraph,
            )
            readings.append(reading)
    return readings


def list_readings(state: ListState, governed: Codes) -> list[GroupReading]:
    """What was read of one list: its parts, its starred codes, the rest; nothing of what people stated."""
    group, spoken_for = state.group, _spoken_for(state.group)
    if group.stated and (group.is_stated or not group.codes - spoken_for):
        return []
    readings = []
    scope = state.named or None
    exempt = frozenset(state.exempt)
    starred = frozenset() if state.role is Role.NON_COVERED or group.role else group.starred - spoken_for
    rest = group.codes - starred - spoken_for
    if state.shared and state.role is Role.STANDALONE:
        state.role = Role.NARRATIVE
    for part in state.parts:
        members = (part.diagnoses or group.codes) - spoken_for
        if not (state.shared and part.role is Role.REQUIRED_SECONDARY):
            rest -= members
        narrowed = part.scope if part.scope is not None else scope
        if part.role is Role.NARRATIVE and narrowed is not None:
            narrowed |= state.doubted
        if members:
            read = replace(part, diagnoses=members, scope=narrowed, waived_by_modifiers=state.waived, exempt=exempt)
            readings.append(read)
    whole = GroupReading(
        group.kind,
        group.number,
        state.role,
        scope,
        state.pair,
        state.any_order,
        state.waived,
        exempt,
        None,
        state.paragraph,
    )
    if starred and state.star is not None:
        narrowed = scope if state.star.scope is None else state.star.scope
        readings.append(replace(state.star, scope=narrowed, diagnoses=starred, exempt=exempt))
    elif starred:
        readings.append(replace(whole, role=Role.ASTERISK, pair=0, diagnoses=starred))
    if rest:
        readings.append(whole if rest == group.codes else replace(whole, diagnoses=rest))
    if state.is_cut and scope is not None and scope != governed and rest and group.kind is ListKind.COVERED:
        beyond = replace(whole, role=Role.NARRATIVE, pair=0, scope=governed - scope, diagnoses=rest)
        readings.append(beyond)
    return readings


def _spoken_for(group: RawGroup) -> Codes:
    """Diagnoses that people singled out."""
    return frozenset[str]().union(*(one.diagnoses or frozenset() for one in group.stated))


def treat(old: CodeReading, said: Statement) -> CodeReading | None:
    """The worst word wins, but that a code freed of lists is freed for good."""
    if said.says is Says.FREE:
        return replace(old, treatment=Treatment.FREE)
    if said.says in (Says.DENIED, Says.DENIED_HERE) and old.treatment is not Treatment.FREE:
        return replace(old, treatment=Treatment.DENIED, beside=said.beside)
    if said.says is Says.DENIED_IF and old.treatment is Treatment.LISTED:
        return replace(old, treatment=Treatment.DENIED_IF)
    if said.says is Says.SETTING:
        return replace(old, settings=said.words)
    if said.says is Says.OPEN:
        return replace(old, is_open=True)
    return None


_WORDS = re.compile(r"[a-z]+")


def heading_of(paragraph: str) -> str:
    """The words before the first colon, bracket or full stop of a paragraph; empty where they are none or boilerplate."""
    first = re.split(r"[:.(\n]", plain_text(paragraph), maxsplit=1)[0].lower()
    words = [
        word
        for word in _WORDS.findall(first)
        if word not in ("cpt", "hcpcs", "codes", "code", "group", "note", "n", "a")
    ]
    return " ".join(words) if 1 < len(words) <= 14 else ""
