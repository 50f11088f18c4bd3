"""What is known of a list or a code while its document is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from claimedits.rulesets.coverage.paragraphs import plain_text
from claimedits.rulesets.coverage.readings import CodeReading, Codes, GroupReading, RawGroup, Role, Treatment
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
    parts: list[GroupReading] = field(default_factory=list)
    """Diagnoses that the text singles out."""


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
