"""What a sentence of a group paragraph may state (semantics.md §D.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

Codes = frozenset[str]
NONE: Codes = frozenset()


class Says(Enum):
    """Kinds of statement."""

    NOTHING = "nothing that decides an edit"
    FREE = "no diagnosis list restricts the codes"
    DENIED = "the codes are denied whatever the diagnosis"
    DENIED_IF = "the codes are denied under a condition that the claim does not show"
    DENIED_HERE = "the codes are denied for what the whole document is about"
    OPEN = "the codes may be covered for more than the lists say"
    SETTING = "the codes are for some claim types only"
    SCOPE = "the list is for the codes"
    SCOPE_OTHERS = "the list is for the codes that no other list names"
    DIAGNOSIS_SCOPE = "the diagnoses are for the codes only"
    DIAGNOSIS_UNREAD = "something about the diagnoses that was not understood"
    NEEDS_SECONDARY = "the diagnoses need another diagnosis, which is not named"
    PAIR_GROUPS = "a code of one group and a code of another are required"
    PAIR_CODE = "a named diagnosis and another of the same group are required"
    PAIR_EXEMPT = "no second diagnosis is required for the codes"
    PAIR_WAIVED = "no second diagnosis is required beside the modifiers"
    UNREAD = "something about the list that was not understood"


@dataclass(frozen=True)
class Statement:
    """What a sentence says. Empty ``codes``: it names no governed code."""

    says: Says
    codes: Codes = NONE
    beside: Codes = NONE
    """DENIED: only on claims that bill one of these codes too."""
    diagnoses: Codes = NONE
    primary: int = 0
    """PAIR_GROUPS: number of the group of primary diagnoses. SCOPE: of the list that is meant, where not the paragraph's own."""
    secondaries: tuple[int, ...] = ()
    """PAIR_GROUPS: groups of secondary diagnoses; any one of them. UNREAD: the groups that the sentence names."""
    any_order: bool = False
    """PAIR_GROUPS: the sentence calls neither list primary or secondary."""
    words: tuple[str, ...] = ()
    """SETTING: claim types; PAIR_WAIVED: modifiers."""
    sentence: str = field(default="", compare=False)


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern of several, whatever the case."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
