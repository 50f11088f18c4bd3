"""The reading of one document version: which codes its lists govern, what role each list has (semantics.md §D.3).

A reading is made from the paragraphs, or stated by curated roles. A list whose paragraph says something that was not
understood is kept as NARRATIVE: a hit in it is REVIEW, never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Codes = frozenset[str]


class ListKind(StrEnum):
    """Which table of a document a group stands in."""

    PROCEDURE = "procedure"
    COVERED = "covered"
    NON_COVERED = "non_covered"


class Role(StrEnum):
    """What a hit in a list means."""

    STANDALONE = "standalone"
    PRIMARY_ELIGIBLE = "primary_eligible"
    REQUIRED_SECONDARY = "required_secondary"
    NON_COVERED = "non_covered"
    NOT_SUPPORTING = "not_supporting"
    """NCD laboratory lists: codes that do not support necessity (§D.5)."""
    ASTERISK = "asterisk"
    """Listed with an asterisk whose note is not structured."""
    NEEDS_SECONDARY = "needs_secondary"
    """Requires a further diagnosis that the text does not name."""
    NARRATIVE = "narrative"
    NONE = "none"
    """The group restricts nothing (curated)."""


STATED_ROLES = frozenset(
    (Role.STANDALONE, Role.PRIMARY_ELIGIBLE, Role.REQUIRED_SECONDARY, Role.NON_COVERED, Role.NOT_SUPPORTING, Role.NARRATIVE, Role.NONE)
)  # fmt: skip
"""Roles that people may state: in curated overlays and known answers."""


class Treatment(StrEnum):
    """What the text says of a procedure code itself, before any list is asked."""

    LISTED = "listed"
    FREE = "free"
    DENIED = "denied"
    DENIED_IF = "denied_if"


@dataclass(frozen=True)
class StatedRole:
    """What people read out of a group for some of its diagnoses and some procedure codes (``rules/coverage-roles``)."""

    role: Role
    procedure_codes: Codes = frozenset()
    """Empty: every governed code."""
    diagnoses: Codes | None = None
    """Without the dot. None: every code of the group that no other statement singles out."""
    waived_by_modifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawGroup:
    """One group as published: its paragraph, and which codes stand in it."""

    kind: ListKind
    number: int
    paragraph: str
    paragraph_sha256: str
    source: tuple[int, int]
    codes: Codes
    """Procedure codes, or diagnoses without the dot."""
    starred: Codes = frozenset()
    asterisk_text: str = ""
    role: str = ""
    """As stated by the rows (known answers, laboratory lists, curated roles); empty = read the paragraph."""
    procedure_codes: Codes = frozenset()
    """As stated; empty = read the paragraph, or every governed code."""
    waived_by_modifiers: tuple[str, ...] = ()
    stated: tuple[StatedRole, ...] = ()
    """Curated: together all that is known of the diagnoses they are about; the others are read from the paragraph."""

    @property
    def is_stated(self) -> bool:
        """Whether people stated the whole list, so that its paragraph is not read."""
        return bool(self.role) or any(one.diagnoses is None for one in self.stated)


@dataclass(frozen=True)
class CodeReading:
    """What a document says of one procedure code. Paragraphs are positions in ``DocumentReading.paragraphs``."""

    treatment: Treatment = Treatment.LISTED
    beside: Codes = frozenset()
    """DENIED: only on claims that bill one of these codes too; empty = always."""
    settings: tuple[str, ...] = ()
    """Claim types that the code is for; empty = all."""
    is_open: bool = False
    """May be covered for more than the lists say."""
    paragraph: int = -1
    source: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class GroupReading:
    """A list, or the part of one, with its role."""

    kind: ListKind
    number: int
    role: Role
    scope: Codes | None = None
    """Governed procedure codes it is for; None = all."""
    pair: int = 0
    """Primary and secondary lists of one pairing share this number."""
    any_order: bool = False
    """The pairing asks for both codes on the claim, whichever is pointed to."""
    waived_by_modifiers: tuple[str, ...] = ()
    exempt: Codes = frozenset()
    """PRIMARY_ELIGIBLE: procedure codes for which it stands alone."""
    diagnoses: Codes | None = None
    """The members; None = every code of the raw group."""
    paragraph: int = -1


@dataclass(frozen=True)
class Paragraph:
    """A published paragraph, for citation."""

    label: str
    """``covered 1`` …"""
    text: str
    sha256: str


@dataclass
class DocumentReading:
    """Everything the engine needs of one document version, but the diagnoses themselves."""

    codes: dict[str, CodeReading] = field(default_factory=dict)
    groups: list[GroupReading] = field(default_factory=list)
    paragraphs: list[Paragraph] = field(default_factory=list)
    pairing_unclear: bool = False
    """The text lifts the second diagnosis for codes that it does not name."""
    unread: list[str] = field(default_factory=list)
    """Labels of the groups that want a curated role."""
